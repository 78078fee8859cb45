"""Alerts as rows ready for a table: one query for the alerts, one for their channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.access import Action, Actor, sees_targets, why_not
from core.alert_spec import AlertSpec, ChannelSpec
from core.channels.targets import mask
from core.clock import from_micros, iso, micros
from core.rules import percent_text
from core.store import Record, Session
from core.terms import AlertKind, Baseline, ChannelKind, Direction

ALERTS = """
SELECT a.id, a.kind, c.slug, c.name, s.name AS source_name, a.threshold, a.direction, a.baseline, a.min_events,
       a.reminder_hours, a.say_resolved, a.enabled, a.muted_until, a.verdict, a.created_by, m.email, m.name AS creator,
       a.created_at, a.disabled_reason, c.enabled AND c.removed_at IS NULL AS running, c.stale_since, i.opened_at,
       (SELECT MAX(n.sent_at) FROM notification n WHERE n.alert_id = a.id AND n.state = 'sent'
        AND n.event IN ('opened', 'reminder', 'resolved')) AS last_sent
FROM alert a JOIN connection c ON c.id = a.connection_id LEFT JOIN connection s ON s.id = c.source_id
JOIN member m ON m.id = a.created_by LEFT JOIN incident i ON i.alert_id = a.id AND i.closed_at IS NULL
WHERE a.deleted_at IS NULL AND (:slug = '' OR (c.slug = :slug AND c.removed_at IS NULL))
  AND (:alert = 0 OR a.id = :alert)
ORDER BY CASE WHEN i.id IS NULL OR a.muted_until > :now THEN 1 ELSE 0 END, a.created_at DESC, a.id DESC
"""
CHANNELS = """
SELECT ch.alert_id, ch.id, ch.kind, ch.target, ch.label, ch.broken_since, ch.broken_answer
FROM alert_channel ch JOIN alert a ON a.id = ch.alert_id JOIN connection c ON c.id = a.connection_id
WHERE ch.removed_at IS NULL AND a.deleted_at IS NULL AND (:slug = '' OR c.slug = :slug)
  AND (:alert = 0 OR a.id = :alert)
ORDER BY ch.id
"""
TITLES = {AlertKind.SOURCE_VOLUME: "Source volume", AlertKind.DELIVERY_RATE: "Successful delivery rate"}
CHANGES = {Direction.BOTH: "spikes or drops", Direction.DROP: "drops", Direction.SPIKE: "spikes"}
AGAINST = {Baseline.DAY_BEFORE: "the 24 h before", Baseline.WEEK_BEFORE: "the same 24 h a week before"}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel of an alert; `recipient` is masked, and None where the member may not see it."""

    id: int
    kind: ChannelKind
    recipient: str | None
    label: str | None
    broken_since: datetime | None
    broken_answer: str | None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert, ready for a table, a form and a menu. Times are UTC.

    `state` is firing, ok, learning, no_data, too_few, unknown, disabled, muted, or new before its first pass.
    """

    id: int
    kind: AlertKind
    connection: str
    connection_name: str
    source_name: str | None
    spec: AlertSpec
    state: str
    firing_since: datetime | None
    stale_since: datetime | None
    muted_until: datetime | None
    created_by_id: int
    created_by: str
    created_by_name: str
    created_at: datetime
    disabled_reason: str | None
    last_sent_at: datetime | None
    channels: tuple[ChannelRow, ...]
    refused: dict[Action, str | None]
    """For each action, why this member may not do it; None where they may."""

    @property
    def title(self) -> str:
        """What kind of alert it is, in the reference page's words."""
        return TITLES[self.kind]

    @property
    def explanation(self) -> str:
        """One line on what it listens for."""
        spec = self.spec
        least = f", from {spec.min_events:,} events" if spec.min_events else ""
        if self.kind is AlertKind.DELIVERY_RATE:
            return f"falls below the threshold over 24 h{least}"
        return f"{CHANGES[spec.direction]} against {AGAINST[spec.baseline]}{least}"

    def as_json(self) -> dict[str, object]:
        """The object of `alert create|show|list --json` (product page, section 6)."""
        spec = self.spec
        return {
            "id": self.id, "kind": self.kind.value, "connection": self.connection,
            "threshold_percent": percent_text(spec.threshold), "enabled": spec.enabled, "created_by": self.created_by,
            "channels": [
                {"kind": channel.kind.value, "recipient": channel.recipient, "label": channel.label,
                 "broken_since": iso(channel.broken_since), "broken_answer": channel.broken_answer}
                for channel in self.channels],
            "state": self.state, "firing_since": iso(self.firing_since), "muted_until": iso(self.muted_until),
            "direction": spec.direction.value, "baseline": spec.baseline.value, "min_events": spec.min_events,
            "reminder": f"{spec.reminder_hours}h" if spec.reminder_hours else "off", "say_resolved": spec.say_resolved,
            "created_at": iso(self.created_at), "last_sent_at": iso(self.last_sent_at),
            "stale_since": iso(self.stale_since), "disabled_reason": self.disabled_reason,
        }


def alert_rows(
    session: Session, actor: Actor, now: datetime, *, slug: str | None = None, alert_id: int | None = None
) -> list[AlertRow]:
    """Alerts of a connection, or one, or all, firing first, then newest first."""
    keys = {"slug": slug or "", "alert": alert_id or 0, "now": micros(now)}
    channels: dict[int, list[Record]] = {}
    for row in session.connection().execute(sa.text(CHANNELS), keys):
        channels.setdefault(row[0], []).append(row)
    rows = session.connection().execute(sa.text(ALERTS), keys)
    return [_alert(row, channels.get(row.id, []), actor, micros(now)) for row in rows]


def _alert(
    row: Record, channels: list[Record], actor: Actor, now: int
) -> AlertRow:
    visible = sees_targets(actor, row.created_by)
    specs = tuple(ChannelSpec(ChannelKind(channel.kind), channel.target if visible else None, channel.label)
                  for channel in channels)
    spec = AlertSpec(
        AlertKind(row.kind), row.threshold, specs, Direction(row.direction), Baseline(row.baseline), row.min_events,
        row.reminder_hours, bool(row.say_resolved), bool(row.enabled))
    muted = row.muted_until is not None and row.muted_until > now
    return AlertRow(
        id=row.id, kind=spec.kind, connection=row.slug, connection_name=row.name, source_name=row.source_name,
        spec=spec, state=_state(row, muted), firing_since=_moment(row.opened_at), stale_since=_moment(row.stale_since),
        muted_until=_moment(row.muted_until) if muted else None, created_by_id=row.created_by, created_by=row.email,
        created_by_name=row.creator, created_at=from_micros(row.created_at), disabled_reason=row.disabled_reason,
        last_sent_at=_moment(row.last_sent), channels=tuple(_channel(channel, visible) for channel in channels),
        refused={action: why_not(actor, action, row.created_by, row.creator) for action in Action})


def _state(row: Record, muted: bool) -> str:
    if not row.enabled or not row.running:
        return "disabled"
    if muted:
        return "muted"
    if row.opened_at is not None:
        return "firing"
    if row.verdict is None or row.verdict == "disabled":
        return "new"
    # Breached without an incident is an alert that is about to be judged again.
    return "new" if row.verdict == "breached" else str(row.verdict)


def _channel(row: Record, visible: bool) -> ChannelRow:
    kind = ChannelKind(row.kind)
    recipient = mask(kind, row.target) if visible and row.target else None
    return ChannelRow(row.id, kind, recipient, row.label, _moment(row.broken_since), row.broken_answer)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)
