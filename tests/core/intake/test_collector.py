"""The collector over real HTTP: what counts, what does not, and what is answered."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from core.clock import FastClock, hour_of, iso, start_of
from core.connections import add_destination, add_source, set_enabled
from core.intake.collector import Collector
from core.store import Store
from core.terms import ConnectionKind
from tests.core.acme import H

NOW = start_of(H) + timedelta(minutes=20)


@dataclass
class Door:
    """A collector that listens, its store, a client, and the write key of `website`."""

    store: Store
    collector: Collector
    http: httpx.AsyncClient
    key: str

    def counted(self, stage: str = "received") -> int:
        with self.store.read() as session:
            return int(session.connection().execute(
                sa.text("SELECT COALESCE(SUM(count), 0) FROM hourly_count WHERE stage = :stage"),
                {"stage": stage}).scalar_one())

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(path, content=content, auth=(self.key, ""),
                                    headers={"Content-Type": "application/json", **(headers or {})})


def track(number: int | str = 1, **fields: object) -> dict[str, object]:
    return {"type": "track", "event": "Bought", "userId": "u1", "messageId": f"m-{number}", **fields}


@pytest.fixture
async def door(store: Store) -> AsyncIterator[Door]:
    clock = FastClock(NOW, 0)
    with store.write() as session:
        source = add_source(session, "Website", now=NOW)
        add_destination(session, "Amplitude", "website", now=NOW)
    collector = Collector(store, clock)
    host, port = await collector.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=10) as client:
        yield Door(store, collector, client, source.write_key or "")
    await collector.stop()


KINDS = {
    "track": {"event": "Bought", "userId": "u"}, "identify": {"userId": "u"}, "page": {"anonymousId": "a"},
    "screen": {"userId": "u"}, "group": {"userId": "u", "groupId": "g"}, "alias": {"userId": "u", "previousId": "p"},
}


async def test_all_six_kinds_count_on_long_and_short_paths(door: Door) -> None:
    for kind, body in KINDS.items():
        assert (await door.post(f"/v1/{kind}", body)).json() == {"success": True}
        plain = await door.http.post(f"/v1/{kind[0]}", content=json.dumps({**body, "writeKey": door.key}),
                                     headers={"Content-Type": "text/plain"})
        assert plain.status_code == 200
        assert plain.headers["Access-Control-Allow-Origin"] == "*"

    assert door.counted() == 12
    assert dict(door.collector.stats.kinds) == dict.fromkeys(KINDS, 2)


@pytest.mark.parametrize("path", ["batch", "import", "b"])
async def test_batches_count_each_valid_event_in_the_hour_it_came(door: Door, path: str) -> None:
    answer = await door.post(f"/v1/{path}", {"batch": [track(n, timestamp="2001-01-01T00:00:00Z") for n in range(7)]})

    assert answer.json() == {"success": True}
    with door.store.read() as session:
        rows = session.connection().execute(sa.text("SELECT hour, stage, count FROM hourly_count")).all()
    assert [tuple(row) for row in rows] == [(hour_of(NOW), "received", 7)]


async def test_gzip_is_read(door: Door) -> None:
    body = gzip.compress(json.dumps({"batch": [track(n) for n in range(3)]}).encode())

    answer = await door.post("/v1/batch", body, headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert door.counted() == 3


async def test_a_gzip_bomb_is_refused(door: Door) -> None:
    bomb = gzip.compress(b'{"batch": [' + b" " * 50_000_000 + b"]}")

    answer = await door.post("/v1/batch", bomb, headers={"Content-Encoding": "gzip"})

    assert (answer.status_code, door.counted()) == (400, 0)


async def test_a_body_over_its_limit_is_refused(door: Door) -> None:
    assert (await door.post("/v1/track", track(big="x" * 33_000))).status_code == 400
    assert (await door.post("/v1/batch", {"batch": [track(big="x" * 600_000)]})).status_code == 400

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    chunked = await door.http.post("/v1/batch", content=endless())
    assert chunked.status_code == 400
    assert door.counted() == 0


async def test_an_event_over_32_kb_in_a_batch_is_not_counted_and_the_others_are(door: Door) -> None:
    answer = await door.post("/v1/batch", {"batch": [track(1), track(2, big="x" * 33_000), track(3)]})

    assert answer.status_code == 200
    assert door.counted() == 2
    assert door.collector.stats.discarded == {"event_too_large": 1}


async def test_more_than_2500_events_are_answered_and_not_counted(door: Door) -> None:
    small = {"type": "page", "userId": "u"}

    full = await door.post("/v1/batch", {"batch": [small] * 2500})
    over = await door.post("/v1/batch", {"batch": [small] * 2501})

    assert (full.status_code, over.status_code, door.counted()) == (200, 200, 2500)


@pytest.mark.parametrize(("body", "reason"), [
    ({"type": "track", "userId": "u"}, "event_not_defined"),
    ({"type": "track", "event": 3, "userId": "u"}, "event_not_string"),
    ({"type": "track", "event": "A"}, "no_user_anon_id"), ({"type": "identify", "userId": ""}, "no_user_anon_id"),
    ({"type": "group", "userId": "u"}, "id_required"), ({"type": "alias", "userId": "u"}, "no_user_anon_id"),
    ({"type": "unheard", "userId": "u"}, "bad_request"), ({"userId": "u"}, "bad_request"),
    ({"type": "page", "userId": "u", "messageId": "m" * 100}, "bad_request"), ("text", "bad_request"),
    (None, "bad_request"),
])
async def test_an_invalid_event_is_answered_and_not_counted(door: Door, body: object, reason: str) -> None:
    answer = await door.post("/v1/batch", {"batch": [body, track()]})

    assert answer.json() == {"success": True}
    assert door.counted() == 1
    assert door.collector.stats.discarded == {reason: 1}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch": 3}', b'{"batch"', b"\xff\xfe", b"[" * 30_000])
async def test_what_is_not_json_is_refused(door: Door, body: bytes) -> None:
    assert (await door.post("/v1/batch", body)).status_code == 400
    assert door.counted() == 0


async def test_an_unknown_key_is_answered_and_not_counted(door: Door) -> None:
    answer = await door.http.post("/v1/track", json=track(), auth=("nobody", ""))

    assert (answer.json(), door.counted()) == ({"success": True}, 0)
    assert door.collector.stats.discarded == {"unknown_source": 1}


async def test_a_source_added_a_moment_ago_counts_its_first_event(door: Door) -> None:
    await door.http.post("/v1/track", json=track(1), auth=("nobody", ""))
    with door.store.write() as session:
        key = add_source(session, "New", now=NOW).write_key or ""

    await door.http.post("/v1/track", json=track("first"), auth=(key, ""))

    assert door.counted() == 1


async def test_a_disabled_source_is_seen_within_two_seconds(door: Door) -> None:
    await door.post("/v1/track", track(1))
    with door.store.write() as session:
        set_enabled(session, "website", ConnectionKind.SOURCE, False, NOW)

    async with asyncio.timeout(4):
        number = 1
        while not door.collector.stats.discarded["source_disabled"]:
            number += 1
            await door.post("/v1/track", track(number))
            await asyncio.sleep(0.05)


async def test_a_message_id_counts_once(door: Door) -> None:
    for _ in range(3):
        await door.post("/v1/batch", {"batch": [track(1), track(1), track(2)]})
    await asyncio.gather(*(door.post("/v1/track", track("same")) for _ in range(20)))

    assert door.counted() == 3


async def test_a_message_id_is_known_after_a_restart_and_forgotten_after_24_hours(door: Door) -> None:
    await door.post("/v1/track", track(1))
    for later, expected in ((timedelta(hours=23), 1), (timedelta(hours=26), 2)):
        again = Collector(door.store, FastClock(NOW + later, 0))
        host, port = await again.start("127.0.0.1", 0)
        await door.http.post(f"http://{host}:{port}/v1/track", json=track(1), auth=(door.key, ""))
        await again.stop()
        assert door.counted() == expected


async def test_the_pixel_always_answers_with_a_picture(door: Door) -> None:
    data = base64.b64encode(json.dumps({"writeKey": door.key, "event": "Seen", "userId": "u"}).encode()).decode()

    good = await door.http.get("/v1/pixel/track", params={"data": data.rstrip("=")})
    bad = await door.http.get("/v1/pixel/track", params={"data": "%%%"})

    assert [answer.headers["Content-Type"] for answer in (good, bad)] == ["image/gif", "image/gif"]
    assert (good.status_code, bad.status_code, door.counted()) == (200, 200, 1)


async def test_a_browser_may_ask_before_it_posts(door: Door) -> None:
    answer = await door.http.options("/v1/t", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


async def test_deliveries_count_by_stage_and_hour_once_a_message_id(door: Door) -> None:
    item = {"destination": "amplitude", "delivered": 12, "failed": 1, "filtered": 3,
            "hour": iso(start_of(H - 5)), "messageId": "d1"}

    for _ in range(2):
        assert (await door.post("/v1/deliveries", {"deliveries": [item]})).json() == {"success": True}

    with door.store.read() as session:
        rows = session.connection().execute(sa.text("SELECT hour, stage, count FROM hourly_count ORDER BY stage")).all()
    assert [tuple(row) for row in rows] == [(H - 5, "delivered", 12), (H - 5, "failed", 1), (H - 5, "filtered", 3)]


@pytest.mark.parametrize("bad", [
    {"destination": "nowhere", "delivered": 1}, {"destination": "amplitude", "delivered": -1},
    {"destination": "amplitude", "delivered": 1.5}, {"destination": "amplitude", "delivered": 10**16},
    {"destination": "amplitude", "hour": "2026-11-23T08:30:00Z"}, {"destination": "amplitude", "hour": "later"},
    {"destination": "amplitude", "hour": "2999-01-01T00:00:00Z"}, {"delivered": 1}, 7,
])
async def test_a_bad_delivery_refuses_the_whole_request_with_its_index(door: Door, bad: object) -> None:
    good = {"destination": "amplitude", "delivered": 5}

    answer = await door.post("/v1/deliveries", {"deliveries": [good, bad]})

    assert answer.status_code == 400
    assert "deliveries[1]" in answer.json()["message"]
    assert door.counted("delivered") == 0


async def test_deliveries_want_a_known_key(door: Door) -> None:
    answer = await door.http.post("/v1/deliveries", json={"deliveries": []}, auth=("nobody", ""))

    assert answer.status_code == 401


async def test_health_and_metrics_answer(door: Door) -> None:
    await door.post("/v1/track", track())

    health, metrics = await door.http.get("/healthz"), await door.http.get("/metrics")

    assert health.status_code == 200
    assert metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert 'tocsin_events_total{kind="track"} 1' in metrics.text
    assert metrics.text.endswith("# EOF\n")
