"""`tocsin export` and `tocsin apply`: alerts as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, say

if TYPE_CHECKING:
    from core.alertplan import Plan

app = new_group("Alerts as a file.")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to write; - is standard output.")] = "-",
    with_secrets: Annotated[bool, typer.Option(
        "--with-secrets", help="Write Slack URLs out instead of ${TOCSIN_SLACK_…}.")] = False,
) -> None:
    """Write every alert as YAML, with its connection, creator and channels."""
    with at_desk(context) as desk:
        from core.alertfile import export as written

        with desk.reading() as (session, actor):
            text = written(session, actor, desk.now, with_secrets=with_secrets)
    if file == "-":
        print(text, end="")
    else:
        _write(file, text)


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="The file; - is standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also delete alerts that are not in the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the alerts as the file says, all or nothing, and show what changes."""
    import os

    text, name = _read(file)
    with at_desk(context) as desk:
        from core import alertplan
        from core.alertfile import read

        wanted = read(text, name)
        does = alertplan.plan if dry_run else alertplan.apply
        with desk.reading() if dry_run else desk.writing() as (session, actor):
            planned = does(session, actor, wanted, desk.now, environment=os.environ,
                           slack_hosts=desk.settings.slack_hosts, prune=prune)
    if as_json:
        print_json({"applied": not dry_run, "changes": [change.as_json() for change in planned.changes],
                    "unchanged": planned.kept})
    else:
        _print(planned, dry_run)


def _print(planned: Plan, dry_run: bool) -> None:
    if not planned.changes:
        say("Nothing to do: the alerts are as the file says.")
        return
    sign = {"create": "+", "change": "~", "delete": "-"}
    for change in planned.changes:
        number = f" {change.alert}" if change.alert is not None else ""
        say(f"{sign[change.does]} {change.does} {change.what}{number}: {change.subject}")
        for item in change.differences:
            before = f"{item.old} → " if change.does == "change" else ""
            say(f"    {item.key}: {before}{item.new}")
    counts = ", ".join(f"{planned.count(does)} to {does}" for does in sign)
    say(f"Plan: {counts}; {planned.kept} stay as they are. {'Nothing was changed.' if dry_run else 'Done.'}")


def _read(file: str) -> tuple[str, str]:
    """The text of a file and its name for messages. Raises InvalidInput when it cannot be read."""
    import sys
    from pathlib import Path

    from core.alertfile import LARGEST_FILE
    from core.errors import InvalidInput

    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise InvalidInput(f"{name} is larger than {LARGEST_FILE:,} bytes.")
        return raw.decode("utf-8-sig"), name
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not UTF-8 text.") from None


def _write(file: str, text: str) -> None:
    """Replace the file at once, for its owner's eyes only: with secrets in it or not, it names people."""
    import os
    import tempfile
    from pathlib import Path

    from core.errors import InvalidInput

    path = Path(file).resolve()
    try:
        if path.exists() and not path.is_file():  # a pipe or a terminal is written to, not replaced
            path.write_text(text, encoding="utf-8")
            return
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                opened.write(text)
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from None
