"""After a sync the store holds what the workspace holds, whatever was renamed, removed or brought back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from core.clock import Clock, FastClock, hour_of, iso
from core.intake.segment import link
from core.intake.segment.catalogue import GONE
from core.intake.segment.sync import SyncReport, sync
from core.intake.segment.wire import Workspace
from core.model import Alert, Connection, Incident, Member
from core.store import Store
from core.terms import AlertKind, CloseReason, Mode, Role
from tests.conftest import NOON
from tests.segment.reading import connections_in, counts_in, counts_of, members_in
from tests.segment.workspace import Segment, destination, group, source, user

H = hour_of(NOON)
CLOCK = FastClock(NOON, 0)


def later(hours: float) -> FastClock:
    return FastClock(NOON + timedelta(hours=hours), 0)


async def run(store: Store, segment: Segment, clock: Clock = CLOCK, **options: Any) -> SyncReport:
    async with segment.client(**options) as client:
        return await sync(store, client, clock)


def acme(**other: Any) -> dict[str, Any]:
    """A website with one cloud and one device destination, two weeks of counts and three people."""
    hours = range(H - 15 * 24, H + 1)
    return {
        "sources": [source("s1", "Website"), source("s2", "Store")],
        "destinations": [destination("d1", "s1", "Amplitude prod"),
                         destination("d2", "s1", "Pixel", metadata={"components": [{"type": "BROWSER"}]})],
        "volume": {"s1": {str(hour): 100 + hour % 7 for hour in hours}},
        "delivery": {
            "successful-delivery d1": {str(hour): 90 + hour % 5 for hour in hours},
            "failed-delivery d1": {str(hour): hour % 3 for hour in hours},
            "filtered-at-destination d1": {str(H - 2): 4},
            "filtered-at-source s1": {str(H - 2): 5, str(H - 9): 1},
        },
        "users": [user("u1", "papa@acme.dev", owner=True), user("u2", "mama@acme.dev"), user("u3", "kid@acme.dev")],
        "groups": [group("g1", owner=True), group("g2")],
        "memberships": {"u2": ["g1", "g2"], "u3": ["g2"]},
        **other,
    }


def add_alert(store: Store, segment_id: str, *, open_incident: bool = False) -> int:
    with store.write() as session:
        member = session.objects.exec(select(Member)).first()
        found = session.objects.exec(select(Connection).where(Connection.segment_id == segment_id)).one()
        assert member is not None
        assert member.id is not None
        assert found.id is not None
        alert = Alert(connection_id=found.id, kind=AlertKind.SOURCE_VOLUME, threshold=2000, created_by=member.id,
                      created_at=NOON)
        session.objects.add(alert)
        session.objects.flush()
        assert alert.id is not None
        if open_incident:
            session.objects.add(Incident(alert_id=alert.id, opened_at=NOON, opened_hour=H, threshold=2000, current=1,
                                 worst_current=1))
        return alert.id


def alert_in(store: Store, alert_id: int) -> tuple[bool, str | None]:
    """Whether an alert is enabled, and why the store itself disabled it."""
    with store.read() as session:
        return session.objects.exec(select(Alert.enabled, Alert.disabled_reason).where(Alert.id == alert_id)).one()


async def test_a_first_sync_brings_connections_people_and_fourteen_days(store: Store, segment: Segment) -> None:
    segment.hold(**acme())

    report = await run(store, segment)

    assert (report.error, report.stale, segment.refused) == (None, [], [])
    rows = connections_in(store)
    assert {row.name: (row.slug, row.category, row.mode) for row in rows.values()} == {
        "Website": ("s1-slug", "event_streams", None), "Store": ("s2-slug", "event_streams", None),
        "Amplitude prod": ("amplitude-prod", None, "cloud"), "Pixel": ("pixel", None, "device")}
    assert counts_in(store) == counts_of(segment.held)
    assert members_in(store) == {"u1": ("papa@acme.dev", "workspace_owner"), "u2": ("mama@acme.dev", "workspace_owner"),
                                 "u3": ("kid@acme.dev", "workspace_member")}


async def test_no_write_key_and_no_setting_of_segment_is_kept(sqlite_store: Store, segment: Segment) -> None:
    segment.hold(**acme())

    await run(sqlite_store, segment)

    with sqlite_store.read() as session:
        assert session.objects.exec(select(Connection.write_key)).all() == [None] * 4


async def test_a_second_sync_an_hour_later_reads_five_hours_again(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    moved = {**segment.held["volume"]["s1"], str(H - 4): 1, str(H - 6): 1, str(H): 50}
    del moved[str(H - 3)]
    segment.change(volume={"s1": moved}, now=iso(NOON + timedelta(hours=1)))

    await run(store, segment, later(1))

    volume = [one for one in segment.asked if one.startswith("/events/volume")]
    assert len(volume) == 1
    assert "startTime=2026-11-23T08:00:00Z" in volume[0]
    assert "endTime=2026-11-23T13:00:00Z" in volume[0]
    found = {hour: count for (id_, _, hour), count in counts_in(store).items() if id_ == "s1"}
    assert (found[H - 4], found.get(H - 3), found[H]) == (1, None, 50)
    assert found[H - 6] == 100 + (H - 6) % 7


async def test_an_hour_that_is_not_over_is_never_read(store: Store, segment: Segment) -> None:
    segment.hold(**acme())

    await run(store, segment)

    assert max(hour for _, _, hour in counts_in(store)) == H - 1


async def test_two_days_without_the_machine_are_filled(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    volume = {**segment.held["volume"]["s1"], **{str(hour): 7 for hour in range(H, H + 50)}}
    segment.change(volume={"s1": volume}, now=iso(NOON + timedelta(hours=50)))

    await run(store, segment, later(50))

    assert segment.refused == []
    assert sum(count for (id_, _, hour), count in counts_in(store).items() if id_ == "s1" and hour >= H) == 50 * 7
    with store.read() as session:
        spans = session.connection().execute(sa.text("SELECT from_hour, until_hour FROM coverage")).all()
    assert {tuple(span) for span in spans} == {(H - 14 * 24, H + 50)}


async def test_a_month_and_a_half_away_stays_within_the_apis_windows(sqlite_store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(sqlite_store, segment)
    segment.change(now=iso(NOON + timedelta(days=45)))

    report = await run(sqlite_store, segment, later(45 * 24))

    assert (report.error, segment.refused) == (None, [])


async def test_a_renamed_connection_keeps_its_slug_and_alerts(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    alert = add_alert(store, "s1")
    segment.change(sources=[source("s1", "Shop\x1b[2J", slug="shop"), source("s2", "Store")])

    report = await run(store, segment)

    row = connections_in(store)["s1"]
    assert (row.name, row.slug) == ("Shop [2J", "s1-slug")
    assert (report.changes.added, report.changes.removed) == ([], [])
    assert alert_in(store, alert) == (True, None)


async def test_what_disappeared_is_removed_with_its_alerts_and_comes_back(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    watched, by_hand = add_alert(store, "s1", open_incident=True), add_alert(store, "s1")
    with store.write() as session:
        session.connection().execute(sa.text("UPDATE alert SET enabled = :off WHERE id = :id"),
                                     {"off": False, "id": by_hand})
    everything = segment.held
    segment.change(sources=[source("s2", "Store")], destinations=[])

    report = await run(store, segment)

    assert set(report.changes.removed) == {"s1-slug", "amplitude-prod", "pixel"}
    assert alert_in(store, watched) == (False, GONE)
    with store.read() as session:
        assert session.objects.exec(select(Incident.close_reason)).all() == [CloseReason.CONNECTION_REMOVED]

    segment.hold(**everything)
    report = await run(store, segment)

    assert set(report.changes.returned) == {"s1-slug", "amplitude-prod", "pixel"}
    assert alert_in(store, watched) == (True, None)
    assert alert_in(store, by_hand) == (False, None)
    assert counts_in(store) == counts_of(segment.held)


async def test_a_slug_given_away_meanwhile_is_not_taken_back(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    everything = segment.held
    segment.change(sources=[source("s2")], destinations=[])
    await run(store, segment)
    segment.change(sources=[source("s2"), source("s3", slug="s1_slug")])
    await run(store, segment)

    segment.hold(**{**everything, "sources": [*everything["sources"], source("s3", slug="s1_slug")]})
    await run(store, segment)

    slugs = {id_: row.slug for id_, row in connections_in(store).items()}
    assert (slugs["s1"], slugs["s3"]) == ("s1-slug-2", "s1-slug")


async def test_a_mode_set_by_a_person_stays_and_is_read(store: Store, segment: Segment) -> None:
    segment.hold(**acme(delivery={"successful-delivery d2": {str(H - 1): 3}}))
    await run(store, segment)
    with store.write() as session:
        found = session.objects.exec(select(Connection).where(Connection.segment_id == "d2")).one()
        found.mode, found.overridden = Mode.CLOUD, True

    await run(store, segment)

    assert connections_in(store)["d2"].mode == "cloud"
    assert counts_in(store)["d2", "delivered", H - 1] == 3


async def test_deliveries_betray_device_mode_until_segment_delivers_again(store: Store, segment: Segment) -> None:
    modes = []
    for at, delivery in enumerate((
        {"filtered-at-destination d1": {str(H - 2): 4}}, {}, {"successful-delivery d1": {str(H + 1): 7}},
    )):
        segment.hold(**acme(delivery=delivery, reasons={"d1": "MESSAGE_SENT_CLIENT_SIDE"}, now=iso(later(at).now())))
        await run(store, segment, later(at))
        modes.append(connections_in(store)["d1"].mode)

    assert modes == ["device", "device", "cloud"]
    assert segment.refused == []
    assert counts_in(store)["d1", "delivered", H + 1] == 7


async def test_a_mode_set_by_a_person_is_not_betrayed(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    with store.write() as session:
        session.objects.exec(select(Connection).where(Connection.segment_id == "d1")).one().overridden = True
    segment.change(delivery={"filtered-at-destination d1": {str(H - 2): 4}}, reasons={"d1": "MESSAGE_SENT_CLIENT_SIDE"})

    await run(store, segment)

    assert connections_in(store)["d1"].mode == "cloud"


async def test_people_who_left_are_removed_and_local_ones_stay(store: Store, segment: Segment) -> None:
    with store.write() as session:
        session.objects.add(Member(email="me@host", name="Me", role=Role.OWNER, account="me", created_at=NOON))
        session.objects.add(Member(email="papa@acme.dev", name="P", role=Role.MEMBER, created_at=NOON))
    segment.hold(**acme())
    await run(store, segment)
    segment.change(users=[user("u1", "Papa@acme.dev", owner=True), user("u2", "kid@acme.dev")], groups=[])

    await run(store, segment)

    assert members_in(store) == {"u1": ("papa@acme.dev", "workspace_owner"), "u2": ("kid@acme.dev", "workspace_member")}
    with store.read() as session:
        emails = session.objects.exec(select(Member.email).where(sa.text("removed_at IS NULL"))).all()
    assert sorted(emails) == ["kid@acme.dev", "me@host", "papa@acme.dev"]


async def test_people_may_trade_their_addresses(store: Store, segment: Segment) -> None:
    segment.hold(users=[user("u1", "a@acme.dev"), user("u2", "b@acme.dev")])
    await run(store, segment)
    segment.hold(users=[user("u1", "b@acme.dev"), user("u2", "a@acme.dev")])

    await run(store, segment)

    assert {id_: email for id_, (email, _) in members_in(store).items()} == {"u1": "b@acme.dev", "u2": "a@acme.dev"}


async def test_a_destination_that_cannot_be_read_is_stale_alone(store: Store, segment: Segment) -> None:
    segment.hold(**acme(destinations=[destination("d1", "s1"), destination("d3", "s2")]))
    await run(store, segment)
    segment.change(faults={"/delivery-overview/failed-delivery": "422"}, now=iso(NOON + timedelta(hours=1)))

    report = await run(store, segment, later(1))

    assert report.error is not None
    assert "422" in report.error
    assert report.finished
    assert set(report.stale) == {"destination-d1", "destination-d3"}
    rows = connections_in(store)
    assert rows["s1"].stale_since is None
    assert rows["d1"].stale_since == (H * 3_600_000_000)

    segment.change(faults={})
    report = await run(store, segment, later(1))

    assert report.error is None
    assert connections_in(store)["d1"].stale_since is None


async def test_filtered_events_segment_will_not_tell_cost_no_delivery_rate(store: Store, segment: Segment) -> None:
    segment.hold(**acme(faults={"/delivery-overview/filtered-at-source": "422"}))

    report = await run(store, segment)

    assert (report.error, report.stale) == (None, [])
    wanted = {key: count for key, count in counts_of(segment.held).items() if key[1] != "filtered"}
    assert counts_in(store) == wanted


async def test_when_segment_is_away_every_row_says_so_and_nothing_is_removed(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    await run(store, segment)
    before = counts_in(store)
    segment.change(faults={"/": "503"}, now=iso(NOON + timedelta(hours=1)))

    report = await run(store, segment, later(1))

    assert not report.finished
    assert report.error is not None
    assert "503" in report.error
    assert set(report.stale) == {"s1-slug", "s2-slug", "amplitude-prod"}
    assert counts_in(store) == before
    assert len(connections_in(store)) == 4


async def test_a_token_of_another_workspace_changes_nothing(store: Store, segment: Segment) -> None:
    segment.hold(**acme())
    with store.write() as session:
        link.save(session, Workspace("ws0", "Before"), "us", NOON)

    report = await run(store, segment)

    assert report.error is not None
    assert "another workspace than Before" in report.error
    assert connections_in(store) == {}
    with store.read() as session:
        found = link.find(session)
    assert found is not None
    assert found.last_error == report.error
    assert found.last_sync_at is None


async def test_a_token_without_access_to_people_still_brings_the_counts(store: Store, segment: Segment) -> None:
    segment.hold(**acme(faults={"/users": "401"}))

    report = await run(store, segment)

    assert report.error is not None
    assert "not allowed to read users" in report.error
    assert counts_in(store) == counts_of(segment.held)
