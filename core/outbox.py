"""The outbox: claim what is due, send it, and write down how it went. At least once, whatever is killed.

A row is claimed by a conditional update with an expiry, sent, and then settled. A process that dies in between leaves a
claim that runs out, so another one sends the row again; nothing is ever settled before the other side answered.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from sqlmodel import Session

from core.channels.email import Email
from core.channels.message import Facts, word
from core.channels.outcome import Envelope, Outcome, Reason, Sender
from core.channels.slack import Slack
from core.channels.targets import endpoint_name, mask
from core.clock import SystemClock, from_micros, micros
from core.model import ChannelKind, Delivery, Event
from core.queueing import in_app_row, insert_notifications
from core.settings import Settings
from core.store import Record, Store, holder

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=30)
PATIENCE = timedelta(hours=24)
CLAIM = timedelta(minutes=2)
"""Longer than any one send may take; a claim that old belongs to a process that died."""
ROUND = 20
"""The most messages of one endpoint in one round, so that a backlog for one does not hold up the others."""

DUE = """
SELECT id FROM (
  SELECT id, ROW_NUMBER() OVER (
    PARTITION BY channel, CASE WHEN channel = 'email' THEN '' ELSE recipient END ORDER BY due_at, id) AS place
  FROM notification WHERE state IN ('queued', 'sending') AND channel <> 'in_app' AND due_at <= :now
    AND (claimed_until IS NULL OR claimed_until <= :now)) AS ranked
WHERE place <= :round
"""
CLAIM_DUE = """
UPDATE notification SET state = 'sending', claimed_by = :claim, claimed_until = :until
WHERE id IN (SELECT id FROM notification WHERE id IN ({due}) {locked})
  AND state IN ('queued', 'sending') AND (claimed_until IS NULL OR claimed_until <= :now)
RETURNING fold
"""
CLAIM_FOLDS = """
UPDATE notification SET state = 'sending', claimed_by = :claim, claimed_until = :until
WHERE fold IN :folds AND state = 'queued' AND channel <> 'in_app'
"""
CLAIMED = """
SELECT n.id, n.alert_id, n.event, n.channel, n.channel_id, n.recipient, n.body, n.fold, n.attempts, n.created_at,
       n.last_error, ch.broken_since, ch.broken_answer
FROM notification n LEFT JOIN alert_channel ch ON ch.id = n.channel_id
WHERE n.claimed_by = :claim AND n.state = 'sending' ORDER BY n.due_at, n.id
"""
SETTLE = """
UPDATE notification SET state = :state, attempts = attempts + :tried, last_error = :error, due_at = :due,
  sent_at = :sent, claimed_by = NULL, claimed_until = NULL
WHERE id IN :ids AND claimed_by = :claim AND state = 'sending'
"""
DROP_MUTED = """
UPDATE notification SET state = 'dropped' WHERE id IN :ids AND state = 'queued'
  AND alert_id IN (SELECT id FROM alert WHERE muted_until > :now)
"""
HOLD_OTHERS = """
UPDATE notification SET due_at = :until WHERE state = 'queued' AND due_at < :until AND channel = :channel
  AND (channel = 'email' OR recipient = :recipient)
"""
HEALTH = """
INSERT INTO endpoint (name, held_until, last_at, last_ok, last_answer) VALUES (:name, :held, :at, :ok, :answer)
ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until, last_at = excluded.last_at,
  last_ok = excluded.last_ok, last_answer = excluded.last_answer
"""
BREAK = """
UPDATE alert_channel SET broken_since = :now, broken_answer = :answer
WHERE id IN :ids AND broken_since IS NULL RETURNING id
"""
MEND = "UPDATE alert_channel SET broken_since = NULL, broken_answer = NULL WHERE id IN :ids"
CREATORS = """
SELECT a.id, a.created_by, m.email, m.name, c.slug, c.name, a.kind, a.threshold
FROM alert a JOIN member m ON m.id = a.created_by JOIN connection c ON c.id = a.connection_id WHERE a.id IN :alerts
"""


@dataclass(frozen=True, slots=True)
class Senders:
    """What carries messages. `email` is None while no mail server is set; `smtp_server` is its `host:port`."""

    email: Sender | None
    slack: Sender
    smtp_server: str = ""


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


@dataclass(frozen=True, slots=True)
class _Letter:
    """Claimed rows that leave as one message."""

    rows: tuple[Record, ...]
    channel: ChannelKind
    recipient: str

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(row.id for row in self.rows)

    @property
    def created_at(self) -> datetime:
        return from_micros(min(row.created_at for row in self.rows))

    @property
    def channels(self) -> list[int]:
        return [row.channel_id for row in self.rows if row.channel_id is not None]


def senders_of(settings: Settings, now: Callable[[], datetime] | None = None) -> Senders:
    """The real senders: the mail server of the settings, and Slack. Raises InvalidInput for a bad TOCSIN_SMTP_URL."""
    slack = Slack(now or SystemClock().now)
    if settings.smtp_url is None:
        return Senders(None, slack)
    email = Email(settings.smtp_url.get_secret_value(), settings.smtp_from)
    return Senders(email, slack, email.server)


async def deliver_due(store: Store, senders: Senders, now: Callable[[], datetime]) -> list[Attempt]:
    """Try every notification that is due once; return what was tried. Endpoints are served side by side."""
    tried: list[Attempt] = []
    while True:
        claim = f"{holder()}:{uuid4().hex}"
        letters = await asyncio.to_thread(_claim, store, claim, now())
        if not letters:
            return tried
        queues: dict[str, list[_Letter]] = defaultdict(list)
        for letter in letters:
            queues[endpoint_name(letter.channel, letter.recipient, senders.smtp_server)].append(letter)
        served = await asyncio.gather(*(
            _serve(store, senders, name, queue, claim, now) for name, queue in queues.items()))
        tried += [attempt for attempts in served for attempt in attempts]


def delay(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failed attempts (1 or more); `chance` from 0 up to 1 jitters it by 0.5 to 1.5."""
    doubled: timedelta = FIRST_DELAY * (1 << min(attempts - 1, 20))
    return min(doubled * (0.5 + chance), LONGEST_DELAY)


def _claim(store: Store, claim: str, now: datetime) -> list[_Letter]:
    with store.read() as session:
        waiting = session.connection().execute(sa.text(DUE), {"now": micros(now), "round": ROUND}).first()
    if waiting is None:
        return []
    with store.write() as session:
        link = session.connection()
        keys = {"claim": claim, "until": micros(now + CLAIM), "now": micros(now), "round": ROUND}
        locked = "" if store.is_sqlite else "FOR UPDATE SKIP LOCKED"
        claimed = link.execute(sa.text(CLAIM_DUE.format(due=DUE, locked=locked)), keys).all()
        folds = sorted({row.fold for row in claimed if row.fold is not None})
        if folds:
            _many(session, CLAIM_FOLDS, folds=folds, claim=claim, until=micros(now + CLAIM))
        rows = link.execute(sa.text(CLAIMED), {"claim": claim}).all()
    letters: dict[object, list[Record]] = defaultdict(list)
    for row in rows:
        letters[row.fold or row.id].append(row)
    return [_Letter(tuple(group), ChannelKind(group[0].channel), group[0].recipient) for group in letters.values()]


async def _serve(
    store: Store, senders: Senders, name: str, letters: Sequence[_Letter], claim: str, now: Callable[[], datetime]
) -> list[Attempt]:
    """Send one endpoint's letters one after the other; when it asks for a pause or is away, the rest goes back."""
    tried: list[Attempt] = []
    held = await asyncio.to_thread(_held_until, store, name, now())
    for letter in letters:
        if held is not None:
            await asyncio.to_thread(_put_back, store, letter, claim, held)
            continue
        outcome = _broken(letter) or await _send(senders, letter)
        state, due = await asyncio.to_thread(_settle, store, name, letter, claim, outcome, now())
        tried.append(Attempt(letter.ids, letter.channel, mask(letter.channel, letter.recipient), state,
                             outcome.reason, outcome.answer))
        if outcome.retry:
            held = due
    return tried


def _broken(letter: _Letter) -> Outcome | None:
    if all(row.broken_since is not None for row in letter.rows):
        said = letter.rows[0].broken_answer
        return Outcome(Reason.REFUSED, f"not sent: the channel is broken since it answered {said}")
    return None


async def _send(senders: Senders, letter: _Letter) -> Outcome:
    sender = senders.slack if letter.channel is ChannelKind.SLACK else senders.email
    if sender is None:
        return Outcome(Reason.NOT_SET_UP, "no TOCSIN_SMTP_URL is set")
    facts = [msgspec.json.decode(row.body, type=Facts) for row in letter.rows]
    return await sender(Envelope(letter.recipient, letter.ids, word(facts), letter.created_at))


def _held_until(store: Store, name: str, now: datetime) -> datetime | None:
    with store.read() as session:
        found = session.connection().execute(
            sa.text("SELECT held_until FROM endpoint WHERE name = :name AND held_until > :now"),
            {"name": name, "now": micros(now)}).scalar()
    return None if found is None else from_micros(found)


def _put_back(store: Store, letter: _Letter, claim: str, due: datetime) -> None:
    with store.write() as session:
        _many(session, SETTLE, ids=letter.ids, claim=claim, state=Delivery.QUEUED.value, tried=0,
              error=letter.rows[0].last_error, due=micros(due), sent=None)


def _settle(
    store: Store, name: str, letter: _Letter, claim: str, outcome: Outcome, now: datetime
) -> tuple[Delivery, datetime]:
    """Write down how one letter went, in one transaction with everything that follows from it."""
    attempts = 1 + max(row.attempts for row in letter.rows)
    wait = max(delay(attempts, random.random()), outcome.hold or timedelta(0))  # jitter, nothing secret
    due = now + wait
    given_up = outcome.retry and due > letter.created_at + PATIENCE
    state = (Delivery.SENT if outcome.sent else
             Delivery.FAILED if given_up or not outcome.retry else Delivery.QUEUED)
    error = None if outcome.sent else (f"gave up after 24 h: {outcome.answer}" if given_up else outcome.answer)
    with store.write() as session:
        _many(session, SETTLE, ids=letter.ids, claim=claim, state=state.value, tried=1, error=error, due=micros(due),
              sent=micros(now) if outcome.sent else None)
        if state is Delivery.QUEUED:
            _many(session, DROP_MUTED, ids=letter.ids, now=micros(now))
        if _broken(letter) is None:
            _note_health(session, name, letter, outcome, now)
        if state is Delivery.FAILED:
            _note_failure(session, letter, outcome, given_up, now)
    return state, due


def _note_health(session: Session, name: str, letter: _Letter, outcome: Outcome, now: datetime) -> None:
    until = None if outcome.hold is None else micros(now + outcome.hold)
    session.connection().execute(sa.text(HEALTH).bindparams(sa.bindparam("ok", type_=sa.Boolean())), {
        "name": name, "held": until, "at": micros(now), "ok": outcome.sent, "answer": outcome.answer})
    if until is not None:
        session.connection().execute(sa.text(HOLD_OTHERS), {
            "until": until, "channel": letter.channel.value, "recipient": letter.recipient})


def _note_failure(session: Session, letter: _Letter, outcome: Outcome, given_up: bool, now: datetime) -> None:
    """Mark refused channels broken, and tell each creator once, in the bell."""
    failed = set(letter.channels)
    if not given_up and failed:
        failed = {row[0] for row in _many(session, BREAK, ids=sorted(failed), now=micros(now), answer=outcome.answer)}
    alerts = sorted({row.alert_id for row in letter.rows if row.alert_id is not None and row.channel_id in failed})
    if not alerts:
        return
    where = {ChannelKind.EMAIL: "The email channel", ChannelKind.SLACK: "The Slack channel"}[letter.channel]
    end = "It was tried for 24 h." if given_up else "Nothing more is sent there until it is edited or a test succeeds."
    text = f"{where} {mask(letter.channel, letter.recipient)} does not take messages: {outcome.answer}. {end}"
    rows, told = [], set()
    for alert, member, email, name, slug, connection, kind, threshold in _many(session, CREATORS, alerts=alerts):
        if member in told:
            continue
        told.add(member)
        facts = Facts(event=Event.CHANNEL_FAILED.value, kind=kind, alert=alert, connection=slug,
                      connection_name=connection, threshold=threshold, set_by=name, set_by_email=email, text=text)
        rows.append(in_app_row(event=Event.CHANNEL_FAILED, member=member, email=email, facts=facts,
                               occasion=micros(now), now=now, alert=alert))
    insert_notifications(session, rows)


def _many(session: Session, sql: str, **keys: object) -> sa.CursorResult[*tuple[Any, ...]]:
    clause = sa.text(sql)
    for name, value in keys.items():
        if isinstance(value, (list, tuple)):
            clause = clause.bindparams(sa.bindparam(name, expanding=True))
            keys[name] = list(value)
    return session.connection().execute(clause, keys)
