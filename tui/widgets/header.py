"""The first line of every screen: where one is, when all was last judged, the bell, and who one is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.widgets.bell import Bell
from tui.widgets.words import ago, safe

if TYPE_CHECKING:
    from core.access import Actor
    from core.bearings import Bearings


class Header(Horizontal):
    """Empty until it is told something."""

    DEFAULT_CSS = """
    Header { height: 1; background: $surface; padding: 0 1; }
    Header > #brand { width: auto; color: $primary; text-style: bold; padding-right: 3; }
    Header > #crumbs { width: 1fr; height: 1; color: $foreground; }
    Header > #checked { width: auto; height: 1; color: $text-muted; padding: 0 2; }
    Header > #who { width: auto; color: $text-muted; padding-left: 1; }
    """

    def compose(self) -> ComposeResult:
        """One line."""
        yield Static("◉ tocsin", id="brand")
        yield Static("", id="crumbs")
        yield Static("", id="checked")
        yield Bell()
        yield Static("", id="who")

    def lead(self, crumbs: tuple[str, ...], *, narrow: bool) -> None:
        """The way to the place; in a narrow terminal only its end."""
        self.query_one("#crumbs", Static).update(Content(" › ".join(crumbs[-2:] if narrow else crumbs)))

    def tell(self, around: Bearings, actor: Actor, now: datetime) -> None:
        """What is unread, who asks, and how long ago all was judged."""
        self.query_one(Bell).unread = around.unread
        role = "owner" if actor.is_owner else "member"
        self.query_one("#who", Static).update(Content(f"{safe(actor.name)} ({role})"))
        checked = "not checked yet" if around.checked_at is None else f"checked {ago(around.checked_at, now)}"
        self.query_one("#checked", Static).update(Content(checked))
