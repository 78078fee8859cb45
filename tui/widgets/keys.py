"""The keys of what is shown, in the last line."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer


class Keys(Footer):
    """A footer that is made anew only when its keys have changed: whatever begins or takes the focus asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[object] = []

    def compose(self) -> ComposeResult:
        """The keys, noted as they are made."""
        self._made = self._wanted() if self._bindings_ready else []
        yield from super().compose()

    async def recompose(self) -> None:
        """Make the keys anew if they are others."""
        if self.is_attached and self._wanted() != self._made:
            await super().recompose()

    def _wanted(self) -> list[object]:
        return [(key.binding, key.enabled, key.tooltip) for key in self.screen.active_bindings.values()]
