"""What a store holds of the Segment workspace, in the words of the fake, so that the two can be compared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core.clock import hour_of, parse_time
from core.store import Store

COUNTS = sa.text("SELECT c.segment_id, h.stage, h.hour, h.count FROM hourly_count h JOIN connection c "
                 "ON c.id = h.connection_id WHERE h.count > 0")
CONNECTIONS = sa.text("SELECT segment_id, kind, name, enabled, slug, category, mode, stale_since FROM connection "
                      "WHERE removed_at IS NULL AND origin = 'segment'")
MEMBERS = sa.text("SELECT segment_id, email, role FROM member WHERE removed_at IS NULL AND segment_id IS NOT NULL")


def counts_in(store: Store) -> dict[tuple[str, str, int], int]:
    """Every count above zero, by Segment id, stage and hour."""
    with store.read() as session:
        return {(row[0], row[1], row[2]): row[3] for row in session.connection().execute(COUNTS)}


def connections_in(store: Store) -> dict[str, sa.Row[Any]]:
    """Every connection that is there, by Segment id."""
    with store.read() as session:
        return {row.segment_id: row for row in session.connection().execute(CONNECTIONS)}


def members_in(store: Store) -> dict[str, tuple[str, str]]:
    """Address and role of every member of the workspace, by Segment id."""
    with store.read() as session:
        return {row[0]: (row[1], row[2]) for row in session.connection().execute(MEMBERS)}


def counts_of(held: dict[str, Any], hours: int = 14 * 24) -> dict[tuple[str, str, int], int]:
    """What a store should hold after a first sync: the whole hours of the last 14 days."""
    now = parse_time(held.get("now", "2026-11-23T12:05:00Z"))
    until = hour_of(now - timedelta(minutes=1))
    wanted: dict[tuple[str, str, int], int] = {}

    def add(key: str, stage: str, counts: dict[str, int]) -> None:
        for hour, count in counts.items():
            if until - hours <= int(hour) < until and count:
                wanted[(key, stage, int(hour))] = wanted.get((key, stage, int(hour)), 0) + count

    for source in held.get("sources", []):
        add(source["id"], "received", held["volume"].get(source["id"], {}))
    for destination in held.get("destinations", []):
        components = destination["metadata"]["components"]
        if not destination["enabled"] or (components and {"type": "SERVER"} not in components):
            continue
        id_ = destination["id"]
        for step, stage in (("successful-delivery", "delivered"), ("failed-delivery", "failed"),
                            ("filtered-at-destination", "filtered")):
            add(id_, stage, held["delivery"].get(f"{step} {id_}", {}))
        add(id_, "filtered", held["delivery"].get(f"filtered-at-source {destination['sourceId']}", {}))
    return wanted
