"""How often chance alone rings: the figures of the issue, and the sums against simulation and each other."""

from __future__ import annotations

import math
import random

import pytest

from core.chance import _exact, _normal, chance_text, rate_chance, volume_chance
from core.rules import Condition
from core.terms import AlertKind, Direction

VOLUME = AlertKind.SOURCE_VOLUME
RATE = AlertKind.DELIVERY_RATE


def test_4_percent_on_100_events_a_day_rings_on_78_percent_of_days() -> None:
    assert volume_chance(400, 100) == pytest.approx(0.78, abs=0.005)


def test_4_percent_on_10_000_events_a_day_rings_on_half_a_percent_of_days() -> None:
    assert volume_chance(400, 10_000) == pytest.approx(0.005, abs=0.0005)


def test_it_is_said_in_words() -> None:
    assert chance_text(Condition(VOLUME, 400), 100) == (
        "At about 100 events a day chance alone rings it: expect about 23 false alarms a month; "
        "25 % would give about 2.")
    assert chance_text(Condition(VOLUME, 400), 10_000) == (
        "Chance alone would ring it about once in 7 months at about 10,000 events a day.")
    assert chance_text(Condition(VOLUME, 2000), 2_800_000) == (
        "Chance alone would not ring it at about 2,800,000 events a day.")
    assert chance_text(Condition(VOLUME, 400), 0) == "Nothing was counted, so there is nothing to say about chance yet."
    assert "stay silent" in chance_text(Condition(VOLUME, 400, min_events=50), 20)
    assert chance_text(Condition(RATE, 9900), 100, 99) == (
        "At about 100 attempts a day chance alone rings it: expect about 8 false alarms a month; "
        "98 % would give about 2.")
    assert "already below 99 %" in chance_text(Condition(RATE, 9900), 1000, 980)


def draw(dice: random.Random, daily: float) -> int:
    limit, product, n = math.exp(-daily), dice.random(), 0
    while product > limit:
        product *= dice.random()
        n += 1
    return n


@pytest.mark.parametrize(("threshold", "daily"), [(400, 100), (2500, 100), (5000, 5), (10_000, 3), (100_000, 2)])
def test_the_sum_agrees_with_rolling_dice(threshold: int, daily: int) -> None:
    dice = random.Random(11)
    rounds = 20_000
    rang = sum(abs(now - before) * 10_000 > threshold * before
               for now, before in ((draw(dice, daily), draw(dice, daily)) for _ in range(rounds)))

    assert volume_chance(threshold, daily) == pytest.approx(rang / rounds, abs=0.015)


@pytest.mark.parametrize("threshold", [50, 200, 400, 800])
def test_the_sum_and_the_normal_curve_meet(threshold: int) -> None:
    assert sum(_exact(threshold, 2_000)) == pytest.approx(sum(_normal(threshold, 2_000)), abs=0.02)


def test_a_drop_and_a_spike_are_halves_of_both() -> None:
    halves = [volume_chance(1000, 300, direction) for direction in (Direction.DROP, Direction.SPIKE)]

    assert sum(halves) == pytest.approx(volume_chance(1000, 300))
    assert min(halves) > 0.09


def test_a_rate_is_a_binomial() -> None:
    by_hand = sum(math.comb(100, n) * 0.99**n * 0.01 ** (100 - n) for n in range(99))

    assert rate_chance(9900, 100, 0.99) == pytest.approx(by_hand)
    assert rate_chance(9900, 100, 1.0) == 0.0
    assert rate_chance(9900, 100, 0.0) == 1.0
    assert rate_chance(9890, 1_000_000, 0.99) < 1e-9
    assert rate_chance(9900, 1_000_000, 0.99) == pytest.approx(0.5, abs=0.01)
