"""The shell around every place: header with the bell, sidebar, filter line, footer, and the watch on the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.widgets.bell import Bell

if TYPE_CHECKING:
    from tui.engine import Engine
    from tui.screens.view import View

PLACES = {"sources": "Sources", "destinations": "Destinations", "alerts": "Alerts", "incidents": "Incidents",
          "members": "Members", "settings": "Settings"}
GROUPS = (("Connections", ("sources", "destinations")), ("Monitor", ("alerts", "incidents")),
          ("Workspace", ("members", "settings")))
POLL_S = 1.0
REFRESH_S = 30.0
NARROW = 100


class Shell(Screen[None]):
    """One place at a time, and the way back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "Create alert"), Binding("slash", "filter", "Filter", key_display="/"),
        Binding("b", "bell", "Notifications"), Binding("g", "go", "Go to…"),
        Binding("left_square_bracket", "sidebar", "Sidebar", show=False, key_display="["),
        Binding("question_mark", "help", "Keys", key_display="?"), Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine | None = None
        self._trail: list[tuple[str, str, str, int | None]] = []
        self._changes: int | None = None
        self._going = False
        self._folded: bool | None = None

    def compose(self) -> ComposeResult:
        """Header, sidebar, page, filter line, footer."""
        with Horizontal(id="header"):
            yield Static("◉ tocsin", id="brand")
            yield Static("", id="crumbs")
            yield Bell()
            yield Static("", id="who")
        with Horizontal(id="middle"):
            yield OptionList(*self._entries(), id="sidebar")
            with Vertical(id="page"):
                yield Static("", id="trouble")
                yield Container(Static("Opening the store…", id="loading"), id="place")
                yield Input(placeholder="filter…", id="filter")
        yield Footer()

    def _entries(self) -> list[Option]:
        entries: list[Option] = []
        for title, places in GROUPS:
            entries.append(Option(Content.styled(title, "$secondary"), disabled=True))
            entries += [Option(f"  {PLACES[place]}", id=place) for place in places]
        return entries

    def fail(self, sentence: str) -> None:
        """Say in one line what went wrong."""
        trouble = self.query_one("#trouble", Static)
        trouble.update(Content(sentence))
        trouble.set_class(bool(sentence), "shown")

    async def begin(self, engine: Engine) -> None:
        """Show the first place, and keep it as the store is."""
        self.engine = engine
        role = "owner" if engine.actor.is_owner else "member"
        self.query_one("#who", Static).update(Content(f"{engine.actor.name} ({role})"))
        await self._open(("sources", "", "overview", None))
        await self._refresh()
        self.set_interval(POLL_S, self._look)
        self.set_interval(REFRESH_S, self._again)

    async def _open(self, where: tuple[str, str, str, int | None]) -> None:
        from tui.screens.places import make

        if self.engine is None:
            return
        name, slug, tab, alert = where
        view = make(self.engine, name, slug, tab, alert)
        if not self._trail or self._trail[-1] != where:
            self._trail.append(where)
        place = self.query_one("#place", Container)
        await place.remove_children()
        line = self.query_one("#filter", Input)
        line.value, line.display = "", False
        await place.mount(view)
        await self._load(view)
        sidebar = self.query_one("#sidebar", OptionList)
        if name in PLACES:
            sidebar.highlighted = sidebar.get_option_index(name)
        focusable = next((child for child in view.query("*") if child.can_focus and type(child).__name__ == "RowTable"
                          and child.display), None)
        if focusable is not None and (tab != "overview" or name in PLACES):
            focusable.focus()

    async def _load(self, view: View) -> None:
        from core.errors import TocsinError

        try:
            await view.load()
        except TocsinError as error:
            self.fail(f"{error} Press escape to go back.")
        else:
            self.fail("")
        if self.engine is not None:
            crumbs = " › ".join((self.engine.workspace, *view.crumbs))
            self.query_one("#crumbs", Static).update(Content(crumbs))

    @property
    def view(self) -> View | None:
        """The place that is shown."""
        from tui.screens.view import View

        found = self.query_one("#place", Container).children
        return found[0] if found and isinstance(found[0], View) else None

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Refresh when any process changed the store."""
        from core.errors import TocsinError

        if self.engine is None:
            return
        try:
            changes = await asyncio.to_thread(self.engine.store.changes)
        except TocsinError as error:
            self.fail(str(error))
            return
        if changes != self._changes:
            self._changes = changes
            await self._refresh()

    @work(exclusive=True, group="again")
    async def _again(self) -> None:
        """Ages grow even when nothing changes."""
        await self._refresh()

    async def _refresh(self) -> None:
        from core.errors import TocsinError
        from core.incidents import unread_count

        if self.engine is None:
            return
        try:
            unread = await self.engine.read(unread_count, self.engine.actor.id)
        except TocsinError as error:
            self.fail(str(error))
            return
        bell = self.query_one(Bell)
        if unread > bell.unread and self._changes is not None:
            self.notify(f"{unread - bell.unread} new, press b to read", title="The bell rang", markup=False)
        bell.unread = unread
        if self.view is not None:
            await self._load(self.view)

    async def on_view_go(self, event: View.Go) -> None:
        """Go where somebody wants to be."""
        await self._open((event.place, event.slug, event.tab, event.alert))

    @on(OptionList.OptionSelected, "#sidebar")
    async def _sidebar_chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_id:
            await self._open((event.option_id, "", "overview", None))

    async def on_key(self, event: events.Key) -> None:
        """`g` and a letter go to a place."""
        if self._going:
            self._going = False
            place = next((name for name in PLACES if name[0] == event.key and name in (
                "sources", "destinations", "alerts", "incidents")), None)
            if place:
                event.stop()
                event.prevent_default()
                await self._open((place, "", "overview", None))

    def action_go(self) -> None:
        """Wait for the letter of a place."""
        self._going = True
        self.notify("s sources · d destinations · a alerts · i incidents", title="Go to", timeout=2)

    async def action_back(self) -> None:
        """One step back: out of the filter, then to the place before."""
        line = self.query_one("#filter", Input)
        if line.display:
            line.value = ""
            line.display = False
            self.focus_next()
        elif len(self._trail) > 1:
            self._trail.pop()
            await self._open(self._trail[-1])

    def action_filter(self) -> None:
        """Filter as you type."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        if self.view is not None:
            self.view.filter_by(event.value)

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        table = next(iter(self.query("RowTable")), None)
        if table is not None:
            table.focus()

    def action_sidebar(self) -> None:
        """Fold or unfold the sidebar."""
        self._folded = self.query_one("#sidebar").display
        self.query_one("#sidebar").display = not self._folded

    def on_resize(self, event: events.Resize) -> None:
        """Fold the sidebar when room is short, unless somebody said otherwise."""
        narrow = event.size.width < NARROW
        if self._folded is None:
            self.query_one("#sidebar").display = not narrow

    def action_help(self) -> None:
        """List the keys."""
        self.app.action_show_help_panel()

    @on(Bell.Opened)
    @work
    async def action_bell(self) -> None:
        """Open the notifications; choosing one goes to its alert."""
        from tui.sheets.notification_panel import NotificationPanel

        if self.engine is None:
            return
        row = await self.app.push_screen_wait(NotificationPanel(self.engine))
        await self._refresh()
        if row is not None and row.facts.connection:
            await self._open(("connection", row.facts.connection, "alerts", row.alert))

    @work
    async def action_create(self) -> None:
        """Create an alert for the connection that is shown or selected."""
        from tui.screens.places import alert_target
        from tui.sheets.alert_sheet import creating

        if self.engine is None or self.view is None:
            return
        slug, why = alert_target(self.view)
        if slug is None:
            self.notify(why, severity="warning", markup=False)
            return
        saved = await self.app.push_screen_wait(await creating(self.engine, slug))
        if saved is not None:
            self.notify("The alert is saved. It is judged at the next pass.", markup=False)
            await self._open(("connection", slug, "alerts", saved))
