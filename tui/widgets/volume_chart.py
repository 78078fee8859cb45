"""The last 48 hours as bars, with the day before each drawn behind it, the alert's band and incident marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from core.clock import start_of

BLOCKS = " ▁▂▃▄▅▆▇█"
AXIS = 9
DAY = 24
EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: hourly values, oldest first, -1 for none; hours since 1970; a band in values an hour.

    `floor` is the value at the foot of the chart; `percent` says that values are basis points.
    """

    now: Sequence[int]
    before: Sequence[int]
    first_hour: int
    incidents: Sequence[int] = ()
    band: tuple[float, float] | None = None
    floor: int = 0
    percent: bool = False


class VolumeChart(Widget):
    """A chart with a line API; it fills whatever room it has, from 60x8 cells on."""

    DEFAULT_CSS = "VolumeChart { height: 1fr; min-height: 8; padding: 0 1; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plot: Plot | None = None

    def draw(self, plot: Plot) -> None:
        """Show this plot."""
        self._plot = plot
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of bars, the marks below them, or the time axis."""
        width, height = self.size
        plot = self._plot
        if plot is None or height < 4 or width < AXIS + 10:
            return Strip.blank(width, self.rich_style)
        body = height - 2
        cells = width - AXIS - 1
        top = max([1, *plot.now, *plot.before, int(plot.band[1]) if plot.band else 1]) - plot.floor
        if y < body:
            return self._bars(plot, y, body, cells, top)
        if y == body:
            return self._marks(plot, cells)
        return self._hours(plot, cells)

    def _bars(self, plot: Plot, y: int, body: int, cells: int, top: int) -> Strip:
        low, high = (plot.floor + row * top / body for row in (body - 1 - y, body - y))
        level = plot.floor + top * (body - y) // body
        label = (_percent(level) if plot.percent else _short(level)) if y in (0, body // 2) else ""
        segments = [Segment(f"{label:>{AXIS - 2}} ", self._colour("secondary")), Segment("│", self._colour("panel"))]
        inside = plot.band is not None and plot.band[0] <= (low + high) / 2 <= plot.band[1]
        hours = len(plot.now)
        for at in range(cells):
            index = at * hours // cells
            before = plot.before[index] if index < len(plot.before) else 0
            cell, name = self._cell(plot.now[index], before, low, high)
            if name == "primary" and hours - index > DAY:
                name = EARLIER
            segments.append(Segment(cell, self._colour(name, "surface" if inside else None)))
        return Strip(segments).extend_cell_length(self.size.width, self.rich_style).crop(0, self.size.width)

    def _cell(self, value: int, before: int, low: float, high: float) -> tuple[str, str]:
        def block(amount: int) -> int:
            return 0 if amount <= low else 8 if amount >= high else max(1, int((amount - low) * 8 / (high - low)))

        now, was = block(value), block(before)
        if now:
            return BLOCKS[now], "primary"
        return ("░", "secondary") if was >= 4 else (" ", "foreground")

    def _marks(self, plot: Plot, cells: int) -> Strip:
        marks = ["─"] * cells
        for hour in plot.incidents:
            if 0 <= hour - plot.first_hour <= len(plot.now):
                marks[min(cells - 1, (hour - plot.first_hour) * cells // len(plot.now))] = "▲"
        segments = [Segment(" " * (AXIS - 1), self.rich_style), Segment("└", self._colour("panel"))]
        segments += [Segment(mark, self._colour("error" if mark == "▲" else "panel")) for mark in marks]
        return Strip(segments).extend_cell_length(self.size.width, self.rich_style)

    def _hours(self, plot: Plot, cells: int) -> Strip:
        line = [" "] * (AXIS + cells + 6)
        every = 6 if cells >= 64 else 12
        for index in range(len(plot.now)):
            moment: datetime = start_of(plot.first_hour + index).astimezone()
            if moment.hour % every == 0:
                text = f"{moment:%a}" if moment.hour == 0 else f"{moment:%H:%M}"
                at = AXIS + index * cells // len(plot.now)
                line[at:at + len(text)] = text
        return Strip([Segment("".join(line), self._colour("secondary"))]).extend_cell_length(
            self.size.width, self.rich_style).crop(0, self.size.width)

    def _colour(self, name: str, behind: str | None = None) -> Style:
        variables = self.app.theme_variables
        colour = variables.get("primary" if name == EARLIER else name, "")
        if name == EARLIER and colour.startswith("#"):
            colour = Color.parse(colour).blend(Color.parse(variables["background"]), 0.55).hex
        shown = colour[:7] if colour.startswith("#") else None
        return self.rich_style + Style(color=shown, bgcolor=variables.get(behind, "")[:7] or None if behind else None)


def _percent(value: int) -> str:
    return f"{value / 100:.1f} %" if value % 100 else f"{value // 100} %"


def _short(value: int) -> str:
    for size, mark in ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.1f}{mark}"
    return str(value)
