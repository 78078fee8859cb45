"""How often chance alone would ring an alert. Floats are fine here: this is advice, never a verdict.

The model: every 24 h window is an independent Poisson draw at the usual volume (a rate: a binomial draw at the usual
rate), looked at once a day. Real traffic varies more, so the true figure is rather larger.
"""

from __future__ import annotations

import math
from itertools import accumulate

from core.rules import Condition, percent_text
from core.terms import AlertKind, Direction

EXACT_UP_TO = 2_000
"""Events a day up to which the sum is taken term by term; beyond, the normal curve differs by less than 1 in 1,000."""
MONTH = 30
FEW = 2.5
"""Alarms a month that still read as "about 2"."""
ROUND = (100, 200, 300, 400, 500, 600, 800, 1_000, 1_200, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 7_500,
         10_000, 15_000, 20_000, 30_000, 50_000, 100_000)
"""Thresholds in basis points that a person would type."""
ROUND_RATES = (9_990, 9_950, 9_900, 9_800, 9_700, 9_500, 9_000, 8_500, 8_000, 7_500, 7_000, 6_000, 5_000, 2_500, 1_000)


def volume_chance(threshold: int, daily: float, direction: Direction = Direction.BOTH) -> float:
    """The probability (0 to 1) that two Poisson days of `daily` events differ by more than `threshold` basis points."""
    if daily <= 0:
        return 0.0
    up, down = (_exact if daily <= EXACT_UP_TO else _normal)(threshold, daily)
    return {Direction.BOTH: min(1.0, up + down), Direction.SPIKE: up, Direction.DROP: down}[direction]


def _normal(threshold: int, daily: float) -> tuple[float, float]:
    share = threshold / 10_000
    # c - (1 ± p) b is nearly normal with mean ∓ p λ and variance λ (1 + (1 ± p)²).
    up = upper_tail(share * daily / math.sqrt(daily * (1 + (1 + share) ** 2)))
    down = upper_tail(share * daily / math.sqrt(daily * (1 + (1 - share) ** 2))) if share < 1 else 0.0
    return up, down


def _exact(threshold: int, daily: float) -> tuple[float, float]:
    low = max(0, int(daily - 9 * math.sqrt(daily) - 10))
    high = int(daily + 9 * math.sqrt(daily) + 20)
    mass = [math.exp(n * math.log(daily) - daily - math.lgamma(n + 1)) for n in range(low, high + 1)]
    below = list(accumulate(mass, initial=0.0))
    up = down = 0.0
    for before in range(low, high + 1):
        most, least = before + threshold * before // 10_000, before - threshold * before // 10_000
        up += mass[before - low] * (1.0 - below[min(most, high) - low + 1])
        down += mass[before - low] * below[max(least - low, 0)]
    return max(0.0, up), down


def rate_chance(threshold: int, attempts: int, share: float) -> float:
    """The probability that of `attempts`, each delivered with probability `share`, fewer than `threshold` bp are."""
    if attempts <= 0 or share >= 1.0:
        return 0.0
    if share <= 0.0:
        return 1.0
    enough = -(-threshold * attempts // 10_000)  # delivered below this number breaches
    spread = attempts * share * (1 - share)
    if spread > 1_000:
        return upper_tail((attempts * share - enough + 0.5) / math.sqrt(spread))
    low = max(0, int(attempts * share - 12 * math.sqrt(spread) - 12))
    whole = math.lgamma(attempts + 1)
    return min(1.0, sum(
        math.exp(whole - math.lgamma(n + 1) - math.lgamma(attempts - n + 1) + n * math.log(share)
                 + (attempts - n) * math.log1p(-share)) for n in range(low, enough)))


def upper_tail(score: float) -> float:
    """The probability that a standard normal draw is above `score`."""
    return 0.5 * math.erfc(score / math.sqrt(2))


def chance_of(asks: Condition, daily: int, delivered: int = 0) -> float:
    """The probability that chance alone breaches `asks` on one day of `daily` events (a rate: `delivered` of them)."""
    if daily < asks.min_events:
        return 0.0
    if asks.kind is AlertKind.DELIVERY_RATE:
        return rate_chance(asks.threshold, daily, delivered / daily if daily else 1.0)
    return volume_chance(asks.threshold, daily, asks.direction)


def chance_text(asks: Condition, daily: int, delivered: int = 0) -> str:
    """One or two sentences: how often chance alone would ring it, and which round threshold it would seldom ring.

    `daily` is the usual number of events (a rate: attempts) in 24 h, `delivered` how many of them arrive.
    """
    if daily <= 0:
        return "Nothing was counted, so there is nothing to say about chance yet."
    if daily < asks.min_events:
        return f"About {daily:,} events a day are fewer than the minimum of {asks.min_events:,}: it would stay silent."
    if asks.kind is AlertKind.DELIVERY_RATE and delivered * 10_000 < asks.threshold * daily:
        return f"Its usual rate is already below {percent_text(asks.threshold)} %: it would fire most of the time."
    often = MONTH * chance_of(asks, daily, delivered)
    if often < 0.5:
        return f"Chance alone {_seldom(often)} at about {daily:,} {_unit(asks)} a day."
    text = f"At about {daily:,} {_unit(asks)} a day chance alone rings it: expect {_alarms(often)} a month"
    better = _better(asks, daily, delivered)
    if often < FEW or better is None:
        return f"{text}."
    quieter = Condition(asks.kind, better, asks.direction)
    return f"{text}; {percent_text(better)} % would give {_about(MONTH * chance_of(quieter, daily, delivered))}."


def _better(asks: Condition, daily: int, delivered: int) -> int | None:
    """The first round threshold beyond the one asked that chance rings at most about twice a month."""
    rate = asks.kind is AlertKind.DELIVERY_RATE
    further = [points for points in (ROUND_RATES if rate else ROUND)
               if (points < asks.threshold if rate else points > asks.threshold)]
    return next((points for points in further if MONTH * chance_of(
        Condition(asks.kind, points, asks.direction), daily, delivered) < FEW), None)


def _unit(asks: Condition) -> str:
    return "attempts" if asks.kind is AlertKind.DELIVERY_RATE else "events"


def _alarms(often: float) -> str:
    return f"about {round(often)} false alarm{'' if round(often) == 1 else 's'}"


def _about(often: float) -> str:
    return f"about {round(often)}" if often >= 0.5 else "hardly any"


def _seldom(often: float) -> str:
    if often < 1 / 60:
        return "would not ring it"
    return f"would ring it about once in {round(1 / often)} months"
