"""One pass over all alerts: judge, open and resolve incidents, queue notifications, in one transaction.

An alert's `judged_hour` and the lease make it idempotent: whoever comes second, or after a crash, or with a clock that
stepped back, finds nothing left to do for that hour.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from core.channels.message import Facts, gap_text
from core.clock import Hour, hour_of, micros, start_of
from core.evaluation import Evaluation, VerdictRow, evaluate, verdict_row
from core.queueing import Told, in_app_row, insert_notifications, queue
from core.rules import Step, step, worse
from core.store import Session, Store, take_lease
from core.terms import AlertKind, Event, Verdict

LEASE = "pass"
JUDGED = """
UPDATE alert SET judged_hour = :hour
WHERE deleted_at IS NULL AND (judged_hour IS NULL OR judged_hour < :hour) {only}
"""
VERDICT = "UPDATE alert SET verdict = :verdict WHERE id = :id"
QUIET = "UPDATE incident SET quiet_hour = :hour WHERE id = :id"
TOLD = "UPDATE incident SET told_hour = :hour WHERE id = :id"
WORST = "UPDATE incident SET worst_current = :current, worst_baseline = :baseline WHERE id = :id"
RESOLVE = "UPDATE incident SET closed_at = :at, close_reason = 'resolved' WHERE id = :id AND closed_at IS NULL"
PASSED = """
INSERT INTO pass (hour, at, duration_us, judged, opened, error) VALUES (:hour, :at, :duration, :judged, :opened, NULL)
ON CONFLICT (hour) DO UPDATE SET at = excluded.at, duration_us = excluded.duration_us, error = NULL,
  judged = pass.judged + excluded.judged, opened = pass.opened + excluded.opened
"""
MUTES_OVER = """
UPDATE alert SET muted_until = NULL WHERE muted_until <= :at AND deleted_at IS NULL RETURNING id
"""
TELL_AGAIN = """
UPDATE incident SET told_hour = 0 WHERE closed_at IS NULL AND told_hour IS NOT NULL AND alert_id IN :alerts
"""
UNKNOWN = "SELECT id FROM alert WHERE verdict = 'unknown' AND deleted_at IS NULL"
JUDGE_AGAIN = "UPDATE alert SET judged_hour = NULL WHERE id IN :alerts"


@dataclass(frozen=True)
class PassReport:
    """What one pass found and did. `duration_us` is in microseconds."""

    hour: Hour
    found: list[Evaluation]
    incidents: dict[int, int]
    """The incidents it opened, by alert."""
    closed: frozenset[int]
    queued: int
    duration_us: int

    @property
    def opened(self) -> int:
        """How many incidents it opened."""
        return len(self.incidents)

    @property
    def resolved(self) -> int:
        """How many incidents it resolved."""
        return len(self.closed)

    @cached_property
    def verdicts(self) -> list[VerdictRow]:
        """A row for each alert; made when asked for, since most passes are never looked at."""
        return [verdict_row(item, self.hour, self.incidents.get(
            item.alert, None if item.incident in self.closed else item.incident)) for item in self.found]


@dataclass(slots=True)
class _Changes:
    """What a pass is about to write, gathered first so that each kind is one statement."""

    opens: list[Evaluation] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    quiet: dict[int, int | None] = field(default_factory=dict)
    told_hours: list[int] = field(default_factory=list)
    worst: dict[int, tuple[int, int]] = field(default_factory=dict)
    verdicts: dict[int, Verdict] = field(default_factory=dict)


def run_pass(store: Store, at: datetime, *, now: datetime, dry_run: bool = False) -> PassReport:
    """Judge every alert for the newest whole hour at `at`, and act on what it has not acted on yet.

    Args:
        at: the instant to judge as of (aware); incidents carry its times.
        now: the wall clock (aware); notifications carry it, so that their retries run from the present.
        dry_run: judge only; nothing is written.
    """
    began = time.perf_counter_ns()
    hour = hour_of(at)
    if dry_run:
        with store.read() as session:
            found = evaluate(session, hour)
        return PassReport(hour, found, {}, frozenset(), 0, (time.perf_counter_ns() - began) // 1000)
    with store.write() as session:
        take_lease(session, LEASE, now)
        lift_mutes(session, at)
        report = _judge(session, hour, at, now, began)
        session.connection().execute(sa.text(PASSED), {
            "hour": hour, "at": micros(now), "duration": report.duration_us,
            "judged": len(report.found), "opened": report.opened})
    return report


def end_mutes(session: Session, at: datetime, now: datetime) -> int:
    """Lift the mutes that are over at `at`, tell of their open incidents at once; return how many were lifted."""
    take_lease(session, LEASE, now)
    lifted = lift_mutes(session, at)
    if lifted:
        judge_again(session, lifted, now)
    return len(lifted)


def judge_unknown(session: Session, now: datetime) -> int:
    """Judge anew what the newest pass could not know, for counts that came after it; return how many alerts."""
    take_lease(session, LEASE, now)
    alerts = [row[0] for row in session.connection().execute(sa.text(UNKNOWN))]
    if alerts:
        judge_again(session, alerts, now)
    return len(alerts)


def lift_mutes(session: Session, at: datetime) -> list[int]:
    """Lift the mutes that are over at `at` and have their open incidents told at the next judgement; their alerts."""
    lifted = [row[0] for row in session.connection().execute(sa.text(MUTES_OVER), {"at": micros(at)})]
    if lifted:
        for sql in (TELL_AGAIN, JUDGE_AGAIN):
            clause = sa.text(sql).bindparams(sa.bindparam("alerts", expanding=True))
            session.connection().execute(clause, {"alerts": lifted})
    return lifted


def judge_again(session: Session, alerts: Sequence[int], now: datetime) -> None:
    """Judge these alerts at once, as of the newest judged hour: after an edit, a mute, or when missing counts came.

    The newest judged hour rather than the present one, because the hour in between is not complete.
    """
    clause = sa.text(JUDGE_AGAIN).bindparams(sa.bindparam("alerts", expanding=True))
    session.connection().execute(clause, {"alerts": list(alerts)})
    newest = session.connection().execute(sa.text("SELECT MAX(hour) FROM pass")).scalar()
    if newest is not None:
        hour = Hour(newest)
        _judge(session, hour, max(start_of(hour), min(now, start_of(hour + 1))), now, time.perf_counter_ns(), alerts)


def _judge(
    session: Session, hour: Hour, at: datetime, now: datetime, began: int, only: Sequence[int] | None = None
) -> PassReport:
    found = evaluate(session, hour, only)
    changes = _Changes()
    for item in found:
        if item.judged_hour is None or item.judged_hour < hour:
            _decide(item, hour, at, changes)
    incidents = _write(session, changes, hour, at)
    queued = queue(session, changes.told, hour, now) + _notice_gaps(session, found, hour, now)
    only_sql = "" if only is None else "AND id IN :only"
    clause = sa.text(JUDGED.format(only=only_sql))
    keys: dict[str, object] = {"hour": hour}
    if only is not None:
        clause = clause.bindparams(sa.bindparam("only", expanding=True))
        keys["only"] = list(only)
    session.connection().execute(clause, keys)
    spent = (time.perf_counter_ns() - began) // 1000
    return PassReport(hour, found, incidents, frozenset(changes.resolved), queued, spent)


def _decide(item: Evaluation, hour: Hour, at: datetime, changes: _Changes) -> None:
    if item.said is not item.kept_verdict:
        changes.verdicts[item.alert] = item.said
    if item.said is Verdict.DISABLED:
        return
    does = step(item.said, item.asks.kind, item.open, hour, item.reminder_hours)
    muted = item.muted_until is not None and item.muted_until > at
    if does is Step.OPEN:
        changes.opens.append(item)
        return
    if item.incident is None or item.open is None:
        return
    if does in (Step.STAY, Step.REMIND) and worse(item.asks.kind, item.numbers, item.worst):
        changes.worst[item.incident] = item.numbers
    if does is Step.REMIND and not muted:
        event = Event.OPENED if item.open.told_hour is None else Event.REMINDER
        changes.told.append(Told(event, item, item.incident, item.opened_hour or hour))
        changes.told_hours.append(item.incident)
    elif does is Step.QUIET:
        changes.quiet[item.incident] = hour
    elif does is Step.RESOLVE:
        changes.resolved.append(item.incident)
        if item.say_resolved and not muted and item.open.told_hour is not None:
            changes.told.append(Told(Event.RESOLVED, item, item.incident, item.opened_hour or hour))
    if does in (Step.STAY, Step.REMIND, Step.HOLD) and item.open.quiet_hour is not None:
        changes.quiet[item.incident] = None


def _write(session: Session, changes: _Changes, hour: Hour, at: datetime) -> dict[int, int]:
    """Write what was decided; return the incident opened for each alert."""
    link = session.connection()
    batches: list[tuple[str, list[dict[str, object]]]] = [
        (VERDICT, [{"id": alert, "verdict": said.value} for alert, said in changes.verdicts.items()]),
        (QUIET, [{"id": incident, "hour": quiet} for incident, quiet in changes.quiet.items()]),
        (TOLD, [{"id": incident, "hour": hour} for incident in changes.told_hours]),
        (WORST, [{"id": incident, "current": worst[0], "baseline": worst[1]}
                 for incident, worst in changes.worst.items()]),
        (RESOLVE, [{"id": incident, "at": micros(at)} for incident in changes.resolved]),
    ]
    for sql, rows in batches:
        if rows:
            link.execute(sa.text(sql), rows)
    opened = _open(session, changes.opens, hour, at)
    for item in changes.opens:
        if item.muted_until is None or item.muted_until <= at:
            changes.told.append(Told(Event.OPENED, item, opened[item.alert], hour))
    return opened


def _open(session: Session, opens: Sequence[Evaluation], hour: Hour, at: datetime) -> dict[int, int]:
    if not opens:
        return {}
    from core.model import TABLES

    table = TABLES["incident"]
    rows = []
    for item in opens:
        rate = item.asks.kind is AlertKind.DELIVERY_RATE
        muted = item.muted_until is not None and item.muted_until > at
        rows.append({
            "alert_id": item.alert, "opened_at": at, "opened_hour": hour, "told_hour": None if muted else hour,
            "threshold": item.asks.threshold,
            "current": item.counts.delivered + item.counts.failed if rate else item.counts.current,
            "baseline": None if rate else item.counts.baseline,
            "delivered": item.counts.delivered if rate else None, "failed": item.counts.failed if rate else None,
            "worst_current": item.numbers[0], "worst_baseline": item.numbers[1],
        })
    made = session.connection().execute(sa.insert(table).returning(table.c.alert_id, table.c.id), rows)
    return {row[0]: row[1] for row in made}


def _notice_gaps(session: Session, found: Sequence[Evaluation], hour: Hour, now: datetime) -> int:
    """One notice a gap and member, in the bell: what could not be judged, and since when nobody was listening."""
    blind: dict[tuple[int, int], list[Evaluation]] = {}
    for item in found:
        if item.said is Verdict.UNKNOWN and item.gap is not None:
            blind.setdefault((item.created_by, item.gap[0]), []).append(item)
    if not blind:
        return 0
    emails = {row[0]: row[1] for row in session.connection().execute(sa.text("SELECT id, email FROM member"))}
    rows = []
    for (member, began), items in blind.items():
        first = items[0]
        facts = Facts(
            event=Event.GAP.value, kind=first.asks.kind.value, alert=first.alert, connection=first.slug,
            connection_name=first.name, threshold=first.asks.threshold, window_start=hour - 24, window_end=hour,
            text=gap_text([item.name for item in items], began, first.gap[1] if first.gap else hour * 3600))
        rows.append(in_app_row(event=Event.GAP, member=member, email=str(emails[member]), facts=facts, occasion=began,
                               now=now, alert=first.alert))
    return insert_notifications(session, rows)
