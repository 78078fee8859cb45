"""The welcome, Members and Settings, walked through with keys and with the mouse, on real parts."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import socket
import sys
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Select

from core.clock import FastClock, iso
from core.first_event import begin
from core.intake.segment import link
from core.intake.segment.wire import Workspace
from core.members import add_member, current_member
from core.service import Service
from core.settings import load_settings
from core.store import Store, open_store
from core.terms import Role
from tests.segment import conftest as segment_parts
from tests.segment.test_sync import acme
from tests.segment.workspace import TOKEN, Segment
from tests.tui.conftest import NOW, Opened, settled, shows
from tests.tui.workspace import NOWHERE, ask, at, dashboard, found, text_of
from tui.screens.connection import ConnectionView
from tui.screens.first_event import FirstEvent
from tui.screens.lists import SourcesView
from tui.screens.members import MembersView
from tui.screens.settings import SettingsView
from tui.screens.shell import Shell
from tui.screens.welcome import Back, WelcomeView
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import Confirm
from tui.sheets.fields import ErrorLine
from tui.sheets.member_sheet import MemberSheet
from tui.widgets.action_menu import ActionMenu
from tui.widgets.row_table import RowTable
from tui.widgets.waiting import Waiting

ANYWHERE = "127.0.0.1:0"
SIZE = (120, 40)

segment_address, control, segment = segment_parts.segment_address, segment_parts.control, segment_parts.segment


@pytest.fixture
def empty(blank_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which nothing is; the account at the keyboard is ada."""
    monkeypatch.setenv("LOGNAME", "ada")
    return Path(shutil.copy(blank_file, tmp_path / "empty.db"))


async def welcomed(pilot: Pilot[None]) -> Shell:
    return await at(pilot, "welcome", WelcomeView)


def error_of(shell: Shell, name: str) -> str:
    return str(shell.app.screen.query_one(f"#{name}-error", ErrorLine).content)


def store_of(shell: Shell) -> Store:
    assert shell.engine is not None
    return shell.engine.store


async def run(code: str) -> int:
    """The exit code of a Python that runs `code`."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    return await process.wait()


async def test_the_first_event_of_a_first_source_leads_to_its_first_alert(empty: Path) -> None:
    app = dashboard(empty, listen=ANYWHERE)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("1", *"Web shop", "enter")
        await shows(pilot, lambda: text_of(shell, "#waits") == "Web shop waits for its first event")
        await pilot.press("y")
        assert len(app.clipboard.splitlines()) == 3

        assert await run(app.clipboard) == 0
        await shows(pilot, lambda: "Web shop has sent 1 event." in text_of(shell, "#counted"))
        await shows(pilot, lambda: app.focused and app.focused.id == "create")
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await pilot.press(*"20", "ctrl+s")

        await shows(pilot, lambda: isinstance(shell.view, ConnectionView) and shell.query_one(RowTable).selected)
        assert ask(store_of(shell), "SELECT c.name, a.threshold FROM alert a JOIN connection c "
                                    "ON c.id = a.connection_id") == [("Web shop", 2000)]


async def test_the_same_with_the_mouse_and_curl(empty: Path) -> None:
    app = dashboard(empty, listen=ANYWHERE)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.click("WelcomeView OptionList", offset=(4, 0))
        await shows(pilot, lambda: shell.query_one(FirstEvent).display)
        await pilot.click("#continue")
        await shows(pilot, lambda: "My first source waits" in text_of(shell, "#waits"))
        await pilot.click("#copy-curl")
        await shows(pilot, lambda: app.clipboard.startswith("curl"))

        _, _, login, url, _, body = shlex.split(app.clipboard)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, auth=(login.removesuffix(":"), ""), content=body)
        assert answer.json() == {"success": True}
        await shows(pilot, lambda: "has sent 1 event." in text_of(shell, "#counted"))
        await pilot.click("#open")
        await shows(pilot, lambda: isinstance(shell.view, ConnectionView))


async def test_an_event_that_another_process_counts_is_noticed_too(empty: Path) -> None:
    other = open_store(str(empty))
    async with Service(other, load_settings(), FastClock(NOW, 0), collector=ANYWHERE, scheduler=False) as service:
        where = service.state().collector or ""
        app = dashboard(empty, collector=where)
        async with app.run_test(size=SIZE) as pilot:
            shell = await welcomed(pilot)
            await pilot.press("1", "enter")
            await shows(pilot, lambda: where in text_of(shell, "#python"))
            key = str(ask(other, "SELECT write_key FROM connection")[0][0])
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.post(f"http://{where}/v1/track", auth=(key, ""), json={"event": "a", "userId": "b"})
            await shows(pilot, lambda: "has sent 1 event." in text_of(shell, "#counted"))
    other.close()


async def test_without_a_collector_no_source_is_made_and_it_says_what_to_do(empty: Path) -> None:
    app = dashboard(empty)
    async with app.run_test(size=(80, 24)) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("1")
        await shows(pilot, lambda: "tocsin serve runs a collector" in text_of(shell, "#door"))
        await pilot.press("enter")
        await shows(pilot, lambda: "There is no collector to send to yet." in error_of(shell, "source"))

        assert ask(store_of(shell), "SELECT * FROM connection") == []


async def test_a_collector_whose_port_is_taken_says_so(empty: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        app = dashboard(empty, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        taken.settimeout(0)
        async with app.run_test(size=SIZE) as pilot:
            shell = await welcomed(pilot)
            taken.close()
            await pilot.press("1")
            await shows(pilot, lambda: "cannot listen on" in text_of(shell, "#door"))
            assert "start tocsin again" in text_of(shell, "#door")


async def test_a_segment_workspace_is_read(empty: Path, segment: Segment) -> None:
    segment.hold(**acme(now=iso(NOW)))
    app = dashboard(empty, segment_url=segment.url)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("2", *"wrong", "enter")
        await shows(pilot, lambda: "invalid or not allowed" in error_of(shell, "token"))
        assert app.focused is shell.query_one("#token")

        shell.query_one("#token", Input).value = TOKEN
        await pilot.press("enter")
        await shows(pilot, lambda: "Acme is connected" in text_of(shell, "#workspace"))
        assert text_of(shell, "#read").startswith("2 sources, 2 destinations and 3 members")
        await shows(pilot, lambda: app.focused and app.focused.id == "open")
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(shell.view, SourcesView) and shell.query_one(RowTable).rows)
        assert TOKEN not in str(app.export_screenshot())


async def test_who_is_at_the_keyboard_is_chosen_when_segment_is_connected(empty: Path, segment: Segment) -> None:
    segment.hold(**acme(now=iso(NOW)))
    app = dashboard(empty, segment_url=segment.url)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("2", *TOKEN, "enter")
        await shows(pilot, lambda: app.focused and app.focused.id == "open")
        choice = shell.query_one("#me", Select)
        assert shell.engine is not None
        before = shell.engine.actor.email
        other = next(email for email, in ask(store_of(shell), "SELECT email FROM member ORDER BY email")
                     if email != before)
        choice.value = other
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(shell.view, SourcesView) and shell.query_one(RowTable).rows)

        assert shell.engine.actor.email == other
        assert load_settings(store=str(empty)).member == other


async def test_connecting_to_segment_can_be_broken_off(empty: Path, segment: Segment) -> None:
    segment.hold(**acme(now=iso(NOW), faults={"/": "slow"}))
    app = dashboard(empty, segment_url=segment.url)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("2", *TOKEN, "enter")
        await shows(pilot, lambda: not shell.query_one("#cancel", Button).disabled and segment.asked)
        await pilot.click("#cancel")
        await shows(pilot, lambda: text_of(shell, "#progress") == "Broken off; nothing was changed.")

        assert not shell.query_one("#token", Input).disabled
        assert ask(store_of(shell), "SELECT * FROM segment_link") == []


async def test_a_plain_member_sees_why_segment_is_not_theirs_to_connect(empty: Path) -> None:
    def team(store: Store) -> None:
        with store.write() as session:
            ada = current_member(session, None, NOW)
            add_member(session, ada, "grace@example.com", "Grace", Role.MEMBER, NOW)

    app = dashboard(found(empty, team), member="grace@example.com")
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        way = shell.query_one("WelcomeView OptionList", OptionList).get_option("segment")

        assert way.disabled
        assert "only a workspace owner can connect a Segment workspace" in str(way.prompt)
        await pilot.press("2")
        assert shell.query_one("WelcomeView OptionList").display


async def test_a_file_is_imported_and_its_names_become_sources(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("connection,hour,stage,count\nwebsite,2026-11-23T08:00:00Z,received,12\nshop,yesterday,received,1\n")
    app = dashboard(empty)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("3")
        await shows(pilot, lambda: app.focused and app.focused.id == "path")
        shell.query_one("#path", Input).value = str(path)
        await pilot.press("enter")
        await shows(pilot, lambda: f"{path}:3: the hour must look like" in error_of(shell, "path"))
        assert ask(store_of(shell), "SELECT * FROM connection") == []

        path.write_text(path.read_text().replace("yesterday", "2026-11-23T09:00:00Z"))
        await pilot.press("enter")
        await shows(pilot, lambda: "Added as sources: shop, website." in text_of(shell, "#what"))
        assert "2 counts of 2 connections" in text_of(shell, "#what")
        await shows(pilot, lambda: app.focused and app.focused.id == "open-sources")
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(shell.view, SourcesView) and len(shell.query_one(RowTable).rows) == 2)


async def test_the_demos_command_is_copied_and_escape_leads_back(empty: Path) -> None:
    app = dashboard(empty)
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("down", "down", "down", "enter")
        await shows(pilot, lambda: app.clipboard == "tocsin demo")
        await pilot.press("escape")
        await shows(pilot, lambda: isinstance(app.focused, OptionList))
        await pilot.press("3")
        await shows(pilot, lambda: isinstance(app.focused, Input))
        await pilot.click(Back)
        await shows(pilot, lambda: isinstance(app.focused, OptionList))
        assert isinstance(shell.view, WelcomeView)


async def test_the_sign_of_waiting_wanders_only_with_animations(empty: Path) -> None:
    app = dashboard(empty, listen=ANYWHERE)
    app.animation_level = "full"
    async with app.run_test(size=SIZE) as pilot:
        shell = await welcomed(pilot)
        await pilot.press("1", "enter")
        await shows(pilot, lambda: shell.query_one(Waiting).at > 1)


async def test_an_owner_gives_up_ownership_only_after_a_question(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_members(pilot)
        await pick(pilot, shell, "grace@acme.example")
        await pilot.press("r")
        await shows(pilot, lambda: roles(shell)["grace@acme.example"] == Role.OWNER.value)
        await pick(pilot, shell, "ada@acme.example")
        await pilot.press("r")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await shows(pilot, lambda: app.screen is shell)
        assert roles(shell)["ada@acme.example"] == Role.OWNER.value


async def in_members(pilot: Pilot[None]) -> Shell:
    shell = await at(pilot, "members", MembersView)
    await shows(pilot, lambda: shell.query_one(RowTable).rows)
    shell.query_one(RowTable).focus()
    await pilot.pause()
    return shell


def roles(shell: Shell) -> dict[str, str]:
    return {str(email): str(role) for email, role in ask(
        store_of(shell), "SELECT email, role FROM member WHERE removed_at IS NULL")}


async def pick(pilot: Pilot[None], shell: Shell, email: str) -> None:
    table = shell.query_one(RowTable)
    table.select(next(row.id for row in table.rows if row.email == email))
    await pilot.pause()


async def test_an_owner_adds_a_member_and_a_bad_address_says_so_under_its_field(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_members(pilot)
        await pilot.press("n")
        await shows(pilot, lambda: isinstance(app.screen, MemberSheet) and app.screen.focused)
        await pilot.press(*"grace@acme.example", "ctrl+s")
        await shows(pilot, lambda: "grace@acme.example is already a member." in error_of(shell, "email"))
        assert app.focused is app.screen.query_one("#email")

        app.screen.query_one("#email", Input).value = "margaret"
        await pilot.press("tab")
        await shows(pilot, lambda: "not one email address" in error_of(shell, "email"))
        app.screen.query_one("#email", Input).value = "margaret@acme.example"
        await pilot.press(*"Margaret Hamilton", "ctrl+s")
        await shows(pilot, lambda: app.screen is shell)
        await shows(pilot, lambda: any(row.name == "Margaret Hamilton" for row in shell.query_one(RowTable).rows))
        assert roles(shell)["margaret@acme.example"] == Role.MEMBER.value


async def test_what_was_typed_of_a_new_member_is_not_lost_by_accident(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=(80, 24)) as pilot:
        shell = await in_members(pilot)
        await pilot.click("#add")
        await shows(pilot, lambda: isinstance(app.screen, MemberSheet) and app.screen.focused)
        await pilot.press("m", "escape")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await shows(pilot, lambda: isinstance(app.screen, MemberSheet))
        await pilot.press("backspace", "escape")
        await shows(pilot, lambda: app.screen is shell)


async def test_an_owner_changes_a_role_and_removes_a_member_after_one_question(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_members(pilot)
        await pick(pilot, shell, "grace@acme.example")
        await pilot.press("r")
        await shows(pilot, lambda: roles(shell)["grace@acme.example"] == Role.OWNER.value)

        await pick(pilot, shell, "alan@acme.example")
        await pilot.press("delete")
        await shows(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await shows(pilot, lambda: "alan@acme.example" not in roles(shell))
        await shows(pilot, lambda: app.screen is shell and len(shell.query_one(RowTable).rows) == 3)


async def test_the_last_owner_stays_and_the_menu_says_why(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_members(pilot)
        await pick(pilot, shell, "ada@acme.example")
        await pilot.press("enter")
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))

        menu = app.screen.query_one(OptionList)
        assert "a workspace keeps at least one owner" in str(menu.get_option("remove").prompt)
        assert menu.get_option("role").disabled
        assert not menu.get_option("add").disabled


async def test_a_plain_member_sees_why_members_are_not_theirs_to_change(tocsin: Opened) -> None:
    app = tocsin("katherine@acme.example")
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_members(pilot)
        before = roles(shell)
        await pilot.press("r", "x", "n")
        await settled(pilot)
        assert app.screen is shell
        await pilot.click(RowTable, offset=(4, 2), button=3)
        await shows(pilot, lambda: isinstance(app.screen, ActionMenu))

        menu = app.screen.query_one(OptionList)
        assert all(menu.get_option_at_index(index).disabled for index in range(menu.option_count))
        assert "only a workspace owner can remove members" in str(menu.get_option("remove").prompt)
        assert shell.query_one("#add", Button).disabled
        assert roles(shell) == before


async def in_settings(pilot: Pilot[None]) -> Shell:
    shell = await at(pilot, "settings", SettingsView)
    await shows(pilot, lambda: "looking" not in said(shell, "clock"))
    return shell


def said(shell: Shell, name: str) -> str:
    return text_of(shell, f"#fact-{name} .told")


async def test_the_settings_screen_counts_along(empty: Path) -> None:
    app = dashboard(empty, listen=ANYWHERE)
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_settings(pilot)
        assert shell.engine is not None
        assert shell.engine.service is not None
        where = shell.engine.service().collector
        await shows(pilot, lambda: f"http://{where}  ·  0 events/s" in said(shell, "collector"))
        with store_of(shell).write() as session:
            key = begin(session, "Website", NOW).write_key
        async with httpx.AsyncClient(trust_env=False) as client:
            batch = [{"type": "track", "event": "a", "userId": "b"} for _ in range(250)]
            await client.post(f"http://{where}/v1/batch", auth=(key, ""), json={"batch": batch})
        await shows(pilot, lambda: "25 events/s" in said(shell, "collector"))


async def test_what_is_red_says_what_to_do_and_is_looked_at_again(demo_store: Path, tmp_path: Path) -> None:
    app = dashboard(Path(shutil.copy(demo_store, tmp_path / "demo.db")), member="ada@acme.example")
    async with app.run_test(size=(80, 24)) as pilot:
        shell = await in_settings(pilot)
        assert "alerts send mail" in said(shell, "email")
        assert "→ set TOCSIN_SMTP_URL" in said(shell, "email")
        assert "Email" in text_of(shell, "#summary")
        assert "need" in text_of(shell, "#summary")

        with store_of(shell).write() as session:
            session.connection().execute(sa.text("UPDATE alert_channel SET removed_at = 0 WHERE kind = 'email'"))
        await pilot.press("r")
        await shows(pilot, lambda: "not set, so no mail can be sent" in said(shell, "email"))


async def test_a_dashboard_that_runs_nothing_itself_says_so_calmly(empty: Path) -> None:
    app = dashboard(empty)
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_settings(pilot)
        await shows(pilot, lambda: "off: this dashboard counts no events itself" in said(shell, "collector"))

        assert "this dashboard does not judge" in said(shell, "next-pass")
        assert text_of(shell, "#summary") == "● All is well"


async def test_a_collector_in_another_process_is_named(empty: Path) -> None:
    other = open_store(str(empty))
    async with Service(other, load_settings(), FastClock(NOW, 0), collector=ANYWHERE, scheduler=False) as service:
        where = service.state().collector or NOWHERE
        app = dashboard(empty, collector=where)
        async with app.run_test(size=SIZE) as pilot:
            shell = await in_settings(pilot)
            assert said(shell, "collector").startswith(f"http://{where}  ·  in another process")
    other.close()


async def test_a_segment_token_that_is_gone_is_red(empty: Path) -> None:
    def connected(store: Store) -> None:
        with store.write() as session:
            link.save(session, Workspace(id="ws1", name="Acme", slug="acme"), "us", NOW)

    app = dashboard(found(empty, connected))
    async with app.run_test(size=SIZE) as pilot:
        shell = await in_settings(pilot)
        assert "Acme is connected, but there is no token any more" in said(shell, "segment")
        assert "→ tocsin segment connect with a new one" in said(shell, "segment")
        assert text_of(shell, "#summary") == "✕ Segment needs you"
