"""Read every alert with its windows in a fixed number of queries, and judge each: no query per alert, no writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from core.clock import Hour, from_micros, iso, start_of
from core.counts import covered_hours, listening_seconds
from core.coverage import Span, merged, missing, uncovered
from core.rules import (
    DAY,
    TOLERATED_GAP_S,
    WEEK,
    Condition,
    Counts,
    OpenIncident,
    change_percent,
    percent_text,
    rate_percent,
    verdict,
    windows,
)
from core.store import Record, Session
from core.terms import AlertKind, Baseline, Direction, Origin, Verdict

ALERTS = """
SELECT a.id, a.kind, a.threshold, a.direction, a.baseline, a.min_events, a.reminder_hours, a.say_resolved,
       a.enabled, a.muted_until, a.created_by, a.judged_hour, a.verdict,
       c.id, c.slug, c.name, c.enabled, c.origin, c.first_hour,
       i.id, i.quiet_hour, i.told_hour, i.worst_current, i.worst_baseline, i.opened_hour
FROM alert a JOIN connection c ON c.id = a.connection_id
LEFT JOIN incident i ON i.alert_id = a.id AND i.closed_at IS NULL
WHERE a.deleted_at IS NULL AND c.removed_at IS NULL {only}
ORDER BY a.id
"""
VOLUMES = """
SELECT connection_id, CAST(SUM(CASE WHEN hour >= :middle THEN count ELSE 0 END) AS BIGINT), CAST(SUM(count) AS BIGINT)
FROM hourly_count
WHERE connection_id IN (SELECT connection_id FROM alert a WHERE kind = 'source_volume' AND deleted_at IS NULL {only})
  AND hour >= :since AND hour < :until AND stage = 'received'
GROUP BY connection_id
"""
WEEK_VOLUMES = """
SELECT connection_id, CAST(SUM(count) AS BIGINT)
FROM hourly_count
WHERE connection_id IN (SELECT connection_id FROM alert a WHERE baseline = 'week_before' AND deleted_at IS NULL {only})
  AND hour >= :since AND hour < :until AND stage = 'received'
GROUP BY connection_id
"""
DELIVERIES = """
SELECT connection_id, CAST(SUM(CASE WHEN stage = 'delivered' THEN count ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN stage = 'failed' THEN count ELSE 0 END) AS BIGINT)
FROM hourly_count
WHERE connection_id IN
      (SELECT connection_id FROM alert a WHERE kind = 'successful_delivery_rate' AND deleted_at IS NULL {only})
  AND hour >= :since AND hour < :until
GROUP BY connection_id
"""
NOTHING = (0, 0)
VERDICTS = {said.value: said for said in Verdict}
LOOK_BACK_HOURS = WEEK + DAY + 30 * DAY
"""How far back a gap's beginning is looked for, so that it keeps its identity while the windows move on."""


class Evaluation(NamedTuple):
    """One alert at one hour: what it asks, what was counted, the verdict, and its open incident if any."""

    alert: int
    connection: int
    slug: str
    name: str
    asks: Condition
    counts: Counts
    said: Verdict
    reminder_hours: int
    say_resolved: bool
    muted_until: datetime | None
    created_by: int
    judged_hour: int | None
    kept_verdict: Verdict | None
    incident: int | None
    open: OpenIncident | None
    worst: tuple[int, int]
    opened_hour: int | None
    gap: Span | None
    """The longest stretch, in seconds since 1970, that nobody was listening for; its start does not move."""

    @property
    def numbers(self) -> tuple[int, int]:
        """(current, baseline) of a volume, (delivered, attempts) of a rate."""
        if self.asks.kind is AlertKind.DELIVERY_RATE:
            return self.counts.delivered, self.counts.delivered + self.counts.failed
        return self.counts.current, self.counts.baseline


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What `tocsin check` says of one alert. `threshold` is in basis points, times are UTC."""

    alert: int
    connection: str
    kind: AlertKind
    verdict: Verdict
    current: int
    baseline: int | None
    delivered: int | None
    failed: int | None
    change_percent: Decimal | None
    rate_percent: Decimal | None
    threshold: int
    window_start: datetime
    window_end: datetime
    incident: int | None

    def as_json(self) -> dict[str, str | int | None]:
        """The item of `check --json` (product page, section 6)."""
        return {
            "alert": self.alert,
            "connection": self.connection,
            "kind": self.kind.value,
            "verdict": self.verdict.value,
            "current": self.current,
            "baseline": self.baseline,
            "delivered": self.delivered,
            "failed": self.failed,
            "change_percent": None if self.change_percent is None else str(self.change_percent),
            "rate_percent": None if self.rate_percent is None else str(self.rate_percent),
            "threshold_percent": percent_text(self.threshold),
            "window_start": iso(self.window_start),
            "window_end": iso(self.window_end),
            "incident": self.incident,
        }


def evaluate(session: Session, hour: Hour, only: Sequence[int] | None = None) -> list[Evaluation]:
    """Judge every alert (or those of `only`) as of whole hour `hour`, in alert order."""
    rows = _run(session, ALERTS, only, {})
    if not rows:
        return []
    week = any(row[4] == Baseline.WEEK_BEFORE.value for row in rows)
    volumes = {row[0]: (row[1], row[2] - row[1]) for row in _run(
        session, VOLUMES, only, {"middle": hour - DAY, "since": hour - 2 * DAY, "until": hour})}
    weeks = {row[0]: row[1] for row in _run(session, WEEK_VOLUMES, only, {
        "since": hour - DAY - WEEK, "until": hour - WEEK})} if week else {}
    rates = {row[0]: (row[1], row[2]) for row in _run(
        session, DELIVERIES, only, {"since": hour - DAY, "until": hour})}
    covers = _Covers(session, hour)
    return [_evaluation(row, hour, volumes, weeks, rates, covers) for row in rows]


def verdict_row(found: Evaluation, hour: Hour, incident: int | None) -> VerdictRow:
    """The row to show for `found`; `incident` is what is open after the pass."""
    counts, rate = found.counts, found.asks.kind is AlertKind.DELIVERY_RATE
    return VerdictRow(
        alert=found.alert,
        connection=found.slug,
        kind=found.asks.kind,
        verdict=found.said,
        current=counts.delivered + counts.failed if rate else counts.current,
        baseline=None if rate else counts.baseline,
        delivered=counts.delivered if rate else None,
        failed=counts.failed if rate else None,
        change_percent=None if rate else change_percent(counts.current, counts.baseline),
        rate_percent=rate_percent(counts.delivered, counts.failed) if rate else None,
        threshold=found.asks.threshold,
        window_start=start_of(hour - DAY),
        window_end=start_of(hour),
        incident=incident,
    )



def _run(session: Session, sql: str, only: Sequence[int] | None, keys: dict[str, int]) -> Sequence[Record]:
    clause = sa.text(sql.format(only="" if only is None else "AND a.id IN :only"))
    if only is None:
        return session.connection().execute(clause, keys).all()
    bound = clause.bindparams(sa.bindparam("only", expanding=True))
    return session.connection().execute(bound, {**keys, "only": list(only)}).all()


class _Covers:
    """Whether a window was covered: by listening (local connections), by an import or a sync (each connection)."""

    def __init__(self, session: Session, hour: Hour) -> None:
        since = Hour(hour - LOOK_BACK_HOURS)
        self.hour = hour
        self.listening = listening_seconds(session, start_of(since), start_of(hour))
        self.own = covered_hours(session, None, since)
        self._local: dict[Baseline | None, Span | None] = {}

    def gap(self, connection: int, origin: str, asks: Condition) -> Span | None:
        """The longest uncovered stretch when a window the alert needs is not covered well enough, else None."""
        key = asks.baseline if asks.kind is AlertKind.SOURCE_VOLUME else None
        own = self.own.get(connection)
        if own is None and origin == Origin.LOCAL.value:
            # Most connections share this answer, so it is worked out once a pass.
            if key not in self._local:
                self._local[key] = self._gap(self.listening, TOLERATED_GAP_S, key)
            return self._local[key]
        if origin == Origin.SEGMENT.value:
            # An hour a sync has not read is missing data, not silence: no tolerance.
            return self._gap(own or [], 0, key)
        return self._gap(merged([*self.listening, *(own or [])]), TOLERATED_GAP_S, key)

    def _gap(self, covered: list[Span], tolerated: int, baseline: Baseline | None) -> Span | None:
        current, before = windows(self.hour, baseline or Baseline.DAY_BEFORE)
        needed = [current] if baseline is None else [current, before]
        spans = [(since * 3600, until * 3600) for since, until in needed]
        if all(missing(span, covered) <= tolerated for span in spans):
            return None
        gaps = [gap for span in spans for gap in uncovered(span, covered)]
        since, until = max(gaps, key=lambda gap: gap[1] - gap[0])
        began = max((span[1] for span in covered if span[1] <= since), default=0)
        ends = min((span[0] for span in covered if span[0] >= until), default=until)
        return began, ends


@cache
def _condition(kind: str, threshold: int, direction: str, baseline: str, min_events: int) -> Condition:
    """The same few conditions stand in most rows; making each once halves the time of a large pass."""
    return Condition(AlertKind(kind), threshold, Direction(direction), Baseline(baseline), min_events)


def _evaluation(
    row: Record, hour: Hour, volumes: dict[int, tuple[int, int]], weeks: dict[int, int],
    rates: dict[int, tuple[int, int]], covers: _Covers,
) -> Evaluation:
    (alert, kind, threshold, direction, baseline, min_events, reminder, resolved, enabled, muted, creator, judged, kept,
     connection, slug, name, running, origin, first, incident, quiet, told, worst_current, worst_baseline, opened) = row
    asks = _condition(kind, threshold, direction, baseline, min_events)
    gap = covers.gap(connection, origin, asks)
    current, before = volumes.get(connection, NOTHING)
    if asks.baseline is Baseline.WEEK_BEFORE:
        before = weeks.get(connection, 0)
    delivered, failed = rates.get(connection, NOTHING)
    counts = Counts(first, current, before, delivered, failed, gap is None)
    said = verdict(counts, asks, hour) if enabled and running else Verdict.DISABLED
    return Evaluation(
        alert, connection, slug, name, asks, counts, said, reminder, bool(resolved),
        None if muted is None else from_micros(muted), creator, judged, None if kept is None else VERDICTS[kept],
        incident, None if incident is None else OpenIncident(quiet, told), (worst_current or 0, worst_baseline or 0),
        opened, gap)
