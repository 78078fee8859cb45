"""The lists: sources and destinations with their tabs, incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Tab, Tabs

from core.connection_rows import destination_rows, source_rows, sparks_of
from core.errors import TocsinError
from core.terms import Category, ConnectionKind, Mode
from tui.engine import Engine
from tui.screens.columns import destination_columns, source_columns
from tui.screens.view import View
from tui.widgets.row_table import Column, RowTable
from tui.widgets.words import number

SOURCE_TABS = {Category.EVENT_STREAMS: "Event streams", Category.CLOUD_APP: "Cloud apps",
               Category.REVERSE_ETL: "Reverse ETL"}
MODE_TABS: dict[str, str] = {Mode.CLOUD.value: "Cloud-mode", Mode.DEVICE.value: "Device-mode", "all": "All"}


class ListView(View):
    """A table, under tabs that part its rows if there are any."""

    tabs: dict[str, str] = {}
    empty = "Nothing here yet."

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._parts: dict[str, list[Any]] = {}

    def columns(self) -> list[Column[Any]]:
        """The table's columns."""
        raise NotImplementedError

    def key(self, row: Any) -> object:
        """What tells rows apart."""
        return row.id

    def tab_of(self, row: Any, tab: str) -> bool:
        """Whether `row` belongs under `tab`."""
        return True

    def compose(self) -> ComposeResult:
        """Tabs above a table."""
        if self.tabs:
            yield Tabs(*(Tab(Content(title), id=name) for name, title in self.tabs.items()))
        yield RowTable(self.columns(), self.key, empty=self.empty)

    def show(self, rows: list[Any]) -> None:
        """Show these rows, parted by the tabs, each with its count."""
        if not self.is_attached:  # somebody went elsewhere while they were read
            return
        self.rows_shown = rows
        self._parts = {name: [row for row in rows if self.tab_of(row, name)] for name in self.tabs} or {"": rows}
        for name, title in self.tabs.items():
            self._label(self.query_one(f"#{name}", Tab), f"{title} {number(len(self._parts[name]))}")
        self._arrange()

    def _label(self, tab: Tab, text: str) -> None:
        if tab.label.plain != text:  # a label lays all tabs out anew, even the same one
            tab.label = Content(text)

    def on_tabs_tab_activated(self) -> None:
        """Show the rows of that tab, if they are loaded."""
        if self._parts:
            self._arrange()

    def _arrange(self) -> None:
        active = self.query_one(Tabs).active if self.tabs else ""
        self.query_one(RowTable).show(self._parts.get(active, []))

    def filter_by(self, text: str) -> None:
        """Show only rows with `text` in them."""
        self.query_one(RowTable).filter_by(text)


class ConnectionsView(ListView):
    """Sources or destinations. Their sparks are read for what is on the screen, and kept until the next load."""

    kind: ConnectionKind

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._sparks: dict[int, Sequence[int]] = {}
        self._drawn: set[int] = set()
        self._as_of = engine.now()
        self._drawing = False

    async def rows(self, now: datetime) -> list[Any]:
        """The rows without their sparks."""
        raise NotImplementedError

    async def load(self) -> None:
        """Every row; the sparks of before stay until newer ones are there."""
        now = self.engine.now()
        rows = await self.rows(now)
        self._as_of, self._drawn = now, set()
        self.show(rows)
        await self._draw()

    @work(group="sparks")
    async def on_row_table_seen(self) -> None:
        """Read the sparks of what came into sight."""
        await self._draw()

    async def _draw(self) -> None:
        if self._drawing or not self.is_attached:
            return
        table = self.query_one(RowTable)
        self._drawing = True
        try:
            while any(row.id not in self._drawn for row in table.seen()):
                as_of = self._as_of
                ids = [row.id for row in table.seen(beyond=1) if row.id not in self._drawn]
                self._sparks |= await self.engine.read(sparks_of, ids, self.kind, as_of)
                if as_of == self._as_of:
                    self._drawn.update(ids)
                table.renew()
        except TocsinError as error:
            self.log.error(error)  # the shell says so when it next looks at the store
        finally:
            self._drawing = False

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the connection."""
        self.post_message(self.Go("connection", event.row.slug))


class SourcesView(ConnectionsView):
    """Connections › Sources."""

    crumbs = ("Connections", "Sources")
    tabs = {category.value: title for category, title in SOURCE_TABS.items()}
    empty = "No source here yet. Add one with: tocsin source add NAME"
    kind = ConnectionKind.SOURCE

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return source_columns(self._sparks)

    def tab_of(self, row: Any, tab: str) -> bool:
        """By category."""
        return bool(row.category.value == tab)

    async def rows(self, now: datetime) -> list[Any]:
        """Every source."""
        return await self.engine.read(source_rows, now=now, sparks=False)


class DestinationsView(ConnectionsView):
    """Connections › Destinations."""

    crumbs = ("Connections", "Destinations")
    tabs = MODE_TABS
    empty = "No destination here yet. Add one with: tocsin destination add NAME --source SLUG"
    kind = ConnectionKind.DESTINATION

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return destination_columns(self._sparks)

    def tab_of(self, row: Any, tab: str) -> bool:
        """By mode."""
        return tab == "all" or bool(row.mode.value == tab)

    async def rows(self, now: datetime) -> list[Any]:
        """Every destination."""
        return await self.engine.read(destination_rows, now=now, sparks=False)
