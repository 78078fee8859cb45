"""The app: paints the shell first, loads the engine behind it, and goes from place to place.

Only Textual is imported here: core takes longer to import than the shell takes to its first frame.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.themes import DARK, LIGHT

if TYPE_CHECKING:
    from tui.engine import Engine

Opener = Callable[[], Awaitable["Engine"]]


class TocsinApp(App[None]):
    """Connections alerting in a terminal.

    Args:
        opener: brings the engine.
        starter: starts what runs beside the screens, once they show the first rows.
        closer: ends what runs beside them.
    """

    CSS_PATH = "tocsin.tcss"
    TITLE = "tocsin"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit", show=False)]

    def __init__(
        self, opener: Opener, *, starter: Callable[[Engine], Awaitable[None]] | None = None,
        closer: Callable[[], Awaitable[None]] | None = None, theme: str = DARK.name,
    ) -> None:
        super().__init__()
        self._opener, self._starter, self._closer = opener, starter, closer
        self.fault: Exception | None = None
        """What nobody foresaw and ended the app: for the caller to log and to say in one line."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme

    def get_default_screen(self) -> Screen[None]:
        """The shell itself: a blank screen below it would be laid out and painted first."""
        from tui.screens.shell import Shell

        return Shell()

    def on_mount(self) -> None:
        """Open the store behind the shell, once that is painted and its footer has its keys."""
        self.call_after_refresh(self.screen.call_after_refresh, self._open)

    @work
    async def _open(self) -> None:
        from tui.screens.shell import Shell

        shell = self.screen_stack[0]
        if not isinstance(shell, Shell):
            raise AssertionError("the shell is the first screen")
        try:
            engine = await self._opener()
            await shell.begin(engine)
            if self._starter is not None:
                await self._starter(engine)
        except Exception as error:
            # Whatever it was, the user sees one line and the log has the rest.
            logging.getLogger(__name__).error("could not begin: %s", error, exc_info=error)
            shell.fail(str(error).splitlines()[0] if str(error) else type(error).__name__)

    def _handle_exception(self, error: Exception) -> None:
        """End, and leave the words to the caller: Textual would print a traceback. A test under Pilot wants it."""
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.fault = self.fault or error
            self.exit(return_code=1)

    def ring_terminal(self, sentence: str) -> None:
        """The terminal's own bell, and its desktop notification (OSC 9); `sentence` is free of control characters."""
        self.bell()
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]9;{sentence}\x07")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers besides places and names: the theme, and the way out."""
        yield SystemCommand("Theme", "Dark, light, or one of Textual's; it is remembered", self.action_change_theme)
        yield SystemCommand("Quit", "Leave Tocsin", self.action_quit)

    async def on_unmount(self) -> None:
        """End what runs beside the screens."""
        if self._closer is not None:
            await self._closer()
