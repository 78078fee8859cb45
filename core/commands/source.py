"""`tocsin source`: add, list, show, switch and remove sources."""

from __future__ import annotations

from typing import Annotated

import typer

from core.commands import connection_text as texts
from core.commands.asked import CategoryName
from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, say

app = new_group("Where events come from.")
Slug = Annotated[str, typer.Argument(help="The source's slug.")]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    slug: Annotated[str | None, typer.Option(help="Its short name in commands and files; made from NAME.")] = None,
    type: Annotated[str, typer.Option(help="What kind of thing sends the events.")] = "HTTP API",
    category: Annotated[CategoryName, typer.Option(help="The tab it stands in.")] = "event_streams",
    as_json: AsJson = False,
) -> None:
    """Add a source; print its slug and its write key."""
    with at_desk(context) as desk:
        from core.connections import add_source
        from core.terms import Category

        with desk.writing() as (session, _):
            made = add_source(session, name, slug=slug, type=type, category=Category(category), now=desk.now)
    if as_json:
        print_json({"slug": made.slug, "write_key": made.write_key})
    else:
        say(f"{made.slug}  write key: {made.write_key}")


@app.command("list")
def list_(
    context: typer.Context,
    category: Annotated[CategoryName | None, typer.Option(help="Only this tab.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the sources with their events of the last 24 whole hours."""
    with at_desk(context) as desk:
        from core.connection_rows import source_rows
        from core.terms import Category

        with desk.reading() as (session, _):
            rows = source_rows(session, category=Category(category) if category else None, now=desk.now, sparks=False)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        texts.print_sources(rows)
    else:
        say("There are no sources; add one with: tocsin source add NAME")


@app.command()
def show(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Show one source: its numbers, its last 48 h and, to workspace owners, its write key."""
    texts.show(context, slug, "source", as_json)


@app.command()
def enable(context: typer.Context, slug: Slug) -> None:
    """Count its events again."""
    texts.switch(context, slug, "source", True)


@app.command()
def disable(context: typer.Context, slug: Slug) -> None:
    """Count nothing and judge nothing for it; its open incidents close."""
    texts.switch(context, slug, "source", False)


@app.command("set")
def set_(
    context: typer.Context, slug: Slug,
    category: Annotated[CategoryName, typer.Option(help="The tab it stands in, whatever a sync would infer.")],
) -> None:
    """Say which category a source has."""
    with at_desk(context) as desk:
        from core.connections import find, override
        from core.terms import Category, ConnectionKind

        with desk.writing() as (session, _):
            find(session, slug, ConnectionKind.SOURCE)
            override(session, slug, category=Category(category))
    say(f"{slug} is {category} now")


@app.command()
def remove(context: typer.Context, slug: Slug) -> None:
    """Remove a source with its alerts; their history stays."""
    texts.remove(context, slug, "source")
