"""What a person can do with alerts, with the permission asked each time; and alerts as rows ready for a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from core.access import Action, Actor, require
from core.alert_rows import AlertRow, ChannelRow, alert_rows
from core.alert_spec import AlertSpec, ChannelSpec
from core.channels.targets import parse_email, parse_slack_url
from core.errors import InvalidInput, NotFound
from core.incidents import close_for_alerts, drop_queued
from core.model import Alert, AlertChannel, Connection, Member
from core.rules import LARGEST_THRESHOLD
from core.store import Session, take_lease
from core.terms import AlertKind, Baseline, Category, ChannelKind, CloseReason, ConnectionKind, Direction, Mode
from core.watch import LEASE, end_mutes, judge_again

__all__ = ["AlertRow", "AlertSpec", "ChannelRow", "ChannelSpec"]

REMINDERS = (0, 24, 72)


def create_alert(
    session: Session, actor: Actor, slug: str, spec: AlertSpec, now: datetime, slack_hosts: Sequence[str]
) -> int:
    """Create an alert on the connection `slug`; return its id. It is judged by the next pass.

    Raises NotFound for the slug, InvalidInput (with the field) for a value that is not acceptable.
    """
    connection = session.objects.exec(
        select(Connection).where(Connection.slug == slug, col(Connection.removed_at).is_(None))).one_or_none()
    if connection is None:
        raise NotFound(f"There is no connection called {slug}.")
    _check_connection(connection, spec.kind)
    spec = checked(spec, slack_hosts)
    alert = Alert(
        connection_id=_id(connection.id), kind=spec.kind, threshold=spec.threshold, direction=spec.direction,
        baseline=spec.baseline, min_events=spec.min_events, reminder_hours=spec.reminder_hours,
        say_resolved=spec.say_resolved, enabled=spec.enabled, created_by=actor.id, created_at=now)
    session.objects.add(alert)
    session.objects.flush()
    for channel in spec.channels:
        session.objects.add(AlertChannel(
            alert_id=_id(alert.id), kind=channel.kind, target=channel.target, label=channel.label))
    session.objects.flush()
    return _id(alert.id)


def edit_alert(
    session: Session, actor: Actor, alert_id: int, spec: AlertSpec, now: datetime, slack_hosts: Sequence[str]
) -> None:
    """Make the alert as `spec` says. When that changes its verdict, an open incident closes and it is judged at once.

    Raises NotFound, NotAllowed, InvalidInput (with the field).
    """
    alert = _allowed(session, actor, alert_id, Action.EDIT, now)
    if spec.kind is not alert.kind:
        raise InvalidInput("An alert's kind cannot be changed; create another one.", "kind")
    spec = checked(spec, slack_hosts)
    verdict_before = (alert.threshold, alert.direction, alert.baseline, alert.min_events)
    alert.threshold, alert.direction = spec.threshold, spec.direction
    alert.baseline, alert.min_events = spec.baseline, spec.min_events
    alert.reminder_hours, alert.say_resolved = spec.reminder_hours, spec.say_resolved
    _set_channels(session, alert_id, spec.channels, now)
    differs = verdict_before != (alert.threshold, alert.direction, alert.baseline, alert.min_events)
    if spec.enabled != alert.enabled:
        _switch(session, alert, spec.enabled, now)
    session.objects.add(alert)
    session.objects.flush()
    if differs:
        close_for_alerts(session, [alert_id], CloseReason.EDITED, now)
        judge_again(session, [alert_id], now)


def set_enabled(session: Session, actor: Actor, alert_id: int, enabled: bool, now: datetime) -> None:
    """Enable or disable the alert; disabling closes its open incident without a message."""
    alert = _allowed(session, actor, alert_id, Action.ENABLE if enabled else Action.DISABLE, now)
    if alert.enabled != enabled:
        _switch(session, alert, enabled, now)


def mute(session: Session, actor: Actor, alert_id: int, until: datetime, now: datetime) -> None:
    """Send nothing for the alert until `until` (aware); it is still judged, and still shown.

    Raises InvalidInput when `until` is not in the future.
    """
    alert = _allowed(session, actor, alert_id, Action.MUTE, now)
    if until <= now:
        raise InvalidInput("A mute must end in the future.", "until")
    alert.muted_until = until
    session.objects.add(alert)
    session.objects.flush()
    drop_queued(session, alert_id)


def unmute(session: Session, actor: Actor, alert_id: int, now: datetime) -> None:
    """End the alert's mute at once; an incident that is still open notifies."""
    alert = _allowed(session, actor, alert_id, Action.MUTE, now)
    if alert.muted_until is not None:
        alert.muted_until = now
        session.objects.add(alert)
        session.objects.flush()
        end_mutes(session, now, now)


def delete_alert(session: Session, actor: Actor, alert_id: int, now: datetime) -> None:
    """Delete the alert; its open incident closes without a message and its history stays."""
    alert = _allowed(session, actor, alert_id, Action.DELETE, now)
    close_for_alerts(session, [alert_id], CloseReason.ALERT_DELETED, now)
    alert.deleted_at = now
    session.objects.add(alert)
    session.objects.flush()


def list_alerts(
    session: Session, actor: Actor, *, slug: str | None = None, state: str | None = None, now: datetime
) -> list[AlertRow]:
    """Every alert (of one connection, in one state), firing first, as rows ready for a table."""
    if slug is not None and session.objects.exec(select(Connection.id).where(
            Connection.slug == slug, col(Connection.removed_at).is_(None))).first() is None:
        raise NotFound(f"There is no connection called {slug}.")
    rows = alert_rows(session, actor, now, slug=slug)
    return [row for row in rows if state is None or row.state == state]


def get_alert(session: Session, actor: Actor, alert_id: int, now: datetime) -> AlertRow:
    """One alert as a row. Raises NotFound."""
    rows = alert_rows(session, actor, now, alert_id=alert_id)
    if not rows:
        raise NotFound(f"There is no alert {alert_id}.")
    return rows[0]


def checked(spec: AlertSpec, slack_hosts: Sequence[str]) -> AlertSpec:
    """The same alert with its channels in their normal form. Raises InvalidInput, with the field, for what is wrong."""
    largest = LARGEST_THRESHOLD[spec.kind]
    if not 1 <= spec.threshold <= largest:
        raise InvalidInput(f"The percentage must be between 0.01 and {largest // 100} %.", "threshold")
    if not 0 <= spec.min_events <= 10**15:
        raise InvalidInput("The minimum number of events must be 0 or more.", "min_events")
    if spec.reminder_hours not in REMINDERS:
        raise InvalidInput("A reminder is off, every 24 h or every 72 h.", "reminder")
    if spec.kind is AlertKind.DELIVERY_RATE and (
            spec.direction is not Direction.BOTH or spec.baseline is not Baseline.DAY_BEFORE):
        raise InvalidInput("Direction and baseline belong to source volume alerts.", "direction")
    if not spec.channels:
        raise InvalidInput("Choose at least one channel: email, Slack or in-app.", "channels")
    if len({channel.kind for channel in spec.channels}) != len(spec.channels):
        raise InvalidInput("An alert has at most one channel of each kind.", "channels")
    return changed(spec, channels=tuple(_checked_channel(channel, slack_hosts) for channel in spec.channels))


def _checked_channel(channel: ChannelSpec, slack_hosts: Sequence[str]) -> ChannelSpec:
    if channel.kind is ChannelKind.IN_APP:
        return ChannelSpec(ChannelKind.IN_APP)
    target = (channel.target or "").strip()
    if channel.kind is ChannelKind.EMAIL:
        return ChannelSpec(ChannelKind.EMAIL, parse_email(target))
    parse_slack_url(target, slack_hosts)
    label = " ".join((channel.label or "").split())
    if len(label) > 80 or not label.isprintable():
        raise InvalidInput("A Slack channel's name has at most 80 printable characters.", "slack_channel")
    return ChannelSpec(ChannelKind.SLACK, target, label or None)


def _check_connection(connection: Connection, kind: AlertKind) -> None:
    if kind is AlertKind.SOURCE_VOLUME:
        if connection.kind is not ConnectionKind.SOURCE:
            raise InvalidInput(f"{connection.slug} is a destination; a source volume alert watches a source.", "source")
        if connection.category is not Category.EVENT_STREAMS:
            raise InvalidInput(f"{connection.slug} is not an event-streams source; only those carry alerts.", "source")
    elif connection.kind is not ConnectionKind.DESTINATION:
        raise InvalidInput(f"{connection.slug} is a source; a delivery rate alert watches a destination.",
                           "destination")
    elif connection.mode is not Mode.CLOUD:
        raise InvalidInput(f"{connection.slug} is a device-mode destination; only cloud-mode ones carry alerts.",
                           "destination")


def _allowed(session: Session, actor: Actor, alert_id: int, action: Action, now: datetime) -> Alert:
    """The alert, held against a pass until the transaction ends, when `actor` may do `action` to it."""
    take_lease(session, LEASE, now)
    found = session.objects.exec(select(Alert, Member).where(
        Alert.id == alert_id, col(Alert.deleted_at).is_(None), Alert.created_by == Member.id)).one_or_none()
    if found is None:
        raise NotFound(f"There is no alert {alert_id}.")
    alert, creator = found
    require(actor, action, alert.created_by, creator.name)
    return alert


def _switch(session: Session, alert: Alert, enabled: bool, now: datetime) -> None:
    alert.enabled, alert.disabled_reason, alert.judged_hour = enabled, None, None
    session.objects.add(alert)
    session.objects.flush()
    if not enabled:
        close_for_alerts(session, [_id(alert.id)], CloseReason.ALERT_DISABLED, now)


def _set_channels(session: Session, alert_id: int, wanted: Sequence[ChannelSpec], now: datetime) -> None:
    """Keep channels that stay as they are, with their health; an edited one is mended, a missing one removed."""
    kept = {channel.kind: channel for channel in session.objects.exec(select(AlertChannel).where(
        AlertChannel.alert_id == alert_id, col(AlertChannel.removed_at).is_(None)))}
    for spec in wanted:
        channel = kept.pop(spec.kind, None) or AlertChannel(alert_id=alert_id, kind=spec.kind)
        if channel.target != spec.target:
            channel.broken_since = channel.broken_answer = None
        channel.target, channel.label = spec.target, spec.label
        session.objects.add(channel)
    for gone in kept.values():
        gone.removed_at = now
        session.objects.add(gone)
        session.connection().execute(sa.text(
            "UPDATE notification SET state = 'dropped' WHERE channel_id = :id AND state = 'queued'"), {"id": gone.id})
    session.objects.flush()


def _id(value: int | None) -> int:
    if value is None:
        raise AssertionError("a stored row has an id")
    return value
