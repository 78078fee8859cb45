"""Incidents and notifications as people see them, and the ends that are not a pass's: edits, removals, reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from core.access import Actor, sees_targets
from core.channels.message import Facts, sentence
from core.channels.targets import mask
from core.clock import from_micros, iso, micros
from core.errors import InvalidInput, NotAllowed, NotFound
from core.rules import change_percent, rate_percent
from core.store import Record, Session
from core.terms import AlertKind, ChannelKind, CloseReason, Delivery, Event

INCIDENTS = """
SELECT i.id, i.alert_id, a.kind, c.slug, c.name, i.opened_at, i.closed_at, i.close_reason, i.threshold, i.current,
       i.baseline, i.delivered, i.failed, i.worst_current, i.worst_baseline,
       (SELECT COUNT(*) FROM notification n WHERE n.incident_id = i.id AND n.state = 'sent'),
       (SELECT COUNT(*) FROM notification n WHERE n.incident_id = i.id AND n.state = 'failed'),
       (SELECT COUNT(*) FROM notification n WHERE n.incident_id = i.id AND n.state IN ('queued', 'sending'))
FROM incident i JOIN alert a ON a.id = i.alert_id JOIN connection c ON c.id = a.connection_id
WHERE (NOT :open_only OR i.closed_at IS NULL) AND (:slug = '' OR c.slug = :slug) AND (:alert = 0 OR a.id = :alert)
ORDER BY CASE WHEN i.closed_at IS NULL THEN 0 ELSE 1 END, i.opened_at DESC, i.id DESC LIMIT :limit
"""
NOTIFICATIONS = """
SELECT n.id, n.alert_id, n.incident_id, n.event, n.channel, n.recipient, n.state, n.attempts, n.last_error,
       n.created_at, n.sent_at, n.read_at, n.body, n.member_id, n.due_at, a.created_by
FROM notification n LEFT JOIN alert a ON a.id = n.alert_id
WHERE (NOT :unread OR (n.channel = 'in_app' AND n.read_at IS NULL AND n.member_id = :actor))
  AND (NOT :failed OR n.state = 'failed') AND (:incident = 0 OR n.incident_id = :incident)
  AND (:alert = 0 OR n.alert_id = :alert)
  AND (:bell_of = 0 OR (n.channel = 'in_app' AND n.member_id = :bell_of))
  AND (n.channel <> 'in_app' OR n.member_id = :actor OR n.alert_id IS NOT NULL)
ORDER BY n.created_at DESC, n.id DESC LIMIT :limit
"""
UNREAD = """
SELECT COUNT(*) FROM notification WHERE channel = 'in_app' AND member_id = :member AND read_at IS NULL
"""
READ_ALL = """
UPDATE notification SET read_at = :now WHERE channel = 'in_app' AND member_id = :member AND read_at IS NULL
"""
RETRY = """
UPDATE notification SET state = 'queued', due_at = :now, created_at = :now, attempts = 0
WHERE id = :id AND state = 'failed' RETURNING channel_id
"""
REVIVE = "UPDATE alert_channel SET broken_since = NULL, broken_answer = NULL WHERE id = :id"
CLOSE = """
UPDATE incident SET closed_at = :now, close_reason = :reason WHERE closed_at IS NULL AND alert_id IN :alerts
"""
DROP_UNTRIED = """
UPDATE notification SET state = 'dropped' WHERE state = 'queued' AND attempts = 0 AND alert_id IN :alerts
"""
OF_CONNECTION = "SELECT id FROM alert WHERE connection_id = :connection AND deleted_at IS NULL"
EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident, ready for a table. Times are UTC; `threshold` is in basis points; `worst` is a percentage."""

    id: int
    alert: int
    kind: AlertKind
    connection: str
    connection_name: str
    opened_at: datetime
    closed_at: datetime | None
    close_reason: CloseReason | None
    threshold: int
    current: int
    baseline: int | None
    delivered: int | None
    failed: int | None
    worst: Decimal | None
    """The change, or the rate, furthest from the threshold; None for a change from nothing."""
    sent: int
    undelivered: int
    waiting: int

    def as_json(self) -> dict[str, object]:
        """The item of `incident list --json`."""
        return {
            "id": self.id, "alert": self.alert, "kind": self.kind.value, "connection": self.connection,
            "opened_at": iso(self.opened_at), "closed_at": iso(self.closed_at),
            "close_reason": None if self.close_reason is None else self.close_reason.value,
            "threshold_percent": str(Decimal(self.threshold) / 100), "current": self.current,
            "baseline": self.baseline, "delivered": self.delivered, "failed": self.failed,
            "worst_percent": None if self.worst is None else str(self.worst),
            "sent": self.sent, "failed_notifications": self.undelivered, "waiting": self.waiting,
        }


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """One notification, ready for a table; `recipient` is masked, or None when the member may not see it."""

    id: int
    alert: int | None
    incident: int | None
    event: Event
    channel: ChannelKind
    recipient: str | None
    state: Delivery
    attempts: int
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    due_at: datetime
    facts: Facts
    sentence: str

    def as_json(self) -> dict[str, object]:
        """The item of `notification list --json` (product page, section 6)."""
        return {
            "id": self.id, "alert": self.alert, "incident": self.incident, "event": self.event.value,
            "channel": self.channel.value, "recipient": self.recipient, "state": self.state.value,
            "attempts": self.attempts, "last_error": self.last_error, "created_at": iso(self.created_at),
            "sent_at": iso(self.sent_at), "read_at": iso(self.read_at), "text": self.sentence,
        }


def list_incidents(
    session: Session, actor: Actor, *, open_only: bool = False, slug: str | None = None, alert_id: int | None = None,
    limit: int | None = None,
) -> list[IncidentRow]:
    """Incidents, open ones first, then newest first. Everybody in the workspace sees all of them."""
    del actor
    rows = session.connection().execute(sa.text(INCIDENTS), {
        "open_only": open_only, "slug": slug or "", "alert": alert_id or 0, "limit": limit or EVERYTHING})
    return [_incident(row) for row in rows]


def _incident(row: Record) -> IncidentRow:
    (identity, alert, kind, slug, name, opened, closed, reason, threshold, current, baseline, delivered, failed,
     worst_current, worst_baseline, sent, undelivered, waiting) = tuple(row)
    rate = kind == AlertKind.DELIVERY_RATE.value
    worst = (rate_percent(_int(worst_current), _int(worst_baseline) - _int(worst_current)) if rate
             else change_percent(_int(worst_current), _int(worst_baseline)))
    return IncidentRow(
        _int(identity), _int(alert), AlertKind(str(kind)), str(slug), str(name), from_micros(_int(opened)),
        _moment(closed), None if reason is None else CloseReason(str(reason)), _int(threshold), _int(current),
        _maybe(baseline), _maybe(delivered), _maybe(failed), worst, _int(sent), _int(undelivered), _int(waiting))


def list_notifications(
    session: Session, actor: Actor, *, unread: bool = False, failed: bool = False, incident_id: int | None = None,
    alert_id: int | None = None, bell_of: int | None = None, limit: int | None = None,
) -> list[NotificationRow]:
    """Notifications, newest first. `unread` are those in the actor's own bell; `bell_of` is a member's id."""
    rows = session.connection().execute(sa.text(NOTIFICATIONS), {
        "unread": unread, "failed": failed, "incident": incident_id or 0, "alert": alert_id or 0,
        "bell_of": bell_of or 0, "actor": actor.id, "limit": limit or EVERYTHING})
    return [_notification(row, actor) for row in rows]


def _notification(row: Record, actor: Actor) -> NotificationRow:
    (identity, alert, incident, event, channel, recipient, state, attempts, error, created, sent, read, body, member,
     due, creator) = tuple(row)
    kind = ChannelKind(str(channel))
    facts = msgspec.json.decode(str(body), type=Facts)
    visible = member == actor.id or creator is None or sees_targets(actor, _int(creator))
    return NotificationRow(
        _int(identity), _maybe(alert), _maybe(incident), Event(str(event)), kind,
        mask(kind, str(recipient)) if visible else None, Delivery(str(state)), _int(attempts),
        None if error is None else str(error), from_micros(_int(created)), _moment(sent), _moment(read),
        from_micros(_int(due)), facts, sentence(facts))


def unread_count(session: Session, member_id: int) -> int:
    """How many notifications in the member's bell are unread."""
    return int(session.connection().execute(sa.text(UNREAD), {"member": member_id}).scalar_one())


def mark_read(session: Session, actor: Actor, ids: Sequence[int] | None, now: datetime) -> int:
    """Mark these of the actor's own notifications read (None: all); return how many were unread.

    Raises NotFound for an id that is not in the actor's bell.
    """
    if ids is None:
        return session.connection().execute(sa.text(READ_ALL), {"now": micros(now), "member": actor.id}).rowcount
    own = "SELECT id FROM notification WHERE channel = 'in_app' AND member_id = :member AND id IN :ids"
    known = {row[0] for row in _among(session, own, "ids", ids, member=actor.id)}
    missing = [identity for identity in ids if identity not in known]
    if missing:
        raise NotFound(f"There is no notification {missing[0]} in your bell.")
    return _among(session, f"{READ_ALL.strip()} AND id IN :ids", "ids", ids, now=micros(now), member=actor.id).rowcount


def retry(session: Session, actor: Actor, notification_id: int, now: datetime) -> None:
    """Queue a notification that was given up once more, with a full day of tries; its channel counts as mended.

    Raises NotFound, InvalidInput when it did not fail, and NotAllowed for others than the creator and owners.
    """
    row = session.connection().execute(sa.text(
        "SELECT n.state, a.created_by FROM notification n LEFT JOIN alert a ON a.id = n.alert_id WHERE n.id = :id"),
        {"id": notification_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no notification {notification_id}.")
    if row[1] is not None and not sees_targets(actor, row[1]):
        raise NotAllowed("Only the alert's creator or a workspace owner can retry its notifications.")
    queued = session.connection().execute(sa.text(RETRY), {"id": notification_id, "now": micros(now)}).one_or_none()
    if queued is None:
        raise InvalidInput(f"Notification {notification_id} is {row[0]}; only a failed one can be tried again.")
    if queued[0] is not None:
        session.connection().execute(sa.text(REVIVE), {"id": queued[0]})


def close_for_connection(session: Session, connection_id: int, reason: CloseReason, now: datetime) -> int:
    """Close the open incidents of a connection's alerts without a message, and drop what is queued and untried."""
    alerts = [row[0] for row in session.connection().execute(sa.text(OF_CONNECTION), {"connection": connection_id})]
    return close_for_alerts(session, alerts, reason, now)


def close_for_alerts(session: Session, alerts: Sequence[int], reason: CloseReason, now: datetime) -> int:
    """Close the open incidents of these alerts without a message; return how many.

    What is queued and untried for them is dropped, except after an edit: that was true when it was queued.
    """
    if not alerts:
        return 0
    closed = _among(session, CLOSE, "alerts", alerts, now=micros(now), reason=reason.value).rowcount
    if reason is not CloseReason.EDITED:
        _among(session, DROP_UNTRIED, "alerts", alerts)
    return closed


def drop_queued(session: Session, alert_id: int) -> None:
    """Drop what waits to be sent for a muted alert; an opening nobody has heard of will be told when the mute ends."""
    link = session.connection()
    link.execute(sa.text("UPDATE notification SET state = 'dropped' WHERE state = 'queued' AND alert_id = :alert"),
                 {"alert": alert_id})
    link.execute(sa.text(
        "UPDATE incident SET told_hour = NULL WHERE alert_id = :alert AND closed_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM notification n WHERE n.incident_id = incident.id AND n.state <> 'dropped')"),
        {"alert": alert_id})


def _among(
    session: Session, sql: str, name: str, values: Sequence[int], **keys: object
) -> sa.CursorResult[*tuple[Any, ...]]:
    clause = sa.text(sql).bindparams(sa.bindparam(name, expanding=True))
    return session.connection().execute(clause, {name: list(values), **keys})


def _int(value: object) -> int:
    return int(str(value))


def _maybe(value: object) -> int | None:
    return None if value is None else _int(value)


def _moment(value: object) -> datetime | None:
    return None if value is None else from_micros(_int(value))
