"""`tocsin alert backtest`: when an alert would have spoken, before it is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.asked import REMINDER_HOURS, BaselineName, DirectionName, ReminderName
from core.commands.desk import at_desk
from core.commands.plugs import new_group
from core.commands.printing import AsJson, moment, number, print_json, print_table, say

if TYPE_CHECKING:
    from core.foresight import Backtest
    from core.rules import Condition

app = new_group("When an alert would have spoken.")


@app.command()
def backtest(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(metavar="SLUG", help="The source to watch.")] = None,
    change: Annotated[str | None, typer.Option(metavar="P", help="Its change in percent.")] = None,
    destination: Annotated[str | None, typer.Option(metavar="SLUG", help="The destination to watch.")] = None,
    below: Annotated[str | None, typer.Option(metavar="P", help="Its delivery rate in percent.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back.")] = 30,
    direction: Annotated[DirectionName, typer.Option(help="Which changes count.")] = "both",
    baseline: Annotated[BaselineName, typer.Option(help="What to compare with.")] = "day_before",
    min_events: Annotated[int, typer.Option(min=0, metavar="N", help="Not judged below so many events.")] = 0,
    reminder: Annotated[ReminderName, typer.Option(help="How often it would remind.")] = "24h",
    no_resolved: Annotated[bool, typer.Option("--no-resolved", help="Without a message when it is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replay the last days hour by hour, as the scheduler would have judged them; nothing is written or sent."""
    slug, asks = _asked(source, change, destination, below, direction, baseline, min_events)
    with at_desk(context) as desk:
        from core import foresight

        with desk.reading() as (session, _):
            found = foresight.backtest(
                session, slug, asks, desk.now, days=days, reminder_hours=REMINDER_HOURS[reminder],
                say_resolved=not no_resolved)
        if as_json:
            print_json(foresight.as_json(found))
        else:
            _print(found)


def _asked(
    source: str | None, change: str | None, destination: str | None, below: str | None, direction: DirectionName,
    baseline: BaselineName, min_events: int,
) -> tuple[str, Condition]:
    """The connection's slug and the condition. Bad usage when they do not belong together."""
    from core.rules import Condition, parse_percent
    from core.terms import AlertKind, Baseline, Direction

    if source is not None and change is not None and destination is None and below is None:
        points = parse_percent(change, AlertKind.SOURCE_VOLUME)
        return source, Condition(
            AlertKind.SOURCE_VOLUME, points, Direction(direction), Baseline(baseline), min_events)
    if destination is None or below is None or source is not None or change is not None:
        raise typer.BadParameter("Give --source SLUG with --change P, or --destination SLUG with --below P.")
    if direction != "both" or baseline != "day_before":
        raise typer.BadParameter("--direction and --baseline belong to a source.")
    return destination, Condition(
        AlertKind.DELIVERY_RATE, parse_percent(below, AlertKind.DELIVERY_RATE), min_events=min_events)


def _print(found: Backtest) -> None:
    from core.foresight import worst_text
    from core.rules import percent_text
    from core.terms import AlertKind

    rate = found.asks.kind is AlertKind.DELIVERY_RATE
    what = f"below {percent_text(found.asks.threshold)} %" if rate else f"at {percent_text(found.asks.threshold)} %"
    opened = len(found.incidents)
    say(f"{found.name} {what}, the {found.days} days to {moment(found.until)}: would have opened {opened} "
        f"incident{'' if opened == 1 else 's'} and sent {number(found.messages)} messages to each channel.")
    if found.judged < found.days * 24:
        say(f"{number(found.judged)} of {number(found.days * 24)} hours could be judged.")
    if opened:
        from core.clock import start_of

        headings = ("From", "To", "Worst", "Delivered" if rate else "Events 24 h", "Attempts" if rate else "Before",
                    "Messages")
        print_table(headings, [
            (moment(start_of(item.opened_hour)),
             "still open" if item.closed_hour is None else moment(start_of(item.closed_hour)),
             worst_text(found.asks.kind, item.worst), number(item.worst[0]), number(item.worst[1]), item.messages)
            for item in found.incidents], right=(2, 3, 4, 5))
    if found.suggestion is not None and found.suggestion != found.asks.threshold:
        say(f"Suggestion: {percent_text(found.suggestion)} % would have opened {found.suggestion_opened}, "
            "at most one a week.")
    for better in found.quieter:
        say(better.text)
    say(found.chance_text)
