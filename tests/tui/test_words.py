"""Numbers, times and names as the screens show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.words import BARS, ago, length, percent, safe, sparkline, utc_times

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)


@given(st.lists(st.integers(-1, 10**15), max_size=200), st.integers(1, 60))
def test_a_sparkline_has_its_width_and_only_bars(values: list[int], width: int) -> None:
    shown = sparkline(values, width)

    assert len(shown) == width
    assert set(shown) <= {*BARS, " "}


def test_a_sparkline_rises_with_its_values_and_leaves_hours_that_say_nothing_empty() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6], 7) == "▁▂▃▄▅▆▇"
    assert sparkline([10_000, -1, 10_000], 3) == "▇ ▇"
    assert sparkline([9_900, 10_000], 2) == "▁▇"
    assert sparkline([0, 0], 2) == "▁▁"


def test_a_percentage_is_cut_and_never_rounded_over_its_threshold() -> None:
    assert percent(Decimal("98.96")) == "98.9 %"
    assert percent(Decimal("-0.04"), signed=True) == "-0.0 %"
    assert percent(None) == "–"


@given(st.text())
def test_a_name_from_outside_is_one_line_without_what_could_steer_a_terminal(name: str) -> None:
    shown = safe(name)

    assert len(shown) == len(name)
    assert shown.isprintable() or not any(mark in shown for mark in "\x1b\x07\n\r\u202e\u2028")


def test_times_are_told_in_their_largest_whole_unit() -> None:
    assert ago(None, NOW) == "never"
    assert ago(NOW - timedelta(seconds=59), NOW) == "just now"
    assert ago(NOW - timedelta(minutes=59, seconds=59), NOW) == "59 min ago"
    assert [length(timedelta(hours=hours)) for hours in (1, 47, 48, 71, 72)] == ["1 h", "47 h", "2 d", "2 d", "3 d"]


def test_exact_times_are_told_in_utc() -> None:
    @dataclass
    class Row:
        name: str
        opened_at: datetime
        closed_at: datetime | None

    assert utc_times(Row("x", NOW, None)) == "opened: 2026-11-23 12:07:00 UTC"
    assert utc_times("no row") == ""
