"""One question, asked once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.widgets.words import safe


class Confirm(ModalScreen[bool]):
    """Answers whether the thing shall be done; the safe button has the focus."""

    DEFAULT_CSS = """
    Confirm { align: center middle; background: $background 60%; }
    Confirm > Vertical { width: 60; max-width: 95%; height: auto; border: round $error; background: $surface;
                         padding: 1 2; }
    Confirm .question { text-style: bold; }
    Confirm .told { color: $text-muted; margin: 1 0; }
    Confirm Horizontal { height: auto; align-horizontal: right; }
    Confirm Button { margin-left: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "no", "Back")]

    def __init__(self, question: str, told: str, verb: str) -> None:
        super().__init__()
        self._question, self._told, self._verb = question, told, verb

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical():
            yield Static(Content(safe(self._question)), classes="question")
            yield Static(Content(safe(self._told)), classes="told")
            with Horizontal():
                yield Button("Cancel", id="no")
                yield Button(self._verb, id="yes", variant="error")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_no(self) -> None:
        """Not this time."""
        self.dismiss(False)
