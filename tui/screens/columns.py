"""What each table shows, column by column: which goes first when room is short, and how it sorts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from core.rules import percent_text
from core.terms import AlertKind
from tui.widgets.marks import CHANNELS
from tui.widgets.row_table import Column
from tui.widgets.words import STATES, ago, arrow, length, number, percent, sparkline

if TYPE_CHECKING:
    from core.alert_rows import AlertRow
    from core.connection_rows import DestinationRow, SourceRow
    from core.incidents import IncidentRow
    from core.members import MemberRow

SPARK = 16
RATES = 12
KINDS = {AlertKind.SOURCE_VOLUME: "Source volume", AlertKind.DELIVERY_RATE: "Delivery rate"}
SHORT = {AlertKind.SOURCE_VOLUME: "volume", AlertKind.DELIVERY_RATE: "rate"}
NOTHING = Decimal("-Infinity")


def status(enabled: bool, firing: int, stale_since: datetime | None) -> str:
    """The status of a connection by its name in `STATES`."""
    if not enabled:
        return "disabled"
    return "firing" if firing else "stale" if stale_since else "enabled"


def _status(row: SourceRow | DestinationRow) -> str:
    return status(row.enabled, row.firing, row.stale_since)


def _shown(state: str) -> str:
    return f"{STATES[state][0]} {state.replace('_', ' ')}"


def _alerts(alerts: int, firing: int) -> str:
    return f"{alerts or '–'}{' ●' if firing else '  '}"


def _short(moment: datetime) -> str:
    return f"{moment.astimezone():%-d %b %H:%M}"


def source_columns(sparks: Mapping[int, Sequence[int]]) -> list[Column[SourceRow]]:
    """Sources, with the sparks that are known by now, by id."""
    return [
        Column("Status", 10, lambda row: _shown(_status(row)), _status, colour=lambda row: STATES[_status(row)][1]),
        Column("Source", 14, lambda row: row.name, lambda row: row.name.casefold(), grows=True),
        Column("Type", 11, lambda row: row.type, lambda row: row.type.casefold(), rank=3),
        Column("Events 24 h", 12, lambda row: number(row.current), lambda row: row.current, right=True),
        Column("vs. day before", 14, lambda row: f"{arrow(row.change)} {percent(row.change, signed=True):>10}",
               lambda row: NOTHING if row.change is None else row.change, right=True, rank=1),
        Column("48 h", SPARK, lambda row: sparkline(sparks.get(row.id, ()), SPARK), rank=2, searched=False,
               colour=lambda row: "$primary"),
        Column("Alerts", 6, lambda row: _alerts(row.alerts, row.firing), lambda row: row.alerts, right=True, rank=1),
    ]


def destination_columns(sparks: Mapping[int, Sequence[int]]) -> list[Column[DestinationRow]]:
    """Destinations, with the sparks that are known by now, by id."""
    return [
        Column("Status", 10, lambda row: _shown(_status(row)), _status, colour=lambda row: STATES[_status(row)][1]),
        Column("Destination", 14, lambda row: row.name, lambda row: row.name.casefold(), grows=True),
        Column("Source", 12, lambda row: row.source_name, lambda row: row.source_name.casefold(), rank=3),
        Column("Type", 12, lambda row: row.type, lambda row: row.type.casefold(), rank=5),
        Column("Delivered 24 h", 14, lambda row: number(row.delivered), lambda row: row.delivered, right=True, rank=1),
        Column("Failed", 7, lambda row: number(row.failed), lambda row: row.failed, right=True, rank=2),
        Column("Rate", 7, lambda row: percent(row.rate), lambda row: NOTHING if row.rate is None else row.rate,
               right=True),
        Column("48 h", RATES, lambda row: sparkline(sparks.get(row.id, ()), RATES), rank=4, searched=False,
               colour=lambda row: "$primary"),
        Column("Alerts", 6, lambda row: _alerts(row.alerts, row.firing), lambda row: row.alerts, right=True, rank=1),
    ]


def _channel_words(row: AlertRow) -> str:
    return " ".join(f"{channel.kind.value.replace('_', '-')} {channel.recipient or ''} {channel.label or ''}"
                    for channel in row.channels)


def alert_columns(now: Callable[[], datetime], *, everywhere: bool) -> list[Column[AlertRow]]:
    """Alerts: of one connection, or (`everywhere`) of the workspace with their connections."""
    def state(row: AlertRow) -> str:
        shown = _shown(row.state)
        if row.state != "firing" or row.firing_since is None:
            return shown
        return f"{shown} {length(now() - row.firing_since).replace('min', 'm')}"

    where: list[Column[AlertRow]] = [
        Column("Source", 14, lambda row: row.source_name or row.connection_name,
               lambda row: (row.source_name or row.connection_name).casefold(), grows=True),
        Column("Destination", 14, lambda row: row.connection_name if row.source_name else "–",
               lambda row: row.connection_name.casefold() if row.source_name else "", rank=1),
    ] if everywhere else []
    return [
        Column("Alert", 13 if everywhere else 24, lambda row: row.title if not everywhere else KINDS[row.kind],
               lambda row: row.title, grows=not everywhere),
        *where,
        Column("Threshold", 9, lambda row: f"{percent_text(row.spec.threshold)} %", lambda row: row.spec.threshold,
               right=True),
        Column("State", 13, state, lambda row: row.state, colour=lambda row: STATES[row.state][1]),
        Column("Created by", 12, lambda row: row.created_by_name, lambda row: row.created_by_name.casefold(), rank=4),
        Column("Last sent", 10, lambda row: ago(row.last_sent_at, now()), rank=3),
        Column("Channels", 8, lambda row: " ".join(CHANNELS[channel.kind] for channel in row.channels), rank=2,
               words=_channel_words),
        Column("Actions", 7, lambda row: "   ⋮", searched=False, menu=True),
    ]


def incident_columns(now: Callable[[], datetime]) -> list[Column[IncidentRow]]:
    """Incidents, open ones first."""
    def lasted(row: IncidentRow) -> str:
        return length((row.closed_at or now()) - row.opened_at)

    def span(row: IncidentRow) -> str:
        return f"{_short(row.opened_at)} → {'now' if row.closed_at is None else _short(row.closed_at)}"

    def sent(row: IncidentRow) -> str:
        parts = [f"✓ {row.sent:,}"] + [f"✕ {row.undelivered:,}"] * (row.undelivered > 0)
        return "  ".join(parts + [f"… {row.waiting:,}"] * (row.waiting > 0))

    return [
        Column("State", 8, lambda row: "▲ open" if row.closed_at is None else "● closed",
               colour=lambda row: "$error" if row.closed_at is None else "$success"),
        Column("Connection", 14, lambda row: row.connection_name, lambda row: row.connection_name.casefold(),
               grows=True),
        Column("Alert", 13, lambda row: f"{SHORT[row.kind]} {percent_text(row.threshold)} %", lambda row: (
            row.kind.value, row.threshold), rank=2),
        Column("From → to", 27, span, lambda row: row.opened_at, rank=1),
        Column("Lasted", 7, lasted, lambda row: (row.closed_at or now()) - row.opened_at, right=True, rank=4),
        Column("Worst", 10, lambda row: percent(row.worst, signed=row.kind is AlertKind.SOURCE_VOLUME),
               lambda row: row.worst or Decimal(0), right=True, rank=3),
        Column("Ended", 12, lambda row: row.close_reason.value.replace("_", " ") if row.close_reason else "", rank=5),
        Column("Sent", 10, sent, lambda row: row.undelivered),
    ]


def member_columns() -> list[Column[MemberRow]]:
    """Members, owners first."""
    return [
        Column("Name", 20, lambda row: row.name, lambda row: row.name.casefold(), grows=True),
        Column("Email", 28, lambda row: row.email, lambda row: row.email),
        Column("Role", 16, lambda row: row.role.value.removeprefix("workspace_"), lambda row: row.role.value),
        Column("Alerts", 6, lambda row: number(row.alerts), lambda row: row.alerts, right=True, rank=1),
    ]
