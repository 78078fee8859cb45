"""Many requests, one transaction: what arrives within a few milliseconds is committed together, then answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.clock import Clock, Hour, hour_of, micros
from core.counts import Key, record
from core.errors import StoreError, TocsinError
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


@dataclass(frozen=True, slots=True)
class _Request:
    deltas: Mapping[Key, int]
    digests: list[int]
    done: asyncio.Future[None]


class GroupCommit:
    """Collects counts and commits them in a thread of its own, one transaction at a time.

    Args:
        most_waiting: requests that may wait for a commit before `add` raises Overloaded.
    """

    def __init__(self, store: Store, clock: Clock, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._clock = clock
        self._most_waiting = most_waiting
        self._waiting: list[_Request] = []
        self._wake = asyncio.Event()
        self._thread: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None
        self._forgotten: Hour | None = None
        self.commits = 0
        self.failures = 0
        self.seconds = 0.0
        self.last_seconds: deque[float] = deque(maxlen=100)

    def start(self) -> None:
        """Begin to commit, in the running loop."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tocsin-commit")
        self._task = asyncio.create_task(self._run(self._thread))

    async def stop(self) -> None:
        """Commit what waits, then end."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._wake.set()
        await task
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    async def add(self, deltas: Mapping[Key, int], digests: list[int]) -> None:
        """Return once these counts are on disk. Raises Overloaded, or StoreError when they are not."""
        if self._task is None or len(self._waiting) >= self._most_waiting:
            raise Overloaded("Too much waits to be committed; try again in a moment.")
        request = _Request(deltas, digests, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._wake.set()
        await asyncio.shield(request.done)

    async def _run(self, thread: ThreadPoolExecutor) -> None:
        while self._task is not None or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            if not self._waiting:
                continue
            if self._task is not None:
                await asyncio.sleep(GATHER_S)
            requests, self._waiting = self._waiting, []
            began = time.perf_counter()
            errors = await asyncio.get_running_loop().run_in_executor(
                thread, self._commit, requests, self._clock.now())
            self._note(time.perf_counter() - began, errors)
            for request, error in zip(requests, errors, strict=True):
                if error is None:
                    request.done.set_result(None)
                else:
                    request.done.set_exception(error)
                    request.done.exception()

    def _note(self, seconds: float, errors: Sequence[TocsinError | None]) -> None:
        failed = [error for error in errors if error is not None]
        self.failures += bool(failed)
        self.commits += len(failed) < len(errors)
        self.seconds += seconds
        self.last_seconds.append(seconds)
        if failed:
            log.warning("the counts of %d requests were not stored: %s", len(failed), failed[0])

    def _commit(self, requests: list[_Request], now: datetime) -> list[TocsinError | None]:
        """Write the requests together; for each, None once it is on disk, or why it is not."""
        try:
            self._write(requests, now)
        except TocsinError as error:
            return [error] * len(requests)
        except Exception as error:
            if len(requests) > 1:
                # What the database refuses for its content must not take the others' counts with it.
                half = len(requests) // 2
                return [*self._commit(requests[:half], now), *self._commit(requests[half:], now)]
            return [StoreError(f"The store refused the counts ({type(error).__name__}); try again in a moment.")]
        return [None] * len(requests)

    def _write(self, requests: list[_Request], now: datetime) -> None:
        deltas: Counter[Key] = Counter()
        for request in requests:
            deltas.update(request.deltas)
        digests = [found for request in requests for found in request.digests]
        hour = hour_of(now)
        with self._store.write() as session:
            record(session, deltas)
            link = session.connection()
            if digests:
                link.execute(KEEP, {"at": micros(now), "ids": packed(digests)})
            if self._forgotten != hour:
                link.execute(FORGET, {"before": micros(now) - HOURS * 3_600_000_000})
        self._forgotten = hour
