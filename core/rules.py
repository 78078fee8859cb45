"""The two rules and what a verdict does to an incident: pure functions on integers, never float.

Source: the reference page ("Source volume alerts", "Successful delivery rate alerts") and the product page, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from enum import Enum, auto
from typing import NamedTuple

from core.clock import Hour
from core.errors import InvalidInput
from core.terms import AlertKind, Baseline, Direction, Verdict

DAY = 24
WEEK = 168
LARGEST_THRESHOLD = {AlertKind.SOURCE_VOLUME: 100_000, AlertKind.DELIVERY_RATE: 10_000}
"""In basis points: 1000 % and 100 %."""
TOLERATED_GAP_S = 24 * 3600 // 20
"""5 % of a window, in seconds: a longer time of not listening leaves the window unknown."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an alert asks: the part of it that decides a verdict. `threshold` is in basis points."""

    kind: AlertKind
    threshold: int
    direction: Direction = Direction.BOTH
    baseline: Baseline = Baseline.DAY_BEFORE
    min_events: int = 0

    @property
    def history_hours(self) -> int:
        """How many hours before the pass the connection's first count must lie."""
        if self.kind is AlertKind.DELIVERY_RATE:
            return DAY
        return 2 * DAY if self.baseline is Baseline.DAY_BEFORE else WEEK + DAY


class Counts(NamedTuple):
    """What was counted for one alert's windows. `covered` is False when a gap leaves a window it needs unknown."""

    first_hour: int | None
    current: int = 0
    baseline: int = 0
    delivered: int = 0
    failed: int = 0
    covered: bool = True


class Step(Enum):
    """What one pass does to an alert's incident."""

    NOTHING = auto()
    OPEN = auto()
    STAY = auto()
    REMIND = auto()
    QUIET = auto()
    RESOLVE = auto()
    HOLD = auto()


def windows(hour: Hour, baseline: Baseline = Baseline.DAY_BEFORE) -> tuple[tuple[Hour, Hour], tuple[Hour, Hour]]:
    """The current and the baseline window at whole hour `hour`, each as (first hour, hour after the last)."""
    back = DAY if baseline is Baseline.DAY_BEFORE else WEEK
    return (Hour(hour - DAY), hour), (Hour(hour - DAY - back), Hour(hour - back))


def verdict(counts: Counts, asks: Condition, hour: Hour) -> Verdict:
    """Judge `counts` at whole hour `hour`. An alert or connection that is disabled is not asked about here."""
    if counts.first_hour is None:
        return Verdict.NO_DATA
    if counts.first_hour > hour - asks.history_hours:
        return Verdict.LEARNING
    if not counts.covered:
        return Verdict.UNKNOWN
    if asks.kind is AlertKind.DELIVERY_RATE:
        return _rate_verdict(counts, asks)
    return _volume_verdict(counts, asks)


def _volume_verdict(counts: Counts, asks: Condition) -> Verdict:
    before, now = counts.baseline, counts.current
    if before == 0 and now == 0:
        return Verdict.NO_DATA
    if before < asks.min_events:
        return Verdict.TOO_FEW
    if (asks.direction is Direction.DROP and now > before) or (asks.direction is Direction.SPIKE and now < before):
        return Verdict.OK
    return Verdict.BREACHED if abs(now - before) * 10_000 > asks.threshold * before else Verdict.OK


def _rate_verdict(counts: Counts, asks: Condition) -> Verdict:
    attempts = counts.delivered + counts.failed
    if attempts == 0:
        return Verdict.NO_DATA
    if attempts < asks.min_events:
        return Verdict.TOO_FEW
    return Verdict.BREACHED if counts.delivered * 10_000 < asks.threshold * attempts else Verdict.OK


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """The part of an open incident that decides what happens next; hours since 1970.

    `told_hour` is None when nobody was told yet, and 0 when a mute ended and they are to be told again.
    """

    quiet_hour: int | None = None
    told_hour: int | None = None


def step(said: Verdict, kind: AlertKind, incident: OpenIncident | None, hour: Hour, reminder_hours: int) -> Step:
    """What a verdict at `hour` does. `reminder_hours` 0 means never again.

    Two quiet passes over different hours resolve, and anything between them that says nothing starts the count anew.
    A rate without enough attempts says nothing; a volume that is no longer compared is quiet.
    """
    quiet = said is Verdict.OK or (kind is AlertKind.SOURCE_VOLUME and said in (Verdict.NO_DATA, Verdict.TOO_FEW))
    if incident is None:
        return Step.OPEN if said is Verdict.BREACHED else Step.NOTHING
    if said is Verdict.BREACHED:
        due = not incident.told_hour or (reminder_hours > 0 and hour - incident.told_hour >= reminder_hours)
        return Step.REMIND if due else Step.STAY
    if not quiet:
        return Step.HOLD
    return Step.QUIET if incident.quiet_hour is None or incident.quiet_hour >= hour else Step.RESOLVE


def worse(kind: AlertKind, new: tuple[int, int], old: tuple[int, int]) -> bool:
    """Whether `new` lies further from the threshold than `old`.

    Each is (current, baseline) of a volume, or (delivered, attempts) of a rate. A change from nothing is the largest.
    """
    if kind is AlertKind.DELIVERY_RATE:
        return new[0] * old[1] < old[0] * new[1]
    if old[1] == 0:
        return new[1] == 0 and new[0] > old[0]
    return new[1] == 0 or abs(new[0] - new[1]) * old[1] > abs(old[0] - old[1]) * new[1]


def parse_percent(text: str, kind: AlertKind) -> int:
    """`20`, `20 %` or `20.5` as basis points. Raises InvalidInput with the sentence for the field."""
    largest = LARGEST_THRESHOLD[kind]
    allowed = f"between 0.01 and {largest // 100} %, with at most two decimals"
    cleaned = text.strip().removesuffix("%").strip()
    try:
        value = Decimal(cleaned) if cleaned.replace(".", "", 1).isascii() else Decimal("NaN")
    except InvalidOperation:
        raise InvalidInput(f"The percentage must be a number {allowed}.", "threshold") from None
    points = value * 100 if value.is_finite() and abs(value) <= 1_000_000 else Decimal(-1)
    if points != points.to_integral_value() or not 1 <= points <= largest:
        raise InvalidInput(f"The percentage must be {allowed}.", "threshold")
    return int(points)


def percent_text(points: int) -> str:
    """Basis points as the shortest decimal: 2000 is `20`, 2050 is `20.5`."""
    whole, part = divmod(abs(points), 100)
    return ("-" if points < 0 else "") + (f"{whole}.{part:02d}".rstrip("0") if part else str(whole))


def change_percent(current: int, baseline: int) -> Decimal | None:
    """The change against the baseline in percent, cut (not rounded) to two decimals; None from nothing."""
    if baseline == 0:
        return None
    return _cut((current - baseline) * 10_000, baseline)


def rate_percent(delivered: int, failed: int) -> Decimal | None:
    """The share of attempts delivered, in percent, cut (not rounded) to two decimals; None without attempts."""
    return _cut(delivered * 10_000, delivered + failed) if delivered + failed else None


def cut_text(value: Decimal, places: int = 1) -> str:
    """`value` with `places` decimals, cut towards zero, so that 98.96 is not shown as 99.0."""
    return str(value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN))


def _cut(numerator: int, denominator: int) -> Decimal:
    whole = abs(numerator) // denominator
    return Decimal(-whole if numerator < 0 else whole).scaleb(-2)
