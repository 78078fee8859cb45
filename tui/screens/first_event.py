"""A first source, the code that sends to it, and the wait for its first event."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input, Static

from core.doctor import knock
from core.errors import InvalidInput, TocsinError
from core.first_event import FirstSource, arrived, begin, curl_line, python_lines, url_of
from tui.engine import Engine
from tui.screens.facts import Fact, Mark, collector
from tui.screens.step import Step
from tui.screens.view import View
from tui.sheets.alert_sheet import creating
from tui.sheets.fields import ErrorLine, line, press
from tui.widgets.waiting import Waiting
from tui.widgets.words import number

LOOK_S = 1.0
USUAL = "My first source"


class FirstEvent(Step):
    """Name a source, copy three lines, see the first event arrive."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_python", "Copy Python"), Binding("Y", "copy_curl", "Copy curl")]

    def __init__(self, engine: Engine, id: str) -> None:
        super().__init__(engine, id)
        self._source: FirstSource | None = None
        self._url: str | None = None
        self._arrived = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Three stages: naming, waiting, arrived."""
        with Vertical(id="naming", classes="stage shown"):
            yield Static("Send events from an SDK", classes="title")
            yield Static("A source is where events come from: a website, an app, a server.", classes="told")
            with Horizontal(classes="row"):
                yield Static("Name", classes="name")
                yield line(placeholder=USUAL, id="source-name")
            yield ErrorLine(id="source-error")
            with Horizontal(classes="buttons"):
                yield press("Continue  ↵", "continue", main=True)
            yield Static("", id="door", classes="told")
        with Vertical(id="waiting", classes="stage"):
            yield Static("", id="waits", classes="title")
            yield Static("Run this where your events come from (pip install segment-analytics-python):", classes="told")
            yield Static("", id="python", classes="code")
            yield Static("The same with curl:", classes="told")
            yield Static("", id="curl", classes="code")
            with Horizontal(classes="buttons"):
                yield press("y  Copy Python", "copy-python", main=True)
                yield press("Y  Copy curl", "copy-curl")
            yield Waiting("waiting for the first event")
            yield Static("", id="hint", classes="told")
        with Vertical(id="arrived", classes="stage"):
            yield Static(Content.assemble(("● ", "$success"), "The first event is here"), classes="title")
            yield Static("", id="counted")
            with Horizontal(classes="buttons"):
                yield press("Create my first alert  ↵", "create", main=True)
                yield press("Open the source", "open")

    def on_mount(self) -> None:
        """Look once a second, while it is shown and something is awaited."""
        self._timer = self.set_interval(LOOK_S, self._look, pause=True)

    def begin(self) -> None:
        """Where it was left."""
        self.query_one("#create" if self._arrived else "#copy-python" if self._source else "#source-name").focus()
        self._look()
        if self._timer is not None and not self._arrived:
            self._timer.resume()

    def leave(self) -> None:
        """Stop looking until it is shown again."""
        if self._timer is not None:
            self._timer.pause()

    @work(exclusive=True, group="first event")
    async def _look(self) -> None:
        """Is there a collector to send to, and did something arrive? It may arrive at another process."""
        engine = self.engine
        try:
            await self._find_door()
            count = await engine.read(arrived, self._source.slug) if self._source else 0
        except TocsinError as error:
            self.say("#hint" if self._source else "#door", ("✕ ", "$error"), str(error))
            return
        if count and self._source and not self._arrived:
            self._celebrate(self._source, count)

    async def _find_door(self) -> None:
        engine = self.engine
        service = engine.service() if engine.service else None
        door = None if service and service.collector else await knock(engine.settings)
        fact = collector(service, door, engine.settings.collector)
        here = service.collector if service else None
        self._url = url_of(here or engine.settings.collector) if fact.mark is Mark.WELL else None
        self._tell(fact)

    def _tell(self, fact: Fact) -> None:
        glyph, colour = fact.mark.value
        if self._url:
            self.say("#door", (f"{glyph} ", colour), f"The collector listens at {self._url}")
            self.say("#hint", "An event with another write key is answered, but not counted.")
        else:
            advice = f" → {fact.advice}" if fact.advice else ""
            for place in ("#door", "#hint"):
                self.say(place, (f"{glyph} ", colour), f"{fact.told}{advice}")
        self._show_code()

    def _show_code(self) -> None:
        if self._source is None:
            return
        key, url = self._source.write_key, self._url
        self.query_one("#python", Static).update(python_lines(key, url) if url else "")
        self.query_one("#curl", Static).update(curl_line(key, url) if url else "")

    @on(Input.Submitted, "#source-name")
    @on(Button.Pressed, "#continue")
    def _continue(self) -> None:
        self._add()

    @work(exclusive=True, group="add source")
    async def _add(self) -> None:
        """Add the source, once there is somewhere to send to."""
        engine, error_line = self.engine, self.query_one("#source-error", ErrorLine)
        error_line.say("")
        try:
            await self._find_door()
            if self._url is None:
                raise InvalidInput("There is no collector to send to yet.")
            name = self.query_one("#source-name", Input).value.strip() or USUAL
            self._source = await engine.write(begin, name, engine.now())
        except TocsinError as error:
            error_line.say(str(error))
            self.query_one("#source-name").focus()
            return
        self.say("#waits", f"{self._source.name} waits for its first event")
        self._show_code()
        self.show_stage("waiting")
        self.refresh_bindings()
        self.query_one("#copy-python").focus()

    def _celebrate(self, source: FirstSource, count: int) -> None:
        self._arrived = True
        self.leave()
        what = "1 event" if count == 1 else f"{number(count)} events"
        self.say("#counted", f"{source.name} has sent {what}. Tocsin counts it by the hour from now on, and an alert "
                 "compares one day with the day before as soon as there are two.")
        self.show_stage("arrived")
        self.refresh_bindings()
        if self.display:
            self.query_one("#create").focus()

    @on(Button.Pressed, "#copy-python")
    def action_copy_python(self) -> None:
        """Copy the three lines."""
        if self._source and self._url:
            self.copy(python_lines(self._source.write_key, self._url), "The Python code")

    @on(Button.Pressed, "#copy-curl")
    def action_copy_curl(self) -> None:
        """Copy the command."""
        if self._source and self._url:
            self.copy(curl_line(self._source.write_key, self._url), "The curl command")

    @on(Button.Pressed, "#create")
    @work(exclusive=True, group="create")
    async def _create(self) -> None:
        """Create an alert for the source, and open it there."""
        if self._source is None:
            return
        saved = await self.app.push_screen_wait(await creating(self.engine, self._source.slug))
        self.post_message(View.Go("connection", self._source.slug, saved, "overview" if saved is None else "alerts"))

    @on(Button.Pressed, "#open")
    def _open(self) -> None:
        if self._source is not None:
            self.post_message(View.Go("connection", self._source.slug))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Copying is offered while there is something to copy."""
        return self._source is not None and not self._arrived if action.startswith("copy_") else True
