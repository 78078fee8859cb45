"""What stands around every screen: how many there are, what fires, what is unread, when it was last judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from core.alert_rows import TITLES
from core.clock import from_micros, micros
from core.rules import percent_text
from core.store import Session
from core.terms import AlertKind, ConnectionKind

AROUND = """
SELECT (SELECT COUNT(*) FROM connection WHERE kind = 'source' AND removed_at IS NULL),
       (SELECT COUNT(*) FROM connection WHERE kind = 'destination' AND removed_at IS NULL),
       (SELECT COUNT(*) FROM alert WHERE deleted_at IS NULL),
       (SELECT COUNT(*) FROM incident i JOIN alert a ON a.id = i.alert_id
        WHERE i.closed_at IS NULL AND (a.muted_until IS NULL OR a.muted_until <= :now)),
       (SELECT COUNT(*) FROM notification WHERE channel = 'in_app' AND member_id = :member AND read_at IS NULL),
       (SELECT MAX(at) FROM pass)
"""
PLACES = """
SELECT c.kind, c.slug, c.name, c.type, NULL, NULL, NULL FROM connection c WHERE c.removed_at IS NULL
UNION ALL
SELECT c.kind, c.slug, c.name, c.type, a.id, a.kind, a.threshold
FROM alert a JOIN connection c ON c.id = a.connection_id WHERE a.deleted_at IS NULL AND c.removed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Bearings:
    """Counts of the workspace; `unread` is the member's own bell, `checked_at` the newest pass, in UTC."""

    sources: int
    destinations: int
    alerts: int
    firing: int
    unread: int
    checked_at: datetime | None


class Place(NamedTuple):
    """A connection, or an alert of it, that a name leads to."""

    title: str
    about: str
    slug: str
    alert: int | None


def bearings(session: Session, member_id: int, now: datetime) -> Bearings:
    """Where the workspace stands at `now` (aware), as one member sees it; a muted alert does not fire."""
    row = session.connection().execute(sa.text(AROUND), {"member": member_id, "now": micros(now)}).one()
    sources, destinations, alerts, firing, unread, checked = row
    return Bearings(sources, destinations, alerts, firing, unread, None if checked is None else from_micros(checked))


def places(session: Session) -> list[Place]:
    """Every connection and every alert by its name, for a palette; by name."""
    found = [_place(*row) for row in session.connection().execute(sa.text(PLACES))]
    return sorted(found, key=lambda place: (place.alert is not None, place.title.casefold()))


def _place(kind: str, slug: str, name: str, type_: str, alert: int | None, asks: str, threshold: int) -> Place:
    what = "source" if kind == ConnectionKind.SOURCE.value else "destination"
    if alert is None:
        return Place(name, f"{what} {type_}".strip(), slug, None)
    return Place(f"{name}: {TITLES[AlertKind(asks)]} {percent_text(threshold)} %", f"alert of the {what} {slug}", slug,
                 alert)
