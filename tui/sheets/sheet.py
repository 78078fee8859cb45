"""The sheet on the right of the page: full height, 56 columns, or the whole width when room is short."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.sheets.fields import Title

Answer = TypeVar("Answer")


class Panel(Vertical):
    """What lies on the page."""


class Sheet(ModalScreen[Answer], Generic[Answer]):
    """A sheet typed by its answer; escape, the cross and a click on the page leave it through `action_leave`."""

    CSS_PATH = "sheet.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("down", "app.focus_next", show=False), Binding("up", "app.focus_previous", show=False),
    ]

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    @on(Title.Closed)
    def _crossed(self) -> None:
        self.action_leave()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.focus_next()

    def on_click(self, event: events.Click) -> None:
        """A click on the dimmed page leaves."""
        if event.widget is self:
            self.action_leave()
