"""The real Segment SDK for Python, pointed at `tocsin serve`, is counted to the event."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from segment.analytics.client import Client

from core.clock import SystemClock
from core.connections import add_source
from core.store import open_store
from tests.processes import address_in, serving

THREADS = 5
EACH = 1000


def send(host: str, key: str, number: int) -> list[str]:
    """`EACH` events of all six kinds from one client, every other client with gzip; return what went wrong."""
    wrong: list[str] = []
    client = Client(key, host=host, gzip=number % 2 == 0, max_queue_size=EACH + 1,
                    on_error=lambda error, _items: wrong.append(str(error)))
    for event in range(EACH):
        user = f"user-{number}-{event}"
        match event % 6:
            case 0:
                client.track(user, "Order Completed", {"revenue": event})
            case 1:
                client.identify(user, {"plan": "pro"})
            case 2:
                client.page(user, "Docs", "Home")
            case 3:
                client.screen(user, "App", "Start")
            case 4:
                client.group(user, f"company-{number}")
            case _:
                client.alias(f"before-{user}", user)
    client.flush()
    client.join()
    return wrong


def test_5000_events_of_all_six_kinds_are_counted_exactly(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "tocsin.db"))
    with store.write() as session:
        key = add_source(session, "Website", now=SystemClock().now()).write_key or ""

    with serving(tmp_path / "tocsin.db") as (_, line):
        host = address_in(line)
        with ThreadPoolExecutor(THREADS) as pool:
            wrong = [error for errors in pool.map(lambda n: send(host, key, n), range(THREADS)) for error in errors]

        with store.read() as session:
            counted = session.connection().execute(sa.text("SELECT SUM(count) FROM hourly_count")).scalar_one()
    assert wrong == []
    assert counted == THREADS * EACH
    store.close()
