"""`tocsin segment`: a real Segment workspace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.commands.desk import Desk, at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_facts, print_json, say
from core.errors import InvalidInput, TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.intake.segment.sync import Progress, SyncReport

app = new_group("A real Segment workspace, read through its Public API.")


@app.command()
def connect(
    context: typer.Context,
    region: Annotated[Literal["us", "eu"], typer.Option(help="Where the workspace is.")] = "us",
    me: Annotated[str | None, typer.Option(
        "--member", metavar="EMAIL", help="Which member is at this keyboard from now on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Connect a workspace and fill 14 days (owners only). The token comes from TOCSIN_SEGMENT_TOKEN or a prompt."""
    with at_desk(context) as desk:
        import asyncio

        from core.access import require_owner
        from core.clock import SystemClock
        from core.intake.segment.connection import connect as join

        require_owner(desk.member(), "connect a Segment workspace")
        token = _token()
        made = asyncio.run(join(desk.store, desk.settings, SystemClock(), token, region=region, progress=_progress()))
        _show(desk, made.report, as_json)
        _choose_member(desk, me)


@app.command()
def sync(context: typer.Context, as_json: AsJson = False) -> None:
    """Read the connected workspace now."""
    with at_desk(context) as desk:
        import asyncio

        from core.clock import SystemClock
        from core.intake.segment.connection import sync_if_connected

        desk.member()
        report = asyncio.run(sync_if_connected(desk.store, desk.settings, SystemClock(), progress=_progress()))
        if report is None:
            raise InvalidInput("No Segment workspace is connected; `tocsin segment connect` connects one.")
        _show(desk, report, as_json)


@app.command()
def disconnect(context: typer.Context) -> None:
    """Forget the workspace and its token (owners only); what was read of it stays."""
    with at_desk(context) as desk:
        from core.access import require_owner
        from core.intake.segment.connection import disconnect as leave

        require_owner(desk.member(), "disconnect a Segment workspace")
        left = leave(desk.store, desk.settings, desk.now)
    say(f"{left.workspace_name} is disconnected; its connections, counts and alerts stay")


def _token() -> str:
    """The token of the environment, or one that is typed unseen, or the first line of what is piped in."""
    import os

    from core.intake.segment.token import VARIABLE

    given = os.environ.get(VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt("Public API token", hide_input=True))


def _progress() -> Callable[[Progress], None] | None:
    """Where a person waits, one line that is written over; elsewhere nothing."""
    if not sys.stderr.isatty():
        return None

    def show(at: Progress) -> None:
        print(f"\r\x1b[K{at.step}: {at.done:,} of {at.total:,}", end="", file=sys.stderr, flush=True)

    return show


def _show(desk: Desk, report: SyncReport, as_json: bool) -> None:
    """Print what a sync did, and its error as the command's error."""
    from core.clock import iso
    from core.intake.segment.connection import current

    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    found = current(desk.store)
    facts: dict[str, object] = {
        "workspace": found.workspace_name if found else None, "region": found.region if found else None,
        "sources": report.sources, "destinations": report.destinations, "members": report.members,
        "added": len(report.changes.added), "removed": len(report.changes.removed),
        "returned": len(report.changes.returned), "counts_changed": report.counts_changed,
        "requests": report.requests, "stale": report.stale,
        "last_sync_at": iso(found.last_sync_at) if found else None, "error": report.error,
    }
    if as_json:
        print_json(facts)
    else:
        listed = {name.replace("_", " "): f"{value:,}" if isinstance(value, int) else value
                  for name, value in facts.items() if name not in ("stale", "error")}
        print_facts({**listed, "stale": ", ".join(report.stale) or None})
    if report.error is not None:
        raise TocsinError(report.error)


def _choose_member(desk: Desk, email: str | None) -> None:
    """Keep who is at this keyboard in the settings file: a token does not say which person holds it."""
    from core.intake.segment.token import save_value
    from core.members import known_member, list_members

    if email is None and sys.stdin.isatty() and desk.settings.member is None:
        with desk.store.read() as session:
            members = [row.email for row in list_members(session)]
        email = typer.prompt(f"Which member are you? {', '.join(members)}", default=desk.member().email)
    if email is not None:
        with desk.store.read() as session:
            actor = known_member(session, email)
        if actor is not None:
            save_value(desk.settings, "member", actor.email)
            say(f"From now on you are {actor.email}")
