"""`tocsin alert`: create, see, change, switch, mute, delete and test alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from core.commands import alert_text as texts
from core.commands.alert_options import (
    BaselineOption,
    BelowPercent,
    ChangePercent,
    DestinationSlug,
    DirectionOption,
    Edited,
    EmailAddress,
    MinEvents,
    ReminderOption,
    SlackChannel,
    SlackUrl,
    SourceSlug,
    edited_spec,
    new_spec,
)
from core.commands.asked import StateName, asked_length
from core.commands.desk import Desk, at_desk
from core.commands.plugs import Plug, new_group
from core.commands.printing import AsJson, moment, plain, print_json, print_table, say
from core.errors import TocsinError

app = new_group("Thresholds on connections, and where they are told.")
PLUGS = {"backtest": Plug("backtest", "backtest")}
Identity = Annotated[int, typer.Argument(metavar="ID", help="The alert's number.")]


@app.command()
def create(
    context: typer.Context,
    source: SourceSlug = None,
    change: ChangePercent = None,
    destination: DestinationSlug = None,
    below: BelowPercent = None,
    email: EmailAddress = None,
    slack: SlackUrl = None,
    slack_channel: SlackChannel = None,
    in_app: Annotated[bool, typer.Option("--in-app", help="Ring your bell.")] = False,
    reminder: ReminderOption = None,
    direction: DirectionOption = None,
    baseline: BaselineOption = None,
    min_events: MinEvents = None,
    no_resolved: Annotated[bool, typer.Option("--no-resolved", help="Say nothing when it is over.")] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Create it without judging it yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an alert: --source with --change, or --destination with --below, and at least one channel."""
    asked = Edited(change, below, email, slack, slack_channel, in_app or None, reminder, direction, baseline,
                   min_events, False if no_resolved else None, False if disabled else None)
    slug = texts.one_rule(source, destination, asked)
    with at_desk(context) as desk:
        from core.alerts import create_alert

        with desk.writing() as (session, actor):
            made = create_alert(session, actor, slug, new_spec(asked), desk.now, desk.settings.slack_hosts)
        texts.print_one(desk, made, as_json, "created")


@app.command("list")
def list_(
    context: typer.Context,
    connection: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this connection.")] = None,
    state: Annotated[StateName | None, typer.Option(help="Only in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List alerts, firing ones first."""
    with at_desk(context) as desk:
        from core.alerts import list_alerts

        with desk.reading() as (session, actor):
            rows = list_alerts(session, actor, slug=connection, state=state, now=desk.now)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        texts.print_alerts(rows)
    else:
        say("There are no such alerts.")


@app.command()
def show(context: typer.Context, identity: Identity, as_json: AsJson = False) -> None:
    """Show one alert in full."""
    with at_desk(context) as desk:
        texts.print_one(desk, identity, as_json)


@app.command()
def edit(
    context: typer.Context,
    identity: Identity,
    change: ChangePercent = None,
    below: BelowPercent = None,
    email: EmailAddress = None,
    no_email: Annotated[bool, typer.Option("--no-email", help="Take the email channel away.")] = False,
    slack: SlackUrl = None,
    slack_channel: SlackChannel = None,
    no_slack: Annotated[bool, typer.Option("--no-slack", help="Take the Slack channel away.")] = False,
    in_app: Annotated[bool | None, typer.Option("--in-app/--no-in-app", help="Ring your bell, or not.")] = None,
    reminder: ReminderOption = None,
    direction: DirectionOption = None,
    baseline: BaselineOption = None,
    min_events: MinEvents = None,
    resolved: Annotated[bool | None, typer.Option("--resolved/--no-resolved", help="Say when it is over.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Judge it, or not.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and keep the rest (its creator only)."""
    if (no_email and email is not None) or (no_slack and slack is not None):
        raise typer.BadParameter("a channel is either set or taken away, not both.")
    asked = Edited(change, below, "" if no_email else email, "" if no_slack else slack, slack_channel, in_app, reminder,
                   direction, baseline, min_events, resolved, enabled)
    if asked == Edited():
        raise typer.BadParameter("say what to change, for instance --change 30.")
    with at_desk(context) as desk:
        from core.alerts import edit_alert, get_alert

        with desk.writing() as (session, actor):
            spec = edited_spec(get_alert(session, actor, identity, desk.now).spec, asked)
            edit_alert(session, actor, identity, spec, desk.now, desk.settings.slack_hosts)
        texts.print_one(desk, identity, as_json, "changed")


@app.command()
def enable(context: typer.Context, identity: Identity) -> None:
    """Judge the alert again (its creator only)."""
    _switch(context, identity, True)


@app.command()
def disable(context: typer.Context, identity: Identity) -> None:
    """Judge the alert no more; its open incident closes (its creator only)."""
    _switch(context, identity, False)


@app.command()
def mute(
    context: typer.Context, identity: Identity,
    length: Annotated[str, typer.Option("--for", metavar="LENGTH", help="30m, 8h or 2d.")],
) -> None:
    """Send nothing for a while; it is still judged and shown (its creator only)."""
    wanted = asked_length(length)
    with at_desk(context) as desk:
        from core.alerts import mute as silence

        with desk.writing() as (session, actor):
            silence(session, actor, identity, desk.now + wanted, desk.now)
        say(f"alert {identity} is muted until {moment(desk.now + wanted)}")


@app.command()
def unmute(context: typer.Context, identity: Identity) -> None:
    """Send again; an incident that is still open notifies (its creator only)."""
    with at_desk(context) as desk:
        from core.alerts import unmute as speak

        with desk.writing() as (session, actor):
            speak(session, actor, identity, desk.now)
    say(f"alert {identity} is not muted")


@app.command()
def delete(context: typer.Context, identity: Identity) -> None:
    """Delete the alert; its history stays (its creator or a workspace owner)."""
    with at_desk(context) as desk:
        from core.alerts import delete_alert

        with desk.writing() as (session, actor):
            delete_alert(session, actor, identity, desk.now)
    say(f"alert {identity} is deleted")


@app.command("test")
def send_test_message(context: typer.Context, identity: Identity, as_json: AsJson = False) -> None:
    """Send a marked test message through the alert's channels, and print each answer (its creator only)."""
    with at_desk(context) as desk:
        import asyncio

        from core.clock import SystemClock
        from core.outbox import senders_of
        from core.trial import send_test

        answers = asyncio.run(
            send_test(desk.store, desk.member(), identity, senders_of(desk.settings), SystemClock().now))
    if as_json:
        print_json([answer.as_json() for answer in answers])
    else:
        print_table(["CHANNEL", "TO", "SENT", "ANSWER"],
                    [(answer.channel.value, answer.recipient, "yes" if answer.ok else "no", answer.answer)
                     for answer in answers])
    refused = [answer.channel.value for answer in answers if not answer.ok]
    if refused:
        raise TocsinError(f"The test message was not taken by {plain(', '.join(refused))}.")


def _switch(context: typer.Context, identity: int, enabled: bool) -> None:
    with at_desk(context) as desk:
        _set_enabled(desk, identity, enabled)
    say(f"alert {identity} is {'enabled' if enabled else 'disabled'}")


def _set_enabled(desk: Desk, identity: int, enabled: bool) -> None:
    from core.alerts import set_enabled

    with desk.writing() as (session, actor):
        set_enabled(session, actor, identity, enabled, desk.now)
