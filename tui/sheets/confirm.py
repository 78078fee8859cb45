"""One question, asked once; and one that takes a line of text for its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from core.errors import InvalidInput
from tui.sheets.fields import ErrorLine, line, press
from tui.widgets.words import safe

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A small box in the middle, typed by its answer; escape and a click beside it leave it."""

    CSS_PATH = "sheet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("left,up", "app.focus_previous", show=False), Binding("right,down", "app.focus_next", show=False)]

    def __init__(self, question: str, told: str) -> None:
        super().__init__()
        self._question, self._told = question, told

    def head(self) -> ComposeResult:
        """The question, and what follows from it."""
        yield Static(Content(safe(self._question)), classes="question")
        yield Static(Content(safe(self._told)), classes="told")

    def action_leave(self) -> None:
        """Not this time."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click beside the box leaves."""
        if event.widget is self:
            self.action_leave()


class Confirm(Dialog[bool]):
    """Answers whether the thing shall be done; the safe button has the focus."""

    def __init__(self, question: str, told: str, verb: str) -> None:
        super().__init__(question, told)
        self._verb = verb

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="box danger"):
            yield from self.head()
            with Horizontal(classes="buttons"):
                yield press("Cancel", "no")
                yield press(self._verb, "yes", danger=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_leave(self) -> None:
        """Not this time."""
        self.dismiss(False)


class AskLine(Dialog[Answer], Generic[Answer]):
    """Answers with what `read` makes of the typed line, or None; `read` raises InvalidInput with a sentence."""

    def __init__(self, question: str, told: str, value: str, read: Callable[[str], Answer]) -> None:
        super().__init__(question, told)
        self._value, self._read = value, read

    def compose(self) -> ComposeResult:
        """The question, a line, and two buttons."""
        with Vertical(classes="box"):
            yield from self.head()
            yield line(self._value, id="answer")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield press("Cancel", "no")
                yield press("Mute", "yes", main=True)

    @on(Input.Submitted)
    def _entered(self) -> None:
        try:
            answer = self._read(self.query_one(Input).value)
        except InvalidInput as error:
            self.query_one(ErrorLine).say(str(error))
        else:
            self.dismiss(answer)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, or leave."""
        if event.button.id == "yes":
            self._entered()
        else:
            self.action_leave()
