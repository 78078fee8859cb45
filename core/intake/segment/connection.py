"""Connecting this store to a Segment workspace, the hourly sync, and letting go of it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.clock import Clock
from core.errors import InvalidInput
from core.intake.segment import api, link, readings
from core.intake.segment.client import Client, base_url, check_token
from core.intake.segment.errors import SegmentError
from core.intake.segment.link import Link
from core.intake.segment.sync import Progress, SyncReport, sync
from core.intake.segment.token import find_token, forget_token, save_token
from core.intake.segment.wire import Workspace
from core.store import Store, take_lease

if TYPE_CHECKING:
    from core.settings import Settings

NO_TOKEN = "There is no Segment token any more; run `tocsin segment connect` with a new one."


@dataclass(frozen=True)
class Connected:
    """The workspace that was connected, and how the first sync went."""

    link: Link
    report: SyncReport


async def connect(
    store: Store, settings: Settings, clock: Clock, token: str, *, region: str = "us",
    progress: Callable[[Progress], None] | None = None, client: Client | None = None,
) -> Connected:
    """Connect the store to the workspace of `token` in `region` (us or eu), keep the token, and sync at once.

    The token is kept before the sync: if that is broken off, the next hour goes on with it. Connecting again to the
    same workspace renews the token. Raises InvalidInput for a token that is no token or belongs to another workspace
    than the connected one, SegmentError when Segment cannot be reached or refuses it; nothing has changed then.
    """
    token = check_token(token)
    async with client or Client(token, base_url(region, settings.segment_url)) as opened:
        workspace = await api.workspace(opened)
        await asyncio.to_thread(_join, store, settings, token, region, workspace, clock.now())
        report = await sync(store, opened, clock, progress=progress)
    found = await asyncio.to_thread(current, store)
    if found is None:
        raise InvalidInput("The Segment workspace was disconnected while it was being connected.")
    return Connected(found, report)


async def sync_if_connected(
    store: Store, settings: Settings, clock: Clock, *, progress: Callable[[Progress], None] | None = None
) -> SyncReport | None:
    """A sync of the connected workspace, or None when there is none. Errors of Segment are in the report.

    Called before each hourly pass and by `tocsin segment sync`. Raises StoreError when the store refuses a write.
    """
    found = await asyncio.to_thread(current, store)
    if found is None:
        return None
    try:
        token = find_token(settings)
        if token is None:
            raise InvalidInput(NO_TOKEN)
        client = Client(token, base_url(found.region, settings.segment_url))
    except InvalidInput as error:
        return await asyncio.to_thread(_broken, store, str(error), clock.now())
    async with client:
        return await sync(store, client, clock, progress=progress)


def hourly(store: Store, settings: Settings, clock: Clock) -> Callable[[datetime], Awaitable[None]]:
    """What a service calls before each pass: a sync of what is connected, raising SegmentError with its complaint."""

    async def run(_now: datetime) -> None:
        report = await sync_if_connected(store, settings, clock)
        if report is not None and report.error is not None:
            raise SegmentError(report.error)

    return run


def disconnect(store: Store, settings: Settings, now: datetime) -> Link:
    """Forget the workspace and the kept token. Its connections, counts and alerts stay, their counts marked stale.

    Raises InvalidInput when no workspace is connected.
    """
    found = current(store)
    if found is None:
        raise InvalidInput("No Segment workspace is connected; `tocsin segment connect` connects one.")
    forget_token(settings)
    with store.write() as session:
        take_lease(session, "segment", now)
        plan = readings.plan(session, now)
        readings.mark(session, [], plan.read, now)
        link.delete(session)
    return found


def current(store: Store) -> Link | None:
    """The connected workspace and how its last sync went, or None."""
    with store.read() as session:
        return link.find(session)


def _join(
    store: Store, settings: Settings, token: str, region: str, workspace: Workspace, now: datetime
) -> None:
    found = current(store)
    if found is not None and found.workspace_id != workspace.id:
        raise InvalidInput(f"This store is connected to {found.workspace_name}; run `tocsin segment disconnect` before "
                           "connecting another workspace.", "token")
    save_token(settings, token)
    with store.write() as session:
        take_lease(session, "segment", now)
        link.save(session, workspace, region, now)


def _broken(store: Store, sentence: str, now: datetime) -> SyncReport:
    """Note that no sync can be tried at all, so that every row says that its counts are stale."""
    report = SyncReport(now, error=sentence)
    with store.write() as session:
        take_lease(session, "segment", now)
        stale = readings.plan(session, now).read
        readings.mark(session, [], stale, now)
        link.note(session, now, 0, sentence, finished=False)
    report.stale = [target.slug for target in stale]
    return report
