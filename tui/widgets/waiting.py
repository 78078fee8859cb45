"""A calm sign that something is waited for: a dot that wanders along a line, and stands still without animations."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

CELLS = 9
STEP_S = 0.2


class Waiting(Widget):
    """The dot on its line, and what is waited for."""

    DEFAULT_CSS = "Waiting { height: 1; }"
    at: reactive[int] = reactive(0)

    def __init__(self, told: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told = told

    def on_mount(self) -> None:
        """Wander, unless animations are off."""
        if self.app.animation_level != "none":
            self.set_interval(STEP_S, self._wander)

    def _wander(self) -> None:
        self.at = (self.at + 1) % (2 * CELLS - 2)

    def render(self) -> Content:
        """There and back."""
        before = min(self.at, 2 * CELLS - 2 - self.at)
        return Content.assemble(("─" * before, "$secondary 50%"), ("●", "$primary"),
                                ("─" * (CELLS - 1 - before), "$secondary 50%"), (f"  {self._told}", "$secondary"))
