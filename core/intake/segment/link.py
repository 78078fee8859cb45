"""The row that says which Segment workspace this store is connected to, and how its last sync went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.clock import from_micros, micros
from core.intake.segment import wire
from core.intake.segment.naming import clean
from core.store import Session

FIND = sa.text("SELECT workspace_id, workspace_name, region, connected_at, last_sync_at, last_error, requests "
               "FROM segment_link WHERE id = 1")
SAVE = sa.text(
    "INSERT INTO segment_link (id, workspace_id, workspace_name, region, connected_at, requests) "
    "VALUES (1, :workspace, :name, :region, :now, 0) ON CONFLICT (id) DO UPDATE SET workspace_id = :workspace, "
    "workspace_name = :name, region = :region, connected_at = :now, last_error = NULL"
)
NAME = sa.text("INSERT INTO workspace (id, name, created_at) VALUES (1, :name, :now) "
               "ON CONFLICT (id) DO UPDATE SET name = excluded.name")
DONE = sa.text("UPDATE segment_link SET last_sync_at = :now, last_error = :error, requests = :requests WHERE id = 1")
FAILED = sa.text("UPDATE segment_link SET last_error = :error, requests = :requests WHERE id = 1")
DELETE = sa.text("DELETE FROM segment_link")


@dataclass(frozen=True)
class Link:
    """The connected workspace. `requests` are those of the last sync, `last_sync_at` when one last came to its end."""

    workspace_id: str
    workspace_name: str
    region: str
    connected_at: datetime
    last_sync_at: datetime | None
    last_error: str | None
    requests: int


def find(session: Session) -> Link | None:
    """The connected workspace, or None."""
    row = session.connection().execute(FIND).first()
    if row is None:
        return None
    synced = None if row[4] is None else from_micros(row[4])
    return Link(row[0], row[1], row[2], from_micros(row[3]), synced, row[5], row[6])


def save(session: Session, workspace: wire.Workspace, region: str, now: datetime) -> None:
    """Connect the store to `workspace`, whose name becomes this workspace's."""
    name = clean(workspace.name, clean(workspace.slug, "Segment"))
    link = session.connection()
    link.execute(SAVE, {"workspace": workspace.id, "name": name, "region": region, "now": micros(now)})
    link.execute(NAME, {"name": name, "now": micros(now)})


def note(session: Session, now: datetime, requests: int, error: str | None, *, finished: bool) -> None:
    """Keep how a sync went: `finished` when it came to its end, perhaps with something to complain about."""
    session.connection().execute(DONE if finished else FAILED,
                                 {"now": micros(now), "requests": requests, "error": error})


def delete(session: Session) -> None:
    """Forget the connected workspace; what was read of it stays."""
    session.connection().execute(DELETE)
