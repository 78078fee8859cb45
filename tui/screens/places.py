"""Which view stands at which place, and what an alert would be made for there."""

from __future__ import annotations

from core.connection_rows import DestinationRow, SourceRow
from tui.engine import Engine
from tui.screens.alerts import AlertsView
from tui.screens.connection import ConnectionView
from tui.screens.incidents import IncidentsView
from tui.screens.lists import DestinationsView, ListView, SourcesView
from tui.screens.members import MembersView
from tui.screens.settings import SettingsView
from tui.screens.view import View
from tui.screens.welcome import WelcomeView
from tui.widgets.row_table import RowTable

VIEWS: dict[str, type[View]] = {
    "sources": SourcesView, "destinations": DestinationsView, "alerts": AlertsView, "incidents": IncidentsView,
    "members": MembersView, "settings": SettingsView, "welcome": WelcomeView,
}
ELSEWHERE = "Open a source or a cloud-mode destination first."


def make(engine: Engine, place: str, slug: str, tab: str, alert: int | None) -> View:
    """The view of a place."""
    if place == "connection":
        return ConnectionView(engine, slug, tab, alert)
    return VIEWS[place](engine)


def alert_target(view: View) -> tuple[str | None, str]:
    """The connection that an alert made here is for; or None and why not."""
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
