"""Which messages were counted in the last 24 hours: 64-bit digests in bounded memory, reloaded after a restart."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable

MOST = 1_000_000
"""Digests kept; at about 90 bytes each, 90 MB. Beyond it the oldest hour is forgotten first."""
HOURS = 24


def digest(message_id: str) -> int:
    """A message id as 64 bits; two different ones of a million collide about once in 37 million days."""
    return int.from_bytes(hashlib.blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def packed(digests: Iterable[int]) -> bytes:
    """Digests as the store keeps them: eight bytes each."""
    return array("Q", digests).tobytes()


def unpacked(stored: bytes) -> array[int]:
    """The inverse of `packed`."""
    found: array[int] = array("Q")
    found.frombytes(stored[: len(stored) // 8 * 8])
    return found


class Seen:
    """The digests of the last 24 hours, by the hour in which they came."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._hours: OrderedDict[int, set[int]] = OrderedDict()
        self._size = 0
        self.forgotten = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, found: int) -> bool:
        return any(found in hour for hour in reversed(self._hours.values()))

    def add(self, found: int, hour: int) -> None:
        """Remember a digest that came in `hour` (hours since 1970)."""
        kept = self._hours.get(hour)
        if kept is None:
            kept = self._hours[hour] = set()
            self._forget(hour)
        before = len(kept)
        kept.add(found)
        self._size += len(kept) - before
        while self._size > self._most and len(self._hours) > 1:
            self.forgotten += self._drop()
        if self._size > self._most:
            kept.clear()
            kept.add(found)
            self.forgotten += self._size - 1
            self._size = 1

    def discard(self, found: int) -> None:
        """Forget a digest whose count did not reach the store."""
        for kept in self._hours.values():
            if found in kept:
                kept.remove(found)
                self._size -= 1
                return

    def _forget(self, hour: int) -> None:
        while self._hours and next(iter(self._hours)) < hour - HOURS:
            self._drop()

    def _drop(self) -> int:
        _, dropped = self._hours.popitem(last=False)
        self._size -= len(dropped)
        return len(dropped)
