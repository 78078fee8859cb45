"""How soon the dashboard paints its shell and its first rows, next to the smallest Textual app, as real processes.

    python tests/benchmarks/bench_first_frame.py [--rounds 9]

The rounds alternate between the two, each in a pseudo-terminal of 120 by 40; the medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.clock import SystemClock, hour_of
from core.intake import simulator
from core.store import open_store
from tests.terminal import TOCSIN, Terminal

SMALLEST = """
from textual.app import App, ComposeResult
from textual.widgets import Static

class Smallest(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("Ready.")

Smallest().run()
"""
FRAME = ("◉ tocsin", "Sources", "Settings", "Opening the store")
KEYS = ("Create alert", "Keys")
STORE = "demo.db"
AIMS = {"shell": 1.3, "first rows": 2.5}


def fill(path: Path) -> str:
    """Make a store of the demo's size; return the name of its first source."""
    store, now = open_store(str(path)), SystemClock().now()
    world = simulator.plan(1, hour_of(now))
    simulator.populate(store, world, now)
    store.close()
    return min(source.name for source in world.sources)


def seconds(command: Sequence[str], home: Path, *shown: Sequence[str]) -> list[float]:
    """From exec until all words of each of `shown` stand on the screen, one after the other."""
    settings = {"TOCSIN_HOME": str(home), "TOCSIN_STORE": str(home / STORE), "TOCSIN_MEMBER": "ada@acme.example",
                "TOCSIN_COLLECTOR": "127.0.0.1:0"}
    with Terminal(command, settings=settings) as terminal:
        return [terminal.until(lambda text, words=words: all(word in text for word in words)) - terminal.began
                for words in shown]


def main() -> None:
    """Measure, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    took: dict[str, list[float]] = {"smallest app": [], "shell": [], "its keys": [], "first rows": []}
    with tempfile.TemporaryDirectory(prefix="tocsin-bench") as folder:
        home = Path(folder)
        first = fill(home / STORE)
        for number in range(rounds + 1):
            found = seconds([sys.executable, "-c", SMALLEST], home, ["Ready."])
            found += seconds(TOCSIN, home, FRAME, KEYS, [first])
            if number:  # the first round brings everything into the machine's file cache
                for name, moment in zip(took, found, strict=True):
                    took[name].append(moment)
    base = statistics.median(took["smallest app"])
    for name, moments in took.items():
        middle = statistics.median(moments)
        aim = f" (aim: at most {AIMS[name]})" if name in AIMS else ""
        print(f"{name:<12} {middle * 1000:4.0f} ms, {middle / base:.2f} times the smallest app{aim}")


if __name__ == "__main__":
    main()
