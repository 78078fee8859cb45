"""The members of the Segment workspace, kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.clock import micros
from core.intake.segment import infer
from core.intake.segment.naming import clean
from core.intake.segment.wire import User
from core.store import Session

KNOWN = sa.text("SELECT id, email, segment_id, account, removed_at FROM member")
# An address may go from one person to another; the first statement keeps the two from meeting in the unique index.
PARK = sa.text("UPDATE member SET email = :parked WHERE id = :id")
UPDATE = sa.text("UPDATE member SET email = :email, name = :name, role = :role, segment_id = :segment_id, "
                 "removed_at = NULL WHERE id = :id")
INSERT = sa.text("INSERT INTO member (email, name, role, segment_id, created_at) "
                 "VALUES (:email, :name, :role, :segment_id, :now)")
FORGET = sa.text("UPDATE member SET segment_id = NULL WHERE id = :id")
REMOVE = sa.text("UPDATE member SET removed_at = :now WHERE id = :id")


@dataclass(frozen=True)
class Person:
    """A user of the workspace and whether they own it, directly or through a group."""

    id: str
    email: str
    name: str
    owner: bool


@dataclass(frozen=True)
class _Known:
    id: int
    email: str
    segment_id: str | None
    account: str | None
    removed: bool


def person(user: User, owner: bool) -> Person:
    """A user as this store keeps them: addresses in lower case, as members are looked up."""
    email = clean(user.email, user.id).lower()
    return Person(user.id, email, clean(user.name, email), owner)


def keep(session: Session, people: Sequence[Person], now: datetime) -> int:
    """Make the members that come from Segment equal to the list, which is whole; return how many they are.

    A member with the same address becomes that person. Members of this store's own, and the operating-system account
    at this keyboard, are never removed.
    """
    link = session.connection()
    known = [_Known(row[0], row[1], row[2], row[3], row[4] is not None) for row in link.execute(KNOWN)]
    by_email = {row.email: row for row in known if not row.removed}
    by_segment = {row.segment_id: row for row in known if row.segment_id is not None}
    people = list({person.email: person for person in people}.values())
    wanted = {person.id for person in people}
    kept: set[int] = set()
    updates: list[dict[str, object]] = []
    inserts: list[dict[str, object]] = []
    forget: list[dict[str, object]] = []
    for found in people:
        values: dict[str, object] = {"email": found.email, "name": found.name, "role": infer.role(found.owner).value,
                                     "segment_id": found.id, "now": micros(now)}
        row, same_email = by_segment.get(found.id), by_email.get(found.email)
        if same_email is not None and same_email is not row and same_email.segment_id not in wanted:
            if row is not None:
                forget.append({"id": row.id, "now": micros(now)})
            row = same_email
        if row is None:
            inserts.append(values)
        else:
            kept.add(row.id)
            updates.append({**values, "id": row.id, "parked": f"segment:{row.id}"})
    gone: list[dict[str, object]] = [{"id": row.id, "now": micros(now)} for row in known
            if row.segment_id is not None and row.segment_id not in wanted and row.id not in kept
            and not row.removed and row.account is None]
    steps: list[tuple[sa.TextClause, list[dict[str, object]]]] = [
        (FORGET, forget), (REMOVE, [*gone, *forget]), (PARK, updates), (UPDATE, updates), (INSERT, inserts)]
    for sql, rows in steps:
        if rows:
            link.execute(sql, rows)
    return len(people)
