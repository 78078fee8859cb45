"""Two other ways in: reading a Segment workspace, and importing a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Select, Static
from textual.worker import Worker

from core.access import require_owner
from core.clock import start_of
from core.errors import InvalidInput, TocsinError
from core.intake.csv_file import Imported, Known, known_connections
from core.intake.first_file import FirstFile, import_first_file, read_first_file
from core.intake.segment.link import find as find_link
from core.members import list_members
from core.settings import config_file
from tui.engine import Engine
from tui.screens.facts import tilde
from tui.screens.step import Step
from tui.screens.view import View
from tui.sheets.fields import Choice, ErrorLine, line, press
from tui.widgets.words import number, safe

if TYPE_CHECKING:
    from core.intake.segment.connection import Connected
    from core.intake.segment.sync import Progress

REGIONS = [("us  api.segmentapis.com", "us"), ("eu  eu1.api.segmentapis.com", "eu")]
BAR = 24


class SegmentStep(Step):
    """A token, a region, and the first sync with its progress."""

    def __init__(self, engine: Engine, id: str) -> None:
        super().__init__(engine, id)
        self._connecting: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Two stages: asking, connected."""
        with Vertical(id="asking", classes="stage shown"):
            yield Static("Read my Segment workspace", classes="title")
            yield Static("", id="about", classes="told")
            with Horizontal(classes="row"):
                yield Static("Token", classes="name")
                yield line(placeholder="a Public API token with Workspace Owner access", id="token", hidden=True)
            yield ErrorLine(id="token-error")
            with Horizontal(classes="row"):
                yield Static("Region", classes="name")
                yield Choice(REGIONS, "us", id="region")
            with Horizontal(classes="buttons"):
                yield press("Connect  ↵", "connect", main=True)
                yield press("Cancel", "cancel")
            yield Static("", id="progress")
        with Vertical(id="connected", classes="stage"):
            yield Static("", id="workspace", classes="title")
            yield Static("", id="read")
            yield Static("", id="complaint")
            with Horizontal(classes="row", id="being"):
                yield Static("You are", classes="name")
                yield Choice([(self.engine.actor.email, self.engine.actor.email)], self.engine.actor.email, id="me")
            yield ErrorLine(id="me-error")
            with Horizontal(classes="buttons"):
                yield press("Open the sources  ↵", "open", main=True)

    def on_mount(self) -> None:
        """Say where the token goes."""
        self.say("#about", "Sources, destinations, members and 14 days of counts; then every hour. Nothing is written "
                 f"to Segment. The token is kept in {tilde(str(config_file()))}, which only you can read.")
        self._arrange()

    def begin(self) -> None:
        """Where it was left."""
        shown = self.query_one("#connected").has_class("shown")
        self.query_one("#open" if shown else "#token").focus()

    def leave(self) -> None:
        """Break off what is under way; that is safe at any moment."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
            self._arrange()
            self._tell_cancelled()

    def _arrange(self) -> None:
        under_way = self._connecting is not None
        for field in ("#token", "#region", "#connect"):
            self.query_one(field).disabled = under_way
        self.query_one("#cancel").disabled = not under_way

    @on(Input.Submitted, "#token")
    @on(Button.Pressed, "#connect")
    def _connect_pressed(self) -> None:
        if self._connecting is None:
            self.query_one("#token-error", ErrorLine).say("")
            self._connecting = self._connect()
            self._arrange()
            self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.leave()
        self.query_one("#token").focus()

    @work(exclusive=True, group="connect")
    async def _connect(self) -> None:
        engine = self.engine
        region = self.query_one("#region", Select).value
        self.say("#progress", "asking Segment…")
        try:
            require_owner(engine.actor, "connect a Segment workspace")
            join = await asyncio.to_thread(_joining)
            made = await join(engine.store, engine.settings, engine.clock, self.query_one("#token", Input).value,
                              region=str(region), progress=self._progress)
        except TocsinError as error:
            self._connecting = None
            self._arrange()
            self.say("#progress", "")
            self.query_one("#token-error", ErrorLine).say(str(error))
            self.query_one("#token").focus()
        else:
            self._connecting = None
            self._arrange()
            await self._offer_members()
            self._show(made)

    async def _offer_members(self) -> None:
        """Who is at this keyboard: a token does not say which person holds it. Whoever asked with --as has said so."""
        engine = self.engine
        emails = [row.email for row in await engine.read(list_members)]
        self.query_one("#being").display = engine.settings.member is None and len(emails) > 1
        choice = self.query_one("#me", Choice)
        choice.set_options([(email, email) for email in emails])
        choice.value = engine.actor.email

    def _progress(self, at: Progress) -> None:
        filled = BAR * at.done // max(1, at.total)
        self.say("#progress", ("━" * filled, "$primary"), ("━" * (BAR - filled), "$secondary 40%"),
                 f"  {at.step}", (f"  {number(at.done)} of {number(at.total)}", "$secondary"))

    @work(exclusive=True, group="cancelled")
    async def _tell_cancelled(self) -> None:
        link = await self.engine.read(find_link)
        self.say("#progress", "Broken off; nothing was changed." if link is None else
                 f"Broken off. {link.workspace_name} is connected, and the next hourly sync reads the rest.")

    def _show(self, made: Connected) -> None:
        report = made.report
        self.query_one("#token", Input).value = ""
        self.say("#progress", "")
        self.say("#workspace", ("● ", "$success"), f"{made.link.workspace_name} is connected")
        self.say("#read", f"{number(report.sources)} sources, {number(report.destinations)} destinations and "
                 f"{number(report.members)} members, with 14 days of counts, in {number(report.requests)} requests.")
        if report.error is not None:
            self.say("#complaint", ("▲ ", "$warning"), f"{report.error} The next hourly sync tries again.")
        self.show_stage("connected")
        if self.display:
            self.query_one("#open").focus()

    @on(Button.Pressed, "#open")
    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        me = self.query_one("#me", Select).value
        if isinstance(me, str) and me != self.engine.actor.email:
            try:
                await self.engine.become(me)
            except TocsinError as error:
                self.query_one("#me-error", ErrorLine).say(str(error))
                return
        self.post_message(View.Go("sources"))


class FileStep(Step):
    """The path of a CSV file, and what was imported of it."""

    def compose(self) -> ComposeResult:
        """Two stages: asking, imported."""
        with Vertical(id="choosing", classes="stage shown"):
            yield Static("Import a file", classes="title")
            yield Static("Hourly counts as CSV; a bad row refuses the file and changes nothing:", classes="told")
            yield Static("connection,hour,stage,count\nwebsite,2026-11-23T08:00:00Z,received,1234", classes="code")
            yield Static("A name that is not here yet becomes a source. Destinations come first: "
                         "tocsin destination add NAME --source SLUG", classes="told")
            with Horizontal(classes="row"):
                yield Static("File", classes="name")
                yield line(placeholder="~/counts.csv", id="path")
            yield ErrorLine(id="path-error")
            with Horizontal(classes="buttons"):
                yield press("Import  ↵", "import", main=True)
        with Vertical(id="imported", classes="stage"):
            yield Static(Content.assemble(("● ", "$success"), "The file is imported"), classes="title")
            yield Static("", id="what")
            with Horizontal(classes="buttons"):
                yield press("Open the sources  ↵", "open-sources", main=True)

    def begin(self) -> None:
        """Where it was left."""
        done = self.query_one("#imported").has_class("shown")
        self.query_one("#open-sources" if done else "#path").focus()

    @on(Input.Submitted, "#path")
    @on(Button.Pressed, "#import")
    def _import_pressed(self) -> None:
        self._import()

    @work(exclusive=True, group="import")
    async def _import(self) -> None:
        engine, path = self.engine, self.query_one("#path", Input).value.strip()
        error_line = self.query_one("#path-error", ErrorLine)
        error_line.say("")
        try:
            known = await engine.read(known_connections)
            file = await asyncio.to_thread(_read, path, known)
            done = await engine.write(import_first_file, file, engine.now())
        except TocsinError as error:
            error_line.say(str(error))
            self.query_one("#path").focus()
        else:
            self._show(done, file)

    def _show(self, done: Imported, file: FirstFile) -> None:
        connections = "1 connection" if done.connections == 1 else f"{number(done.connections)} connections"
        said = f"{number(done.counts)} counts of {connections}"
        if done.since is not None and done.until is not None:
            said += f", from {start_of(done.since):%-d %b %Y %H:%M} to {start_of(done.until):%-d %b %Y %H:%M} UTC"
        added = f"\nAdded as sources: {safe(', '.join(sorted(file.new)))}." if file.new else ""
        self.query_one("#what", Static).update(f"{said}.{added}")
        self.show_stage("imported")
        if self.display:
            self.query_one("#open-sources").focus()

    @on(Button.Pressed, "#open-sources")
    def _open(self) -> None:
        self.post_message(View.Go("sources"))


def _joining() -> Callable[..., Awaitable[Connected]]:
    from core.intake.segment.connection import connect  # brings httpx, which only this step needs

    return connect


def _read(text: str, known: Known) -> FirstFile:
    """The file at a path. Raises InvalidInput, naming the line where there is one."""
    if not text:
        raise InvalidInput("Type the path of a CSV file.", "path")
    path = Path(text).expanduser()
    if path.exists() and not path.is_file():
        raise InvalidInput(f"{text} is not a file.", "path")
    try:
        with path.open("rb") as stream:
            return read_first_file(stream, text, known)
    except OSError as error:
        raise InvalidInput(f"{text} cannot be read: {error.strerror}.", "path") from None
