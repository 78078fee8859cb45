"""What the source and destination commands share: tables, one connection in full, switching, removing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import typer

from core.commands.desk import at_desk
from core.commands.printing import number, percent, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from core.connection_rows import DestinationRow, Overview, SourceRow

Kind = Literal["source", "destination"]
NOT_YOURS = "•••• (only workspace owners see it)"
"""What stands for a write key that the member may not see."""


def print_sources(rows: Sequence[SourceRow]) -> None:
    """The sources as a table."""
    print_table(
        ["SLUG", "SOURCE", "TYPE", "STATUS", "EVENTS 24 H", "CHANGE", "ALERTS", "FIRING"],
        [(row.slug, row.name, row.type, _status(row), number(row.current), percent(row.change, sign=True),
          row.alerts, row.firing) for row in rows], right=(4, 5, 6, 7))


def print_destinations(rows: Sequence[DestinationRow]) -> None:
    """The destinations as a table."""
    print_table(
        ["SLUG", "DESTINATION", "SOURCE", "MODE", "STATUS", "DELIVERED 24 H", "FAILED", "RATE", "ALERTS", "FIRING"],
        [(row.slug, row.name, row.source, row.mode.value, _status(row), number(row.delivered), number(row.failed),
          percent(row.rate), row.alerts, row.firing) for row in rows], right=(5, 6, 7, 8, 9))


def show(context: typer.Context, slug: str, kind: Kind, as_json: bool) -> None:
    """Print one connection in full; a source's write key to workspace owners only."""
    with at_desk(context) as desk:
        from core.connection_rows import overview
        from core.connections import find
        from core.terms import ConnectionKind

        with desk.reading() as (session, actor):
            find(session, slug, ConnectionKind(kind))
            found = overview(session, slug, desk.now)
    key = found.write_key if actor.is_owner else None
    if as_json:
        print_json(_as_json(found, key))
    elif found.source is not None:
        _print_source(found.source, NOT_YOURS if found.write_key and not key else key)
    elif found.destination is not None:
        _print_destination(found.destination, found.source_received)


def switch(context: typer.Context, slug: str, kind: Kind, enabled: bool) -> None:
    """Enable or disable a connection."""
    with at_desk(context) as desk:
        from core.connections import set_enabled
        from core.terms import ConnectionKind

        with desk.writing() as (session, _):
            set_enabled(session, slug, ConnectionKind(kind), enabled, desk.now)
    say(f"{slug} is {'enabled' if enabled else 'disabled'}")


def remove(context: typer.Context, slug: str, kind: Kind) -> None:
    """Remove a connection with its alerts."""
    with at_desk(context) as desk:
        from core import connections
        from core.terms import ConnectionKind

        with desk.writing() as (session, _):
            connections.remove(session, slug, ConnectionKind(kind), desk.now)
    say(f"{slug} is removed")


def _status(row: SourceRow | DestinationRow) -> str:
    if not row.enabled:
        return "disabled"
    if row.firing:
        return "firing"
    return "stale" if row.stale_since else "enabled"


def _as_json(found: Overview, write_key: str | None) -> dict[str, object]:
    row = found.source or found.destination
    shown = {} if row is None else row.as_json()
    if found.source is not None:
        return shown | {"write_key": write_key}
    return shown | {"source_events_24h": found.source_received}


def _print_source(row: SourceRow, write_key: str | None) -> None:
    print_facts({
        "Source": row.name, "Slug": row.slug, "Type": row.type, "Category": row.category.value, "Status": _status(row),
        "Events 24 h": number(row.current), "Day before": number(row.baseline),
        "Change": percent(row.change, sign=True), "Last 48 h": _bars(row.spark),
        "Alerts": f"{row.alerts}, {row.firing} firing" if row.alerts else "none", "Write key": write_key,
    })


def _print_destination(row: DestinationRow, received: int) -> None:
    print_facts({
        "Destination": row.name, "Slug": row.slug, "Type": row.type, "Mode": row.mode.value,
        "Source": f"{row.source_name} ({row.source}), {received:,} events in 24 h", "Status": _status(row),
        "Delivered": number(row.delivered), "Failed": number(row.failed), "Filtered": number(row.filtered),
        "Rate 24 h": percent(row.rate), "Rate before": percent(row.rate_before), "Last 48 h": _bars(row.spark),
        "Alerts": f"{row.alerts}, {row.firing} firing" if row.alerts else "none",
    })


def _bars(values: Sequence[int]) -> str:
    """Values as bars from zero up to the largest; hours without a value (-1) are blank."""
    from core.channels.message import BARS

    top = max([1, *values])
    return "".join(" " if value < 0 else BARS[min(value * len(BARS) // top, len(BARS) - 1)] for value in values)
