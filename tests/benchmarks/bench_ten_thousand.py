"""A list of 10,000 sources in the real process: from exec to its first page, and from a key to the settled screen.

    python tests/benchmarks/bench_ten_thousand.py [--sources 10000] [--rounds 10]

Settled means that the program wrote nothing for 150 ms; what counts is when its last byte came.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import sqlalchemy as sa

from core import counts
from core.clock import Hour, SystemClock, hour_of, start_of
from core.model import TABLES
from core.store import Store, open_store
from core.terms import Category, ConnectionKind, Origin, Role, Stage
from tests.terminal import TOCSIN, Terminal

HOURS = 48
WORDS = ("Website", "Checkout", "Warehouse", "Android", "Payments", "Newsletter", "Search", "Billing", "Docs", "Kiosk")
TYPES = ("Javascript", "Node.js", "iOS", "HTTP API")
TYPED = "billing"
PAGE_DOWN, HOME, END, ENTER, ERASE = "\x1b[6~", "\x1b[H", "\x1b[F", "\r", "\x7f"
FIRST = "Android 00003"
OPEN_AIM_MS, KEY_AIM_MS = 400, 100


def fill(store: Store, sources: int, hour: Hour) -> None:
    """One owner, and sources with a count in each of the hours before `hour`."""
    long_ago, tables = start_of(hour - 400), TABLES
    with store.write() as session:
        link = session.connection()
        link.execute(sa.insert(tables["member"]), [
            {"id": 1, "email": "ada@example.com", "name": "Ada", "role": Role.OWNER, "created_at": long_ago}])
        link.execute(sa.insert(tables["connection"]), [
            {"id": number, "kind": ConnectionKind.SOURCE, "slug": f"source-{number}",
             "name": f"{WORDS[number % len(WORDS)]} {number:05}", "type": TYPES[number % len(TYPES)],
             "category": Category.EVENT_STREAMS, "write_key": f"key-{number}", "enabled": True,
             "origin": Origin.LOCAL, "overridden": False, "created_at": long_ago}
            for number in range(1, sources + 1)])
        for first in range(1, sources + 1, 1000):
            counts.replace(session, {
                (number, Hour(past), Stage.RECEIVED): 100 + (number * past) % 997
                for number in range(first, min(first + 1000, sources + 1)) for past in range(hour - HOURS, hour)})


def go(terminal: Terminal, place: str, shown: str) -> float:
    """Seconds from the letter of a place until `shown` stands on the screen."""
    terminal.settled()
    terminal.press("g")
    terminal.settled()
    pressed = terminal.press(place)
    return terminal.until(lambda text: shown in text) - pressed


def opened(terminal: Terminal) -> float:
    """Seconds from the key that opens the list until its first page is there."""
    go(terminal, "d", "No destination here yet")
    return go(terminal, "s", FIRST)


def filtered(terminal: Terminal) -> list[float]:
    """Seconds of each typed letter, and of each that is taken back."""
    terminal.answer("/")
    took = [terminal.answer(letter) for letter in [*TYPED, *[ERASE] * len(TYPED)]]
    terminal.answer(ENTER)
    return took


def report(name: str, took: list[float], aim: int = KEY_AIM_MS) -> None:
    """Print one line."""
    worst = statistics.quantiles(took, n=20, method="inclusive")[-1]
    print(f"{name:<10} p50 {statistics.median(took) * 1000:4.0f} ms   p95 {worst * 1000:4.0f} ms   of {len(took)} "
          f"(aim: p95 at most {aim})")


def main() -> None:
    """Fill a store, drive the dashboard on it, and print what each key took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench") as folder:
        path = Path(folder) / "bench.db"
        store = open_store(str(path))
        fill(store, given.sources, hour_of(SystemClock().now()))
        store.close()
        command = [*TOCSIN, "--store", str(path), "--as", "ada@example.com", "--collector", "off", "--no-scheduler"]
        with Terminal(command, settings={"TOCSIN_HOME": folder}) as terminal:
            first = terminal.until(lambda text: FIRST in text) - terminal.began
            print(f"{given.sources:,} sources: first page {first * 1000:.0f} ms after exec")
            rounds = range(given.rounds)
            report("open", [opened(terminal) for _ in rounds], OPEN_AIM_MS)
            report("filter", [took for _ in rounds for took in filtered(terminal)])
            report("sort", [terminal.answer("s") for _ in rounds])
            report("page down", [terminal.answer(PAGE_DOWN) for _ in rounds])
            report("row down", [terminal.answer("j") for _ in rounds])
            report("end", [took for _ in rounds for took in (terminal.answer(END), terminal.answer(HOME))])


if __name__ == "__main__":
    main()
