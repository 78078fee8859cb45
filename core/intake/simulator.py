"""The demo's workspace and traffic, through the same doors as real input: nothing here writes a table of its own.

History is an import, connections and alerts are made as a person makes them, past incidents by the real pass, and the
present arrives at the collector over HTTP.
"""

from __future__ import annotations

import asyncio
import base64
import getpass
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import aiohttp
import msgspec

from core import alerts, connections, counts, incidents, outbox, watch
from core.access import Actor
from core.clock import Clock, Hour, hour_of, start_of
from core.intake import acme
from core.intake.traffic import (
    HISTORY_DAYS,
    PlannedAlert,
    PlannedDestination,
    PlannedSource,
    Workspace,
    expected,
    outcomes,
    plan,
    scramble,
)
from core.model import Connection, Member
from core.model import Workspace as WorkspaceRow
from core.store import Session, Store
from core.terms import ChannelKind, ConnectionKind, CoverageKind, Stage

__all__ = ["expected", "plan", "play", "populate"]
log = logging.getLogger(__name__)

WATCHED_DAYS = 9
"""How far back the passes of the history go."""
PASS_EVERY_H = 6
LAST_PASSES_H = 12
"""The newest hours of the history each have their own pass."""
READ_AFTER = timedelta(hours=20)
"""Notifications older than this have been read."""
EVENTS_PER_S = 450
"""Events sent in one real second at most, at the demo's speed."""
DEMO_SPEED = 180
BATCH = 100
PAUSE_S = 1.0
SLACK_HOST = "hooks.slack.com"


def populate(store: Store, workspace: Workspace, now: datetime) -> None:
    """Fill an empty `store` with `workspace` as it is at `now` (aware): people, history, alerts, past incidents.

    Takes a few seconds; call it in a thread when an event loop runs. Sends nothing. `now` should lie in the hour that
    the workspace was planned for.
    """
    with store.write() as session:
        people = _people(session, workspace, now)
        ids = _connections(session, workspace, people[acme.OWNER], now)
        _history(session, workspace, ids, now)
    with store.write() as session:
        created = [_alert(session, people[alert.creator], alert, now) for alert in workspace.alerts]
    asyncio.run(_past(store, workspace, people, now))
    with store.write() as session:
        for alert, made in zip(workspace.alerts, created, strict=True):
            _settle(session, people[alert.creator], alert, made, now)


async def play(workspace: Workspace, clock: Clock, base_url: str) -> None:
    """Send the traffic of the clock's present to the collector at `base_url` until cancelled.

    Each hour's events are spread over it; never more than `EVENTS_PER_S` in a real second at the demo's speed, so a
    very fast clock sees fewer events than planned. Only loopback addresses are meant to be given.
    """
    limit = int(EVENTS_PER_S * max(1.0, clock.speed / DEMO_SPEED))
    feeds = [_Feed(workspace, source, clock.now()) for source in workspace.sources]
    async with aiohttp.ClientSession(base_url, timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            await asyncio.sleep(PAUSE_S)
            now, left = clock.now(), limit
            for feed in feeds:
                wanted = min(left, feed.due(now) - feed.sent)
                if wanted <= 0:
                    continue
                try:
                    await _send(session, workspace, feed.source, feed.sent, wanted, hour_of(now))
                except (aiohttp.ClientError, TimeoutError) as error:
                    log.warning("the simulator could not reach the collector: %s", error)
                    break
                feed.sent += wanted
                left -= wanted


def _people(session: Session, workspace: Workspace, now: datetime) -> dict[str, Actor]:
    """The members, as actors by email. The owner gets the account of whoever starts the demo."""
    session.objects.add(WorkspaceRow(id=1, name=workspace.name, created_at=now - timedelta(days=HISTORY_DAYS)))
    people = {}
    for person in workspace.members:
        row = Member(email=person.email, name=person.name, role=person.role,
                     account=_account() if person.email == acme.OWNER else None,
                     created_at=now - timedelta(days=person.joined))
        session.objects.add(row)
        session.objects.flush()
        people[person.email] = Actor(int(row.id or 0), row.email, row.name, row.role)
    return people


def _account() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


def _connections(session: Session, workspace: Workspace, owner: Actor, now: datetime) -> dict[str, int]:
    """Every connection, made as a person makes it; ids by slug."""
    ids = {}
    then = now - timedelta(days=HISTORY_DAYS)
    for source in workspace.sources:
        added = connections.add_source(session, source.name, slug=source.slug, type=source.type,
                                       category=source.category, now=then)
        ids[source.slug] = added.id
        row = session.objects.get_one(Connection, added.id)
        row.write_key = source.write_key  # `play` knows it from the seed
    for sink in workspace.destinations:
        added = connections.add_destination(session, sink.name, sink.source, slug=sink.slug, type=sink.type,
                                            mode=sink.mode, now=then)
        ids[sink.slug] = added.id
    for planned in workspace.connections.values():
        if not planned.enabled:
            kind = ConnectionKind.SOURCE if isinstance(planned, PlannedSource) else ConnectionKind.DESTINATION
            connections.set_enabled(session, planned.slug, kind, False, then)
    session.objects.flush()
    return ids


def _history(session: Session, workspace: Workspace, ids: dict[str, int], now: datetime) -> None:
    """The hours up to `now`, and the part of its own hour that is over, as an import brings them."""
    hour = hour_of(now)
    since = Hour(hour - HISTORY_DAYS * 24)
    rows: dict[counts.Key, int] = {}
    for slug, connection in ids.items():
        for past in range(since, hour):
            for stage, count in expected(workspace, slug, past).items():
                rows[connection, Hour(past), stage] = count
        for stage, count in expected(workspace, slug, hour).items():
            rows[connection, hour, stage] = count * _elapsed(now) // 3600
    counts.replace(session, rows)
    counts.cover(session, [(connection, since, Hour(hour + 1)) for connection in ids.values()], CoverageKind.IMPORT)


def _elapsed(now: datetime) -> int:
    """Seconds of its hour that are over at `now`."""
    return (now - start_of(hour_of(now))) // timedelta(seconds=1)


def _alert(session: Session, creator: Actor, planned: PlannedAlert, now: datetime) -> int:
    spec = alerts.AlertSpec(
        kind=planned.kind, threshold=planned.threshold, direction=planned.direction, baseline=planned.baseline,
        min_events=planned.min_events, reminder_hours=planned.reminder_hours, say_resolved=True, enabled=True,
        channels=tuple(_channel(channel, creator, planned) for channel in planned.channels),
    )
    then = now - timedelta(days=planned.age)
    return alerts.create_alert(session, creator, planned.connection, spec, then, (SLACK_HOST,))


def _channel(channel: str, creator: Actor, planned: PlannedAlert) -> alerts.ChannelSpec:
    if channel == acme.MAIL:
        return alerts.ChannelSpec(ChannelKind.EMAIL, creator.email)
    if channel == acme.SLACK:
        return alerts.ChannelSpec(ChannelKind.SLACK, f"https://{SLACK_HOST}/services/T0ACME/B0DEMO/{planned.connection}",
                                  "#data-alerts")
    if channel == acme.WORKFLOW:
        return alerts.ChannelSpec(ChannelKind.SLACK, f"https://{SLACK_HOST}/triggers/T0ACME/1/{planned.connection}",
                                  "#on-call")
    return alerts.ChannelSpec(ChannelKind.IN_APP)


async def _past(store: Store, workspace: Workspace, people: dict[str, Actor], now: datetime) -> None:
    """Let the real pass judge the days before `now`, deliver what it queued to nobody, and read the old ones."""
    senders = outbox.silent_senders()
    moment = now

    def present() -> datetime:
        return moment

    for hour in _judged_hours(hour_of(now)):
        moment = min(now, start_of(hour) + timedelta(minutes=5))
        watch.run_pass(store, moment, now=moment)
        await outbox.deliver_due(store, senders, present)
    with store.write() as session:
        for person in people.values():
            old = [row.id for row in incidents.list_notifications(session, person, bell_of=person.id)
                   if row.created_at < now - READ_AFTER]
            incidents.mark_read(session, person, old, now)


def _judged_hours(hour: Hour) -> Iterator[Hour]:
    for back in range(WATCHED_DAYS * 24, LAST_PASSES_H, -PASS_EVERY_H):
        yield Hour(hour - back)
    for back in range(LAST_PASSES_H, -1, -1):
        yield Hour(hour - back)


def _settle(session: Session, creator: Actor, planned: PlannedAlert, alert: int, now: datetime) -> None:
    """Mute and disable what the plan has muted or disabled by now."""
    if planned.muted:
        alerts.mute(session, creator, alert, now + timedelta(hours=planned.muted), now)
    if not planned.enabled:
        alerts.set_enabled(session, creator, alert, False, now)


class _Feed:
    """How many events one source should have sent by now, and how many it has."""

    def __init__(self, workspace: Workspace, source: PlannedSource, now: datetime) -> None:
        self.source = source
        self._workspace = workspace
        self._hour = hour_of(now)
        self._before = 0
        self.sent = self.due(now)

    def due(self, now: datetime) -> int:
        """Its events between the start of the hour in which the feed began and `now`."""
        while self._hour < hour_of(now):
            self._before += self._expected()
            self._hour = Hour(self._hour + 1)
        return self._before + self._expected() * _elapsed(now) // 3600

    def _expected(self) -> int:
        return expected(self._workspace, self.source.slug, self._hour).get(Stage.RECEIVED, 0)


async def _send(
    session: aiohttp.ClientSession, workspace: Workspace, source: PlannedSource, first: int, many: int, hour: Hour
) -> None:
    """Events number `first` and following of one source, and what its destinations made of them."""
    login = base64.b64encode(f"{source.write_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    for begin in range(first, first + many, BATCH):
        batch = [_event(source, number) for number in range(begin, min(begin + BATCH, first + many))]
        await _post(session, "/v1/batch", {"batch": batch}, headers)
    deliveries = [_delivery(workspace, sink, hour, first, many) for sink in workspace.outlets[source.slug]]
    if deliveries:
        await _post(session, "/v1/deliveries", {"deliveries": deliveries}, headers)


async def _post(session: aiohttp.ClientSession, path: str, body: object, headers: dict[str, str]) -> None:
    async with session.post(path, data=msgspec.json.encode(body), headers=headers) as answer:
        await answer.read()
        if answer.status != 200:
            log.warning("the collector answered the simulator's %s with %s", path, answer.status)


def _event(source: PlannedSource, number: int) -> dict[str, object]:
    return {"type": "track", "event": acme.EVENTS[number % len(acme.EVENTS)], "userId": f"user-{number % 997}",
            "messageId": f"{source.slug}-{number}", "properties": {}}


def _delivery(
    workspace: Workspace, sink: PlannedDestination, hour: Hour, first: int, many: int
) -> dict[str, object]:
    made = outcomes(sink, hour, many, scramble(workspace.seed, sink.slug, first))
    return {"destination": sink.slug, "messageId": f"{sink.slug}-{first}",
            **{stage.value: count for stage, count in made.items()}}
