"""Which view stands at which place, and what an alert would be made for there."""

from __future__ import annotations

import importlib

from core.connection_rows import DestinationRow, SourceRow
from tui.engine import Engine
from tui.screens.lists import ListView
from tui.screens.view import View
from tui.widgets.row_table import RowTable

VIEWS = {
    "sources": ("lists", "SourcesView"), "destinations": ("lists", "DestinationsView"),
    "alerts": ("alerts", "AlertsView"), "incidents": ("incidents", "IncidentsView"),
    "members": ("members", "MembersView"), "settings": ("settings", "SettingsView"),
    "welcome": ("welcome", "WelcomeView"),
}
"""Each place's module and view; imported when it is first gone to, which the first rows need not wait for."""
ELSEWHERE = "Open a source or a cloud-mode destination first."


def make(engine: Engine, place: str, slug: str, tab: str, alert: int | None) -> View:
    """The view of a place."""
    if place == "connection":
        from tui.screens.connection import ConnectionView

        return ConnectionView(engine, slug, tab, alert)
    module, name = VIEWS[place]
    made: View = getattr(importlib.import_module(f"tui.screens.{module}"), name)(engine)
    return made


def alert_target(view: View) -> tuple[str | None, str]:
    """The connection that an alert made here is for; or None and why not."""
    from tui.screens.connection import ConnectionView

    if isinstance(view, ConnectionView):
        if view.carries_alerts:
            return view.slug, ""
        return None, "Only event-streams sources and cloud-mode destinations carry alerts."
    if isinstance(view, ListView):
        row = view.query_one(RowTable).selected
        if isinstance(row, SourceRow):
            return (row.slug, "") if row.category.value == "event_streams" else (
                None, "Only event-streams sources carry alerts.")
        if isinstance(row, DestinationRow):
            return (row.slug, "") if row.mode.value == "cloud" else (None, "Only cloud-mode destinations carry alerts.")
    return None, ELSEWHERE
