"""`tocsin destination`: add, list, show, switch and remove destinations."""

from __future__ import annotations

from typing import Annotated

import typer

from core.commands import connection_text as texts
from core.commands.asked import ModeName
from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, say

app = new_group("Where a source's events go.")
Slug = Annotated[str, typer.Argument(help="The destination's slug.")]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    source: Annotated[str, typer.Option(metavar="SLUG", help="The source whose events it gets.")],
    slug: Annotated[str | None, typer.Option(help="Its short name in commands and files; made from NAME.")] = None,
    type: Annotated[str, typer.Option(help="What kind of thing takes the events.")] = "Webhook",
    mode: Annotated[ModeName, typer.Option(help="Only cloud-mode destinations carry alerts.")] = "cloud",
    as_json: AsJson = False,
) -> None:
    """Add a destination; print its slug."""
    with at_desk(context) as desk:
        from core.connections import add_destination
        from core.terms import Mode

        with desk.writing() as (session, _):
            made = add_destination(session, name, source, slug=slug, type=type, mode=Mode(mode), now=desk.now)
    if as_json:
        print_json({"slug": made.slug, "source": source})
    else:
        say(made.slug)


@app.command("list")
def list_(
    context: typer.Context,
    mode: Annotated[ModeName | None, typer.Option(help="Only this mode.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the destinations with their deliveries of the last 24 whole hours."""
    with at_desk(context) as desk:
        from core.connection_rows import destination_rows
        from core.terms import Mode

        with desk.reading() as (session, _):
            rows = destination_rows(session, mode=Mode(mode) if mode else None, now=desk.now, sparks=False)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        texts.print_destinations(rows)
    else:
        say("There are no destinations; add one with: tocsin destination add NAME --source SLUG")


@app.command()
def show(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Show one destination: its numbers and its last 48 h."""
    texts.show(context, slug, "destination", as_json)


@app.command()
def enable(context: typer.Context, slug: Slug) -> None:
    """Judge it again."""
    texts.switch(context, slug, "destination", True)


@app.command()
def disable(context: typer.Context, slug: Slug) -> None:
    """Judge nothing for it; its open incidents close."""
    texts.switch(context, slug, "destination", False)


@app.command("set")
def set_(
    context: typer.Context, slug: Slug,
    mode: Annotated[ModeName, typer.Option(help="How it is reached, whatever a sync would infer.")],
) -> None:
    """Say which mode a destination has."""
    with at_desk(context) as desk:
        from core.connections import find, override
        from core.terms import ConnectionKind, Mode

        with desk.writing() as (session, _):
            find(session, slug, ConnectionKind.DESTINATION)
            override(session, slug, mode=Mode(mode))
    say(f"{slug} is a {mode}-mode destination now")


@app.command()
def remove(context: typer.Context, slug: Slug) -> None:
    """Remove a destination with its alerts; their history stays."""
    texts.remove(context, slug, "destination")
