"""The shell's manners: what it remembers, the way back, what it finds, copies and folds, and how it takes trouble."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from textual.widgets import Input, OptionList, Tabs

from core.clock import FastClock
from core.connection_rows import source_rows
from core.connections import add_source
from core.members import current_member
from core.settings import load_settings
from core.store import Store, open_store
from tests.terminal import ROOT, TOCSIN, Terminal
from tests.tui.conftest import NOW, Opened, ready, settled, shows
from tests.tui.hands import line_of, picture, says, wheel, where
from tests.tui.workspace import ask, shell_of, text_of
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.connection import ConnectionView
from tui.screens.lists import DestinationsView, SourcesView
from tui.screens.shell import Shell
from tui.screens.welcome import WelcomeView
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import Confirm
from tui.sheets.help_sheet import HelpSheet
from tui.sheets.notification_panel import NotificationPanel
from tui.themes import DARK, LIGHT
from tui.widgets.action_menu import ActionMenu
from tui.widgets.bell import Bell
from tui.widgets.row_table import RowTable
from tui.widgets.sidebar import Sidebar

WIDE, SMALL = (120, 40), (80, 24)
IN_APP_ONLY = "14"
"""The number of an alert of Ada's that rings her bell and nothing else."""


def table_of(shell: Shell) -> RowTable[Any]:
    return shell.query_one(RowTable)


def trouble_of(shell: Shell) -> str:
    """What the line says that tells what is wrong."""
    return text_of(shell, "#trouble")


def is_at(shell: Shell, crumb: str) -> bool:
    return shell.view is not None and shell.view.crumbs[-1] == crumb


@contextmanager
def other_process(path: Path) -> Iterator[Store]:
    """The same store, opened as another process opens it."""
    store = open_store(str(path))
    try:
        yield store
    finally:
        store.close()


def change(path: Path, sql: str) -> None:
    """Change the store from outside."""
    with other_process(path) as store, store.write() as session:
        session.connection().execute(sa.text(sql))


async def ring(path: Path) -> None:
    """Let another process, a real one, put a notification into Ada's bell."""
    process = await asyncio.create_subprocess_exec(
        *TOCSIN, "--store", str(path), "alert", "test", IN_APP_ONLY, cwd=ROOT,
        env=os.environ | {"TOCSIN_MEMBER": "ada@acme.example"}, stdout=asyncio.subprocess.PIPE)
    await process.communicate()
    assert process.returncode == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where `tocsin` keeps its store."""
    return tmp_path / "demo.db"


# What is remembered


async def test_the_theme_is_remembered_for_the_member_who_chose_it(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p", *"theme")
        await shows(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await shows(pilot, lambda: says(app, LIGHT.name))
        await pilot.press(*LIGHT.name)
        await shows(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await shows(pilot, lambda: app.theme == LIGHT.name)
        await pilot.press("q")

    for member, theme in (("ada@acme.example", LIGHT.name), ("grace@acme.example", DARK.name)):
        again = tocsin(member)
        async with again.run_test(size=WIDE) as pilot:
            await ready(pilot)
            assert again.theme == theme


async def test_the_last_place_its_tab_sort_and_filter_are_remembered(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "d")
        await shows(pilot, lambda: isinstance(shell.view, DestinationsView) and table_of(shell).rows)
        await pilot.press("3", "s", "s", "s", "slash", *"BRAZE", "enter", "q")
        shown = [row.name for row in table_of(shell).rows]
    assert shown == ["Braze Android", "Braze iOS"]

    again = tocsin()
    async with again.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await shows(pilot, lambda: isinstance(shell.view, DestinationsView))
        assert shell.query_one(Tabs).active == "all"
        assert (table_of(shell).sort_column, table_of(shell).descending) == (2, False)
        assert [row.name for row in table_of(shell).rows] == shown
        assert says(again, "BRAZE", shell.query_one("#filter"))
        assert says(again, "Source ↑", table_of(shell))


async def test_each_place_keeps_its_own_look_while_one_goes_about(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("slash", *"api", "enter")
        await shows(pilot, lambda: len(table_of(shell).rows) == 4)
        await pilot.press("g", "a")
        await shows(pilot, lambda: is_at(shell, "Alerts") and len(table_of(shell).rows) == 17)
        await pilot.press("g", "s")
        await shows(pilot, lambda: is_at(shell, "Sources") and table_of(shell).rows)

        assert [row.name for row in table_of(shell).rows] == [
            "Checkout API", "Newsletter", "Partner API", "Payments webhooks"]


async def test_the_row_and_the_scroll_position_survive_what_others_change(tocsin: Opened, path: Path) -> None:
    app = tocsin()
    async with app.run_test(size=SMALL) as pilot:
        shell = await ready(pilot)
        table = table_of(shell)
        await pilot.press("end", *["up"] * 4)
        name, line, top = table.selected.name, line_of(table), table.scroll_offset.y

        change(path, "UPDATE connection SET type = 'Elm' WHERE slug = 'website'")
        await shows(pilot, lambda: any(row.type == "Elm" for row in table.rows))
        assert (table.selected.name, line_of(table), table.scroll_offset.y) == (name, line, top)

        with other_process(path) as store, store.write() as session:
            add_source(session, "A new one", now=NOW)
        await shows(pilot, lambda: any(row.name == "A new one" for row in table.rows))
        assert (table.selected.name, line_of(table), table.scroll_offset.y) == (name, line, top + 1)


async def test_the_row_and_the_scroll_position_come_back_after_escape(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SMALL) as pilot:
        shell = await ready(pilot)
        await pilot.press("end", *["up"] * 4)
        name, line = table_of(shell).selected.name, line_of(table_of(shell))
        assert table_of(shell).scroll_offset.y > 0

        await pilot.press("enter")
        await shows(pilot, lambda: is_at(shell, name))
        await pilot.press("escape")
        await shows(pilot, lambda: is_at(shell, "Sources") and table_of(shell).rows)
        await settled(pilot)
        assert (table_of(shell).selected.name, line_of(table_of(shell))) == (name, line)


# The way about


async def test_escape_always_goes_one_step_back(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("slash", *"checkout", "enter")
        await shows(pilot, lambda: len(table_of(shell).rows) == 1)
        await pilot.press("enter")
        await shows(pilot, lambda: is_at(shell, "Checkout API"))
        await pilot.press("2")
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and app.focused.rows)
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))
        await pilot.press("escape")
        await shows(pilot, lambda: app.screen is shell)
        assert is_at(shell, "Checkout API")

        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press("escape")
        await shows(pilot, lambda: app.screen is shell)
        assert is_at(shell, "Checkout API")

        await pilot.press("escape")
        await shows(pilot, lambda: is_at(shell, "Sources") and len(table_of(shell).rows) == 1)
        await pilot.press("escape")
        await shows(pilot, lambda: len(table_of(shell).rows) == 24)
        assert not shell.query_one("#filter").display
        await pilot.press("escape")
        await settled(pilot)
        assert is_at(shell, "Sources")


@pytest.mark.parametrize(("typed", "crumb", "alert"), [
    ("orders webhook", "Orders webhook", None), ("hubspot: succ", "HubSpot", 15)])
async def test_the_palette_finds_a_connection_and_an_alert_by_name(
    tocsin: Opened, typed: str, crumb: str, alert: int | None
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("ctrl+p")
        await shows(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*typed)
        await shows(pilot, lambda: says(app, crumb) and app.screen.query_one(OptionList).option_count)
        await pilot.press("enter")

        await shows(pilot, lambda: is_at(shell, crumb))
        assert isinstance(shell.view, ConnectionView)
        if alert is not None:
            await shows(pilot, lambda: isinstance(app.focused, RowTable) and app.focused.selected)
            assert table_of(shell).selected.id == alert


@pytest.mark.parametrize(("keys", "copied"), [((), "admin-console"), (("down", "down"), "blog"), (("g", "a"), "13")])
async def test_y_copies_the_slug_or_number_of_the_selected_row(
    tocsin: Opened, keys: tuple[str, ...], copied: str
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell = await ready(pilot)
        await pilot.press(*keys)
        await shows(pilot, lambda: table_of(shell).rows)
        await settled(pilot)
        await pilot.press("y")
        await shows(pilot, lambda: app.clipboard)
        assert app.clipboard == copied
        await shows(pilot, lambda: says(app, f"Copied {copied}"))


async def test_y_copies_the_slug_of_the_connection_that_is_shown(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("enter")
        await shows(pilot, lambda: is_at(shell, "Admin console"))
        await pilot.press("y")
        await shows(pilot, lambda: app.clipboard == "admin-console")


@pytest.mark.parametrize(("keys", "here"), [((), "Sort"), (("g", "a"), "Actions"), (("g", "i"), "History")])
async def test_help_lists_the_keys_of_the_screen_and_of_everywhere(
    tocsin: Opened, keys: tuple[str, ...], here: str
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press(*keys)
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and app.focused.rows)
        await pilot.press("question_mark")
        await shows(pilot, lambda: isinstance(app.screen, HelpSheet))
        for told in (here, "^p", "notifications", "one step back", "sidebar", "right click", "wheel"):
            assert says(app, told), told
        await pilot.press("question_mark")
        await shows(pilot, lambda: app.screen is shell)


async def test_the_sidebar_folds_and_leaves_its_room_to_the_page(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        beside = table_of(shell).size.width
        await pilot.press("left_square_bracket")
        await shows(pilot, lambda: not shell.query_one(Sidebar).display and table_of(shell).size.width > beside)
        await pilot.press("left_square_bracket")
        await shows(pilot, lambda: shell.query_one(Sidebar).display and table_of(shell).size.width == beside)


async def test_a_narrow_terminal_folds_the_sidebar_until_somebody_wants_it(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SMALL) as pilot:
        shell = await ready(pilot)
        assert not shell.query_one(Sidebar).display
        await pilot.press("left_square_bracket")
        await shows(pilot, lambda: says(app, "Incidents", shell.query_one(Sidebar)))
        await pilot.resize_terminal(*WIDE)
        await pilot.resize_terminal(*SMALL)
        assert shell.query_one(Sidebar).display


async def test_a_click_on_a_columns_title_sorts_and_another_turns_the_order_round(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        table = table_of(shell)
        title = where(app, "Events 24 h", table.region)
        assert title is not None
        counts = sorted(row.current for row in table.rows)
        for order in (counts[::-1], counts):
            assert await pilot.click(table, offset=title - table.region.offset)
            await shows(pilot, lambda order=order: [row.current for row in table.rows] == order)


async def test_the_wheel_scrolls_the_list(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SMALL) as pilot:
        shell = await ready(pilot)
        assert says(app, "Admin console")
        for _ in range(20):
            await wheel(pilot, table_of(shell).region)
        await shows(pilot, lambda: not says(app, "Admin console", table_of(shell)))
        assert says(app, "iOS app", table_of(shell))
        assert table_of(shell).selected.name == "Admin console"


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_right_click_opens_the_menu_beside_the_row(tocsin: Opened, size: tuple[int, int]) -> None:
    app = tocsin()
    async with app.run_test(size=size) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "a")
        await shows(pilot, lambda: is_at(shell, "Alerts") and table_of(shell).rows)
        await settled(pilot)
        table = table_of(shell)
        await pilot.click(table, offset=(20, 4), button=3)
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu) and app.screen.query_one(OptionList).region.area)

        menu, row = app.screen.query_one(OptionList).region, line_of(table)
        assert table.cursor == 3
        assert menu in app.screen.region
        assert row.y + 1 == menu.y
        assert menu.x <= table.region.x + 20 + 1 <= menu.right


# Trouble


class SlowEngine(Engine):
    """An engine whose answer about sources is on its way until it has `arrived`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(**{each.name: getattr(engine, each.name) for each in fields(engine)})
        self.arrived = asyncio.Event()

    async def read(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if ask is source_rows:
            await self.arrived.wait()
        return await super().read(ask, *args, **options)


async def test_a_slow_store_shows_that_it_is_loading_and_holds_nothing_up(demo_store: Path, path: Path) -> None:
    shutil.copy(demo_store, path)
    engines: list[SlowEngine] = []

    async def opened() -> Engine:
        engine = await asyncio.to_thread(
            open_engine, load_settings(store=str(path), member="ada@acme.example"), FastClock(NOW, 0))
        engines.append(SlowEngine(engine))
        return engines[0]

    app = TocsinApp(opened)
    async with app.run_test(size=WIDE) as pilot:
        await shows(pilot, lambda: says(app, "Loading…"))
        shell = shell_of(app)
        await pilot.press("b")
        await shows(pilot, lambda: isinstance(app.screen, NotificationPanel) and says(app, "Checkout API"))
        await pilot.press("escape")
        await shows(pilot, lambda: app.screen is shell and says(app, "Loading…"))

        engines[0].arrived.set()
        await shows(pilot, lambda: says(app, "Website") and not says(app, "Loading…"))


async def test_a_store_that_is_spoilt_says_so_in_one_line_and_all_is_well_once_it_is_back(
    tocsin: Opened, path: Path
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        with other_process(path) as store, store.engine.connect() as link:
            link.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = path.read_bytes()
        path.write_bytes(b"This is a shopping list. " * 4096)

        await shows(pilot, lambda: shell.query_one("#trouble").display)
        assert trouble_of(shell) == (f"The store at {path} did not answer: file is not a database. "
                                     "It is asked again every second.")
        assert "Traceback" not in "".join(picture(app))
        assert says(app, "Website")

        path.write_bytes(whole)
        await shows(pilot, lambda: not shell.query_one("#trouble").display)
        change(path, "UPDATE connection SET name = 'Back again' WHERE slug = 'website'")
        await shows(pilot, lambda: says(app, "Back again"))


@pytest.mark.parametrize("empty_address", ["postgres"], indirect=True)
async def test_a_database_that_goes_away_says_so_and_all_is_well_once_it_is_back(empty_address: str) -> None:
    store = open_store(empty_address)
    with store.write() as session:
        current_member(session, None, NOW)
        add_source(session, "Website", now=NOW - timedelta(days=3))
    store.close()

    async def opened() -> Engine:
        return await asyncio.to_thread(open_engine, load_settings(store=empty_address), FastClock(NOW, 0))

    app = TocsinApp(opened)
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        database = sa.make_url(empty_address).database
        with psycopg.connect(empty_address, dbname="postgres", autocommit=True) as link:
            link.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
            link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
            await shows(pilot, lambda: shell.query_one("#trouble").display)
            assert trouble_of(shell).startswith("The store at postgresql+psycopg://")
            assert trouble_of(shell).endswith("It is asked again every second.")
            assert says(app, "Website")

            link.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
            await shows(pilot, lambda: not shell.query_one("#trouble").display)
        assert says(app, "Website")


async def test_a_store_that_cannot_be_opened_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "list.db"
    path.write_text("This is a shopping list. " * 400)

    async def opened() -> Engine:
        return await asyncio.to_thread(open_engine, load_settings(store=str(path)), FastClock(NOW, 0))

    app = TocsinApp(opened)
    async with app.run_test(size=SMALL) as pilot:
        await shows(pilot, lambda: says(app, "That is not a Tocsin store"))
        assert "Traceback" not in "".join(picture(app))
        assert path.read_text().startswith("This is a shopping list.")


async def test_a_newcomers_empty_store_shows_the_welcome(blank_file: Path, path: Path) -> None:
    shutil.copy(blank_file, path)

    async def opened() -> Engine:
        return await asyncio.to_thread(open_engine, load_settings(store=str(path)), FastClock(NOW, 0))

    app = TocsinApp(opened)
    async with app.run_test(size=SMALL) as pilot:
        await shows(pilot, lambda: app.screen_stack and isinstance(shell_of(app).view, WelcomeView))
        await shows(pilot, lambda: all(says(app, way) for way in ("SDK", "Segment workspace", "file", "demo")))


# What other processes do meanwhile


async def test_a_notification_of_another_process_rings_the_bell_and_says_its_sentence(
    tocsin: Opened, path: Path
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell = await ready(pilot)
        unread = shell.query_one(Bell).unread
        await ring(path)

        await shows(pilot, lambda: shell.query_one(Bell).unread == unread + 1)
        await shows(pilot, lambda: says(app, "The bell rang") and says(app, "Amplitude"))
        assert says(app, f"♪ {unread + 1}")


def test_ringing_the_terminal_too_writes_a_bell_and_a_desktop_notification(demo_store: Path, path: Path) -> None:
    shutil.copy(demo_store, path)
    command = [*TOCSIN, "--store", str(path), "--collector", "off", "--no-scheduler"]
    with Terminal(command, settings={"TOCSIN_MEMBER": "ada@acme.example"}) as terminal:
        terminal.until(lambda text: "Website" in text and "♪" in text)
        terminal.press("\x10")
        terminal.until(lambda text: "Go to sources" in text)
        terminal.press("ring the term")
        terminal.until(lambda text: "Ring the terminal too" in text and "Go to sources" not in text)
        terminal.press("\r")
        terminal.until(lambda text: "Website" in text and "Ring the terminal" not in text)
        assert b"\x1b]9;" not in terminal.written
        silent = terminal.written.count(b"\x07")

        asyncio.run(ring(path))
        terminal.until(lambda text: "The bell rang" in text)
        terminal.settled()
        assert b"\x1b]9;" in terminal.written
        assert terminal.written.count(b"\x07") >= silent + 2


async def test_what_is_being_typed_survives_what_others_change(tocsin: Opened, path: Path) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("slash", *"web")
        await shows(pilot, lambda: len(table_of(shell).rows) == 2)
        change(path, "UPDATE connection SET name = 'Web shop' WHERE slug = 'website'")
        await shows(pilot, lambda: any(row.name == "Web shop" for row in table_of(shell).rows))
        await pilot.press(*" sh")
        assert shell.query_one("#filter", Input).value == "web sh"
        await shows(pilot, lambda: [row.name for row in table_of(shell).rows] == ["Web shop"])

        await pilot.press("enter", "c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press(*"12")
        change(path, "UPDATE connection SET name = 'Web store' WHERE slug = 'website'")
        await shows(pilot, lambda: not table_of(shell).rows)
        await pilot.press(".", "5")
        assert app.screen.query_one("#threshold", Input).value == "12.5"


async def test_a_change_by_another_process_shows_within_a_picture_or_two(tocsin: Opened, path: Path) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        change(path, "UPDATE connection SET name = 'Renamed' WHERE slug = 'website'")
        await shows(pilot, lambda: says(app, "Renamed", table_of(shell)))
        assert isinstance(shell.view, SourcesView)


async def test_a_mark_of_another_process_is_taken_off_the_bell(tocsin: Opened, path: Path) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        assert shell.query_one(Bell).unread == 2
        change(path, "UPDATE notification SET read_at = 1 WHERE channel = 'in_app'")
        await shows(pilot, lambda: says(app, "♪ 0"))
        assert ask(shell.engine and shell.engine.store, "SELECT COUNT(*) FROM alert") == [(17,)]


async def test_unsaved_input_is_asked_about_once(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press("7", "escape")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet))
        assert app.screen.query_one("#threshold", Input).value == "7"

        await pilot.press("escape")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await shows(pilot, lambda: app.screen is shell)
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press("7", "backspace", "escape")
        await shows(pilot, lambda: app.screen is shell)


async def test_names_from_outside_are_text_and_steer_nothing(tocsin: Opened, path: Path) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        table = table_of(shell)
        change(path, "UPDATE connection SET name = '[bold]Web[/]' || char(27) || char(8238) WHERE slug = 'website'")
        await shows(pilot, lambda: says(app, "[bold]Web[/]", table))
        line = next(line for line in (table.render_line(y).text for y in range(table.size.height)) if "Web" in line)
        assert "\x1b" not in line
        assert "\u202e" not in line

        table.select(1)
        await pilot.press("enter")
        await shows(pilot, lambda: says(app, "Sources › [bold]Web[/]") and says(app, "[bold]Web[/]", shell.view))
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and says(app, "[bold]Web[/]", app.screen))
