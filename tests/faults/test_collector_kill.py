"""SIGKILL while batches arrive: nothing that was answered is missing, nothing that was answered counts twice."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import httpx
import sqlalchemy as sa

from core.clock import SystemClock
from core.connections import add_source
from core.store import open_store
from tests.processes import address_in, serving, until

KILLS = 3
SENDERS = 4
BATCH = 20


def test_what_was_answered_is_counted_once_whatever_is_killed(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "tocsin.db"))
    with store.write() as session:
        key = add_source(session, "Website", now=SystemClock().now()).write_key or ""
    answered: set[str] = set()
    sent: set[str] = set()
    lock = threading.Lock()
    chance = random.Random(7)

    def post(client: httpx.Client, url: str, ids: list[str]) -> bool:
        body = {"batch": [{"type": "track", "event": "A", "userId": "u", "messageId": name} for name in ids]}
        try:
            return client.post(f"{url}/v1/batch", json=body, auth=(key, "")).status_code == 200
        except httpx.HTTPError:
            return False

    def stream(url: str, life: int, number: int, ended: threading.Event) -> None:
        with httpx.Client(timeout=5) as client:
            for batch in range(10_000):
                if ended.is_set():
                    return
                ids = [f"{life}-{number}-{batch}-{item}" for item in range(BATCH)]
                with lock:
                    sent.update(ids)
                if not post(client, url, ids):
                    return
                with lock:
                    answered.update(ids)

    for life in range(KILLS):
        goal = len(answered) + chance.randrange(200, 600)
        with serving(tmp_path / "tocsin.db") as (process, line):
            url, ended = address_in(line), threading.Event()
            threads = [threading.Thread(target=stream, args=(url, life, n, ended)) for n in range(SENDERS)]
            for thread in threads:
                thread.start()
            until(lambda goal=goal: len(answered) >= goal)
            process.kill()
            ended.set()
            for thread in threads:
                thread.join()

    def counted() -> int:
        with store.read() as session:
            return int(session.connection().execute(sa.text("SELECT SUM(count) FROM hourly_count")).scalar_one())

    assert len(answered) <= counted() <= len(sent)

    # A new process still knows what the killed ones had counted: everything again ends at each id once.
    with serving(tmp_path / "tocsin.db") as (_, line), httpx.Client(timeout=10) as client:
        url, names = address_in(line), sorted(sent)
        for start in range(0, len(names), 1000):
            assert post(client, url, names[start:start + 1000])
        assert counted() == len(sent)
    store.close()
