"""Every screen as a picture: fixed seed, fixed clock, both sizes, both themes for the first one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList
from textual.widgets._toast import Toast

from tests.tui.conftest import Opened, ready, shows
from tui.screens.connection import ConnectionView
from tui.screens.shell import Shell
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.foreseen import Foreseen
from tui.sheets.notification_panel import NotificationPanel
from tui.themes import LIGHT
from tui.widgets.action_menu import ActionMenu
from tui.widgets.row_table import RowTable

SIZES = [(120, 40), (80, 24)]


class Compare(Protocol):
    """What pytest-textual-snapshot offers."""

    def __call__(self, app: App[None], *, terminal_size: tuple[int, int],
                 run_before: Callable[[Pilot[None]], Awaitable[None]]) -> bool: ...


async def at(pilot: Pilot[None], place: str, crumb: str) -> Shell:
    shell = await ready(pilot)
    await pilot.press("g", place)
    await shows(pilot, lambda: shell.view is not None and shell.view.crumbs[1] == crumb
                and shell.query_one(RowTable).rows)
    pilot.app.clear_notifications()
    await shows(pilot, lambda: not shell.query(Toast) and isinstance(pilot.app.focused, RowTable))
    await pilot.pause()
    return shell


async def in_checkout(pilot: Pilot[None]) -> Shell:
    shell = await ready(pilot)
    shell.query_one(RowTable).select(next(row.id for row in shell.query_one(RowTable).rows
                                          if row.slug == "checkout-api"))
    await pilot.press("enter")
    await shows(pilot, lambda: isinstance(shell.view, ConnectionView) and shell.view.found)
    await pilot.pause()
    return shell


@pytest.mark.parametrize("theme", [None, LIGHT.name])
@pytest.mark.parametrize("size", SIZES)
def test_sources(tocsin: Opened, snap_compare: Compare, size: tuple[int, int], theme: str | None) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await ready(pilot)

    assert snap_compare(tocsin(theme=theme), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("place", "crumb"), [("d", "Destinations"), ("a", "Alerts"), ("i", "Incidents")])
def test_lists(tocsin: Opened, snap_compare: Compare, size: tuple[int, int], place: str, crumb: str) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await at(pilot, place, crumb)

    assert snap_compare(tocsin(), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES)
def test_a_connection(tocsin: Opened, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await in_checkout(pilot)

    assert snap_compare(tocsin(), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES)
def test_the_create_sheet_with_its_preview(tocsin: Opened, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await in_checkout(pilot)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(pilot.app.screen, AlertSheet) and pilot.app.screen.focused)
        await pilot.press(*"20")
        await shows(pilot, lambda: "Would have" in str(pilot.app.screen.query_one(Foreseen).content))
        await pilot.pause()

    app = tocsin()
    assert snap_compare(app, terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES)
def test_the_notification_panel(tocsin: Opened, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await pilot.press("b")
        await shows(pilot, lambda: isinstance(pilot.app.screen, NotificationPanel)
                    and pilot.app.screen.query_one(OptionList).option_count)
        await pilot.pause()

    assert snap_compare(tocsin(), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES)
def test_the_actions_menu_of_somebody_elses_alert(
    tocsin: Opened, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def look(pilot: Pilot[None]) -> None:
        shell = await at(pilot, "a", "Alerts")
        table = shell.query_one(RowTable)
        table.select(next(row.id for row in table.rows if row.created_by == "ada@acme.example"))
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(pilot.app.screen, ActionMenu))
        await pilot.pause()

    assert snap_compare(tocsin("katherine@acme.example"), terminal_size=size, run_before=look)
