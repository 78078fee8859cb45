"""Monitor › Incidents: a timeline, open ones first, and under it what was sent where for the selected one."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from core.errors import TocsinError
from core.incidents import IncidentRow, list_incidents, list_notifications
from core.rules import percent_text
from tui.screens.columns import KINDS, incident_columns
from tui.screens.lists import ListView
from tui.sheets.history import HistorySheet, told
from tui.widgets.row_table import Column, RowTable

MOST = 2000
TOLD = 4


class IncidentsView(ListView):
    """Monitor › Incidents."""

    crumbs = ("Monitor", "Incidents")
    empty = "There has been no incident."
    DEFAULT_CSS = "IncidentsView #sent { height: auto; max-height: 6; padding: 1 1 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("h", "history", "History")]

    def compose(self) -> ComposeResult:
        """The table, and what was sent."""
        yield from super().compose()
        yield Static("", id="sent")

    def columns(self) -> list[Column[Any]]:
        """This list's columns."""
        return incident_columns(self.engine.now)

    async def load(self) -> None:
        """Every incident, open ones first."""
        self.show(await self.engine.read(list_incidents, self.engine.actor, limit=MOST))
        self._tell()

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the alert in its connection."""
        self.post_message(self.Go("connection", event.row.connection, event.row.alert, "alerts"))

    def on_row_table_menu(self) -> None:
        """Show its history."""
        self.action_history()

    def on_row_table_moved(self) -> None:
        """Another incident is selected."""
        self._tell()

    @work(exclusive=True, group="sent")
    async def _tell(self) -> None:
        """What was sent for the selected incident, failed deliveries first."""
        place = self.query_one("#sent", Static)
        row = self.query_one(RowTable).selected
        if not isinstance(row, IncidentRow):
            place.update("")
            return
        try:
            rows = await self.engine.read(list_notifications, self.engine.actor, incident_id=row.id, limit=50)
        except TocsinError:
            return  # the list itself says what is wrong with the store
        rows.sort(key=lambda item: item.state.value != "failed")
        lines = [told(item, self.engine.now()) for item in rows[:TOLD]]
        if len(rows) > TOLD:
            lines.append(Content.styled(f"  and {len(rows) - TOLD} more: h shows its history", "$secondary"))
        place.update(Content("\n").join(lines) if lines else Content.styled("  Nothing was sent.", "$secondary"))

    def action_history(self) -> None:
        """Show the history of the selected incident's alert."""
        row = self.query_one(RowTable).selected
        if isinstance(row, IncidentRow):
            title = f"{KINDS[row.kind]} {percent_text(row.threshold)} % · {row.connection_name}"
            self.app.push_screen(HistorySheet(self.engine, row.alert, title, row.id))
