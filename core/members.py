"""Members: who is at the keyboard, and who may join. Owners add, change and remove.

Named SQL instead of the tables: every start asks who is there, and the tables take a while to define.
"""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.access import Actor, require_owner
from core.channels.targets import parse_email
from core.clock import from_micros, iso, micros
from core.errors import InvalidInput, NotFound
from core.names import clean_name
from core.store import Record, Session, take_lease
from core.terms import Role

LAST_OWNER = "A workspace keeps at least one owner; make somebody else an owner first."
MEMBER = "SELECT id, email, name, role FROM member WHERE removed_at IS NULL"
MEMBERS = """
SELECT m.id, m.email, m.name, m.role, m.created_at,
       (SELECT COUNT(*) FROM alert a WHERE a.created_by = m.id AND a.deleted_at IS NULL) AS alerts
FROM member m WHERE m.removed_at IS NULL
"""
ADD = """
INSERT INTO member (email, name, role, account, created_at) VALUES (:email, :name, :role, :account, :now) RETURNING id
"""
BEFORE = "SELECT id, removed_at FROM member WHERE email = :email ORDER BY removed_at IS NOT NULL, id"
BRING_BACK = "UPDATE member SET name = :name, role = :role, removed_at = NULL WHERE id = :id"
OTHER_OWNERS = "SELECT COUNT(*) FROM member WHERE role = 'workspace_owner' AND removed_at IS NULL AND id <> :id"
NAME_WORKSPACE = """
INSERT INTO workspace (id, name, created_at) VALUES (1, 'Workspace', :now) ON CONFLICT (id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member, ready for a table; `alerts` counts those they created."""

    id: int
    email: str
    name: str
    role: Role
    alerts: int
    created_at: datetime

    def as_json(self) -> dict[str, object]:
        """The item of `member list --json`."""
        return {"email": self.email, "name": self.name, "role": self.role.value, "alerts": self.alerts,
                "created_at": iso(self.created_at)}


def known_member(session: Session, email: str | None) -> Actor | None:
    """The member with `email`, or (None) the one whose operating-system account this is; None on a first start.

    Raises NotFound when the workspace has members, but not this one.
    """
    # Asked first: on PostgreSQL another process's first start may commit between two statements.
    if not _any_member(session):
        return None
    if email is not None:
        member = _ask(session, f"{MEMBER} AND email = :email", email=email.strip().lower()).one_or_none()
    else:
        member = _ask(session, f"{MEMBER} AND account = :account", account=getpass.getuser()).first()
    if member is not None:
        return Actor(member.id, member.email, member.name, Role(member.role))
    who = email or f"the account {getpass.getuser()}"
    raise NotFound(f"There is no member {who} in this workspace; an owner adds one with: tocsin member add EMAIL.")


def current_member(session: Session, email: str | None, now: datetime) -> Actor:
    """The member at the keyboard. On the first start the operating-system account becomes the workspace owner.

    Raises NotFound for an address or account that is no member.
    """
    found = known_member(session, email)
    if found is not None:
        return found
    take_lease(session, "first start", now)
    if not _any_member(session):
        _first_start(session, now)
    again = known_member(session, email)
    if again is None:
        raise AssertionError("the first start made an owner")
    return again


def add_member(session: Session, actor: Actor, email: str, name: str | None, role: Role, now: datetime) -> int:
    """Add a member, or bring a removed one back; return the id. Raises NotAllowed, InvalidInput."""
    require_owner(actor, "add members")
    address = parse_email(email).lower()
    called = clean_name(name) if name else address.partition("@")[0]
    before = _ask(session, BEFORE, email=address).first()
    if before is None:
        return int(_ask(session, ADD, email=address, name=called, role=role.value, account=None,
                        now=micros(now)).scalar_one())
    if before.removed_at is None:
        raise InvalidInput(f"{address} is already a member.", "email")
    _ask(session, BRING_BACK, id=before.id, name=called, role=role.value)
    return int(before.id)


def change_role(session: Session, actor: Actor, email: str, role: Role, now: datetime) -> None:
    """Give a member another role. Raises NotAllowed, NotFound, and InvalidInput for the last owner."""
    require_owner(actor, "change roles")
    take_lease(session, "members", now)
    member = _present(session, email)
    if role is not Role.OWNER:
        _keep_an_owner(session, member)
    _ask(session, "UPDATE member SET role = :role WHERE id = :id", id=member.id, role=role.value)


def remove_member(session: Session, actor: Actor, email: str, now: datetime) -> None:
    """Remove a member; their alerts stay. Raises NotAllowed, NotFound, and InvalidInput for the last owner."""
    require_owner(actor, "remove members")
    take_lease(session, "members", now)
    member = _present(session, email)
    _keep_an_owner(session, member)
    _ask(session, "UPDATE member SET removed_at = :now WHERE id = :id", id=member.id, now=micros(now))


def list_members(session: Session) -> list[MemberRow]:
    """Every member, owners first, then by name."""
    found = [MemberRow(row.id, row.email, row.name, Role(row.role), row.alerts, from_micros(row.created_at))
             for row in _ask(session, MEMBERS)]
    return sorted(found, key=lambda row: (row.role is not Role.OWNER, row.name.casefold(), row.email))


def workspace_name(session: Session) -> str:
    """What the workspace is called."""
    return str(_ask(session, "SELECT name FROM workspace").scalar() or "Workspace")


def _first_start(session: Session, now: datetime) -> None:
    account = getpass.getuser()
    host = socket.gethostname().split(".")[0] or "localhost"
    _ask(session, ADD, email=f"{account}@{host}".lower(), name=account, role=Role.OWNER.value, account=account,
         now=micros(now))
    _ask(session, NAME_WORKSPACE, now=micros(now))


def _any_member(session: Session) -> bool:
    return _ask(session, "SELECT id FROM member LIMIT 1").first() is not None


def _present(session: Session, email: str) -> Record:
    member = _ask(session, f"{MEMBER} AND email = :email", email=email.strip().lower()).one_or_none()
    if member is None:
        raise NotFound(f"There is no member {email}.")
    return member


def _keep_an_owner(session: Session, leaving: Record) -> None:
    if leaving.role == Role.OWNER.value and not _ask(session, OTHER_OWNERS, id=leaving.id).scalar_one():
        raise InvalidInput(LAST_OWNER, "role")


def _ask(session: Session, sql: str, **keys: object) -> sa.CursorResult[*tuple[Any, ...]]:
    return session.connection().execute(sa.text(sql), keys)
