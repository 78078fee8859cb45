"""`tocsin notification`: every message with its state; the bell; another try for one that was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, moment, print_json, print_table, say

if TYPE_CHECKING:
    from core.incidents import NotificationRow

app = new_group("Messages about incidents, and how their delivery went.")


@app.command("list")
def list_(
    context: typer.Context,
    unread: Annotated[bool, typer.Option("--unread", help="Only the unread ones in your own bell.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    incident: Annotated[int | None, typer.Option(metavar="ID", help="Only of this incident.")] = None,
    alert: Annotated[int | None, typer.Option(metavar="ID", help="Only of this alert.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List notifications, newest first."""
    with at_desk(context) as desk:
        from core.incidents import list_notifications

        with desk.reading() as (session, actor):
            rows = list_notifications(session, actor, unread=unread, failed=failed, incident_id=incident,
                                      alert_id=alert, limit=limit)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        print_table(["ID", "WHEN", "EVENT", "CHANNEL", "TO", "STATE", "WHAT"], [_line(row) for row in rows], right=(0,))
    else:
        say("Nothing has rung.")


@app.command()
def read(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID|all", help="A notification in your bell, or all of them.")],
) -> None:
    """Mark a notification in your own bell read."""
    if which != "all" and not (which.isascii() and which.isdigit() and len(which) < 19):
        raise typer.BadParameter(f"{which!r} is neither an id nor all.")
    with at_desk(context) as desk:
        from core.incidents import mark_read

        with desk.writing() as (session, actor):
            count = mark_read(session, actor, None if which == "all" else [int(which)], desk.now)
    say(f"{count} marked read")


@app.command()
def retry(context: typer.Context, identity: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Queue a notification that was given up once more."""
    with at_desk(context) as desk:
        from core.incidents import retry as queue_again

        with desk.writing() as (session, actor):
            queue_again(session, actor, identity, desk.now)
    say(f"notification {identity} is queued; tocsin deliver tries it now")


def _line(row: NotificationRow) -> tuple[object, ...]:
    state = row.state.value + (" (unread)" if row.channel.value == "in_app" and row.read_at is None else "")
    what = row.sentence if row.last_error is None else f"{row.sentence} [{row.last_error}]"
    return (row.id, moment(row.created_at), row.event.value, row.channel.value, row.recipient or "hidden", state, what)
