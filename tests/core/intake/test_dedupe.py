"""What is remembered of message ids, against a plain dictionary, and how much memory that takes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from core.intake.dedupe import HOURS, SLOTS, WIDTH, Seen, digest, packed, unpacked

HOUR = 490_000
digests = st.integers(1, 2**64 - 1)


@given(st.lists(digests, max_size=50))
def test_what_is_packed_is_unpacked_at_eight_bytes_each(found: list[int]) -> None:
    assert len(packed(found)) == 8 * len(found)
    assert list(unpacked(packed(found))) == found


@given(st.text())
def test_every_text_has_a_digest_of_64_bits_that_is_not_the_empty_slot(name: str) -> None:
    assert 0 < digest(name) < 2**64
    assert digest(name) == digest(name)


@given(st.lists(st.tuples(digests, st.integers(0, 60)), max_size=60), st.integers(0, 90))
def test_it_knows_what_came_in_the_last_24_hours_and_nothing_else(
    came: list[tuple[int, int]], later: int
) -> None:
    seen, plain, now = Seen(4096), dict[int, int](), HOUR + later
    for found, offset in came:
        seen.add(found, HOUR + offset)
        plain[found] = HOUR + offset

    assert all(seen.known(found, now) == (hour >= now - HOURS) for found, hour in plain.items())
    assert seen.count(now) == sum(hour >= now - HOURS for hour in plain.values())
    assert not seen.known(digest("never came"), now)


@given(st.lists(digests, min_size=1, max_size=300))
def test_a_full_table_stays_within_its_slots_and_knows_the_newest(came: list[int]) -> None:
    seen = Seen(2 * WIDTH)

    for found in came:
        seen.add(found, HOUR)
        assert seen.known(found, HOUR)

    assert seen.count(HOUR) <= seen.slots == 2 * WIDTH
    assert seen.count(HOUR) + seen.forgotten >= len(set(came))


def test_the_oldest_hour_is_forgotten_first() -> None:
    seen, chance = Seen(1024), random.Random(3)
    old = [chance.getrandbits(64) for _ in range(500)]
    new = [chance.getrandbits(64) for _ in range(700)]

    for found in old:
        seen.add(found, HOUR)
    for found in new:
        seen.add(found, HOUR + 1)

    assert all(seen.known(found, HOUR + 1) for found in new)
    assert sum(seen.known(found, HOUR + 1) for found in old) <= 1024 - 700


def test_at_four_fifths_less_than_one_in_a_thousand_is_forgotten_early() -> None:
    seen, chance = Seen(1 << 16), random.Random(5)
    came = [chance.getrandbits(64) for _ in range((1 << 16) * 4 // 5)]

    for found in came:
        seen.add(found, HOUR)

    assert seen.forgotten < len(came) / 1000


def test_the_table_of_a_collector_takes_twelve_bytes_a_slot() -> None:
    seen = Seen()

    assert seen.slots == SLOTS
    assert seen._digests.nbytes + seen._hours.nbytes == 12 * SLOTS
