"""What forms are made of: tick boxes that read without colour, choices, lines, buttons, a title with a cross."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Checkbox, Input, Select, Static

from tui.widgets.words import safe

Value = TypeVar("Value")


class Check(Checkbox):
    """`[x] Label` or `[ ] Label`: the mark says it, not only its colour."""

    DEFAULT_CSS = """
    Check { border: none; padding: 0; height: 1; background: transparent; }
    Check:focus { border: none; background-tint: $foreground 0%; }
    Check:focus > .toggle--label { background: $primary 30%; color: $foreground; text-style: bold; }
    """

    @property
    def _button(self) -> Content:
        return Content.assemble("[", ("x", "bold $primary") if self.value else " ", "]")


class Choice(Select[Value], Generic[Value], inherit_bindings=False):
    """One of a few; enter or space opens it, so that the arrows stay the form's."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "show_overlay", "Choose", show=False)]

    def __init__(self, choices: Iterable[tuple[str, Value]], value: Value, id: str | None = None) -> None:
        super().__init__(choices, value=value, allow_blank=False, compact=True, id=id)


class Form(VerticalScroll, can_focus=False, inherit_bindings=False):
    """A scroll that leaves the arrow keys to the sheet, which moves the focus with them."""


class Title(Horizontal):
    """A sheet's name, and a cross to leave it with the mouse."""

    DEFAULT_CSS = """
    Title { height: 1; }
    Title > .name { width: 1fr; text-style: bold; color: $primary; }
    Title > .close { width: 3; content-align: center middle; color: $text-muted; }
    Title > .close:hover { background: $panel; color: $foreground; }
    """

    class Closed(Message):
        """The cross was clicked."""

    class Cross(Static):
        """The cross."""

        def on_click(self) -> None:
            """Leave."""
            self.post_message(Title.Closed())

    def __init__(self, name: str) -> None:
        super().__init__()
        self._named = name

    def compose(self) -> ComposeResult:
        """The name and the cross."""
        yield Static(Content(safe(self._named)), classes="name")
        yield self.Cross("✕", classes="close")


class ErrorLine(Static):
    """One sentence under its field, and no room taken without one."""

    DEFAULT_CSS = """
    ErrorLine { color: $error; display: none; height: auto; }
    ErrorLine.shown { display: block; }
    """

    def say(self, sentence: str) -> None:
        """Say this, or nothing for an empty sentence."""
        self.update(Content(f"✕ {safe(sentence)}" if sentence else ""))
        self.set_class(bool(sentence), "shown")


def line(value: str = "", placeholder: str = "", id: str | None = None, *, hidden: bool = False) -> Input:
    """A one-line field; `hidden` for secrets."""
    return Input(value, placeholder, id=id, compact=True, password=hidden, select_on_focus=False)


def press(label: str, id: str, *, main: bool = False, danger: bool = False) -> Button:
    """A one-line button."""
    return Button(Content(safe(label)), id=id, compact=True, classes="main" if main else "danger" if danger else "")
