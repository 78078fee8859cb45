"""Whether everything an alert needs is in place: one finding a thing, and what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from core.clock import Clock, from_micros, hour_of, start_of
from core.errors import TocsinError
from core.intake.segment.link import Link
from core.intake.segment.link import find as find_link
from core.settings import Settings, host_port
from core.store import HEAD, Store, open_store

TIMEOUT_S = 5.0
AHEAD = timedelta(minutes=2)
"""How far the store's newest time may lie in the future before a clock is called wrong."""
LATE_SYNC = timedelta(minutes=90)
"""A sync runs every hour: after so long at least one has not come to its end."""
NEWEST = sa.text("SELECT MAX(moment) FROM (SELECT MAX(until) AS moment FROM listening UNION ALL "
                 "SELECT MAX(at) AS moment FROM pass) AS moments")
NEEDS = sa.text("SELECT COUNT(*) FROM alert_channel ch JOIN alert a ON a.id = ch.alert_id "
                "WHERE ch.removed_at IS NULL AND a.deleted_at IS NULL AND ch.kind = :kind")
LAST_PASS = sa.text("SELECT MAX(hour), (SELECT COUNT(*) FROM alert WHERE deleted_at IS NULL) FROM pass")


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing; `advice` is what to do about it."""

    name: str
    state: State
    told: str
    advice: str | None = None

    def as_json(self) -> dict[str, object]:
        """The item of `doctor --json`, under `checks`."""
        return {"name": self.name, "state": self.state.value, "told": self.told, "advice": self.advice}


@dataclass(frozen=True, slots=True)
class _Uses:
    """Which channels alerts send to, and the Segment workspace."""

    email: int
    slack: int
    segment: Link | None


class Door(StrEnum):
    """What answers at the collector's address."""

    OFF = "off"
    OURS = "ours"
    TAKEN = "taken"
    FREE = "free"


async def examine(settings: Settings, clock: Clock, *, outwards: bool = True) -> list[Finding]:
    """Look at everything; nothing is sent, and no store is made where there is none.

    With `outwards` False no mail server and no Slack host is asked either: the demo stays on its machine.
    """
    found, uses = await asyncio.to_thread(_examine_store, settings, clock)
    others = await asyncio.gather(
        _mail(settings, uses) if outwards else _kept("smtp"), _collector(settings),
        _slack(settings, uses) if outwards else _kept("slack"),
        asyncio.to_thread(_token, settings, uses, clock.now()))
    return [*found, *others]


async def knock(settings: Settings) -> Door:
    """What answers at the collector's address: a collector of this or another process, a stranger, or nobody."""
    if settings.collector == "off":
        return Door.OFF
    host, port = host_port(settings.collector)
    try:
        said = await _ask(host, port, b"GET /healthz HTTP/1.0\r\nHost: tocsin\r\n\r\n")
    except (OSError, TimeoutError):
        return Door.FREE
    return Door.OURS if b" 200 " in said.split(b"\r\n", 1)[0] else Door.TAKEN


def _examine_store(settings: Settings, clock: Clock) -> tuple[list[Finding], _Uses]:
    nothing = _Uses(0, 0, None)
    address = settings.store
    if "://" not in address and not Path(address).expanduser().exists():
        return [Finding("store", State.WARN, f"there is none at {address} yet", "the first command or start makes it"),
                Finding("clock", State.OK, f"{clock.now():%Y-%m-%d %H:%M:%S} UTC")], nothing
    try:
        store = open_store(address, create=False)
    except TocsinError as error:
        return [Finding("store", State.BAD, str(error), "check --store, TOCSIN_STORE and the file's owner")], nothing
    try:
        return _of_store(store, clock)
    except TocsinError as error:
        return [Finding("store", State.BAD, str(error), "try again; another process may hold it")], nothing
    finally:
        store.close()


def _of_store(store: Store, clock: Clock) -> tuple[list[Finding], _Uses]:
    with store.read() as session:
        link = session.connection()
        newest = link.execute(NEWEST).scalar()
        email, slack = (int(link.execute(NEEDS, {"kind": kind}).scalar_one()) for kind in ("email", "slack"))
        last_hour, alerts = link.execute(LAST_PASS).one()
        joined = find_link(session)
    now = clock.now()
    found = [Finding("store", State.OK, store.address), Finding("schema", State.OK, f"revision {HEAD}")]
    if store.path is not None and store.path.stat().st_mode & 0o077:
        found[0] = Finding("store", State.WARN, f"{store.path} can be read by others, and it holds webhook URLs",
                           f"chmod 600 {store.path}")
    if newest is not None and from_micros(newest) > now + AHEAD:
        found.append(Finding("clock", State.BAD, f"it is {now:%Y-%m-%d %H:%M:%S} UTC here, but the store has seen "
                             f"{from_micros(newest):%Y-%m-%d %H:%M:%S} UTC", "set this machine's clock by NTP"))
    else:
        found.append(Finding("clock", State.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC"))
    if alerts and (last_hour is None or hour_of(now) - last_hour > 2):
        told = "no pass has run yet" if last_hour is None else f"the last pass ran {hour_of(now) - last_hour} h ago"
        found.append(Finding("scheduler", State.WARN, told, "keep tocsin serve running"))
    elif last_hour is not None:
        found.append(Finding("scheduler", State.OK, f"the last pass judged {start_of(last_hour):%Y-%m-%d %H:%M} UTC"))
    return found, _Uses(email, slack, joined)


async def _kept(name: str) -> Finding:
    return Finding(name, State.OK, "nothing leaves this machine here")


async def _mail(settings: Settings, uses: _Uses) -> Finding:
    if settings.smtp_url is None:
        state = State.BAD if uses.email else State.WARN
        told = f"not set, and {_alerts(uses.email)} mail" if uses.email else "not set, so no mail can be sent"
        return Finding("smtp", state, told, "set TOCSIN_SMTP_URL to smtp://user:password@host:587")
    from core.channels.email import Mailer, parse_smtp_url

    try:
        server = parse_smtp_url(settings.smtp_url.get_secret_value())
    except TocsinError as error:
        return Finding("smtp", State.BAD, str(error), "correct TOCSIN_SMTP_URL")
    outcome = await Mailer(server, settings.smtp_from).probe()
    if outcome.sent:
        login = f" and takes the login of {server.user}" if server.user else ""
        return Finding("smtp", State.OK, f"{server.name} answers{login}; mail comes from {settings.smtp_from}")
    return Finding("smtp", State.BAD, outcome.answer, "check host, port, user and password in TOCSIN_SMTP_URL")


async def _collector(settings: Settings) -> Finding:
    where = settings.collector
    match await knock(settings):
        case Door.OFF:
            return Finding("collector", State.OK, "off, as set")
        case Door.FREE:
            return Finding("collector", State.OK, f"{where} is free; nothing listens there now",
                           "tocsin serve listens there")
        case Door.OURS:
            return Finding("collector", State.OK, f"a collector listens at {where}")
        case Door.TAKEN:
            return Finding("collector", State.BAD, f"{where} is taken by another program",
                           "choose another address with TOCSIN_COLLECTOR or --collector")


async def _ask(host: str, port: int, request: bytes) -> bytes:
    """The first bytes that a server answers to a request."""
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request)
            await writer.drain()
            try:
                return await reader.read(200)
            except ConnectionResetError:
                return b""
        finally:
            writer.close()


async def _slack(settings: Settings, uses: _Uses) -> Finding:
    hosts = ", ".join(settings.slack_hosts) or "none"
    if not uses.slack:
        return Finding("slack", State.OK, f"no alert sends there; allowed hosts: {hosts}")
    away = [host for host, there in zip(
        settings.slack_hosts, await asyncio.gather(*map(_reachable, settings.slack_hosts)), strict=True) if not there]
    if settings.slack_hosts and len(away) < len(settings.slack_hosts):
        told = f"{_alerts(uses.slack)} there; allowed hosts: {hosts}"
        return Finding("slack", State.OK, told + (f"; not reached: {', '.join(away)}" if away else ""))
    return Finding("slack", State.BAD, f"{_alerts(uses.slack)} there, but none of {hosts} can be reached",
                   "check the network, and TOCSIN_SLACK_HOSTS")


def _alerts(count: int) -> str:
    return "1 alert sends" if count == 1 else f"{count:,} alerts send"


async def _reachable(host: str) -> bool:
    name, colon, port = host.partition(":")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(name, int(port) if colon else 443)
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    return True


def _token(settings: Settings, uses: _Uses, now: datetime) -> Finding:
    from core.intake.segment.token import find_token  # brings httpx, which a screen must not wait for

    try:
        token = find_token(settings)
    except TocsinError as error:
        return Finding("token", State.BAD, str(error))
    link = uses.segment
    if link is None:
        told = "a Segment token is set, but no workspace is connected" if token else "no Segment workspace is connected"
        return Finding("token", State.OK, told, "tocsin segment connect" if token else None)
    if token is None:
        return Finding("token", State.BAD, f"{link.workspace_name} is connected, but there is no token any more",
                       "tocsin segment connect with a new one")
    if link.last_error is None:
        return Finding("token", State.OK, f"set; {link.workspace_name} is connected")
    read = link.last_sync_at or link.connected_at
    if now - read > LATE_SYNC:
        return Finding(
            "token", State.BAD,
            f"nothing was read of {link.workspace_name} since {read:%Y-%m-%d %H:%M} UTC: {link.last_error}",
            "tocsin segment sync tries again; tocsin segment connect takes a new token")
    return Finding("token", State.WARN, f"the last sync of {link.workspace_name} complained: {link.last_error}",
                   "tocsin segment sync tries again")
