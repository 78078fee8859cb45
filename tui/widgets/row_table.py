"""A table over a list of rows, drawn line by line: any number of rows is ready at once, and a key costs one screen.

Textual's DataTable takes a second to be ready with 10,000 rows; this keeps rows as they are and renders what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.words import safe

Row = TypeVar("Row")
Order = Any
GAP = 2


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its title, how a row's cell reads, how it sorts, and how soon it goes when room is short.

    `width` is in cells; `grows` takes what is left. `rank` 0 stays always, the largest rank goes first. A filter looks
    into the columns of text: not into numbers (`right`), nor where `searched` is False; `words` replace the cell there.
    """

    title: str
    width: int
    cell: Callable[[Row], str]
    order: Callable[[Row], Order] | None = None
    colour: Callable[[Row], str] | None = None
    right: bool = False
    grows: bool = False
    rank: int = 0
    searched: bool = True
    words: Callable[[Row], str] | None = None
    menu: bool = False
    """A click on its cell asks for the row's menu."""


class RowTable(ScrollView, Generic[Row], can_focus=True):
    """Rows with a cursor. The selected row and the scroll position survive every refresh of the rows."""

    DEFAULT_CSS = """
    RowTable { height: 1fr; background: $background; color: $foreground; padding: 0 1; overflow-x: hidden;
               scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False), Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False), Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("home", "edge(0)", "First", show=False), Binding("end", "edge(1)", "Last", show=False),
        Binding("enter", "choose", "Open"), Binding("s", "sort_next", "Sort"),
    ]
    cursor: reactive[int] = reactive(0, repaint=False)
    hovered: reactive[int] = reactive(-1, repaint=False)

    class Chosen(Message):
        """A row was opened, by enter, a click on the selected row or a double click."""

        def __init__(self, table: RowTable[Any], row: Any) -> None:
            self.table, self.row = table, row
            super().__init__()

    class Moved(Message):
        """Another row is under the cursor."""

    class Seen(Message):
        """Other rows are on the screen."""

    class Menu(Message):
        """A row's menu was asked for, by a right click; `at` is where on the screen."""

        def __init__(self, table: RowTable[Any], row: Any, at: Offset) -> None:
            self.table, self.row, self.at = table, row, at
            super().__init__()

    def __init__(
        self, columns: Sequence[Column[Row]], key: Callable[[Row], object], *, empty: str = "Nothing here yet.",
        sort: int | None = None, descending: bool = False, id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = list(columns)
        self.key = key
        self.empty = empty
        self.sort_column = sort
        self.descending = descending
        self.loaded = False
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._filter = ""
        self._texts: list[str] | None = None
        self._opened = False
        self._strips: dict[int, Strip] = {}
        self._shown: list[tuple[int, int]] = []
        self._fitted_to = -1

    @property
    def rows(self) -> list[Row]:
        """The rows shown, filtered and sorted."""
        return self._rows

    @property
    def page(self) -> int:
        """How many rows the screen has room for, below the header."""
        return max(0, self.size.height - 1)

    def seen(self, beyond: int = 0) -> list[Row]:
        """The rows on the screen, and `beyond` screens of rows before and after them."""
        top, more = self.scroll_offset.y, beyond * self.page
        return self._rows[max(0, top - more):top + self.page + more]

    def where(self, index: int) -> Offset:
        """The screen's cell below the right end of a row: where its menu opens when a key asks for it."""
        region = self.content_region
        return Offset(region.right, region.y + 2 + index - self.scroll_offset.y)

    @property
    def _room(self) -> int:
        """Cells of a line, without padding and scrollbar."""
        return self.scrollable_content_region.width

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; the row under the cursor stays under it, on the same line of the screen."""
        self._all, self._texts, self.loaded = list(rows), None, True
        self._arrange()

    def filter_by(self, text: str) -> None:
        """Show only rows in which a column of text has `text`, whatever its case."""
        self._filter = text.casefold().strip()
        self._arrange(otherwise=0)

    def select(self, key: object, line: int | None = None) -> None:
        """Put the cursor on the row with this key, if it is there; the row on this line below the header, if given."""
        found = self._index(key)
        if found is not None:
            self.cursor = found
            if line is not None:
                self.scroll_to(y=max(0, found - line), animate=False, force=True)

    @property
    def line(self) -> int:
        """On which line below the header the cursor stands."""
        return self.cursor - self.scroll_offset.y

    def _index(self, key: object) -> int | None:
        return next((index for index, row in enumerate(self._rows) if self.key(row) == key), None)

    def _matching(self) -> list[Row]:
        """The rows that the filter leaves; their text is folded when a filter first asks for it."""
        if not self._filter:
            return self._all
        if self._texts is None:
            cells = [column.words or column.cell for column in self.columns if column.searched and not column.right]
            self._texts = ["\n".join([cell(row) for cell in cells]).casefold() for row in self._all]
        return [row for row, text in zip(self._all, self._texts, strict=True) if self._filter in text]

    def _arrange(self, otherwise: int | None = None) -> None:
        """Filter and sort anew; `otherwise` is where the cursor goes when its row is gone (None: it stays there)."""
        kept, line = self.selected, self.cursor - self.scroll_offset.y
        rows = self._matching()
        order = None if self.sort_column is None else self.columns[self.sort_column].order
        self._rows = rows if order is None else sorted(rows, key=order, reverse=self.descending)
        self.virtual_size = Size(self._room, len(rows) + 1)
        if kept is not None:
            key = self.key(kept)
            found = self._index(key)
            if found is None:
                found = max(0, min(self.cursor if otherwise is None else otherwise, len(rows) - 1))
            self.set_reactive(RowTable.cursor, found)
            if 0 <= line < self.page:
                self.scroll_to(y=max(0, found - line), animate=False, force=True)
            self._into_sight()
        if kept is None or self.selected is None or self.key(self.selected) != self.key(kept):
            self.post_message(self.Moved())
        self.renew()
        self.post_message(self.Seen())

    def renew(self) -> None:
        """Draw the lines that read differently by now; a refresh that changes nothing writes nothing."""
        for line in range(self.size.height):
            if self._strips.get(line) != self._read(line):
                self.refresh(Region(0, line, self.outer_size.width, 1))

    def on_resize(self) -> None:
        """Choose the columns anew for the new width."""
        self.virtual_size = Size(self._room, len(self._rows) + 1)
        self._fitted_to = -1
        self._into_sight()
        self.post_message(self.Seen())

    def _fit(self, width: int) -> list[tuple[int, int]]:
        """Which columns fit, as (index, width): the largest rank goes first, and one grows into what is left."""
        chosen = list(range(len(self.columns)))

        def needed() -> int:
            return sum(self.columns[index].width + GAP for index in chosen) - GAP

        while len(chosen) > 1 and needed() > width:
            chosen.remove(max(chosen, key=lambda index: (self.columns[index].rank, index)))
        spare = max(0, width - needed())
        growing = [index for index in chosen if self.columns[index].grows]
        return [(index, self.columns[index].width + (spare if growing and index == growing[0] else 0))
                for index in chosen]

    def render_line(self, y: int) -> Strip:
        """One line: the header stays, rows scroll below it."""
        self._strips[y] = self._read(y)
        return self._strips[y]

    def _read(self, y: int) -> Strip:
        if self._fitted_to != self._room:
            self._fitted_to = self._room
            self._shown = self._fit(self._room)
        if y == 0:
            return self._header()
        index = y - 1 + self.scroll_offset.y
        if not self._rows:
            lines = wrap(self._instead(), max(1, self._room))
            text = lines[y - 2] if 2 <= y < len(lines) + 2 else ""
            return Strip([Segment(text, self._style("$secondary"))]).extend_cell_length(self._room, self.rich_style)
        if index >= len(self._rows):
            return Strip.blank(self._room, self.rich_style)
        return self._line(index)

    def _instead(self) -> str:
        """What stands where there are no rows."""
        if not self.loaded:
            return "Loading…"
        return f"Nothing matches “{safe(self._filter)}”." if self._filter and self._all else self.empty

    def _header(self) -> Strip:
        style = self._style("$secondary") + Style(bold=True)
        segments = []
        for place, (index, width) in enumerate(self._shown):
            column, before = self.columns[index], GAP if place else 0
            mark = (" ↓" if self.descending else " ↑") if index == self.sort_column else ""
            # The mark of a column that is just as wide as its title takes the gap.
            segments.append(Segment(_fitted(column.title + mark, width + before, True) if column.right
                                    else " " * before + _fitted(column.title + mark, width, False), style))
        return Strip(segments).extend_cell_length(self._room, self.rich_style)

    def _line(self, index: int) -> Strip:
        row = self._rows[index]
        base = self.rich_style
        if index == self.cursor:
            base = self._style("$block-cursor-foreground", "$block-cursor-background" if self.has_focus else "$surface")
        elif index == self.hovered:
            base = self._style("$foreground", "$surface")
        segments = []
        for place, (at, width) in enumerate(self._shown):
            column = self.columns[at]
            style = base
            if column.colour is not None:
                style = base + Style(color=self._style(column.colour(row)).color)
            segments.append(Segment(_fitted(column.cell(row), width, column.right), style))
            if place < len(self._shown) - 1:
                segments.append(Segment(" " * GAP, base))
        return Strip(segments).extend_cell_length(self._room, base)

    def _style(self, foreground: str, background: str | None = None) -> Style:
        """Theme colours by their variable's name."""
        variables = self.app.theme_variables
        colour = variables.get(foreground.lstrip("$"), "")
        named = None if not colour or colour.startswith(("auto", "ansi")) else colour[:7]
        behind = variables.get(background.lstrip("$"), "")[:7] if background else None
        return self.rich_style + Style(color=named, bgcolor=behind or None)

    def watch_cursor(self, before: int, now: int) -> None:
        """Keep the cursor in sight, and draw the row it left and the row it is on."""
        self._into_sight()
        self._redraw(before, now)
        self.post_message(self.Moved())

    def watch_hovered(self, before: int, now: int) -> None:
        """Draw the row that the mouse left and the row it is over."""
        self._redraw(before, now)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows came into sight, and another one lies under the mouse."""
        super().watch_scroll_y(old_value, new_value)
        by = round(new_value) - round(old_value)
        if by:
            if self.hovered >= 0:
                self.hovered += by
            self.post_message(self.Seen())

    def _into_sight(self) -> None:
        top = self.scroll_offset.y
        if self.page and not top <= self.cursor < top + self.page:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - self.page + 1, animate=False,
                           force=True)

    def _redraw(self, *indices: int) -> None:
        lines = [index + 1 - self.scroll_offset.y for index in indices]
        self.refresh(*(Region(0, line, self.outer_size.width, 1) for line in lines if 1 <= line <= self.page))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(len(self._rows) - 1, self.cursor + by))

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.action_move(by * max(1, self.page - 1))

    def action_edge(self, last: int) -> None:
        """Move the cursor to the first or the last row."""
        self.cursor = max(0, len(self._rows) - 1) if last else 0

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))

    def action_sort_next(self) -> None:
        """Sort by the next column that can sort."""
        sortable = [index for index, _ in self._shown if self.columns[index].order is not None]
        if sortable:
            at = sortable.index(self.sort_column) + 1 if self.sort_column in sortable else 0
            self.sort_by(sortable[at % len(sortable)])

    def sort_by(self, column: int) -> None:
        """Sort by a column; the same one again turns the order round."""
        if self.columns[column].order is None:
            return
        self.descending = not self.descending if column == self.sort_column else self.columns[column].right
        self.sort_column = column
        self._arrange()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show which row the mouse is over."""
        offset = event.get_content_offset(self)
        self.hovered = -1 if offset is None or offset.y == 0 else offset.y - 1 + self.scroll_offset.y

    def on_leave(self) -> None:
        """The mouse is elsewhere."""
        self.hovered = -1

    def on_click(self, event: events.Click) -> None:
        """On the header it sorts, on a row it selects; again or twice opens; the right button asks for its menu."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            end = 0
            for place, (index, width) in enumerate(self._shown):
                end += width + (GAP if place else 0)
                following = self.columns[self._shown[place + 1][0]] if place + 1 < len(self._shown) else None
                if offset.x < end + (0 if following is None or following.right else GAP):
                    self.sort_by(index)
                    return
            return
        index = offset.y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            return
        again = index == self.cursor
        self.cursor = index
        if event.button == 3 or self._is_menu(offset.x):
            self.post_message(self.Menu(self, self._rows[index], event.screen_offset))
            return
        # The second click of a double click on the selected row comes after the first has opened it.
        opens = again if event.chain == 1 else not self._opened
        self._opened = opens
        if opens:
            self.action_choose()

    def _is_menu(self, x: int) -> bool:
        at = 0
        for index, width in self._shown:
            if at <= x < at + width:
                return self.columns[index].menu
            at += width + GAP
        return False


def _fitted(text: str, width: int, right: bool) -> str:
    """`text` in exactly `width` cells; wide characters count as two, and what is too long ends in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    clean = safe(text)
    length = cell_len(clean)
    if length > width:
        return set_cell_size(clean, width - 1) + "…" if width > 1 else set_cell_size(clean, width)
    return " " * (width - length) + clean if right else clean + " " * (width - length)
