"""The collector: an HTTP server that speaks Segment's tracking API, so that any Segment SDK pointed at it is counted.

It lives in the running event loop (aiohttp's AppRunner) and leaves signals alone. Wire: reference facts, section 5.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from aiohttp import web

from core.clock import Clock, from_micros, hour_of, micros
from core.counts import Key
from core.errors import InvalidInput, StoreError, TocsinError
from core.intake import decode, deliveries
from core.intake.decode import BadBody, Event
from core.intake.dedupe import HOURS, Seen, digest, unpacked
from core.intake.group_commit import GroupCommit, Overloaded
from core.intake.openmetrics import CONTENT_TYPE, exposition
from core.intake.write_keys import Source, WriteKeys
from core.store import Store
from core.terms import Stage

SEEN = sa.text("SELECT at, ids FROM seen_messages WHERE at >= :since ORDER BY at")
# Browsers do not take the star for Authorization, so it is named.
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, *", "Access-Control-Max-Age": "86400"}
RATE_S = 10
MOST_HELD = 32 * 1024 * 1024
"""Bytes of bodies held at once, from their first byte until they are answered."""
SLOW_BODY_S = 30.0


@dataclass(slots=True)
class Stats:
    """What was counted since the start. `events_per_second` is over the last ten seconds."""

    events: int = 0
    duplicates: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    discarded: Counter[str] = field(default_factory=Counter)
    last_event_at: datetime | None = None
    address: tuple[str, int] | None = None
    last_seen: dict[int, datetime] = field(default_factory=dict)
    """When each source (by its id) last sent an event that counted; UTC."""
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RATE_S + 1))

    def note(self, source: int, kinds: Counter[str], at: datetime, now: float) -> None:
        """Note counted events of `source`; `at` is aware, `now` the loop's time in seconds."""
        count = kinds.total()
        if not count:
            return
        self.kinds.update(kinds)
        self.events += count
        self.last_event_at = self.last_seen[source] = at
        before = self.recent.pop()[1] if self.recent and self.recent[-1][0] == int(now) else 0
        self.recent.append((int(now), before + count))

    def events_per_second(self, now: float) -> float:
        """Events a second over the last ten; `now` is the loop's time."""
        return sum(count for second, count in self.recent if now - RATE_S <= second) / RATE_S


class Collector:
    """Counts what SDKs send. One instance listens on one address."""

    def __init__(self, store: Store, clock: Clock, log: logging.Logger | None = None) -> None:
        self._store = store
        self._clock = clock
        self._log = log or logging.getLogger(__name__)
        self._keys = WriteKeys(store)
        self._seen = Seen()
        self._pending: dict[int, asyncio.Future[None]] = {}
        self._commit = GroupCommit(store, clock)
        self._held = 0
        self._runner: web.AppRunner | None = None
        self.stats = Stats()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; return the address, with the chosen port for port 0. Raises InvalidInput when it is taken."""
        await asyncio.to_thread(self._reload)
        self._commit.start()
        self._runner = web.AppRunner(self._app(), handle_signals=False, access_log=None, shutdown_timeout=5.0,
                                     auto_decompress=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, backlog=1024).start()
        except OSError as error:
            await self.stop()
            raise InvalidInput(f"The collector cannot listen on {host}:{port}: {error.strerror}.") from error
        bound = self._runner.addresses[0]
        self.stats.address = str(bound[0]), int(bound[1])
        return self.stats.address

    async def stop(self) -> None:
        """Stop listening, answer what is under way, commit what waits."""
        runner, self._runner = self._runner, None
        self.stats.address = None
        if runner is not None:
            await runner.cleanup()
        await self._commit.stop()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=decode.BATCH_LIMIT, middlewares=[_answer_errors])
        for kind in decode.KINDS:
            app.router.add_post(f"/v1/{kind}", self._one(kind))
        for letter, kind in decode.SHORT.items():
            app.router.add_post(f"/v1/{letter}", self._one(kind))
        for path in ("batch", "import", "b"):
            app.router.add_post(f"/v1/{path}", self._batch)
        app.router.add_get("/v1/pixel/{kind}", self._pixel)
        app.router.add_post("/v1/deliveries", self._deliveries)
        app.router.add_get("/v1/projects/{key}/settings", _settings)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_route("OPTIONS", "/v1/{path:.*}", _preflight)
        return app

    def _one(self, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            async with self._body(request, decode.REQUEST_LIMIT) as body:
                await self._count_one(_key(request), decode.one(body), kind)
            return _success()
        return handle

    async def _pixel(self, request: web.Request) -> web.Response:
        try:
            await self._count_one(None, decode.pixel(request.query.get("data", "")), request.match_info["kind"])
        except BadBody:
            self.stats.discarded["bad_request"] += 1
        except TocsinError:
            # A page must not show a broken picture because a store is away.
            self.stats.discarded["internal"] += 1
        return web.Response(body=decode.GIF, content_type="image/gif", headers={"Cache-Control": "no-store"})

    async def _batch(self, request: web.Request) -> web.Response:
        async with self._body(request, decode.BATCH_LIMIT) as body:
            key, items = decode.batch(body)
            await self._count(_key(request) or key, items, None)
        return _success()

    async def _deliveries(self, request: web.Request) -> web.Response:
        source = await self._keys.find(_key(request))
        if source is None:
            return web.json_response({"success": False, "message": "that write key is not known"}, status=401)
        async with self._body(request, decode.BATCH_LIMIT) as body:
            items = deliveries.read(body, await self._keys.destinations(source), self._clock.now())
        if not source.enabled:
            self.stats.discarded["source_disabled"] += len(items)
            return _success()
        deltas: Counter[Key] = Counter()
        fresh, wait = self._new([identity for identity, _ in items])
        for index, (_, counts) in enumerate(items):
            if index in fresh:
                deltas.update(counts)
        await self._keep(deltas, [found for found in fresh.values() if found is not None], wait)
        return _success()

    async def _count_one(self, key: str | None, item: Event | str, kind: str) -> None:
        await self._count(key or (None if isinstance(item, str) else item.writeKey), [item], kind)

    async def _count(self, key: str | None, items: list[Event | str], kind: str | None) -> None:
        source = await self._keys.find(key)
        reason = None if source is not None and source.enabled else (
            "unknown_source" if source is None else "source_disabled")
        valid: list[Event] = []
        for item in items:
            why = item if isinstance(item, str) else reason or decode.discard_reason(item, kind or item.type)
            if why is not None:
                self.stats.discarded[why] += 1
            elif not isinstance(item, str):
                valid.append(item)
        if source is None or not valid:
            return
        fresh, wait = self._new([event.messageId or None for event in valid])
        self.stats.duplicates += len(valid) - len(fresh)
        await self._keep(self._received(source, len(fresh)), [found for found in fresh.values() if found is not None],
                         wait)
        kinds = Counter(kind or valid[index].type or "" for index in fresh)
        self.stats.note(source.id, kinds, self._clock.now(), asyncio.get_running_loop().time())

    def _received(self, source: Source, count: int) -> Counter[Key]:
        hour = hour_of(self._clock.now())
        return Counter({(source.id, hour, Stage.RECEIVED): count} if count else {})

    def _new(self, ids: list[str | None]) -> tuple[dict[int, int | None], set[asyncio.Future[None]]]:
        """Which of these were not counted yet, by index with their digest; and the commits that duplicates wait for."""
        hour = hour_of(self._clock.now())
        fresh: dict[int, int | None] = {}
        wait: set[asyncio.Future[None]] = set()
        mine: set[int] = set()
        for index, identity in enumerate(ids):
            if identity is None:
                fresh[index] = None
                continue
            found = digest(identity)
            if found in self._pending:
                wait.add(self._pending[found])
            elif found not in mine and not self._seen.known(found, hour):
                mine.add(found)
                fresh[index] = found
        return fresh, wait

    async def _keep(self, deltas: Counter[Key], digests: list[int], wait: set[asyncio.Future[None]]) -> None:
        """Return once these counts, and those of the duplicates in flight, are on disk."""
        if deltas:
            await self._commit_own(deltas, digests)
        if wait:
            # A duplicate must not be answered before the first of its kind is safe.
            await asyncio.gather(*(asyncio.shield(other) for other in wait))

    async def _commit_own(self, deltas: Counter[Key], digests: list[int]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for found in digests:
            self._pending[found] = done
        commit = asyncio.create_task(self._commit.add(deltas, digests))
        commit.add_done_callback(lambda task: self._committed(task, done, digests))
        # A client that hangs up must not undo the bookkeeping of what is being committed.
        await asyncio.shield(commit)

    def _committed(self, task: asyncio.Task[None], done: asyncio.Future[None], digests: list[int]) -> None:
        error = StoreError("The collector was stopped.") if task.cancelled() else task.exception()
        hour = hour_of(self._clock.now())
        for found in digests:
            self._pending.pop(found, None)
            if error is None:
                self._seen.add(found, hour)
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
            done.exception()

    @asynccontextmanager
    async def _body(self, request: web.Request, limit: int) -> AsyncIterator[bytes]:
        """The body, inflated, refused before it is read whole when it is too large. Raises BadBody or Overloaded.

        What it takes counts as held until the block ends, so that slow clients and slow commits share one bound.
        """
        if (request.content_length or 0) > limit:
            raise BadBody(f"the body is larger than {limit} bytes")
        body, held = bytearray(), 0
        try:
            async with asyncio.timeout(SLOW_BODY_S):
                async for chunk in request.content.iter_chunked(64 * 1024):
                    held += self._hold(len(chunk))
                    body += chunk
                    if len(body) > limit:
                        raise BadBody(f"the body is larger than {limit} bytes")
            plain = bytes(body)
            body.clear()
            if request.headers.get("Content-Encoding", "").lower() == "gzip" and plain[:2] == b"\x1f\x8b":
                plain = decode.inflate(plain, limit)
                held += self._hold(max(0, len(plain) - held))
            yield plain
        finally:
            self._held -= held

    def _hold(self, size: int) -> int:
        if self._held + size > MOST_HELD:
            raise Overloaded("Too many requests are under way; try again in a moment.")
        self._held += size
        return size

    def _reload(self) -> None:
        """Know again what was counted in the last 24 hours, by this process or another."""
        since = micros(self._clock.now()) - HOURS * 3_600_000_000
        with self._store.read() as session:
            for at, ids in session.connection().execute(SEEN, {"since": since}):
                hour = hour_of(from_micros(at))
                for found in unpacked(bytes(ids)):
                    self._seen.add(found, hour)

    async def _health(self, _request: web.Request) -> web.Response:
        try:
            await asyncio.to_thread(self._store.changes)
        except TocsinError as error:
            return web.json_response({"ok": False, "message": str(error)}, status=503)
        return web.json_response({"ok": True})

    async def _metrics(self, _request: web.Request) -> web.Response:
        stats, commit = self.stats, self._commit
        slow = sorted(commit.last_seconds)
        text = exposition([
            ("tocsin_events", "counter", "Events counted, by kind.",
             [({"kind": kind}, n) for kind, n in stats.kinds.items()]),
            ("tocsin_events_discarded", "counter", "Events not counted, by reason.",
             [({"reason": reason}, n) for reason, n in stats.discarded.items()]),
            ("tocsin_events_duplicate", "counter", "Events counted before.", [({}, stats.duplicates)]),
            ("tocsin_commits", "counter", "Transactions of counts.", [({}, commit.commits)]),
            ("tocsin_commit_failures", "counter", "Transactions that failed.", [({}, commit.failures)]),
            ("tocsin_commit_seconds", "counter", "Time spent in transactions.", [({}, commit.seconds)]),
            ("tocsin_body_bytes", "gauge", "Bytes of requests under way.", [({}, self._held)]),
            ("tocsin_commit_seconds_worst", "gauge", "The slowest of the last 100.", [({}, slow[-1] if slow else 0)]),
            ("tocsin_dedupe_ids", "gauge", "Message ids remembered.",
             [({}, self._seen.count(hour_of(self._clock.now())))]),
            ("tocsin_dedupe_slots", "gauge", "Message ids there is room for.", [({}, self._seen.slots)]),
            ("tocsin_dedupe_forgotten", "counter", "Message ids forgotten early.", [({}, self._seen.forgotten)]),
            ("tocsin_events_per_second", "gauge", "Over the last ten seconds.",
             [({}, stats.events_per_second(asyncio.get_running_loop().time()))]),
        ])
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn what goes wrong into the answers SDKs know: 400 for bad input, 503 for try again."""
    try:
        response = await handler(request)
    except BadBody as error:
        response = web.json_response(
            {"success": False, "code": "invalid_request", "message": str(error)}, status=400)
        response.force_close()
    except TimeoutError:
        response = web.json_response({"success": False, "code": "slow", "message": "the body came too slowly"},
                                     status=408)
        response.force_close()
    except (TocsinError, sa.exc.SQLAlchemyError) as error:
        told = str(error) if isinstance(error, TocsinError) else "The store did not answer; try again in a moment."
        response = web.json_response({"success": False, "code": "busy", "message": told}, status=503,
                                     headers={"Retry-After": "1"})
    if request.path.startswith("/v1/"):
        response.headers.update(CORS)
    return response


async def _preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _settings(request: web.Request) -> web.Response:
    """What browser and mobile SDKs ask a CDN for before they send anything."""
    return web.json_response({
        "integrations": {"Segment.io": {"apiKey": request.match_info["key"], "apiHost": f"{request.host}/v1",
                                          "protocol": request.scheme}},
        "plan": {"track": {"__default": {"enabled": True}}}, "edgeFunction": {}})


def _key(request: web.Request) -> str | None:
    return decode.key_of(request.headers.get("Authorization"))


def _success() -> web.Response:
    return web.json_response({"success": True})
