"""A backtest says what the live pass would have done, and its advice is true."""

from __future__ import annotations

import random
from dataclasses import replace as changed
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import Hour, from_micros, hour_of, start_of
from core.counts import cover, keep_listening, replace, start_listening
from core.coverage import merged, missing
from core.errors import InvalidInput, NotFound
from core.foresight import STEP, Passes, as_json, backtest, preview, suggest, worst_text
from core.replay import Foreseen, History, blind_seconds, incidents, judged, openings, read_history
from core.rules import LARGEST_THRESHOLD, WEEK, Condition, Counts, verdict
from core.store import Store
from core.terms import AlertKind, Baseline, CoverageKind, Direction, Stage, Verdict
from tests.core.acme import AT, Acme, H, found

VOLUME = Condition(AlertKind.SOURCE_VOLUME, 2000)
RATE = Condition(AlertKind.DELIVERY_RATE, 9500)


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


@pytest.fixture
def embedded(sqlite_store: Store) -> Acme:
    return found(sqlite_store)


def level(acme: Acme, days: int, outages: dict[int, int] | None = None) -> None:
    """`days` days of 100 an hour up to H; `outages` sets whole hours (counted back from H) to another count."""
    hours = {Hour(H - back): 100 for back in range(1, days * 24 + 1)}
    hours.update({Hour(H - back): count for back, count in (outages or {}).items()})
    acme.counted(hours)


def lived(acme: Acme, first: int) -> list[tuple[object, ...]]:
    """The incidents that real passes open over the same hours, as a backtest describes them."""
    for hour in range(first, H + 1):
        acme.judge(hour)
    rows = acme.all(
        "SELECT i.opened_hour, i.closed_at, i.worst_current, i.worst_baseline, "
        "(SELECT COUNT(*) FROM notification n WHERE n.incident_id = i.id) FROM incident i ORDER BY i.opened_hour")
    return [(row[0], None if row[1] is None else hour_of(from_micros(int(str(row[1])))), *row[2:]) for row in rows]


def foretold(found: tuple[Foreseen, ...]) -> list[tuple[object, ...]]:
    return [(item.opened_hour, item.closed_hour, *item.worst, item.messages) for item in found]


@pytest.mark.parametrize(("asks", "reminder", "resolved"), [
    (VOLUME, 24, True), (VOLUME, 0, False), (changed(VOLUME, direction=Direction.DROP), 24, True),
    (changed(VOLUME, baseline=Baseline.WEEK_BEFORE), 24, True), (changed(VOLUME, min_events=1500), 24, True),
], ids=["plain", "no reminder", "drops", "week before", "least"])
def test_it_says_what_the_live_pass_did(acme: Acme, asks: Condition, reminder: int, resolved: bool) -> None:
    level(acme, 16, dict.fromkeys([*range(60, 100), *range(150, 153)], 0))
    acme.alert("website", asks.threshold, direction=asks.direction, baseline=asks.baseline, min_events=asks.min_events,
               reminder_hours=reminder, say_resolved=resolved)

    with acme.store.read() as session:
        said = backtest(session, "website", asks, AT, days=7, reminder_hours=reminder, say_resolved=resolved)

    assert foretold(said.incidents) == lived(acme, H - 7 * 24 + 1)
    assert said.incidents


@pytest.mark.parametrize("seed", range(6))
def test_it_says_what_the_live_pass_did_for_any_traffic(embedded: Acme, seed: int) -> None:
    dice = random.Random(seed)
    threshold = dice.choice([500, 2000, 6000])
    with embedded.store.write() as session:
        replace(session, {(embedded.website, Hour(H - back), Stage.RECEIVED): dice.choice([0, 0, 3, 40, 60, 400])
                          for back in range(1, dice.choice([100, 140])) if dice.random() < 0.9})
        listening = start_listening(session, start_of(H - 200))
        keep_listening(session, listening, start_of(H - 60) + timedelta(minutes=dice.randrange(60)))
        listening = start_listening(session, start_of(H - 59) + timedelta(minutes=dice.randrange(55, 125)))
        keep_listening(session, listening, start_of(H + 1))
        cover(session, [(embedded.website, Hour(H - 50), Hour(H - 40))], CoverageKind.IMPORT)
    embedded.alert("website", threshold)

    with embedded.store.read() as session:
        said = backtest(session, "website", changed(VOLUME, threshold=threshold), AT, days=4)

    assert foretold(said.incidents) == lived(embedded, H - 4 * 24 + 1)


def test_a_rate_is_replayed_as_it_was_judged(acme: Acme) -> None:
    acme.counted({Hour(H - back): 90 for back in range(1, 200)}, Stage.DELIVERED)
    acme.counted({Hour(H - back): 30 if 60 < back < 80 else 1 for back in range(1, 200)}, Stage.FAILED)
    acme.alert("amplitude", 9500)

    with acme.store.read() as session:
        said = backtest(session, "amplitude", RATE, AT, days=5)

    assert foretold(said.incidents) == lived(acme, H - 5 * 24 + 1)
    assert len(said.incidents) == 1


def spoken(volumes: list[tuple[int, int]], kind: AlertKind, silent: set[int]) -> Passes:
    """Passes of those (current, baseline) or (delivered, attempts), a few of them silent."""
    asks = Condition(kind, 1)
    passes = []
    for n, (first, second) in enumerate(volumes):
        volume = kind is AlertKind.SOURCE_VOLUME
        pair = (first, second, 0, 0) if volume else (0, 0, first, max(0, second - first))
        counts = Counts(0, *pair, n not in silent)
        passes.append((Hour(H + n), verdict(counts, asks, Hour(H + n)), counts))
    return passes


def brute(passes: Passes, asks: Condition) -> tuple[int, int] | None:
    told = sum(said in (Verdict.OK, Verdict.BREACHED) for _, said, _ in passes)
    largest = LARGEST_THRESHOLD[asks.kind]
    grid = range(STEP, largest + 1, STEP)
    different = sorted({counts for _, _, counts in passes})
    known: dict[tuple[Verdict, ...], tuple[int, int]] = {}
    for points in grid if asks.kind is AlertKind.SOURCE_VOLUME else reversed(grid):
        tried = changed(asks, threshold=points)
        # Most thresholds judge as their neighbour does, and every hour here lies behind the history an alert needs.
        verdicts = tuple(verdict(counts, tried, H) for counts in different)
        if verdicts not in known:
            said_of = dict(zip(different, verdicts, strict=True))
            again = [(hour, said_of[counts], counts) for hour, _, counts in passes]
            known[verdicts] = (openings(again, asks.kind), sum(said is Verdict.BREACHED for _, said, _ in again))
        opened, breached = known[verdicts]
        if told >= WEEK and opened <= told // WEEK and breached * 2 <= told:
            return points, opened
    return None


changes = st.lists(st.tuples(st.sampled_from([0, 5, 90, 95, 100, 101, 110, 120, 150, 180, 1000]),
                             st.sampled_from([0, 50, 99, 100, 100, 100])), min_size=170, max_size=190)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes, st.sets(st.integers(0, 190), max_size=15), st.sampled_from(AlertKind),
       st.sampled_from(Direction), st.integers(1, 2))
def test_the_suggestion_is_what_trying_every_threshold_finds(
    volumes: list[tuple[int, int]], silent: set[int], kind: AlertKind, direction: Direction, stretch: int
) -> None:
    asks = Condition(kind, 1000, direction if kind is AlertKind.SOURCE_VOLUME else Direction.BOTH)
    # Long quiet stretches between bursts: with changes every hour nothing ever resolves.
    calm = [(100, 100)] * (60 * stretch)
    passes = spoken([*volumes[:20], *calm, *volumes[20:40], *calm, *volumes[40:50], *calm], kind, silent)

    assert suggest(passes, asks) == brute(passes, asks)


@given(st.lists(st.sampled_from(Verdict), max_size=60), st.sampled_from(AlertKind))
def test_counting_openings_is_counting_incidents(said: list[Verdict], kind: AlertKind) -> None:
    passes = [(Hour(H + n), one, Counts(0, 1, 1)) for n, one in enumerate(said)]

    assert openings(passes, kind) == len(incidents(passes, kind))


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 40_000)), max_size=6))
def test_blind_seconds_add_up(stretches: list[tuple[int, int]]) -> None:
    covered = merged(stretches)
    sums = blind_seconds(covered, Hour(0), Hour(10))

    assert [sums[hour + 1] - sums[hour] for hour in range(10)] == [
        missing((hour * 3600, (hour + 1) * 3600), covered) for hour in range(10)]


def test_the_week_before_is_quieter_for_traffic_with_weekends(embedded: Acme) -> None:
    embedded.counted({Hour(H - back): 20 if (H - back) // 24 % 7 in (2, 3) else 100 for back in range(1, 45 * 24)})

    with embedded.store.read() as session:
        said = backtest(session, "website", VOLUME, AT)

    assert len(said.incidents) > 4
    assert said.quieter[0].asks.baseline is Baseline.WEEK_BEFORE
    assert said.quieter[0].opened == 0
    assert said.quieter[0].text == (
        f"Against the same 24 h a week before it would have opened 0 instead of {len(said.incidents)} "
        "and 0.1 % would open at most one a week.")


def test_a_minimum_volume_is_named_with_its_numbers(embedded: Acme) -> None:
    dice = random.Random(3)
    quiet = {Hour(H - back): dice.randrange(0, 3) for back in range(300, 1000)}
    embedded.counted(quiet | {Hour(H - back): 100 for back in range(1, 500)})

    with embedded.store.read() as session:
        said = backtest(session, "website", VOLUME, AT)
        best = next(item for item in said.quieter if item.asks.min_events)
        again = backtest(session, "website", best.asks, AT)

    assert best.opened < len(said.incidents)
    assert best.opened == len(again.incidents)
    assert f"{best.asks.min_events:,} events" in best.text


def test_the_preview_has_what_the_sheet_shows(embedded: Acme) -> None:
    level(embedded, 45, dict.fromkeys(range(1, 13), 0) | dict.fromkeys(range(240, 264), 150))

    with embedded.store.read() as session:
        shown = preview(session, "website", VOLUME, AT)

    assert (shown.now_current, shown.now_baseline, shown.now_change_text) == (1200, 2400, "-50.0 %")
    assert shown.would_fire
    assert (shown.opened, shown.days, len(shown.spark)) == (3, 30, 30)
    assert [item.worst_text for item in shown.incidents] == ["+50.0 %", "-33.3 %", "-50.0 %"]
    assert shown.incidents[-1].to_hour is None
    assert shown.spark[-1] == 1200
    assert [item.mark for item in shown.incidents] == [19, 20, 29]
    assert shown.chance_text.startswith("Chance alone")


def test_a_young_connection_has_no_suggestion_and_no_incidents(embedded: Acme) -> None:
    level(embedded, 3)

    with embedded.store.read() as session:
        shown = preview(session, "website", VOLUME, AT)

    assert (shown.opened, shown.suggestion, shown.advice) == (0, None, ())


def test_a_connection_without_counts_says_so(embedded: Acme) -> None:
    with embedded.store.read() as session:
        shown = preview(session, "amplitude", RATE, AT)

    assert (shown.now_verdict, shown.would_fire, shown.now_change_text) == (Verdict.NO_DATA, False, "no attempts")
    assert shown.spark == [-1] * 30
    assert "Nothing was counted" in shown.chance_text


def test_bad_input_is_refused_in_words(embedded: Acme) -> None:
    with embedded.store.read() as session:
        with pytest.raises(NotFound, match="no connection called nowhere"):
            backtest(session, "nowhere", VOLUME, AT)
        with pytest.raises(InvalidInput, match="amplitude is a destination"):
            backtest(session, "amplitude", VOLUME, AT)
        with pytest.raises(InvalidInput, match="between 1 and 366"):
            backtest(session, "website", VOLUME, AT, days=0)
        with pytest.raises(InvalidInput, match=r"between 0\.01 and 100 %"):
            backtest(session, "amplitude", changed(RATE, threshold=10_001), AT)


@pytest.mark.parametrize(("kind", "pair", "text"), [
    (AlertKind.SOURCE_VOLUME, (138, 100), "+38.0 %"), (AlertKind.SOURCE_VOLUME, (29, 100), "-71.0 %"),
    (AlertKind.SOURCE_VOLUME, (812, 0), "from 0 to 812"), (AlertKind.SOURCE_VOLUME, (0, 0), "no events"),
    (AlertKind.DELIVERY_RATE, (9896, 10_000), "98.9 %"), (AlertKind.DELIVERY_RATE, (0, 0), "no attempts"),
])
def test_the_worst_is_worded_without_a_division_by_nothing(kind: AlertKind, pair: tuple[int, int], text: str) -> None:
    assert worst_text(kind, pair) == text


def test_as_json_has_both_numbers_and_utc_times(embedded: Acme) -> None:
    level(embedded, 20, dict.fromkeys(range(1, 13), 0))

    with embedded.store.read() as session:
        said = as_json(backtest(session, "website", VOLUME, AT, days=7))

    assert said["opened"] == 1
    assert said["incidents"] == [{
        "from": "2027-01-15T01:00:00Z", "to": None, "worst": "-50.0 %", "worst_current": 1200, "worst_baseline": 2400,
        "messages": 1}]


def test_ninety_days_are_replayed_in_one_read(embedded: Acme) -> None:
    level(embedded, 100)
    with embedded.store.read() as session:
        history = read_history(session, "website", AlertKind.SOURCE_VOLUME, Hour(H - 90 * 24 + 1), H)

    assert isinstance(history, History)
    assert len(judged(history, VOLUME, Hour(H - 90 * 24 + 1))) == 90 * 24
