"""Connections: names become slugs, rows carry their numbers, and nothing asks once per row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.clock import Hour, start_of
from core.connection_rows import destination_rows, overview, source_rows
from core.connections import add_destination, add_source, find, override, remove, set_enabled
from core.errors import InvalidInput, NotFound
from core.names import LONGEST_NAME, check_slug, clean_name, slug_of
from core.store import Store
from core.terms import Category, ConnectionKind, Mode, Stage
from tests.conftest import NOON
from tests.core.acme import AT, Acme, H, found


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What the store is asked inside the block."""
    asked: list[str] = []

    def note(_link: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(store.engine, "before_cursor_execute", note)


@given(st.text(max_size=200), st.sets(st.sampled_from(["checkout-api", "connection", "a", "a-2"])))
def test_any_name_becomes_a_free_and_valid_slug(name: str, taken: set[str]) -> None:
    slug = slug_of(name, taken)

    assert check_slug(slug) == slug
    assert slug not in taken


@pytest.mark.parametrize(("name", "slug"), [
    ("Checkout API", "checkout-api-2"), ("Website", "website"), ("Café – Zürich", "cafe-zurich"),
    ("日本", "connection"),
    ("[bold]x[/bold]", "bold-x-bold"), ("  --  ", "connection"),
])
def test_a_slug_is_lower_case_ascii_words(name: str, slug: str) -> None:
    assert slug_of(name, {"checkout-api"}) == slug


@given(st.text(max_size=LONGEST_NAME + 20))
def test_a_name_that_is_kept_has_no_control_characters_and_stays_as_it_is(text: str) -> None:
    try:
        name = clean_name(text)
    except InvalidInput:
        return
    assert clean_name(name) == name
    assert 0 < len(name) <= LONGEST_NAME
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", name)


@pytest.mark.parametrize("name", ["", "   ", "a\x1b[2Jb", "a\nb", "\x9b31m", "x" * 121, "a\u2028b"])
def test_a_bad_name_is_refused_and_nothing_is_added(acme: Acme, name: str) -> None:
    with acme.store.write() as session, pytest.raises(InvalidInput):
        add_source(session, name, now=NOON)

    assert acme.one("SELECT COUNT(*) FROM connection") == (2,)


@pytest.mark.parametrize("slug", ["", "Upper", "a b", "-a", "a/b", "x" * 64, "ä"])
def test_a_bad_slug_is_refused(acme: Acme, slug: str) -> None:
    with acme.store.write() as session, pytest.raises(InvalidInput, match="A slug is"):
        add_source(session, "Shop", slug=slug, now=NOON)


def test_a_source_gets_a_slug_and_a_write_key_of_its_own(acme: Acme) -> None:
    with acme.store.write() as session:
        first = add_source(session, "Website", now=NOON)
        second = add_source(session, "Website", now=NOON)

    assert (first.slug, second.slug) == ("website-2", "website-3")
    assert first.write_key
    assert second.write_key
    assert first.write_key != second.write_key
    assert len(first.write_key) >= 32


def test_a_taken_slug_is_refused_until_its_connection_is_gone(acme: Acme) -> None:
    with acme.store.write() as session:
        with pytest.raises(InvalidInput, match="called amplitude already"):
            add_source(session, "Shop", slug="amplitude", now=NOON)
        remove(session, "amplitude", ConnectionKind.DESTINATION, NOON)
        assert add_source(session, "Shop", slug="amplitude", now=NOON).slug == "amplitude"


def test_a_destination_needs_a_source_that_is_there(acme: Acme) -> None:
    with acme.store.write() as session:
        with pytest.raises(NotFound, match="no source called nothing"):
            add_destination(session, "Sink", "nothing", now=NOON)
        with pytest.raises(NotFound, match="no source called amplitude"):
            add_destination(session, "Sink", "amplitude", now=NOON)
        made = add_destination(session, "Sink", "website", mode=Mode.DEVICE, now=NOON)
        assert find(session, made.slug).mode is Mode.DEVICE
        assert made.write_key is None


def test_a_source_that_still_feeds_destinations_stays(acme: Acme) -> None:
    with acme.store.write() as session, pytest.raises(InvalidInput, match="still feeds amplitude"):
        remove(session, "website", ConnectionKind.SOURCE, NOON)


def test_removing_takes_the_alerts_along_and_closes_their_incidents(acme: Acme) -> None:
    acme.alert("amplitude", 9900)
    acme.day(H, 90, Stage.DELIVERED)
    acme.day(H, 10, Stage.FAILED)
    acme.judge()

    with acme.store.write() as session:
        remove(session, "amplitude", ConnectionKind.DESTINATION, AT)
        remove(session, "website", ConnectionKind.SOURCE, AT)

    assert acme.one("SELECT close_reason FROM incident") == ("connection_removed",)
    assert acme.one("SELECT COUNT(*) FROM alert WHERE deleted_at IS NULL") == (0,)
    with acme.store.read() as session:
        assert source_rows(session, now=AT) == []


def test_disabling_closes_open_incidents_without_a_message(acme: Acme) -> None:
    acme.alert()
    acme.day(H - 24, 100)
    acme.day(H, 10)
    acme.judge()

    with acme.store.write() as session:
        set_enabled(session, "website", ConnectionKind.SOURCE, False, AT)
        row = source_rows(session, now=AT)[0]

    assert acme.one("SELECT close_reason FROM incident") == ("connection_disabled",)
    assert acme.one("SELECT COUNT(*) FROM notification") == (1,)
    assert (row.enabled, row.alerts, row.firing) == (False, 1, 0)


def test_a_source_row_has_the_two_days_their_change_and_its_alerts(acme: Acme) -> None:
    acme.alert()
    acme.alert(threshold=9000)
    acme.day(H - 24, 100)
    acme.day(H, 29)
    acme.counted({H: 7})
    acme.judge()

    with acme.store.read() as session:
        row = source_rows(session, now=AT + timedelta(minutes=50))[0]

    assert (row.current, row.baseline, row.change) == (29 * 24, 2400, Decimal("-71.00"))
    assert (row.alerts, row.firing) == (2, 1)
    assert row.spark == [100] * 24 + [29] * 24
    assert set(row.as_json()) >= {"slug", "events_24h", "events_day_before", "change_percent", "alerts", "firing"}


def test_a_destination_row_has_the_rate_and_an_hour_without_attempts_has_none(acme: Acme) -> None:
    acme.counted({Hour(H - 2): 99, Hour(H - 1): 0}, Stage.DELIVERED)
    acme.counted({Hour(H - 2): 1}, Stage.FAILED)
    acme.counted({Hour(H - 2): 50}, Stage.FILTERED)

    with acme.store.read() as session:
        row = destination_rows(session, now=AT)[0]

    assert (row.delivered, row.failed, row.filtered, row.rate) == (99, 1, 50, Decimal("99.00"))
    assert (row.source, row.source_name) == ("website", "Website")
    assert row.spark[-2:] == [9900, -1]
    assert row.rate_before is None


def test_rows_are_filtered_by_category_and_mode(acme: Acme) -> None:
    with acme.store.write() as session:
        add_source(session, "Stripe", category=Category.CLOUD_APP, now=NOON)
        add_destination(session, "Pixel", "website", mode=Mode.DEVICE, now=NOON)
        sources = source_rows(session, category=Category.CLOUD_APP, now=AT)
        device = destination_rows(session, mode=Mode.DEVICE, now=AT)

    assert [row.name for row in sources] == ["Stripe"]
    assert [row.name for row in device] == ["Pixel"]


def test_an_overview_has_96_hours_of_each_stage(acme: Acme) -> None:
    acme.counted({Hour(H - 96): 5, Hour(H - 1): 6})
    acme.counted({Hour(H - 1): 4}, Stage.DELIVERED)

    with acme.store.read() as session:
        source = overview(session, "website", AT)
        destination = overview(session, "amplitude", AT)

    assert source.since == H - 96
    assert source.stages[Stage.RECEIVED] == [5] + [0] * 94 + [6]
    assert source.write_key == "wk_website"
    assert destination.destination is not None
    assert (destination.destination.delivered, destination.source_received) == (4, 6)
    with acme.store.read() as session, pytest.raises(NotFound):
        overview(session, "nothing", AT)


def test_what_a_sync_inferred_can_be_overridden(acme: Acme) -> None:
    with acme.store.write() as session:
        override(session, "website", category=Category.REVERSE_ETL)
        override(session, "amplitude", mode=Mode.DEVICE)
        with pytest.raises(InvalidInput):
            override(session, "website", mode=Mode.DEVICE)

    assert acme.all("SELECT category, mode FROM connection WHERE overridden ORDER BY id") == [
        ("reverse_etl", None), (None, "device")]


def test_many_rows_ask_no_more_than_one(acme: Acme) -> None:
    with statements(acme.store) as one, acme.store.read() as session:
        source_rows(session, now=AT)
    with acme.store.write() as session:
        slugs = [add_source(session, f"Shop {number}", now=start_of(H)).slug for number in range(60)]
    with statements(acme.store) as many, acme.store.read() as session:
        rows = source_rows(session, now=AT)

    assert len(rows) == len(slugs) + 1
    assert len(many) == len(one)
