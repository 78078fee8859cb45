"""Which hours of which connection are still to be read, and what was read put into the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core import counts
from core.clock import Hour, hour_of, micros, start_of
from core.store import Session
from core.terms import ConnectionKind, CoverageKind, Mode, Origin, Stage

FIRST_HOURS = 14 * 24
"""What the first connect fills; also the longest window of hourly delivery counts."""
REREAD_HOURS = 5
"""Retries move counts for four hours (facts page, section 3.3)."""
OLDEST_HOURS = 30 * 24 - 1
"""How far back hourly counts may start: 30 days, less an hour in which a long sync may run."""
VOLUME_HOURS = 24
"""Hours in one volume window: 24 of them for a page of 200 sources stay below the 5,000 entries of an answer."""
LAG = timedelta(minutes=1)
"""Segment's newest minute is not complete yet."""

TARGETS = sa.text(
    "SELECT c.id, c.kind, c.slug, c.segment_id, p.segment_id, MAX(v.until_hour), c.enabled, c.mode, c.overridden "
    "FROM connection c LEFT JOIN connection p ON p.id = c.source_id "
    "LEFT JOIN coverage v ON v.connection_id = c.id AND v.kind = :kind "
    "WHERE c.origin = :origin AND c.removed_at IS NULL AND c.segment_id IS NOT NULL "
    "GROUP BY c.id, c.kind, c.slug, c.segment_id, p.segment_id, c.enabled, c.mode, c.overridden "
    "ORDER BY c.id"
)
FRESH = sa.text("UPDATE connection SET stale_since = NULL WHERE id = :id AND stale_since IS NOT NULL")
MODE = sa.text("UPDATE connection SET mode = :mode WHERE id = :id AND mode <> :mode AND NOT overridden")
STALE = sa.text("UPDATE connection SET stale_since = :since WHERE id = :id AND stale_since IS NULL")

Read = Mapping[tuple[int, Stage], Mapping[Hour, int]]
"""What was read of each connection and stage, without zeros."""
Span = tuple[Hour, Hour]


@dataclass(frozen=True)
class Target:
    """A connection whose counts Segment holds. `covered` is the end of the newest stretch that a sync has read."""

    id: int
    kind: ConnectionKind
    slug: str
    segment_id: str
    source_segment_id: str | None
    covered: Hour | None


@dataclass(frozen=True)
class Plan:
    """Whose counts are read in a sync, and up to which hour (not included)."""

    sources: list[Target]
    destinations: list[Target]
    idle: list[Target]
    """Disabled and device-mode destinations: Segment has no delivery counts to read for them."""
    until: Hour

    @property
    def read(self) -> list[Target]:
        """Every connection that this sync should refresh."""
        return [*self.sources, *self.destinations]


def plan(session: Session, now: datetime, able: Collection[str] = ()) -> Plan:
    """What there is to read at `now`; an hour that is not over is never part of it.

    `able` are the Segment ids of destinations that could be in cloud mode: those that seem to be in device mode are
    read too, because it shows in their deliveries when they are not any more.
    """
    rows = session.connection().execute(
        TARGETS, {"kind": CoverageKind.SYNC.value, "origin": Origin.SEGMENT.value})
    made = Plan([], [], [], hour_of(now - LAG))
    for id_, kind, slug, segment_id, parent, covered, enabled, mode, overridden in rows:
        target = Target(id_, ConnectionKind(kind), slug, segment_id, parent, covered)
        if target.kind is ConnectionKind.SOURCE:
            made.sources.append(target)
        else:
            read = enabled and (mode == Mode.CLOUD.value or (segment_id in able and not overridden))
            (made.destinations if read else made.idle).append(target)
    return made


def since(target: Target, until: Hour) -> Hour:
    """The first hour to read for `target`: the last five again, and all since the last read one, as far as it goes."""
    if target.covered is None:
        return Hour(until - FIRST_HOURS)
    return Hour(max(min(until - REREAD_HOURS, target.covered), until - OLDEST_HOURS))


def windows(first: Hour, until: Hour, longest: int) -> list[Span]:
    """`first` to `until` cut into stretches of at most `longest` hours, oldest first."""
    return [(Hour(at), Hour(min(at + longest, until))) for at in range(first, until, longest)]


def put(session: Session, read: Read, spans: Mapping[int, Span], stages: Sequence[Stage]) -> int:
    """Make the counts of `stages` in each connection's span equal to what was read, and vouch for it.

    Returns how many counts differed. A zero is only written where there was a count: it must not move `first_hour`,
    from which a rule tells learning from silence.
    """
    if not spans:
        return 0
    first = Hour(min(span[0] for span in spans.values()))
    last = Hour(max(span[1] for span in spans.values()))
    before = counts.series(session, sorted(spans), first, last)
    rows: dict[counts.Key, int] = {}
    for connection, (start, end) in spans.items():
        for stage in stages:
            known = before.get((connection, stage))
            found = read.get((connection, stage), {})
            for hour in map(Hour, range(start, end)):
                value = found.get(hour, 0)
                if value != (known[hour - first] if known else 0):
                    rows[(connection, hour, stage)] = value
    counts.replace(session, rows)
    counts.cover(session, [(connection, *span) for connection, span in spans.items()], CoverageKind.SYNC)
    return len(rows)


def keep_modes(session: Session, modes: Mapping[int, Mode]) -> None:
    """Note the modes that deliveries betray, by connection; what a person has set stays."""
    if modes:
        session.connection().execute(MODE, [{"id": id_, "mode": mode.value} for id_, mode in modes.items()])


def mark(session: Session, fresh: Sequence[Target], stale: Sequence[Target], now: datetime) -> None:
    """Note whose counts are up to date, and since when the others' are not (the end of what was read of them)."""
    link = session.connection()
    if fresh:
        link.execute(FRESH, [{"id": target.id} for target in fresh])
    if stale:
        link.execute(STALE, [
            {"id": target.id, "since": micros(now if target.covered is None else start_of(target.covered))}
            for target in stale
        ])
