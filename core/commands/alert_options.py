"""The options of `alert create` and `alert edit`, and the alert that they describe."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.asked import REMINDER_HOURS, BaselineName, DirectionName, ReminderName

if TYPE_CHECKING:
    from core.alert_spec import AlertSpec, ChannelSpec
    from core.terms import ChannelKind

SourceSlug = Annotated[str | None, typer.Option("--source", metavar="SLUG", help="Watch this source's volume.")]
ChangePercent = Annotated[str | None, typer.Option(
    "--change", metavar="P", help="Tell when the volume changes by more than P percent (0.01 to 1000).")]
DestinationSlug = Annotated[str | None, typer.Option(
    "--destination", metavar="SLUG", help="Watch this destination's delivery rate.")]
BelowPercent = Annotated[str | None, typer.Option(
    "--below", metavar="P", help="Tell when fewer than P percent are delivered (0.01 to 100).")]
EmailAddress = Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="Send mail to this address.")]
SlackUrl = Annotated[str | None, typer.Option(
    "--slack", metavar="URL", help="Post to this incoming webhook or start this workflow.")]
SlackChannel = Annotated[str | None, typer.Option(
    "--slack-channel", metavar="NAME", help="The Slack channel's name, for people.")]
ReminderOption = Annotated[ReminderName | None, typer.Option(
    "--reminder", help="How often to remind while it lasts (24h).")]
DirectionOption = Annotated[DirectionName | None, typer.Option(
    "--direction", help="Which changes of a volume count (both).")]
BaselineOption = Annotated[BaselineName | None, typer.Option(
    "--baseline", help="What a volume is compared with (day_before).")]
MinEvents = Annotated[int | None, typer.Option(
    "--min-events", min=0, metavar="N", help="Do not judge below so many events, or attempts (0).")]


@dataclass(frozen=True, slots=True)
class Edited:
    """What was typed; None is what was not, and an empty address or URL takes its channel away."""

    change: str | None = None
    below: str | None = None
    email: str | None = None
    slack: str | None = None
    slack_channel: str | None = None
    in_app: bool | None = None
    reminder: ReminderName | None = None
    direction: DirectionName | None = None
    baseline: BaselineName | None = None
    min_events: int | None = None
    say_resolved: bool | None = None
    enabled: bool | None = None


def new_spec(asked: Edited) -> AlertSpec:
    """The new alert that `asked` describes. Raises InvalidInput for the percentage."""
    from core.alert_spec import AlertSpec
    from core.terms import AlertKind

    kind = AlertKind.DELIVERY_RATE if asked.change is None else AlertKind.SOURCE_VOLUME
    return edited_spec(AlertSpec(kind, 0, ()), asked)


def edited_spec(spec: AlertSpec, asked: Edited) -> AlertSpec:
    """`spec` with what was typed. Raises InvalidInput for the percentage, or for the other kind's one."""
    from core.errors import InvalidInput
    from core.rules import parse_percent
    from core.terms import AlertKind, Baseline, Direction

    volume = spec.kind is AlertKind.SOURCE_VOLUME
    if (asked.below if volume else asked.change) is not None:
        takes = "source volume alert takes --change" if volume else "delivery rate alert takes --below"
        raise InvalidInput(f"A {takes}.", "threshold")
    typed = asked.change if volume else asked.below
    return changed(
        spec,
        threshold=spec.threshold if typed is None else parse_percent(typed, spec.kind),
        channels=_channels(spec.channels, asked),
        direction=spec.direction if asked.direction is None else Direction(asked.direction),
        baseline=spec.baseline if asked.baseline is None else Baseline(asked.baseline),
        min_events=spec.min_events if asked.min_events is None else asked.min_events,
        reminder_hours=spec.reminder_hours if asked.reminder is None else REMINDER_HOURS[asked.reminder],
        say_resolved=spec.say_resolved if asked.say_resolved is None else asked.say_resolved,
        enabled=spec.enabled if asked.enabled is None else asked.enabled,
    )


def _channels(kept: tuple[ChannelSpec, ...], asked: Edited) -> tuple[ChannelSpec, ...]:
    from core.alert_spec import ChannelSpec
    from core.errors import InvalidInput
    from core.terms import ChannelKind

    channels: dict[ChannelKind, ChannelSpec] = {channel.kind: channel for channel in kept}
    for kind, target in ((ChannelKind.EMAIL, asked.email), (ChannelKind.SLACK, asked.slack)):
        if target == "":
            channels.pop(kind, None)
        elif target is not None:
            label = channels[kind].label if kind in channels else None
            channels[kind] = ChannelSpec(kind, target, label)
    if asked.slack_channel is not None:
        if ChannelKind.SLACK not in channels:
            raise InvalidInput("A Slack channel's name needs a Slack URL beside it.", "slack_channel")
        channels[ChannelKind.SLACK] = changed(channels[ChannelKind.SLACK], label=asked.slack_channel or None)
    if asked.in_app is True:
        channels[ChannelKind.IN_APP] = ChannelSpec(ChannelKind.IN_APP)
    elif asked.in_app is False:
        channels.pop(ChannelKind.IN_APP, None)
    return tuple(channels.values())
