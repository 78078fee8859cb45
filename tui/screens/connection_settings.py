"""A connection's Settings tab: its write key, masked, and the lines that send to the collector with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.clock import iso
from core.connection_rows import Overview
from core.first_event import curl_line, python_lines, url_of
from tui.engine import Engine
from tui.widgets.words import safe

HIDDEN = "••••••••"
USUAL = "127.0.0.1:8765"


class ConnectionSettings(VerticalScroll, can_focus=True):
    """What a sender needs. The key shows on request, and only to owners."""

    DEFAULT_CSS = """
    ConnectionSettings { padding: 0 2; scrollbar-size-vertical: 1; }
    ConnectionSettings:focus { background-tint: $foreground 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "show_key", "Show key"), Binding("y", "copy_key", "Copy key"),
        Binding("Y", "copy_code", "Copy code")]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._found: Overview | None = None
        self._open = False

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static("")

    def show(self, found: Overview) -> None:
        """Show this connection's."""
        self._found = found
        self.query_one(Static).update(self._told(found))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a source has a key."""
        return action not in ("show_key", "copy_key", "copy_code") or (
            self._found is not None and self._found.write_key is not None)

    @property
    def _url(self) -> str:
        service = self._engine.service() if self._engine.service else None
        address = (service.collector if service else None) or self._engine.settings.collector
        return url_of(USUAL if address == "off" else address)

    def _key(self, *, shown: bool) -> str:
        key = self._found.write_key if self._found else None
        return key if key and shown and self._engine.actor.is_owner else HIDDEN

    def _told(self, found: Overview) -> Content:
        row = found.source or found.destination
        if row is None:
            return Content("")
        parts: list[str | tuple[str, str]] = [
            ("Name      ", "$secondary"), f"{safe(row.name)}\n", ("Slug      ", "$secondary"), f"{row.slug}\n",
            ("Type      ", "$secondary"), f"{safe(row.type)}\n",
            ("Added     ", "$secondary"), f"{iso(row.created_at)}\n"]
        if found.source is not None:
            parts += [("Category  ", "$secondary"), f"{found.source.category.value.replace('_', ' ')}\n"]
        if found.destination is not None:
            sink = found.destination
            parts += [("Source    ", "$secondary"), f"{safe(sink.source_name)}\n", ("Mode      ", "$secondary"),
                      f"{sink.mode.value}\n", ("\nReport deliveries\n\n", "bold"),
                      f"curl -u WRITE_KEY_OF_{sink.source}: {self._url}/v1/deliveries \\\n  -d '", _delivery(sink.slug),
                      "'\n", ("\nWith the write key of its source, from whatever sends the events on.", "$secondary")]
        elif found.write_key is not None:
            key = self._key(shown=self._open)
            keys = "v hides it, y copies it" if self._open else "v shows it, y copies it"
            told = keys if self._engine.actor.is_owner else "only workspace owners see it"
            parts += [("Write key ", "$secondary"), key, (f"   {told}\n", "$secondary"),
                      ("\nSend events from an SDK", "bold"), ("   Y copies the lines\n\n", "$secondary"),
                      python_lines(key, self._url), ("\n\nThe same with curl\n\n", "bold"), curl_line(key, self._url)]
        return Content.assemble(*parts)

    def action_show_key(self) -> None:
        """Show the key, or hide it again."""
        if not self._engine.actor.is_owner:
            self.notify("Only workspace owners see a write key.", severity="warning")
            return
        self._open = not self._open
        if self._found is not None:
            self.show(self._found)

    def action_copy_key(self) -> None:
        """Hand the key to the terminal's clipboard."""
        self._copy(self._key(shown=True), "The write key")

    def action_copy_code(self) -> None:
        """Hand the three lines to the terminal's clipboard."""
        self._copy(python_lines(self._key(shown=True), self._url), "The code")

    def _copy(self, text: str, what: str) -> None:
        if not self._engine.actor.is_owner:
            self.notify("Only workspace owners see a write key.", severity="warning")
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"{what} is on the clipboard.")


def _delivery(slug: str) -> str:
    return f'{{"deliveries": [{{"destination": "{slug}", "delivered": 12, "failed": 1}}]}}'
