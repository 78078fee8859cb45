"""One connection: overview with its numbers and chart, its alerts, its settings."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from core.alert_rows import AlertRow
from core.alerts import list_alerts
from core.clock import hour_of
from core.connection_rows import Overview, overview
from core.incidents import IncidentRow, list_incidents
from core.terms import ConnectionKind, Direction, Stage
from tui.engine import Engine
from tui.screens.alerts import AlertsView
from tui.screens.columns import status
from tui.screens.connection_settings import ConnectionSettings
from tui.screens.view import View
from tui.widgets.row_table import RowTable
from tui.widgets.volume_chart import Plot, VolumeChart
from tui.widgets.words import STATES, arrow, local, number, percent, safe

NOTHING = [0] * 96
WHOLE = 10_000
"""100 % in basis points."""


class ConnectionView(View):
    """A source or destination by its slug."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab(1)", "Overview", show=False), Binding("2", "tab(2)", "Alerts"),
        Binding("3", "tab(3)", "Settings", show=False)]
    DEFAULT_CSS = """
    ConnectionView #numbers { height: auto; padding: 0 2 1 2; }
    ConnectionView #legend { height: 1; padding: 0 2; color: $text-muted; }
    """

    def __init__(self, engine: Engine, slug: str, tab: str = "overview", alert: int | None = None) -> None:
        super().__init__(engine)
        self.slug = slug
        self._tab, self._alert = tab, alert
        self.found: Overview | None = None
        self.crumbs = ("Connections", slug)

    def compose(self) -> ComposeResult:
        """Three tabs."""
        with TabbedContent(initial=self._tab):
            with TabPane("Overview", id="overview"):
                yield Static("", id="numbers")
                yield VolumeChart()
                yield Static("", id="legend")
            with TabPane("Alerts", id="alerts"):
                yield AlertsView(self.engine, self.slug)
            with TabPane("Settings", id="settings-tab"):
                yield ConnectionSettings(self.engine)

    async def load(self) -> None:
        """The connection, its alerts and its incidents."""
        engine, now = self.engine, self.engine.now()
        found = await engine.read(overview, self.slug, now)
        alerts = await engine.read(list_alerts, engine.actor, slug=self.slug, now=now)
        incidents = await engine.read(list_incidents, engine.actor, slug=self.slug, limit=100)
        self.found = found
        row = found.source or found.destination
        if row is not None:
            self.crumbs = ("Connections", "Sources" if found.source else "Destinations", safe(row.name))
        self.query_one("#numbers", Static).update(_numbers(found))
        self.query_one(VolumeChart).draw(_plot(found, alerts, incidents))
        self.query_one("#legend", Static).update(_legend(found))
        self.query_one(ConnectionSettings).show(found)
        self.query_one(TabbedContent).get_tab("alerts").label = Content(f"Alerts {len(alerts)}")
        page = self.query_one(AlertsView)
        await page.load()
        if self._alert is not None:
            page.select(self._alert)
            self._alert = None

    def begin(self) -> None:
        """Take the focus: the alerts on their tab, else the tabs."""
        if self._tab == "alerts":
            self.query_one(RowTable).focus()
        else:
            self.query_one(Tabs).focus()

    def action_tab(self, number: int) -> None:
        """Show the tab with this number, and take the focus there."""
        super().action_tab(number)
        parts: list[Widget] = [self.query_one(Tabs), self.query_one(RowTable), self.query_one(ConnectionSettings)]
        self.call_after_refresh(parts[number - 1].focus)

    def filter_by(self, text: str) -> None:
        """Filter the alerts."""
        self.query_one(AlertsView).filter_by(text)

    def copied(self) -> str:
        """The number of the selected alert on the Alerts tab, else the connection's slug."""
        return (super().copied() if self.query_one(TabbedContent).active == "alerts" else "") or self.slug

    @property
    def carries_alerts(self) -> bool:
        """Whether alerts can be made here: event streams and cloud-mode destinations."""
        if self.found is None:
            return False
        if self.found.source is not None:
            return self.found.source.category.value == "event_streams"
        return self.found.destination is not None and self.found.destination.mode.value == "cloud"


def _numbers(found: Overview) -> Content:
    row = found.source or found.destination
    if row is None:
        return Content("")
    state = status(row.enabled, row.firing, row.stale_since)
    head: list[str | tuple[str, str]] = [
        (safe(row.name), "bold"), (f"   {safe(row.type)}   ", "$secondary"), (f"{STATES[state][0]} {state}",
                                                                              STATES[state][1])]
    if row.stale_since:
        head.append((f"   counts are stale since {local(row.stale_since)}", "$warning"))
    if found.source is not None:
        source = found.source
        lines: list[str | tuple[str, str]] = [
            "\n\n", (number(source.current), "bold $primary"), ("  events in 24 h", "$secondary"),
            f"     {number(source.baseline)}", ("  in the 24 h before", "$secondary"),
            f"     {arrow(source.change)} {percent(source.change, signed=True)}", ("  change", "$secondary")]
        return Content.assemble(*head, *lines)
    sink = found.destination
    if sink is None:
        return Content.assemble(*head)
    attempts = sink.delivered + sink.failed
    offered = attempts + sink.filtered
    return Content.assemble(
        *head, "\n\n", (percent(sink.rate), "bold $primary"), (f"  delivered of {number(attempts)} attempts in 24 h\n",
                                                              "$secondary"),
        number(found.source_received), ("  received  ›  ", "$secondary"), *_share(sink.filtered, offered, "filtered"),
        ("  ›  ", "$secondary"), *_share(sink.failed, offered, "failed"), ("  ›  ", "$secondary"),
        *_share(sink.delivered, offered, "delivered"))


def _share(count: int, of: int, name: str) -> list[str | tuple[str, str]]:
    share = f" {percent(Decimal(count) * 100 / of)}" if of else ""
    return [number(count), (f" {name}{share}", "$secondary")]


def _legend(found: Overview) -> Content:
    what = "events" if found.kind is ConnectionKind.SOURCE else "delivery rate"
    return Content.assemble(
        ("█", "$primary"), f" {what}, last 24 h   ", ("█", "$primary 45%"), " the 24 h before   ", ("░", "$secondary"),
        " a day earlier   ", ("▲", "$error"), " incident")


def _plot(found: Overview, alerts: list[AlertRow], incidents: list[IncidentRow]) -> Plot:
    """Events an hour of a source, or a destination's delivery rate; the band is where the tightest alert is quiet."""
    marks = [hour_of(row.opened_at) for row in incidents]
    enabled = [alert.spec for alert in alerts if alert.spec.enabled]
    if found.kind is ConnectionKind.DESTINATION:
        pairs = zip(found.stages.get(Stage.DELIVERED, NOTHING), found.stages.get(Stage.FAILED, NOTHING), strict=True)
        rates = [delivered * 10_000 // (delivered + failed) if delivered + failed else -1
                 for delivered, failed in pairs]
        quiet = max((spec.threshold for spec in enabled), default=None)
        lowest = min([WHOLE, *(rate for rate in rates[24:] if rate >= 0), *([quiet] if quiet else [])])
        floor = max(0, lowest - max(100, (WHOLE - lowest) // 4)) // 100 * 100
        return Plot(rates[48:], rates[24:72], found.since + 48, marks, (quiet, WHOLE) if quiet else None, floor, True)
    values = found.stages.get(Stage.RECEIVED, NOTHING)
    band = None
    if enabled and found.source is not None and found.source.baseline:
        tight = min(enabled, key=lambda spec: spec.threshold)
        level, part = found.source.baseline / 24, tight.threshold / WHOLE
        band = (0.0 if tight.direction is Direction.SPIKE else level * max(0.0, 1 - part),
                level * (1 + part) if tight.direction is not Direction.DROP else level * 2)
    return Plot(values[48:], values[24:72], found.since + 48, marks, band)
