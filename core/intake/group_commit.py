"""Many requests, one transaction: what arrives within a few milliseconds is committed together, then answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from core.clock import Clock, Hour, micros
from core.counts import Key, record
from core.errors import TocsinError
from core.intake.dedupe import HOURS, packed
from core.store import Store

log = logging.getLogger(__name__)

GATHER_S = 0.003
"""How long a commit waits for company."""
MOST_WAITING = 20_000
"""Requests that may wait for a commit; beyond it callers are told to come back."""
KEEP = sa.text("INSERT INTO seen_messages (at, ids) VALUES (:at, :ids)")
FORGET = sa.text("DELETE FROM seen_messages WHERE at < :before")


class Overloaded(TocsinError):
    """Too much waits for a commit already."""


@dataclass(slots=True)
class _Group:
    deltas: Counter[Key] = field(default_factory=Counter)
    digests: list[int] = field(default_factory=list)
    done: asyncio.Future[None] | None = None
    waiting: int = 0


class GroupCommit:
    """Collects counts and commits them in a thread, one transaction at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._group = _Group()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._forgotten: Hour | None = None
        self.commits = 0
        self.failures = 0
        self.last_seconds: deque[float] = deque(maxlen=100)

    def start(self) -> None:
        """Begin to commit, in the running loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Commit what waits, then end."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._wake.set()
        await task

    async def add(self, deltas: Mapping[Key, int], digests: list[int]) -> None:
        """Return once these counts are on disk. Raises Overloaded, or StoreError when they are not."""
        group = self._group
        if self._task is None or group.waiting >= MOST_WAITING:
            raise Overloaded("too much waits to be committed; try again")
        if group.done is None:
            group.done = asyncio.get_running_loop().create_future()
        group.deltas.update(deltas)
        group.digests += digests
        group.waiting += 1
        self._wake.set()
        await asyncio.shield(group.done)

    async def _run(self) -> None:
        while self._task is not None or self._group.done is not None:
            await self._wake.wait()
            self._wake.clear()
            if self._group.done is None:
                continue
            if self._task is not None:
                await asyncio.sleep(GATHER_S)
            group, self._group = self._group, _Group()
            await self._commit(group)

    async def _commit(self, group: _Group) -> None:
        if group.done is None:
            return
        began = time.perf_counter()
        try:
            await asyncio.to_thread(self._write, group, self._clock.now())
        except Exception as error:
            # Whatever it was, the counts are not on disk and the callers must hear so.
            self.failures += 1
            log.warning("a commit of counts failed: %s", error)
            group.done.set_exception(error)
            group.done.exception()
        else:
            self.commits += 1
            self.last_seconds.append(time.perf_counter() - began)
            group.done.set_result(None)

    def _write(self, group: _Group, now: datetime) -> None:
        hour = Hour(micros(now) // 3_600_000_000)
        with self._store.write() as session:
            record(session, group.deltas)
            link = session.connection()
            if group.digests:
                link.execute(KEEP, {"at": micros(now), "ids": packed(group.digests)})
            if self._forgotten != hour:
                link.execute(FORGET, {"before": micros(now) - HOURS * 3_600_000_000})
                self._forgotten = hour
