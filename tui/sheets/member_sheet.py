"""The sheet that adds a member: email, name, role."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Select, Static

from core.channels.targets import parse_email
from core.errors import InvalidInput, TocsinError
from core.members import add_member
from core.terms import Role
from tui.engine import Engine
from tui.sheets.confirm import Confirm
from tui.sheets.fields import Choice, ErrorLine, Form, Title, line, press
from tui.sheets.sheet import Panel, Sheet

ROLES = [("member", Role.MEMBER), ("owner", Role.OWNER)]
WHAT = {Role.MEMBER: "Sees every alert, creates alerts, and changes their own.",
        Role.OWNER: "All that, and manages members, deletes any alert, and connects Segment."}


class MemberSheet(Sheet[str | None]):
    """Answers with the address of the member that was added, or None."""

    CSS = """
    MemberSheet .row { margin: 1 0 0 0; }
    MemberSheet .row > .name { width: 10; }
    MemberSheet ErrorLine { margin-left: 10; }
    MemberSheet #what { margin: 0 0 1 10; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", "Save", priority=True)]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def compose(self) -> ComposeResult:
        """Three fields."""
        with Panel():
            yield Title("Add a member")
            with Form():
                with Horizontal(classes="row"):
                    yield Static("Email *", classes="name")
                    yield line(placeholder="grace@example.com", id="email")
                yield ErrorLine(id="email-error")
                with Horizontal(classes="row"):
                    yield Static("Name", classes="name")
                    yield line(placeholder="what people call them", id="name")
                yield ErrorLine(id="name-error")
                with Horizontal(classes="row"):
                    yield Static("Role", classes="name")
                    yield Choice(ROLES, Role.MEMBER, id="role")
                yield Static(WHAT[Role.MEMBER], id="what", classes="told")
                yield Static("They open Tocsin on this store with --as EMAIL or TOCSIN_MEMBER.", classes="told")
            with Horizontal(id="buttons"):
                yield Static("", classes="gap")
                yield press("Cancel", "cancel")
                yield press("Add  ^s", "save", main=True)

    def on_mount(self) -> None:
        """Begin at the address."""
        self.query_one("#email", Input).focus()

    @property
    def _role(self) -> Role:
        value = self.query_one("#role", Select).value
        return value if isinstance(value, Role) else Role.MEMBER

    @on(Select.Changed, "#role")
    def _role_changed(self) -> None:
        self.query_one("#what", Static).update(WHAT[self._role])

    @on(Input.Blurred, "#email")
    def _left(self, event: Input.Blurred) -> None:
        """Say what is wrong with an address as soon as it was typed; an empty field says it when it is saved."""
        try:
            if event.value:
                parse_email(event.value)
        except InvalidInput as error:
            self._say("email", str(error))
        else:
            self._say("email", "")

    def _say(self, field: str, sentence: str) -> None:
        self.query_one(f"#{field}-error", ErrorLine).say(sentence)

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Add them; the field that is not acceptable says why and takes the focus."""
        engine = self._engine
        email, name = (self.query_one(f"#{field}", Input).value for field in ("email", "name"))
        for field in ("email", "name"):
            self._say(field, "")
        try:
            await engine.write(add_member, engine.actor, email, name.strip() or None, self._role, engine.now())
        except InvalidInput as error:
            field = "name" if error.field == "name" else "email"
            self._say(field, str(error))
            self.query_one(f"#{field}", Input).focus()
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.dismiss(email.strip().lower())

    def action_leave(self) -> None:
        """Leave; what was typed is asked about once."""
        self._leave()

    @work(exclusive=True, group="leave")
    async def _leave(self) -> None:
        if not any(field.value for field in self.query(Input)) or await self.app.push_screen_wait(
                Confirm("Leave without adding?", "What you typed here is lost.", "Leave")):
            self.dismiss(None)
