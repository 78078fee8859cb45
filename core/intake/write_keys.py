"""Which source a write key belongs to: cached, and read anew when the store changed or a key is not known."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import sqlalchemy as sa

from core.clock import Clock
from core.store import Store

KEYS = "SELECT write_key, id, enabled FROM connection WHERE kind = 'source' AND removed_at IS NULL"
SINKS = """
SELECT slug, id, source_id FROM connection WHERE kind = 'destination' AND removed_at IS NULL AND source_id = :source
"""
FRESH_S = 2.0
UNKNOWN_S = 0.5


@dataclass(frozen=True, slots=True)
class Source:
    """The source a key belongs to."""

    id: int
    enabled: bool


class WriteKeys:
    """The write keys of the store, at most two seconds old."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._read_at = float("-inf")
        self._changes: int | None = None
        self._lock = asyncio.Lock()

    async def find(self, key: str | None) -> Source | None:
        """The source of `key`. A key that is not known is looked up in the store before the answer is no."""
        if key is None:
            return None
        now = asyncio.get_running_loop().time()
        found = self._sources.get(key)
        if now - self._read_at > (FRESH_S if found is not None else UNKNOWN_S):
            async with self._lock:
                if now >= self._read_at:
                    await asyncio.to_thread(self._read)
                    self._read_at = asyncio.get_running_loop().time()
            found = self._sources.get(key)
        return found

    async def destinations(self, source: Source) -> dict[str, int]:
        """The ids of a source's destinations, by slug."""
        return await asyncio.to_thread(self._destinations, source.id)

    def _read(self) -> None:
        changes = self._store.changes()
        if changes == self._changes:
            return
        with self._store.read() as session:
            rows = session.connection().execute(sa.text(KEYS)).all()
        self._sources = {row.write_key: Source(row.id, bool(row.enabled)) for row in rows if row.write_key}
        self._changes = changes

    def _destinations(self, source: int) -> dict[str, int]:
        with self._store.read() as session:
            return {row.slug: row.id for row in session.connection().execute(sa.text(SINKS), {"source": source})}
