"""Alerts as a table with an Actions menu: of one connection, or of the whole workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import Button, Static

from core.access import Action
from core.alert_rows import AlertRow
from core.alerts import delete_alert, list_alerts, mute, set_enabled, unmute
from core.clock import parse_length
from core.errors import InvalidInput, TocsinError
from core.rules import percent_text
from tui.engine import Engine
from tui.screens.columns import alert_columns
from tui.screens.view import View
from tui.sheets.alert_sheet import duplicating, editing
from tui.sheets.confirm import AskLine, Confirm
from tui.sheets.fields import press
from tui.sheets.history import HistorySheet
from tui.widgets.action_menu import ActionMenu, Entry
from tui.widgets.row_table import RowTable
from tui.widgets.words import STATES, local, number, safe

ABOUT = "An alert tells you when this connection's numbers change beyond what you set. Press c to create one."
NONE_YET = "No alert yet. Open a source or a cloud-mode destination and press c."


class AlertsView(View):
    """Every alert, firing first; of one connection when `slug` names it."""

    crumbs = ("Monitor", "Alerts")
    DEFAULT_CSS = """
    AlertsView #facts { height: auto; max-height: 5; padding: 1 1 0 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "menu", "Actions"), Binding("h", "history", "History", show=False),
        Binding("f", "state_filter", "State", show=False)]

    def __init__(self, engine: Engine, slug: str | None = None) -> None:
        super().__init__(engine)
        self.slug = slug
        self._rows: list[AlertRow] = []
        self._state: str | None = None

    def compose(self) -> ComposeResult:
        """A bar, the table, and what the selected alert listens for."""
        with Horizontal(classes="bar"):
            yield Static("", id="count")
            if self.slug:
                yield press("+ Create alert", "create")
        yield RowTable(alert_columns(self.engine.now, everywhere=self.slug is None), lambda row: row.id,
                       empty=ABOUT if self.slug else NONE_YET)
        yield Static("", id="facts")

    async def load(self) -> None:
        """The alerts."""
        self._rows = await self.engine.read(list_alerts, self.engine.actor, slug=self.slug, now=self.engine.now())
        self._arrange()

    def _arrange(self) -> None:
        rows = [row for row in self._rows if self._state in (None, row.state)]
        firing = sum(row.state == "firing" for row in self._rows)
        table = self.query_one(RowTable)
        table.show(rows)
        shown = f"{number(len(self._rows))} {'alert' if len(self._rows) == 1 else 'alerts'}, {number(firing)} firing"
        if self._state:
            shown += f"   only {self._state.replace('_', ' ')}: {len(rows)}  (f: next state)"
        elif not self.slug:
            shown += "   f: by state   /: by kind, creator, channel, name"
        self.query_one("#count", Static).update(Content(shown if self._rows else ""))
        self._tell()

    def _tell(self) -> None:
        row = self.query_one(RowTable).selected
        self.query_one("#facts", Static).update(_facts(row) if isinstance(row, AlertRow) else "")

    def on_row_table_moved(self) -> None:
        """Another alert is selected."""
        self._tell()

    def filter_by(self, text: str) -> None:
        """Show only rows with `text` in them."""
        self.query_one(RowTable).filter_by(text)

    def action_state_filter(self) -> None:
        """Show the alerts of the next state that any of them is in, and after the last one all again."""
        there = [None, *dict.fromkeys(row.state for row in self._rows)]
        self._state = there[(there.index(self._state) + 1) % len(there)] if self._state in there else None
        self._arrange()

    def select(self, alert: int) -> None:
        """Put the cursor on this alert."""
        self.query_one(RowTable).select(alert)

    @on(Button.Pressed, "#create")
    async def _create(self) -> None:
        await self.run_action("screen.create")

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the menu of the row."""
        event.stop()
        self._menu(event.row)

    def on_row_table_menu(self, event: RowTable.Menu) -> None:
        """Open the menu of the row, where it was asked for."""
        event.stop()
        self._menu(event.row, event.at)

    def action_menu(self) -> None:
        """Open the menu of the selected row."""
        row = self.query_one(RowTable).selected
        if isinstance(row, AlertRow):
            self._menu(row)

    def action_history(self) -> None:
        """Show the history of the selected alert."""
        row = self.query_one(RowTable).selected
        if isinstance(row, AlertRow):
            self.app.push_screen(HistorySheet(self.engine, row.id, named(row)))

    @work
    async def _menu(self, row: AlertRow, at: Offset | None = None) -> None:
        table = self.query_one(RowTable)
        beside = at + Offset(1, 1) if at else table.where(table.cursor)
        chosen = await self.app.push_screen_wait(ActionMenu(named(row), entries(row), beside))
        if chosen is None:
            return
        try:
            await self._do(chosen, row)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        if self.is_attached:
            await self.load()

    async def _do(self, chosen: str, row: AlertRow) -> None:
        engine, now = self.engine, self.engine.now()
        if chosen == "edit":
            if await self.app.push_screen_wait(editing(engine, row)):
                self.notify("The alert is saved and judged anew.", markup=False)
        elif chosen == "duplicate":
            if await self.app.push_screen_wait(duplicating(engine, row)):
                self.notify("The copy is saved.", markup=False)
        elif chosen in ("enable", "disable"):
            await engine.write(set_enabled, engine.actor, row.id, chosen == "enable", now)
        elif chosen == "unmute":
            await engine.write(unmute, engine.actor, row.id, now)
        elif chosen == "mute":
            until = await self.app.push_screen_wait(AskLine(
                "Mute for how long?", "30m, 8h or 2d, or until a local time like 2026-11-30 09:00. It is still judged.",
                "8h", lambda text: until_of(text, now)))
            if until is not None:
                await engine.write(mute, engine.actor, row.id, until, now)
        elif chosen == "test":
            await self._test(row)
        elif chosen == "history":
            self.app.push_screen(HistorySheet(engine, row.id, named(row)))
        elif chosen == "delete" and await self.app.push_screen_wait(Confirm(
                f"Delete “{named(row)}”?", "Its history stays. This cannot be undone.", "Delete")):
            await engine.write(delete_alert, engine.actor, row.id, now)

    async def _test(self, row: AlertRow) -> None:
        from core.trial import send_test  # brings httpx, which no screen needs before a test

        engine = self.engine
        for answer in await send_test(engine.store, engine.actor, row.id, engine.carriers(), engine.now):
            self.notify(answer.answer, title=f"{'✓' if answer.ok else '✕'} {answer.channel.value} {answer.recipient}",
                        severity="information" if answer.ok else "error", markup=False)


def entries(row: AlertRow) -> list[Entry]:
    """The Actions menu of an alert, with the reasons for what this member may not do."""
    switch = Action.DISABLE if row.spec.enabled else Action.ENABLE
    quiet = (Entry("unmute", "Unmute", row.refused[Action.MUTE]) if row.muted_until
             else Entry("mute", "Mute…", row.refused[Action.MUTE]))
    return [
        Entry("edit", "Edit", row.refused[Action.EDIT]),
        Entry(switch.value, switch.value.capitalize(), row.refused[switch]), quiet,
        Entry("test", "Send test", row.refused[Action.TEST]), Entry("duplicate", "Duplicate"),
        Entry("history", "History"), Entry("delete", "Delete", row.refused[Action.DELETE]),
    ]


def named(row: AlertRow) -> str:
    """An alert in a few words."""
    return f"{row.title} {percent_text(row.spec.threshold)} % · {row.connection_name}"


def until_of(text: str, now: datetime) -> datetime:
    """`8h` from `now`, or a local time, in UTC. Raises InvalidInput for what is neither, or is over."""
    try:
        return now + parse_length(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("Neither a length like 30m, 8h or 2d nor a time like 2026-11-30 09:00.") from None
    if moment <= now:
        raise InvalidInput("That time is over.")
    return moment


def _facts(row: AlertRow) -> Content:
    """What the table has no room for: what it listens for, exact times, where it goes, and what is broken or stale."""
    glyph, colour = STATES[row.state]
    parts: list[str | tuple[str, str]] = [
        (f"{glyph} ", colour), f"{row.title} {row.explanation}, {percent_text(row.spec.threshold)} %",
        (f"\n  set by {safe(row.created_by_name)}, {local(row.created_at)}", "$secondary")]
    since = [
        (f"firing since {local(row.firing_since)}", "$error") if row.firing_since else None,
        (f"last sent {local(row.last_sent_at)}", "$secondary") if row.last_sent_at else None,
        (f"muted until {local(row.muted_until)}", "$secondary") if row.muted_until else None,
        (f"! stale since {local(row.stale_since)}", "$warning") if row.stale_since else None,
        (safe(row.disabled_reason), "$secondary") if row.disabled_reason else None]
    for place, told in enumerate(item for item in since if item):
        parts += [("\n  " if place == 0 else " · ", "$secondary"), told]
    broken = [channel for channel in row.channels if channel.broken_since]
    for channel in broken[:2]:
        parts.append((f"\n  ✕ {channel.kind.value} is broken: {safe(channel.broken_answer or '')}", "$error"))
    return Content.assemble(*parts)
