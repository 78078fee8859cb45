"""The service over a fast clock: one pass an hour, whoever else works on the store, and nothing lost at a stop."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import counts
from core.clock import Clock, FastClock, Hour, from_micros, hour_of, start_of
from core.errors import TocsinError
from core.model import Alert, AlertChannel, Connection, Member, SegmentLink
from core.service import LATE_COUNTS, Service, due_hour
from core.settings import load_settings
from core.store import Store, open_store
from core.terms import AlertKind, Category, ChannelKind, ConnectionKind, CoverageKind, Role, Stage

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
FOUR_HOURS_A_SECOND = 4 * 3600.0


class HandClock:
    """A clock that a test sets by hand."""

    def __init__(self, at: datetime, speed: float = 1.0) -> None:
        self.at = at
        self.speed = speed

    def now(self) -> datetime:
        return self.at


def silent_source(store: Store, *, muted_until: datetime | None = None) -> None:
    """A source that sent 100 events an hour until a day before noon and nothing since, and Ada's alert at 20 %."""
    hour = hour_of(NOON)
    with store.write() as session:
        ada = Member(email="ada@example.com", name="Ada Lovelace", role=Role.OWNER, created_at=start_of(hour - 200))
        source = Connection(kind=ConnectionKind.SOURCE, slug="website", name="Website", type="Javascript",
                            category=Category.EVENT_STREAMS, write_key="key", created_at=start_of(hour - 200))
        session.objects.add(ada)
        session.objects.add(source)
        session.objects.flush()
        assert ada.id
        assert source.id
        alert = Alert(connection_id=source.id, kind=AlertKind.SOURCE_VOLUME, threshold=2000, created_by=ada.id,
                      created_at=start_of(hour - 100), muted_until=muted_until)
        session.objects.add(alert)
        session.objects.flush()
        session.objects.add(AlertChannel(alert_id=alert.id, kind=ChannelKind.IN_APP))
        counts.replace(session, {(source.id, Hour(past), Stage.RECEIVED): 100 for past in range(hour - 72, hour - 24)})
        listening = counts.start_listening(session, start_of(hour - 100))
        counts.keep_listening(session, listening, start_of(hour + 1000))


def service(store: Store, clock: Clock, *, collector: str | None = None, scheduler: bool = True) -> Service:
    return Service(store, load_settings(), clock, collector=collector, scheduler=scheduler, tick=0.05)


def ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(sql))]


async def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until `holds()` is true."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.02)


async def test_a_pass_runs_at_start_and_its_incident_rings_the_bell(store: Store) -> None:
    silent_source(store)

    async with service(store, HandClock(NOON)) as running:
        await until(lambda: ask(store, "SELECT id FROM notification WHERE event = 'opened' AND state = 'sent'"))
        await until(lambda: running.state().last_pass)

    last = running.state().last_pass
    assert last is not None
    assert (last.hour, last.error) == (hour_of(NOON), None)
    assert running.state().next_pass_at == start_of(hour_of(NOON) + 1) + LATE_COUNTS


async def test_each_hour_of_the_clock_has_one_pass_five_minutes_later(sqlite_store: Store) -> None:
    silent_source(sqlite_store)

    async with service(sqlite_store, FastClock(NOON, FOUR_HOURS_A_SECOND)):
        await until(lambda: len(ask(sqlite_store, "SELECT hour FROM pass")) >= 4)

    passes = ask(sqlite_store, "SELECT hour, at, judged FROM pass ORDER BY hour")
    assert all(judged == 1 for _, _, judged in passes)
    assert all(isinstance(at, int) and isinstance(hour, int) and from_micros(at) >= start_of(hour) + LATE_COUNTS
               for hour, at, _ in passes)


async def test_two_services_on_one_store_open_one_incident(store: Store, store_address: str) -> None:
    silent_source(store)
    other = open_store(store_address)
    clock = FastClock(NOON, FOUR_HOURS_A_SECOND)

    async with service(store, clock), service(other, clock):
        await until(lambda: len(ask(store, "SELECT hour FROM pass")) >= 3)

    assert len(ask(store, "SELECT id FROM incident")) == 1
    assert len(ask(store, "SELECT id FROM notification WHERE event = 'opened'")) == 1
    other.close()


async def test_after_a_night_switched_off_one_pass_catches_up(sqlite_store: Store) -> None:
    silent_source(sqlite_store)
    async with service(sqlite_store, HandClock(NOON)):
        await until(lambda: ask(sqlite_store, "SELECT hour FROM pass"))

    async with service(sqlite_store, HandClock(NOON + timedelta(hours=10))):
        await until(lambda: len(ask(sqlite_store, "SELECT hour FROM pass")) == 2)

    noon = hour_of(NOON)
    assert ask(sqlite_store, "SELECT hour FROM pass ORDER BY hour") == [(noon,), (noon + 10,)]


async def test_an_hour_that_another_service_judged_is_not_judged_again(sqlite_store: Store) -> None:
    silent_source(sqlite_store)
    clock = HandClock(NOON)
    async with service(sqlite_store, clock) as running:
        await until(lambda: running.state().last_pass)

        with sqlite_store.write() as session:
            later = clock.at + timedelta(hours=1)
            session.connection().execute(sa.text(
                "INSERT INTO pass (hour, at, duration_us, judged, opened) VALUES (:hour, :at, 1, 77, 0)"),
                {"hour": hour_of(later), "at": int(later.timestamp() * 1_000_000)})
        await until(lambda: running.state().last_pass and ask(sqlite_store, "SELECT MAX(hour) FROM pass"))
        clock.at = later
        await until(lambda: (state := running.state()).last_pass and state.last_pass.hour == hour_of(later))
        await running.settled()

    assert ask(sqlite_store, "SELECT judged FROM pass ORDER BY hour DESC LIMIT 1") == [(77,)]


async def test_what_another_process_changed_is_judged_and_seen(sqlite_store: Store) -> None:
    silent_source(sqlite_store, muted_until=NOON + timedelta(days=3))
    async with service(sqlite_store, HandClock(NOON)) as running:
        await until(lambda: ask(sqlite_store, "SELECT id FROM incident"))
        assert ask(sqlite_store, "SELECT id FROM notification") == []

        ending = f"UPDATE alert SET muted_until = {int(NOON.timestamp() * 1_000_000) - 1}"
        script = (f"import sqlite3; link = sqlite3.connect({str(sqlite_store.path)!r}); "
                  f"link.execute({ending!r}); link.commit()")
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], check=True)

        await until(lambda: ask(sqlite_store, "SELECT id FROM notification WHERE event = 'opened'"))
        await running.settled()


async def test_a_mute_that_ends_tells_of_its_open_incident(sqlite_store: Store) -> None:
    silent_source(sqlite_store, muted_until=NOON + timedelta(minutes=20))
    clock = HandClock(NOON)
    async with service(sqlite_store, clock):
        await until(lambda: ask(sqlite_store, "SELECT id FROM incident"))
        before = ask(sqlite_store, "SELECT id FROM notification")

        clock.at += timedelta(minutes=21)
        await until(lambda: ask(sqlite_store, "SELECT id FROM notification WHERE event = 'opened'"))

    assert before == []


async def test_without_a_scheduler_nothing_is_judged(sqlite_store: Store) -> None:
    silent_source(sqlite_store)

    async with service(sqlite_store, HandClock(NOON), scheduler=False) as running:
        await running.settled()

    assert running.state().next_pass_at is None
    assert ask(sqlite_store, "SELECT hour FROM pass") == []


async def test_a_pass_that_fails_is_kept_for_the_settings_screen(sqlite_store: Store) -> None:
    silent_source(sqlite_store)
    with sqlite_store.write() as session:
        session.connection().execute(sa.text("ALTER TABLE coverage RENAME TO elsewhere"))

    async with service(sqlite_store, HandClock(NOON)) as running:
        await until(lambda: running.state().pass_error)

    assert "coverage" in str(running.state().pass_error)


async def test_a_collector_notes_that_it_listens(sqlite_store: Store) -> None:
    async with service(sqlite_store, HandClock(NOON), collector="127.0.0.1:0", scheduler=False) as running:
        address = running.state().collector

    assert address is not None
    assert address.startswith("127.0.0.1:")
    assert len(ask(sqlite_store, "SELECT since FROM listening")) == 1


async def test_a_machine_that_slept_was_not_listening_meanwhile(sqlite_store: Store) -> None:
    clock = HandClock(NOON, speed=60.0)
    async with service(sqlite_store, clock, collector="127.0.0.1:0", scheduler=False):
        clock.at += timedelta(hours=3)
        await until(lambda: len(ask(sqlite_store, "SELECT id FROM listening")) == 2)

    stretches = ask(sqlite_store, "SELECT since, until FROM listening ORDER BY id")
    assert [(from_micros(int(str(since))), from_micros(int(str(end)))) for since, end in stretches] == [
        (NOON, NOON), (clock.at, clock.at)]


async def test_a_port_in_use_stops_serve_but_not_the_dashboard(sqlite_store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        strict, lenient = (service(sqlite_store, HandClock(NOON), collector=where) for _ in range(2))

        with pytest.raises(TocsinError, match="cannot listen"):
            await strict.start(must_listen=True)
        async with lenient:
            await until(lambda: lenient.state().last_pass)

    assert lenient.state().collector is None
    assert lenient.state().collector_error
    await strict.stop()


async def test_a_stop_waits_for_the_work_in_flight(sqlite_store: Store) -> None:
    silent_source(sqlite_store)
    began, finish = asyncio.Event(), asyncio.Event()

    async def slow_sync(now: datetime) -> None:
        began.set()
        await finish.wait()

    running = Service(sqlite_store, load_settings(), HandClock(NOON), collector=None, scheduler=True, sync=slow_sync,
                      tick=0.05)
    await running.start()
    await began.wait()
    stopping = asyncio.create_task(running.stop())
    await asyncio.sleep(0)
    finish.set()
    await stopping

    assert ask(sqlite_store, "SELECT hour FROM pass") == [(hour_of(NOON),)]
    assert running.state().last_sync_at == NOON


async def test_a_slow_sync_delays_no_pass_and_what_it_brings_is_judged(sqlite_store: Store) -> None:
    silent_source(sqlite_store)
    hour, finish = hour_of(NOON), asyncio.Event()
    with sqlite_store.write() as session:
        session.connection().execute(sa.text("UPDATE connection SET origin = 'segment', segment_id = 's1'"))
        counts.cover(session, [(1, Hour(hour - 72), Hour(hour - 1))], CoverageKind.SYNC)

    async def slow_sync(now: datetime) -> None:
        await finish.wait()
        with sqlite_store.write() as session:
            counts.cover(session, [(1, Hour(hour - 1), hour)], CoverageKind.SYNC)

    async with Service(sqlite_store, load_settings(), HandClock(NOON), collector=None, scheduler=True, sync=slow_sync,
                       sync_s=0.0, tick=0.05) as running:
        await until(lambda: ask(sqlite_store, "SELECT hour FROM pass"))
        before = ask(sqlite_store, "SELECT verdict, (SELECT COUNT(*) FROM incident) FROM alert")
        finish.set()
        await until(lambda: ask(sqlite_store, "SELECT id FROM notification WHERE event = 'opened'"))

    assert before == [("unknown", 0)]
    assert ask(sqlite_store, "SELECT verdict, (SELECT COUNT(*) FROM incident) FROM alert") == [("breached", 1)]
    assert ask(sqlite_store, "SELECT hour FROM pass") == [(hour,)]
    assert running.state().last_sync_at == NOON


async def test_a_sync_that_fails_does_not_keep_the_pass_from_running(sqlite_store: Store) -> None:
    async def broken_sync(now: datetime) -> None:
        raise TocsinError("Segment refused the token.")

    async with Service(sqlite_store, load_settings(), HandClock(NOON), collector=None, scheduler=True,
                       sync=broken_sync, tick=0.05) as running:
        await until(lambda: ask(sqlite_store, "SELECT hour FROM pass"))

    assert running.state().sync_error == "Segment refused the token."


async def test_a_connected_segment_workspace_is_synced_before_the_pass(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        session.objects.add(SegmentLink(workspace_id="w1", workspace_name="Acme", region="us", connected_at=NOON))

    async with service(sqlite_store, HandClock(NOON)) as running:
        await until(lambda: ask(sqlite_store, "SELECT hour FROM pass"))

    assert "no Segment token" in str(running.state().sync_error)


def test_a_pass_is_due_five_minutes_after_the_hour() -> None:
    hour = hour_of(NOON)

    assert due_hour(start_of(hour) + timedelta(minutes=4, seconds=59)) == hour - 1
    assert due_hour(start_of(hour) + timedelta(minutes=5)) == hour
