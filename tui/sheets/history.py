"""The history of an alert: its incidents, under each what was sent where, and a failed message tried again by key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.access import Actor
from core.errors import TocsinError
from core.incidents import IncidentRow, NotificationRow, list_incidents, list_notifications, retry
from core.store import Session
from core.terms import AlertKind, ChannelKind, Delivery, Event
from tui.engine import Engine
from tui.sheets.fields import Title
from tui.sheets.sheet import Panel, Sheet
from tui.widgets.leaving import unless_gone
from tui.widgets.marks import CHANNELS, DELIVERIES
from tui.widgets.words import ago, length, local, percent, safe

MOST = 500
LOOK_S = 1.0
FAR = "\n      "
"""Before a Slack URL, which is too long for the line in a sheet of 56 columns."""
EVENTS = {Event.OPENED: "opened", Event.REMINDER: "reminder", Event.RESOLVED: "resolved", Event.TEST: "test",
          Event.CHANNEL_FAILED: "channel failed", Event.GAP: "gap"}
Told = tuple[list[IncidentRow], list[NotificationRow]]


class HistorySheet(Sheet[None]):
    """`incident` is the one to begin at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Retry"), Binding("j", "down", show=False), Binding("k", "up", show=False)]

    def __init__(self, engine: Engine, alert: int, title: str, incident: int | None = None) -> None:
        super().__init__()
        self._engine, self._alert, self._about, self._incident = engine, alert, title, incident
        self._changes = -1
        self._failed: dict[str, NotificationRow] = {}

    def compose(self) -> ComposeResult:
        """A title, the list, and its keys."""
        with Panel():
            yield Title("History")
            yield Static(Content(safe(self._about)), classes="told")
            yield OptionList()
            yield Static("r retry a failed message   esc back", classes="foot")

    def on_mount(self) -> None:
        """Show it, and keep it as the store is."""
        self.query_one(OptionList).focus()
        self._load()
        self.set_interval(LOOK_S, self._look)

    @work(exclusive=True, group="history")
    async def _load(self) -> None:
        with unless_gone(self):
            await self._read()

    async def _read(self) -> None:
        try:
            incidents, notifications = await self._engine.read(_told, self._engine.actor, self._alert)
        except TocsinError as error:
            self._show([Option(Content.styled(f"✕ {safe(str(error))}", "$error"), disabled=True)])
            return
        self._failed = {f"n{row.id}": row for row in notifications if row.state is Delivery.FAILED}
        self._show(list(_options(incidents, notifications, self._engine.now())))

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Follow the store: a retried message goes from queued to sent while one looks at it."""
        try:
            changes = await self._engine.changes()
        except TocsinError:
            return  # the shell says what is wrong with the store
        if changes != self._changes:
            self._changes = changes
            self._load()

    def _show(self, options: list[Option]) -> None:
        menu = self.query_one(OptionList)
        kept = None if menu.highlighted is None else menu.get_option_at_index(menu.highlighted).id
        begin = kept or (f"i{self._incident}" if self._incident else None)
        menu.clear_options()
        menu.add_options(options)
        ids = [option.id for option in options]
        menu.highlighted = ids.index(begin) if begin in ids else next(
            (index for index, option in enumerate(options) if not option.disabled), None)

    @work(exclusive=True, group="retry")
    async def action_retry(self) -> None:
        """Queue the selected failed message once more."""
        menu = self.query_one(OptionList)
        chosen = None if menu.highlighted is None else menu.get_option_at_index(menu.highlighted).id
        row = self._failed.get(chosen or "")
        if row is None:
            self.notify("Only a message that failed can be tried again.", severity="warning")
            return
        try:
            await self._engine.write(retry, self._engine.actor, row.id, self._engine.now())
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify("Queued again.")
            self._load()

    def action_down(self) -> None:
        """One down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One up."""
        self.query_one(OptionList).action_cursor_up()


def _told(session: Session, actor: Actor, alert: int) -> Told:
    return (list_incidents(session, actor, alert_id=alert, limit=MOST),
            list_notifications(session, actor, alert_id=alert, limit=MOST))


def _options(
    incidents: Iterable[IncidentRow], notifications: Iterable[NotificationRow], now: datetime
) -> Iterable[Option]:
    of: dict[int | None, list[NotificationRow]] = {}
    for row in notifications:
        of.setdefault(row.incident, []).append(row)
    nothing = True
    for incident in incidents:
        nothing = False
        yield Option(_incident(incident, now), id=f"i{incident.id}")
        for row in reversed(of.pop(incident.id, [])):
            yield Option(told(row, now), id=f"n{row.id}")
    rest = [row for rows in of.values() for row in rows]
    if rest:
        nothing = False
        yield Option(Content.styled("Tests and notices", "bold"), disabled=True)
        for row in rest:
            yield Option(told(row, now), id=f"n{row.id}")
    if nothing:
        yield Option(Content.styled("It has never rung.", "$secondary"), disabled=True)


def _incident(row: IncidentRow, now: datetime) -> Content:
    ended = row.closed_at or now
    mark, colour = ("▲ open", "bold $error") if row.closed_at is None else ("● closed", "bold $success")
    until = "now" if row.closed_at is None else local(row.closed_at)
    how = f", {row.close_reason.value.replace('_', ' ')}" if row.close_reason else ""
    worst = "from nothing" if row.worst is None else percent(row.worst, signed=row.kind is AlertKind.SOURCE_VOLUME)
    return Content.assemble(
        (mark, colour), f"  {local(row.opened_at)} → {until}",
        (f"\n  {length(ended - row.opened_at)}{how}, worst {worst}", "$secondary"))


def told(row: NotificationRow, now: datetime) -> Content:
    """One notification: its delivery, channel, event, recipient and age, and the last error of one not sent."""
    glyph, colour = DELIVERIES[row.state]
    to = row.recipient if row.recipient and row.channel is not ChannelKind.IN_APP else "the creator's bell" if (
        row.channel is ChannelKind.IN_APP) else "hidden from you"
    parts: list[str | tuple[str, str]] = [
        (f"  {glyph} {row.state.value}", colour), f"  {CHANNELS[row.channel]} {EVENTS[row.event]}",
        (f"{FAR if row.channel is ChannelKind.SLACK else '  '}{safe(to)} · {ago(row.sent_at or row.created_at, now)}",
         "$secondary")]
    if row.last_error and row.state is not Delivery.SENT:
        tries = f" after {row.attempts} tries" if row.attempts > 1 else ""
        parts.append((f"\n      {safe(row.last_error)}{tries}", colour))
    return Content.assemble(*parts)
