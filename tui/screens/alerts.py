"""Alerts as a table with an Actions menu: of one connection, or of the whole workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from core.access import Action
from core.alert_rows import AlertRow
from core.alerts import delete_alert, list_alerts, mute, set_enabled, unmute
from core.errors import TocsinError
from core.rules import percent_text
from tui.engine import Engine
from tui.screens.columns import alert_columns
from tui.screens.view import View
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import Confirm
from tui.widgets.action_menu import ActionMenu, Entry
from tui.widgets.row_table import RowTable

MUTE_FOR = {"mute-1": 1, "mute-8": 8, "mute-24": 24}


class AlertsView(View):
    """Every alert, firing first; of one connection when `slug` names it."""

    crumbs = ("Monitor", "Alerts")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "menu", "Actions")]

    def __init__(self, engine: Engine, slug: str | None = None) -> None:
        super().__init__(engine)
        self.slug = slug

    def compose(self) -> ComposeResult:
        """The table alone."""
        empty = ("An alert tells you when this connection's numbers change beyond what you set. Press c to create one."
                 if self.slug else "No alert yet. Open a source or a cloud-mode destination and press c.")
        yield RowTable(alert_columns(self.engine.now, everywhere=self.slug is None), lambda row: row.id, empty=empty)

    async def load(self) -> None:
        """The alerts."""
        rows = await self.engine.read(list_alerts, self.engine.actor, slug=self.slug, now=self.engine.now())
        self.query_one(RowTable).show(rows)

    def filter_by(self, text: str) -> None:
        """Show only rows with `text` in them."""
        self.query_one(RowTable).filter_by(text)

    def select(self, alert: int) -> None:
        """Put the cursor on this alert."""
        self.query_one(RowTable).select(alert)

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the menu of the row."""
        event.stop()
        self._menu(event.row)

    def on_row_table_menu(self, event: RowTable.Menu) -> None:
        """Open the menu of the row."""
        self._menu(event.row)

    def action_menu(self) -> None:
        """Open the menu of the selected row."""
        row = self.query_one(RowTable).selected
        if isinstance(row, AlertRow):
            self._menu(row)

    @work
    async def _menu(self, row: AlertRow) -> None:
        switch = Action.DISABLE if row.spec.enabled else Action.ENABLE
        quiet = [Entry("unmute", "Unmute", row.refused[Action.MUTE])] if row.muted_until else [
            Entry(name, f"Mute for {hours} h", row.refused[Action.MUTE]) for name, hours in MUTE_FOR.items()]
        entries = [
            Entry("edit", "Edit", row.refused[Action.EDIT]), Entry(switch.value, switch.value.capitalize(),
                                                                   row.refused[switch]),
            *quiet, Entry("delete", "Delete", row.refused[Action.DELETE]),
        ]
        chosen = await self.app.push_screen_wait(ActionMenu(_named(row), entries))
        if chosen is None:
            return
        try:
            await self._do(chosen, row)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        await self.load()

    async def _do(self, chosen: str, row: AlertRow) -> None:
        engine, now = self.engine, self.engine.now()
        if chosen == "edit":
            await self.app.push_screen_wait(AlertSheet(engine, row.connection, row))
        elif chosen in ("enable", "disable"):
            await engine.write(set_enabled, engine.actor, row.id, chosen == "enable", now)
        elif chosen == "unmute":
            await engine.write(unmute, engine.actor, row.id, now)
        elif chosen in MUTE_FOR:
            await engine.write(mute, engine.actor, row.id, now + timedelta(hours=MUTE_FOR[chosen]), now)
        elif await self.app.push_screen_wait(Confirm(
                f"Delete “{_named(row)}”?", "Its history stays. This cannot be undone.", "Delete")):
            await engine.write(delete_alert, engine.actor, row.id, now)


def _named(row: AlertRow) -> str:
    return f"{row.title} {percent_text(row.spec.threshold)} % · {row.connection_name}"
