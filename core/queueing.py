"""Turn what a pass decided into notification rows: one per channel, in the pass's own transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.channels.message import Facts, given_up_text
from core.channels.targets import mask
from core.clock import Hour, micros
from core.counts import SPARK_HOURS, series, spark_of
from core.evaluation import Evaluation
from core.store import Record, Session
from core.terms import ChannelKind, Delivery, Event

STORM = 5
"""More openings than this for one channel and recipient in one pass leave as one message."""
CHANNELS = """
SELECT ch.id, ch.alert_id, ch.kind, ch.target, m.id AS member_id, m.name, m.email
FROM alert_channel ch JOIN alert a ON a.id = ch.alert_id JOIN member m ON m.id = a.created_by
WHERE ch.removed_at IS NULL AND ch.alert_id IN :alerts ORDER BY ch.id
"""

LOST = """
SELECT n.id, n.alert_id, n.channel, n.recipient, n.body, m.id AS member_id, m.email
FROM notification n JOIN alert a ON a.id = n.alert_id JOIN member m ON m.id = a.created_by
WHERE n.id IN :ids AND n.event <> 'test' AND a.deleted_at IS NULL ORDER BY n.id
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell: an event of an incident, with the evaluation that holds its numbers."""

    event: Event
    found: Evaluation
    incident: int
    opened_hour: int


def queue(session: Session, told: Sequence[Told], hour: Hour, now: datetime) -> int:
    """Write one notification per channel of each told alert; return how many. The same hour twice writes nothing."""
    if not told:
        return 0
    sparks = _sparks(session, [item.found for item in told], hour)
    channels = _channels(session, [item.found.alert for item in told])
    rows = []
    for item in told:
        for channel in channels.get(item.found.alert, ()):
            rows.append(_row(item, channel, sparks.get(item.found.connection, []), hour, now))
    _fold(rows, hour)
    return insert_notifications(session, rows)


def insert_notifications(session: Session, rows: Sequence[dict[str, object]]) -> int:
    """Insert the rows that are not there yet (the store's unique keys decide); return how many were."""
    if not rows:
        return 0
    from core.model import TABLES  # only what writes needs the tables, and they take a while to define

    link = session.connection()
    dialect = sqlite if link.dialect.name == "sqlite" else postgresql
    table = TABLES["notification"]
    added = 0
    # SQLite allows 32,766 bound values in one statement.
    for start in range(0, len(rows), 1000):
        statement = dialect.insert(table).values(list(rows[start:start + 1000])).on_conflict_do_nothing()
        added += len(link.execute(statement.returning(table.c.id)).all())
    return added


def in_app_row(
    *, event: Event, member: int, email: str, facts: Facts, occasion: int, now: datetime, alert: int | None = None,
) -> dict[str, object]:
    """A notification for a member's bell that belongs to no incident; it is sent by being written."""
    return _base(event, facts, occasion, now) | {
        "alert_id": alert, "incident_id": None, "channel": ChannelKind.IN_APP, "channel_id": None, "member_id": member,
        "recipient": email, "state": Delivery.SENT, "sent_at": now,
    }


def channel_failed_row(
    about: Facts, text: str, *, member: int, email: str, alert: int, now: datetime
) -> dict[str, object]:
    """The notice for an alert's creator that a message of it did not arrive. `about` is what the message said."""
    told = Facts(event=Event.CHANNEL_FAILED.value, kind=about.kind, alert=alert, connection=about.connection,
                 connection_name=about.connection_name, text=text)
    return in_app_row(event=Event.CHANNEL_FAILED, member=member, email=email, facts=told, occasion=micros(now), now=now,
                      alert=alert)


def tell_given_up(session: Session, ids: Sequence[int], answer: str, now: datetime) -> int:
    """Tell who set the alerts of these notifications that they were given up; one notice a person and recipient.

    `answer` is what came of the last try. Tests have shown their answer, and a deleted alert is nobody's any more.
    """
    sql = sa.text(LOST).bindparams(sa.bindparam("ids", expanding=True))
    lost: dict[tuple[int, str, str], list[Record]] = {}
    for start in range(0, len(ids), 10_000):
        for row in session.connection().execute(sql, {"ids": list(ids[start:start + 10_000])}):
            lost.setdefault((row.member_id, row.channel, row.recipient), []).append(row)
    rows = []
    for (member, channel, recipient), group in lost.items():
        about = [msgspec.json.decode(row.body, type=Facts) for row in group]
        kind = ChannelKind(channel)
        text = given_up_text([facts.connection_name for facts in about], kind, mask(kind, recipient), answer,
                             [row.id for row in group])
        rows.append(channel_failed_row(about[0], text, member=member, email=group[0].email, alert=group[0].alert_id,
                                       now=now))
    return insert_notifications(session, rows)


def facts_of(found: Evaluation, event: Event, hour: Hour, spark: list[int], opened_hour: int | None = None) -> Facts:
    """What a message about `found` says, as data."""
    asks, counts = found.asks, found.counts
    return Facts(
        event=event.value, kind=asks.kind.value, alert=found.alert, connection=found.slug, connection_name=found.name,
        threshold=asks.threshold, direction=asks.direction.value, baseline_kind=asks.baseline.value,
        min_events=asks.min_events, current=counts.current, baseline=counts.baseline, delivered=counts.delivered,
        failed=counts.failed, window_start=hour - 24, window_end=hour, opened_hour=opened_hour, spark=spark,
    )


def _row(
    item: Told, channel: Record, spark: list[int], hour: Hour, now: datetime
) -> dict[str, object]:
    identity, _, kind, target, member, name, email = channel
    facts = msgspec.structs.replace(
        facts_of(item.found, item.event, hour, spark, item.opened_hour), set_by=str(name), set_by_email=str(email))
    in_app = kind == ChannelKind.IN_APP.value
    return _base(item.event, facts, hour, now) | {
        "alert_id": item.found.alert, "incident_id": item.incident, "channel": ChannelKind(str(kind)),
        "channel_id": identity, "member_id": member if in_app else None, "recipient": email if in_app else target,
        "state": Delivery.SENT if in_app else Delivery.QUEUED, "sent_at": now if in_app else None,
    }


def _base(event: Event, facts: Facts, occasion: int, now: datetime) -> dict[str, object]:
    return {
        "event": event, "occasion": occasion, "body": msgspec.json.encode(facts).decode(), "fold": None, "attempts": 0,
        "created_at": now, "due_at": now,
    }


def _fold(rows: Iterable[dict[str, object]], hour: Hour) -> None:
    outside = [row for row in rows if row["event"] is Event.OPENED and row["channel"] is not ChannelKind.IN_APP]
    storms = Counter((row["channel"], row["recipient"]) for row in outside)
    for row in outside:
        if storms[row["channel"], row["recipient"]] > STORM:
            # A digest, because the recipient may be a secret URL and a fold is shown in logs.
            digest = hashlib.sha256(str(row["recipient"]).encode()).hexdigest()[:16]
            row["fold"] = f"{hour}:{row['channel']}:{digest}"


def _channels(session: Session, alerts: Sequence[int]) -> dict[int, list[Record]]:
    sql = sa.text(CHANNELS).bindparams(sa.bindparam("alerts", expanding=True))
    found: dict[int, list[Record]] = {}
    for start in range(0, len(alerts), 10_000):
        for row in session.connection().execute(sql, {"alerts": alerts[start:start + 10_000]}):
            found.setdefault(row[1], []).append(row)
    return found


def _sparks(session: Session, told: Sequence[Evaluation], hour: Hour) -> dict[int, list[int]]:
    connections = sorted({found.connection for found in told})
    sparks: dict[int, list[int]] = {}
    for start in range(0, len(connections), 10_000):
        counted = series(session, connections[start:start + 10_000], Hour(hour - SPARK_HOURS), hour)
        for found in told:
            if found.connection not in sparks:
                sparks[found.connection] = spark_of(counted, found.connection, found.asks.kind)
    return sparks
