"""The bell's panel: what rang, newest first, unread marked."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import TocsinError
from core.incidents import NotificationRow, list_notifications, mark_read
from tui.engine import Engine
from tui.sheets.fields import Title
from tui.sheets.sheet import Panel, Sheet
from tui.widgets.leaving import unless_gone
from tui.widgets.words import ago, local, safe, utc_times

MOST = 200
LOOK_S = 1.0


class NotificationPanel(Sheet[NotificationRow | None]):
    """Answers with the notification to jump to, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "leave", show=False), Binding("m", "read", "Mark read"), Binding("M", "read_all", "All read"),
        Binding("u", "unread", "Unread only"),
        Binding("t", "times", "UTC times"), Binding("j", "down", show=False), Binding("k", "up", show=False)]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._rows: list[NotificationRow] = []
        self._unread = False
        self._changes = -1

    def compose(self) -> ComposeResult:
        """A title, the list, and its keys."""
        with Panel():
            yield Title("Notifications")
            yield Static("", id="count", classes="told")
            yield OptionList()
            yield Static("↵ open   m read   M all read   u unread only", classes="foot")

    async def on_mount(self) -> None:
        """Show what rang, and keep it as the store is."""
        await self._load()
        self.query_one(OptionList).focus()
        self.set_interval(LOOK_S, self._look)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Follow the store: what rings while one reads is on top."""
        try:
            changes = await self._engine.changes()
        except TocsinError:
            return  # the shell says what is wrong with the store
        if changes != self._changes:
            self._changes = changes
            with unless_gone(self):
                await self._load()

    async def _load(self) -> None:
        engine, menu = self._engine, self.query_one(OptionList)
        kept = None if menu.highlighted is None else menu.get_option_at_index(menu.highlighted).id
        try:
            rows = await engine.read(list_notifications, engine.actor, bell_of=engine.actor.id, unread=self._unread,
                                     limit=MOST)
        except TocsinError as error:
            self.query_one("#count", Static).update(Content.styled(f"✕ {safe(str(error))}", "$error"))
            return
        self._rows = rows
        menu.clear_options()
        menu.add_options([Option(_text(row, engine), id=str(row.id)) for row in rows] or [
            Option(Content.styled("Nothing has rung." if not self._unread else "Nothing is unread.", "$secondary"),
                   disabled=True)])
        places = [str(row.id) for row in rows]
        if rows:
            menu.highlighted = places.index(kept) if kept in places else 0
        unread = sum(row.read_at is None for row in rows)
        self.query_one("#count", Static).update(Content(f"{unread} unread" + (" only" if self._unread else "")))

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

    def action_times(self) -> None:
        """The exact times of the selected one."""
        row = self._selected()
        if row is not None:
            self.notify(utc_times(row), title="Exact times", markup=False)

    def action_down(self) -> None:
        """One down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One up."""
        self.query_one(OptionList).action_cursor_up()


def _text(row: NotificationRow, engine: Engine) -> Content:
    mark = ("● ", "$primary") if row.read_at is None else ("  ", "$secondary")
    name = safe(row.facts.connection_name)
    where = "" if row.sentence.startswith(row.facts.connection_name) else f"{name} · "
    when = f"\n  {where}{ago(row.created_at, engine.now())} · {local(row.created_at)}\n"
    return Content.assemble(mark, (safe(row.sentence), "bold" if row.read_at is None else ""), (when, "$secondary"))
