"""What a member's screens remember: the last place, its tab, sort and filter, the theme, the terminal's bell."""

from __future__ import annotations

from typing import Any

from textual.widgets import Tab, Tabs

from core.preferences import preferences, remember
from tui.engine import Engine
from tui.screens.view import View
from tui.widgets.row_table import RowTable


class Memory:
    """Values by name; what the store holds differs from them until `keep` was called."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._stored: dict[str, Any] = {}
        self._selected: dict[str, tuple[object, int]] = {}
        """The selected row's key by place, and the line it stood on, for as long as the process runs."""
        self._rows: dict[str, list[Any]] = {}
        """What a place showed, for as long as the process runs: it shows at once, until newer rows are there."""

    async def load(self, engine: Engine) -> None:
        """Take up what the store remembers for this member. Raises TocsinError."""
        self._values = dict(await engine.read(preferences, engine.actor.id))
        self._stored = dict(self._values)

    async def keep(self, engine: Engine) -> None:
        """Store what changed since. Raises TocsinError."""
        changed = {name: value for name, value in self._values.items() if self._stored.get(name) != value}
        if changed:
            self._stored |= changed
            await engine.write(remember, engine.actor.id, changed)

    def text(self, name: str) -> str:
        """A remembered text; nothing if there is none."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """A remembered yes or no."""
        return self._values.get(name) is True

    def note(self, name: str, value: str | bool) -> None:
        """Remember a text, or a yes or no."""
        self._values[name] = value

    def note_place(self, place: str, view: View, filtered: str) -> None:
        """Remember how a place looks: its tab, sort and filter; and that it was the last one."""
        look: dict[str, Any] = {"filter": filtered}
        for table in view.query(RowTable):
            look |= {"sort": table.sort_column, "down": table.descending}
            if table.selected is not None:
                self._selected[place] = table.key(table.selected), table.line
        self._rows[place] = view.rows_shown
        for tabs in view.query(Tabs):
            look["tab"] = tabs.active
        self._values |= {place: look, "place": place}

    def select_again(self, place: str, view: View) -> None:
        """Put the cursor on the row it was on, and that row on the line it was on."""
        for table in view.query(RowTable):
            key, line = self._selected.get(place, (None, None))
            table.select(key, line)

    def restore_place(self, place: str, view: View) -> str:
        """Give a place the tab and sort it had; the filter it had, for the filter line."""
        look = self._values.get(place)
        if not isinstance(look, dict):
            return ""
        sort, tab, filtered = look.get("sort"), look.get("tab"), look.get("filter")
        for table in view.query(RowTable):
            if isinstance(sort, int) and sort < len(table.columns):
                table.sort_column, table.descending = sort, look.get("down") is True
        for tabs in view.query(Tabs):
            if any(known.id == tab for known in tabs.query(Tab)):
                tabs.active = str(tab)
        if self._rows.get(place):
            view.show(self._rows[place])
            self.select_again(place, view)
        return filtered if isinstance(filtered, str) else ""
