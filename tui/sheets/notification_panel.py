"""The bell's panel: what rang, newest first, unread marked."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.incidents import NotificationRow, list_notifications, mark_read
from tui.engine import Engine
from tui.widgets.words import ago, safe

MOST = 200


class NotificationPanel(ModalScreen[NotificationRow | None]):
    """Answers with the notification to jump to, or None."""

    CSS_PATH = "sheet.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,b", "leave", "Back"), Binding("m", "read", "Mark read"), Binding("M", "read_all", "All read"),
        Binding("u", "unread", "Unread only"), Binding("j", "down", show=False), Binding("k", "up", show=False)]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._rows: list[NotificationRow] = []
        self._unread = False

    def compose(self) -> ComposeResult:
        """A list and its keys."""
        with Vertical(id="sheet"):
            yield Static("Notifications", id="title")
            yield OptionList(id="bell-list")
            yield Static("↵ open  m read  M all read  u unread only", id="bell-told")

    async def on_mount(self) -> None:
        """Show what rang."""
        await self._load()
        self.query_one(OptionList).focus()

    async def _load(self) -> None:
        engine = self._engine
        self._rows = await engine.read(list_notifications, engine.actor, bell_of=engine.actor.id, unread=self._unread,
                                       limit=MOST)
        menu = self.query_one(OptionList)
        kept = menu.highlighted
        menu.clear_options()
        menu.add_options([Option(_text(row, self._engine), id=str(row.id)) for row in self._rows] or [
            Option(Content("Nothing has rung."), disabled=True)])
        if self._rows:
            menu.highlighted = min(kept or 0, len(self._rows) - 1)

    def _selected(self) -> NotificationRow | None:
        at = self.query_one(OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    @work
    async def on_option_list_option_selected(self) -> None:
        """Mark it read and go there."""
        row = self._selected()
        if row is not None:
            await self._engine.write(mark_read, self._engine.actor, [row.id], self._engine.now())
            self.dismiss(row)

    @work
    async def action_read(self) -> None:
        """Mark the selected one read."""
        row = self._selected()
        if row is not None:
            await self._engine.write(mark_read, self._engine.actor, [row.id], self._engine.now())
            await self._load()

    @work
    async def action_read_all(self) -> None:
        """Mark all read."""
        await self._engine.write(mark_read, self._engine.actor, None, self._engine.now())
        await self._load()

    @work
    async def action_unread(self) -> None:
        """Show only what is unread, or all again."""
        self._unread = not self._unread
        await self._load()

    def action_down(self) -> None:
        """One down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One up."""
        self.query_one(OptionList).action_cursor_up()

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)


def _text(row: NotificationRow, engine: Engine) -> Content:
    mark = ("● ", "$primary") if row.read_at is None else ("  ", "$secondary")
    when = f"\n  {safe(row.facts.connection_name)} · {ago(row.created_at, engine.now())}"
    return Content.assemble(mark, (safe(row.sentence), "bold" if row.read_at is None else ""), (when, "$secondary"))
