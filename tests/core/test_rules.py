"""The two rules: every row of the product page's table, and an oracle in fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import Hour
from core.errors import InvalidInput
from core.rules import (
    Condition,
    Counts,
    OpenIncident,
    Step,
    change_percent,
    cut_text,
    parse_percent,
    percent_text,
    rate_percent,
    step,
    verdict,
    windows,
    worse,
)
from core.terms import AlertKind, Baseline, Direction, Verdict

H = Hour(500_000)
OLD = H - 1000
VOLUME = AlertKind.SOURCE_VOLUME
RATE = AlertKind.DELIVERY_RATE
big = st.integers(0, 10**15)


def volume(
    before: int, now: int, threshold: int = 400, first: int | None = OLD, *, covered: bool = True, min_events: int = 0,
    direction: Direction = Direction.BOTH, baseline: Baseline = Baseline.DAY_BEFORE,
) -> Verdict:
    asks = Condition(VOLUME, threshold, direction, baseline, min_events)
    return verdict(Counts(first, now, before, covered=covered), asks, H)


def rate(
    delivered: int, failed: int, threshold: int = 9900, first: int | None = OLD, *, covered: bool = True,
    min_events: int = 0,
) -> Verdict:
    asks = Condition(RATE, threshold, min_events=min_events)
    return verdict(Counts(first, delivered=delivered, failed=failed, covered=covered), asks, H)


@pytest.mark.parametrize(("now", "said"), [(95, "breached"), (96, "ok"), (100, "ok"), (104, "ok"), (105, "breached")])
def test_reference_page_4_percent_of_100_is_quiet_from_96_to_104(now: int, said: str) -> None:
    assert volume(100, now) == said


@pytest.mark.parametrize(
    ("delivered", "said"), [(10_000, "ok"), (9_900, "ok"), (9_899, "breached"), (9_800, "breached")])
def test_reference_page_99_percent_fires_below_99(delivered: int, said: str) -> None:
    assert rate(delivered, 10_000 - delivered) == said


def test_first_count_younger_than_48_hours_is_learning() -> None:
    assert volume(100, 0, first=H - 47) == Verdict.LEARNING
    assert volume(100, 0, first=H - 48) == Verdict.BREACHED


def test_first_delivery_younger_than_24_hours_is_learning() -> None:
    assert rate(0, 10, first=H - 23) == Verdict.LEARNING
    assert rate(0, 10, first=H - 24) == Verdict.BREACHED


def test_nothing_in_either_window_is_no_data() -> None:
    assert volume(0, 0) == Verdict.NO_DATA
    assert rate(0, 0) == Verdict.NO_DATA


def test_a_connection_that_was_never_counted_has_no_data() -> None:
    assert volume(0, 0, first=None) == Verdict.NO_DATA
    assert rate(0, 0, first=None, covered=False) == Verdict.NO_DATA


def test_a_window_nobody_listened_to_is_unknown() -> None:
    assert volume(100, 0, covered=False) == Verdict.UNKNOWN
    assert volume(0, 0, covered=False) == Verdict.UNKNOWN
    assert rate(0, 10, covered=False) == Verdict.UNKNOWN


def test_a_change_from_nothing_is_larger_than_any_percentage() -> None:
    assert volume(0, 1, threshold=100_000) == Verdict.BREACHED
    assert change_percent(1, 0) is None


def test_a_drop_to_nothing_breaches_below_100_percent() -> None:
    assert volume(100, 0, threshold=9_999) == Verdict.BREACHED
    assert volume(100, 0, threshold=10_000) == Verdict.OK


def test_too_few_events_are_not_judged() -> None:
    assert volume(99, 0, min_events=100) == Verdict.TOO_FEW
    assert volume(100, 0, min_events=100) == Verdict.BREACHED
    assert rate(0, 99, min_events=100) == Verdict.TOO_FEW
    assert rate(0, 100, min_events=100) == Verdict.BREACHED


def test_a_week_before_baseline_learns_for_eight_days() -> None:
    assert volume(100, 0, first=H - 191, baseline=Baseline.WEEK_BEFORE) == Verdict.LEARNING
    assert volume(100, 0, first=H - 192, baseline=Baseline.WEEK_BEFORE) == Verdict.BREACHED


def test_direction_drop_ignores_spikes_and_spike_ignores_drops() -> None:
    assert volume(100, 300, direction=Direction.DROP) == Verdict.OK
    assert volume(100, 30, direction=Direction.DROP) == Verdict.BREACHED
    assert volume(100, 30, direction=Direction.SPIKE) == Verdict.OK
    assert volume(100, 300, direction=Direction.SPIKE) == Verdict.BREACHED


def test_windows_are_the_24_whole_hours_before_and_those_before_them() -> None:
    assert windows(H) == ((H - 24, H), (H - 48, H - 24))
    assert windows(H, Baseline.WEEK_BEFORE) == ((H - 24, H), (H - 192, H - 168))


@given(before=big, now=big, threshold=st.integers(1, 100_000))
def test_volume_agrees_with_fractions(before: int, now: int, threshold: int) -> None:
    expected = now > 0 if before == 0 else abs(Fraction(now - before, before)) * 100 > Fraction(threshold, 100)
    assert (volume(before, now, threshold) == Verdict.BREACHED) == expected


@given(delivered=big, failed=big, threshold=st.integers(1, 10_000))
def test_rate_agrees_with_fractions(delivered: int, failed: int, threshold: int) -> None:
    attempts = delivered + failed
    expected = attempts > 0 and Fraction(delivered, attempts) * 100 < Fraction(threshold, 100)
    assert (rate(delivered, failed, threshold) == Verdict.BREACHED) == expected


@given(delivered=big, failed=big, threshold=st.integers(1, 10_000))
def test_a_shown_rate_never_crosses_the_threshold(delivered: int, failed: int, threshold: int) -> None:
    shown = rate_percent(delivered, failed)
    if shown is not None:
        assert (shown * 100 < threshold) == (rate(delivered, failed, threshold) == Verdict.BREACHED)


@pytest.mark.parametrize(("typed", "points"), [
    ("20", 2000), ("20 %", 2000), (" 20.5% ", 2050), ("0.01", 1), ("1000", 100_000), ("4.25", 425), ("1e1", 1000)])
def test_percentages_are_read_as_people_type_them(typed: str, points: int) -> None:
    assert parse_percent(typed, VOLUME) == points


@pytest.mark.parametrize("typed", ["", "%", "abc", "0", "-4", "1000.01", "4.255", "nan", "inf", "1e99999", "٤", "1,5"])
def test_other_percentages_are_refused_with_their_field(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_percent(typed, VOLUME)
    assert refused.value.field == "threshold"


def test_a_delivery_rate_ends_at_100_percent() -> None:
    assert parse_percent("100", RATE) == 10_000
    with pytest.raises(InvalidInput, match=r"between 0\.01 and 100 %"):
        parse_percent("100.01", RATE)


@given(st.integers(1, 100_000))
def test_a_threshold_reads_back_as_it_is_shown(points: int) -> None:
    assert parse_percent(percent_text(points), VOLUME) == points


def test_percentages_are_cut_not_rounded() -> None:
    shown = rate_percent(9_896, 104)
    assert shown is not None
    assert cut_text(shown) == "98.9"
    assert str(change_percent(812, 2801)) == "-71.01"


NEW = OpenIncident(None, H - 1)


def test_a_breach_opens_once_and_stays() -> None:
    assert step(Verdict.BREACHED, VOLUME, None, H, 24) is Step.OPEN
    assert step(Verdict.BREACHED, VOLUME, NEW, H, 24) is Step.STAY


def test_a_reminder_comes_after_its_hours_and_never_when_off() -> None:
    assert step(Verdict.BREACHED, VOLUME, OpenIncident(None, H - 23), H, 24) is Step.STAY
    assert step(Verdict.BREACHED, VOLUME, OpenIncident(None, H - 24), H, 24) is Step.REMIND
    assert step(Verdict.BREACHED, VOLUME, OpenIncident(None, H - 24), H, 72) is Step.STAY
    assert step(Verdict.BREACHED, VOLUME, OpenIncident(None, H - 240), H, 0) is Step.STAY


def test_two_quiet_passes_over_different_hours_resolve() -> None:
    assert step(Verdict.OK, VOLUME, NEW, H, 24) is Step.QUIET
    assert step(Verdict.OK, VOLUME, OpenIncident(H, H - 9), H, 24) is Step.QUIET
    assert step(Verdict.OK, VOLUME, OpenIncident(H - 1, H - 9), H, 24) is Step.RESOLVE


@pytest.mark.parametrize("said", [Verdict.UNKNOWN, Verdict.LEARNING])
@pytest.mark.parametrize("kind", list(AlertKind))
def test_what_is_not_known_neither_opens_nor_resolves(said: Verdict, kind: AlertKind) -> None:
    assert step(said, kind, None, H, 24) is Step.NOTHING
    assert step(said, kind, OpenIncident(H - 1, H - 9), H, 24) is Step.HOLD


def test_no_attempts_never_resolve() -> None:
    assert step(Verdict.NO_DATA, RATE, OpenIncident(H - 1, H - 9), H, 24) is Step.HOLD
    assert step(Verdict.NO_DATA, VOLUME, OpenIncident(H - 1, H - 9), H, 24) is Step.RESOLVE


@given(st.tuples(big, big), st.tuples(big, big))
def test_worse_agrees_with_fractions(new: tuple[int, int], old: tuple[int, int]) -> None:
    def size(pair: tuple[int, int]) -> tuple[int, Fraction]:
        return (1, Fraction(pair[0])) if pair[1] == 0 else (0, abs(Fraction(pair[0] - pair[1], pair[1])))

    assert worse(VOLUME, new, old) == (size(new) > size(old))
