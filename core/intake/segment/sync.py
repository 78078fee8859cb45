"""One sync: the lists, the people, the counts. Every batch is its own short transaction, none is open while waiting.

A process that dies at any request leaves a store in which whatever is vouched for is complete; the next sync reads on
from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from core.clock import Clock
from core.intake.segment import api, catalogue, infer, link, people, readings
from core.intake.segment.client import Client
from core.intake.segment.delivery import DeliveryReader, Reading
from core.intake.segment.errors import SegmentError, TokenRefused, Unavailable
from core.intake.segment.readings import Plan, Target
from core.intake.segment.wire import User
from core.store import Session, Store, take_lease
from core.terms import Mode, Stage

BATCH = 25
"""Destinations whose counts are asked for, and written, together."""
RATE = (Stage.DELIVERED, Stage.FAILED)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """How far a sync is: `done` of `total` parts of `step` ("sources and destinations", "members", …)."""

    step: str
    done: int
    total: int


@dataclass
class SyncReport:
    """What a sync did. `error` is the sentence to show when something could not be read, `stale` whose counts."""

    at: datetime
    sources: int = 0
    destinations: int = 0
    members: int = 0
    changes: catalogue.Changes = field(default_factory=catalogue.Changes)
    counts_changed: int = 0
    requests: int = 0
    stale: list[str] = field(default_factory=list)
    error: str | None = None
    finished: bool = False


async def sync(
    store: Store, client: Client, clock: Clock, *, progress: Callable[[Progress], None] | None = None
) -> SyncReport:
    """Bring the store up to date with the workspace of `client`'s token. Errors of Segment end up in the report.

    Cancelling it is safe at any await. Raises StoreError when the store refuses a write.
    """
    return await _Sync(store, client, clock, progress or (lambda _: None)).run()


class _Sync:
    def __init__(self, store: Store, client: Client, clock: Clock, progress: Callable[[Progress], None]) -> None:
        self.store = store
        self.client = client
        self.clock = clock
        self.progress = progress
        self.report = SyncReport(clock.now())
        self.before = client.requests
        self.problems: list[str] = []
        self.fresh: set[int] = set()
        self.able: set[str] = set()

    async def run(self) -> SyncReport:
        try:
            await self._same_workspace()
            await self._lists()
        except SegmentError as error:
            self.problems.append(str(error))
        else:
            await self._members()
            plan = await self._read(lambda session: readings.plan(session, self.clock.now(), self.able))
            await self._volume(plan)
            await self._deliveries(plan)
            self.report.finished = True
        await self._write(self._conclude)
        return self.report

    async def _same_workspace(self) -> None:
        found = await api.workspace(self.client)
        connected = await self._read(link.find)
        if connected is not None and connected.workspace_id != found.id:
            raise SegmentError(f"The Segment token belongs to another workspace than {connected.workspace_name}; run "
                               "`tocsin segment disconnect` and connect again to change workspaces.")

    async def _lists(self) -> None:
        step = "sources and destinations"
        self.progress(Progress(step, 0, 2))
        sources = await api.sources(self.client)
        self.progress(Progress(step, 1, 2))
        destinations = await api.destinations(self.client)
        self.able = {each.id for each in destinations if infer.mode(each.metadata) is Mode.CLOUD}
        now = self.clock.now()
        self.report.changes = await self._write(lambda s: catalogue.keep(s, sources, destinations, now))
        self.report.sources, self.report.destinations = len(sources), len(destinations)
        self.progress(Progress(step, 2, 2))

    async def _members(self) -> None:
        try:
            users = await api.users(self.client)
            owners = await self._owners(users)
        except SegmentError as error:
            self.problems.append(str(error))
            return
        found = [people.person(user, user.id in owners) for user in users]
        now = self.clock.now()
        self.report.members = await self._write(lambda session: people.keep(session, found, now))

    async def _owners(self, users: list[User]) -> set[str]:
        """The ids of those who own the workspace, directly or through a group.

        Asking for each user's groups costs a request each, so it is done only when some group gives ownership.
        """
        owners = {user.id for user in users if infer.grants_ownership(user.permissions)}
        groups = await api.groups(self.client)
        owning = {group.id for group in groups if infer.grants_ownership(group.permissions)}
        rest = [user.id for user in users if user.id not in owners] if owning else []
        for at in range(0, len(rest), BATCH):
            self.progress(Progress("members", at, len(rest)))
            asked = rest[at:at + BATCH]
            answers = await together([api.groups_of(self.client, user) for user in asked])
            owners.update(user for user, found in zip(asked, answers, strict=True)
                          if any(group.id in owning for group in found))
        return owners

    async def _volume(self, plan: Plan) -> None:
        """Every source's volume, one window after the other, oldest first."""
        first = {target.id: readings.since(target, plan.until) for target in plan.sources}
        if not first:
            return
        ids = {target.segment_id: target.id for target in plan.sources}
        windows = readings.windows(min(first.values()), plan.until, readings.VOLUME_HOURS)
        for done, (since, until) in enumerate(windows):
            self.progress(Progress("source volumes", done, len(windows)))
            try:
                found = await api.volume(self.client, since, until)
            except SegmentError as error:
                self.problems.append(str(error))
                return
            spans = {id_: (max(since, start), until) for id_, start in first.items() if start < until}
            read = {(ids[key], Stage.RECEIVED): hours for key, hours in found.items() if key in ids}
            last = plan.sources if until == plan.until else []
            self.report.counts_changed += await self._write(
                partial(self._put, read=read, spans=spans, stages=(Stage.RECEIVED,), fresh=last))
        self.fresh.update(ids.values())

    async def _deliveries(self, plan: Plan) -> None:
        """Every enabled cloud destination's results, those of one source together."""
        targets = sorted(plan.destinations, key=lambda target: (target.source_segment_id or "", target.id))
        reader = DeliveryReader(self.client, plan.until)
        for at in range(0, len(targets), BATCH):
            self.progress(Progress("delivery results", at, len(targets)))
            batch = await together([reader.read(target) for target in targets[at:at + BATCH]])
            await self._write(partial(self._put_batch, batch=batch))
            failed = [reading.error for reading in batch if reading.error is not None]
            self.problems.extend(map(str, failed))
            if len(failed) == len(batch) and all(isinstance(e, Unavailable | TokenRefused) for e in failed):
                return

    def _put_batch(self, session: Session, batch: list[Reading]) -> None:
        for stages in (RATE, (*RATE, Stage.FILTERED)):
            chosen = [reading for reading in batch if reading.span and reading.filtered == (Stage.FILTERED in stages)]
            read = {key: hours for reading in chosen for key, hours in reading.found.items()}
            spans = {reading.target.id: reading.span for reading in chosen if reading.span}
            fresh = [reading.target for reading in chosen if reading.error is None]
            self.report.counts_changed += self._put(session, read, spans, stages, fresh)
            self.fresh.update(target.id for target in fresh)
        seen = {reading.target.id: infer.mode_seen(reading.attempts, reading.sent_by_device) for reading in batch}
        readings.keep_modes(session, {id_: mode for id_, mode in seen.items() if mode is not None})

    def _put(
        self, session: Session, read: readings.Read, spans: dict[int, readings.Span], stages: tuple[Stage, ...],
        fresh: list[Target],
    ) -> int:
        changed = readings.put(session, read, spans, stages)
        readings.mark(session, fresh, [], self.clock.now())
        return changed

    def _conclude(self, session: Session) -> None:
        """Say whose counts could not be read and how it went."""
        now = self.clock.now()
        plan = readings.plan(session, now, self.able)
        stale = [target for target in plan.read if target.id not in self.fresh]
        readings.mark(session, plan.idle, stale, now)
        self.report.stale = [target.slug for target in stale]
        self.report.requests = self.client.requests - self.before
        self.report.error = worded(self.problems)
        link.note(session, now, self.report.requests, self.report.error, finished=self.report.finished)

    async def _read(self, work: Callable[[Session], Result]) -> Result:
        def inside() -> Result:
            with self.store.read() as session:
                return work(session)

        return await asyncio.to_thread(inside)

    async def _write(self, work: Callable[[Session], Result]) -> Result:
        def inside() -> Result:
            with self.store.write() as session:
                take_lease(session, "segment", self.clock.now())
                return work(session)

        return await asyncio.to_thread(inside)


def worded(problems: list[str]) -> str | None:
    """One line for all of them: the first, and how many more there are."""
    different = list(dict.fromkeys(problems))
    if not different:
        return None
    more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
    return different[0] + more


async def together(work: list[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of all, run at once; when one fails or this is cancelled, the others are cancelled too."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
