"""What the steps of the welcome share: a title, fields and buttons in one column, and the way back."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.engine import Engine
from tui.widgets.words import safe


class Step(VerticalScroll, can_focus=False, inherit_bindings=False):
    """One way in, followed to its end. `begin` gives it the focus, `leave` ends what is under way."""

    DEFAULT_CSS = """
    Step { padding: 0 2; scrollbar-size-vertical: 1; scrollbar-color: $panel; scrollbar-background: $background; }
    Step .title { text-style: bold; color: $primary; height: auto; margin-bottom: 1; }
    Step .told { color: $text-muted; height: auto; max-width: 90; }
    Step .row { height: 1; margin-top: 1; max-width: 90; }
    Step .row > .name { width: 10; }
    Step Input { height: 1; width: 1fr; background: $panel; padding: 0 1; border: none; }
    Step Input:focus { background: $primary 22%; border: none; }
    Step ErrorLine { margin-left: 10; max-width: 80; }
    Step Select { width: 34; height: 1; }
    Step Select > SelectCurrent { background: $panel; padding: 0 1; border: none; }
    Step Select:focus > SelectCurrent { background: $primary 22%; border: none; }
    Step SelectOverlay { border: round $primary; background: $surface; }
    Step .buttons { height: 1; margin: 1 0; }
    Step Button { background: $panel; padding: 0 1; min-width: 10; width: auto; height: 1; border: none;
                  margin-right: 2; }
    Step Button:hover { background: $primary 30%; }
    Step Button:focus { background: $primary 45%; text-style: bold underline; }
    Step Button.main { background: $primary; color: $background; text-style: bold; }
    Step Button.main:focus, Step Button.main:hover { background: $primary-lighten-2; color: $background;
                                                     text-style: bold underline; }
    Step Button:disabled { opacity: 50%; }
    Step .code { background: $surface; border-left: outer $primary 60%; padding: 0 1; height: auto; margin-bottom: 1;
                 max-width: 94; }
    Step .stage { display: none; height: auto; }
    Step .stage.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False), Binding("up", "app.focus_previous", show=False)]

    def __init__(self, engine: Engine, id: str) -> None:
        super().__init__(id=id)
        self.engine = engine

    def begin(self) -> None:
        """Take the focus; called whenever the step is shown."""
        raise NotImplementedError

    def leave(self) -> None:
        """End what is under way; called before the step is hidden."""

    def show_stage(self, name: str) -> None:
        """Show this stage alone."""
        for stage in self.query(".stage"):
            stage.set_class(stage.id == name, "shown")

    def say(self, selector: str, *parts: str | tuple[str, str]) -> None:
        """Put these words into a text of the step."""
        cleaned = [safe(part) if isinstance(part, str) else (safe(part[0]), part[1]) for part in parts]
        self.query_one(selector, Static).update(Content.assemble(*cleaned))

    def copy(self, text: str, what: str) -> None:
        """Hand `text` to the terminal's clipboard, and say so."""
        self.app.copy_to_clipboard(text)
        self.notify(f"{what} is on the clipboard.", markup=False)
