"""Every screen, sheet, menu, empty and error state as a picture: fixed seed, fixed clock, both sizes, both themes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
import sqlalchemy as sa
from textual.app import App
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Collapsible, Input, OptionList, Static
from textual.widgets._toast import Toast

from core.clock import FastClock, micros
from core.settings import load_settings
from tests.tui.conftest import NOW, Opened, ready, settled, shows
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.connection import ConnectionView
from tui.screens.shell import Shell
from tui.sheets.alert_form import AlertForm
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import AskLine, Confirm
from tui.sheets.fields import Check
from tui.sheets.foreseen import Foreseen
from tui.sheets.help_sheet import HelpSheet
from tui.sheets.history import HistorySheet
from tui.sheets.notification_panel import NotificationPanel
from tui.themes import DARK, LIGHT
from tui.widgets.action_menu import ActionMenu
from tui.widgets.row_table import RowTable

SIZES = [(120, 40), (80, 24)]
ADA, KATHERINE = "ada@acme.example", "katherine@acme.example"
Look = Callable[[Pilot[None]], Awaitable[None]]


class Compare(Protocol):
    """What pytest-textual-snapshot offers."""

    def __call__(self, app: App[None], *, terminal_size: tuple[int, int], run_before: Look) -> bool: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """How to get to a picture, who looks, and whether the light theme is pictured too."""

    look: Look
    member: str = ADA
    light: bool = False


async def write(pilot: Pilot[None], shell: Shell, sql: str, **keys: object) -> None:
    """What another process would write, once it shows."""
    engine = shell.engine
    assert engine is not None
    with engine.store.write() as session:
        session.connection().execute(sa.text(sql), keys)
    await shows(pilot, lambda: shell.seen == engine.store.changes())
    await settled(pilot)


def in_sight(pilot: Pilot[None], kind: type) -> bool:
    return isinstance(pilot.app.screen, kind) and pilot.app.screen.focused is not None


async def go(pilot: Pilot[None], place: str, crumb: str) -> Shell:
    """To a place with rows."""
    shell = await ready(pilot)
    await pilot.press("g", place)
    await shows(pilot, lambda: shell.view is not None and shell.view.crumbs[1] == crumb
                and shell.query_one(RowTable).rows)
    return shell


async def into(pilot: Pilot[None], slug: str, tab: str = "overview") -> Shell:
    """Into a connection."""
    shell = await ready(pilot)
    await shell.go("connection", slug, tab)
    await shows(pilot, lambda: isinstance(shell.view, ConnectionView) and shell.view.found)
    if tab == "alerts":
        await shows(pilot, lambda: pilot.app.focused is shell.query_one(RowTable))
    return shell


async def sources(pilot: Pilot[None]) -> None:
    await ready(pilot)


async def cloud_apps(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    await pilot.press("2")
    await shows(pilot, lambda: len(shell.query_one(RowTable).rows) == 3)


async def nothing_matches(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    await pilot.press("slash", *"zebra")
    await shows(pilot, lambda: not shell.query_one(RowTable).rows)


async def destinations(pilot: Pilot[None]) -> None:
    await go(pilot, "d", "Destinations")


async def alerts(pilot: Pilot[None]) -> None:
    await go(pilot, "a", "Alerts")


async def firing_alerts(pilot: Pilot[None]) -> None:
    shell = await go(pilot, "a", "Alerts")
    await pilot.press("f")
    await shows(pilot, lambda: len(shell.query_one(RowTable).rows) == 2)


async def incidents(pilot: Pilot[None]) -> None:
    shell = await go(pilot, "i", "Incidents")
    await shows(pilot, lambda: "sent" in str(shell.query_one("#sent", Static).content))


async def no_incident(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    await write(pilot, shell, "DELETE FROM notification")
    await write(pilot, shell, "DELETE FROM incident")
    await pilot.press("g", "i")
    await shows(pilot, lambda: shell.view is not None and shell.view.crumbs[1] == "Incidents"
                and shell.query_one(RowTable).loaded)


async def source_overview(pilot: Pilot[None]) -> None:
    await into(pilot, "checkout-api")


async def destination_overview(pilot: Pilot[None]) -> None:
    await into(pilot, "mixpanel")


async def stale_source(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    await write(pilot, shell, "UPDATE connection SET stale_since = :at WHERE slug = 'docs'",
                at=micros(NOW - timedelta(hours=5)))
    await into(pilot, "docs")


async def connection_alerts(pilot: Pilot[None]) -> None:
    await into(pilot, "checkout-api", "alerts")


async def connection_without_alerts(pilot: Pilot[None]) -> None:
    await into(pilot, "help-centre", "alerts")


async def source_settings(pilot: Pilot[None]) -> None:
    await into(pilot, "website", "settings-tab")


async def destination_settings(pilot: Pilot[None]) -> None:
    await into(pilot, "mixpanel", "settings-tab")


async def create(pilot: Pilot[None], slug: str, threshold: str) -> Shell:
    shell = await into(pilot, slug)
    await pilot.press("c")
    await shows(pilot, lambda: in_sight(pilot, AlertSheet))
    await pilot.press(*threshold)
    await shows(pilot, lambda: "Now:" in str(pilot.app.screen.query_one(Foreseen).content)
                and pilot.app.screen.query_one("#threshold", Input).value == threshold)
    return shell


async def create_sheet(pilot: Pilot[None]) -> None:
    await create(pilot, "checkout-api", "20")


async def create_rate_sheet(pilot: Pilot[None]) -> None:
    await create(pilot, "mixpanel", "97")


async def create_sheet_with_channels(pilot: Pilot[None]) -> None:
    await create(pilot, "website", "25")
    sheet = pilot.app.screen
    sheet.query_one("#email-on", Check).toggle()
    sheet.query_one("#slack-on", Check).toggle()
    sheet.query_one("#slack", Input).value = "https://hooks.slack.com/triggers/T01/123/abcdef"
    sheet.query_one("#finer", Collapsible).collapsed = False
    sheet.query_one("#slack", Input).focus()
    await shows(pilot, lambda: "(•) workflow" in str(sheet.query_one("#slack-kind", Static).content)
                and sheet.query_one("#least-unit").region.height)
    form = sheet.query_one(AlertForm)
    form.scroll_end(animate=False, immediate=True)  # wherever the focus had scrolled to by then
    await shows(pilot, lambda: form.scroll_offset.y == form.max_scroll_y)


async def create_sheet_with_errors(pilot: Pilot[None]) -> None:
    await into(pilot, "website")
    await pilot.press("c")
    await shows(pilot, lambda: in_sight(pilot, AlertSheet))
    await pilot.press(*"2000", "ctrl+s")
    await shows(pilot, lambda: "between" in str(pilot.app.screen.query_one("#threshold-error", Static).content))


async def leave_without_saving(pilot: Pilot[None]) -> None:
    await create(pilot, "website", "25")
    await pilot.press("escape")
    await shows(pilot, lambda: in_sight(pilot, Confirm))


async def menu(pilot: Pilot[None], *keys: str) -> None:
    shell = await go(pilot, "a", "Alerts")
    table = shell.query_one(RowTable)
    table.select(next(row.id for row in table.rows if row.created_by == ADA))
    await pilot.press("a")
    await shows(pilot, lambda: in_sight(pilot, ActionMenu))
    for key in keys:
        await pilot.press(key)


async def own_menu(pilot: Pilot[None]) -> None:
    await menu(pilot)


async def edit_sheet(pilot: Pilot[None]) -> None:
    await menu(pilot, "enter")
    await shows(pilot, lambda: in_sight(pilot, AlertSheet)
                and "Now:" in str(pilot.app.screen.query_one(Foreseen).content))


async def mute_dialog(pilot: Pilot[None]) -> None:
    await menu(pilot, "down", "down", "enter")
    await shows(pilot, lambda: in_sight(pilot, AskLine))


async def delete_dialog(pilot: Pilot[None]) -> None:
    await menu(pilot, "end", "enter")
    await shows(pilot, lambda: in_sight(pilot, Confirm))


async def history(pilot: Pilot[None]) -> None:
    shell = await go(pilot, "a", "Alerts")
    await write(pilot, shell, "UPDATE notification SET state = 'failed', attempts = 7, sent_at = NULL, last_error = "
                       "'HTTP 404: no_service' WHERE channel = 'slack'")
    table = shell.query_one(RowTable)
    table.select(next(row.id for row in table.rows if row.connection == "website" and row.last_sent_at))
    await pilot.press("h")
    await shows(pilot, lambda: in_sight(pilot, HistorySheet)
                and pilot.app.screen.query_one(OptionList).option_count > 2)


async def panel(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await pilot.press("b")
    await shows(pilot, lambda: in_sight(pilot, NotificationPanel)
                and pilot.app.screen.query_one(OptionList).option_count)


async def empty_panel(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    await write(pilot, shell, "DELETE FROM notification")
    await panel(pilot)


async def keys(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await pilot.press("question_mark")
    await shows(pilot, lambda: in_sight(pilot, HelpSheet))


async def palette(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await pilot.press("ctrl+p")
    await shows(pilot, lambda: in_sight(pilot, CommandPalette))
    await pilot.press(*"checkout")
    await shows(pilot, lambda: pilot.app.screen.query_one(CommandList).option_count == 4)


async def store_trouble(pilot: Pilot[None]) -> None:
    shell = await ready(pilot)
    shell.fail("The store cannot be reached: connection refused. Press escape to go back.")


SCENES = {
    "store-trouble": Scene(store_trouble),
    "sources": Scene(sources, light=True), "cloud-apps": Scene(cloud_apps), "nothing-matches": Scene(nothing_matches),
    "destinations": Scene(destinations, light=True), "alerts": Scene(alerts, light=True),
    "firing-alerts": Scene(firing_alerts), "incidents": Scene(incidents, light=True),
    "no-incident": Scene(no_incident), "source": Scene(source_overview, light=True),
    "destination": Scene(destination_overview), "stale-source": Scene(stale_source),
    "connection-alerts": Scene(connection_alerts, light=True),
    "connection-without-alerts": Scene(connection_without_alerts), "source-settings": Scene(source_settings),
    "source-settings-of-a-member": Scene(source_settings, KATHERINE),
    "destination-settings": Scene(destination_settings), "create": Scene(create_sheet, light=True),
    "create-rate": Scene(create_rate_sheet), "create-channels": Scene(create_sheet_with_channels),
    "create-errors": Scene(create_sheet_with_errors), "leave": Scene(leave_without_saving),
    "menu": Scene(own_menu, light=True), "menu-of-somebody-else": Scene(own_menu, KATHERINE),
    "edit": Scene(edit_sheet), "mute": Scene(mute_dialog), "delete": Scene(delete_dialog), "history": Scene(history),
    "panel": Scene(panel, light=True), "empty-panel": Scene(empty_panel), "keys": Scene(keys),
    "palette": Scene(palette),
}


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
@pytest.mark.parametrize(("name", "theme"), [
    (name, theme) for name, scene in SCENES.items() for theme in ((DARK.name, LIGHT.name) if scene.light
                                                                  else (DARK.name,))])
def test_scene(
    tocsin: Opened, snap_compare: Compare, name: str, theme: str, size: tuple[int, int]
) -> None:
    scene = SCENES[name]

    async def look(pilot: Pilot[None]) -> None:
        await scene.look(pilot)
        await settled(pilot)
        pilot.app.clear_notifications()
        await shows(pilot, lambda: not pilot.app.screen.query(Toast))
        await settled(pilot)

    assert snap_compare(tocsin(scene.member, theme), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_while_the_store_opens(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def opened() -> Engine:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def look(pilot: Pilot[None]) -> None:
        await shows(pilot, lambda: pilot.app.screen.query("#loading"))
        await pilot.pause()

    app = TocsinApp(opened)
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_a_store_that_does_not_open(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def opened() -> Engine:
        return await asyncio.to_thread(
            open_engine, load_settings(store="/dev/null/tocsin.db", member=ADA), FastClock(NOW, 0))

    async def look(pilot: Pilot[None]) -> None:
        await shows(pilot, lambda: pilot.app.screen.query_one("#trouble").display)
        await pilot.pause()

    app = TocsinApp(opened)
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=look)
