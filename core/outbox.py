"""Delivery: claim what is due, send it, and settle each row with what came of it; at least once, whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from core.channels.outcome import Outcome, Reason, wait_before
from core.channels.senders import Senders, place_of, senders_of, silent_senders
from core.channels.targets import mask
from core.claims import GIVE_UP, Claimed, Fate, Unit, claim, given_up, note_health, release, settle
from core.clock import Clock
from core.health import break_channels, mend_channels
from core.queueing import tell_given_up
from core.store import Store, holder
from core.terms import ChannelKind, Delivery, Event
from core.trial import Answer, send_test

__all__ = ["Answer", "Attempt", "Senders", "deliver_due", "send_test", "senders_of", "silent_senders"]

IN_FLIGHT = 64
"""Messages on their way at once, over all servers."""
LOOK_AGAIN_S = 1.0
SILENT = 2
"""After so many timeouts in a row, what waits for that server waits as long as the message that timed out."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message that was tried: its rows, where it went (masked), and what came of it."""

    notifications: tuple[int, ...]
    channel: ChannelKind
    recipient: str
    state: Delivery
    reason: Reason
    answer: str

    def as_json(self) -> dict[str, object]:
        """The item of `deliver --json`."""
        return {"notifications": list(self.notifications), "channel": self.channel.value, "recipient": self.recipient,
                "state": self.state.value, "reason": self.reason.value, "answer": self.answer}


async def deliver_due(
    store: Store, senders: Senders, now: Callable[[], datetime] | Clock, limit: int = 10_000
) -> list[Attempt]:
    """Try every notification that is due once, at most `limit` messages; return what came of each.

    What falls due meanwhile is taken along, so that one server's silence keeps nobody else's message. Cancelling gives
    back what was not settled.
    """
    present = now if callable(now) else now.now
    claimer = f"{holder()}:{uuid4().hex[:12]}"
    flying: set[asyncio.Task[Attempt]] = set()
    tried: list[Attempt] = []
    begun, finished = 0, False
    try:
        while True:
            found = await _claim(store, senders, claimer, present, min(IN_FLIGHT - len(flying), limit - begun))
            begun += len(found.units)
            flying |= {_begin(store, senders, unit, claimer, present) for unit in found.units}
            if found.units or found.moved:
                continue
            if not flying:
                finished = True
                return tried
            done, flying = await asyncio.wait(flying, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
            tried += [task.result() for task in done]
    finally:
        if flying:
            for task in flying:
                task.cancel()
            await asyncio.wait(flying)
        if not finished:
            await _wholly(lambda: release(store, claimer))


async def _claim(
    store: Store, senders: Senders, claimer: str, present: Callable[[], datetime], room: int
) -> Claimed:
    if room <= 0:
        return Claimed([], 0)
    async with senders.claiming:
        found = await _wholly(lambda: claim(store, senders, claimer, present(), room))
        for unit in found.units:
            senders.busy[place_of(unit.channel, unit.target)] += 1
    return found


def _begin(
    store: Store, senders: Senders, unit: Unit, claimer: str, present: Callable[[], datetime]
) -> asyncio.Task[Attempt]:
    """Send one unit and settle it, in a task whose end, whatever it is, makes room at the server."""
    async def carry() -> Attempt:
        outcome = await senders.send(unit.channel, unit.envelope(present()))
        return await _wholly(lambda: _settle(store, senders, unit, outcome, claimer, present()))

    def free(_: asyncio.Task[Attempt]) -> None:
        senders.busy[place_of(unit.channel, unit.target)] -= 1

    task = asyncio.create_task(carry())
    task.add_done_callback(free)
    return task


async def _wholly(work: Callable[[], T]) -> T:
    """Do `work` in a thread to its end, even when this task is cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _settle(
    store: Store, senders: Senders, unit: Unit, outcome: Outcome, claimer: str, at: datetime
) -> Attempt:
    """Write what came of one try, in one transaction with everything that follows from it."""
    name = senders.endpoint(unit.channel, unit.target)
    fate = fate_of(unit, outcome, at, senders.chance())
    held = at + outcome.retry_after if outcome.retry_after else None
    if senders.silent[name] >= SILENT and held is None:
        held = fate.due
    with store.write() as session:
        settled = settle(session, unit, fate, claimer, at)
        note_health(session, name, at, outcome.sent, outcome.answer, held)
        if outcome.permanent:
            break_channels(session, unit, outcome.answer, at)
        elif fate.state is Delivery.FAILED:
            tell_given_up(session, settled, outcome.answer, at)
        elif outcome.sent and any(row.event is Event.TEST for row in unit.rows):
            mend_channels(session, unit)
    return Attempt(tuple(unit.ids), unit.channel, mask(unit.channel, unit.target), fate.state, outcome.reason,
                   outcome.answer)


def fate_of(unit: Unit, outcome: Outcome, at: datetime, chance: float) -> Fate:
    """What becomes of a unit after `outcome` at `at`: sent, failed, or due again. `chance` is between 0 and 1."""
    if outcome.sent:
        return Fate(Delivery.SENT, None)
    if outcome.permanent or any(row.event is Event.TEST for row in unit.rows):
        return Fate(Delivery.FAILED, outcome.answer)
    wait = wait_before(max(row.tries for row in unit.rows), chance)
    if outcome.retry_after is not None:
        wait = max(wait, outcome.retry_after)
    if at + wait > min(row.created_at for row in unit.rows) + GIVE_UP:
        return Fate(Delivery.FAILED, given_up(outcome.answer))
    return Fate(Delivery.QUEUED, outcome.answer, at + wait)
