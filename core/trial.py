"""Send a marked test message through one alert's channels, and say what each answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from core.access import Action, Actor, require
from core.alert_rows import AlertRow
from core.alerts import get_alert
from core.channels.message import Facts, word
from core.channels.outcome import Envelope, Outcome, Reason
from core.channels.targets import mask
from core.clock import Hour, hour_of, micros
from core.counts import series
from core.evaluation import evaluate
from core.model import ChannelKind, Delivery, Event
from core.outbox import MEND, Senders
from core.queueing import SPARK_HOURS, facts_of, insert_notifications, spark_of
from core.store import Store

TARGETS = "SELECT id, kind, target FROM alert_channel WHERE alert_id = :alert AND removed_at IS NULL ORDER BY id"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one channel answered to a test; `recipient` is masked."""

    channel: ChannelKind
    recipient: str
    ok: bool
    answer: str

    def as_json(self) -> dict[str, object]:
        """The item of `alert test --json`."""
        return {"channel": self.channel.value, "recipient": self.recipient, "ok": self.ok, "answer": self.answer}


async def send_test(
    store: Store, actor: Actor, alert_id: int, senders: Senders, now: Callable[[], datetime]
) -> list[Answer]:
    """Send a test now through every channel of the alert, side by side. Raises NotFound, NotAllowed.

    A channel that takes it is no longer broken. Each test is a row of its own in the log and is not tried again.
    """
    facts, targets = await asyncio.to_thread(_prepare, store, actor, alert_id, now())
    outcomes = await asyncio.gather(*(_send(senders, kind, target, facts, now()) for _, kind, target in targets))
    await asyncio.to_thread(_write, store, actor, alert_id, facts, list(zip(targets, outcomes, strict=True)), now())
    return [Answer(kind, mask(kind, target), outcome.sent, outcome.answer)
            for (_, kind, target), outcome in zip(targets, outcomes, strict=True)]


Target = tuple[int, ChannelKind, str]


def _prepare(store: Store, actor: Actor, alert_id: int, now: datetime) -> tuple[Facts, list[Target]]:
    with store.read() as session:
        row: AlertRow = get_alert(session, actor, alert_id, now)
        require(actor, Action.TEST, row.created_by_id, row.created_by_name)
        hour = hour_of(now)
        found = evaluate(session, hour, [alert_id])[0]
        counted = series(session, [found.connection], Hour(hour - SPARK_HOURS), hour)
        spark = spark_of(counted, found.connection, found.asks.kind)
        rows = session.connection().execute(sa.text(TARGETS), {"alert": alert_id}).all()
    facts = msgspec.structs.replace(facts_of(found, Event.TEST, hour, spark), set_by=actor.name,
                                    set_by_email=actor.email, test=True)
    return facts, [(row.id, ChannelKind(row.kind), row.target or actor.email) for row in rows]


async def _send(senders: Senders, kind: ChannelKind, target: str, facts: Facts, now: datetime) -> Outcome:
    if kind is ChannelKind.IN_APP:
        return Outcome(Reason.SENT, "in the bell")
    sender = senders.slack if kind is ChannelKind.SLACK else senders.email
    if sender is None:
        return Outcome(Reason.NOT_SET_UP, "no TOCSIN_SMTP_URL is set")
    return await sender(Envelope(target, (0,), word([facts]), now))


def _write(
    store: Store, actor: Actor, alert_id: int, facts: Facts, results: list[tuple[Target, Outcome]], now: datetime
) -> None:
    rows: list[dict[str, object]] = [{
        "alert_id": alert_id, "incident_id": None, "event": Event.TEST, "occasion": micros(now), "channel": kind,
        "channel_id": channel, "member_id": actor.id if kind is ChannelKind.IN_APP else None, "recipient": target,
        "body": msgspec.json.encode(facts).decode(), "fold": None, "attempts": 1, "created_at": now, "due_at": now,
        "state": Delivery.SENT if outcome.sent else Delivery.FAILED, "sent_at": now if outcome.sent else None,
        "last_error": None if outcome.sent else outcome.answer,
    } for (channel, kind, target), outcome in results]
    mended = [channel for (channel, _, _), outcome in results if outcome.sent]
    with store.write() as session:
        insert_notifications(session, rows)
        if mended:
            session.connection().execute(sa.text(MEND).bindparams(sa.bindparam("ids", expanding=True)), {"ids": mended})
