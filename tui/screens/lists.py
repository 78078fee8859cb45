"""The lists: sources and destinations with their tabs, incidents."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Tab, Tabs

from core.connection_rows import destination_rows, source_rows
from core.incidents import list_incidents
from core.model import Category, Mode
from tui.engine import Engine
from tui.screens.columns import destination_columns, incident_columns, source_columns
from tui.screens.view import View
from tui.widgets.row_table import Column, RowTable

SOURCE_TABS = {Category.EVENT_STREAMS: "Event streams", Category.CLOUD_APP: "Cloud apps",
               Category.REVERSE_ETL: "Reverse ETL"}
MODE_TABS: dict[str, str] = {Mode.CLOUD.value: "Cloud-mode", Mode.DEVICE.value: "Device-mode", "all": "All"}


class ListView(View):
    """A table, under tabs that part its rows if there are any."""

    tabs: dict[str, str] = {}
    empty = "Nothing here yet."

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._rows: list[Any] = []

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
        self._rows = rows
        for name, title in self.tabs.items():
            count = sum(self.tab_of(row, name) for row in rows)
            self.query_one(f"#{name}", Tab).label = Content(f"{title} {count}")
        self._arrange()

    def on_tabs_tab_activated(self) -> None:
        """Show the rows of that tab."""
        self._arrange()

    def _arrange(self) -> None:
        active = self.query_one(Tabs).active if self.tabs else ""
        self.query_one(RowTable).show([row for row in self._rows if not active or self.tab_of(row, active)])

    def filter_by(self, text: str) -> None:
        """Show only rows with `text` in them."""
        self.query_one(RowTable).filter_by(text)


class SourcesView(ListView):
    """Connections › Sources."""

    crumbs = ("Connections", "Sources")
    tabs = {category.value: title for category, title in SOURCE_TABS.items()}
    empty = "No source here yet. Add one with: tocsin source add NAME"

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return source_columns()

    def tab_of(self, row: Any, tab: str) -> bool:
        """By category."""
        return bool(row.category.value == tab)

    async def load(self) -> None:
        """Every source."""
        self.show(await self.engine.read(source_rows, now=self.engine.now()))

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the source."""
        self.post_message(self.Go("connection", event.row.slug))


class DestinationsView(ListView):
    """Connections › Destinations."""

    crumbs = ("Connections", "Destinations")
    tabs = MODE_TABS
    empty = "No destination here yet. Add one with: tocsin destination add NAME --source SLUG"

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return destination_columns()

    def tab_of(self, row: Any, tab: str) -> bool:
        """By mode."""
        return tab == "all" or bool(row.mode.value == tab)

    async def load(self) -> None:
        """Every destination."""
        self.show(await self.engine.read(destination_rows, now=self.engine.now()))

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the destination."""
        self.post_message(self.Go("connection", event.row.slug))


class IncidentsView(ListView):
    """Monitor › Incidents."""

    crumbs = ("Monitor", "Incidents")
    empty = "There has been no incident."

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return incident_columns(self.engine.now)

    async def load(self) -> None:
        """Every incident, open ones first."""
        self.show(await self.engine.read(list_incidents, self.engine.actor, limit=2000))

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the alert in its connection."""
        self.post_message(self.Go("connection", event.row.connection, event.row.alert, "alerts"))
