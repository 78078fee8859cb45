"""Connections as rows ready for a table, and one in full: a fixed number of queries for any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from core.clock import Hour, from_micros, hour_of, iso
from core.counts import SPARK_HOURS, series, spark_of
from core.rules import DAY, change_percent, rate_percent
from core.store import Record, Session
from core.terms import AlertKind, Category, ConnectionKind, Mode, Stage

CONNECTIONS = """
SELECT c.id, c.slug, c.name, c.type, c.category, c.mode, c.enabled, c.origin, c.first_hour, c.stale_since, c.created_at,
       s.slug AS source_slug, s.name AS source_name
FROM connection c LEFT JOIN connection s ON s.id = c.source_id
WHERE c.kind = :kind AND c.removed_at IS NULL AND (:category = '' OR c.category = :category)
  AND (:mode = '' OR c.mode = :mode) AND (:slug = '' OR c.slug = :slug)
ORDER BY c.name, c.slug
"""
ALERTS = """
SELECT a.connection_id, COUNT(*), COUNT(i.id)
FROM alert a LEFT JOIN incident i ON i.alert_id = a.id AND i.closed_at IS NULL
WHERE a.deleted_at IS NULL GROUP BY a.connection_id
"""
COUNTED = """
FROM hourly_count h
WHERE h.connection_id IN (SELECT id FROM connection WHERE kind = :kind AND removed_at IS NULL
                          AND (:slug = '' OR slug = :slug))
  AND h.hour >= :since AND h.hour < :until
"""
# Grouped by the connection alone, which is the table's own order: with the stage in it SQLite sorts every row first.
SUMS = {
    ConnectionKind.SOURCE: f"""
SELECT h.connection_id, CAST(COALESCE(SUM(h.count) FILTER (WHERE h.hour >= :middle), 0) AS BIGINT),
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.hour < :middle), 0) AS BIGINT)
{COUNTED} AND h.stage = 'received' GROUP BY h.connection_id
""",
    ConnectionKind.DESTINATION: f"""
SELECT h.connection_id,
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.stage = 'delivered' AND h.hour >= :middle), 0) AS BIGINT),
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.stage = 'delivered' AND h.hour < :middle), 0) AS BIGINT),
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.stage = 'failed' AND h.hour >= :middle), 0) AS BIGINT),
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.stage = 'failed' AND h.hour < :middle), 0) AS BIGINT),
       CAST(COALESCE(SUM(h.count) FILTER (WHERE h.stage = 'filtered' AND h.hour >= :middle), 0) AS BIGINT)
{COUNTED} GROUP BY h.connection_id
""",
}
NO_EVENTS = (0, 0, 0)
NO_DELIVERIES = (0, 0, 0, 0, 0, 0)
NO_ALERTS = (0, 0)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source. Counts are of the 24 whole hours before the present hour, and of those before them."""

    id: int
    slug: str
    name: str
    type: str
    category: Category
    enabled: bool
    current: int
    baseline: int
    change: Decimal | None
    alerts: int
    firing: int
    stale_since: datetime | None
    created_at: datetime
    spark: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The item of `source list --json`."""
        return {"slug": self.slug, "name": self.name, "type": self.type, "category": self.category.value,
                "enabled": self.enabled, "events_24h": self.current, "events_day_before": self.baseline,
                "change_percent": None if self.change is None else str(self.change), "alerts": self.alerts,
                "firing": self.firing, "stale_since": iso(self.stale_since), "created_at": iso(self.created_at)}


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """One destination. Counts are of the 24 whole hours before the present hour."""

    id: int
    slug: str
    name: str
    type: str
    mode: Mode
    source: str
    source_name: str
    enabled: bool
    delivered: int
    failed: int
    filtered: int
    rate: Decimal | None
    rate_before: Decimal | None
    alerts: int
    firing: int
    stale_since: datetime | None
    created_at: datetime
    spark: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The item of `destination list --json`."""
        return {"slug": self.slug, "name": self.name, "type": self.type, "mode": self.mode.value,
                "source": self.source, "enabled": self.enabled, "delivered_24h": self.delivered,
                "failed_24h": self.failed, "filtered_24h": self.filtered,
                "rate_percent": None if self.rate is None else str(self.rate), "alerts": self.alerts,
                "firing": self.firing, "stale_since": iso(self.stale_since), "created_at": iso(self.created_at)}


@dataclass(frozen=True, slots=True)
class Overview:
    """One connection in full: its row and its last 96 hours, hour by hour, for each stage that was counted."""

    kind: ConnectionKind
    source: SourceRow | None
    destination: DestinationRow | None
    write_key: str | None
    since: Hour
    """The hour of the first value of each series; the last 48 are the chart, the 48 before are what lies behind."""
    stages: dict[Stage, list[int]]
    source_received: int
    """A destination's source: events received in 24 h, the head of its pipeline."""


def source_rows(
    session: Session, *, category: Category | None = None, slug: str | None = None, now: datetime, sparks: bool = True
) -> list[SourceRow]:
    """Every source, by name; `sparks` adds 48 hourly values a row, which costs most of the time at 10,000 rows."""
    rows, sums, alerts = _read(session, ConnectionKind.SOURCE, now, category.value if category else "", "", slug)
    lines = sparks_of(session, [row.id for row in rows], ConnectionKind.SOURCE, now) if sparks else {}
    found = []
    for row in rows:
        _, current, before = sums.get(row.id, NO_EVENTS)
        count, firing = alerts.get(row.id, NO_ALERTS)
        found.append(SourceRow(
            row.id, row.slug, row.name, row.type, Category(row.category), bool(row.enabled), current, before,
            change_percent(current, before), count, firing, _moment(row.stale_since), from_micros(row.created_at),
            lines.get(row.id, [])))
    return found


def destination_rows(
    session: Session, *, mode: Mode | None = None, slug: str | None = None, now: datetime, sparks: bool = True
) -> list[DestinationRow]:
    """Every destination, by name; a spark's values are the hourly rate in basis points, -1 for no attempts."""
    rows, sums, alerts = _read(session, ConnectionKind.DESTINATION, now, "", mode.value if mode else "", slug)
    lines = sparks_of(session, [row.id for row in rows], ConnectionKind.DESTINATION, now) if sparks else {}
    found = []
    for row in rows:
        _, delivered, delivered_before, failed, failed_before, filtered = sums.get(row.id, NO_DELIVERIES)
        count, firing = alerts.get(row.id, NO_ALERTS)
        found.append(DestinationRow(
            row.id, row.slug, row.name, row.type, Mode(row.mode), row.source_slug, row.source_name, bool(row.enabled),
            delivered, failed, filtered, rate_percent(delivered, failed), rate_percent(delivered_before, failed_before),
            count, firing, _moment(row.stale_since), from_micros(row.created_at), lines.get(row.id, [])))
    return found


def sparks_of(
    session: Session, connections: Sequence[int], kind: ConnectionKind, now: datetime
) -> dict[int, list[int]]:
    """The last 48 whole hours of these connections, one value an hour."""
    hour = hour_of(now)
    rule = AlertKind.SOURCE_VOLUME if kind is ConnectionKind.SOURCE else AlertKind.DELIVERY_RATE
    found: dict[int, list[int]] = {}
    for start in range(0, len(connections), 10_000):
        part = connections[start:start + 10_000]
        counted = series(session, part, Hour(hour - SPARK_HOURS), hour)
        found |= {connection: spark_of(counted, connection, rule) for connection in part}
    return found


def overview(session: Session, slug: str, now: datetime) -> Overview:
    """One connection in full. Raises NotFound."""
    from core.connections import find  # brings the tables, which the lists of the first frame need not

    connection = find(session, slug)
    hour = hour_of(now)
    since = Hour(hour - 4 * DAY)
    if connection.id is None:
        raise AssertionError("a stored row has an id")
    counted = {stage: values for (_, stage), values in series(session, [connection.id], since, hour).items()}
    if connection.kind is ConnectionKind.SOURCE:
        row = source_rows(session, slug=slug, now=now)[0]
        return Overview(connection.kind, row, None, connection.write_key, since, counted, row.current)
    target = destination_rows(session, slug=slug, now=now)[0]
    head = source_rows(session, slug=target.source, now=now, sparks=False)
    return Overview(connection.kind, None, target, None, since, counted, head[0].current if head else 0)


Sums = dict[int, Sequence[int]]
Alerts = dict[int, tuple[int, int]]


def _read(
    session: Session, kind: ConnectionKind, now: datetime, category: str, mode: str, slug: str | None
) -> tuple[Sequence[Record], Sums, Alerts]:
    hour = hour_of(now)
    link = session.connection()
    keys = {"kind": kind.value, "slug": slug or ""}
    rows = link.execute(sa.text(CONNECTIONS), keys | {"category": category, "mode": mode}).all()
    window = {"middle": hour - DAY, "since": hour - 2 * DAY, "until": hour}
    sums: Sums = {row[0]: row for row in link.execute(sa.text(SUMS[kind]), keys | window).all()}
    alerts = {row[0]: (row[1], row[2]) for row in link.execute(sa.text(ALERTS)).all()}
    return rows, sums, alerts


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)
