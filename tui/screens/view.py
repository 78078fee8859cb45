"""What every place in the shell has: rows it loads through the engine, and how it says that it could not."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Tab, Tabs

from tui.engine import Engine
from tui.widgets.row_table import RowTable
from tui.widgets.words import utc_times


class View(Vertical):
    """One place in the shell. `load` asks core and shows; the shell calls it again whenever the store changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number), f"tab({number})", f"Tab {number}", show=False) for number in (1, 2, 3)]
    DEFAULT_CSS = "View { height: 1fr; }"
    crumbs: tuple[str, ...] = ()

    class Go(Message):
        """Somebody wants to be elsewhere: a place by name, or a connection by its slug (and an alert in it)."""

        def __init__(self, place: str, slug: str = "", alert: int | None = None, tab: str = "overview") -> None:
            self.place, self.slug, self.alert, self.tab = place, slug, alert, tab
            super().__init__()

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.rows_shown: list[Any] = []
        """What a list shows, for the next time somebody comes here."""

    def show(self, rows: list[Any]) -> None:
        """Show these rows: those of the last time, until `load` has the present ones."""

    def begin(self) -> None:
        """Take the focus: the table, if there is one."""
        for table in self.query(RowTable):
            table.focus()
            return

    def action_tab(self, number: int) -> None:
        """Show the tab with this number, from 1."""
        for tabs in self.query(Tabs):
            shown = list(tabs.query(Tab))
            if number <= len(shown):
                tabs.active = shown[number - 1].id or ""

    async def load(self) -> None:
        """Ask core for the rows and show them. Raises TocsinError, which the shell shows as a line."""

    def copied(self) -> str:
        """What `y` copies here: the slug or number of the selected row."""
        row = self.selected
        return str(getattr(row, "slug", "") or getattr(row, "id", "") or "")

    def moments(self) -> str:
        """Every time that the selected row holds, exactly, in UTC; a line each."""
        return utc_times(self.selected)

    @property
    def selected(self) -> object:
        """The row under the cursor of the table that is shown, if there is one."""
        return next((table.selected for table in self.query(RowTable) if table.display), None)

    def filter_by(self, text: str) -> None:
        """Show only what has `text` in it."""
