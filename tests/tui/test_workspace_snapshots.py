"""The welcome, Members and Settings as pictures: fixed inputs, both sizes."""

from __future__ import annotations

import secrets
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from textual.pilot import Pilot
from textual.widgets import OptionList

from core.alert_spec import AlertSpec, ChannelSpec
from core.alerts import create_alert
from core.clock import hour_of
from core.connections import add_source
from core.intake.segment import link
from core.intake.segment.wire import Workspace
from core.members import current_member
from core.service import LastPass, ServiceState
from core.store import Store
from core.terms import AlertKind, ChannelKind
from tests.tui.conftest import NOW, Opened, settled, shows
from tests.tui.test_snapshots import SIZES, Compare
from tests.tui.workspace import at, dashboard, found, shell_of, text_of
from tui.app import TocsinApp
from tui.screens.members import MembersView
from tui.screens.settings import SettingsView
from tui.screens.welcome import WelcomeView
from tui.sheets.member_sheet import MemberSheet
from tui.widgets.action_menu import ActionMenu
from tui.widgets.row_table import RowTable
from tui.widgets.sidebar import Sidebar

WEBHOOK = "https://hooks.slack.com/services/T000/B000/secretsecret"
LAST = LastPass(hour_of(NOW), NOW - timedelta(minutes=2), 12_345, None)
NEXT = NOW + timedelta(minutes=58)
WELL = ServiceState(collector="127.0.0.1:8765", events_per_second=1234.4, scheduler=True, last_pass=LAST,
                    next_pass_at=NEXT, last_delivery_at=NOW - timedelta(hours=2))
TROUBLED = ServiceState(
    collector_error="The collector cannot listen on 127.0.0.1:9: Permission denied.", scheduler=True, last_pass=LAST,
    next_pass_at=NEXT, pass_error="The store at ~/tocsin.db did not answer: database is locked")
pytestmark = pytest.mark.parametrize("size", SIZES)


@pytest.fixture
def path(blank_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which nothing is, in the home of ada, whose write keys are always the same."""
    for name, value in (("LOGNAME", "ada"), ("HOME", str(tmp_path))):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _bytes: "Zm9yLXRoZS1waWN0dXJlcy1vbmx5LTEy")
    return Path(shutil.copy(blank_file, tmp_path / "tocsin.db"))


def connected(store: Store) -> None:
    """Ada's workspace, read from Segment ten minutes ago."""
    with store.write() as session:
        current_member(session, None, NOW)
        link.save(session, Workspace(id="ws1", name="Acme Inc.", slug="acme"), "us", NOW - timedelta(days=3))
        link.note(session, NOW - timedelta(minutes=10), 12, None, finished=True)


def broken(store: Store) -> None:
    """An alert by mail and in Slack, whose webhook is gone, and a Segment workspace whose token is."""
    connected(store)
    with store.write() as session:
        ada = current_member(session, None, NOW)
        add_source(session, "Website", now=NOW)
        create_alert(session, ada, "website", AlertSpec(AlertKind.SOURCE_VOLUME, 2000, (
            ChannelSpec(ChannelKind.EMAIL, "team@example.com"), ChannelSpec(ChannelKind.SLACK, WEBHOOK))), NOW,
            ("hooks.slack.com",))
        session.connection().execute(sa.text("UPDATE alert_channel SET broken_since = 1, broken_answer = "
                                             "'HTTP 404 no_service' WHERE kind = 'slack'"))


async def in_settings(pilot: Pilot[None]) -> None:
    shell = await at(pilot, "settings", SettingsView)
    await shows(pilot, lambda: not any("looking" in text_of(shell, f"#fact-{name} .told")
                                       for name in ("clock", "email", "slack", "segment")))
    await settled(pilot)


def test_settings_while_all_is_well(path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = dashboard(found(path, connected), state=WELL, segment_token="sgp_" + "x" * 40)
    assert snap_compare(app, terminal_size=size, run_before=in_settings)


def test_settings_with_red_lines(path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = dashboard(found(path, broken), state=TROUBLED)
    assert snap_compare(app, terminal_size=size, run_before=in_settings)


async def in_members(pilot: Pilot[None]) -> None:
    shell = await at(pilot, "members", MembersView)
    await shows(pilot, lambda: shell.query_one(RowTable).rows)
    shell.query_one(RowTable).focus()
    pilot.app.clear_notifications()
    await settled(pilot)


def test_members(tocsin: Opened, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(tocsin(), terminal_size=size, run_before=in_members)


def test_the_menu_of_a_member_who_is_not_yours_to_change(
    tocsin: Opened, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await in_members(pilot)
        await pilot.press("a")
        await shows(pilot, lambda: isinstance(pilot.app.screen, ActionMenu))
        await pilot.pause()

    assert snap_compare(tocsin("katherine@acme.example"), terminal_size=size, run_before=look)


def test_adding_a_member(tocsin: Opened, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await in_members(pilot)
        await pilot.press("n")
        await shows(pilot, lambda: isinstance(pilot.app.screen, MemberSheet) and pilot.app.screen.focused)
        await pilot.press(*"margaret", "tab")
        await pilot.pause()

    assert snap_compare(tocsin(), terminal_size=size, run_before=look)


def shop(path: Path) -> TocsinApp:
    return dashboard(path, state=WELL)


async def welcomed(pilot: Pilot[None]) -> None:
    shell = await at(pilot, "welcome", WelcomeView)
    await shows(pilot, lambda: isinstance(pilot.app.focused, OptionList) and pilot.app.focused in shell.query(
        "WelcomeView OptionList"))
    await settled(pilot)


def test_the_welcome(path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(shop(path), terminal_size=size, run_before=welcomed)


@pytest.mark.parametrize("way", ["1", "2", "3"])
def test_a_way_in(path: Path, snap_compare: Compare, size: tuple[int, int], way: str) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await welcomed(pilot)
        await pilot.press(way)
        await shows(pilot, lambda: pilot.app.focused and pilot.app.focused.id in ("source-name", "token", "path"))
        await settled(pilot)

    assert snap_compare(shop(path), terminal_size=size, run_before=look)


async def waiting(pilot: Pilot[None]) -> None:
    await welcomed(pilot)
    await pilot.press("1", *"Web shop", "enter")
    await shows(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "copy-python")
    sidebar = pilot.app.screen.query_one(Sidebar)
    await shows(pilot, lambda: "1" in str(sidebar.get_option("sources").prompt))
    await settled(pilot)


def test_waiting_for_the_first_event(path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(shop(path), terminal_size=size, run_before=waiting)


def test_the_first_event_is_here(path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await waiting(pilot)
        assert isinstance(pilot.app, TocsinApp)
        engine = shell_of(pilot.app).engine
        assert engine is not None
        with engine.store.write() as session:
            session.connection().execute(sa.text(
                "INSERT INTO hourly_count (connection_id, hour, stage, count) SELECT id, :hour, 'received', 1 "
                "FROM connection"), {"hour": hour_of(NOW)})
        await shows(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "create")
        await settled(pilot)

    assert snap_compare(shop(path), terminal_size=size, run_before=look)
