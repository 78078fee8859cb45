"""Which messages were counted in the last 24 hours: 64-bit digests in bounded memory, reloaded after a restart."""

from __future__ import annotations

import hashlib
import mmap
from array import array
from collections import Counter
from collections.abc import Iterable
from struct import Struct

SLOTS = 1 << 22
"""Digests kept at most; 12 bytes each, so 50 MB when all are used. Memory is taken as it fills."""
WIDTH = 8
"""Slots of a bucket. A digest has two buckets, so that the table is 95 % full before anything is forgotten early."""
HOURS = 24
DIGESTS, HOURS_OF = Struct(f"={WIDTH}Q"), Struct(f"={WIDTH}I")


def digest(message_id: str) -> int:
    """A message id as 64 bits, never 0; a new id meets one of four million others once in 4 x 10^12 tries."""
    return int.from_bytes(hashlib.blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1


def packed(digests: Iterable[int]) -> bytes:
    """Digests as the store keeps them: eight bytes each."""
    return array("Q", digests).tobytes()


def unpacked(stored: bytes) -> array[int]:
    """The inverse of `packed`."""
    found: array[int] = array("Q")
    found.frombytes(stored[: len(stored) // 8 * 8])
    return found


class Seen:
    """The digests of the last 24 hours, each with the hour in which it came.

    A table of fixed size in which a full bucket forgets its oldest entry: sets of integers took 90 bytes a digest and
    a look-up in each of 24 hours.

    Args:
        slots: how many digests it can hold; rounded up to a power of two.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = max(2 * WIDTH, 1 << (slots - 1).bit_length())
        self._mask = self.slots // WIDTH - 1
        self._digests = memoryview(mmap.mmap(-1, 8 * self.slots)).cast("Q")
        self._hours = memoryview(mmap.mmap(-1, 4 * self.slots)).cast("I")
        self._kept: Counter[int] = Counter()
        self.forgotten = 0
        """How many were forgotten before their 24 hours were over, for want of room."""

    def known(self, found: int, hour: int) -> bool:
        """Whether a digest came within the 24 hours before `hour` (hours since 1970), or later."""
        slot = self._slot(found)
        return slot is not None and self._hours[slot] >= hour - HOURS

    def add(self, found: int, hour: int) -> None:
        """Remember a digest that came in `hour` (hours since 1970)."""
        slot = self._slot(found)
        if slot is None:
            slot = self._victim(found)
        before = self._hours[slot]
        if before:
            self._kept[before] -= 1
            self.forgotten += before >= hour - HOURS and self._digests[slot] != found
        self._digests[slot] = found
        self._hours[slot] = hour
        self._kept[hour] += 1

    def count(self, hour: int) -> int:
        """How many digests of the 24 hours before `hour` are remembered."""
        for gone in [kept for kept, number in self._kept.items() if not number]:
            del self._kept[gone]
        return sum(number for kept, number in self._kept.items() if kept >= hour - HOURS)

    def _buckets(self, found: int) -> tuple[int, int]:
        return (found & self._mask) * WIDTH, (found >> 32 & self._mask) * WIDTH

    def _slot(self, found: int) -> int | None:
        for start in self._buckets(found):
            held = DIGESTS.unpack_from(self._digests, 8 * start)
            if found in held:
                return start + held.index(found)
        return None

    def _victim(self, found: int) -> int:
        """The oldest (or empty: hour 0) slot of the bucket that is emptier, or older."""
        first, second = self._buckets(found)
        hours, others = HOURS_OF.unpack_from(self._hours, 4 * first), HOURS_OF.unpack_from(self._hours, 4 * second)
        if sum(others) < sum(hours):
            first, hours = second, others
        return first + hours.index(min(hours))
