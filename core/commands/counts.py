"""`tocsin counts`: hourly counts from a CSV file and back."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from core.commands.asked import asked_time
from core.commands.desk import Desk, at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, say
from core.errors import InvalidInput

app = new_group("Hourly counts, from a CSV file and back.")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.csv", help="connection,hour,stage,count; - is standard input.")],
    as_json: AsJson = False,
) -> None:
    """Set the counts that a CSV file holds; a bad row refuses the file and changes nothing."""
    with at_desk(context) as desk:
        from core.intake.csv_file import import_counts, known_connections, read_counts

        with desk.reading() as (session, _):
            known = known_connections(session)
        if file == "-":
            rows = read_counts(sys.stdin.buffer, "-", known)
        else:
            try:
                with Path(file).open("rb") as stream:
                    rows = read_counts(stream, file, known)
            except OSError as error:
                raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from None
        with desk.writing() as (session, _):
            done = import_counts(session, rows)
    if as_json:
        print_json(done.as_json())
    else:
        say(f"{done.counts:,} counts of {done.connections:,} connections imported")


@app.command()
def export(
    context: typer.Context,
    connection: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this connection.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only from this hour on (UTC).")] = None,
) -> None:
    """Print counts as CSV, sorted; tocsin counts import - takes it again."""
    moment = None if since is None else asked_time(since)
    with at_desk(context) as desk:
        _print_counts(desk, connection, moment)


def _print_counts(desk: Desk, connection: str | None, since: datetime | None) -> None:
    from core.intake.csv_file import export_counts

    with desk.reading() as (session, _):
        for line in export_counts(session, slug=connection, since=since):
            sys.stdout.write(line)
