"""The simulated workspace: the same for the same seed, and believable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import Hour, start_of
from core.intake import acme
from core.intake.traffic import DEFAULT_START, HISTORY_DAYS, Workspace, expected, plan
from core.terms import Category, Mode, Role, Stage

SEEDS = (1, 7, 2026)


def received(workspace: Workspace, slug: str, since: int, until: int) -> int:
    return sum(expected(workspace, slug, hour).get(Stage.RECEIVED, 0) for hour in range(since, until))


def test_the_cast_is_that_of_acme() -> None:
    acme_workspace = plan(1)

    categories = [source.category for source in acme_workspace.sources]

    assert acme_workspace.name == "Acme Inc."
    assert [categories.count(category) for category in Category] == [24, 3, 2]
    assert len(acme_workspace.destinations) == 31
    assert sum(sink.mode is Mode.CLOUD for sink in acme_workspace.destinations) > 20
    assert [person.name for person in acme_workspace.members if person.role is Role.OWNER] == ["Ada Lovelace"]
    assert len(acme_workspace.members) == 4


def test_the_default_start_is_a_monday_noon() -> None:
    assert start_of(DEFAULT_START).strftime("%A %H:%M") == "Monday 12:00"


@given(seed=st.integers(0, 2**32), hour=st.integers(-HISTORY_DAYS * 24, 400))
@settings(max_examples=60, deadline=None)
def test_the_same_seed_gives_the_same_counts_and_none_is_negative(seed: int, hour: int) -> None:
    one, other = plan(seed), plan(seed)

    counts = {slug: expected(one, slug, DEFAULT_START + hour) for slug in one.connections}

    assert counts == {slug: expected(other, slug, DEFAULT_START + hour) for slug in other.connections}
    assert all(count >= 0 for stages in counts.values() for count in stages.values())


def test_another_seed_gives_other_counts() -> None:
    hours = range(DEFAULT_START - 48, DEFAULT_START)

    one, other = ([expected(plan(seed), acme.BUSIEST, hour) for hour in hours] for seed in (1, 2))

    assert one != other


def test_what_a_destination_counts_adds_up_to_what_its_source_received() -> None:
    workspace = plan(1)

    for sink in workspace.destinations:
        for hour in range(DEFAULT_START - 72, DEFAULT_START):
            made = expected(workspace, sink.slug, hour)
            if made:
                assert sum(made.values()) == expected(workspace, sink.source, hour)[Stage.RECEIVED]


def test_device_mode_and_switched_off_connections_count_nothing() -> None:
    workspace = plan(1)

    silent = [sink.slug for sink in workspace.destinations if sink.mode is Mode.DEVICE] + list(acme.SWITCHED_OFF)

    assert {slug: expected(workspace, slug, DEFAULT_START) for slug in silent} == {slug: {} for slug in silent}


@pytest.mark.parametrize("seed", SEEDS)
def test_website_is_the_busiest_source(seed: int) -> None:
    workspace = plan(seed)

    volumes = {source.slug: received(workspace, source.slug, DEFAULT_START - 168, DEFAULT_START)
               for source in workspace.sources}

    assert max(volumes, key=lambda slug: volumes[slug]) == acme.BUSIEST


@pytest.mark.parametrize("seed", SEEDS)
def test_days_have_a_shape_and_offices_rest_at_the_weekend(seed: int) -> None:
    workspace = plan(seed)
    sunday = DEFAULT_START - 36

    night, afternoon = (received(workspace, "blog", sunday + at, sunday + at + 4) for at in (1, 15))
    rest, work = (received(workspace, "docs", day, day + 24) for day in (sunday, sunday - 4 * 24))

    assert afternoon > 3 * night
    assert work > 2 * rest


@pytest.mark.parametrize("seed", SEEDS)
def test_a_source_falls_silent_as_the_demo_starts_and_breaches_within_two_hours(seed: int) -> None:
    workspace = plan(seed)

    def drop(hours: int) -> float:
        at = DEFAULT_START + hours
        before = received(workspace, acme.RINGING, at - 48, at - 24)
        return 100 * (before - received(workspace, acme.RINGING, at - 24, at)) / before

    assert drop(0) < 2
    assert drop(1) < 6 < drop(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_source_is_down_one_launched_and_one_destination_leaks_more_every_day(seed: int) -> None:
    workspace = plan(seed)

    def rate(day: int) -> float:
        hours = range(DEFAULT_START + (day - 1) * 24, DEFAULT_START + day * 24)
        made = [expected(workspace, acme.LEAKING, hour) for hour in hours]
        delivered, failed = (sum(one[stage] for one in made) for stage in (Stage.DELIVERED, Stage.FAILED))
        return 100 * delivered / (delivered + failed)

    launch = DEFAULT_START - 5 * 24
    usual, launched = (received(workspace, acme.BUSIEST, day, day + 12) for day in (launch - 24, launch))

    assert received(workspace, acme.DOWN, DEFAULT_START - 17, DEFAULT_START) == 0
    assert launched > 1.4 * usual
    assert rate(-6) > 99 > rate(-4) > rate(-2) > rate(0) < 97


@pytest.mark.parametrize("seed", SEEDS)
def test_a_played_day_fits_the_pace_of_the_demo(seed: int) -> None:
    workspace = plan(seed)

    hours = [sum(expected(workspace, source.slug, hour).get(Stage.RECEIVED, 0) for source in workspace.sources)
             for hour in range(DEFAULT_START, Hour(DEFAULT_START + 48))]

    assert max(hours) < 9_000  # 450 a second for the 20 s that an hour takes
