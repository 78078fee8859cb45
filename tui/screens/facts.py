"""What the Settings screen says of each thing: a mark, a name, how it is, and what to do when it is not well. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import start_of
from core.doctor import Door, Finding, State
from core.first_event import url_of
from core.store import HEAD
from core.vitals import ChannelVitals, Vitals
from tui.widgets.words import ago, length, number

if TYPE_CHECKING:
    from core.service import LastPass, ServiceState

DOT = "  ·  "
UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


class Mark(Enum):
    """How a thing is: a glyph of one cell, and a theme colour by its name."""

    WELL = ("●", "$success")
    CARE = ("▲", "$warning")
    BAD = ("✕", "$error")
    OFF = ("○", "$secondary")
    LOOKING = ("◌", "$secondary")


@dataclass(frozen=True, slots=True)
class Fact:
    """How one thing is; `advice` is what to do about it."""

    name: str
    mark: Mark
    told: str
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen so far: None was not looked at yet, or (the service) does not run beside this screen.

    `address` is the store's, `where` the collector's as it is set.
    """

    address: str
    where: str
    now: datetime
    service: ServiceState | None = None
    findings: Mapping[str, Finding] | None = None
    door: Door | None = None
    vitals: Vitals | None = None


AGAIN = "the address is free by now: start tocsin again"
ELSEWHERE = "choose another address with TOCSIN_COLLECTOR or --collector, and start tocsin again"
NAMES = ("Store", "Clock", "Collector", "Last pass", "Next pass", "Messages", "Email", "Slack", "Segment")
MARKS = {State.OK: Mark.WELL, State.WARN: Mark.CARE, State.BAD: Mark.BAD}


def facts(seen: Seen) -> list[Fact]:
    """One fact for each of `NAMES`, in that order."""
    email, slack = (seen.vitals.email, seen.vitals.slack) if seen.vitals else (None, None)
    told = (_store(seen), _clock(seen), _collector(seen.service, seen.door, seen.where), _last_pass(seen),
            _next_pass(seen), _messages(seen), _channel(seen, "smtp", email), _channel(seen, "slack", slack),
            _segment(seen))
    return [Fact(name, *what) for name, what in zip(NAMES, told, strict=True)]


def summary(found: list[Fact]) -> Fact:
    """All of them in one line."""
    for mark in (Mark.BAD, Mark.CARE):
        names = [fact.name for fact in found if fact.mark is mark]
        if names:
            verb = "needs" if len(names) == 1 else "need"
            return Fact("", mark, f"{_listed(names)} {verb} {'you' if mark is Mark.BAD else 'a look'}")
    if any(fact.mark is Mark.LOOKING for fact in found):
        return Fact("", Mark.LOOKING, "Looking…")
    return Fact("", Mark.WELL, "All is well")


def tilde(text: str) -> str:
    """`text` with the user's own folder as `~`, wherever a path in it begins there."""
    return text.replace(f"{Path.home()}/", "~/")


def size_of(amount: int) -> str:
    """Bytes in the largest unit that fits."""
    for unit, factor in UNITS:
        if amount >= factor:
            return f"{amount / factor:.{0 if unit == 'kB' else 1}f} {unit}"
    return f"{amount} B"


Told = tuple[Mark, str] | tuple[Mark, str, str | None]
LOOKING: Told = (Mark.LOOKING, "looking…")


def _store(seen: Seen) -> Told:
    found = seen.findings and seen.findings.get("store")
    if found and found.state is not State.OK:
        return MARKS[found.state], found.told, found.advice
    size = f"{DOT}{size_of(seen.vitals.size)}" if seen.vitals else ""
    return Mark.WELL, f"{seen.address}{DOT}schema {HEAD}{size}"


def _clock(seen: Seen) -> Told:
    found = seen.findings and seen.findings.get("clock")
    return (MARKS[found.state], found.told, found.advice) if found else LOOKING


def collector(service: ServiceState | None, door: Door | None, where: str) -> Fact:
    """How events get in: through this process, through another one at `where` (HOST:PORT), or not, and why."""
    return Fact("Collector", *_collector(service, door, where))


def _collector(service: ServiceState | None, door: Door | None, where: str) -> Told:
    if service is not None and service.collector is not None:
        return Mark.WELL, f"{url_of(service.collector)}{DOT}{_rate(service.events_per_second)}"
    if door is None:
        return LOOKING
    if door is Door.OURS:
        return Mark.WELL, f"{url_of(where)}{DOT}in another process; this dashboard runs none of its own"
    if service is not None and service.collector_error is not None:
        return Mark.BAD, service.collector_error, AGAIN if door is Door.FREE else ELSEWHERE
    if service is None and door is Door.TAKEN:
        return Mark.BAD, f"{where} is taken by another program", ELSEWHERE
    return Mark.OFF, "off: this dashboard counts no events itself", "tocsin serve runs a collector without a screen"


def _rate(events: float) -> str:
    shown = number(round(events)) if events >= 10 or events == 0 else f"{events:.1f}"
    return f"{shown} events/s"


def _last_pass(seen: Seen) -> Told:
    service = seen.service
    found = seen.findings and seen.findings.get("scheduler")
    if service is None:
        return (MARKS[found.state], found.told, found.advice) if found else (
            Mark.OFF if seen.findings else Mark.LOOKING, "no pass has run yet" if seen.findings else "looking…")
    last = service.last_pass
    error = service.pass_error or (last.error if last else None)
    if error is not None:
        return Mark.BAD, error, "tocsin check runs a pass now and says more"
    if last is None:
        return Mark.OFF, "no pass has run yet"
    if found and found.state is not State.OK:
        return MARKS[found.state], f"{found.told}{DOT}{_pass(last, seen.now)}", found.advice
    return Mark.WELL, _pass(last, seen.now)


def _pass(last: LastPass, now: datetime) -> str:
    took = last.duration_us // 1000
    return (f"judged {start_of(last.hour):%H:%M} UTC{DOT}ran {ago(last.at, now)}{DOT}"
            f"took {number(took) if took else 'under 1'} ms")


def _next_pass(seen: Seen) -> Told:
    service = seen.service
    if service is None or service.next_pass_at is None:
        return Mark.OFF, "this dashboard does not judge", "tocsin serve judges without a screen"
    wait = service.next_pass_at - seen.now
    return Mark.WELL, f"at {service.next_pass_at:%H:%M} UTC{DOT}in {length(wait)}"


def _messages(seen: Seen) -> Told:
    service, vitals = seen.service, seen.vitals
    waiting = vitals.email.waiting + vitals.slack.waiting if vitals else 0
    rest = f"{DOT}{number(waiting)} waiting" if waiting else ""
    if service is None or not service.scheduler:
        if waiting:
            return Mark.CARE, f"{number(waiting)} waiting", "tocsin serve sends them; tocsin deliver tries each once"
        return Mark.OFF, "none waiting; this dashboard sends none"
    if service.delivery_error is not None:
        return Mark.BAD, f"{service.delivery_error}{rest}", "tocsin deliver tries each once and shows the answers"
    if service.last_delivery_at is None:
        return Mark.WELL, f"none sent since the start{rest}"
    return Mark.WELL, f"last sent {ago(service.last_delivery_at, seen.now)}{rest}"


def _channel(seen: Seen, name: str, known: ChannelVitals | None) -> Told:
    found = seen.findings and seen.findings.get(name)
    if not found or known is None:
        return LOOKING
    said = found.told if known.answer is None else (
        f"{found.told}{DOT}last answer {ago(known.answer.at, seen.now)}: {known.answer.said}")
    if known.broken:
        what = "1 channel is" if known.broken == 1 else f"{number(known.broken)} channels are"
        return (Mark.BAD, f"{what} broken, the last {known.broken_where} ({known.broken_answer}){DOT}{said}",
                "edit the alert, or send a test once the other side works again")
    if found.state is State.OK and known.answer is not None and not known.answer.took_it:
        held = known.answer.held_until
        until = f" from {held:%H:%M} UTC on" if held and held > seen.now else ""
        return Mark.CARE, said, f"nothing: what waits is tried again{until}"
    if found.state is State.WARN:
        return Mark.OFF, said, found.advice
    return MARKS[found.state], said, found.advice


def _segment(seen: Seen) -> Told:
    found = seen.findings and seen.findings.get("token")
    if not found or seen.vitals is None:
        return LOOKING
    link = seen.vitals.segment
    if found.state is not State.OK:
        return MARKS[found.state], found.told, found.advice
    if link is None:
        return Mark.OFF, found.told, found.advice
    parts = [f"{link.workspace_name} ({link.region})", f"synced {ago(link.last_sync_at, seen.now)}",
             f"{number(link.requests)} requests"]
    if seen.service is not None and seen.service.next_pass_at is not None:
        parts.append(f"next at {seen.service.next_pass_at:%H:%M} UTC")
    if seen.vitals.stale and seen.vitals.stale_since is not None:
        what = "1 connection is" if seen.vitals.stale == 1 else f"{number(seen.vitals.stale)} connections are"
        return (Mark.CARE, DOT.join([*parts, f"{what} stale since {seen.vitals.stale_since:%Y-%m-%d %H:%M} UTC"]),
                "tocsin segment sync tries again and names them")
    return Mark.WELL, DOT.join(parts)


def _listed(names: list[str]) -> str:
    first = ", ".join(names[:-1])
    return f"{first} and {names[-1]}" if first else names[-1]
