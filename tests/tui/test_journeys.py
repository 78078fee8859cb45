"""The reference page's steps, followed in the app with the keyboard."""

from __future__ import annotations

import sqlalchemy as sa
from textual.widgets import Input, OptionList, Static

from core.model import AlertKind
from tests.tui.conftest import Opened, ready, shows
from tui.screens.connection import ConnectionView
from tui.screens.shell import Shell
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import Confirm
from tui.sheets.foreseen import Foreseen
from tui.sheets.notification_panel import NotificationPanel
from tui.widgets.action_menu import ActionMenu
from tui.widgets.bell import Bell
from tui.widgets.row_table import RowTable


def ask(shell: Shell, sql: str) -> list[tuple[object, ...]]:
    assert shell.engine is not None
    with shell.engine.store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(sql))]


def newest(shell: Shell) -> tuple[object, ...]:
    return ask(shell, "SELECT a.kind, a.threshold, c.slug, a.deleted_at IS NULL FROM alert a "
                      "JOIN connection c ON c.id = a.connection_id ORDER BY a.id DESC LIMIT 1")[0]


async def test_create_edit_and_delete_a_source_volume_alert(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        await pilot.press("slash", *"website", "enter", "enter")
        await shows(pilot, lambda: isinstance(shell.view, ConnectionView) and shell.view.found)

        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press(*"4.5")
        await shows(pilot, lambda: "Would have opened" in str(app.screen.query_one(Foreseen).content))
        await pilot.press("ctrl+s")
        await shows(pilot, lambda: app.screen is shell)
        assert newest(shell) == (AlertKind.SOURCE_VOLUME.value, 450, "website", 1)

        table = shell.query_one(RowTable)
        await shows(pilot, lambda: table.is_attached and shell.query_one(RowTable).selected)
        shell.query_one(RowTable).focus()
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        app.screen.query_one("#threshold", Input).value = "30 %"
        await pilot.press("ctrl+s")
        await shows(pilot, lambda: app.screen is shell)
        assert newest(shell)[1] == 3000

        shell.query_one(RowTable).focus()
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))
        await pilot.press("end", "enter")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await shows(pilot, lambda: app.screen is shell)
        await shows(pilot, lambda: newest(shell)[3] == 0)


async def test_create_a_delivery_rate_alert(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "d")
        await shows(pilot, lambda: shell.view is not None and shell.view.crumbs[1] == "Destinations"
                    and shell.query_one(RowTable).selected)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press(*"99", "ctrl+s")
        await shows(pilot, lambda: app.screen is shell)
        assert newest(shell)[:2] == (AlertKind.DELIVERY_RATE.value, 9900)


async def test_a_bad_percentage_says_so_under_its_field_and_nothing_is_saved(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(80, 24)) as pilot:
        shell = await ready(pilot)
        before = newest(shell)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press(*"2000", "ctrl+s")
        error = app.screen.query_one("#threshold-error", Static)
        await shows(pilot, lambda: "between 0.01 and 1000 %" in str(error.content))

        assert app.screen.focused is app.screen.query_one("#threshold", Input)
        assert newest(shell) == before


async def test_what_was_typed_is_not_lost_by_accident(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press("7", "escape")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet))
        assert app.screen.query_one("#threshold", Input).value == "7"
        await pilot.press("backspace", "escape")
        await shows(pilot, lambda: app.screen is shell)


async def test_the_bell_opens_its_panel_and_a_notification_leads_to_its_alert(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        unread = shell.query_one(Bell).unread
        await pilot.press("b")
        await shows(pilot, lambda: isinstance(app.screen, NotificationPanel)
                    and app.screen.query_one(OptionList).option_count)
        await pilot.press("enter")
        await shows(pilot, lambda: app.screen is shell and isinstance(shell.view, ConnectionView)
                    and shell.query_one(RowTable).selected)
        assert unread > 0
        await shows(pilot, lambda: shell.query_one(Bell).unread == unread - 1)


async def test_a_member_sees_why_an_alert_of_somebody_else_is_not_theirs_to_change(tocsin: Opened) -> None:
    app = tocsin("katherine@acme.example")
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "a")
        await shows(pilot, lambda: shell.view is not None and shell.view.crumbs[1] == "Alerts"
                    and shell.query_one(RowTable).selected)
        table = shell.query_one(RowTable)
        table.select(next(row.id for row in table.rows if row.created_by == "ada@acme.example"))
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))

        menu = app.screen.query_one(OptionList)
        open_to_all = {menu.get_option_at_index(index).id for index in range(menu.option_count)
                       if not menu.get_option_at_index(index).disabled}
        assert open_to_all == {"duplicate", "history"}
        assert "only Ada Lovelace can edit this alert" in str(menu.get_option("edit").prompt)


async def test_a_change_by_another_process_shows_by_itself(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        assert shell.engine is not None
        with shell.engine.store.write() as session:
            session.connection().execute(sa.text("UPDATE connection SET name = 'Renamed' WHERE slug = 'website'"))
        await shows(pilot, lambda: any(row.name == "Renamed" for row in shell.query_one(RowTable).rows))


async def test_names_from_outside_are_text_and_steer_nothing(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(120, 40)) as pilot:
        shell = await ready(pilot)
        assert shell.engine is not None
        name = "[bold]Web[/]\x1b\u202e"
        with shell.engine.store.write() as session:
            session.connection().execute(sa.text("UPDATE connection SET name = :name WHERE slug = 'website'"),
                                         {"name": name})
        table = shell.query_one(RowTable)
        await shows(pilot, lambda: any(row.name == name for row in table.rows))
        table.select(next(row.id for row in table.rows if row.name == name))
        line = next(line for line in (table.render_line(y).text for y in range(table.size.height)) if "Web" in line)
        assert "[bold]Web[/]" in line
        assert "\x1b" not in line
        assert "\u202e" not in line
