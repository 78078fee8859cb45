"""What the service calls before each pass. Cheap to import and, while no workspace is connected, to call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from core.clock import Clock
from core.intake.segment import link
from core.intake.segment.errors import SegmentError
from core.store import Store

if TYPE_CHECKING:
    from core.intake.segment.sync import SyncReport
    from core.settings import Settings


async def sync_before_pass(store: Store, settings: Settings, clock: Clock) -> bool:
    """Sync the connected workspace; False when there is none. Raises SegmentError with what could not be read."""
    if not await asyncio.to_thread(_linked, store):
        return False
    sync_if_connected = await asyncio.to_thread(_loaded)
    report = await sync_if_connected(store, settings, clock)
    if report is not None and report.error is not None:
        raise SegmentError(report.error)
    return report is not None


def _linked(store: Store) -> bool:
    with store.read() as session:
        return link.find(session) is not None


def _loaded() -> Callable[[Store, Settings, Clock], Awaitable[SyncReport | None]]:
    """Importing an HTTP client takes a moment, which is not the screen's to wait."""
    from core.intake.segment.connection import sync_if_connected

    return sync_if_connected
