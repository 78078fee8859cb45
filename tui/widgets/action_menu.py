"""A menu beside a row: what may be done, and, dimmed with its reason, what may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.widgets.words import safe


class Entry(NamedTuple):
    """One line of a menu. `refused` is the reason why it cannot be chosen."""

    action: str
    label: str
    refused: str | None = None


class ActionMenu(ModalScreen[str | None]):
    """Answers with the chosen action, or None."""

    DEFAULT_CSS = """
    ActionMenu { align: center middle; background: $background 60%; }
    ActionMenu OptionList { width: auto; min-width: 32; max-width: 76; height: auto; max-height: 80%;
                            border: round $primary; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back"), Binding("j", "down", show=False),
                                             Binding("k", "up", show=False)]

    def __init__(self, title: str, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._title = title
        self._entries = entries

    def compose(self) -> ComposeResult:
        """The list alone."""
        options = []
        for entry in self._entries:
            text = Content(entry.label)
            if entry.refused:
                text = Content.assemble((entry.label, "$secondary 70%"), (f"  {safe(entry.refused)}", "$secondary 70%"))
            options.append(Option(text, id=entry.action, disabled=entry.refused is not None))
        menu = OptionList(*options)
        menu.border_title = Content(safe(self._title))
        yield menu

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was chosen."""
        self.dismiss(event.option_id)

    def action_down(self) -> None:
        """One entry down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One entry up."""
        self.query_one(OptionList).action_cursor_up()
