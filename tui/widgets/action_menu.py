"""A menu beside a row: what may be done, and, dimmed with its reason, what may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.widgets.words import safe

EDGE = 4
"""Cells that the border and the padding take, left and right."""


class Entry(NamedTuple):
    """One line of a menu. `refused` is the reason why it cannot be chosen."""

    action: str
    label: str
    refused: str | None = None


class ActionMenu(ModalScreen[str | None]):
    """Answers with the chosen action, or None. `at` is the cell its right upper corner wants to be at."""

    DEFAULT_CSS = """
    ActionMenu { align: left top; background: transparent; }
    ActionMenu OptionList { width: auto; height: auto; border: round $primary; background: $surface; padding: 0 1;
                            scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left", "dismiss", "Back"), Binding("j", "down", show=False), Binding("k", "up", show=False)]

    def __init__(self, title: str, entries: Sequence[Entry], at: Offset | None = None) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._at = at

    def compose(self) -> ComposeResult:
        """The list alone."""
        options = []
        for entry in self._entries:
            text = Content(entry.label)
            if entry.refused:
                text = Content.styled(f"{entry.label}  {safe(entry.refused)}", "$secondary 80%")
            options.append(Option(text, id=entry.action, disabled=entry.refused is not None))
        menu = OptionList(*options)
        menu.border_title = Content(safe(self._title))
        yield menu

    def on_mount(self) -> None:
        """Stand beside the row."""
        self._stand(self.app.size.width, self.app.size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Stay inside the screen."""
        self._stand(event.size.width, event.size.height)

    def _stand(self, width: int, height: int) -> None:
        menu = self.query_one(OptionList)
        needs = max([len(self._title) + 2, *(
            len(entry.label) + (len(entry.refused) + 2 if entry.refused else 0) for entry in self._entries)]) + EDGE
        wide, high = min(needs, width), min(len(self._entries) + 2, height)
        right = self._at.x if self._at else (width + wide) // 2
        top = self._at.y if self._at else (height - high) // 2
        menu.styles.width, menu.styles.max_height = wide, high
        menu.styles.offset = (max(0, min(right - wide, width - wide)), max(0, min(top, height - high)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was chosen."""
        self.dismiss(event.option_id)

    def on_click(self, event: events.Click) -> None:
        """A click beside the menu leaves it."""
        if event.widget is self:
            self.dismiss(None)

    def action_down(self) -> None:
        """One entry down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One entry up."""
        self.query_one(OptionList).action_cursor_up()
