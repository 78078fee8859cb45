"""The one place that reads the clock. Everything else takes a time, or one of these, as an argument."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol

Hour = NewType("Hour", int)
"""A whole UTC hour, counted since 1970-01-01T00:00Z; the hour h covers [h, h+1)."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=366)


class Clock(Protocol):
    """Where the present comes from. `speed` is how many seconds pass in one real second."""

    speed: float

    def now(self) -> datetime:
        """The present, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        """The present, aware and in UTC."""
        return datetime.now(UTC)


class FastClock:
    """A clock that starts at `start` (aware) and runs `speed` times as fast as the machine's; 0 stands still."""

    def __init__(self, start: datetime, speed: float) -> None:
        self.speed = speed
        self._start = start.astimezone(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The present of this clock, aware and in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)


def hour_of(moment: datetime) -> Hour:
    """The whole UTC hour that contains `moment` (aware)."""
    return Hour((moment - EPOCH) // timedelta(hours=1))


def start_of(hour: int) -> datetime:
    """The instant at which `hour` begins, aware and in UTC."""
    return EPOCH + timedelta(hours=hour)


def micros(moment: datetime) -> int:
    """`moment` (aware) as whole microseconds since 1970-01-01T00:00Z, the form the store keeps."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(value: int) -> datetime:
    """The inverse of `micros`: an aware UTC datetime."""
    return EPOCH + value * MICROSECOND


def parse_time(text: str) -> datetime:
    """An ISO 8601 time as an aware UTC datetime; without an offset it is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def parse_length(text: str) -> timedelta:
    """`30m`, `8h` or `2d`, at most 366 days. Raises ValueError with a sentence."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text.strip().lower())
    length = int(found[1]) * UNITS[found[2]] if found else None
    if length is None or length > LONGEST:
        raise ValueError(f"{text!r} is not a length of time like 30m, 8h or 2d (at most 366d).")
    return length


def iso(moment: datetime | None) -> str | None:
    """`moment` as UTC ISO 8601 to the second with a Z, the form every `--json` uses; None stays None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
