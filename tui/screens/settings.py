"""Workspace › Settings: what doctor says, line by line, with what to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.settings import described
from tui.screens.view import View
from tui.widgets.words import safe


class SettingsView(View):
    """The settings in force and where each comes from."""

    crumbs = ("Workspace", "Settings")
    DEFAULT_CSS = "SettingsView Static { padding: 1 2; }"

    def compose(self) -> ComposeResult:
        """One text."""
        with VerticalScroll():
            yield Static("", id="described")

    async def load(self) -> None:
        """What is set."""
        engine = self.engine
        parts: list[str | tuple[str, str]] = [("Store  ", "$secondary"), f"{safe(engine.store.address)}\n\n"]
        for name, value, origin in described(engine.settings):
            parts += [f"{name:<22}", (f"{safe(value):<44}", "bold"), (f"  {safe(origin)}\n", "$secondary")]
        parts.append(("\ntocsin doctor checks each of them and says what to do.", "$secondary"))
        self.query_one("#described", Static).update(Content.assemble(*parts))
