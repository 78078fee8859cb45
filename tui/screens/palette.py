"""What the palette finds: places, connections and alerts by name, and what can be done from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from core.bearings import Place, places
from core.errors import TocsinError
from tui.widgets.sidebar import PLACES
from tui.widgets.words import safe

if TYPE_CHECKING:
    from tui.screens.shell import Shell

MOST = 20
"""Names shown for what was typed; a workspace may have ten thousand."""


class Finder(Provider):
    """Goes to a place, a connection or an alert by its name."""

    _places: list[Place]

    async def startup(self) -> None:
        """Learn the names."""
        engine = self._shell.engine
        self._places = []
        if engine is not None:
            try:
                self._places = await engine.read(places)
            except TocsinError:
                self._places = []  # the shell says what is wrong with the store

    @property
    def _shell(self) -> Shell:
        from tui.screens.shell import Shell

        if not isinstance(self.screen, Shell):
            raise TypeError("the palette is the shell's")
        return self.screen

    async def discover(self) -> Hits:
        """What can be done, before anything is typed."""
        for title, about, do in self._doings():
            yield DiscoveryHit(title, do, help=about)

    async def search(self, query: str) -> Hits:
        """What has the typed letters in its name."""
        matcher = self.matcher(query)
        for title, about, do in self._doings():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), do, help=about)
        typed = query.casefold()
        near = [place for place in self._places if typed in place.title.casefold()
                or typed in place.slug][:MOST]
        for place in near:
            title = safe(place.title)
            yield Hit(max(matcher.match(title), 0.5), Content(title), partial(self._go, place), help=safe(place.about),
                      text=title)

    def _doings(self) -> list[tuple[str, str, Callable[[], object]]]:
        shell = self._shell
        found: list[tuple[str, str, Callable[[], object]]] = [
            (f"Go to {title.lower()}", "A place", partial(shell.go, name)) for name, title in PLACES.items()]
        ring = "Do not ring the terminal" if shell.rings else "Ring the terminal too"
        return [*found, ("Create alert", "For the connection that is shown or selected", shell.action_create),
                ("Notifications", "What rang", shell.action_bell),
                (ring, "Its own bell and a desktop notification, for each new notification", shell.turn_ring)]

    async def _go(self, place: Place) -> None:
        await self._shell.go("connection", place.slug, "overview" if place.alert is None else "alerts", place.alert)
