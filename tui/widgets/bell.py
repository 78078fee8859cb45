"""The bell in the header: how many notifications are unread."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Bell(Widget):
    """Shows the count, and says when it is clicked."""

    DEFAULT_CSS = "Bell { width: auto; height: 1; padding: 0 1; }"
    unread: reactive[int] = reactive(0, layout=True)

    class Opened(Message):
        """The bell was clicked."""

    def render(self) -> Content:
        """A note, which is one cell wide everywhere, and the count."""
        if not self.unread:
            return Content.styled("♪ 0", "$secondary")
        return Content.styled(f"♪ {self.unread}", "bold $warning")

    def on_click(self) -> None:
        """Ask for the panel."""
        self.post_message(self.Opened())
