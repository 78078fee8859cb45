"""`tocsin deliver`: try every notification that is due, once."""

from __future__ import annotations

import typer

from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, print_json, print_table, say

app = new_group("One delivery.")


@app.command()
def deliver(context: typer.Context, as_json: AsJson = False) -> None:
    """Try every notification that is due, once, and report what each answered."""
    with at_desk(context) as desk:
        import asyncio

        from core.clock import SystemClock
        from core.outbox import deliver_due, senders_of

        tried = asyncio.run(deliver_due(desk.store, senders_of(desk.settings), SystemClock().now))
    if as_json:
        print_json([attempt.as_json() for attempt in tried])
    elif tried:
        print_table(["NOTIFICATION", "CHANNEL", "TO", "STATE", "ANSWER"],
                    [(", ".join(str(number) for number in attempt.notifications), attempt.channel.value,
                      attempt.recipient, attempt.state.value, attempt.answer) for attempt in tried])
    else:
        say("Nothing is due.")
