"""The permission table of the product page, section 3, through the commands."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.conftest import Kept
from tests.end_to_end.desk import Desk

WEBHOOK = "https://hooks.slack.com/services/T012345/B678901/topsecretwebhook"
ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"
"""An owner, the member who creates the alert, and another member."""


@pytest.fixture
def office(desk: Desk, kept: Kept) -> Desk:
    """A workspace in which Grace, a member, has created alert 1."""

    def make() -> None:
        desk.done("source", "add", "Website")
        for email, name, role in ((ADA, "Ada", "workspace_owner"), (GRACE, "Grace", "workspace_member"),
                                  (LINUS, "Linus", "workspace_member")):
            desk.done("member", "add", email, "--name", name, "--role", role)
        desk.done("alert", "create", "--source", "website", "--change", "20", "--email", "team@example.com", "--slack",
                  WEBHOOK, "--slack-channel", "#data", "--in-app", member=GRACE)

    kept("office", make)
    return desk


CREATORS_ONLY = {
    "edit": ("alert", "edit", "1", "--change", "30"),
    "enable": ("alert", "enable", "1"),
    "disable": ("alert", "disable", "1"),
    "mute": ("alert", "mute", "1", "--for", "8h"),
    "unmute": ("alert", "unmute", "1"),
    "send a test of": ("alert", "test", "1"),
}


@pytest.mark.parametrize("who", [ADA, LINUS])
@pytest.mark.parametrize("what", CREATORS_ONLY)
def test_only_the_creator_may(office: Desk, who: str, what: str) -> None:
    before = office.done("alert", "list", "--json").items

    said = office(*CREATORS_ONLY[what], member=who)

    assert (said.code, said.err) == (1, f"tocsin: Only Grace can {what.replace('unmute', 'mute')} this alert.\n")
    assert office.done("alert", "list", "--json").items == before


@pytest.mark.parametrize("what", ["edit", "disable", "enable", "mute", "unmute"])
def test_the_creator_may(office: Desk, what: str) -> None:
    office.done(*CREATORS_ONLY[what], member=GRACE)


def test_another_member_may_not_delete_and_is_told_who_may(office: Desk) -> None:
    said = office("alert", "delete", "1", member=LINUS)

    assert (said.code, said.err) == (1, "tocsin: Only Grace or a workspace owner can delete this alert.\n")
    assert len(office.done("alert", "list", "--json").items) == 1


@pytest.mark.parametrize("who", [ADA, GRACE])
def test_the_creator_and_owners_may_delete(office: Desk, who: str) -> None:
    office.done("alert", "delete", "1", member=who)

    assert office.done("alert", "list", "--json").items == []


@pytest.mark.parametrize(("who", "recipients"), [
    (ADA, ["team@example.com", "hooks.slack.com/services/T…/B…/••••", None]),
    (GRACE, ["team@example.com", "hooks.slack.com/services/T…/B…/••••", None]),
    (LINUS, [None, None, None]),
])
def test_everybody_sees_the_alert_but_its_addresses_only_the_creator_and_owners(
    office: Desk, who: str, recipients: list[str | None]
) -> None:
    shown = office.done("alert", "show", "1", "--json", member=who)
    listed = office.done("alert", "list", member=who)

    channels = shown.item["channels"]
    assert isinstance(channels, list)
    assert [channel["recipient"] for channel in channels] == recipients
    assert "Source volume" in listed.out
    assert "topsecret" not in shown.out + listed.out
    assert ("team@example.com" in shown.out) == (recipients[0] is not None)


def test_a_write_key_is_shown_to_owners_only(office: Desk) -> None:
    key = str(office.done("source", "show", "website", "--json", member=ADA).item["write_key"])
    told = office.done("source", "show", "website", member=GRACE).out

    assert len(key) == 32
    assert key in office.done("source", "show", "website", member=ADA).out
    assert re.search(r"Write key +•••• \(only workspace owners see it\)\n", told)
    assert office.done("source", "show", "website", "--json", member=GRACE).item["write_key"] is None
    assert key not in told


@pytest.mark.parametrize("who", [ADA, GRACE, LINUS])
def test_anybody_may_create_one(office: Desk, who: str) -> None:
    made = office.done("alert", "create", "--source", "website", "--change", "5", "--in-app", "--json", member=who)

    assert made.item["created_by"] == who


@pytest.mark.parametrize("words", [
    ("member", "add", "new@example.com"), ("member", "remove", ADA), ("member", "role", GRACE, "workspace_owner")])
def test_only_owners_manage_members(office: Desk, words: tuple[str, ...]) -> None:
    said = office(*words, member=GRACE)

    assert said.code == 1
    assert said.err.startswith("tocsin: Only a workspace owner can ")


def test_a_bell_is_read_by_its_own_member_only(office: Desk) -> None:
    office.done("alert", "create", "--source", "website", "--change", "5", "--in-app", member=GRACE)
    office.done("alert", "test", "2", member=GRACE)

    assert office.done("notification", "list", "--unread", "--json", member=LINUS).items == []
    assert office("notification", "read", "1", member=LINUS).code == 1
    assert office.done("notification", "read", "all", member=LINUS).out == "0 marked read\n"
    assert office.done("notification", "read", "all", member=GRACE).out == "1 marked read\n"
