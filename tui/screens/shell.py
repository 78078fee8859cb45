"""The shell around every place: header with the bell, sidebar, filter line, footer, and the watch on the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from tui.widgets.bell import Bell
from tui.widgets.header import Header
from tui.widgets.keys import Keys
from tui.widgets.leaving import unless_gone
from tui.widgets.sidebar import PLACES, Sidebar

if TYPE_CHECKING:
    from textual.theme import Theme

    from core.bearings import Bearings
    from tui.app import TocsinApp
    from tui.engine import Engine
    from tui.screens.memory import Memory
    from tui.screens.view import View

POLL_S = 1.0
REFRESH_S = 30.0
NARROW = 100
LETTERS = {"s": "sources", "d": "destinations", "a": "alerts", "i": "incidents", "m": "members", "t": "settings"}
"""What stands after `g`."""
HESITATION_S = 0.8
NOT_AT = {"create": ("welcome", "members", "settings"), "filter": ("welcome", "settings")}
"""Actions that the keys of a place do not offer."""
Where = tuple[str, str, str, int | None]


def _finder() -> type[Provider]:
    from tui.screens.palette import Finder

    return Finder


class Shell(Screen[None]):
    """One place at a time, and the way back."""

    COMMANDS = {_finder}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Keys", key_display="?"), Binding("c", "create", "Create alert"),
        Binding("slash", "filter", "Filter", key_display="/"), Binding("b", "bell", "Bell"), Binding("g", "go", "Go"),
        Binding("left_square_bracket", "sidebar", "Sidebar", show=False, key_display="["),
        Binding("escape", "back", "Back", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("t", "times", "UTC times", show=False), Binding("q", "leave", "Quit", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine | None = None
        self.view: View | None = None
        self._trail: list[Where] = []
        self._here = ""
        self.seen: int | None = None
        """The store's change number that the screen shows."""
        self._shown = asyncio.Event()
        """Set once a place has its rows on the screen."""
        self._around: Bearings | None = None
        self._memory: Memory | None = None
        self._going = False
        self._folded: bool | None = None

    def compose(self) -> ComposeResult:
        """Header, sidebar, page, filter line, footer."""
        yield Header()
        with Horizontal(id="middle"):
            yield Sidebar(id="sidebar")
            with Vertical(id="page"):
                yield Static("", id="trouble")
                yield Container(Static("Opening the store…", id="loading"), id="place")
                yield Input(placeholder="filter…", id="filter")
        yield Keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense at this place."""
        return self._here not in NOT_AT.get(action, ())

    def fail(self, sentence: str) -> None:
        """Say in one line what went wrong."""
        trouble = self.query_one("#trouble", Static)
        trouble.update(Content(sentence))
        trouble.set_class(bool(sentence), "shown")

    async def begin(self, engine: Engine) -> None:
        """Show the first place with its rows, and keep it as the store is."""
        self.engine = engine
        await self._recall(engine)
        await self._refresh()
        await self._begin_at()
        self.set_interval(POLL_S, self._look)
        self.set_interval(REFRESH_S, self._again)
        await self._shown.wait()

    async def _recall(self, engine: Engine) -> None:
        """Take up what this member's screens remember."""
        from core.errors import TocsinError
        from tui.screens.memory import Memory

        self._memory = Memory()
        try:
            await self._memory.load(engine)
        except TocsinError as error:
            self.fail(str(error))
        theme = self._memory.text("theme")
        if theme in self.app.available_themes:
            self.app.theme = theme
        self.app.theme_changed_signal.subscribe(self, self._theme_chosen)

    def _theme_chosen(self, theme: Theme) -> None:
        if self._memory is not None:
            self._memory.note("theme", theme.name)

    async def _begin_at(self) -> None:
        """The place where this member was last; a welcome while there is no connection."""
        place = self._memory.text("place") if self._memory is not None else ""
        if self._around is not None and not self._around.sources + self._around.destinations:
            await self.go("welcome")
        else:
            await self.go(place if place in PLACES else "sources")

    async def go(self, place: str, slug: str = "", tab: str = "overview", alert: int | None = None) -> None:
        """Go to a place, or to a connection by its slug, one of its tabs, and an alert in it."""
        with unless_gone(self):
            await self._open((place, slug, tab, alert))

    def _note(self) -> None:
        """Note how the place looks that is shown."""
        if self.view is None or self._memory is None or self._here not in PLACES:
            return
        self._memory.note_place(self._here, self.view, self.query_one("#filter", Input).value)

    async def _keep(self) -> None:
        """Store what changed of what is remembered."""
        from core.errors import TocsinError

        self._note()
        if self.engine is None or self._memory is None:
            return
        try:
            await self._memory.keep(self.engine)
        except TocsinError as error:
            self.fail(str(error))

    async def _open(self, where: Where) -> None:
        from tui.screens.places import make

        if self.engine is None:
            return
        self._note()
        name, slug, tab, alert = where
        view = make(self.engine, name, slug, tab, alert)
        if not self._trail or self._trail[-1] != where:
            self._trail.append(where)
        place = self.query_one("#place", Container)
        self.view = None
        await place.remove_children()
        line = self.query_one("#filter", Input)
        line.value, line.display = "", False
        await place.mount(view)
        if self._memory is not None and name in PLACES:
            line.value = self._memory.restore_place(name, view)
            line.display = bool(line.value)
        self._here, self.view = name, view
        self.refresh_bindings()
        self.query_one(Sidebar).stand_at(name)
        view.begin()
        self._fill(view)

    @work(exclusive=True, group="fill")
    async def _fill(self, view: View) -> None:
        """Load a place that was just opened; put the cursor where it was there, unless it is back there already."""
        stood = bool(view.rows_shown)
        await self._load(view)
        if self._memory is not None and view is self.view and not stood:
            self._memory.select_again(self._here, view)
        self.call_after_refresh(self._shown.set)

    async def _load(self, view: View) -> None:
        from core.errors import NotFound, TocsinError

        with unless_gone(view), unless_gone(self):
            try:
                await view.load()
            except TocsinError as error:
                self.fail(f"{error} Press escape to go back." if isinstance(error, NotFound) else str(error))
            else:
                self.fail("")
        self._show_crumbs()

    def _show_crumbs(self) -> None:
        if self.engine is not None and self.view is not None:
            crumbs = (self.engine.workspace, *self.view.crumbs)
            self.query_one(Header).lead(crumbs, narrow=self.size.width < NARROW)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Refresh when any process changed the store."""
        from core.errors import TocsinError

        if self.engine is None:
            return
        try:
            changes = await asyncio.to_thread(self.engine.store.changes)
        except TocsinError as error:
            self.seen = None  # whatever the number is when the store answers again, what is shown is old
            self.fail(f"{error} It is asked again every second.")
            return
        with unless_gone(self):
            if changes != self.seen:
                self.seen = changes
                await self._refresh()

    @work(exclusive=True, group="again")
    async def _again(self) -> None:
        """Ages grow even when nothing changes; what is remembered is kept this seldom, as keeping it is a change."""
        with unless_gone(self):
            await self._refresh()
            await self._keep()

    async def _refresh(self) -> None:
        from core.bearings import bearings
        from core.errors import TocsinError

        if self.engine is None:
            return
        try:
            await self.engine.renew()
            around = await self.engine.read(bearings, self.engine.actor.id, self.engine.now())
        except TocsinError as error:
            self.fail(str(error))
            return
        before, self._around = self._around, around
        self.query_one(Header).tell(around, self.engine.actor, self.engine.now())
        self._show_around(around)
        if before is not None and around.unread > before.unread:
            from tui.screens.ringing import ring

            await ring(cast("TocsinApp", self.app), self.engine, around.unread - before.unread, loud=self.rings)
        if self.view is not None:
            await self._load(self.view)

    def _show_around(self, around: Bearings) -> None:
        """The counts beside the places."""
        sidebar = self.query_one(Sidebar)
        sidebar.tell("sources", around.sources)
        sidebar.tell("destinations", around.destinations)
        sidebar.tell("alerts", around.firing or around.alerts, alarming=around.firing > 0)

    def turn_ring(self) -> None:
        """Ring the terminal too, or no longer."""
        if self._memory is not None:
            self._memory.note("rings", not self.rings)

    @property
    def rings(self) -> bool:
        """Whether the terminal rings too."""
        return self._memory is not None and self._memory.flag("rings")

    async def on_view_go(self, event: View.Go) -> None:
        """Go where somebody wants to be."""
        await self._open((event.place, event.slug, event.tab, event.alert))

    @on(OptionList.OptionSelected, "#sidebar")
    async def _sidebar_chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_id:
            await self._open((event.option_id, "", "overview", None))

    async def on_key(self, event: events.Key) -> None:
        """`g` and a letter go to a place, also when both arrive at once: a binding would run only after the letter."""
        if event.key == "g" and not self._going:
            event.stop()
            event.prevent_default()
            self.action_go()
        elif self._going:
            self._going = False
            place = LETTERS.get(event.key)
            if place:
                event.stop()
                event.prevent_default()
                await self.go(place)

    def action_go(self) -> None:
        """Wait for the letter of a place; who hesitates is told the letters."""
        self._going = True
        self.set_timer(HESITATION_S, self._tell_letters)

    def _tell_letters(self) -> None:
        if self._going:
            self.notify("s sources · d destinations · a alerts · i incidents · m members · t settings", title="Go to",
                        timeout=4)

    async def action_back(self) -> None:
        """One step back: out of the filter, then to the place before."""
        line = self.query_one("#filter", Input)
        if line.display:
            line.value = ""
            line.display = False
            self._filter_done()
        elif len(self._trail) > 1:
            self._trail.pop()
            await self._open(self._trail[-1])

    def action_filter(self) -> None:
        """Filter as you type."""
        line = self.query_one("#filter", Input)
        line.display = True
        self.set_focus(line)  # at once: keys that come in the same breath are for the filter

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
        self._show_crumbs()

    def action_help(self) -> None:
        """List the keys."""
        from tui.sheets.help_sheet import HelpSheet

        here = {}
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.show and active.node is not self and active.node is not self.app:
                here[binding.description] = self.app.get_key_display(binding)
        self.app.push_screen(HelpSheet([(key, meaning) for meaning, key in here.items()]))

    def action_copy(self) -> None:
        """Copy the text that is selected, or the id of what is: a slug, or an alert's number."""
        text = self.get_selected_text() or (self.view.copied() if self.view is not None else "")
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {text}" if len(text) < 60 else "Copied", markup=False, timeout=2)

    def action_times(self) -> None:
        """The exact times of the selected row."""
        told = self.view.moments() if self.view is not None else ""
        if told:
            self.notify(told, title="Exact times", markup=False)

    async def action_leave(self) -> None:
        """Keep what is remembered, and quit."""
        await self._keep()
        self.app.exit()

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
            self.notify("The alert is saved.", markup=False, timeout=3)
            await self.go("connection", slug, "alerts", saved)
