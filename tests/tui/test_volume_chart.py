"""The chart: legible at 60x10 and 110x16, its bars, its marks and its axes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult

from core.clock import Hour
from tui.themes import DARK
from tui.widgets.volume_chart import Plot, VolumeChart

FIRST = Hour(498_384)
"""2026-11-09 00:00 UTC, a Monday."""
SIZES = [(60, 10), (110, 16)]


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    os.environ.setdefault("TZ", "UTC")
    time.tzset()


class Chart(App[None]):
    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self._plot = plot
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield VolumeChart()

    def on_mount(self) -> None:
        self.query_one(VolumeChart).draw(self._plot)


async def drawn(plot: Plot, size: tuple[int, int]) -> list[str]:
    app = Chart(plot)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        chart = app.query_one(VolumeChart)
        return [chart.render_line(y).text for y in range(chart.size.height)]


@pytest.mark.parametrize("size", SIZES)
async def test_bars_are_as_high_as_their_values_and_the_axes_say_how_much_and_when(size: tuple[int, int]) -> None:
    lines = await drawn(Plot([100] * 24 + [50] * 24, [0] * 48, FIRST), size)

    bars = lines[:-2]
    assert bars[0].count("█") == bars[-1].count("█") // 2
    assert bars[0].lstrip().startswith("100 │")
    assert "12:00" in lines[-1]
    assert "Tue" in lines[-1]
    assert all(len(line) == len(lines[0]) for line in lines)


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_day_earlier_was_more_stands_behind(size: tuple[int, int]) -> None:
    lines = await drawn(Plot([50] * 48, [100] * 48, FIRST), size)

    assert "░" in lines[0]
    assert "░" not in lines[-3]
    assert "█" in lines[-3]


@pytest.mark.parametrize("size", SIZES)
async def test_an_incident_is_marked_at_its_hour(size: tuple[int, int]) -> None:
    lines = await drawn(Plot([1] * 48, [1] * 48, FIRST, incidents=[FIRST + 24, FIRST - 5]), size)

    marks = lines[-2]
    assert marks.count("▲") == 1
    assert abs(marks.index("▲") - (9 + (len(marks) - 10) / 2)) <= 2


async def test_a_rate_is_drawn_from_its_floor_and_hours_without_attempts_stay_empty() -> None:
    lines = await drawn(Plot([9_900] * 24 + [-1] * 24, [-1] * 48, FIRST, floor=9_800, percent=True,
                             band=(9_900, 10_000)), (110, 16))

    assert "100 %" in lines[0]
    body = lines[:-2]
    assert sum("█" in line for line in body) == len(body) // 2
    assert all(line.rstrip()[-1] in "█▇▆▅▄▃▂▁" for line in body if "█" in line)
    assert len(body[-1].rstrip()) < len(body[-1]) * 0.6


@pytest.mark.parametrize("value", [0, 999, 1_000, 10**6, 10**9, 10**15])
async def test_any_volume_has_a_label_that_fits(value: int) -> None:
    lines = await drawn(Plot([value] * 48, [0] * 48, FIRST), (60, 10))

    assert lines[0].index("│") == 8


async def test_too_little_room_draws_nothing_and_does_not_fail() -> None:
    lines = await drawn(Plot([1] * 48, [1] * 48, FIRST), (15, 6))

    assert not any(line.strip() for line in lines)
