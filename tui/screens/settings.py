"""Workspace › Settings: how everything is, live, with what to do when it is not well; then what is set, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.doctor import examine, knock
from core.errors import TocsinError
from core.settings import config_file, described
from core.vitals import vitals
from tui.engine import Engine
from tui.screens.facts import DOT, NAMES, Fact, Mark, Seen, facts, summary, tilde
from tui.screens.view import View
from tui.widgets.words import safe

LIVE_S = 1.0
EXAMINE_S = 60.0
"""A look at everything knocks at mail server, Slack and collector: rarely enough to bother nobody."""


class FactLine(Horizontal):
    """One fact: mark and name, and beside them how it is and what to do."""

    DEFAULT_CSS = """
    FactLine { height: auto; }
    FactLine > .name { width: 14; }
    FactLine > .told { width: 1fr; height: auto; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=f"fact-{name.lower().replace(' ', '-')}")
        self._fact = Fact(name, Mark.LOOKING, "looking…")

    def compose(self) -> ComposeResult:
        """Two columns."""
        yield Static(_name(self._fact), classes="name")
        yield Static(_told(self._fact), classes="told")

    def show(self, fact: Fact) -> None:
        """Show this; what did not change is not drawn again."""
        if fact != self._fact:
            self._fact = fact
            self.query_one(".name", Static).update(_name(fact))
            self.query_one(".told", Static).update(_told(fact))


class SettingsView(View):
    """How everything is, and the settings in force."""

    crumbs = ("Workspace", "Settings")
    DEFAULT_CSS = """
    SettingsView VerticalScroll { padding: 0 2; scrollbar-size-vertical: 1; scrollbar-color: $panel;
                                  scrollbar-background: $background; }
    SettingsView #summary { height: 1; margin-bottom: 1; }
    SettingsView .part { text-style: bold; height: 1; margin-top: 1; }
    SettingsView .file { color: $text-muted; height: auto; margin-bottom: 1; }
    SettingsView .set { height: auto; }
    SettingsView .set > .key { width: 24; }
    SettingsView .set > .value { width: 1fr; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "examine", "Check again")]

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._seen = Seen(engine.store.address, engine.settings.collector, engine.now())

    def compose(self) -> ComposeResult:
        """The facts, then the settings."""
        with VerticalScroll():
            yield Static("", id="summary")
            for name in NAMES:
                yield FactLine(name)
            yield Static("Settings in force", classes="part")
            yield Static("", id="file", classes="file")
            for key, value, origin in described(self.engine.settings):
                with Horizontal(classes="set"):
                    yield Static(Content.styled(key, "$secondary"), classes="key")
                    yield Static(Content.assemble(safe(tilde(value)), (f"  {safe(_origin(origin))}", "$secondary")),
                                 classes="value")

    def on_mount(self) -> None:
        """Look at everything, and keep looking."""
        file = config_file()
        self.query_one("#file", Static).update(Content(
            safe(f"{tilde(str(file))}{'' if file.exists() else ' (there is none)'}; the environment wins")))
        self.query_one(VerticalScroll).focus()
        self.set_interval(LIVE_S, self._tick)
        self.set_interval(EXAMINE_S, self.action_examine)
        self.action_examine()

    async def load(self) -> None:
        """What the store knows."""
        found = await self.engine.read(vitals, self.engine.actor)
        self._seen = replace(self._seen, vitals=found)
        if self.is_mounted and self.is_attached:  # somebody may have gone elsewhere while the store answered
            self._tick()

    @work(exclusive=True, group="examine")
    async def action_examine(self) -> None:
        """Look at everything now: nothing is sent."""
        engine = self.engine
        try:
            findings = await examine(engine.settings, engine.clock, outwards=engine.senders is None)
            door = await knock(engine.settings)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._seen = replace(self._seen, findings={finding.name: finding for finding in findings}, door=door)
        self._tick()

    def _tick(self) -> None:
        """Show what is known by now; the service is asked for its state, which waits for nothing."""
        engine = self.engine
        self._seen = replace(self._seen, now=engine.now(), service=engine.service() if engine.service else None)
        found = facts(self._seen)
        for line, fact in zip(self.query(FactLine), found, strict=True):
            line.show(fact)
        self.query_one("#summary", Static).update(_summary(summary(found)))


def _summary(fact: Fact) -> Content:
    glyph, colour = fact.mark.value
    return Content.assemble((f"{glyph} ", colour), (fact.told, "bold"))


def _name(fact: Fact) -> Content:
    glyph, colour = fact.mark.value
    return Content.assemble((f"{glyph} ", colour), (fact.name, "$secondary"))


def _told(fact: Fact) -> Content:
    """Red and yellow carry what to do on a line of its own; where all is well advice would only be noise."""
    head, dot, rest = safe(tilde(fact.told)).partition(DOT)
    colour = "$secondary" if fact.mark is Mark.OFF else ""
    shown = ((head, "bold" if fact.mark is Mark.BAD else colour), (dot + rest, colour))
    if fact.advice is None or fact.mark is Mark.WELL:
        return Content.assemble(*shown)
    return Content.assemble(*shown, (f"\n→ {safe(tilde(fact.advice))}", "$secondary"))


def _origin(origin: str) -> str:
    return f"({tilde(origin)})" if origin != "default" else ""
