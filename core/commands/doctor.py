"""`tocsin doctor`: is everything in place, and if not, what to do."""

from __future__ import annotations

import typer

from core.commands.desk import settings_of
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, print_table, say

app = new_group("A look at everything.")


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check store, clock, mail server, collector, Slack and token; say what to do. Exit code 1 if anything is bad."""
    import asyncio

    from core.clock import SystemClock
    from core.doctor import State, examine
    from core.settings import config_file, described

    settings = settings_of(context)
    findings = asyncio.run(examine(settings, SystemClock()))
    rows = described(settings)
    file = config_file()
    if as_json:
        print_json({"checks": [finding.as_json() for finding in findings], "file": str(file),
                    "settings": [{"key": key, "value": value, "from": origin} for key, value, origin in rows]})
    else:
        for finding in findings:
            advice = f" → {finding.advice}" if finding.advice else ""
            say(f"{finding.state.value:<4}  {finding.name:<9}  {finding.told}{advice}")
        print()
        say(f"Settings file: {file}{'' if file.exists() else ' (there is none)'}")
        print_table(["SETTING", "VALUE", "FROM"], rows)
    if any(finding.state is State.BAD for finding in findings):
        raise typer.Exit(1)
