"""`tocsin incident`: what has been out of range, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, moment, number, percent, print_json, print_table, say

if TYPE_CHECKING:
    from core.incidents import IncidentRow

app = new_group("Stretches of time in which an alert's condition held.")


@app.callback()
def incidents() -> None:
    """Stretches of time in which an alert's condition held."""


@app.command("list")
def list_(
    context: typer.Context,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    connection: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this connection.")] = None,
    alert: Annotated[int | None, typer.Option(metavar="ID", help="Only of this alert.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List incidents, open ones first, then the newest."""
    with at_desk(context) as desk:
        from core.connections import find
        from core.incidents import list_incidents

        with desk.reading() as (session, actor):
            if connection is not None:
                find(session, connection)
            rows = list_incidents(session, actor, open_only=open_only, slug=connection, alert_id=alert, limit=limit)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        print_table(["ID", "ALERT", "CONNECTION", "OPENED", "CLOSED", "WHY", "NUMBERS", "WORST", "SENT", "FAILED"],
                    [_line(row) for row in rows], right=(0, 1, 7, 8, 9))
    else:
        say("No incident is open." if open_only else "There has been no incident.")


def _line(row: IncidentRow) -> tuple[object, ...]:
    if row.delivered is not None:
        numbers = f"{number(row.delivered)} delivered, {number(row.failed)} failed"
    else:
        numbers = f"{number(row.baseline)} → {number(row.current)}"
    return (row.id, row.alert, row.connection, moment(row.opened_at), moment(row.closed_at),
            row.close_reason.value if row.close_reason else "open", numbers, percent(row.worst), row.sent,
            row.undelivered)
