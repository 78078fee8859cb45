"""The create and edit sheet: a threshold with what it would have said, channels, options; saved in one transaction."""

from __future__ import annotations

from typing import ClassVar

from sqlmodel import Session
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Checkbox, Input, Select, Static, Switch

from core.alert_rows import AlertRow
from core.alert_spec import AlertSpec, ChannelSpec
from core.alerts import create_alert, edit_alert
from core.channels.targets import parse_email, parse_slack_url
from core.clock import start_of
from core.connections import find
from core.errors import InvalidInput, TocsinError
from core.foresight import Preview, preview
from core.model import AlertKind, Baseline, ChannelKind, ConnectionKind, Direction
from core.rules import Condition, parse_percent, percent_text
from tui.engine import Engine
from tui.sheets.confirm import Confirm
from tui.widgets.words import safe, sparkline

DEBOUNCE_S = 0.25
REMINDERS = [("every 24 h", 24), ("every 72 h", 72), ("off", 0)]
DIRECTIONS = [("spikes or drops", Direction.BOTH), ("drops only", Direction.DROP), ("spikes only", Direction.SPIKE)]
BASELINES = [("the 24 h before", Baseline.DAY_BEFORE), ("the same 24 h a week before", Baseline.WEEK_BEFORE)]
WHAT = {AlertKind.SOURCE_VOLUME: "Source volume spikes or drops",
        AlertKind.DELIVERY_RATE: "Successful delivery rate drops"}
LABEL = {AlertKind.SOURCE_VOLUME: "Change in source volume (%) *",
         AlertKind.DELIVERY_RATE: "Successful delivery rate (%) *"}


class AlertSheet(ModalScreen[int | None]):
    """Answers with the id of the alert that was saved, or None."""

    CSS_PATH = "sheet.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True), Binding("escape", "leave", "Back")]

    def __init__(self, engine: Engine, slug: str, editing: AlertRow | None = None) -> None:
        super().__init__()
        self._engine, self._slug, self._editing = engine, slug, editing
        self._kind = editing.kind if editing else AlertKind.SOURCE_VOLUME
        self._timer: Timer | None = None
        self._typed: object = None
        self._suggestion: int | None = None

    def compose(self) -> ComposeResult:
        """The form; what depends on the connection is filled in on mount."""
        spec = self._editing.spec if self._editing else None
        targets = {channel.kind: channel for channel in spec.channels} if spec else {}
        email, slack = targets.get(ChannelKind.EMAIL), targets.get(ChannelKind.SLACK)
        with Vertical(id="sheet"):
            yield Static("Edit alert" if spec else "Create alert", id="title")
            with VerticalScroll(id="form", can_focus=False):
                yield Static("1  Alert threshold", classes="part")
                yield Static("", id="what")
                yield Static("", id="label")
                with Horizontal(classes="line"):
                    yield Input(percent_text(spec.threshold) if spec else "", placeholder="20", id="threshold")
                    yield Button("", id="use", classes="hidden")
                yield Static("", id="threshold-error", classes="error")
                yield Static("", id="preview")
                yield Static("2  Notification channels   at least one", classes="part")
                yield Checkbox("Email", email is not None, id="email-on")
                yield Input((email.target or "") if email else "", placeholder="team@example.com", id="email")
                yield Static("", id="email-error", classes="error")
                yield Checkbox("Slack", slack is not None, id="slack-on")
                yield Input((slack.target or "") if slack else "", placeholder="https://hooks.slack.com/…", id="slack")
                yield Static("", id="slack-kind", classes="told")
                yield Static("", id="slack-error", classes="error")
                yield Input((slack.label or "") if slack else "", placeholder="#channel, for people", id="slack-label")
                yield Checkbox("In-app", spec is None or ChannelKind.IN_APP in targets, id="in-app-on")
                yield Static("", id="channels-error", classes="error")
                yield Static("3  Options", classes="part")
                yield from self._options(spec)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save  ^s", id="save", variant="primary")

    def _options(self, spec: AlertSpec | None) -> ComposeResult:
        yield Static("Reminder while it lasts", classes="told")
        yield Select(REMINDERS, value=spec.reminder_hours if spec else 24, allow_blank=False, id="reminder")
        with Vertical(id="volume-options"):
            yield Static("Listen for", classes="told")
            yield Select(DIRECTIONS, value=spec.direction if spec else Direction.BOTH, allow_blank=False,
                         id="direction")
            yield Static("Compare with", classes="told")
            yield Select(BASELINES, value=spec.baseline if spec else Baseline.DAY_BEFORE, allow_blank=False,
                         id="baseline")
        yield Static("Not judged below so many events", classes="told")
        yield Input(str(spec.min_events) if spec else "0", id="min-events", type="integer")
        yield Static("", id="min_events-error", classes="error")
        yield Checkbox("Say when resolved", spec.say_resolved if spec else True, id="say-resolved")
        with Horizontal(classes="line"):
            yield Switch(spec.enabled if spec else True, id="enabled")
            yield Static("Enable alert", classes="beside")

    async def on_mount(self) -> None:
        """Learn what the connection is, and begin at the threshold."""
        kind, name = await self._engine.read(_kind_and_name, self._slug)
        if self._editing is None and kind is ConnectionKind.DESTINATION:
            self._kind = AlertKind.DELIVERY_RATE
        self.query_one("#what", Static).update(Content(f"{WHAT[self._kind]} · {safe(name)}"))
        self.query_one("#label", Static).update(Content(LABEL[self._kind]))
        self.query_one("#volume-options").display = self._kind is AlertKind.SOURCE_VOLUME
        if self._editing is None:
            self.query_one("#email", Input).value = self._engine.actor.email
        self._show_channels()
        self.query_one("#threshold", Input).focus()
        self._typed = self._values()
        self._foresee()

    def _values(self) -> tuple[object, ...]:
        return (*(field.value for field in self.query(Input)), *(box.value for box in self.query(Checkbox)),
                *(choice.value for choice in self.query(Select)), self.query_one(Switch).value)

    def _show_channels(self) -> None:
        self.query_one("#email").display = self.query_one("#email-on", Checkbox).value
        for name in ("#slack", "#slack-kind", "#slack-label"):
            self.query_one(name).display = self.query_one("#slack-on", Checkbox).value

    @on(Checkbox.Changed)
    def _channels_changed(self) -> None:
        self._show_channels()
        self._say("channels", "")

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self, event: Input.Changed | Select.Changed) -> None:
        if event.control.id == "slack":
            self._recognise()
        if event.control.id in ("threshold", "direction", "baseline", "min-events"):
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(DEBOUNCE_S, self._foresee)

    @on(Input.Blurred)
    def _left(self, event: Input.Blurred) -> None:
        field = (event.control.id or "").replace("-", "_")
        try:
            self._check(field)
        except InvalidInput as error:
            self._say(field, str(error))
        else:
            self._say(field, "")

    def _check(self, field: str) -> None:
        if field == "threshold":
            parse_percent(self._text("threshold"), self._kind)
        elif field == "email" and self.query_one("#email-on", Checkbox).value:
            parse_email(self._text("email"))
        elif field == "slack" and self.query_one("#slack-on", Checkbox).value:
            parse_slack_url(self._text("slack").strip(), self._engine.settings.slack_hosts)

    def _recognise(self) -> None:
        try:
            told = f"a {parse_slack_url(self._text('slack').strip(), self._engine.settings.slack_hosts).value}"
        except InvalidInput:
            told = ""
        self.query_one("#slack-kind", Static).update(Content(told))

    def _text(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    def _say(self, field: str, sentence: str) -> None:
        for line in self.query(f"#{field}-error").results(Static):
            line.update(Content(safe(sentence)))
            line.set_class(bool(sentence), "shown")

    def _asks(self) -> Condition:
        return Condition(self._kind, parse_percent(self._text("threshold"), self._kind), self._direction(),
                         self._baseline(), self._least())

    def _direction(self) -> Direction:
        value = self.query_one("#direction", Select).value
        return value if isinstance(value, Direction) and self._kind is AlertKind.SOURCE_VOLUME else Direction.BOTH

    def _baseline(self) -> Baseline:
        value = self.query_one("#baseline", Select).value
        return value if isinstance(value, Baseline) and self._kind is AlertKind.SOURCE_VOLUME else Baseline.DAY_BEFORE

    def _least(self) -> int:
        typed = self._text("min-events").strip() or "0"
        if not typed.isascii() or not typed.isdigit():
            raise InvalidInput("A whole number of events, 0 or more.", "min_events")
        return int(typed)

    @work(exclusive=True, group="preview")
    async def _foresee(self) -> None:
        """Work out what this threshold would have said; a field that cannot be read yet leaves the preview empty."""
        line = self.query_one("#preview", Static)
        try:
            asks = self._asks()
        except InvalidInput:
            line.update(Content("Type a percentage to see what it would have said."))
            self._offer(None)
            return
        try:
            found = await self._engine.read(preview, self._slug, asks, self._engine.now())
        except TocsinError as error:
            line.update(Content(safe(str(error))))
            return
        if not self.is_current:  # it was saved or left while the answer was on its way
            return
        line.update(_preview_text(found))
        self._offer(found.suggestion if found.suggestion != asks.threshold else None)

    def _offer(self, suggestion: int | None) -> None:
        self._suggestion = suggestion
        button = self.query_one("#use", Button)
        button.set_class(suggestion is None, "hidden")
        if suggestion is not None:
            button.label = Content(f"Use {percent_text(suggestion)} %")

    @on(Button.Pressed, "#use")
    def _use(self) -> None:
        if self._suggestion is not None:
            self.query_one("#threshold", Input).value = percent_text(self._suggestion)

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    def _spec(self) -> AlertSpec:
        channels = []
        if self.query_one("#email-on", Checkbox).value:
            channels.append(ChannelSpec(ChannelKind.EMAIL, self._text("email")))
        if self.query_one("#slack-on", Checkbox).value:
            channels.append(ChannelSpec(ChannelKind.SLACK, self._text("slack"), self._text("slack-label") or None))
        if self.query_one("#in-app-on", Checkbox).value:
            channels.append(ChannelSpec(ChannelKind.IN_APP))
        asks = self._asks()
        reminder = self.query_one("#reminder", Select).value
        return AlertSpec(self._kind, asks.threshold, tuple(channels), asks.direction, asks.baseline, asks.min_events,
                         reminder if isinstance(reminder, int) else 24,
                         self.query_one("#say-resolved", Checkbox).value, self.query_one("#enabled", Switch).value)

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Save in one transaction; the first field that is not acceptable says why and takes the focus."""
        engine = self._engine
        for line in self.query(".error").results(Static):
            line.update("")
            line.remove_class("shown")
        try:
            spec = self._spec()
            if self._editing is None:
                saved = await engine.write(create_alert, engine.actor, self._slug, spec, engine.now(),
                                           engine.settings.slack_hosts)
            else:
                saved = self._editing.id
                await engine.write(edit_alert, engine.actor, saved, spec, engine.now(), engine.settings.slack_hosts)
        except InvalidInput as error:
            self._point_at(error)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.dismiss(saved)

    def _point_at(self, error: InvalidInput) -> None:
        field = error.field or "channels"
        self._say(field if self.query(f"#{field}-error") else "channels", str(error))
        target = self.query(f"#{'in-app-on' if field == 'channels' else field.replace('_', '-')}")
        if target:
            target.first().focus()

    @work(exclusive=True, group="leave")
    async def action_leave(self) -> None:
        """Leave; what was typed is asked about once."""
        if self._values() == self._typed or await self.app.push_screen_wait(
                Confirm("Leave without saving?", "What you typed here is lost.", "Leave")):
            self.dismiss(None)


def _kind_and_name(session: Session, slug: str) -> tuple[ConnectionKind, str]:
    found = find(session, slug)
    return found.kind, found.name


def _preview_text(found: Preview) -> Content:
    parts: list[str | tuple[str, str]] = [
        (sparkline(found.spark, 30), "$primary"), (f"  last {found.days} days\n", "$secondary")]
    if found.opened:
        word = "incident" if found.opened == 1 else "incidents"
        parts.append(f"Would have opened {found.opened} {word} in the last {found.days} days:\n")
        listed = ", ".join(f"{start_of(item.from_hour).astimezone():%a %-d %b} {item.worst_text}"
                           for item in found.incidents[-3:])
        parts.append((f"{'… ' if found.opened > 3 else ''}{listed}\n", "$secondary"))
    else:
        parts.append(f"Would have opened no incident in the last {found.days} days.\n")
    numbers = f"Now: {found.now_current:,} against {found.now_baseline:,}, {found.now_change_text}  "
    parts.append(numbers)
    parts.append(("▲ would fire", "$error") if found.would_fire else (f"● {found.now_verdict.value.replace('_', ' ')}",
                                                                     "$success"))
    if found.chance_text:
        parts.append((f"\n{found.chance_text}", "$secondary"))
    return Content.assemble(*parts)
