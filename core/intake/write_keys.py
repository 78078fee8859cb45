"""Which source a write key belongs to: cached, and read anew when the store changed or a key is not known."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import sqlalchemy as sa

from core.store import Store

KEYS = sa.text("SELECT write_key, id, enabled FROM connection WHERE kind = 'source' AND removed_at IS NULL")
SINKS = sa.text("""
SELECT slug, id FROM connection WHERE kind = 'destination' AND removed_at IS NULL AND source_id = :source
""")
FRESH_S = 2.0
PAUSE_S = 0.5
"""Between two reads that unknown keys cause: a flood of them must not become a flood of queries."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source a key belongs to."""

    id: int
    enabled: bool


class WriteKeys:
    """The write keys of the store, at most two seconds old."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sources: dict[str, Source] = {}
        self._began = float("-inf")
        self._failure: Exception | None = None
        self._changes: int | None = None
        self._lock = asyncio.Lock()

    async def find(self, key: str | None) -> Source | None:
        """The source of `key`, or None. Raises StoreError when the store does not answer.

        None is only said after a look at the store that began after the question: the first event of a source added a
        moment ago waits up to half a second, and counts.
        """
        if key is None:
            return None
        asked = asyncio.get_running_loop().time()
        found = self._sources.get(key)
        if found is not None and asked - self._began <= FRESH_S:
            return found
        await self._refresh(asked)
        return self._sources.get(key)

    async def destinations(self, source: Source) -> dict[str, int]:
        """The ids of a source's destinations, by slug."""
        return await asyncio.to_thread(self._destinations, source.id)

    async def _refresh(self, asked: float) -> None:
        """Return after a read that began at `asked` (the loop's time) or later; whoever waits meanwhile shares it."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._began < asked:
                await asyncio.sleep(max(0.0, self._began + PAUSE_S - loop.time()))
                self._began = loop.time()
                try:
                    await asyncio.to_thread(self._read)
                    self._failure = None
                except Exception as error:
                    self._failure = error
            # Those who shared a failed read must not take the old keys for an answer.
            if self._failure is not None:
                raise self._failure

    def _read(self) -> None:
        changes = self._store.changes()
        if changes == self._changes:
            return
        with self._store.read() as session:
            rows = session.connection().execute(KEYS).all()
        self._sources = {row.write_key: Source(row.id, bool(row.enabled)) for row in rows if row.write_key}
        self._changes = changes

    def _destinations(self, source: int) -> dict[str, int]:
        with self._store.read() as session:
            return {row.slug: row.id for row in session.connection().execute(SINKS, {"source": source})}
