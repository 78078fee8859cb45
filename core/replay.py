"""Replay an alert over hours that are already counted: the live pass's rules, hour by hour, without writing anything.

Prefix sums make every window two look-ups, so that 90 days of one connection take milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import sub

import sqlalchemy as sa

from core.clock import Hour, start_of
from core.counts import covered_hours, listening_seconds, series
from core.coverage import Span, merged, uncovered
from core.errors import InvalidInput, NotFound
from core.rules import DAY, TOLERATED_GAP_S, WEEK, Condition, Counts, OpenIncident, Step, step, verdict, windows, worse
from core.store import Session
from core.terms import AlertKind, ConnectionKind, Origin, Stage, Verdict

LONGEST_LOOK_BACK = WEEK + DAY
Judged = tuple[Hour, Verdict, Counts]
"""A pass's hour, what it said, and of which numbers."""
FIND = sa.text("SELECT id, name, kind, origin, first_hour FROM connection WHERE slug = :slug AND removed_at IS NULL")


@dataclass(frozen=True, slots=True)
class History:
    """One connection's hours from `since` up to `until`, as prefix sums: element n is the sum of the first n hours."""

    slug: str
    name: str
    first_hour: Hour | None
    since: Hour
    until: Hour
    received: Sequence[int]
    delivered: Sequence[int]
    failed: Sequence[int]
    blind: Sequence[int]
    """Seconds that nothing vouches for."""
    tolerated: int
    """How many of them a window may have, in seconds."""

    def total(self, sums: Sequence[int], window: tuple[Hour, Hour]) -> int:
        """What one of the prefix sums says of a window of whole hours within this history."""
        return sums[window[1] - self.since] - sums[window[0] - self.since]

    def counts(self, asks: Condition, since: Hour) -> Iterator[Counts]:
        """What the pass of each hour from `since` to `until` would have seen, in order."""
        now, before = windows(since, asks.baseline)
        rate = asks.kind is AlertKind.DELIVERY_RATE
        blind = zip(self._totals(self.blind, now), self._totals(self.blind, now if rate else before), strict=False)
        covered = (max(pair) <= self.tolerated for pair in blind)
        if rate:
            pairs = zip(self._totals(self.delivered, now), self._totals(self.failed, now), covered, strict=False)
            return (Counts(self.first_hour, 0, 0, *pair) for pair in pairs)
        volumes = zip(self._totals(self.received, now), self._totals(self.received, before), covered, strict=False)
        return (Counts(self.first_hour, current, baseline, 0, 0, known) for current, baseline, known in volumes)

    def _totals(self, sums: Sequence[int], window: tuple[Hour, Hour]) -> Iterator[int]:
        """The totals of `window` and of the same window an hour later, and so on."""
        starts, ends = sums[window[0] - self.since:], sums[window[1] - self.since:]
        return map(sub, ends, starts)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An incident that would have been: hours since 1970, `closed_hour` None while it would still be open.

    `first` and `worst` are (current, baseline) of a volume, (delivered, attempts) of a rate. `messages` is how many
    would have gone to each channel: the opening, the reminders and the "resolved".
    """

    opened_hour: Hour
    closed_hour: Hour | None
    first: tuple[int, int]
    worst: tuple[int, int]
    messages: int


def read_history(session: Session, slug: str, kind: AlertKind, since: Hour, until: Hour) -> History:
    """What is counted and covered so that each hour from `since` to `until` can be judged, for any baseline.

    Raises NotFound for the slug, InvalidInput when the connection cannot carry that kind of alert.
    """
    row = session.connection().execute(FIND, {"slug": slug}).one_or_none()
    if row is None:
        raise NotFound(f"There is no connection called {slug}.")
    fits = ConnectionKind.SOURCE if kind is AlertKind.SOURCE_VOLUME else ConnectionKind.DESTINATION
    if row.kind != fits.value:
        raise InvalidInput(f"{slug} is a {row.kind}; that threshold is for a {fits.value}.", fits.value)
    start = Hour(since - LONGEST_LOOK_BACK)
    counted = series(session, [row.id], start, until)
    nothing = [0] * (until - start)
    received, delivered, failed = (
        tuple(accumulate(counted.get((row.id, stage), nothing), initial=0))
        for stage in (Stage.RECEIVED, Stage.DELIVERED, Stage.FAILED))
    synced = row.origin == Origin.SEGMENT.value
    covered = covered_hours(session, [row.id], start).get(row.id, [])
    if not synced:
        covered = merged([*covered, *listening_seconds(session, start_of(start), start_of(until))])
    return History(
        slug, str(row.name), None if row.first_hour is None else Hour(row.first_hour), start, until, received,
        delivered, failed, blind_seconds(covered, start, until), 0 if synced else TOLERATED_GAP_S)


def blind_seconds(covered: Sequence[Span], since: Hour, until: Hour) -> list[int]:
    """Prefix sums over whole hours of the seconds that `covered` (merged spans) leaves uncovered."""
    missing = [0] * (until - since)
    for began, ended in uncovered((since * 3600, until * 3600), covered):
        first, last = began // 3600, (ended - 1) // 3600
        missing[first - since] += min(ended, (first + 1) * 3600) - began
        if last > first:
            missing[last - since] += ended - last * 3600
            for hour in range(first + 1 - since, last - since):
                missing[hour] = 3600
    return list(accumulate(missing, initial=0))


def numbers(kind: AlertKind, counts: Counts) -> tuple[int, int]:
    """(current, baseline) of a volume, (delivered, attempts) of a rate."""
    if kind is AlertKind.DELIVERY_RATE:
        return counts.delivered, counts.delivered + counts.failed
    return counts.current, counts.baseline


def judged(history: History, asks: Condition, since: Hour) -> list[Judged]:
    """What the pass of each hour from `since` to the history's last would have said."""
    hours = map(Hour, range(since, history.until + 1))
    return [(hour, verdict(counts, asks, hour), counts)
            for hour, counts in zip(hours, history.counts(asks, since), strict=False)]


def incidents(
    passes: Sequence[Judged], kind: AlertKind, reminder_hours: int = 24, say_resolved: bool = True
) -> list[Foreseen]:
    """The incidents that those passes would have opened, oldest first, by the live pass's own `step` and `worse`."""
    found: list[Foreseen] = []
    open_one: OpenIncident | None = None
    for hour, said, counts in passes:
        does = step(said, kind, open_one, hour, reminder_hours)
        if does is Step.OPEN:
            pair = numbers(kind, counts)
            found.append(Foreseen(hour, None, pair, pair, 1))
        elif does in (Step.STAY, Step.REMIND):
            _went_on(found, numbers(kind, counts), kind, does is Step.REMIND)
        elif does is Step.RESOLVE:
            found[-1] = replace(found[-1], closed_hour=hour, messages=found[-1].messages + say_resolved)
        open_one = _moved(open_one, does, hour)
    return found


def openings(passes: Sequence[Judged], kind: AlertKind) -> int:
    """How many incidents those passes would have opened: `len(incidents(…))` for less work."""
    opened, open_one = 0, None
    for hour, said, _ in passes:
        does = step(said, kind, open_one, hour, 0)
        opened += does is Step.OPEN
        open_one = _moved(open_one, does, hour)
    return opened


def _went_on(found: list[Foreseen], pair: tuple[int, int], kind: AlertKind, reminds: bool) -> None:
    latest = found[-1]
    if worse(kind, pair, latest.worst):
        found[-1] = latest = replace(latest, worst=pair)
    if reminds:
        found[-1] = replace(latest, messages=latest.messages + 1)


def _moved(open_one: OpenIncident | None, does: Step, hour: Hour) -> OpenIncident | None:
    """The open incident after a pass did `does` at `hour`, as the live pass writes it to the store."""
    if does is Step.OPEN or does is Step.REMIND:
        return OpenIncident(None, hour)
    if open_one is None or does is Step.RESOLVE:
        return None
    if does is Step.QUIET:
        return OpenIncident(hour, open_one.told_hour)
    return open_one if open_one.quiet_hour is None else OpenIncident(None, open_one.told_hour)
