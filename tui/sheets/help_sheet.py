"""The keys of the screen one is on, and what the mouse does."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.sheets.fields import Title
from tui.sheets.sheet import Panel, Sheet

EVERYWHERE = [
    ("g s  g d", "sources, destinations"), ("g a  g i", "alerts, incidents"), ("g m  g t", "members, settings"),
    ("↑ ↓ j k", "move"), ("Home End PgUp PgDn", "move further"), ("1 2 3", "tabs"), ("tab", "next part of the screen"),
    ("esc", "one step back"), ("[", "sidebar"), ("b", "notifications"), ("^p", "find places, names, themes"),
    ("y", "copy the selection, or its id"), ("t", "exact times in UTC"), ("?", "this list"), ("q", "quit"),
]
MOUSE = [
    ("click", "select; once more opens"), ("double click", "open"), ("right click, ⋮", "the row's menu"),
    ("column title", "sort, and turn round"), ("wheel", "scroll"),
]
WIDE = 20


class HelpSheet(Sheet[None]):
    """`here` are the keys of the screen, as key and meaning."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "leave", show=False)]

    def __init__(self, here: list[tuple[str, str]]) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        """Three short lists."""
        with Panel():
            yield Title("Keys")
            with VerticalScroll():
                yield Static(Content.assemble(*_part("Here", self._here), *_part("Everywhere", EVERYWHERE),
                                              *_part("Mouse", MOUSE)))

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one(VerticalScroll).focus()


def _part(title: str, keys: list[tuple[str, str]]) -> list[str | tuple[str, str]]:
    parts: list[str | tuple[str, str]] = [(f"\n{title}\n", "bold")]
    for key, meaning in keys:
        parts += [(f"  {key:<{WIDE}}", "$primary"), f"{meaning}\n"]
    return parts if keys else []
