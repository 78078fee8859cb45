"""What is typed on the command line, read: times, lengths of time, and the closed sets of values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import typer

from core.clock import parse_length, parse_time

CategoryName = Literal["event_streams", "cloud_app", "reverse_etl"]
ModeName = Literal["cloud", "device"]
RoleName = Literal["workspace_owner", "workspace_member"]
DirectionName = Literal["both", "drop", "spike"]
BaselineName = Literal["day_before", "week_before"]
ReminderName = Literal["off", "24h", "72h"]
StateName = Literal["firing", "ok", "learning", "no_data", "too_few", "unknown", "disabled", "muted", "new"]
REMINDER_HOURS: dict[ReminderName, int] = {"off": 0, "24h": 24, "72h": 72}


def asked_time(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC. Bad usage otherwise."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is not a time like 2026-11-23T12:00:00Z.") from None


def asked_length(text: str) -> timedelta:
    """`30m`, `8h` or `2d`, at most a year. Bad usage otherwise."""
    try:
        return parse_length(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
