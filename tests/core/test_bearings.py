"""What stands around every screen, and what the screens remember."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.bearings import bearings, places
from core.preferences import preferences, remember
from core.store import Store
from tests.core.acme import AT, IN_APP, Acme, found


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


def test_what_is_remembered_comes_back_as_it_was_and_only_to_its_member(acme: Acme) -> None:
    with acme.store.write() as session:
        remember(session, acme.ada.id, {"theme": "tocsin-light", "sources": {"sort": "Source", "down": True}})
        remember(session, acme.ada.id, {"theme": "nord"})
        remember(session, acme.grace.id, {"theme": "dracula"})

    with acme.store.read() as session:
        assert preferences(session, acme.ada.id) == {"theme": "nord", "sources": {"sort": "Source", "down": True}}


def test_a_preference_that_cannot_be_read_is_as_if_there_were_none(acme: Acme) -> None:
    with acme.store.write() as session:
        remember(session, acme.ada.id, {"theme": "nord"})
        session.connection().execute(sa.text("UPDATE preference SET value = '{'"))

    with acme.store.read() as session:
        assert preferences(session, acme.ada.id) == {}


def test_the_workspace_is_counted_as_one_member_sees_it(acme: Acme) -> None:
    with acme.store.read() as session:
        assert bearings(session, acme.ada.id, AT).checked_at is None
    acme.day(500_000, 10)
    acme.day(499_976, 100)
    acme.alert("website", 2000, IN_APP)
    acme.alert("amplitude", 9900, IN_APP)
    acme.judge()

    with acme.store.read() as session:
        ada, grace = bearings(session, acme.ada.id, AT), bearings(session, acme.grace.id, AT)
    assert (ada.sources, ada.destinations, ada.alerts, ada.firing, ada.unread) == (1, 1, 2, 1, 1)
    assert grace.unread == 0
    assert ada.checked_at == AT


def test_every_connection_and_alert_is_found_by_its_name(acme: Acme) -> None:
    alert = acme.alert("amplitude", 9950, IN_APP)

    with acme.store.read() as session:
        found_places = places(session)

    assert [(place.title, place.slug, place.alert) for place in found_places] == [
        ("Amplitude", "amplitude", None), ("Website", "website", None),
        ("Amplitude: Successful delivery rate 99.5 %", "amplitude", alert)]
