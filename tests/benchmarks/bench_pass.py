"""How long one quiet pass takes, next to the bare grouped query over the same rows.

    python tests/benchmarks/bench_pass.py [--sources 10000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from core import counts, watch
from core.clock import Hour, start_of
from core.model import TABLES
from core.store import Store, open_store
from core.terms import AlertKind, Category, ConnectionKind, Origin, Role, Stage

HOUR = Hour(498_732)
BARE = sa.text("""
SELECT connection_id, SUM(CASE WHEN hour >= :middle THEN count ELSE 0 END), SUM(count)
FROM hourly_count WHERE hour >= :since AND hour < :until AND stage = 'received' GROUP BY connection_id
""")
ROUNDS = 5


def fill(store: Store, sources: int, hours: int) -> None:
    """Sources with one alert each, a listening collector, and `hours` level counts up to `HOUR` and three beyond."""
    long_ago, tables = start_of(HOUR - 400), TABLES
    with store.write() as session:
        link = session.connection()
        link.execute(sa.insert(tables["member"]), [
            {"id": 1, "email": "ada@example.com", "name": "Ada", "role": Role.OWNER, "created_at": long_ago}])
        link.execute(sa.insert(tables["connection"]), [
            {"id": number, "kind": ConnectionKind.SOURCE, "slug": f"source-{number}", "name": f"Source {number}",
             "type": "HTTP API", "category": Category.EVENT_STREAMS, "write_key": f"key-{number}", "enabled": True,
             "origin": Origin.LOCAL, "overridden": False, "created_at": long_ago}
            for number in range(1, sources + 1)])
        link.execute(sa.insert(tables["alert"]), [
            {"connection_id": number, "kind": AlertKind.SOURCE_VOLUME, "threshold": 2000, "direction": "both",
             "baseline": "day_before", "min_events": 0, "reminder_hours": 24, "say_resolved": True, "enabled": True,
             "created_by": 1, "created_at": long_ago} for number in range(1, sources + 1)])
        listening = counts.start_listening(session, start_of(HOUR - hours - 8))
        counts.keep_listening(session, listening, start_of(HOUR + 8))
        for first in range(1, sources + 1, 1000):
            counts.replace(session, {
                (number, Hour(hour), Stage.RECEIVED): 100 + number % 50
                for number in range(first, min(first + 1000, sources + 1)) for hour in range(HOUR - hours, HOUR + 3)})


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare(store: Store) -> None:
    """The query that any pass needs at least."""
    with store.read() as session:
        session.connection().execute(BARE, {"middle": HOUR - 24, "since": HOUR - 48, "until": HOUR}).all()


def measure(sources: int, hours: int) -> None:
    """Print one line for a store with `hours` of rows."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench") as folder:
        store = open_store(str(Path(folder) / "bench.db"))
        fill(store, sources, hours)
        statements: list[str] = []
        sa.event.listen(store.engine, "before_cursor_execute", lambda *details: statements.append(details[2]))

        def judge(hour: int) -> None:
            at = start_of(hour) + timedelta(minutes=5)
            report = watch.run_pass(store, at, now=at)
            assert len(report.found) == sources
            assert report.opened == report.resolved == report.queued == 0

        judge(HOUR)
        query = statistics.median(seconds(lambda: bare(store)) for _ in range(ROUNDS))
        statements.clear()
        again = statistics.median(seconds(lambda: judge(HOUR)) for _ in range(ROUNDS))
        issued = len(statements) / ROUNDS
        later = seconds(lambda: judge(HOUR + 1))
        print(f"{sources:,} sources, {hours} h of rows: bare query {query * 1000:.0f} ms, quiet pass "
              f"{again * 1000:.0f} ms ({again / query:.2f} times it), quiet pass of a new hour {later * 1000:.0f} ms "
              f"({later / query:.2f} times it), {issued:.0f} statements a pass")
        store.close()


def main() -> None:
    """Measure with two days and with eight days of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=10_000)
    sources = parser.parse_args().sources
    for hours in (48, 192):
        measure(sources, hours)


if __name__ == "__main__":
    main()
