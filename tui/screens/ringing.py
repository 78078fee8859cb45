"""What is said when the bell rings: a toast for each of the newest, and, if the member wants it, the terminal's own."""

from __future__ import annotations

from core.incidents import list_notifications
from core.terms import Event
from tui.app import TocsinApp
from tui.engine import Engine
from tui.widgets.words import safe

TOLD_AT_ONCE = 3
TOAST_S = 8


async def ring(app: TocsinApp, engine: Engine, new: int, *, loud: bool) -> None:
    """Say what the `new` newest unread notifications say; `loud` rings the terminal too. Raises TocsinError."""
    rows = await engine.read(list_notifications, engine.actor, unread=True, bell_of=engine.actor.id,
                             limit=min(new, TOLD_AT_ONCE))
    for row in reversed(rows):
        app.notify(safe(row.sentence), title="♪ The bell rang  (b opens)", markup=False, timeout=TOAST_S,
                   severity="warning" if row.event is Event.OPENED else "information")
    if new > len(rows):
        app.notify(f"and {new - len(rows)} more", markup=False)
    if loud and rows:
        app.ring_terminal(safe(rows[0].sentence))
