"""The create and edit sheet: the form, what it would have said while it is typed, a test, and one transaction."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input, Select, Static

from core.alert_rows import AlertRow
from core.alert_spec import AlertSpec
from core.alerts import create_alert, edit_alert
from core.connections import find
from core.errors import InvalidInput, TocsinError
from core.foresight import preview
from core.rules import percent_text
from core.store import Session
from core.terms import AlertKind, ConnectionKind
from tui.engine import Engine
from tui.sheets.alert_form import AlertForm, Subject
from tui.sheets.confirm import Confirm
from tui.sheets.fields import Title, press
from tui.sheets.foreseen import Foreseen
from tui.sheets.sheet import Panel, Sheet
from tui.widgets.words import safe

DEBOUNCE_S = 0.15
ASKED = ("threshold", "direction", "baseline", "min-events")


class AlertSheet(Sheet[int | None]):
    """Answers with the id of the alert that was saved, or None. `alert` is the one that is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", "Save", priority=True)]

    def __init__(self, engine: Engine, subject: Subject, spec: AlertSpec | None = None,
                 alert: int | None = None) -> None:
        super().__init__()
        self._engine, self._subject, self._spec, self._alert = engine, subject, spec, alert
        self._timer: Timer | None = None
        self._typed: object = None
        self._suggestion: int | None = None

    def compose(self) -> ComposeResult:
        """The form between a title and the buttons."""
        engine = self._engine
        with Panel():
            yield Title("Edit alert" if self._alert else "Duplicate alert" if self._spec else "Create alert")
            yield AlertForm(self._subject, self._spec, engine.actor.email, engine.settings.slack_hosts)
            yield Static("", id="tested", classes="hidden")
            with Horizontal(id="buttons"):
                yield press("Send test", "test")
                yield Static("", classes="gap")
                yield press("Cancel", "cancel")
                yield press("Save  ^s", "save", main=True)

    def on_mount(self) -> None:
        """Begin at the threshold."""
        self.query_one("#threshold", Input).focus()
        self._typed = self._form.values()
        self._foresee()

    @property
    def _form(self) -> AlertForm:
        return self.query_one(AlertForm)

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self, event: Input.Changed | Select.Changed) -> None:
        if event.control.id in ASKED:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(DEBOUNCE_S, self._foresee)

    @work(exclusive=True, group="preview")
    async def _foresee(self) -> None:
        """Work out what this threshold would have said; one that cannot be read yet has nothing to say."""
        shown = self.query_one(Foreseen)
        try:
            asks = self._form.asks()
        except InvalidInput:
            self._offer(None)
            shown.wait()
            return
        try:
            found = await self._engine.read(preview, self._subject.slug, asks, self._engine.now())
        except TocsinError as error:
            shown.say(safe(str(error)))
            return
        if self.is_current:  # it may have been saved or left while the answer was on its way
            shown.show(found, asks.kind)
            self._offer(found.suggestion if found.suggestion != asks.threshold else None)

    def _offer(self, suggestion: int | None) -> None:
        self._suggestion = suggestion
        self._form.offer(suggestion)

    @on(Button.Pressed, "#use")
    def _use(self) -> None:
        if self._suggestion is not None:
            threshold = self.query_one("#threshold", Input)
            threshold.value = percent_text(self._suggestion)
            threshold.focus()

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Save in one transaction; the first field that is not acceptable says why and takes the focus."""
        engine = self._engine
        self._form.all_quiet()
        try:
            spec = self._form.spec()
            if self._alert is None:
                saved = await engine.write(create_alert, engine.actor, self._subject.slug, spec, engine.now(),
                                           engine.settings.slack_hosts)
            else:
                saved = self._alert
                await engine.write(edit_alert, engine.actor, saved, spec, engine.now(), engine.settings.slack_hosts)
        except InvalidInput as error:
            self._form.point_at(error)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.dismiss(saved)

    @on(Button.Pressed, "#test")
    @work(exclusive=True, group="test")
    async def _test(self) -> None:
        """Send a marked message through the channels as they are typed; nothing is saved by it."""
        from core.trial import try_channels  # brings httpx, which no screen needs before a test

        engine = self._engine
        self._form.all_quiet()
        try:
            spec = self._form.spec()
            self._tell(Content.styled("… sending a test", "$secondary"))
            answers = await try_channels(engine.store, engine.actor, self._subject.slug, spec, engine.carriers(),
                                         engine.now(), engine.settings.slack_hosts)
        except InvalidInput as error:
            self._tell(None)
            self._form.point_at(error)
        except TocsinError as error:
            self._tell(Content.styled(f"✕ {safe(str(error))}", "$error"))
        else:
            said = [(f"{'✓' if answer.ok else '✕'} {answer.channel.value}: {safe(answer.answer)}\n",
                     "$success" if answer.ok else "$error") for answer in answers]
            self._tell(Content.assemble(*said).rstrip() if said else Content.styled(
                "In-app needs no test: it rings the bell here.", "$secondary"))

    def _tell(self, told: Content | None) -> None:
        place = self.query_one("#tested", Static)
        place.set_class(told is None, "hidden")
        place.update(told or "")

    def action_leave(self) -> None:
        """Leave; what was typed is asked about once."""
        self._leave()

    @work
    async def _leave(self) -> None:
        if self._form.values() == self._typed or await self.app.push_screen_wait(
                Confirm("Leave without saving?", "What you typed here would be lost.", "Leave")):
            self.dismiss(None)


async def creating(engine: Engine, slug: str) -> AlertSheet:
    """The sheet that makes an alert for a connection. Raises NotFound."""
    return AlertSheet(engine, await engine.read(_subject, slug))


def editing(engine: Engine, row: AlertRow) -> AlertSheet:
    """The sheet that edits this alert."""
    return AlertSheet(engine, Subject(row.connection, row.connection_name, row.kind), row.spec, row.id)


def duplicating(engine: Engine, row: AlertRow) -> AlertSheet:
    """The sheet that makes another alert like this one, for the member at the keyboard."""
    return AlertSheet(engine, Subject(row.connection, row.connection_name, row.kind), row.spec)


def _subject(session: Session, slug: str) -> Subject:
    found = find(session, slug)
    kind = AlertKind.DELIVERY_RATE if found.kind is ConnectionKind.DESTINATION else AlertKind.SOURCE_VOLUME
    return Subject(slug, found.name, kind)
