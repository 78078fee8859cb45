"""What one can do with an alert, each entry of its menu and each field of its sheet, with real servers at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets._toast import Toast

from core.access import Actor
from core.alert_rows import AlertRow
from core.alert_spec import AlertSpec, ChannelSpec
from core.alerts import create_alert, list_alerts
from core.channels.senders import senders_of
from core.clock import FastClock
from core.foresight import preview
from core.incidents import list_notifications
from core.outbox import deliver_due
from core.rules import Condition
from core.settings import Settings, load_settings
from core.store import Session, open_store
from core.terms import AlertKind, ChannelKind, Delivery
from core.watch import judge_again
from tests.core.channels.servers import Hooks, Mailbox, hook_server, mail_server, part
from tests.tui.conftest import NOW, Opened, ready, settled, shows
from tests.tui.hands import Keyboard, prompt, says
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.shell import Shell
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import AskLine
from tui.sheets.fields import ErrorLine
from tui.sheets.foreseen import Foreseen
from tui.sheets.history import HistorySheet
from tui.widgets.action_menu import ActionMenu
from tui.widgets.row_table import RowTable

WIDE = (120, 40)
ADA = "ada@acme.example"
MAILED = ChannelSpec(ChannelKind.EMAIL, "team@acme.example")
IN_APP = ChannelSpec(ChannelKind.IN_APP)
MENU = ["edit", "disable", "mute", "test", "duplicate", "history", "delete"]


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with hook_server() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


class Desk:
    """The dashboard in front of a real mail server and a real hook server, and one alert that uses both."""

    def __init__(self, path: Path, hooks: Hooks, mailbox: Mailbox) -> None:
        self.path, self.hooks, self.mailbox = path, hooks, mailbox
        self.clock = FastClock(NOW, 0)
        self.slack = ChannelSpec(ChannelKind.SLACK, hooks.url("alerts"), "#data-alerts")
        self.alert = self._alert()

    def settings(self, member: str = ADA) -> Settings:
        return load_settings(store=str(self.path), member=member, slack_hosts=self.hooks.host,
                             smtp_url=self.mailbox.url)

    def app(self, member: str = ADA) -> TocsinApp:
        async def opened() -> Engine:
            return await asyncio.to_thread(
                open_engine, self.settings(member), self.clock, senders_of(self.settings(), self.clock.now))

        made = TocsinApp(opened)
        made.animation_level = "none"
        return made

    async def deliver(self) -> list[Delivery]:
        """One real round of delivery; the state of each message that was tried."""
        store = open_store(str(self.path))
        try:
            return [tried.state for tried in await deliver_due(
                store, senders_of(self.settings(), self.clock.now), self.clock)]
        finally:
            store.close()

    def _alert(self) -> int:
        """An alert of Ada's at 8 % on Website, which has grown by 8.3 %: it fires at once."""
        engine = open_engine(self.settings(), self.clock)
        spec = AlertSpec(AlertKind.SOURCE_VOLUME, 800, (MAILED, self.slack, IN_APP))

        def make(session: Session, actor: Actor) -> int:
            made = create_alert(session, actor, "website", spec, NOW, [self.hooks.host])
            judge_again(session, [made], NOW)
            return made

        with engine.store.write() as session:
            made = make(session, engine.actor)
        engine.store.close()
        return made


@pytest.fixture
def desk(tocsin: Opened, tmp_path: Path, hooks: Hooks, mailbox: Mailbox) -> Desk:
    return Desk(tmp_path / "demo.db", hooks, mailbox)


@asynccontextmanager
async def on_alerts_tab(app: TocsinApp, slug: str = "website") -> AsyncIterator[tuple[Pilot[None], Shell, Keyboard]]:
    """The dashboard on the Alerts tab of a connection."""
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell = await ready(pilot)
        await shell.go("connection", slug, "alerts")
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and app.focused.selected)
        yield pilot, shell, Keyboard(pilot)


def alerts_of(shell: Shell, slug: str = "website") -> list[AlertRow]:
    assert shell.engine is not None
    with shell.engine.store.read() as session:
        return list_alerts(session, shell.engine.actor, slug=slug, now=shell.engine.now())


def at(shell: Shell, threshold: int, slug: str = "website") -> AlertRow:
    return next(row for row in alerts_of(shell, slug) if row.spec.threshold == threshold)


async def choose(pilot: Pilot[None], hand: Keyboard, threshold: str, label: str) -> None:
    """Choose an entry of the Actions menu of an alert."""
    await hand.actions(threshold)
    await shows(pilot, lambda: isinstance(pilot.app.screen, ActionMenu) and pilot.app.focused)
    await hand.choose(label)


async def creating(pilot: Pilot[None]) -> AlertSheet:
    await pilot.press("c")
    await shows(pilot, lambda: isinstance(pilot.app.screen, AlertSheet) and pilot.app.screen.focused)
    assert isinstance(pilot.app.screen, AlertSheet)
    return pilot.app.screen


async def reads(pilot: Pilot[None], text: str) -> None:
    await shows(pilot, lambda: says(pilot.app, text))


async def is_told(pilot: Pilot[None], text: str) -> None:
    """Wait until a toast says `text`."""
    await shows(pilot, lambda: any(says(pilot.app, text, toast) for toast in pilot.app.screen.query(Toast)))


def error_of(pilot: Pilot[None], field: str) -> str:
    return str(pilot.app.screen.query_one(f"#{field}-error", ErrorLine).content)


# The menu


@pytest.mark.parametrize(("member", "allowed"), [
    (ADA, set(MENU)), ("katherine@acme.example", {"duplicate", "history"})])
async def test_the_menu_dims_what_a_member_may_not_do_and_says_why(
    tocsin: Opened, member: str, allowed: set[str]
) -> None:
    async with on_alerts_tab(tocsin(member)) as (pilot, shell, hand):
        await hand.actions("35 %")
        await shows(pilot, lambda: isinstance(pilot.app.screen, ActionMenu) and pilot.app.focused)
        menu = pilot.app.screen.query_one(OptionList)
        options = [menu.get_option_at_index(index) for index in range(menu.option_count)]
        assert [option.id for option in options] == MENU
        assert {option.id for option in options if not option.disabled} == allowed
        for option in options:
            assert ("only Ada Lovelace" in str(option.prompt)) == option.disabled, option.id
        assert says(pilot.app, "Source volume 35 % · Website")
        assert at(shell, 3500).spec.enabled


async def test_an_alert_is_disabled_and_enabled_again(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, hand):
        await choose(pilot, hand, "35 %", "Disable")
        await shows(pilot, lambda: at(shell, 3500).state == "disabled")
        await reads(pilot, "○ disabled")
        await choose(pilot, hand, "35 %", "Enable")
        await shows(pilot, lambda: at(shell, 3500).spec.enabled)
        await shows(pilot, lambda: not says(pilot.app, "○ disabled"))


async def test_an_alert_is_muted_for_eight_hours_and_unmuted(desk: Desk) -> None:
    async with on_alerts_tab(desk.app()) as (pilot, shell, hand):
        await choose(pilot, hand, " 8 %", "Mute…")
        await shows(pilot, lambda: isinstance(pilot.app.screen, AskLine) and pilot.app.focused)
        await pilot.press("enter")
        await shows(pilot, lambda: at(shell, 800).muted_until == NOW + timedelta(hours=8))
        await reads(pilot, "◌ muted")
        await reads(pilot, "muted until Mon 23 Nov 20:07")

        await choose(pilot, hand, " 8 %", "Unmute")
        await shows(pilot, lambda: at(shell, 800).muted_until is None)
        await reads(pilot, "▲ firing")


async def test_an_alert_is_muted_until_a_time_and_what_is_no_time_says_so_under_the_field(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, hand):
        await choose(pilot, hand, "35 %", "Mute…")
        await shows(pilot, lambda: isinstance(pilot.app.screen, AskLine) and pilot.app.focused)
        error = pilot.app.screen.query_one(ErrorLine)
        neither = "Neither a length like 30m, 8h or 2d nor a time like 2026-11-30 09:00."
        for typed, told in (("soon", neither), ("2026-11-01 09:00", "That time is over."), ("9999d", neither),
                            ("2026-11-02", "That time is over."), ("2026-13-01", neither)):
            await pilot.press("end", "ctrl+u", *typed, "enter")
            await shows(pilot, lambda told=told: told in str(error.content))
            assert error.region.y == pilot.app.screen.query_one(Input).region.bottom
        assert at(shell, 3500).muted_until is None

        await pilot.press("end", "ctrl+u", *"2026-11-30 09:00", "enter")
        await shows(pilot, lambda: at(shell, 3500).muted_until == datetime(2026, 11, 30, 9, tzinfo=UTC))
        await shows(pilot, lambda: pilot.app.screen is shell)


async def test_a_test_goes_through_every_channel_and_each_answer_is_told(desk: Desk) -> None:
    async with on_alerts_tab(desk.app()) as (pilot, shell, hand):
        await choose(pilot, hand, " 8 %", "Send test")
        await is_told(pilot, "✓ email team@acme.example")
        await shows(pilot, lambda: desk.hooks.posts and desk.mailbox.mails)

        assert "nothing has happened" in part(desk.mailbox.mails[0])
        assert desk.hooks.names() == ["alerts"]
        assert shell.engine is not None
        with shell.engine.store.read() as session:
            tests = [row for row in list_notifications(session, shell.engine.actor, alert_id=desk.alert)
                     if row.event.value == "test"]
        assert {(row.channel.value, row.state.value) for row in tests} == {
            ("email", "sent"), ("slack", "sent"), ("in_app", "sent")}


async def test_a_test_that_is_refused_says_so_and_marks_the_channel_until_one_gets_through(desk: Desk) -> None:
    desk.hooks.says("alerts", 404, "no_service")
    async with on_alerts_tab(desk.app()) as (pilot, shell, hand):
        await choose(pilot, hand, " 8 %", "Send test")
        await reads(pilot, "✕ slack is broken")
        assert [channel.broken_since is not None for channel in at(shell, 800).channels] == [False, True, False]

        desk.hooks.says("alerts", 200, "ok")
        await choose(pilot, hand, " 8 %", "Send test")
        await shows(pilot, lambda: not says(pilot.app, "✕ slack is broken"))
        assert not any(channel.broken_since for channel in at(shell, 800).channels)


async def test_an_alert_of_somebody_else_is_duplicated_as_ones_own(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, hand):
        theirs = at(shell, 2500)
        await choose(pilot, hand, "25 %", "Duplicate")
        await shows(pilot, lambda: isinstance(pilot.app.screen, AlertSheet) and pilot.app.screen.focused)
        assert says(pilot.app, "Duplicate alert")
        await pilot.press("end", ".", "5", "ctrl+s")
        await shows(pilot, lambda: pilot.app.screen is shell)

        copy = at(shell, 2550)
        assert copy.spec == replace(theirs.spec, threshold=2550)
        assert (theirs.created_by, copy.created_by) == ("grace@acme.example", ADA)
        assert at(shell, 2500) == theirs
        await reads(pilot, "25.5 %")


async def test_a_failed_message_is_queued_again_from_the_history_and_the_next_round_sends_it(desk: Desk) -> None:
    desk.hooks.says("alerts", 404, "no_service")
    assert sorted(state.value for state in await desk.deliver()) == ["failed", "sent"]
    desk.hooks.says("alerts", 200, "ok")

    async with on_alerts_tab(desk.app()) as (pilot, _, hand):
        await choose(pilot, hand, " 8 %", "History")
        await shows(pilot, lambda: isinstance(pilot.app.screen, HistorySheet) and pilot.app.focused)
        menu = pilot.app.screen.query_one(OptionList)
        await shows(pilot, lambda: any("✕ failed" in told for told in lines(menu)))
        failed = next(told for told in lines(menu) if "✕ failed" in told)
        assert "404" in failed
        assert "alerts" not in failed

        await pilot.press("r")
        await is_told(pilot, "Only a message that failed can be tried again.")
        while "✕ failed" not in prompt(menu):
            await pilot.press("down")
        await pilot.press("r")
        await shows(pilot, lambda: "queued" in prompt(menu))
        assert desk.hooks.names() == ["alerts"]

        assert await desk.deliver() == [Delivery.SENT]
        await shows(pilot, lambda: "✓ sent" in prompt(menu))
        assert desk.hooks.names() == ["alerts", "alerts"]


async def test_a_failed_message_of_somebody_elses_alert_is_not_for_a_plain_member_to_retry(desk: Desk) -> None:
    desk.hooks.says("alerts", 404, "no_service")
    await desk.deliver()
    async with on_alerts_tab(desk.app("katherine@acme.example")) as (pilot, _, hand):
        await choose(pilot, hand, " 8 %", "History")
        await shows(pilot, lambda: isinstance(pilot.app.screen, HistorySheet) and pilot.app.focused)
        menu = pilot.app.screen.query_one(OptionList)
        await shows(pilot, lambda: any("✕ failed" in told for told in lines(menu)))
        assert not any("127.0.0.1" in told for told in lines(menu))
        while "✕ failed" not in prompt(menu):
            await pilot.press("down")
        await pilot.press("r")
        await is_told(pilot, "Only the alert's creator or a workspace owner can retry its notifications.")
        assert "✕ failed" in prompt(menu)


def lines(menu: OptionList) -> list[str]:
    return [str(menu.get_option_at_index(index).prompt) for index in range(menu.option_count)]


async def test_f_goes_through_the_states_that_alerts_are_in_and_back_to_all(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "a")
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and len(app.focused.rows) == 17)
        table = shell.query_one(RowTable)
        every = [row.state for row in table.rows]
        for state in dict.fromkeys(every):
            await pilot.press("f")
            await shows(pilot, lambda state=state: {row.state for row in table.rows} == {state})
            assert len(table.rows) == every.count(state)
            assert says(app, f"only {state.replace('_', ' ')}: {every.count(state)}")
        await pilot.press("f")
        await shows(pilot, lambda: [row.state for row in table.rows] == every)


@pytest.mark.parametrize(("typed", "fits"), [
    ("slack", lambda row: any(channel.kind is ChannelKind.SLACK for channel in row.channels)),
    ("email", lambda row: any(channel.kind is ChannelKind.EMAIL for channel in row.channels)),
    ("grace", lambda row: row.created_by_name == "Grace Hopper"),
    ("delivery rate", lambda row: row.kind is AlertKind.DELIVERY_RATE),
    ("mixpanel", lambda row: row.connection == "mixpanel"), ("disabled", lambda row: row.state == "disabled"),
])
async def test_a_filter_finds_alerts_by_kind_creator_channel_state_and_name(
    tocsin: Opened, typed: str, fits: Callable[[AlertRow], bool]
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "a")
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and len(app.focused.rows) == 17)
        table = shell.query_one(RowTable)
        wanted = [row.id for row in table.rows if fits(row)]
        await pilot.press("slash", *typed)

        await shows(pilot, lambda: [row.id for row in table.rows] == wanted)
        assert 0 < len(wanted) < 17


# The sheet


async def test_c_in_a_list_makes_an_alert_for_the_selected_row(tocsin: Opened) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE) as pilot:
        shell = await ready(pilot)
        await pilot.press("g", "d")
        await reads(pilot, "› Destinations")
        await shows(pilot, lambda: isinstance(app.focused, RowTable) and app.focused.rows)
        await creating(pilot)
        assert says(app, "Successful delivery rate falls below · Algolia Insights")
        await pilot.press(*"99", "ctrl+s")
        await reads(pilot, "› Algolia Insights")
        assert [row.spec.threshold for row in alerts_of(shell, "algolia-insights")] == [9900]


@pytest.mark.parametrize(("keys", "reason"), [
    (("2",), "Only event-streams sources carry alerts."),
    (("g", "d", "2"), "Only cloud-mode destinations carry alerts."),
    (("2", "enter"), "Only event-streams sources and cloud-mode destinations carry alerts.")])
async def test_c_where_no_alert_can_be_says_why(tocsin: Opened, keys: tuple[str, ...], reason: str) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell = await ready(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        await pilot.press("c")
        await is_told(pilot, reason)
        assert app.screen is shell


@pytest.mark.parametrize(("typed", "saved"), [("20", 2000), ("20 %", 2000), ("20.5", 2050), (" 20.05% ", 2005),
                                              ("0.01", 1), ("1000", 100_000)])
async def test_a_percentage_may_be_written_in_many_ways(tocsin: Opened, typed: str, saved: int) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, _):
        await creating(pilot)
        await pilot.press(*typed, "ctrl+s")
        await shows(pilot, lambda: pilot.app.screen is shell)
        assert sorted(row.spec.threshold for row in alerts_of(shell)) == sorted([2500, 3500, saved])


@pytest.mark.parametrize("slug", ["website", "mixpanel"])
@pytest.mark.parametrize("typed", ["", "many", "0", "-5", "20,5", "20.555", "1e9", "nan", "1001"])
async def test_what_is_no_percentage_says_so_under_its_field_and_nothing_is_saved(
    tocsin: Opened, typed: str, slug: str
) -> None:
    async with on_alerts_tab(tocsin(), slug) as (pilot, shell, _):
        before = alerts_of(shell, slug)
        sheet = await creating(pilot)
        await pilot.press(*typed, "ctrl+s")
        largest = 1000 if slug == "website" else 100
        await shows(pilot, lambda: f"between 0.01 and {largest} %, with at most two decimals" in error_of(
            pilot, "threshold"))

        field = sheet.query_one("#threshold", Input)
        assert pilot.app.focused is field
        assert says(pilot.app, "✕ The percentage must be")
        assert sheet.query_one("#threshold-error").region.y == field.region.bottom
        assert alerts_of(shell, slug) == before


async def test_the_kind_of_a_slack_url_is_told_as_it_is_typed(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, hand):
        sheet = await creating(pilot)
        told = sheet.query_one("#slack-kind", Static)
        await hand.tick("Slack")
        await hand.write("slack", "https://hooks.slack.com/")
        assert str(told.content) == "( ) webhook  ( ) workflow"
        await pilot.press(*"services/T0/B0/x")
        assert str(told.content) == "(•) webhook  ( ) workflow"
        await hand.write("slack", "https://hooks.slack.com/triggers/T0/7/x")
        assert str(told.content) == "( ) webhook  (•) workflow"

        await hand.write("slack", "https://example.com/services/T0/B0/x")
        await pilot.press("tab")
        await shows(pilot, lambda: "is not an allowed Slack host" in error_of(pilot, "slack"))
        assert str(told.content) == "( ) webhook  ( ) workflow"
        assert len(alerts_of(shell)) == 2


async def test_a_test_from_the_sheet_goes_to_what_is_typed_and_saves_nothing(desk: Desk) -> None:
    async with on_alerts_tab(desk.app()) as (pilot, shell, hand):
        before = alerts_of(shell)
        sheet = await creating(pilot)
        await pilot.press(*"20")
        await hand.tick("Email")
        await hand.write("email", "typed@acme.example")
        await hand.tick("Slack")
        await hand.write("slack", desk.hooks.url("typed", "triggers"))
        await hand.push("Send test")
        told = sheet.query_one("#tested", Static)
        await shows(pilot, lambda: "✓ email" in str(told.content) and "✓ slack" in str(told.content))

        assert str(desk.mailbox.mails[0]["To"]) == "typed@acme.example"
        assert desk.hooks.names() == ["typed"]
        assert says(pilot.app, "✓ email")
        assert alerts_of(shell) == before
        assert await desk.deliver() != []
        assert "typed@acme.example" not in [str(mail["To"]) for mail in desk.mailbox.mails[1:]]


async def test_a_test_from_the_sheet_that_is_refused_says_what_was_answered(desk: Desk) -> None:
    desk.hooks.says("typed", 403, "action_prohibited")
    async with on_alerts_tab(desk.app()) as (pilot, _, hand):
        sheet = await creating(pilot)
        await pilot.press(*"20")
        await hand.tick("Slack")
        await hand.write("slack", desk.hooks.url("typed"))
        await hand.push("Send test")
        await shows(pilot, lambda: "✕ slack" in str(sheet.query_one("#tested", Static).content))
        assert "action_prohibited" in str(sheet.query_one("#tested", Static).content)
        assert "typed" not in str(sheet.query_one("#tested", Static).content)


async def test_the_suggested_percentage_is_filled_in(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, _, _hand):
        sheet = await creating(pilot)
        use = sheet.query_one("#use", Button)
        await pilot.press("4")
        await shows(pilot, lambda: use.display and "Would have opened" in foreseen(sheet))
        offered = str(use.label).removeprefix("Use ").removesuffix(" %")
        before = foreseen(sheet)
        assert await pilot.click(use)

        await shows(pilot, lambda: sheet.query_one("#threshold", Input).value == offered)
        assert pilot.app.focused is sheet.query_one("#threshold", Input)
        await shows(pilot, lambda: foreseen(sheet) != before and not use.display)
        assert foreseen(sheet).count("▲") < before.count("▲")


async def test_the_preview_marks_the_days_on_which_it_would_have_rung(tocsin: Opened) -> None:
    async with on_alerts_tab(tocsin()) as (pilot, shell, hand):
        assert shell.engine is not None
        found = await shell.engine.read(
            preview, "website", Condition(AlertKind.SOURCE_VOLUME, 3000), shell.engine.now())
        assert found.opened > 0
        sheet = await creating(pilot)
        await pilot.press(*"30")
        await shows(pilot, lambda: f"Would have opened {found.opened} incident" in foreseen(sheet))
        marks = foreseen(sheet).splitlines()[1]
        assert {place for place, mark in enumerate(marks) if mark == "▲"} == {item.mark for item in found.incidents}

        await hand.write("threshold", "1000")
        await shows(pilot, lambda: "Would have opened no incident" in foreseen(sheet))
        assert "▲" not in foreseen(sheet)
        await hand.write("threshold", "many")
        await shows(pilot, lambda: "Type a percentage" in foreseen(sheet))


def foreseen(sheet: AlertSheet) -> str:
    return str(sheet.query_one(Foreseen).content)
