"""How long 90 days of one connection take to replay (issue 4 asks for less than 50 ms).

    python tests/benchmarks/bench_backtest.py [--days 90]
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from core.clock import Hour, start_of
from core.counts import cover, replace
from core.foresight import backtest, preview
from core.model import Connection
from core.replay import incidents, judged, read_history
from core.rules import Condition
from core.store import Store, open_store
from core.terms import AlertKind, Category, ConnectionKind, CoverageKind, Stage

HOUR = Hour(498_732)
ROUNDS = 9
ASKS = Condition(AlertKind.SOURCE_VOLUME, 2_000)


def fill(store: Store, days: int) -> None:
    """One source with believable hours: a daily wave with noise, and a few outages."""
    dice = random.Random(7)
    first = HOUR - (days + 9) * 24
    with store.write() as session:
        source = Connection(kind=ConnectionKind.SOURCE, slug="website", name="Website", type="Javascript",
                            category=Category.EVENT_STREAMS, write_key="wk", created_at=start_of(first))
        session.objects.add(source)
        session.objects.flush()
        assert source.id is not None
        wave = [100 + 80 * abs(12 - hour % 24) // 12 for hour in range(first, HOUR)]
        replace(session, {
            (source.id, Hour(first + n), Stage.RECEIVED): 0 if (n // 24) % 11 == 5 else level + dice.randrange(30)
            for n, level in enumerate(wave)})
        cover(session, [(source.id, Hour(first), HOUR)], CoverageKind.IMPORT)


def main() -> None:
    """Fill a store and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=90)
    days = int(parser.parse_args().days)
    now = start_of(HOUR)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench") as folder:
        store = open_store(str(Path(folder) / "bench.db"))
        fill(store, days)
        first = Hour(HOUR - days * 24 + 1)
        spent: dict[str, list[float]] = {"replay": [], "with suggestion and advice": [], "30-day preview": []}
        for _ in range(ROUNDS):
            with store.read() as session:
                began = time.perf_counter()
                history = read_history(session, "website", ASKS.kind, first, HOUR)
                opened = len(incidents(judged(history, ASKS, first), ASKS.kind))
                spent["replay"].append(time.perf_counter() - began)
                began = time.perf_counter()
                backtest(session, "website", ASKS, now, days=days)
                spent["with suggestion and advice"].append(time.perf_counter() - began)
                began = time.perf_counter()
                preview(session, "website", ASKS, now)
                spent["30-day preview"].append(time.perf_counter() - began)
        store.close()
    for what, times in spent.items():
        print(f"{what}: {statistics.median(times) * 1000:.1f} ms")
    print(f"{days} days, {opened} incidents")


if __name__ == "__main__":
    main()
