"""The app: paints the shell first, loads the engine behind it, and goes from place to place.

Only Textual is imported here: core takes longer to import than the shell takes to its first frame.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from tui.themes import DARK, LIGHT

if TYPE_CHECKING:
    from tui.engine import Engine

Opener = Callable[[], Awaitable["Engine"]]


class TocsinApp(App[None]):
    """Connections alerting in a terminal. `opener` brings the engine; `closer` ends what runs beside it."""

    CSS_PATH = "tocsin.tcss"
    TITLE = "tocsin"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit", show=False)]

    def __init__(self, opener: Opener, closer: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__()
        self._opener, self._closer = opener, closer
        self.chosen_theme = DARK.name

    def on_mount(self) -> None:
        """Paint the shell, then open the store behind it."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = self.chosen_theme
        from tui.screens.shell import Shell

        self.push_screen(Shell())
        self.call_after_refresh(self._open)

    @work
    async def _open(self) -> None:
        from tui.screens.shell import Shell

        shell = self.screen_stack[1]
        if not isinstance(shell, Shell):
            raise AssertionError("the shell is the first screen")
        try:
            engine = await self._opener()
        except Exception as error:
            # Whatever it was, the user sees one line and the log has the rest.
            self.log.error(error)
            shell.fail(str(error).splitlines()[0] if str(error) else type(error).__name__)
            return
        await shell.begin(engine)

    def ring_terminal(self, sentence: str) -> None:
        """The terminal's own bell, and its desktop notification (OSC 9); `sentence` is free of control characters."""
        self.bell()
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]9;{sentence}\x07")

    async def on_unmount(self) -> None:
        """End what runs beside the screens."""
        if self._closer is not None:
            await self._closer()
