"""`tocsin check`: one pass now, and what it says of every alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.asked import asked_time
from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, number, percent, print_json, print_table, say

if TYPE_CHECKING:
    from core.evaluation import VerdictRow

app = new_group("One pass.")


@app.command()
def check(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Judge as of this time (UTC) instead of now.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the verdicts and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge every alert once, and print each verdict with its numbers."""
    moment = None if at is None else asked_time(at)
    with at_desk(context) as desk:
        from core.watch import run_pass

        report = run_pass(desk.store, moment or desk.now, now=desk.now, dry_run=dry_run)
    if as_json:
        print_json([row.as_json() for row in report.verdicts])
        return
    if report.verdicts:
        print_table(["ALERT", "CONNECTION", "VERDICT", "NUMBERS", "IS", "THRESHOLD", "INCIDENT"],
                    [_line(row) for row in report.verdicts], right=(0, 4, 5, 6))
    ended = " (nothing was changed)" if dry_run else ""
    say(f"{len(report.verdicts):,} alerts judged, {report.opened:,} incidents opened, {report.resolved:,} resolved, "
        f"{report.queued:,} notifications queued{ended}")


def _line(row: VerdictRow) -> tuple[object, ...]:
    from core.rules import percent_text

    if row.delivered is not None:
        numbers = f"{number(row.delivered)} delivered, {number(row.failed)} failed"
        share = percent(row.rate_percent)
    else:
        numbers = f"{number(row.baseline)} → {number(row.current)}"
        share = percent(row.change_percent, sign=True)
    return (row.alert, row.connection, row.verdict.value, numbers, share, f"{percent_text(row.threshold)} %",
            row.incident or "–")
