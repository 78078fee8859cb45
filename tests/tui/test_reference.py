"""The reference page, step by step in its own words: by the keyboard alone, and by the mouse alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import NamedTuple

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from core.access import Action
from core.alert_rows import AlertRow
from core.alert_spec import ChannelSpec
from core.alerts import delete_alert, edit_alert, list_alerts
from core.clock import FastClock, Hour
from core.errors import NotAllowed
from core.settings import load_settings
from core.store import Store
from core.terms import AlertKind, ChannelKind, Stage
from tests.core.acme import AT, H, found
from tests.tui.conftest import Opened, ready, settled, shows
from tests.tui.hands import Hand, Keyboard, Mouse, says
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.shell import Shell
from tui.sheets.alert_sheet import AlertSheet
from tui.sheets.confirm import Confirm
from tui.sheets.notification_panel import NotificationPanel
from tui.widgets.action_menu import ActionMenu
from tui.widgets.bell import Bell
from tui.widgets.row_table import RowTable

WIDE, SMALL = (120, 40), (80, 24)
EMAIL = ChannelSpec(ChannelKind.EMAIL, "data@acme.example")
WEBHOOK = ChannelSpec(ChannelKind.SLACK, "https://hooks.slack.com/services/T0ACME/B0DEMO/volume", "#data-alerts")
WORKFLOW = ChannelSpec(ChannelKind.SLACK, "https://hooks.slack.com/triggers/T0ACME/7/volume")
IN_APP = ChannelSpec(ChannelKind.IN_APP)
Maker = type[Keyboard] | type[Mouse]
with_each_hand = pytest.mark.parametrize("hand_of", [Keyboard, Mouse])


class Subject(NamedTuple):
    """A connection with its place and tab, how its alerts are titled, and one of Ada's on it."""

    place: str
    tab: str
    name: str
    slug: str
    asks: str
    titled: str
    ours: str


SOURCE = Subject("Sources", "Event streams", "Website", "website", "Change in source volume (%)", "Source volume",
                 "35 %")
DESTINATION = Subject("Destinations", "Cloud-mode", "Mixpanel", "mixpanel", "Successful delivery rate (%)",
                      "Successful delivery rate", "97 %")
on_each_kind = pytest.mark.parametrize("subject", [SOURCE, DESTINATION], ids=["volume", "rate"])


def alerts_of(shell: Shell, slug: str) -> list[AlertRow]:
    assert shell.engine is not None
    with shell.engine.store.read() as session:
        return list_alerts(session, shell.engine.actor, slug=slug, now=shell.engine.now())


def thresholds(shell: Shell, slug: str) -> list[int]:
    return sorted(row.spec.threshold for row in alerts_of(shell, slug))


async def reads(pilot: Pilot[None], text: str) -> None:
    """Wait until `text` can be read on the screen."""
    await shows(pilot, lambda: says(pilot.app, text))


async def to_alerts_tab(pilot: Pilot[None], hand: Hand, subject: Subject) -> None:
    await hand.go(subject.place)
    await reads(pilot, f"› {subject.place}")
    await settled(pilot)  # it may have been there already, and be made anew
    await hand.tab(subject.tab)
    await hand.open(subject.name)
    await reads(pilot, f"› {subject.name}")
    await hand.tab("Alerts")
    await reads(pilot, "+ Create alert")


async def create(pilot: Pilot[None], hand: Hand, subject: Subject, percentage: str,
                 channels: tuple[ChannelSpec, ...]) -> None:
    await hand.push("Create alert")
    await shows(pilot, lambda: isinstance(pilot.app.screen, AlertSheet) and pilot.app.screen.focused)
    assert says(pilot.app, subject.asks)
    await hand.write("threshold", percentage)
    await reads(pilot, "Would have opened")
    for channel in channels:
        if channel.kind is ChannelKind.EMAIL:
            await hand.tick("Email")
            await hand.write("email", channel.target or "")
        elif channel.kind is ChannelKind.SLACK:
            await hand.tick("Slack")
            await hand.write("slack", channel.target or "")
            if channel.label:
                await hand.write("slack-label", channel.label)
    await hand.tick("In-app", IN_APP in channels)
    await hand.push("Save")


async def to_menu(pilot: Pilot[None], hand: Hand, threshold: str) -> OptionList:
    await hand.actions(threshold)
    await shows(pilot, lambda: isinstance(pilot.app.screen, ActionMenu) and pilot.app.focused)
    return pilot.app.screen.query_one(OptionList)


def value(app: App[None], field: str) -> str:
    return app.screen.query_one(f"#{field}", Input).value


@with_each_hand
@pytest.mark.parametrize(("channels", "size"), [
    ((EMAIL,), WIDE), ((WEBHOOK,), WIDE), ((WORKFLOW,), WIDE), ((IN_APP,), WIDE), ((EMAIL, WEBHOOK, IN_APP), SMALL),
], ids=["email", "slack-webhook", "slack-workflow", "in-app", "all-in-80x24"])
async def test_create_a_source_volume_alert(
    tocsin: Opened, hand_of: Maker, channels: tuple[ChannelSpec, ...], size: tuple[int, int]
) -> None:
    app = tocsin()
    async with app.run_test(size=size, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)

        # 1. In your workspace, navigate to Connections, select Sources, and select the Event streams tab.
        # 2. Select the event streams source; select the Alerts tab and click Create alert.
        await to_alerts_tab(pilot, hand, SOURCE)
        before = {row.id for row in alerts_of(shell, "website")}
        # 3. On the Create alert sidesheet, enter a percentage of source volume change.
        # 4. Select one or more of the following alert channels. 5. Click Save.
        await create(pilot, hand, SOURCE, "12.5", channels)
        await shows(pilot, lambda: app.screen is shell)

        made = next(row for row in alerts_of(shell, "website") if row.id not in before)
        assert (made.kind, made.spec.threshold, made.created_by) == (
            AlertKind.SOURCE_VOLUME, 1250, "ada@acme.example")
        assert (made.spec.channels, made.spec.enabled) == (channels, True)
        await reads(pilot, "The alert is saved.")
        await shows(pilot, lambda: shell.query_one(RowTable).selected == made)
        assert says(app, "12.5 %", shell.query_one(RowTable))


@with_each_hand
async def test_create_a_successful_delivery_rate_alert(tocsin: Opened, hand_of: Maker) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)

        # 1. Navigate to the cloud-mode destinations. 2. Select the Alerts tab and click Create alert.
        await to_alerts_tab(pilot, hand, DESTINATION)
        # 3. Enter a percentage. 4. Select one of the following alert channels. 5. Click Save.
        await create(pilot, hand, DESTINATION, "99", (EMAIL, WORKFLOW, IN_APP))
        await shows(pilot, lambda: app.screen is shell)

        made = next(row for row in alerts_of(shell, "mixpanel") if row.spec.threshold == 9900)
        assert made.kind is AlertKind.DELIVERY_RATE
        assert made.spec.channels == (EMAIL, WORKFLOW, IN_APP)
        await shows(pilot, lambda: shell.query_one(RowTable).selected == made)
        assert says(app, "99 %", shell.query_one(RowTable))


@with_each_hand
@on_each_kind
async def test_edit_through_the_icon_in_the_actions_column(
    tocsin: Opened, hand_of: Maker, subject: Subject
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, subject)
        before = next(row for row in alerts_of(shell, subject.slug) if row.created_by == "ada@acme.example")

        # Select the icon in the Actions column for the alert and click Edit.
        await to_menu(pilot, hand, subject.ours)
        await hand.choose("Edit")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        assert says(app, "Edit alert")
        assert (f"{value(app, 'threshold')} %", value(app, "email")) == (subject.ours, "ada@acme.example")
        await hand.write("threshold", "50")
        await hand.push("Save")
        await shows(pilot, lambda: app.screen is shell)

        after = next(row for row in alerts_of(shell, subject.slug) if row.id == before.id)
        assert after.spec == replace(before.spec, threshold=5000)
        await shows(pilot, lambda: says(app, "50 %", shell.query_one(RowTable)))


@with_each_hand
@on_each_kind
async def test_delete_through_the_icon_in_the_actions_column(
    tocsin: Opened, hand_of: Maker, subject: Subject
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, subject)
        before = thresholds(shell, subject.slug)

        # Select the icon in the Actions column for the alert and click Delete; it asks once, naming the alert.
        for button, left in (("Cancel", before), ("Delete", [each for each in before if f"{each // 100} %" !=
                                                              subject.ours])):
            await to_menu(pilot, hand, subject.ours)
            await hand.choose("Delete")
            await shows(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
            assert says(app, f"Delete “{subject.titled} {subject.ours} · {subject.name}”?")
            assert thresholds(shell, subject.slug) == before
            await hand.push(button)
            await shows(pilot, lambda: app.screen is shell)
            await shows(pilot, lambda left=left: thresholds(shell, subject.slug) == left)
        await shows(pilot, lambda: not says(app, subject.ours, shell.query_one(RowTable)))


@with_each_hand
async def test_a_member_can_only_edit_or_delete_the_alerts_they_created(tocsin: Opened, hand_of: Maker) -> None:
    app = tocsin("grace@acme.example")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, SOURCE)

        # "View all active alerts for this connection. You can only edit or delete the alerts that you create."
        assert [row.spec.threshold for row in shell.query_one(RowTable).rows] == [
            row.spec.threshold for row in alerts_of(shell, "website")]
        menu = await to_menu(pilot, hand, "35 %")
        assert menu.get_option("edit").disabled
        assert menu.get_option("delete").disabled
        assert says(app, "Edit only Ada Lovelace can edit this alert")
        assert says(app, "Delete only Ada Lovelace or a workspace owner can delete this alert")
        await pilot.press("escape") if hand_of is Keyboard else await pilot.click(offset=(2, 39))
        await shows(pilot, lambda: app.screen is shell)

        # "All users can delete source volume alerts that they created."
        menu = await to_menu(pilot, hand, "25 %")
        assert not menu.get_option("edit").disabled
        await hand.choose("Delete")
        await shows(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
        await hand.push("Delete")
        await shows(pilot, lambda: thresholds(shell, "website") == [3500])


@with_each_hand
@pytest.mark.parametrize(("name", "slug", "tab", "place", "theirs"), [
    ("Website", "website", "Event streams", "Sources", "25 %"),
    ("HubSpot", "hubspot", "Cloud-mode", "Destinations", "95 %")], ids=["volume", "rate"])
async def test_a_workspace_owner_can_delete_an_alert_created_by_another_user_but_not_edit_it(
    tocsin: Opened, hand_of: Maker, name: str, slug: str, tab: str, place: str, theirs: str
) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, Subject(place, tab, name, slug, "", "", ""))
        menu = await to_menu(pilot, hand, theirs)

        assert menu.get_option("edit").disabled
        await hand.choose("Delete")
        await shows(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
        await hand.push("Delete")
        await shows(pilot, lambda: f"{theirs.removesuffix(' %')}00" not in map(str, thresholds(shell, slug)))


async def test_core_refuses_what_the_menu_dims(tocsin: Opened) -> None:
    app = tocsin("grace@acme.example")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell = await ready(pilot)
        engine = shell.engine
        assert engine is not None
        adas = next(row for row in alerts_of(shell, "website") if row.created_by == "ada@acme.example")

        with pytest.raises(NotAllowed, match=r"^Only Ada Lovelace can edit this alert\.$"):
            await engine.write(edit_alert, engine.actor, adas.id, replace(adas.spec, channels=(IN_APP,)),
                               engine.now(), [])
        with pytest.raises(NotAllowed, match=r"^Only Ada Lovelace or a workspace owner can delete this alert\.$"):
            await engine.write(delete_alert, engine.actor, adas.id, engine.now())
        assert all(adas.refused[action] for action in Action)
        assert thresholds(shell, "website") == [2500, 3500]


@with_each_hand
async def test_the_bell_shows_the_notifications_and_one_leads_to_its_alert(tocsin: Opened, hand_of: Maker) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        unread = shell.query_one(Bell).unread

        # "To view your notifications, select the bell next to your user icon in the app."
        await hand.ring()
        await shows(pilot, lambda: isinstance(app.screen, NotificationPanel)
                    and app.screen.query_one(OptionList).option_count)
        assert says(app, f"{unread} unread")
        await hand.follow("Checkout API")
        await shows(pilot, lambda: app.screen is shell)
        await reads(pilot, "› Checkout API")

        await shows(pilot, lambda: shell.query_one(RowTable).selected)
        assert shell.query_one(RowTable).selected.spec.threshold == 2000
        await shows(pilot, lambda: shell.query_one(Bell).unread == unread - 1)


@with_each_hand
async def test_at_least_one_channel_must_be_selected(tocsin: Opened, hand_of: Maker) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, SOURCE)
        await create(pilot, hand, SOURCE, "12.5", ())

        await reads(pilot, "Choose at least one channel: email, Slack or in-app.")
        assert 1250 not in thresholds(shell, "website")


@with_each_hand
async def test_email_is_offered_at_the_address_of_your_account(tocsin: Opened, hand_of: Maker) -> None:
    app = tocsin()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        shell, hand = await ready(pilot), hand_of(pilot)
        await to_alerts_tab(pilot, hand, DESTINATION)
        await hand.push("Create alert")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await hand.write("threshold", "99")
        await reads(pilot, "Would have opened")
        await hand.tick("Email")
        await reads(pilot, "ada@acme.example")
        await hand.push("Save")
        await shows(pilot, lambda: app.screen is shell)

        made = next(row for row in alerts_of(shell, "mixpanel") if row.spec.threshold == 9900)
        assert ChannelSpec(ChannelKind.EMAIL, "ada@acme.example") in made.spec.channels


@pytest.mark.parametrize(("slug", "percentage", "counts", "notified"), [
    ("website", "4", (100, 95), True), ("website", "4", (100, 96), False),
    ("website", "4", (100, 104), False), ("website", "4", (100, 105), True),
    ("amplitude", "99", (98, 2), True), ("amplitude", "99", (99, 1), False)])
async def test_you_are_notified_the_following_day_as_the_page_says(
    sqlite_store: Store, slug: str, percentage: str, counts: tuple[int, int], notified: bool
) -> None:
    acme, path = found(sqlite_store), str(sqlite_store.path)
    if slug == "website":
        acme.counted(only(counts[0], H - 24) | only(counts[1], H))
    else:
        acme.counted(only(counts[0], H), Stage.DELIVERED)
        acme.counted(only(counts[1], H), Stage.FAILED)

    async def opened() -> Engine:
        return await asyncio.to_thread(
            open_engine, load_settings(store=path, member="ada@example.com"), FastClock(AT, 0))

    app = TocsinApp(opened)
    async with app.run_test(size=WIDE) as pilot:
        shell, hand = await ready(pilot), Keyboard(pilot)
        await hand.go("Sources" if slug == "website" else "Destinations")
        await hand.open("Website" if slug == "website" else "Amplitude")
        await reads(pilot, "Settings")
        await pilot.press("c")
        await shows(pilot, lambda: isinstance(app.screen, AlertSheet) and app.screen.focused)
        await hand.write("threshold", percentage)
        # "If you set a change percentage of 4% and your source received 100 events over the first 24 hours, Segment
        # would notify you the following day if your source ingested fewer than 96 or more than 104 events."
        # "If you set a percentage of 99%, Segment notifies you if your destination had a rate of 98% or below."
        await reads(pilot, "▲ would fire" if notified else "● would be quiet")
        await hand.push("Save")
        await reads(pilot, f"{percentage} %  · new")

        await asyncio.to_thread(acme.judge)
        await reads(pilot, "▲ firing" if notified else "● ok")
        await shows(pilot, lambda: shell.query_one(Bell).unread == int(notified))
        await pilot.press("b")
        await reads(pilot, "you asked" if notified else "Nothing has rung.")


def only(count: int, ends: int) -> dict[Hour, int]:
    """A day of 24 hours before hour `ends`, all of whose events came in its first one."""
    return {Hour(hour): count if hour == ends - 24 else 0 for hour in range(ends - 24, ends)}
