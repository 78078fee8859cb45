"""The collector when the store is away, clients are slow or rude, and the same message comes twice at once."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from core.clock import FastClock, start_of
from core.connections import add_destination, add_source
from core.counts import LARGEST_COUNT
from core.intake import collector as server
from core.intake.collector import Collector, Stats
from core.store import Store
from tests.core.acme import H

NOW = start_of(H) + timedelta(minutes=20)
TOTAL = sa.text("SELECT COALESCE(SUM(count), 0) FROM hourly_count")


@dataclass
class Door:
    """A collector that listens at `port`, its store, and a client that holds the key of Website."""

    store: Store
    collector: Collector
    http: httpx.AsyncClient
    key: str
    port: int

    def counted(self) -> int:
        with self.store.read() as session:
            return int(session.connection().execute(TOTAL).scalar_one())

    @contextmanager
    def busy_store(self) -> Iterator[None]:
        """Another process holds the write lock until the block ends."""
        with self.store.engine.connect() as link:
            if self.store.is_sqlite:
                link.execution_options(tocsin_write=True).exec_driver_sql("SELECT 1")
            else:
                link.exec_driver_sql("LOCK TABLE hourly_count IN EXCLUSIVE MODE")
            yield

    @contextmanager
    def broken_store(self) -> Iterator[None]:
        """The table of counts is not there until the block ends."""
        self._rename("hourly_count", "away")
        yield
        self._rename("away", "hourly_count")

    def _rename(self, before: str, after: str) -> None:
        with self.store.engine.begin() as link:
            link.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")

    async def raw(self, head: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which the head of a request was sent, with the key."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        basic = base64.b64encode(f"{self.key}:".encode()).decode()
        writer.write(f"{head}\r\nHost: x\r\nAuthorization: Basic {basic}\r\n".encode())
        return reader, writer


def track(number: int | str) -> dict[str, object]:
    return {"event": "Bought", "userId": "u1", "messageId": f"m-{number}"}


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Door]:
    with store.write() as session:
        source = add_source(session, "Website", now=NOW)
        for name in ("Amplitude", "Mixpanel"):
            add_destination(session, name, "website", now=NOW)
    collector = Collector(store, FastClock(NOW, 0))
    host, port = await collector.start("127.0.0.1", 0)
    key = source.write_key or ""
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=20, auth=(key, "")) as client:
        yield Door(store, collector, client, key, port)
    await collector.stop()


@pytest.fixture
async def door(store: Store) -> AsyncIterator[Door]:
    async with opened(store) as each:
        yield each


@pytest.fixture
async def local_door(sqlite_store: Store) -> AsyncIterator[Door]:
    async with opened(sqlite_store) as only:
        yield only


async def test_the_second_of_two_at_once_is_answered_only_after_the_commit_of_the_first(door: Door) -> None:
    await door.http.post("/v1/track", json=track("warm"))
    with door.busy_store():
        both = [asyncio.create_task(door.http.post("/v1/track", json=track("twin"))) for _ in range(2)]
        finished, _ = await asyncio.wait(both, timeout=0.5)
        assert not finished
    answers = await asyncio.gather(*both)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert door.counted() == 2


async def test_twins_whose_commit_fails_are_both_told_and_a_retry_counts_once(door: Door) -> None:
    await door.http.post("/v1/track", json=track("warm"))
    with door.broken_store():
        refused = await asyncio.gather(*(door.http.post("/v1/track", json=track("twin")) for _ in range(2)))
    again = await asyncio.gather(*(door.http.post("/v1/track", json=track("twin")) for _ in range(2)))

    assert [answer.status_code for answer in refused] == [503, 503]
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert [answer.status_code for answer in again] == [200, 200]
    assert door.counted() == 2


async def test_the_pixel_shows_its_picture_even_when_the_store_is_away(door: Door) -> None:
    data = base64.b64encode(json.dumps({**track(1), "writeKey": door.key}).encode()).decode()
    with door.broken_store():
        answer = await door.http.get("/v1/pixel/track", params={"data": data})
    other = await door.http.get("/v1/pixel/unheard")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    assert (other.status_code, other.headers["Content-Type"]) == (200, "image/gif")
    assert door.collector.stats.discarded == {"internal": 1, "bad_request": 1}


async def test_a_body_is_refused_by_its_announced_length_before_a_byte_of_it_came(local_door: Door) -> None:
    reader, writer = await local_door.raw("POST /v1/batch HTTP/1.1")
    writer.write(b"Content-Length: 900000000\r\n\r\n")

    status = await asyncio.wait_for(reader.readline(), 5)

    assert b" 400 " in status
    writer.close()


async def test_many_slow_clients_do_not_keep_others_waiting(local_door: Door) -> None:
    slow = [await local_door.raw("POST /v1/track HTTP/1.1") for _ in range(100)]
    for _, writer in slow:
        writer.write(b"Content-Length: 1000\r\n\r\n{")
        await writer.drain()

    answer = await asyncio.wait_for(local_door.http.post("/v1/track", json=track(1)), 5)

    assert (answer.status_code, local_door.counted()) == (200, 1)
    for _, writer in slow:
        writer.close()


async def test_bodies_beyond_the_memory_set_aside_are_told_to_come_back(
    local_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_HELD", 100)

    busy = await local_door.http.post("/v1/track", json={**track(1), "x": "x" * 200})
    fits = await local_door.http.post("/v1/track", json=track(1))

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert (fits.status_code, local_door.counted()) == (200, 1)
    assert "tocsin_body_bytes 0\n" in (await local_door.http.get("/metrics")).text


async def test_a_client_that_hangs_up_is_counted_once_with_its_retry(local_door: Door) -> None:
    body = json.dumps(track(1)).encode()
    await local_door.http.post("/v1/track", json=track("warm"))
    with local_door.busy_store():
        _, writer = await local_door.raw("POST /v1/track HTTP/1.1")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        async with asyncio.timeout(5):
            while "tocsin_body_bytes 0\n" in (await local_door.http.get("/metrics")).text:
                await asyncio.sleep(0.01)
        writer.close()

    answer = await local_door.http.post("/v1/track", json=track(1))

    assert (answer.status_code, local_door.counted()) == (200, 2)


async def test_valid_json_of_a_wrong_shape_is_answered_and_not_counted(local_door: Door) -> None:
    for body in (b"[]", b"7", b'{"event": "A", "userId": "u", "messageId": 5}'):
        answer = await local_door.http.post("/v1/track", content=body)
        assert answer.json() == {"success": True}

    assert local_door.collector.stats.discarded == {"bad_request": 3}


async def test_one_message_id_at_two_destinations_is_two_outcomes_and_no_event(local_door: Door) -> None:
    await local_door.http.post("/v1/track", json=track(1))
    items = [{"destination": slug, "delivered": 1, "messageId": "m-1"} for slug in ("amplitude", "mixpanel")]

    for _ in range(2):
        assert (await local_door.http.post("/v1/deliveries", json={"deliveries": items})).status_code == 200

    assert local_door.counted() == 3


@pytest.mark.parametrize("items", [
    [{"destination": "amplitude", "delivered": LARGEST_COUNT}] * 2,
    [{"destination": "amplitude", "hour": "1960-01-01T00:00:00Z"}],
    [{"destination": "amplitude", "delivered": 1}] * 2501,
])
async def test_deliveries_that_cannot_be_are_refused_whole(local_door: Door, items: list[dict[str, object]]) -> None:
    answer = await local_door.http.post("/v1/deliveries", json={"deliveries": items})

    assert answer.status_code == 400
    assert "deliveries[" in answer.json()["message"]
    assert local_door.counted() == 0


async def test_a_browser_library_finds_its_settings(local_door: Door) -> None:
    answer = (await local_door.http.get("/v1/projects/some-key/settings")).json()["integrations"]["Segment.io"]

    assert answer == {"apiKey": "some-key", "apiHost": f"127.0.0.1:{local_door.port}/v1", "protocol": "http"}


async def test_only_the_tracking_api_is_open_to_any_web_page(local_door: Door) -> None:
    tracked, metrics = await local_door.http.post("/v1/page", json=track(1)), await local_door.http.get("/metrics")

    assert tracked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in metrics.headers


async def test_the_health_check_and_the_keys_may_ask_the_store_at_once(local_door: Door) -> None:
    answers = await asyncio.gather(*(local_door.http.get("/healthz") for _ in range(40)))
    wrong: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(200):
                local_door.store.changes()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert {answer.status_code for answer in answers} == {200}
    assert wrong == []


async def test_stats_say_where_it_listens_and_which_source_came_last(local_door: Door) -> None:
    await local_door.http.post("/v1/track", json=track(1))

    stats = local_door.collector.stats

    assert stats.address == ("127.0.0.1", local_door.port)
    assert stats.last_event_at == NOW
    assert list(stats.last_seen.values()) == [NOW]


def test_the_rate_is_over_ten_seconds_and_takes_no_memory_for_longer_ones() -> None:
    stats = Stats()
    for moment in range(1000):
        stats.note(1, Counter({"track": 5}), NOW, moment + 0.5)

    assert len(stats.recent) <= server.RATE_S + 1
    assert stats.events_per_second(999.9) == 5.0
    assert stats.events_per_second(2000.0) == 0.0


async def test_large_counters_keep_every_digit(local_door: Door) -> None:
    local_door.collector.stats.kinds["track"] = 123_456_789

    assert 'tocsin_events_total{kind="track"} 123456789\n' in (await local_door.http.get("/metrics")).text
