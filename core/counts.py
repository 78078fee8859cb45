"""Hourly counts and what vouches for them: record, replace and read, set-based."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.clock import Hour, from_micros, micros
from core.coverage import Span, merged
from core.store import Session
from core.terms import AlertKind, CoverageKind, Stage

Key = tuple[int, Hour, Stage]
"""Connection id, hour, stage."""

LARGEST_COUNT = 10**15
"""The largest count of one hour; 24 of them still add up within 64 bits."""
SPARK_HOURS = 48

ADD = sa.text(
    "INSERT INTO hourly_count (connection_id, hour, stage, count) VALUES (:connection, :hour, :stage, :count) "
    "ON CONFLICT (connection_id, hour, stage) DO UPDATE SET count = hourly_count.count + excluded.count"
)
SET = sa.text(
    "INSERT INTO hourly_count (connection_id, hour, stage, count) VALUES (:connection, :hour, :stage, :count) "
    "ON CONFLICT (connection_id, hour, stage) DO UPDATE SET count = excluded.count"
)
KEEP_FIRST = sa.text(
    "UPDATE connection SET first_hour = :hour WHERE id = :connection AND (first_hour IS NULL OR first_hour > :hour)"
)
SERIES = sa.text(
    "SELECT connection_id, stage, hour, count FROM hourly_count "
    "WHERE connection_id IN :connections AND hour >= :since AND hour < :until"
).bindparams(sa.bindparam("connections", expanding=True))
ABSORB = sa.text(
    "DELETE FROM coverage WHERE connection_id = :connection AND kind = :kind "
    "AND from_hour <= :until AND until_hour >= :since RETURNING from_hour, until_hour"
)
COVER = sa.text(
    "INSERT INTO coverage (connection_id, kind, from_hour, until_hour) VALUES (:connection, :kind, :since, :until)"
)
LISTENING = sa.text("SELECT since, until FROM listening WHERE until > :since AND since < :until ORDER BY since")


def record(session: Session, deltas: Mapping[Key, int]) -> None:
    """Add `deltas` to the counts."""
    _write(session, ADD, deltas)


def replace(session: Session, rows: Mapping[Key, int]) -> None:
    """Set the counts to `rows`, whatever they were (an import or a sync knows the whole hour)."""
    _write(session, SET, rows)


def series(
    session: Session, connection_ids: Sequence[int], since: Hour, until: Hour
) -> dict[tuple[int, Stage], list[int]]:
    """One value an hour from `since` up to `until`, zero-filled, for each connection and stage that has any count."""
    if not connection_ids or until <= since:
        return {}
    found: dict[tuple[int, Stage], list[int]] = {}
    rows = session.connection().execute(
        SERIES, {"connections": list(connection_ids), "since": since, "until": until}
    )
    for connection, stage, hour, count in rows:
        values = found.setdefault((connection, Stage(stage)), [0] * (until - since))
        values[hour - since] = count
    return found


def spark_of(counted: dict[tuple[int, Stage], list[int]], connection: int, kind: AlertKind) -> list[int]:
    """Hourly values for a sparkline: events of a source, or a destination's rate in basis points (-1: no attempts)."""
    if kind is AlertKind.SOURCE_VOLUME:
        return counted.get((connection, Stage.RECEIVED), [0] * SPARK_HOURS)
    nothing = [0] * SPARK_HOURS
    pairs = zip(counted.get((connection, Stage.DELIVERED), nothing), counted.get((connection, Stage.FAILED), nothing),
                strict=True)
    return [delivered * 10_000 // (delivered + failed) if delivered + failed else -1 for delivered, failed in pairs]


def cover(session: Session, spans: Sequence[tuple[int, Hour, Hour]], kind: CoverageKind) -> None:
    """Vouch for the hours of each (connection id, from, until): `until` is not included. Touching spans join."""
    wanted: dict[int, list[Span]] = defaultdict(list)
    for connection, since, until in spans:
        wanted[connection].append((since, until))
    for connection, hours in wanted.items():
        for span in merged(hours):
            keys = {"connection": connection, "kind": kind.value, "since": span[0], "until": span[1]}
            absorbed = session.connection().execute(ABSORB, keys).all()
            keys["since"] = min([span[0], *(row[0] for row in absorbed)])
            keys["until"] = max([span[1], *(row[1] for row in absorbed)])
            session.connection().execute(COVER, keys)


def covered_hours(session: Session, connection_ids: Sequence[int] | None, since: Hour) -> dict[int, list[Span]]:
    """For each connection (None: all), the merged spans in seconds that imports and syncs vouch for after `since`."""
    condition = "" if connection_ids is None else " AND connection_id IN :connections"
    sql = sa.text(f"SELECT connection_id, from_hour, until_hour FROM coverage WHERE until_hour > :since{condition}")
    keys: dict[str, object] = {"since": since}
    if connection_ids is not None:
        sql = sql.bindparams(sa.bindparam("connections", expanding=True))
        keys["connections"] = list(connection_ids)
    spans: dict[int, list[Span]] = defaultdict(list)
    for connection, first, last in session.connection().execute(sql, keys):
        spans[connection].append((first * 3600, last * 3600))
    return {connection: merged(hours) for connection, hours in spans.items()}


def start_listening(session: Session, now: datetime) -> int:
    """Note that a collector listens from `now` on; return the id that `keep_listening` takes."""
    sql = sa.text("INSERT INTO listening (since, until) VALUES (:now, :now) RETURNING id")
    return int(session.connection().execute(sql, {"now": micros(now)}).scalar_one())


def keep_listening(session: Session, listening_id: int, now: datetime) -> None:
    """Note that it still listens at `now`; never moves backwards."""
    sql = sa.text("UPDATE listening SET until = :now WHERE id = :id AND until < :now")
    session.connection().execute(sql, {"id": listening_id, "now": micros(now)})


def listening_spans(session: Session, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """When any collector was listening between two instants: merged, sorted, not clipped."""
    return [(from_micros(first * 1_000_000), from_micros(last * 1_000_000))
            for first, last in listening_seconds(session, since, until)]


def listening_seconds(session: Session, since: datetime, until: datetime) -> list[Span]:
    """The same in whole seconds since 1970; a stretch is taken a second longer rather than shorter at its end."""
    rows = session.connection().execute(LISTENING, {"since": micros(since), "until": micros(until)})
    return merged((first // 1_000_000, -(-last // 1_000_000)) for first, last in rows)


def _write(session: Session, sql: sa.TextClause, rows: Mapping[Key, int]) -> None:
    if not rows:
        return
    link = session.connection()
    ordered = sorted(rows.items())  # one order for every writer, so that two of them cannot deadlock
    link.execute(sql, [{"connection": connection, "hour": hour, "stage": stage.value, "count": count}
                       for (connection, hour, stage), count in ordered])
    link.execute(KEEP_FIRST, [{"connection": connection, "hour": hour}
                              for connection, hour in _first_hours(rows).items()])


def _first_hours(rows: Iterable[Key]) -> dict[int, int]:
    first: dict[int, int] = {}
    for connection, hour, _ in rows:
        first[connection] = min(hour, first.get(connection, hour))
    return first
