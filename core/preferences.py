"""What a member's screens remember from one start to the next: theme, last place, sorts and filters."""

from __future__ import annotations

import json

import sqlalchemy as sa

from core.store import Session

KEEP = """
INSERT INTO preference (member_id, name, value) VALUES (:member, :name, :value)
ON CONFLICT (member_id, name) DO UPDATE SET value = excluded.value
"""


def preferences(session: Session, member_id: int) -> dict[str, object]:
    """Everything that is remembered for a member; what cannot be read any more is left out."""
    found: dict[str, object] = {}
    rows = session.connection().execute(sa.text("SELECT name, value FROM preference WHERE member_id = :member"),
                                        {"member": member_id})
    for name, value in rows:
        try:
            found[name] = json.loads(value)
        except ValueError:
            continue
    return found


def remember(session: Session, member_id: int, changed: dict[str, object]) -> None:
    """Keep these; values are what JSON can hold."""
    for name, value in changed.items():
        session.connection().execute(sa.text(KEEP), {"member": member_id, "name": name, "value": json.dumps(value)})
