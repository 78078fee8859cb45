"""Members: who is at the keyboard, and who may join. Owners add, change and remove."""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlmodel import col, select

from core.access import Actor, require_owner
from core.channels.targets import parse_email
from core.clock import iso
from core.errors import InvalidInput, NotFound
from core.model import Member, Workspace
from core.names import clean_name
from core.store import take_lease
from core.terms import Role

LAST_OWNER = "A workspace keeps at least one owner; make somebody else an owner first."


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
    if session.scalars(select(Member.id).limit(1)).first() is None:
        return None
    present = col(Member.removed_at).is_(None)
    if email is not None:
        member = session.scalars(select(Member).where(Member.email == email.strip().lower(), present)).one_or_none()
    else:
        member = session.scalars(select(Member).where(Member.account == getpass.getuser(), present)).first()
    if member is not None:
        return _actor(member)
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
    if session.scalars(select(Member.id).limit(1)).first() is None:
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
    member = session.scalars(select(Member).where(Member.email == address)).first()
    if member is not None and member.removed_at is None:
        raise InvalidInput(f"{address} is already a member.", "email")
    if member is None:
        member = Member(email=address, name=called, role=role, created_at=now)
    member.name, member.role, member.removed_at = called, role, None
    session.add(member)
    session.flush()
    if member.id is None:
        raise AssertionError("a stored row has an id")
    return member.id


def change_role(session: Session, actor: Actor, email: str, role: Role, now: datetime) -> None:
    """Give a member another role. Raises NotAllowed, NotFound, and InvalidInput for the last owner."""
    require_owner(actor, "change roles")
    take_lease(session, "members", now)
    member = _present(session, email)
    if member.role is Role.OWNER and role is not Role.OWNER:
        _keep_an_owner(session, member)
    member.role = role
    session.add(member)
    session.flush()


def remove_member(session: Session, actor: Actor, email: str, now: datetime) -> None:
    """Remove a member; their alerts stay. Raises NotAllowed, NotFound, and InvalidInput for the last owner."""
    require_owner(actor, "remove members")
    take_lease(session, "members", now)
    member = _present(session, email)
    if member.role is Role.OWNER:
        _keep_an_owner(session, member)
    member.removed_at = now
    session.add(member)
    session.flush()


def list_members(session: Session) -> list[MemberRow]:
    """Every member, owners first, then by name."""
    rows = session.connection().execute(sa.text(
        "SELECT m.id, (SELECT COUNT(*) FROM alert a WHERE a.created_by = m.id AND a.deleted_at IS NULL) FROM member m"))
    counts = {row[0]: row[1] for row in rows}
    members = session.scalars(select(Member).where(col(Member.removed_at).is_(None))).all()
    found = [MemberRow(_actor(member).id, member.email, member.name, member.role, counts.get(member.id, 0),
                       member.created_at) for member in members]
    return sorted(found, key=lambda row: (row.role is not Role.OWNER, row.name.casefold(), row.email))


def workspace_name(session: Session) -> str:
    """What the workspace is called."""
    return session.scalars(select(Workspace.name)).first() or "Workspace"


def _first_start(session: Session, now: datetime) -> None:
    account = getpass.getuser()
    host = socket.gethostname().split(".")[0] or "localhost"
    address = f"{account}@{host}".lower()
    session.add(Member(email=address, name=account, role=Role.OWNER, account=account, created_at=now))
    if session.scalars(select(Workspace.id)).first() is None:
        session.add(Workspace(name="Workspace", created_at=now))
    session.flush()


def _present(session: Session, email: str) -> Member:
    member = session.scalars(select(Member).where(
        Member.email == email.strip().lower(), col(Member.removed_at).is_(None))).one_or_none()
    if member is None:
        raise NotFound(f"There is no member {email}.")
    return member


def _keep_an_owner(session: Session, leaving: Member) -> None:
    others = session.scalars(select(Member.id).where(
        Member.role == Role.OWNER, col(Member.removed_at).is_(None), Member.id != leaving.id)).first()
    if others is None:
        raise InvalidInput(LAST_OWNER, "role")


def _actor(member: Member) -> Actor:
    if member.id is None:
        raise AssertionError("a stored row has an id")
    return Actor(member.id, member.email, member.name, member.role)
