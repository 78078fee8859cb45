"""Collector, scheduler and delivery in one place, for the dashboard, the demo and `tocsin serve`.

APScheduler is only the bell that wakes us: a short interval that asks "is something due?". What is due stands in the
store, so two services on one store, a restart, a fast clock or a machine that slept need nothing special.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core import counts, outbox, watch
from core.clock import Clock, Hour, SystemClock, from_micros, hour_of, micros, start_of
from core.errors import TocsinError
from core.settings import Settings, host_port
from core.store import Store, open_store

if TYPE_CHECKING:
    from core.intake.collector import Collector

log = logging.getLogger(__name__)

LATE_COUNTS = timedelta(minutes=5)
"""How long after a whole hour its pass runs, for counts that arrive late."""
HEARTBEAT_S = 15.0
SLEPT_HEARTBEATS = 4
"""A clock that moved further than so many heartbeats between two of them was asleep in between."""
TRY_AGAIN_S = 15.0
SYNC_S = 600.0
"""How long a pass waits for its sync: a large workspace needs minutes, and the other alerts want their hour judged."""
STOP_S = 5.0
"""How long a stop waits for the work in flight."""
DUE = sa.text("""
SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM notification WHERE state IN ('queued', 'sending') AND due_at <= :now
          AND (claimed_until IS NULL OR claimed_until <= :now) LIMIT 1) AS due),
       (SELECT COUNT(*) FROM (SELECT 1 FROM alert WHERE muted_until <= :now AND deleted_at IS NULL LIMIT 1) AS over),
       (SELECT COUNT(*) FROM segment_link)
""")
NEWEST_PASS = sa.text("SELECT hour, at, duration_us, error FROM pass ORDER BY hour DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class LastPass:
    """The newest pass over this store, whoever ran it. `hour` is the judged hour since 1970."""

    hour: Hour
    at: datetime
    duration_us: int
    error: str | None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the Settings screen shows. Times are aware and in UTC; errors are sentences, or None while all is well."""

    collector: str | None = None
    collector_error: str | None = None
    events_per_second: float = 0.0
    scheduler: bool = False
    last_pass: LastPass | None = None
    next_pass_at: datetime | None = None
    pass_error: str | None = None
    last_delivery_at: datetime | None = None
    delivery_error: str | None = None
    last_sync_at: datetime | None = None
    sync_error: str | None = None


class Service:
    """Runs the collector and the scheduler on one store inside the current event loop.

    Args:
        collector: `HOST:PORT` to listen at (port 0: any free one), or None to listen nowhere.
        scheduler: whether to judge, deliver and end mutes.
        senders: what carries messages; None means the real mail and Slack senders of `settings`.
        sync: called with the present before each pass; None means a sync of the Segment workspace, if one is connected.
        sync_s: real seconds that a pass waits for its sync. A slower sync goes on, and what could not be judged
            without it is judged when it is done.
        tick: real seconds between two looks at what is due.
    """

    def __init__(
        self, store: Store, settings: Settings, clock: Clock, *, collector: str | None, scheduler: bool,
        senders: outbox.Senders | None = None, sync: Callable[[datetime], Awaitable[None]] | None = None,
        sync_s: float = SYNC_S, tick: float = 1.0,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._where = collector
        self._scheduled = scheduler
        self._senders = senders
        self._sync = sync
        self._sync_s = sync_s
        self._tick = tick
        self._bell = AsyncIOScheduler(timezone="UTC", job_defaults={
            "coalesce": True, "misfire_grace_time": None, "max_instances": 1})
        self._collector: Collector | None = None
        self._working: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._linked = False
        self._missed = False
        self._errors: dict[str, str | None] = {}
        self._address: str | None = None
        self._listening: int | None = None
        self._beaten = clock.now()
        self._judged: Hour | None = None
        self._wait_until: dict[str, float] = {}
        self._last_pass: LastPass | None = None
        self._last_delivery: datetime | None = None
        self._last_sync: datetime | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.stop()

    async def start(self, *, must_listen: bool = False) -> None:
        """Listen, and run the first pass in the background.

        With `must_listen`, a collector that cannot listen raises its TocsinError; without it, the error stands in
        `state()` and the rest runs.
        """
        if self._where is not None:
            try:
                await self._listen(*host_port(self._where))
            except TocsinError as error:
                if must_listen:
                    raise
                self._note("collector", error)
        if self._address is not None:
            self._bell.add_job(self._ring, "interval", ["beat", self._beat], seconds=self._pulse)
        self._bell.add_job(self._ring, "interval", ["look", self._look], seconds=self._tick)
        self._bell.start()
        self._begin("look", self._look)

    async def stop(self) -> None:
        """Take nothing new, wait for the work in flight (at most five seconds), and let go of the port."""
        self._stopping = True
        if self._bell.running:
            self._bell.shutdown(wait=False)
        working = [task for task in self._working.values() if not task.done()]
        if self._collector is not None:
            working.append(asyncio.create_task(self._collector.stop()))
        if working:
            _, late = await asyncio.wait(working, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        if self._address is not None:
            with contextlib.suppress(TocsinError):
                await self._beat()
        self._address = None

    def state(self) -> ServiceState:
        """What it is doing; asks neither the store nor the network."""
        now, collector = self._clock.now(), self._collector
        rate = collector.stats.events_per_second(time.monotonic()) if collector is not None else 0.0
        return ServiceState(
            collector=self._address, collector_error=self._errors.get("collector"), events_per_second=rate,
            scheduler=self._scheduled, last_pass=self._last_pass,
            next_pass_at=start_of(due_hour(now) + 1) + LATE_COUNTS if self._scheduled else None,
            pass_error=self._errors.get("pass") or self._errors.get("look"), last_delivery_at=self._last_delivery,
            delivery_error=self._errors.get("deliver"), last_sync_at=self._last_sync,
            sync_error=self._errors.get("sync"),
        )

    async def settled(self) -> None:
        """Return when nothing that was found due is still being worked on."""
        while self._working:
            await asyncio.wait(self._working.values())
            await asyncio.sleep(0)

    @property
    def _pulse(self) -> float:
        """Real seconds between heartbeats: fifteen of the clock's, but not more often than once a second."""
        return max(1.0, HEARTBEAT_S / max(1.0, self._clock.speed))

    async def _listen(self, host: str, port: int) -> None:
        # Brings aiohttp, which `--collector off` never needs, and which takes too long for the event loop.
        await asyncio.to_thread(importlib.import_module, "core.intake.collector")
        from core.intake.collector import Collector

        collector = Collector(self._store, self._clock, log)
        host, port = await collector.start(host, port)
        self._collector = collector
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        await self._beat()

    async def _beat(self) -> None:
        """Note that the collector listens; begin a new stretch when the clock shows that the machine slept."""
        now = self._clock.now()
        slept = now - self._beaten > timedelta(seconds=SLEPT_HEARTBEATS * self._pulse * max(1.0, self._clock.speed))
        self._listening = await asyncio.to_thread(self._keep_listening, now, slept)
        self._beaten = now

    def _keep_listening(self, now: datetime, slept: bool) -> int:
        with self._store.write() as session:
            if self._listening is None or slept:
                return counts.start_listening(session, now)
            counts.keep_listening(session, self._listening, now)
            return self._listening

    async def _look(self) -> None:
        """See what is due, and start what is not being worked on yet."""
        messages, mutes = await asyncio.to_thread(self._due, self._clock.now())
        if not self._scheduled:
            return
        wanted = due_hour(self._clock.now())
        if self._judged is None:
            self._begin("pass", self._judge)
        elif wanted > self._judged:
            if self._others_judged(wanted):
                self._judged = wanted
            else:
                self._begin("pass", self._judge)
        if self._missed and "sync" not in self._working:
            self._begin("pass", self._judge_missed)
        if mutes:
            self._begin("mutes", self._end_mutes)
        if messages:
            self._begin("deliver", self._deliver)

    def _due(self, now: datetime) -> tuple[bool, bool]:
        with self._store.read() as session:
            messages, mutes, linked = session.connection().execute(DUE, {"now": micros(now)}).one()
            newest = session.connection().execute(NEWEST_PASS).first()
        if newest is not None:
            self._last_pass = LastPass(Hour(newest.hour), from_micros(newest.at), newest.duration_us, newest.error)
        self._linked = bool(linked)
        return bool(messages), bool(mutes)

    def _others_judged(self, hour: Hour) -> bool:
        """Whether another process ran the pass of `hour` after its late counts were in."""
        last = self._last_pass
        return last is not None and last.hour >= hour and last.at >= start_of(hour) + LATE_COUNTS

    async def _ring(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._begin(name, work)

    def _begin(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        if name in self._working or loop.time() < self._wait_until.get(name, 0.0) or self._stopping:
            return

        async def run() -> None:
            try:
                await work()
                self._errors[name] = None
            except Exception as error:  # one failure must not end the service
                self._note(name, error)
                self._wait_until[name] = loop.time() + TRY_AGAIN_S

        task = asyncio.create_task(run(), name=f"tocsin {name}")
        self._working[name] = task
        task.add_done_callback(lambda _: self._working.pop(name, None))

    async def _judge(self) -> None:
        if self._address is not None:
            await self._beat()
        sync = self._sync
        if sync is None and self._linked:
            sync = await asyncio.to_thread(self._segment)
        if self._stopping:
            return  # no sync begins any more, and without it the pass would know less
        if sync is not None:
            self._begin("sync", partial(self._synchronise, sync))
        if "sync" in self._working:
            _, late = await asyncio.wait([self._working["sync"]], timeout=self._sync_s)
            self._missed = self._missed or bool(late)
        now = self._clock.now()
        await asyncio.to_thread(watch.run_pass, self._store, now, now=now)
        self._judged = due_hour(now)

    async def _judge_missed(self) -> None:
        await asyncio.to_thread(self._know, self._clock.now())
        self._missed = False

    def _know(self, now: datetime) -> None:
        with self._store.write() as session:
            watch.judge_unknown(session, now)

    def _segment(self) -> Callable[[datetime], Awaitable[None]]:
        from core.intake.segment.connection import hourly  # brings httpx, which most stores never need

        return hourly(self._store, self._settings, self._clock)

    async def _synchronise(self, sync: Callable[[datetime], Awaitable[None]]) -> None:
        """A sync that fails leaves its rows marked as stale; the pass runs all the same."""
        now = self._clock.now()
        await sync(now)
        self._last_sync = now

    async def _end_mutes(self) -> None:
        await asyncio.to_thread(self._lift, self._clock.now())

    def _lift(self, now: datetime) -> None:
        with self._store.write() as session:
            watch.end_mutes(session, now, now)

    async def _deliver(self) -> None:
        if self._senders is None:
            self._senders = outbox.senders_of(self._settings)
        if await outbox.deliver_due(self._store, self._senders, self._clock):
            self._last_delivery = self._clock.now()

    def _note(self, kind: str, error: BaseException) -> None:
        """Keep an error for the Settings screen; a traceback only of what nobody foresaw."""
        self._errors[kind] = _sentence(error)
        log.error("%s: %s", kind, error, exc_info=None if isinstance(error, TocsinError | OSError) else error)


def due_hour(now: datetime) -> Hour:
    """The newest whole hour whose pass is due at `now` (aware): five minutes past it."""
    return hour_of(now - LATE_COUNTS)


async def serve(settings: Settings, collector: str | None, *, scheduler: bool = True) -> None:
    """Run collector and scheduler until SIGTERM or SIGINT; print one line that says where it listens.

    `collector` is `HOST:PORT`, or None for none. Raises TocsinError when the store or the port is not to be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = await asyncio.to_thread(open_store, settings.store)
    service = Service(store, settings, SystemClock(), collector=collector, scheduler=scheduler)
    try:
        await service.start(must_listen=True)
        where = service.state().collector
        print(f"Tocsin listens at http://{where}" if where else "Tocsin judges and delivers; it listens nowhere",
              flush=True)
        await stop.wait()
    finally:
        await service.stop()
        store.close()


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if isinstance(error, TocsinError) else f"{type(error).__name__}: {error}"
