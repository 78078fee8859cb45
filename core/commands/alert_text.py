"""Alerts as text: a table, one in full, and which rule a command line asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from core.commands.alert_options import Edited
from core.commands.desk import Desk
from core.commands.printing import moment, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from core.alert_rows import AlertRow, ChannelRow


def one_rule(source: str | None, destination: str | None, asked: Edited) -> str:
    """The slug of the one rule asked for. Bad usage unless it is --source --change or --destination --below."""
    volume = source is not None and asked.change is not None
    rate = destination is not None and asked.below is not None
    given = [source, asked.change, destination, asked.below]
    if volume == rate or sum(value is not None for value in given) != 2:
        raise typer.BadParameter("give --source SLUG with --change P, or --destination SLUG with --below P.")
    if asked.slack_channel is not None and not asked.slack:
        raise typer.BadParameter("--slack-channel needs --slack URL.")
    return str(source if volume else destination)


def print_one(desk: Desk, identity: int, as_json: bool, done: str | None = None) -> None:
    """Print one alert as the member may see it. Raises NotFound."""
    from core.alerts import get_alert

    with desk.reading() as (session, actor):
        row = get_alert(session, actor, identity, desk.now)
    if as_json:
        print_json(row.as_json())
        return
    if done is not None:
        say(f"alert {row.id} is {done}")
    _print_facts(row)


def print_alerts(rows: Sequence[AlertRow]) -> None:
    """The alerts as a table."""
    print_table(
        ["ID", "CONNECTION", "ALERT", "THRESHOLD", "STATE", "CREATED BY", "LAST SENT", "CHANNELS"],
        [(row.id, row.connection, row.title, _threshold(row), _state(row), row.created_by_name,
          moment(row.last_sent_at), ", ".join(_channel_word(channel) for channel in row.channels)) for row in rows],
        right=(0, 3))


def _threshold(row: AlertRow) -> str:
    from core.rules import percent_text

    return f"{percent_text(row.spec.threshold)} %"


def _state(row: AlertRow) -> str:
    if row.state == "firing":
        return f"firing since {moment(row.firing_since)}"
    return f"muted until {moment(row.muted_until)}" if row.state == "muted" else row.state


def _channel_word(channel: ChannelRow) -> str:
    return channel.kind.value + (" (broken)" if channel.broken_since else "")


def _channel_line(channel: ChannelRow) -> str:
    to = channel.recipient or ("the creator's bell" if channel.kind.value == "in_app" else "hidden")
    label = f" ({channel.label})" if channel.label else ""
    broken = f", broken since {moment(channel.broken_since)}: {channel.broken_answer}" if channel.broken_since else ""
    return f"{channel.kind.value} {to}{label}{broken}"


def _print_facts(row: AlertRow) -> None:
    spec = row.spec
    print_facts({
        "Alert": f"{row.id}, {row.title}: {row.explanation}", "Connection": f"{row.connection_name} ({row.connection})",
        "Threshold": _threshold(row), "State": _state(row), "Disabled": row.disabled_reason,
        "Reminder": f"every {spec.reminder_hours} h" if spec.reminder_hours else "off",
        "Resolved": "is told" if spec.say_resolved else "is not told",
        "Created by": f"{row.created_by_name} <{row.created_by}>, {moment(row.created_at)}",
        "Last sent": moment(row.last_sent_at),
    })
    for channel in row.channels:
        print_facts({"Channel   ": _channel_line(channel)})
