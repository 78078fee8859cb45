"""What the simulated workspace is, and how many events each hour of it holds. Pure, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.clock import Hour
from core.intake import acme
from core.terms import AlertKind, Baseline, Category, Direction, Mode, Role, Stage

HISTORY_DAYS = 35
DEFAULT_START = Hour(498_732)
"""2026-11-23T12:00Z, a Monday."""
MASK = (1 << 64) - 1
THURSDAY = 3
"""The weekday of hour 0 of 1970, Monday being 0."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member; `joined` is in days before the start."""

    email: str
    name: str
    role: Role
    joined: int


@dataclass(frozen=True, slots=True)
class Change:
    """From one hour up to another, a factor moves from `first` to `last`."""

    since: Hour
    until: Hour
    first: int
    last: int

    def at(self, hour: int) -> int | None:
        """The factor in `hour`, or None outside."""
        if not self.since <= hour < self.until:
            return None
        return self.first + (self.last - self.first) * (hour - self.since) // (self.until - self.since)


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A source; `hourly` is its average hour, `changes` are per thousand of its usual events."""

    slug: str
    name: str
    type: str
    category: Category
    write_key: str
    hourly: int
    shape: str
    enabled: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PlannedDestination:
    """A destination; `failing` and `changes` are failures in basis points, `filtered` is per thousand."""

    slug: str
    name: str
    type: str
    mode: Mode
    source: str
    enabled: bool
    failing: int
    filtered: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PlannedAlert:
    """An alert; `channels` as in `acme`, `age` in days before the start, `muted` in hours after it."""

    connection: str
    kind: AlertKind
    threshold: int
    creator: str
    channels: tuple[str, ...]
    direction: Direction
    baseline: Baseline
    min_events: int
    reminder_hours: int
    enabled: bool
    muted: int
    age: int


@dataclass(frozen=True)
class Workspace:
    """Everything that `populate` writes and `play` sends. `start` is the hour in which the demo begins."""

    seed: int
    name: str
    start: Hour
    members: tuple[Person, ...]
    sources: tuple[PlannedSource, ...]
    destinations: tuple[PlannedDestination, ...]
    alerts: tuple[PlannedAlert, ...]

    @cached_property
    def connections(self) -> Mapping[str, PlannedSource | PlannedDestination]:
        """Every connection by its slug."""
        everything: list[PlannedSource | PlannedDestination] = [*self.sources, *self.destinations]
        return {connection.slug: connection for connection in everything}

    @cached_property
    def outlets(self) -> Mapping[str, tuple[PlannedDestination, ...]]:
        """Each source's destinations that report deliveries."""
        reporting = [sink for sink in self.destinations if sink.enabled and sink.mode is Mode.CLOUD]
        return {source.slug: tuple(sink for sink in reporting if sink.source == source.slug)
                for source in self.sources}


def plan(seed: int, start: Hour = DEFAULT_START) -> Workspace:
    """The workspace of `seed`, whose outages, launches and leaks lie around the whole UTC hour `start`."""
    return Workspace(
        seed=seed,
        name=acme.NAME,
        start=start,
        members=tuple(Person(*person) for person in acme.PEOPLE),
        sources=tuple(_source(seed, start, *row) for row in acme.SOURCES),
        destinations=tuple(_destination(start, *row) for row in acme.DESTINATIONS),
        alerts=tuple(
            PlannedAlert(slug, kind, threshold, f"{creator}@acme.example", channels, direction, baseline, least,
                         reminder, enabled, muted, age=9 + scramble(seed, slug, number) % 17)
            for number, (slug, kind, threshold, creator, channels, direction, baseline, least, reminder, enabled,
                         muted) in enumerate(acme.ALERTS)
        ),
    )


def expected(workspace: Workspace, connection: str, hour: int) -> dict[Stage, int]:
    """The events that the connection with slug `connection` counts in `hour` (UTC, since 1970), by stage.

    A device-mode destination and a connection that is switched off count nothing.
    """
    wanted = workspace.connections[connection]
    if isinstance(wanted, PlannedSource):
        return {Stage.RECEIVED: _received(workspace.seed, wanted, hour)} if wanted.enabled else {}
    source = workspace.connections[wanted.source]
    if not wanted.enabled or wanted.mode is not Mode.CLOUD or not isinstance(source, PlannedSource):
        return {}
    return outcomes(wanted, hour, _received(workspace.seed, source, hour), scramble(workspace.seed, wanted.slug, hour))


def outcomes(sink: PlannedDestination, hour: int, received: int, chance: int) -> dict[Stage, int]:
    """What becomes of `received` events of its source at one destination: they add up to `received`.

    `chance` (64 bits) decides what happens to the fraction of an event.
    """
    filtered = (received * sink.filtered + chance % 1000) // 1000 if sink.filtered else 0
    attempts = received - filtered
    failing = next((found for change in sink.changes if (found := change.at(hour)) is not None), sink.failing)
    failed = min(attempts, (attempts * failing + (chance >> 20) % 10_000) // 10_000) if failing else 0
    return {Stage.DELIVERED: attempts - failed, Stage.FAILED: failed, Stage.FILTERED: filtered}


def scramble(seed: int, name: str, number: int) -> int:
    """64 well-mixed bits that depend on all three (splitmix64's finisher; `hash` of a string is salted)."""
    state = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & MASK
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def slug_of(name: str) -> str:
    """A name as a slug: `Customer.io` is `customer-io`."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in name.lower()).split())


def _received(seed: int, source: PlannedSource, hour: int) -> int:
    factor = next((found for change in source.changes if (found := change.at(hour)) is not None), 1000)
    if factor == 0:
        return 0
    day, of_day = divmod(hour, 24)
    usual = acme.HOURS_OF_DAY[source.shape][of_day] * acme.DAYS_OF_WEEK[source.shape][(day + THURSDAY) % 7]
    noise = acme.NOISE[source.shape]
    chance = scramble(seed, source.slug, hour)
    stray = 1000 - noise + chance % (2 * noise + 1)
    return int(source.hourly * usual * factor * stray + (chance >> 32) % 10**12) // 10**12


def _source(seed: int, start: Hour, name: str, type: str, category: Category, hourly: int, shape: str) -> PlannedSource:
    slug = slug_of(name)
    chance = scramble(seed, slug, -1)
    return PlannedSource(
        slug, name, type, category, f"demo{chance:016x}{scramble(seed, slug, -2):016x}"[:32],
        hourly * (950 + chance % 101) // 1000, shape, slug not in acme.SWITCHED_OFF, _changes(acme.TWISTS, slug, start),
    )


def _destination(
    start: Hour, name: str, type: str, source: str, mode: Mode, failing: int, filtered: int
) -> PlannedDestination:
    slug = slug_of(name)
    return PlannedDestination(slug, name, type, mode, source, slug not in acme.SWITCHED_OFF, failing, filtered,
                              _changes(acme.LEAKS, slug, start))


def _changes(table: tuple[tuple[str, int, int, int, int], ...], slug: str, start: Hour) -> tuple[Change, ...]:
    return tuple(Change(Hour(start + since), Hour(start + until), first, last)
                 for owner, since, until, first, last in table if owner == slug)
