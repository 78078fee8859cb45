"""The demo's workspace in a real store, and its traffic at a real collector."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.clock import Clock, FastClock, Hour, from_micros, hour_of, start_of
from core.intake import acme
from core.intake.simulator import play, populate
from core.intake.traffic import DEFAULT_START, expected, plan
from core.outbox import silent_senders
from core.service import Service
from core.settings import load_settings
from core.store import Store, open_store
from core.terms import Stage

BEGIN = start_of(DEFAULT_START) + timedelta(minutes=20)
LATE = start_of(DEFAULT_START) + timedelta(minutes=50)
DEMO_SPEED = 180.0
RANG = ("SELECT n.created_at FROM notification n JOIN alert a ON a.id = n.alert_id JOIN connection c "
        "ON c.id = a.connection_id JOIN member m ON m.id = n.member_id "
        f"WHERE c.slug = '{acme.RINGING}' AND m.email = '{acme.OWNER}' AND n.event = 'opened'")


@pytest.fixture(scope="module")
def acme_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The demo's workspace as it is when the demo begins."""
    store = open_store(str(tmp_path_factory.mktemp("acme") / "tocsin.db"))
    populate(store, plan(1), BEGIN)
    yield store
    store.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The demo's workspace after its traffic was played, four times as fast as in the demo, until the bell rang."""
    store = open_store(str(tmp_path_factory.mktemp("played") / "tocsin.db"))
    populate(store, plan(1), LATE)

    async def ring() -> None:
        async with demo(store, FastClock(LATE, 4 * DEMO_SPEED)):
            await until(lambda: ask(store, RANG))

    asyncio.run(ring())
    yield store
    store.close()


def ask(store: Store, sql: str, **keys: object) -> list[tuple[object, ...]]:
    with store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(sql), keys)]


async def until(holds: Callable[[], object], seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def demo(store: Store, clock: Clock) -> AsyncIterator[Service]:
    """The demo without its screen: a service, and traffic at its front door."""
    async with Service(store, load_settings(), clock, collector="127.0.0.1:0", scheduler=True,
                       senders=silent_senders()) as running:
        playing = asyncio.create_task(play(plan(1), clock, f"http://{running.state().collector}"))
        try:
            yield running
        finally:
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing


def test_the_history_is_what_the_plan_expects(acme_store: Store) -> None:
    workspace, hour = plan(1), hour_of(BEGIN)

    stored = ask(acme_store, "SELECT c.slug, h.hour, h.stage, h.count FROM hourly_count h JOIN connection c "
                             "ON c.id = h.connection_id WHERE h.hour >= :since AND h.hour < :until",
                 since=hour - 30, until=hour)

    assert {row[:3]: row[3] for row in stored} == {
        (slug, past, stage.value): count for slug in workspace.connections for past in range(hour - 30, hour)
        for stage, count in expected(workspace, slug, past).items()}


def test_the_hour_that_has_begun_is_there_up_to_now(acme_store: Store) -> None:
    whole = expected(plan(1), "orders-service", DEFAULT_START)[Stage.RECEIVED]

    found = ask(acme_store, "SELECT count FROM hourly_count h JOIN connection c ON c.id = h.connection_id "
                            "WHERE c.slug = 'orders-service' AND hour = :hour", hour=DEFAULT_START)

    assert found == [(whole // 3,)]


def test_some_alerts_fire_now_and_some_rang_and_resolved_before(acme_store: Store) -> None:
    opened = ask(acme_store, "SELECT c.slug FROM incident i JOIN alert a ON a.id = i.alert_id "
                             "JOIN connection c ON c.id = a.connection_id WHERE i.closed_at IS NULL")
    past = ask(acme_store, "SELECT c.slug FROM incident i JOIN alert a ON a.id = i.alert_id "
                           "JOIN connection c ON c.id = a.connection_id WHERE i.close_reason = 'resolved'")

    assert {acme.DOWN, acme.LEAKING, "search-service"} == {str(row[0]) for row in opened}
    assert {acme.BUSIEST, "android-app", "hubspot"} <= {str(row[0]) for row in past}


def test_the_bell_of_the_owner_has_unread_and_read_notifications(acme_store: Store) -> None:
    rows = ask(acme_store, "SELECT read_at IS NULL FROM notification n JOIN member m ON m.id = n.member_id "
                           "WHERE m.email = :owner AND n.channel = 'in_app'", owner=acme.OWNER)

    read = Counter(bool(row[0]) for row in rows)

    assert 1 <= read[True] <= 6
    assert read[False] >= 2


def test_alerts_are_by_several_members_and_some_are_muted_or_disabled(acme_store: Store) -> None:
    rows = ask(acme_store, "SELECT created_by, enabled, muted_until FROM alert")

    assert len({row[0] for row in rows}) == 4
    assert sum(not row[1] for row in rows) == 2
    assert sum(row[2] is not None for row in rows) == 1


def test_nothing_of_the_past_is_left_to_send(acme_store: Store) -> None:
    states = Counter(str(row[0]) for row in ask(acme_store, "SELECT state FROM notification"))

    assert set(states) == {"sent"}


def test_the_same_seed_makes_the_same_store(acme_store: Store, tmp_path: Path) -> None:
    other = open_store(str(tmp_path / "other.db"))
    populate(other, plan(1), BEGIN)

    told = "alert_id, incident_id, event, occasion, channel, recipient, body, state, created_at, sent_at, read_at"
    for table, columns in {"connection": "*", "alert": "*", "incident": "*", "notification": told}.items():
        sql = f"SELECT {columns} FROM {table} ORDER BY id"
        assert ask(other, sql) == ask(acme_store, sql)
    other.close()


def test_what_is_played_is_counted_and_no_more_than_expected(played: Store) -> None:
    workspace, hours = plan(1), (DEFAULT_START, Hour(DEFAULT_START + 1))

    counted = dict(ask(played, "SELECT c.slug, SUM(h.count) FROM hourly_count h JOIN connection c "
                               "ON c.id = h.connection_id WHERE c.kind = 'source' AND hour IN (:one, :two) "
                               "GROUP BY c.slug", one=hours[0], two=hours[1]))

    for slug in ("website", "orders-service", "android-app"):
        wanted = sum(expected(workspace, slug, hour)[Stage.RECEIVED] for hour in hours)
        before = expected(workspace, slug, DEFAULT_START)[Stage.RECEIVED] * LATE.minute // 60
        # How many of them a busy machine gets to send in the time is not the point.
        assert before < int(str(counted[slug])) <= wanted
    assert counted.get(acme.RINGING, 0) == 0


def test_the_outage_rings_the_owners_bell_within_a_minute(played: Store) -> None:
    rang = from_micros(int(str(ask(played, f"SELECT MIN(created_at) FROM ({RANG})")[0][0])))

    # A demo starts with its hour, and a minute of it is three of its clock's hours.
    assert rang < start_of(DEFAULT_START) + timedelta(seconds=60 * DEMO_SPEED)
