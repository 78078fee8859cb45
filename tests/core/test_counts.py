"""Counts add up, replace, and vouch for their hours; coverage is plain arithmetic on sets of seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.clock import Hour, start_of
from core.counts import cover, covered_hours, keep_listening, listening_spans, record, replace, series, start_listening
from core.coverage import merged, missing, uncovered
from core.store import Store
from core.terms import CoverageKind, Stage
from tests.core.acme import Acme, H, found

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


def seconds(stretches: list[tuple[int, int]]) -> set[int]:
    return {second for since, until in stretches for second in range(since, until)}


@given(spans)
def test_merged_spans_cover_the_same_seconds_and_never_touch(stretches: list[tuple[int, int]]) -> None:
    joined = merged(stretches)

    assert seconds(joined) == seconds(stretches)
    assert all(first[1] < second[0] for first, second in pairwise(joined))


@given(spans, st.integers(0, 60), st.integers(0, 60))
def test_what_is_uncovered_is_the_window_less_the_spans(
    stretches: list[tuple[int, int]], since: int, length: int
) -> None:
    window, covered = (since, since + length), merged(stretches)

    left = set(range(*window)) - seconds(stretches)

    assert seconds(uncovered(window, covered)) == left
    assert missing(window, covered) == len(left)


def test_recording_adds_and_replacing_sets(acme: Acme) -> None:
    key = (acme.website, H, Stage.RECEIVED)
    for count in (3, 4):
        with acme.store.write() as session:
            record(session, {key: count})
    with acme.store.read() as session:
        added = series(session, [acme.website], H, Hour(H + 1))
    with acme.store.write() as session:
        replace(session, {key: 5})

    with acme.store.read() as session:
        assert added == {(acme.website, Stage.RECEIVED): [7]}
        assert series(session, [acme.website], Hour(H - 1), Hour(H + 2)) == {(acme.website, Stage.RECEIVED): [0, 5, 0]}


def test_the_first_count_of_a_connection_is_kept(acme: Acme) -> None:
    for hour in (H, H - 5, H + 3):
        with acme.store.write() as session:
            record(session, {(acme.website, Hour(hour), Stage.RECEIVED): 1})

    assert acme.one(f"SELECT first_hour FROM connection WHERE id = {acme.website}") == (H - 5,)


def test_many_writers_lose_nothing(acme: Acme) -> None:
    def write(n: int) -> None:
        with acme.store.write() as session:
            record(session, {(acme.website, Hour(H + hour), Stage.RECEIVED): n for hour in range(5)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))

    with acme.store.read() as session:
        total = session.connection().execute(sa.text("SELECT SUM(count) FROM hourly_count")).scalar_one()
    assert total == 5 * sum(range(20))


def test_covered_hours_join_and_stay_with_their_kind(acme: Acme) -> None:
    with acme.store.write() as session:
        for since, until in ((0, 4), (10, 12), (4, 7), (6, 10)):
            cover(session, [(acme.website, Hour(H + since), Hour(H + until))], CoverageKind.IMPORT)
        cover(session, [(acme.website, Hour(H + 20), Hour(H + 21))], CoverageKind.SYNC)

    assert acme.all("SELECT kind, from_hour, until_hour FROM coverage ORDER BY 1") == [
        ("import", H, H + 12), ("sync", H + 20, H + 21)]
    with acme.store.read() as session:
        assert covered_hours(session, [acme.website], H) == {
            acme.website: [(H * 3600, (H + 12) * 3600), ((H + 20) * 3600, (H + 21) * 3600)]}


def test_listening_stretches_of_several_collectors_join(acme: Acme) -> None:
    began = start_of(H)
    with acme.store.write() as session:
        for since, until in ((0, 30), (20, 50), (90, 100)):
            listening = start_listening(session, began + timedelta(minutes=since))
            keep_listening(session, listening, began + timedelta(minutes=until))
            keep_listening(session, listening, began)

    with acme.store.read() as session:
        found_spans = listening_spans(session, began, began + timedelta(hours=3))
    assert [((since - began).seconds // 60, (until - began).seconds // 60) for since, until in found_spans] == [
        (0, 50), (90, 100)]
