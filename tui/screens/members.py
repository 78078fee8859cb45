"""Workspace › Members: who is here; owners add, change roles and remove."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import Button, Static

from core.access import Actor, require_owner
from core.errors import NotAllowed, TocsinError
from core.members import LAST_OWNER, MemberRow, change_role, list_members, remove_member
from core.terms import Role
from tui.engine import Engine
from tui.screens.columns import member_columns
from tui.screens.view import View
from tui.sheets.confirm import Confirm
from tui.sheets.fields import press
from tui.sheets.member_sheet import MemberSheet
from tui.widgets.action_menu import ActionMenu, Entry
from tui.widgets.row_table import RowTable
from tui.widgets.words import number, safe

OTHER = {Role.OWNER: Role.MEMBER, Role.MEMBER: Role.OWNER}
CALLED = {Role.OWNER: "workspace owner", Role.MEMBER: "member"}


class MembersView(View):
    """Every member, owners first."""

    crumbs = ("Workspace", "Members")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Add"), Binding("r", "role", "Change role"), Binding("x,delete", "remove", "Remove"),
        Binding("a", "menu", "Actions")]

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._rows: list[MemberRow] = []

    def compose(self) -> ComposeResult:
        """A bar above the table."""
        with Horizontal(classes="bar"):
            yield Static("", id="count")
            add = press("+ Add member", "add")
            add.disabled = refused(self.engine.actor, "add members") is not None
            yield add
        yield RowTable(member_columns(), lambda row: row.id)

    async def load(self) -> None:
        """Every member."""
        rows = self._rows = await self.engine.read(list_members)
        if not (self.is_mounted and self.is_attached):  # somebody may have gone elsewhere while the store answered
            return
        self.query_one(RowTable).show(rows)
        owners = sum(row.role is Role.OWNER for row in rows)
        self.query_one("#count", Static).update(Content(
            f"{number(len(rows))} {'member' if len(rows) == 1 else 'members'}, "
            f"{number(owners)} {'owner' if owners == 1 else 'owners'}"))

    def filter_by(self, text: str) -> None:
        """Show only rows with `text` in them."""
        self.query_one(RowTable).filter_by(text)

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        """Open the menu of the row."""
        event.stop()
        self._menu(event.row)

    def on_row_table_menu(self, event: RowTable.Menu) -> None:
        """Open the menu of the row, where it was asked for."""
        event.stop()
        self._menu(event.row, event.at)

    @on(Button.Pressed, "#add")
    def _add_pressed(self) -> None:
        self.action_add()

    def action_menu(self) -> None:
        """Open the menu of the selected row."""
        if self._selected is not None:
            self._menu(self._selected)

    def action_add(self) -> None:
        """Add a member."""
        self._do("add", self._selected)

    def action_role(self) -> None:
        """Give the selected member the other role."""
        self._do("role", self._selected)

    def action_remove(self) -> None:
        """Remove the selected member."""
        self._do("remove", self._selected)

    @property
    def _selected(self) -> MemberRow | None:
        row = self.query_one(RowTable).selected
        return row if isinstance(row, MemberRow) else None

    def _entries(self, row: MemberRow) -> list[Entry]:
        owners = [other.id for other in self._rows if other.role is Role.OWNER]
        last = _inner(LAST_OWNER) if owners == [row.id] else None
        actor = self.engine.actor
        return [
            Entry("role", f"Make {CALLED[OTHER[row.role]]}", refused(actor, "change roles") or last),
            Entry("remove", "Remove", refused(actor, "remove members") or last),
            Entry("add", "Add a member", refused(actor, "add members")),
        ]

    @work
    async def _menu(self, row: MemberRow, at: Offset | None = None) -> None:
        table = self.query_one(RowTable)
        beside = at + Offset(1, 1) if at else table.where(table.cursor)
        chosen = await self.app.push_screen_wait(ActionMenu(row.name, self._entries(row), beside))
        if chosen is not None:
            self._do(chosen, row)

    @work
    async def _do(self, chosen: str, row: MemberRow | None) -> None:
        engine = self.engine
        try:
            if chosen == "add":
                require_owner(engine.actor, "add members")
                added = await self.app.push_screen_wait(MemberSheet(engine))
                if added is not None:
                    self.notify(f"{safe(added)} is a member now.", markup=False)
            elif row is not None and chosen == "role":
                await self._change_role(row, OTHER[row.role])
            elif row is not None:
                await self._remove(row)
        except TocsinError as error:
            self.notify(str(error), severity="error", markup=False)
        if self.is_attached:
            await self.load()

    async def _change_role(self, row: MemberRow, role: Role) -> None:
        engine = self.engine
        if row.id == engine.actor.id and engine.actor.is_owner and not await self.app.push_screen_wait(Confirm(
                "Give up your own ownership?", "Only another owner can give it back.", "Give up")):
            return
        await engine.write(change_role, engine.actor, row.email, role, engine.now())
        self.notify(f"{safe(row.name)} is a {CALLED[role]} now.", markup=False)

    async def _remove(self, row: MemberRow) -> None:
        engine = self.engine
        require_owner(engine.actor, "remove members")
        told = f"{row.email} can no longer open this workspace. Their {_alerts(row.alerts)}."
        if row.id == engine.actor.id:
            told = f"This is you. {told}"
        if await self.app.push_screen_wait(Confirm(f"Remove {row.name}?", told, "Remove")):
            await engine.write(remove_member, engine.actor, row.email, engine.now())
            self.notify(f"{safe(row.name)} is no member any more.", markup=False)


def refused(actor: Actor, what: str) -> str | None:
    """Why `actor` may not do `what`, as core words it, for a menu; None when they may."""
    try:
        require_owner(actor, what)
    except NotAllowed as error:
        return _inner(str(error))
    return None


def _inner(sentence: str) -> str:
    """A sentence as a reason in a menu."""
    return sentence[0].lower() + sentence[1:].rstrip(".")


def _alerts(count: int) -> str:
    return "1 alert stays" if count == 1 else f"{number(count)} alerts stay"
