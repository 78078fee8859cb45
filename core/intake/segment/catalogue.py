"""Sources and destinations of the Segment workspace, kept in step: found, renamed, removed, come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import select

from core.incidents import close_for_connection
from core.intake.segment import infer
from core.intake.segment.naming import clean
from core.intake.segment.wire import Destination, Source
from core.model import Connection
from core.names import slug_of
from core.store import Session, take_lease
from core.terms import CloseReason, ConnectionKind, Mode, Origin
from core.watch import LEASE

GONE = "its connection disappeared from Segment"
"""Why a sync disabled an alert; only an alert with this reason is enabled again when the connection reappears."""

DISABLE = sa.text(
    "UPDATE alert SET enabled = :off, disabled_reason = :reason "
    "WHERE connection_id IN :connections AND enabled AND deleted_at IS NULL"
).bindparams(sa.bindparam("connections", expanding=True))
ENABLE = sa.text(
    "UPDATE alert SET enabled = :on, disabled_reason = NULL "
    "WHERE connection_id IN :connections AND NOT enabled AND disabled_reason = :reason AND deleted_at IS NULL"
).bindparams(sa.bindparam("connections", expanding=True))
ACTIVE_SLUGS = sa.text("SELECT slug FROM connection WHERE removed_at IS NULL")


@dataclass
class Changes:
    """What one reading of the lists changed, as slugs."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)


def keep(
    session: Session, sources: Sequence[Source], destinations: Sequence[Destination], now: datetime
) -> Changes:
    """Make the store's Segment connections equal to the lists, which are whole.

    Slugs, alerts and a category or mode that a person has set stay as they are. A destination whose source is not in
    the list (it was made between the two requests, or its source is gone) counts as not there.
    """
    # A pass that has read an alert as enabled must not open an incident after it was closed here.
    take_lease(session, LEASE, now)
    return _Reconciliation(session, now).run(sources, destinations)


class _Reconciliation:
    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.changes = Changes()
        known = session.objects.exec(select(Connection).where(Connection.origin == Origin.SEGMENT)).all()
        self.known = {(row.kind, row.segment_id): row for row in known if row.segment_id}
        # A slug that this very sync gives up is free from the next one on: two rows never trade it in one statement.
        self.slugs = {row[0] for row in session.connection().execute(ACTIVE_SLUGS)}
        self.present: set[tuple[ConnectionKind, str]] = set()
        self.disabled: list[int] = []
        self.returned: list[int] = []

    def run(self, sources: Sequence[Source], destinations: Sequence[Destination]) -> Changes:
        for source in sources:
            self._source(source)
        self.session.objects.flush()
        for destination in destinations:
            parent = self.known.get((ConnectionKind.SOURCE, destination.source_id))
            if parent is not None and (ConnectionKind.SOURCE, destination.source_id) in self.present:
                self._destination(destination, parent)
        self.session.objects.flush()
        self._alerts(self._mark_missing())
        return self.changes

    def _source(self, source: Source) -> None:
        type_name = clean(source.metadata.name, "Source")
        name = clean(source.name, clean(source.slug, type_name))
        row = self.known.get((ConnectionKind.SOURCE, source.id))
        if row is None:
            row = self._add(ConnectionKind.SOURCE, source.id, source.slug or name, name)
        if not row.overridden:
            row.category = infer.category(source.metadata)
        self.present.add((ConnectionKind.SOURCE, source.id))
        self._update(row, name, type_name, source.enabled)

    def _destination(self, destination: Destination, parent: Connection) -> None:
        type_name = clean(destination.metadata.name, "Destination")
        name = clean(destination.name, type_name)
        row = self.known.get((ConnectionKind.DESTINATION, destination.id))
        if row is None:
            row = self._add(ConnectionKind.DESTINATION, destination.id, name, name)
        row.source_id = parent.id
        mode = infer.mode(destination.metadata)
        # What could be delivered by Segment's servers may still be sent by the device: only its deliveries tell.
        if not row.overridden and not (mode is Mode.CLOUD and row.mode is Mode.DEVICE):
            row.mode = mode
        self.present.add((ConnectionKind.DESTINATION, destination.id))
        self._update(row, name, type_name, destination.enabled)

    def _add(self, kind: ConnectionKind, segment_id: str, slug: str, name: str) -> Connection:
        row = Connection(kind=kind, slug=self._slug(slug), name=name, type="",
                         origin=Origin.SEGMENT, segment_id=segment_id, created_at=self.now)
        self.session.objects.add(row)
        self.known[(kind, segment_id)] = row
        self.changes.added.append(row.slug)
        return row

    def _slug(self, name: str) -> str:
        slug = slug_of(name, self.slugs)
        self.slugs.add(slug)
        return slug

    def _update(self, row: Connection, name: str, type_name: str, enabled: bool) -> None:
        if row.id is not None and row.enabled and not enabled:
            self.disabled.append(row.id)
        row.name, row.type, row.enabled = name, type_name, enabled
        if row.removed_at is not None:
            row.removed_at = None
            row.slug = row.slug if row.slug not in self.slugs else self._slug(row.slug)
            self.slugs.add(row.slug)
            self.changes.returned.append(row.slug)
            if row.id is not None:
                self.returned.append(row.id)

    def _mark_missing(self) -> list[int]:
        missing = [row for key, row in self.known.items() if row.removed_at is None and key not in self.present]
        for row in missing:
            row.removed_at = self.now
            self.changes.removed.append(row.slug)
        self.session.objects.flush()
        return [row.id for row in missing if row.id is not None]

    def _alerts(self, missing: list[int]) -> None:
        link = self.session.connection()
        if missing:
            link.execute(DISABLE, {"off": False, "reason": GONE, "connections": missing})
        if self.returned:
            link.execute(ENABLE, {"on": True, "reason": GONE, "connections": self.returned})
        for connection in missing:
            close_for_connection(self.session, connection, CloseReason.CONNECTION_REMOVED, self.now)
        for connection in self.disabled:
            close_for_connection(self.session, connection, CloseReason.CONNECTION_DISABLED, self.now)
