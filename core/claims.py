"""Notification rows on their way: claimed by one process for a while, and settled with what came of it.

A claim is a conditional UPDATE … RETURNING with an expiry. Two processes never claim the same row: on PostgreSQL a
claim is found with FOR UPDATE SKIP LOCKED, on SQLite there is one writer at a time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from core.channels.message import Facts, word
from core.channels.outcome import Envelope
from core.channels.senders import AT_ONCE, Senders, place_of
from core.clock import from_micros, micros
from core.incidents import drop_queued
from core.queueing import tell_given_up
from core.store import Record, Session, Store
from core.terms import ChannelKind, Delivery, Event

CLAIM = timedelta(minutes=2)
"""Longer than any try may take, so that only a dead process loses its claim."""
GIVE_UP = timedelta(hours=24)
LOOK = 64
FREE = """
n.state IN ('queued', 'sending') AND n.channel <> 'in_app' AND n.due_at <= :now
AND (n.claimed_until IS NULL OR n.claimed_until <= :now) AND (n.claimed_by IS NULL OR n.claimed_by <> :round)
"""
NEXT = f"""
SELECT n.id, n.fold FROM notification n LEFT JOIN alert_channel ch ON ch.id = n.channel_id
WHERE {FREE} AND n.id IN (SELECT MIN(n.id) FROM notification n WHERE {FREE} GROUP BY COALESCE(fold, CAST(id AS TEXT)))
  AND (n.channel <> 'email' OR NOT :mail_full)
  AND (n.channel <> 'slack' OR COALESCE(ch.target, n.recipient) NOT IN :full)
ORDER BY n.due_at, n.id LIMIT :look
"""
ROWS = f"""
SELECT n.id, n.fold, n.alert_id, n.event, n.channel, n.channel_id, COALESCE(ch.target, n.recipient) AS target, n.body,
  n.occasion, n.attempts, n.created_at, ch.broken_since, ch.broken_answer,
  CASE WHEN ch.removed_at IS NOT NULL OR (n.attempts = 0 AND (a.deleted_at IS NOT NULL OR NOT a.enabled
       OR NOT c.enabled OR c.removed_at IS NOT NULL)) THEN 1 ELSE 0 END AS gone,
  CASE WHEN a.muted_until > :now THEN 1 ELSE 0 END AS muted
FROM notification n LEFT JOIN alert_channel ch ON ch.id = n.channel_id LEFT JOIN alert a ON a.id = n.alert_id
LEFT JOIN connection c ON c.id = a.connection_id
WHERE {FREE} AND (n.id IN :ids OR n.fold IN :folds) ORDER BY n.id
"""
TAKE = """
UPDATE notification SET state = 'sending', claimed_by = :round, claimed_until = :until, attempts = attempts + 1,
  recipient = COALESCE((SELECT ch.target FROM alert_channel ch WHERE ch.id = notification.channel_id), recipient)
WHERE id IN :ids AND state IN ('queued', 'sending') AND (claimed_until IS NULL OR claimed_until <= :now) RETURNING id
"""
HELD = "SELECT name, held_until, last_answer FROM endpoint WHERE held_until > :now"
HOLD = """
UPDATE notification SET state = CASE WHEN created_at <= :expired AND attempts > 0 THEN 'failed' ELSE 'queued' END,
  last_error = CASE WHEN created_at <= :expired AND attempts > 0 THEN :given_up ELSE :answer END,
  due_at = :until, claimed_until = NULL
WHERE state IN ('queued', 'sending') AND (claimed_until IS NULL OR claimed_until <= :now) AND due_at < :until
  AND channel = :channel AND (:target = '' OR id IN :ids OR recipient = :target) RETURNING id, state
"""
END = "UPDATE notification SET state = :state, last_error = :answer, claimed_until = NULL WHERE id IN :ids"
SETTLE = """
UPDATE notification SET state = :state, due_at = COALESCE(:due, due_at), sent_at = :sent_at, last_error = :error,
  claimed_until = NULL
WHERE id IN :ids AND claimed_by = :round AND state = 'sending' RETURNING id
"""
RELEASE = """
UPDATE notification SET state = 'queued', claimed_until = NULL WHERE claimed_by = :round AND state = 'sending'
"""
HEALTH = """
INSERT INTO endpoint (name, held_until, last_at, last_ok, last_answer) VALUES (:name, :held, :at, :ok, :answer)
ON CONFLICT (name) DO UPDATE SET held_until = COALESCE(excluded.held_until, endpoint.held_until),
  last_at = excluded.last_at, last_ok = excluded.last_ok, last_answer = excluded.last_answer
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One claimed notification."""

    id: int
    alert: int | None
    event: Event
    channel_id: int | None
    body: str
    occasion: int
    tries: int
    """Counting the one that begins now."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """One message: a notification, or a storm's notifications that leave together and share the outcome."""

    channel: ChannelKind
    target: str
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        """Without the target: it may be a secret."""
        return f"Unit({self.channel.value}, {[row.id for row in self.rows]})"

    @property
    def ids(self) -> list[int]:
        """The ids of its rows."""
        return [row.id for row in self.rows]

    def envelope(self, at: datetime) -> Envelope:
        """What to send. Every try of the same rows has the same identity."""
        first = self.rows[0]
        digest = hashlib.sha256(f"{first.id} {first.occasion} {first.body}".encode()).hexdigest()[:24]
        told = [msgspec.json.decode(row.body, type=Facts) for row in self.rows]
        return Envelope(word(told), self.target, f"tocsin.{first.id}.{digest}", at)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one look at the queue came to. `moved` counts rows that were put off or ended without being sent."""

    units: list[Unit]
    moved: int


def claim(store: Store, senders: Senders, claimer: str, now: datetime, room: int) -> Claimed:
    """Claim up to `room` messages that are due, for servers that have room; put off those of a held server.

    `claimer` is one round of delivery: it never gets a row twice. The caller sends and settles every unit.
    """
    keys: dict[str, object] = {"now": micros(now), "round": claimer}
    with store.write() as session:
        full = senders.full()
        urls = [url for kind, url in full if kind is ChannelKind.SLACK]
        suffix = "" if store.is_sqlite else " FOR UPDATE OF n SKIP LOCKED"
        leaders = _run(session, NEXT + suffix, keys | {
            "mail_full": (ChannelKind.EMAIL, "") in full, "full": urls, "look": LOOK}).all()
        if not leaders:
            return Claimed([], 0)
        found = _run(session, ROWS, keys | {
            "ids": [row[0] for row in leaders], "folds": sorted({row[1] for row in leaders if row[1]})}).all()
        going, moved = _sort_out(session, found, keys)
        units = list(_units(going))
        held = {row[0]: (row[1], row[2]) for row in _run(session, HELD, {"now": micros(now)})}
        ready = []
        for unit in units:
            pause = held.get(senders.endpoint(unit.channel, unit.target))
            if pause is None:
                ready.append(unit)
            else:
                moved += _put_off(session, unit, pause[0], pause[1], now)
        return Claimed(_take(session, list(_fitting(ready, senders, room)), claimer, now), moved)


def _sort_out(session: Session, found: Sequence[Record], keys: dict[str, object]) -> tuple[list[Record], int]:
    """Leave out what must not be sent: of a removed channel or a muted alert, and of a channel known to be broken."""
    going, gone, muted, broken = [], [], set(), []
    for row in found:
        if row.event == Event.TEST.value:
            going.append(row)
        elif row.gone:
            gone.append(row.id)
        elif row.muted:
            muted.add(row.alert_id)
        elif row.broken_since is not None:
            broken.append(row)
        else:
            going.append(row)
    if gone:
        _run(session, END, {"ids": gone, "state": Delivery.DROPPED.value, "answer": "nobody is to be told any more"})
    for alert in sorted(muted):
        # Its claim, if it had one, has run out with the process that held it.
        _run(session, END, {"ids": [row.id for row in found if row.alert_id == alert and row.muted],
                            "state": Delivery.QUEUED.value, "answer": "muted"})
        drop_queued(session, alert)
    for answer, ids in _by_answer(broken).items():
        _run(session, END, {"ids": ids, "state": Delivery.FAILED.value, "answer":
                            f"not sent: this channel stopped working ({answer}); edit it, or send a test"})
    return going, len(found) - len(going)


def _by_answer(rows: Iterable[Record]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(str(row.broken_answer), []).append(row.id)
    return found


def _units(rows: Iterable[Record]) -> Iterator[Unit]:
    groups: dict[tuple[object, str, str], list[Record]] = {}
    for row in rows:
        # An edited channel may part a storm's rows.
        groups.setdefault((row.fold or row.id, row.channel, row.target), []).append(row)
    for (_, kind, target), members in groups.items():
        yield Unit(ChannelKind(kind), target, tuple(
            Row(row.id, row.alert_id, Event(row.event), row.channel_id, row.body, row.occasion, row.attempts + 1,
                from_micros(row.created_at)) for row in members))


def _fitting(units: Iterable[Unit], senders: Senders, room: int) -> Iterator[Unit]:
    """Those units for which there is room, in all and at their server."""
    more: Counter[tuple[ChannelKind, str]] = Counter()
    for unit in units:
        place = place_of(unit.channel, unit.target)
        if more.total() < room and senders.busy[place] + more[place] < AT_ONCE[unit.channel]:
            more[place] += 1
            yield unit


def _take(session: Session, units: list[Unit], claimer: str, now: datetime) -> list[Unit]:
    ids = [number for unit in units for number in unit.ids]
    if not ids:
        return []
    taken = {row[0] for row in _run(session, TAKE, {
        "ids": ids, "round": claimer, "until": micros(now + CLAIM), "now": micros(now)})}
    kept = (Unit(unit.channel, unit.target, tuple(row for row in unit.rows if row.id in taken)) for unit in units)
    return [unit for unit in kept if unit.rows]


def _put_off(session: Session, unit: Unit, until: int, answer: str, now: datetime) -> int:
    """Let everything for a held server wait; what is older than a day and was tried before is given up."""
    moved = _run(session, HOLD, {
        "until": until, "answer": answer, "given_up": given_up(answer), "now": micros(now),
        "expired": micros(now - GIVE_UP), "ids": unit.ids, "channel": unit.channel.value,
        "target": unit.target if unit.channel is ChannelKind.SLACK else "",
    }).all()
    tell_given_up(session, [row.id for row in moved if row.state == Delivery.FAILED.value], answer, now)
    return len(moved)


def given_up(answer: str) -> str:
    """The last error of a notification that is not tried again, because a day of tries is over."""
    return f"{answer}; given up after 24 h"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a unit's rows. `due` is set when they are tried again."""

    state: Delivery
    error: str | None
    due: datetime | None = None


def settle(session: Session, unit: Unit, fate: Fate, claimer: str, at: datetime) -> list[int]:
    """Write `fate` into the rows that are still claimed by `claimer`; return their ids."""
    return [row[0] for row in _run(session, SETTLE, {
        "ids": unit.ids, "round": claimer, "state": fate.state.value, "error": fate.error,
        "due": None if fate.due is None else micros(fate.due),
        "sent_at": micros(at) if fate.state is Delivery.SENT else None})]


def release(store: Store, claimer: str) -> None:
    """Give back what `claimer` still holds, so that it need not wait for the claim to expire."""
    with store.write() as session:
        _run(session, RELEASE, {"round": claimer})


def note_health(session: Session, name: str, at: datetime, ok: bool, answer: str, held: datetime | None) -> None:
    """Keep how a server last answered, and until when it wants to be left alone."""
    _run(session, HEALTH, {"name": name, "at": micros(at), "ok": ok, "answer": answer,
                           "held": None if held is None else micros(held)})


def _run(session: Session, sql: str, keys: dict[str, object]) -> sa.CursorResult[*tuple[Any, ...]]:
    clause = sa.text(sql)
    lists: list[sa.BindParameter[Any]] = [
        # An empty list needs its type: PostgreSQL compares it with a column.
        sa.bindparam(name, expanding=True, type_=sa.BigInteger() if name == "ids" else sa.Text())
        for name, value in keys.items() if isinstance(value, list) and f":{name}" in sql]
    return session.connection().execute(clause.bindparams(*lists), {
        name: value for name, value in keys.items() if f":{name}" in sql})
