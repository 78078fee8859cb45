"""Members: the first start's owner, who may add and remove whom, and the owner that always stays."""

from __future__ import annotations

import getpass
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from core.access import Actor
from core.errors import InvalidInput, NotAllowed, NotFound
from core.members import (
    add_member,
    change_role,
    current_member,
    known_member,
    list_members,
    remove_member,
    workspace_name,
)
from core.store import Store
from core.terms import Role
from tests.conftest import NOON
from tests.core.acme import found


@dataclass
class Team:
    """A workspace whose owner is the account, with one member."""

    store: Store
    owner: Actor
    grace: Actor

    def emails(self) -> list[str]:
        with self.store.read() as session:
            return [row.email for row in list_members(session)]


@pytest.fixture
def team(store: Store) -> Team:
    with store.write() as session:
        owner = current_member(session, None, NOON)
        add_member(session, owner, "Grace@Example.com", "Grace Hopper", Role.MEMBER, NOON)
        grace = current_member(session, "grace@example.com", NOON)
    return Team(store, owner, grace)


def test_the_first_start_makes_the_account_the_owner(store: Store) -> None:
    with store.write() as session:
        actor = current_member(session, None, NOON)

    with store.read() as session:
        again = known_member(session, None)
        assert workspace_name(session) == "Workspace"
    assert again == actor
    assert actor.is_owner
    assert actor.email.startswith(f"{getpass.getuser().lower()}@")


def test_two_first_starts_at_once_make_one_owner(store: Store) -> None:
    def start(_: int) -> int:
        with store.write() as session:
            return current_member(session, None, NOON).id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(start, range(8)))

    assert len(ids) == 1


def test_another_member_is_chosen_by_address_whatever_its_case(team: Team) -> None:
    with team.store.read() as session:
        chosen = known_member(session, " GRACE@example.com ")

    assert chosen == team.grace


def test_an_unknown_address_is_refused_with_what_to_do(team: Team) -> None:
    with team.store.write() as session, pytest.raises(NotFound, match="tocsin member add"):
        current_member(session, "nobody@example.com", NOON)


def test_an_unknown_account_is_no_member_of_an_existing_workspace(store: Store) -> None:
    found(store)

    with store.write() as session, pytest.raises(NotFound, match="the account"):
        current_member(session, None, NOON)


def test_an_address_that_nobody_has_makes_no_owner_on_a_first_start(store: Store) -> None:
    with pytest.raises(NotFound), store.write() as session:
        current_member(session, "nobody@example.com", NOON)

    with store.read() as session:
        assert list_members(session) == []


def test_only_owners_add_change_and_remove(team: Team) -> None:
    with team.store.write() as session:
        with pytest.raises(NotAllowed, match="Only a workspace owner can add members"):
            add_member(session, team.grace, "new@example.com", None, Role.MEMBER, NOON)
        with pytest.raises(NotAllowed, match="Only a workspace owner can change roles"):
            change_role(session, team.grace, team.grace.email, Role.OWNER, NOON)
        with pytest.raises(NotAllowed, match="Only a workspace owner can remove members"):
            remove_member(session, team.grace, team.owner.email, NOON)

    assert team.emails() == [team.owner.email, "grace@example.com"]


def test_a_member_is_added_once(team: Team) -> None:
    with team.store.write() as session, pytest.raises(InvalidInput, match="already a member"):
        add_member(session, team.owner, "GRACE@EXAMPLE.COM", None, Role.MEMBER, NOON)


@pytest.mark.parametrize("address", ["", "grace", "a@b\nBcc: c@d", "two@x.org,three@x.org", "esc\x1b[2J@x.org"])
def test_what_is_no_address_is_refused(team: Team, address: str) -> None:
    with team.store.write() as session, pytest.raises(InvalidInput):
        add_member(session, team.owner, address, None, Role.MEMBER, NOON)


def test_a_name_with_an_escape_is_refused(team: Team) -> None:
    with team.store.write() as session, pytest.raises(InvalidInput, match="control characters"):
        add_member(session, team.owner, "new@example.com", "\x1b[31mRed", Role.MEMBER, NOON)


def test_a_removed_member_is_gone_and_can_come_back(team: Team) -> None:
    with team.store.write() as session:
        remove_member(session, team.owner, team.grace.email, NOON)
    gone = team.emails()
    with team.store.write() as session, pytest.raises(NotFound):
        current_member(session, team.grace.email, NOON)
    with team.store.write() as session:
        back = add_member(session, team.owner, team.grace.email, "Grace", Role.OWNER, NOON)

    assert gone == [team.owner.email]
    assert back == team.grace.id
    assert team.grace.email in team.emails()


def test_the_last_owner_stays(team: Team) -> None:
    with team.store.write() as session:
        with pytest.raises(InvalidInput, match="at least one owner"):
            remove_member(session, team.owner, team.owner.email, NOON)
        with pytest.raises(InvalidInput, match="at least one owner"):
            change_role(session, team.owner, team.owner.email, Role.MEMBER, NOON)
        change_role(session, team.owner, team.grace.email, Role.OWNER, NOON)
        change_role(session, team.owner, team.owner.email, Role.MEMBER, NOON)

    with team.store.read() as session:
        roles = {row.email: row.role for row in list_members(session)}
    assert roles == {team.owner.email: Role.MEMBER, team.grace.email: Role.OWNER}


def test_an_unknown_member_cannot_be_removed(team: Team) -> None:
    with team.store.write() as session, pytest.raises(NotFound, match="no member"):
        remove_member(session, team.owner, "nobody@example.com", NOON)
