"""What an alert would have said before it is saved: a backtest, a quieter threshold, and what chance alone would ring.

The backtest replays the live pass's rules (`core.replay`); the suggestion is the most sensitive threshold that would
have opened at most one incident a week.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.chance import chance_text
from core.channels.message import shown
from core.clock import Hour, hour_of, iso, start_of
from core.errors import InvalidInput
from core.replay import Foreseen, History, Judged, incidents, judged, numbers, openings, read_history
from core.rules import (
    DAY,
    LARGEST_THRESHOLD,
    WEEK,
    Condition,
    Counts,
    change_percent,
    percent_text,
    rate_percent,
    verdict,
)
from core.store import Session
from core.terms import AlertKind, Baseline, Verdict

STEP = 10
"""One decimal of a percentage, in basis points."""
LONGEST_DAYS = 366
Passes = Sequence[Judged]
SPOKEN = (Verdict.OK, Verdict.BREACHED)
"""The verdicts that say something about the threshold."""


@dataclass(frozen=True, slots=True)
class Quieter:
    """A change of the alert that would have rung less: what to change, in words with its numbers."""

    asks: Condition
    opened: int
    text: str


@dataclass(frozen=True, slots=True)
class Backtest:
    """What an alert would have done in the `days` before `until`. Thresholds are in basis points.

    `suggestion` is None without a week of judged hours, or when no threshold is quiet enough. `judged` is how many
    hours could be judged; the others were learning, without data, too few or not listened to.
    """

    slug: str
    name: str
    asks: Condition
    days: int
    since: datetime
    until: datetime
    judged: int
    incidents: tuple[Foreseen, ...]
    suggestion: int | None
    suggestion_opened: int | None
    quieter: tuple[Quieter, ...]
    chance_text: str
    now: Counts
    now_verdict: Verdict
    spark: list[int]

    @property
    def messages(self) -> int:
        """How many messages each channel would have had."""
        return sum(incident.messages for incident in self.incidents)


@dataclass(frozen=True, slots=True)
class PreviewIncident:
    """An incident for the create sheet: hours since 1970, `to_hour` None while it would still be open."""

    from_hour: Hour
    to_hour: Hour | None
    worst_text: str
    mark: int
    """Its place on the sparkline."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the create sheet shows under the threshold. `suggestion` is in basis points.

    `now_current` and `now_baseline` are events of a volume, delivered and attempts of a rate. `spark` has one value a
    day, oldest first: events, or for a rate basis points with -1 for a day without attempts.
    """

    incidents: tuple[PreviewIncident, ...]
    opened: int
    days: int
    now_current: int
    now_baseline: int
    now_change_text: str
    now_verdict: Verdict
    would_fire: bool
    suggestion: int | None
    advice: tuple[str, ...]
    chance_text: str
    spark: list[int]


def backtest(
    session: Session, slug: str, asks: Condition, now: datetime, *, days: int = 30, reminder_hours: int = 24,
    say_resolved: bool = True,
) -> Backtest:
    """Replay `asks` over the last `days` days up to the newest whole hour at `now` (aware).

    Raises NotFound for the slug; InvalidInput for a kind the connection cannot carry, or days outside 1 to 366.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"The days to look back must be between 1 and {LONGEST_DAYS}.", "days")
    if not 1 <= asks.threshold <= LARGEST_THRESHOLD[asks.kind]:
        raise InvalidInput(
            f"The percentage must be between 0.01 and {LARGEST_THRESHOLD[asks.kind] // 100} %.", "threshold")
    until = hour_of(now)
    first = Hour(until - days * DAY + 1)
    history = read_history(session, slug, asks.kind, first, until)
    passes = judged(history, asks, first)
    found = incidents(passes, asks.kind, reminder_hours, say_resolved)
    suggested = suggest(passes, asks)
    told = [item for item in passes if item[1] in SPOKEN]
    usual = sorted(told, key=lambda item: numbers(asks.kind, item[2])[1])
    middle = numbers(asks.kind, usual[len(usual) // 2][2]) if usual else (0, 0)
    return Backtest(
        slug=slug, name=history.name, asks=asks, days=days, since=start_of(first), until=start_of(until),
        judged=len(told), incidents=tuple(found), suggestion=None if suggested is None else suggested[0],
        suggestion_opened=None if suggested is None else suggested[1],
        quieter=tuple(_quieter(history, passes, asks, len(found), suggested)),
        chance_text=chance_text(asks, *_usual(told, asks.kind, middle)), now=passes[-1][2], now_verdict=passes[-1][1],
        spark=_spark(history, asks.kind, days))


def preview(session: Session, slug: str, asks: Condition, now: datetime, *, days: int = 30) -> Preview:
    """What the create sheet shows of `asks` on the connection `slug` at `now` (aware). Raises as `backtest` does."""
    found = backtest(session, slug, asks, now, days=days)
    current, baseline = numbers(asks.kind, found.now)
    first = hour_of(found.until) - days * DAY
    return Preview(
        incidents=tuple(PreviewIncident(
            item.opened_hour, item.closed_hour, worst_text(asks.kind, item.worst),
            min(days - 1, (item.opened_hour - 1 - first) // DAY)) for item in found.incidents),
        opened=len(found.incidents), days=days, now_current=current, now_baseline=baseline,
        now_change_text=worst_text(asks.kind, (current, baseline)), now_verdict=found.now_verdict,
        would_fire=found.now_verdict is Verdict.BREACHED, suggestion=found.suggestion,
        advice=tuple(item.text for item in found.quieter), chance_text=found.chance_text, spark=found.spark)


def suggest(passes: Passes, asks: Condition) -> tuple[int, int] | None:
    """The most sensitive threshold of one decimal that opens at most one incident a week, and how many it opens.

    For a volume that is the smallest, for a rate the largest. A threshold that would fire more than half of the time
    is passed over: one incident that never ends is not quiet. None without a week of judged hours.

    As the threshold grows more tolerant hours only ever leave the breached ones, so the scan goes the other way, from
    the most tolerant, adding each hour at the level at which it begins to breach. Two breached hours are one incident
    unless two quiet passes follow each other between them.
    """
    rate = asks.kind is AlertKind.DELIVERY_RATE
    levels = sorted(_levels(passes, asks), reverse=not rate)
    told = sum(item[1] in SPOKEN for item in passes)
    if told < WEEK:
        return None
    allowed, pairs = told // WEEK, _next_quiet_pairs(passes, asks)
    largest = LARGEST_THRESHOLD[asks.kind]
    best: tuple[int, int] | None = None
    breached: list[int] = []
    opened, at = 0, 0
    while True:
        # The hours added so far breach at each threshold from here up to the next level.
        following = levels[at][0] if at < len(levels) else (largest + STEP if rate else 0)
        sharpest = min(following - STEP, largest) if rate else max(following + STEP, STEP)
        if opened <= allowed and len(breached) * 2 <= told and STEP <= sharpest <= largest:
            best = sharpest, opened
        if at == len(levels):
            return best
        while at < len(levels) and levels[at][0] == following:
            opened += _added(breached, levels[at][1], pairs)
            at += 1


def _levels(passes: Passes, asks: Condition) -> Iterator[tuple[int, int]]:
    """The most tolerant threshold of one decimal at which a pass breaches, and its place, for those that ever do."""
    rate = asks.kind is AlertKind.DELIVERY_RATE
    largest = LARGEST_THRESHOLD[asks.kind]
    sharpest = replace(asks, threshold=largest if rate else STEP)
    for place, (hour, said, counts) in enumerate(passes):
        if said not in SPOKEN or verdict(counts, sharpest, hour) is not Verdict.BREACHED:
            continue
        current, baseline = numbers(asks.kind, counts)
        if rate:
            yield (current * 10_000 // baseline // STEP + 1) * STEP, place
        elif baseline == 0:
            yield largest, place
        else:
            yield min(largest, (abs(current - baseline) * 10_000 - 1) // baseline // STEP * STEP), place


def _next_quiet_pairs(passes: Passes, asks: Condition) -> list[int]:
    """For each place n, the first place from n on that is not silent and whose successor is not either."""
    speaks = [said in SPOKEN
              or (asks.kind is AlertKind.SOURCE_VOLUME and said in (Verdict.NO_DATA, Verdict.TOO_FEW))
              for _, said, _ in passes]
    never = len(passes) * 2
    following = [never] * (len(passes) + 1)
    for n in range(len(passes) - 2, -1, -1):
        following[n] = n if speaks[n] and speaks[n + 1] else following[n + 1]
    return following


def _added(breached: list[int], place: int, pairs: Sequence[int]) -> int:
    """Add `place` to the breached ones; how many more incidents (0, 1, or 2 less 1) that makes."""
    at = bisect_left(breached, place)
    before = breached[at - 1] if at else None
    after = breached[at] if at < len(breached) else None
    insort(breached, place)
    if before is None and after is None:
        return 1
    apart = sum(pairs[first + 1] + 1 < last for first, last in ((before, place), (place, after))
                if first is not None and last is not None)
    was_apart = before is not None and after is not None and pairs[before + 1] + 1 < after
    return apart - was_apart


def _quieter(
    history: History, judged_so: Passes, asks: Condition, opened: int, suggested: tuple[int, int] | None
) -> list[Quieter]:
    found = []
    if asks.kind is AlertKind.SOURCE_VOLUME and asks.baseline is Baseline.DAY_BEFORE:
        weekly = replace(asks, baseline=Baseline.WEEK_BEFORE)
        passes = judged(history, weekly, judged_so[0][0])
        less = openings(passes, asks.kind)
        best = suggest(passes, weekly)
        lower = best is not None and (suggested is None or best[0] < suggested[0])
        if _enough(passes) and (less < opened or lower):
            parts = [f"it would have opened {less} instead of {opened}"] if less < opened else []
            if best is not None and lower:
                parts.append(f"{percent_text(best[0])} % would open at most one a week")
            text = f"Against the same 24 h a week before {' and '.join(parts)}."
            found.append(Quieter(weekly, less, text))
    least = _least_volume(judged_so, asks, opened)
    if least is not None:
        found.append(least)
    return found


def _least_volume(passes: Passes, asks: Condition, opened: int) -> Quieter | None:
    """The round minimum, at most half of the usual volume, that leaves the fewest incidents."""
    volumes = sorted(numbers(asks.kind, counts)[1] for _, said, counts in passes if said in SPOKEN)
    if not opened or not volumes:
        return None
    usual = volumes[len(volumes) // 2]
    best: Quieter | None = None
    for least in _round_numbers(max(asks.min_events, volumes[0]) + 1, usual // 2):
        tried = replace(asks, min_events=least)
        less = openings([(hour, verdict(counts, tried, hour) if said in SPOKEN else said, counts)
                         for hour, said, counts in passes], asks.kind)
        if less < (opened if best is None else best.opened):
            unit = "attempts" if asks.kind is AlertKind.DELIVERY_RATE else "events"
            best = Quieter(tried, less, f"With a minimum of {least:,} {unit} it would have opened {less} instead of "
                                        f"{opened}; {usual:,} are usual.")
    return best


def _round_numbers(low: int, high: int) -> list[int]:
    """1, 2, 5, 10, 20 … between two bounds: the four largest."""
    found = [digit * 10**power for power in range(16) for digit in (1, 2, 5)]
    return [number for number in found if low <= number <= high][-4:]


def _enough(passes: Passes) -> bool:
    """Whether a week of hours was judged, so that few incidents are not for want of data."""
    return sum(said in SPOKEN for _, said, _ in passes) >= WEEK


def _usual(told: Passes, kind: AlertKind, middle: tuple[int, int]) -> tuple[int, int]:
    """The usual daily volume; of a rate, the median attempts and how many of those usually arrive."""
    if kind is AlertKind.SOURCE_VOLUME or not told:
        return middle[1], 0
    shares = sorted(counts.delivered * 10_000_000 // (counts.delivered + counts.failed) for _, _, counts in told)
    # Half the days are better than the median, so an outage does not count as usual.
    return middle[1], middle[1] * shares[len(shares) // 2] // 10_000_000


def _spark(history: History, kind: AlertKind, days: int) -> list[int]:
    values = []
    for day in range(days, 0, -1):
        window = (Hour(history.until - day * DAY), Hour(history.until - (day - 1) * DAY))
        if kind is AlertKind.SOURCE_VOLUME:
            values.append(history.total(history.received, window))
        else:
            delivered, failed = history.total(history.delivered, window), history.total(history.failed, window)
            values.append(delivered * 10_000 // (delivered + failed) if delivered + failed else -1)
    return values


def worst_text(kind: AlertKind, pair: tuple[int, int]) -> str:
    """A pair of numbers as one short text: `-71.0 %`, `from 0 to 812`, a rate's `93.1 %`, or `no events`."""
    first, second = pair
    if kind is AlertKind.DELIVERY_RATE:
        rate = rate_percent(first, second - first)
        return "no attempts" if rate is None else f"{shown(rate)} %"
    change = change_percent(first, second)
    if change is None:
        return f"from 0 to {first:,}" if first else "no events"
    return f"{'+' if first > second else ''}{shown(change)} %"


def as_json(found: Backtest) -> dict[str, object]:
    """The object of `alert backtest --json`: percentages as strings, times in UTC."""
    return {
        "connection": found.slug, "kind": found.asks.kind.value,
        "threshold_percent": percent_text(found.asks.threshold),
        "direction": found.asks.direction.value, "baseline": found.asks.baseline.value,
        "min_events": found.asks.min_events, "days": found.days, "since": iso(found.since), "until": iso(found.until),
        "judged_hours": found.judged, "opened": len(found.incidents), "messages_per_channel": found.messages,
        "incidents": [_incident_json(found.asks.kind, item) for item in found.incidents],
        "suggestion_percent": None if found.suggestion is None else percent_text(found.suggestion),
        "suggestion_opened": found.suggestion_opened,
        "quieter": [{"baseline": item.asks.baseline.value, "min_events": item.asks.min_events, "opened": item.opened,
                     "text": item.text} for item in found.quieter],
        "chance": found.chance_text, "verdict_now": found.now_verdict.value,
    }


def _incident_json(kind: AlertKind, item: Foreseen) -> dict[str, object]:
    keys = ("worst_delivered", "worst_attempts") if kind is AlertKind.DELIVERY_RATE else (
        "worst_current", "worst_baseline")
    return {
        "from": iso(start_of(item.opened_hour)),
        "to": None if item.closed_hour is None else iso(start_of(item.closed_hour)),
        "worst": worst_text(kind, item.worst), keys[0]: item.worst[0], keys[1]: item.worst[1],
        "messages": item.messages,
    }
