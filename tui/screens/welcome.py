"""The welcome of a store in which nothing is connected yet: four ways in."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, ContentSwitcher, OptionList, Static
from textual.widgets.option_list import Option

from tui.engine import Engine
from tui.screens.first_event import FirstEvent
from tui.screens.first_read import FileStep, SegmentStep
from tui.screens.members import refused
from tui.screens.step import Step
from tui.screens.view import View
from tui.sheets.fields import press

WAYS = "ways"
DEMO = "tocsin demo"


class Way(NamedTuple):
    """One way in: its step, its name, and what it takes."""

    step: str
    name: str
    told: str


CHOICES = (
    Way("sdk", "Send events from an SDK", "Three lines of code with a fresh write key."),
    Way("segment", "Read my Segment workspace", "Sources, destinations and 14 days of counts, with an API token."),
    Way("file", "Import a file", "Hourly counts as CSV."),
    Way("demo", "Look at the demo", "A made-up workspace on a throw-away store, with an outage."),
)


class Ways(Vertical):
    """The four ways. `refusals` are the reasons why this member may not take some of them."""

    DEFAULT_CSS = """
    Ways { padding: 0 2; }
    Ways .title { text-style: bold; color: $primary; }
    Ways .told { color: $text-muted; height: auto; margin-bottom: 1; }
    Ways OptionList { background: $background; border: none; padding: 0; height: auto; max-height: 1fr; max-width: 90; }
    Ways OptionList:focus { border: none; background-tint: $foreground 0%; }
    Ways OptionList > .option-list--option { padding: 0 1; }
    Ways .keys { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number), f"choose('{way.step}')", way.name, show=False) for number, way in enumerate(CHOICES, 1)]

    class Chosen(Message):
        """This way it shall be."""

        def __init__(self, step: str) -> None:
            self.step = step
            super().__init__()

    def __init__(self, refusals: dict[str, str]) -> None:
        super().__init__(id=WAYS)
        self._refusals = refusals

    def compose(self) -> ComposeResult:
        """A greeting and a list."""
        yield Static("Welcome to Tocsin", classes="title")
        yield Static("It rings when your events change beyond what you set. First it needs events to count.",
                     classes="told")
        options = [self._option(number, way) for number, way in enumerate(CHOICES, 1)]
        between = [Option("", disabled=True) for _ in options]
        yield OptionList(*[option for pair in zip(options, between, strict=True) for option in pair][:-1])
        yield Static("↵ or 1-4 to choose, escape to come back here", classes="told keys")

    def _option(self, number: int, way: Way) -> Option:
        why = self._refusals.get(way.step)
        name = (way.name, "$secondary 80%" if why else "bold")
        return Option(Content.assemble((f"{number}  ", "$primary"), name, (f"\n   {why or way.told}", "$secondary")),
                      id=way.step, disabled=why is not None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take that way."""
        event.stop()
        if event.option_id:
            self.post_message(self.Chosen(event.option_id))

    def action_choose(self, step: str) -> None:
        """Take that way, unless this member may not."""
        if step in self._refusals:
            self.notify(self._refusals[step], severity="warning", markup=False)
        else:
            self.post_message(self.Chosen(step))


class DemoStep(Step):
    """The command that opens the demo."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy_command", "Copy")]

    def compose(self) -> ComposeResult:
        """The command and a button."""
        yield Static("Look at the demo", classes="title")
        yield Static("Quit with q and type this. Its clock runs fast, an outage rings the bell within a minute, and "
                     "nothing leaves your machine or touches this store.", classes="told")
        yield Static(DEMO, classes="code")
        with Horizontal(classes="buttons"):
            yield press("y  Copy", "copy-demo", main=True)

    def begin(self) -> None:
        """Copy it at once: that is what somebody came for."""
        self.query_one("#copy-demo").focus()
        self.action_copy_command()

    @on(Button.Pressed, "#copy-demo")
    def action_copy_command(self) -> None:
        """Copy the command."""
        self.copy(DEMO, f"“{DEMO}”")


class Back(Static):
    """The way back to the four for the mouse; escape is the keyboard's."""

    DEFAULT_CSS = """
    Back { display: none; width: auto; height: 1; padding: 0 2; margin-bottom: 1; color: $text-muted; }
    Back.shown { display: block; }
    Back:hover { color: $foreground; }
    """

    class Clicked(Message):
        """Back it shall be."""

    def on_click(self) -> None:
        """Ask for it."""
        self.post_message(self.Clicked())


class WelcomeView(View):
    """Four ways in, each followed in place; escape leads back to the four."""

    crumbs = ("Welcome",)
    DEFAULT_CSS = "WelcomeView ContentSwitcher { height: 1fr; } WelcomeView Step { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "ways", "Other ways", show=False)]

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        why = refused(engine.actor, "connect a Segment workspace")
        self._refusals = {} if why is None else {"segment": why}

    def compose(self) -> ComposeResult:
        """The four, and behind them a step for each."""
        yield Back("‹ other ways  esc")
        with ContentSwitcher(initial=WAYS):
            yield Ways(self._refusals)
            yield FirstEvent(self.engine, "sdk")
            yield SegmentStep(self.engine, "segment")
            yield FileStep(self.engine, "file")
            yield DemoStep(self.engine, "demo")

    def on_mount(self) -> None:
        """Begin at the four."""
        self.query_one(OptionList).focus()

    def on_ways_chosen(self, event: Ways.Chosen) -> None:
        """Show that step."""
        self.query_one(Back).add_class("shown")
        self.query_one(ContentSwitcher).current = event.step
        self.query_one(f"#{event.step}", Step).begin()

    @on(Back.Clicked)
    def action_ways(self) -> None:
        """Back to the four; from there escape is the shell's."""
        switcher = self.query_one(ContentSwitcher)
        if switcher.current == WAYS:
            raise SkipAction
        self.query_one(f"#{switcher.current}", Step).leave()
        switcher.current = WAYS
        self.query_one(Back).remove_class("shown")
        self.query_one(OptionList).focus()
