"""The alert's form: threshold, channels, options; it reads as an AlertSpec and says what is wrong where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Checkbox, Collapsible, Input, Select, Static

from core.alert_spec import AlertSpec, ChannelSpec
from core.channels.targets import parse_email, parse_slack_url
from core.errors import InvalidInput
from core.rules import Condition, parse_percent, percent_text
from core.terms import AlertKind, Baseline, ChannelKind, Direction
from tui.sheets.fields import Check, Choice, ErrorLine, Form, line, press
from tui.sheets.foreseen import Foreseen
from tui.widgets.words import safe

Kind = TypeVar("Kind")
REMINDERS = [("24 h", 24), ("72 h", 72), ("off", 0)]
DIRECTIONS = [("spikes or drops", Direction.BOTH), ("drops only", Direction.DROP), ("spikes only", Direction.SPIKE)]
BASELINES = [("the 24 h before", Baseline.DAY_BEFORE), ("the same 24 h a week before", Baseline.WEEK_BEFORE)]
WHAT = {AlertKind.SOURCE_VOLUME: "Source volume spikes or drops",
        AlertKind.DELIVERY_RATE: "Successful delivery rate falls below"}
LABEL = {AlertKind.SOURCE_VOLUME: "Change in source volume (%) *",
         AlertKind.DELIVERY_RATE: "Successful delivery rate (%) *"}
USUAL = {AlertKind.SOURCE_VOLUME: "20", AlertKind.DELIVERY_RATE: "99"}
QUIET = ChannelSpec(ChannelKind.IN_APP)


@dataclass(frozen=True, slots=True)
class Subject:
    """The connection an alert is for, and the kind of alert it carries."""

    slug: str
    name: str
    kind: AlertKind


class AlertForm(Form):
    """The fields. `spec` fills them in; `address` is the member's own, `hosts` where Slack may be."""

    def __init__(self, subject: Subject, spec: AlertSpec | None, address: str, hosts: Sequence[str]) -> None:
        super().__init__()
        self._subject, self._spec, self._hosts = subject, spec, hosts
        channels = spec.channels if spec else (QUIET,)
        self._kept = {channel.kind: channel for channel in channels}
        self._address = address

    def compose(self) -> ComposeResult:
        """Three numbered parts, as the reference has two and the options follow."""
        kind, spec = self._subject.kind, self._spec
        yield Static("1  Alert threshold", classes="part")
        yield Static(Content(f"{WHAT[kind]} · {safe(self._subject.name)}"), classes="told in")
        yield Static(LABEL[kind], classes="in")
        with Horizontal(classes="row"):
            yield line(percent_text(spec.threshold) if spec else "", f"e.g. {USUAL[kind]}", "threshold")
            yield Static("%", id="unit")
            yield press("Use", "use")
            yield Static("", id="use-told")
        yield ErrorLine(id="threshold-error")
        yield Foreseen()
        yield from self._channels()
        yield from self._options()

    def _channels(self) -> ComposeResult:
        email, slack = self._kept.get(ChannelKind.EMAIL), self._kept.get(ChannelKind.SLACK)
        yield Static("2  Notification channels  * at least one", classes="part")
        yield Check("Email", email is not None, id="email-on")
        with Vertical(id="email-part", classes="row in"):
            yield line((email and email.target) or self._address, "team@example.com", "email")
        yield ErrorLine(id="email-error")
        yield Check("Slack", slack is not None, id="slack-on")
        with Vertical(id="slack-part", classes="row in"):
            with Horizontal(classes="row-in"):
                yield Static("Webhook URL *", classes="name")
                yield line((slack and slack.target) or "", "https://hooks.slack.com/…", "slack")
            yield Static("", id="slack-kind", classes="told")
            with Horizontal(classes="row-in"):
                yield Static("Channel", classes="name")
                yield line((slack and slack.label) or "", "#data-alerts", "slack-label")
        yield ErrorLine(id="slack-error")
        yield Check("In-app", ChannelKind.IN_APP in self._kept, id="in-app-on")
        yield ErrorLine(id="channels-error")

    def _options(self) -> ComposeResult:
        spec, kind = self._spec, self._subject.kind
        yield Static("3  Options", classes="part")
        with Horizontal(classes="row"):
            yield Static("Reminder every", classes="name")
            yield Choice(REMINDERS, spec.reminder_hours if spec else 24, id="reminder")
        yield Check("Say when resolved", spec.say_resolved if spec else True, id="say-resolved")
        unusual = spec is not None and (spec.min_events > 0 or spec.direction is not Direction.BOTH
                                        or spec.baseline is not Baseline.DAY_BEFORE)
        with Collapsible(title="What counts: direction, baseline, minimum" if kind is AlertKind.SOURCE_VOLUME
                         else "What counts: minimum of attempts", collapsed=not unusual, id="finer"):
            if kind is AlertKind.SOURCE_VOLUME:
                with Horizontal(classes="row"):
                    yield Static("Listen for", classes="name")
                    yield Choice(DIRECTIONS, spec.direction if spec else Direction.BOTH, id="direction")
                with Horizontal(classes="row"):
                    yield Static("Compare with", classes="name")
                    yield Choice(BASELINES, spec.baseline if spec else Baseline.DAY_BEFORE, id="baseline")
            with Horizontal(classes="row"):
                yield Static("Not below", classes="name")
                yield line(str(spec.min_events) if spec else "0", "0", "min-events")
                yield Static("events" if kind is AlertKind.SOURCE_VOLUME else "attempts", id="least-unit")
            yield ErrorLine(id="min_events-error")
        yield Check("Enable alert", spec.enabled if spec else True, id="enabled")

    def on_mount(self) -> None:
        """Show the fields of the channels that are chosen."""
        self.query_one("#use").display = False
        self._show_channels()
        self._recognise()

    @on(Checkbox.Changed)
    def _show_channels(self) -> None:
        for name in ("email", "slack"):
            self.query_one(f"#{name}-part").display = self._on(name)
            if not self._on(name):
                self.say(name, "")
        if any(self._on(name) for name in ("email", "slack", "in-app")):
            self.say("channels", "")

    @on(Input.Changed, "#slack")
    def _recognise(self) -> None:
        """Tell the kind of a Slack URL as it is typed."""
        kind = self.query_one("#slack-kind", Static)
        try:
            told = parse_slack_url(self._text("slack").strip(), self._hosts).value
        except InvalidInput:
            told = ""
        kind.update(Content("  ".join(f"({'•' if told == name else ' '}) {name}" for name in ("webhook", "workflow"))))

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        """What was wrong may be right by now: it is said again when the field is left."""
        self.say((event.control.id or "").replace("-", "_"), "")

    @on(Input.Blurred)
    def _left(self, event: Input.Blurred) -> None:
        field = (event.control.id or "").replace("-", "_")
        try:
            self.check(field)
        except InvalidInput as error:
            self.say(field, str(error))
        else:
            self.say(field, "")

    def check(self, field: str) -> None:
        """Raise InvalidInput if what stands in `field` cannot be read; an untouched empty field is not wrong yet."""
        if field == "threshold" and self._text(field):
            parse_percent(self._text(field), self._subject.kind)
        elif field == "email" and self._on(field):
            parse_email(self._text(field))
        elif field == "slack" and self._on(field) and self._text(field):
            parse_slack_url(self._text(field).strip(), self._hosts)
        elif field == "min_events":
            self._least()

    def say(self, field: str, sentence: str) -> None:
        """Say what is wrong with `field` under it, or nothing more for an empty sentence."""
        for place in self.query(f"#{field}-error").results(ErrorLine):
            place.say(sentence)

    def point_at(self, error: InvalidInput) -> None:
        """Say it under its field, and take the focus there."""
        field = error.field if error.field and self.query(f"#{error.field}-error") else "channels"
        self.say(field, str(error))
        if field == "min_events":
            self.query_one("#finer", Collapsible).collapsed = False
        self.query_one({"channels": "#in-app-on", "min_events": "#min-events"}.get(field, f"#{field}")).focus()

    def all_quiet(self) -> None:
        """Take back everything that was said."""
        for place in self.query(ErrorLine):
            place.say("")

    def offer(self, suggestion: int | None) -> None:
        """Offer a threshold (basis points) in place of the typed one, or none."""
        button, told = self.query_one("#use", Button), self.query_one("#use-told", Static)
        button.display = suggestion is not None
        told.update("" if suggestion is None else "≤ 1 a week")
        if suggestion is not None:
            button.label = Content(f"Use {percent_text(suggestion)} %")

    def values(self) -> tuple[object, ...]:
        """Everything that can be changed, to tell whether it was."""
        return (*(field.value for field in self.query(Input)), *(box.value for box in self.query(Checkbox)),
                *(choice.value for choice in self.query(Select)))

    def asks(self) -> Condition:
        """What would be judged. Raises InvalidInput with its field."""
        kind = self._subject.kind
        threshold = parse_percent(self._text("threshold"), kind)
        if kind is AlertKind.DELIVERY_RATE:
            return Condition(kind, threshold, Direction.BOTH, Baseline.DAY_BEFORE, self._least())
        return Condition(kind, threshold, self._chosen("direction", Direction), self._chosen("baseline", Baseline),
                         self._least())

    def spec(self) -> AlertSpec:
        """The alert as it is typed. Raises InvalidInput with its field."""
        asks, channels = self.asks(), []
        if self._on("email"):
            channels.append(ChannelSpec(ChannelKind.EMAIL, self._text("email")))
        if self._on("slack"):
            channels.append(ChannelSpec(ChannelKind.SLACK, self._text("slack"), self._text("slack-label") or None))
        if self._on("in-app"):
            channels.append(QUIET)
        return AlertSpec(asks.kind, asks.threshold, tuple(channels), asks.direction, asks.baseline, asks.min_events,
                         self._chosen("reminder", int), self._on("say-resolved", ""), self._on("enabled", ""))

    def _chosen(self, field: str, kind: type[Kind]) -> Kind:
        value = self.query_one(f"#{field}", Choice).value
        assert isinstance(value, kind)
        return value

    def _on(self, name: str, end: str = "-on") -> bool:
        return self.query_one(f"#{name}{end}", Checkbox).value

    def _text(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    def _least(self) -> int:
        typed = self._text("min-events").strip() or "0"
        if not typed.isascii() or not typed.isdigit():
            raise InvalidInput("A whole number of events, 0 or more.", "min_events")
        return int(typed)
