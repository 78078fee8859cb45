"""The keys of what is shown, in the last line."""

from __future__ import annotations

from textual.widgets import Footer


class Keys(Footer):
    """A footer that is made anew only when its keys have changed: whatever begins or takes the focus asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[object] = []

    async def recompose(self) -> None:
        """Make the keys anew if they are others."""
        if not self.is_attached:
            return
        wanted: list[object] = [(key.binding, key.enabled, key.tooltip) for key in self.screen.active_bindings.values()]
        if wanted != self._made:
            self._made = wanted
            await super().recompose()
