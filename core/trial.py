"""Send test: a marked message through one alert's channels, saved (each answer kept as a row) or only typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from core.access import Action, Actor, require
from core.alert_spec import AlertSpec
from core.alerts import checked
from core.channels.message import Facts, word
from core.channels.outcome import Envelope, Outcome
from core.channels.senders import Senders
from core.channels.targets import mask
from core.claims import CLAIM, Fate, Row, Unit, note_health, settle
from core.clock import Clock, Hour, hour_of, micros
from core.connections import find
from core.counts import SPARK_HOURS, series, spark_of
from core.errors import NotFound
from core.evaluation import evaluate
from core.foresight import backtest
from core.health import break_channels, mend_channels
from core.model import Notification
from core.queueing import facts_of
from core.rules import DAY
from core.store import Session, Store, holder
from core.terms import ChannelKind, Delivery, Event

ALERT = """
SELECT a.created_by, m.name, m.email FROM alert a JOIN member m ON m.id = a.created_by
WHERE a.id = :alert AND a.deleted_at IS NULL
"""
CHANNELS = """
SELECT id, kind, target FROM alert_channel WHERE alert_id = :alert AND removed_at IS NULL ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one channel said to a test; `recipient` is masked."""

    channel: ChannelKind
    recipient: str
    ok: bool
    answer: str

    def as_json(self) -> dict[str, object]:
        """The item of `alert test --json`."""
        return {"channel": self.channel.value, "recipient": self.recipient, "ok": self.ok, "answer": self.answer}


async def send_test(
    store: Store, actor: Actor, alert_id: int, senders: Senders, now: Callable[[], datetime] | Clock
) -> list[Answer]:
    """Send a marked test through every channel of an alert, also one that is muted, disabled or broken.

    Only its creator may: raises NotAllowed, or NotFound. A test is tried once; one that succeeds mends its channel.
    """
    present = now if callable(now) else now.now
    claimer = f"{holder()}:{uuid4().hex[:12]}"
    units = await asyncio.to_thread(_prepare, store, actor, alert_id, claimer, present())
    return list(await asyncio.gather(*(_try(store, senders, unit, claimer, present()) for unit in units)))


async def _try(store: Store, senders: Senders, unit: Unit, claimer: str, now: datetime) -> Answer:
    recipient = mask(unit.channel, unit.target)
    if unit.channel is ChannelKind.IN_APP:
        return Answer(unit.channel, recipient, True, "it is in your bell")
    outcome = await senders.send(unit.channel, unit.envelope(now))
    await asyncio.shield(asyncio.to_thread(_keep, store, senders, unit, outcome, claimer, now))
    return Answer(unit.channel, recipient, outcome.sent, outcome.answer)


def _keep(store: Store, senders: Senders, unit: Unit, outcome: Outcome, claimer: str, now: datetime) -> None:
    fate = Fate(Delivery.SENT, None) if outcome.sent else Fate(Delivery.FAILED, outcome.answer)
    held = now + outcome.retry_after if outcome.retry_after else None
    with store.write() as session:
        settle(session, unit, fate, claimer, now)
        note_health(session, senders.endpoint(unit.channel, unit.target), now, outcome.sent, outcome.answer, held)
        if outcome.sent:
            mend_channels(session, unit)
        elif outcome.permanent:
            break_channels(session, unit, outcome.answer, now)


def _prepare(store: Store, actor: Actor, alert_id: int, claimer: str, now: datetime) -> list[Unit]:
    """Write the rows of the test, already claimed, and return what to send."""
    with store.write() as session:
        found = session.connection().execute(sa.text(ALERT), {"alert": alert_id}).first()
        if found is None:
            raise NotFound(f"There is no alert {alert_id}.")
        creator, name, email = found
        require(actor, Action.TEST, creator, name)
        body = msgspec.json.encode(_facts(session, alert_id, name, email, hour_of(now))).decode()
        units = []
        for channel, kind, target in session.connection().execute(sa.text(CHANNELS), {"alert": alert_id}):
            in_app = ChannelKind(kind) is ChannelKind.IN_APP
            row = Notification(
                alert_id=alert_id, event=Event.TEST, occasion=micros(now), channel=ChannelKind(kind),
                channel_id=channel, member_id=creator if in_app else None, recipient=target or email, body=body,
                state=Delivery.SENT if in_app else Delivery.SENDING, attempts=0 if in_app else 1, created_at=now,
                due_at=now, claimed_by=None if in_app else claimer, claimed_until=None if in_app else now + CLAIM,
                sent_at=now if in_app else None)
            session.objects.add(row)
            session.objects.flush()
            assert row.id is not None
            units.append(Unit(row.channel, row.recipient, (
                Row(row.id, alert_id, Event.TEST, channel, body, row.occasion, 1, now),)))
        return units


def _facts(session: Session, alert_id: int, name: str, email: str, hour: Hour) -> Facts:
    judged = evaluate(session, hour, [alert_id])
    if not judged:
        raise NotFound(f"The connection of alert {alert_id} was removed.")
    item = judged[0]
    counted = series(session, [item.connection], Hour(hour - SPARK_HOURS), hour)
    facts = facts_of(item, Event.TEST, hour, spark_of(counted, item.connection, item.asks.kind))
    return msgspec.structs.replace(facts, set_by=name, set_by_email=email, test=True)


async def try_channels(
    store: Store, actor: Actor, slug: str, spec: AlertSpec, senders: Senders, now: datetime,
    slack_hosts: Sequence[str],
) -> list[Answer]:
    """Send a marked test to channels that were typed and not saved yet; nothing is written, and in-app has no test.

    Raises InvalidInput, with its field, for what could not be saved either.
    """
    wanted = checked(spec, slack_hosts)
    facts = await asyncio.to_thread(_unsaved, store, actor, slug, wanted, now)
    digest = f"tocsin.try.{uuid4().hex}"
    envelopes = [(channel.kind, Envelope(word([facts]), channel.target or "", digest, now))
                 for channel in wanted.channels if channel.kind is not ChannelKind.IN_APP]
    outcomes = await asyncio.gather(*(senders.send(kind, envelope) for kind, envelope in envelopes))
    return [Answer(kind, mask(kind, envelope.target), outcome.sent, outcome.answer)
            for (kind, envelope), outcome in zip(envelopes, outcomes, strict=True)]


def _unsaved(store: Store, actor: Actor, slug: str, spec: AlertSpec, now: datetime) -> Facts:
    with store.read() as session:
        connection = find(session, slug)
        seen = backtest(session, slug, spec.asks, now, days=1)
        hour = hour_of(now)
        counted = series(session, [connection.id or 0], Hour(hour - SPARK_HOURS), hour)
        return Facts(
            event=Event.TEST.value, kind=spec.kind.value, connection=slug, connection_name=connection.name,
            threshold=spec.threshold, direction=spec.direction.value, baseline_kind=spec.baseline.value,
            current=seen.now.current, baseline=seen.now.baseline, delivered=seen.now.delivered, failed=seen.now.failed,
            window_start=hour - DAY, window_end=hour, spark=spark_of(counted, connection.id or 0, spec.kind),
            set_by=actor.name, set_by_email=actor.email, test=True)
