"""`tocsin member`: who is in the workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from core.commands.asked import RoleName
from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, print_table, say

app = new_group("Who is in the workspace.")
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command()
def add(
    context: typer.Context, email: Email,
    name: Annotated[str | None, typer.Option(help="What people call them; made from EMAIL.")] = None,
    role: Annotated[RoleName, typer.Option(help="Owners manage members and may delete any alert.")]
    = "workspace_member",
    as_json: AsJson = False,
) -> None:
    """Add a member (owners only)."""
    with at_desk(context) as desk:
        from core.members import add_member, list_members
        from core.terms import Role

        with desk.writing() as (session, actor):
            made = add_member(session, actor, email, name, Role(role), desk.now)
            row = next(row for row in list_members(session) if row.id == made)
    if as_json:
        print_json(row.as_json())
    else:
        say(f"{row.email} is a {row.role.value}")


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the members, owners first."""
    with at_desk(context) as desk:
        from core.members import list_members

        with desk.reading() as (session, actor):
            rows = list_members(session)
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        print_table(["EMAIL", "NAME", "ROLE", "ALERTS", ""],
                    [(row.email, row.name, row.role.value, row.alerts, "you" if row.id == actor.id else "")
                     for row in rows], right=(3,))


@app.command("role")
def change(
    context: typer.Context, email: Email, role: Annotated[RoleName, typer.Argument(metavar="ROLE")]
) -> None:
    """Give a member another role (owners only)."""
    with at_desk(context) as desk:
        from core.members import change_role
        from core.terms import Role

        with desk.writing() as (session, actor):
            change_role(session, actor, email, Role(role), desk.now)
    say(f"{email} is a {role}")


@app.command()
def remove(context: typer.Context, email: Email) -> None:
    """Remove a member (owners only); their alerts stay."""
    with at_desk(context) as desk:
        from core.members import remove_member

        with desk.writing() as (session, actor):
            remove_member(session, actor, email, desk.now)
    say(f"{email} is removed")
