"""Sources and destinations: add, find, switch, remove."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from core.errors import InvalidInput, NotFound
from core.incidents import close_for_connection
from core.model import Alert, Connection
from core.names import check_slug, clean_name, slug_of
from core.store import Session, take_lease
from core.terms import Category, CloseReason, ConnectionKind, Mode

LEASE = "pass"
"""Switching and removing hold back a pass, which might judge what is going away."""


@dataclass(frozen=True, slots=True)
class Added:
    """What was added; `write_key` is a source's."""

    id: int
    slug: str
    write_key: str | None


def add_source(
    session: Session, name: str, *, slug: str | None = None, type: str = "HTTP API",
    category: Category = Category.EVENT_STREAMS, now: datetime,
) -> Added:
    """Add a source with a fresh write key. Raises InvalidInput for the name or slug."""
    connection = Connection(
        kind=ConnectionKind.SOURCE, slug=_slug(session, name, slug), name=clean_name(name),
        type=clean_name(type, "type"), category=category, write_key=secrets.token_urlsafe(24), created_at=now)
    return _add(session, connection)


def add_destination(
    session: Session, name: str, source_slug: str, *, slug: str | None = None, type: str = "Webhook",
    mode: Mode = Mode.CLOUD, now: datetime,
) -> Added:
    """Add a destination to a source. Raises NotFound for the source, InvalidInput for the name or slug."""
    source = find(session, source_slug, ConnectionKind.SOURCE)
    connection = Connection(
        kind=ConnectionKind.DESTINATION, slug=_slug(session, name, slug), name=clean_name(name),
        type=clean_name(type, "type"), mode=mode, source_id=source.id, created_at=now)
    return _add(session, connection)


def find(session: Session, slug: str, kind: ConnectionKind | None = None) -> Connection:
    """The connection `slug`, of a kind if one is asked for. Raises NotFound."""
    what = kind.value if kind else "connection"
    connection = session.objects.exec(
        select(Connection).where(Connection.slug == slug, col(Connection.removed_at).is_(None))).one_or_none()
    if connection is None or (kind is not None and connection.kind is not kind):
        raise NotFound(f"There is no {what} called {slug}.")
    return connection


def set_enabled(session: Session, slug: str, kind: ConnectionKind, enabled: bool, now: datetime) -> None:
    """Enable or disable a connection; disabling closes its open incidents without a message."""
    take_lease(session, LEASE, now)
    connection = find(session, slug, kind)
    connection.enabled = enabled
    session.objects.add(connection)
    session.objects.flush()
    session.connection().execute(sa.text("UPDATE alert SET judged_hour = NULL WHERE connection_id = :id"),
                                 {"id": connection.id})
    if not enabled and connection.id is not None:
        close_for_connection(session, connection.id, CloseReason.CONNECTION_DISABLED, now)


def remove(session: Session, slug: str, kind: ConnectionKind, now: datetime) -> None:
    """Remove a connection and its alerts; their history stays. Raises InvalidInput while destinations hang on it."""
    take_lease(session, LEASE, now)
    connection = find(session, slug, kind)
    hanging = session.objects.exec(select(Connection.slug).where(
        Connection.source_id == connection.id, col(Connection.removed_at).is_(None))).all()
    if hanging:
        raise InvalidInput(f"{slug} still feeds {', '.join(sorted(hanging))}; remove those first.")
    if connection.id is not None:
        close_for_connection(session, connection.id, CloseReason.CONNECTION_REMOVED, now)
    for alert in session.objects.exec(select(Alert).where(
            Alert.connection_id == connection.id, col(Alert.deleted_at).is_(None))):
        alert.deleted_at = now
        session.objects.add(alert)
    connection.removed_at, connection.write_key = now, None
    session.objects.add(connection)
    session.objects.flush()


def override(
    session: Session, slug: str, *, category: Category | None = None, mode: Mode | None = None
) -> None:
    """Say what a source's category or a destination's mode is, whatever a sync would infer."""
    connection = find(session, slug)
    if connection.kind is ConnectionKind.SOURCE and category is not None:
        connection.category = category
    elif connection.kind is ConnectionKind.DESTINATION and mode is not None:
        connection.mode = mode
    else:
        raise InvalidInput("A source has a category, a destination has a mode.")
    connection.overridden = True
    session.objects.add(connection)
    session.objects.flush()


def _slug(session: Session, name: str, slug: str | None) -> str:
    taken = set(session.objects.exec(select(Connection.slug).where(col(Connection.removed_at).is_(None))))
    if slug is None:
        return slug_of(clean_name(name), taken)
    if check_slug(slug) in taken:
        raise InvalidInput(f"There is a connection called {slug} already.", "slug")
    return slug


def _add(session: Session, connection: Connection) -> Added:
    session.objects.add(connection)
    session.objects.flush()
    if connection.id is None:
        raise AssertionError("a stored row has an id")
    return Added(connection.id, connection.slug, connection.write_key)
