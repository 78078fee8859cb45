"""One pass: incidents open, stay, remind and resolve as the product page has it, once, whoever runs it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed
from datetime import timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Action
from core.alerts import delete_alert, edit_alert, get_alert, list_alerts, mute, set_enabled, unmute
from core.clock import Hour, start_of
from core.counts import keep_listening, start_listening
from core.errors import InvalidInput, NotAllowed
from core.incidents import list_incidents, list_notifications, mark_read, unread_count
from core.store import Store, open_store
from core.terms import Baseline, Direction, Stage, Verdict
from core.watch import end_mutes, run_pass
from tests.core.acme import AT, EMAIL, HOSTS, IN_APP, SLACK, Acme, H, found


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


def dropped(acme: Acme, *, until: int = H) -> None:
    """Website: 100 an hour, then 10 an hour in the last 24 of `until`."""
    acme.day(until - 24, 100)
    acme.day(until, 10)


def events(acme: Acme) -> list[str]:
    return [str(row[0]) for row in acme.all("SELECT event FROM notification WHERE event <> 'gap' ORDER BY id")]


def open_incidents(acme: Acme) -> int:
    return len(acme.all("SELECT id FROM incident WHERE closed_at IS NULL"))


def test_a_breach_opens_an_incident_and_queues_one_notification_a_channel(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000, IN_APP, EMAIL, SLACK)

    report = acme.judge()

    row = report.verdicts[0]
    assert (row.verdict, row.current, row.baseline, str(row.change_percent)) == (Verdict.BREACHED, 240, 2400, "-90.00")
    assert acme.one("SELECT alert_id, closed_at FROM incident") == (alert, None)
    assert row.incident == acme.one("SELECT id FROM incident")[0]
    assert acme.all("SELECT channel, state FROM notification ORDER BY channel") == [
        ("email", "queued"), ("in_app", "sent"), ("slack", "queued")]


def test_the_same_hour_twice_changes_nothing(acme: Acme) -> None:
    dropped(acme)
    acme.alert("website", 2000, IN_APP, EMAIL)
    first = acme.judge()

    second = acme.judge()

    assert (first.opened, second.opened, second.queued) == (1, 0, 0)
    assert events(acme) == ["opened", "opened"]
    assert second.verdicts[0].incident == first.verdicts[0].incident


def test_two_processes_at_once_open_one_incident(acme: Acme, store_address: str) -> None:
    dropped(acme)
    acme.alert("website", 2000, IN_APP, EMAIL)
    others = [open_store(store_address) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda other: run_pass(other, AT, now=AT), others))

    assert sorted(report.opened for report in reports) == [0, 0, 0, 1]
    assert open_incidents(acme) == 1
    assert events(acme) == ["opened", "opened"]
    for other in others:
        other.close()


def test_a_clock_that_stepped_back_changes_nothing(acme: Acme) -> None:
    dropped(acme, until=H - 1)
    acme.counted({Hour(H - 1): 100})
    acme.alert("website", 2000)
    acme.judge(H)
    before = acme.all("SELECT id, quiet_hour, closed_at FROM incident")

    report = acme.judge(H - 1)

    assert report.verdicts[0].verdict is Verdict.BREACHED
    assert acme.all("SELECT id, quiet_hour, closed_at FROM incident") == before


def test_a_late_count_is_seen_by_the_next_pass_only(acme: Acme) -> None:
    acme.day(H - 24, 100)
    acme.day(H, 100)
    acme.alert()
    acme.judge(H)

    acme.day(H, 10)
    again, later = acme.judge(H), acme.judge(H + 1)

    assert (again.verdicts[0].verdict, again.opened) == (Verdict.BREACHED, 0)
    assert later.opened == 1


def test_a_dry_run_writes_nothing(acme: Acme) -> None:
    dropped(acme)
    acme.alert()

    report = acme.judge(dry_run=True)

    assert report.verdicts[0].verdict is Verdict.BREACHED
    assert acme.all("SELECT 1 FROM incident UNION ALL SELECT 1 FROM notification UNION ALL SELECT 1 FROM pass") == []


def test_it_resolves_after_two_quiet_passes_and_says_so_once(acme: Acme) -> None:
    dropped(acme)
    acme.alert()
    acme.judge(H)
    acme.day(H, 100)
    acme.day(H + 24, 100)

    acme.judge(H + 1)
    still = open_incidents(acme)
    acme.judge(H + 2)
    acme.judge(H + 3)

    assert (still, open_incidents(acme)) == (1, 0)
    assert events(acme) == ["opened", "resolved"]


def test_a_breach_between_two_quiet_passes_starts_the_count_anew(acme: Acme) -> None:
    acme.counted({Hour(hour): 100 for hour in range(H - 60, H + 60)})
    acme.alert("website", 2000)
    acme.counted({Hour(H - 1): 1000})
    assert acme.judge(H).opened == 1
    acme.counted({Hour(H - 1): 100})
    acme.judge(H + 1)
    acme.counted({Hour(H - 1): 1000})
    acme.judge(H + 2)
    acme.counted({Hour(H - 1): 100})
    acme.judge(H + 3)

    assert open_incidents(acme) == 1
    acme.judge(H + 4)
    assert open_incidents(acme) == 0


def test_reminders_come_every_24_hours_while_it_stays_breached(acme: Acme) -> None:
    acme.counted({Hour(hour): 100 for hour in range(H - 200, H - 24)})
    acme.counted({Hour(H - 24 + n): max(1, 100 // 2 ** (n // 24 + 1)) for n in range(100)})
    acme.alert("website", 2000)

    for hour in range(H, H + 50):
        acme.judge(hour)

    assert events(acme) == ["opened", "reminder", "reminder"]


def test_reminders_can_be_off_and_resolved_can_be_silent(acme: Acme) -> None:
    acme.counted({Hour(H - 72 + n): 10_000 // 3 ** min(n // 24, 5) for n in range(240)})
    acme.alert("website", 2000, IN_APP, reminder_hours=0, say_resolved=False)

    for hour in range(H, H + 120):
        acme.judge(hour)

    assert events(acme) == ["opened"]
    assert open_incidents(acme) == 0


def test_muted_incidents_are_recorded_and_told_when_the_mute_ends(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000, IN_APP, EMAIL)
    with acme.store.write() as session:
        mute(session, acme.ada, alert, start_of(H) + timedelta(minutes=30), start_of(H))

    report = acme.judge(H)
    silent = events(acme)
    with acme.store.write() as session:
        early = end_mutes(session, start_of(H) + timedelta(minutes=29), AT)
        ended = end_mutes(session, start_of(H) + timedelta(minutes=30), AT)

    assert (report.opened, silent) == (1, [])
    assert (early, ended) == (0, 1)
    assert events(acme) == ["opened", "opened"]


def test_muting_drops_what_waits_and_unmuting_tells_it(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000, EMAIL)
    acme.judge(H)
    with acme.store.write() as session:
        mute(session, acme.ada, alert, AT + timedelta(hours=8), AT)
    waiting = acme.all("SELECT state FROM notification")
    dropped(acme, until=H + 1)
    acme.judge(H + 1)

    with acme.store.write() as session:
        unmute(session, acme.ada, alert, AT + timedelta(hours=1))

    assert waiting == [("dropped",)]
    assert acme.all("SELECT event, state FROM notification ORDER BY id") == [
        ("opened", "dropped"), ("opened", "queued")]


def test_an_incident_that_was_told_before_the_mute_is_told_again_when_it_ends(acme: Acme) -> None:
    dropped(acme, until=H + 2)
    acme.day(H - 24, 100)
    alert = acme.alert("website", 2000)
    acme.judge(H)
    with acme.store.write() as session:
        mute(session, acme.ada, alert, AT + timedelta(hours=1), AT)

    acme.judge(H + 2)

    assert events(acme) == ["opened", "reminder"]


def test_disabling_closes_silently_and_drops_what_is_untried(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000, EMAIL)
    acme.judge()

    with acme.store.write() as session:
        set_enabled(session, acme.ada, alert, False, AT)
    report = acme.judge(H + 1)

    assert acme.one("SELECT close_reason FROM incident") == ("alert_disabled",)
    assert acme.all("SELECT state FROM notification") == [("dropped",)]
    assert report.verdicts[0].verdict is Verdict.DISABLED


def test_deleting_closes_silently_and_the_alert_is_gone(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000, EMAIL)
    acme.judge()

    with acme.store.write() as session:
        delete_alert(session, acme.ada, alert, AT)

    assert acme.one("SELECT close_reason FROM incident") == ("alert_deleted",)
    assert acme.all("SELECT state FROM notification") == [("dropped",)]
    assert acme.judge(H + 1).verdicts == []
    with acme.store.read() as session:
        assert list_alerts(session, acme.ada, now=AT) == []
        assert len(list_incidents(session, acme.ada)) == 1


def test_an_edited_threshold_closes_silently_and_is_judged_at_once(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000)
    acme.judge()
    with acme.store.write() as session:
        spec = get_alert(session, acme.ada, alert, AT).spec
        edit_alert(session, acme.ada, alert, changed(spec, threshold=3000), AT, HOSTS)

    assert acme.all("SELECT close_reason, threshold FROM incident ORDER BY id") == [("edited", 2000), (None, 3000)]
    with acme.store.write() as session:
        edit_alert(session, acme.ada, alert, changed(spec, threshold=9500), AT, HOSTS)
    assert open_incidents(acme) == 0
    with acme.store.read() as session:
        assert get_alert(session, acme.ada, alert, AT).state == "ok"


def test_an_edited_channel_leaves_the_incident_open(acme: Acme) -> None:
    dropped(acme)
    alert = acme.alert("website", 2000)
    acme.judge()
    with acme.store.write() as session:
        spec = get_alert(session, acme.ada, alert, AT).spec
        edit_alert(session, acme.ada, alert, changed(spec, channels=(IN_APP, EMAIL)), AT, HOSTS)

    assert open_incidents(acme) == 1
    assert events(acme) == ["opened"]


def test_a_closed_laptop_is_not_an_outage_and_one_notice_says_so(acme: Acme) -> None:
    acme.day(H - 24, 100)
    acme.counted({Hour(hour): 100 for hour in range(H - 24, H - 10)})
    acme.alert("website", 2000)
    acme.alert("website", 5000)

    first, second = acme.judge(H), acme.judge(H + 1)

    assert {row.verdict for row in first.verdicts + second.verdicts} == {Verdict.UNKNOWN}
    assert acme.all("SELECT event, channel, member_id FROM notification") == [("gap", "in_app", acme.ada.id)]
    assert open_incidents(acme) == 0


def test_silence_while_listening_is_an_outage(acme: Acme) -> None:
    acme.day(H - 24, 100)
    acme.alert("website", 2000)
    with acme.store.write() as session:
        listening = start_listening(session, start_of(H - 24))
        keep_listening(session, listening, AT)

    assert acme.judge().verdicts[0].verdict is Verdict.BREACHED


@pytest.mark.parametrize(("minutes", "said"), [(72, Verdict.BREACHED), (73, Verdict.UNKNOWN)])
def test_five_percent_of_a_window_may_pass_unheard(acme: Acme, minutes: int, said: Verdict) -> None:
    acme.day(H - 24, 100)
    acme.alert("website", 2000)
    with acme.store.write() as session:
        keep_listening(session, start_listening(session, start_of(H - 24)), start_of(H - 12))
        keep_listening(session, start_listening(session, start_of(H - 12) + timedelta(minutes=minutes)), AT)

    assert acme.judge().verdicts[0].verdict is said


def test_an_unknown_pass_does_not_resolve(acme: Acme) -> None:
    dropped(acme)
    acme.alert()
    acme.judge(H)

    for hour in range(H + 3, H + 30):
        acme.judge(hour)

    assert open_incidents(acme) == 1
    assert events(acme) == ["opened"]


def test_more_than_five_openings_for_one_recipient_fold_into_one_message(acme: Acme) -> None:
    dropped(acme)
    for _ in range(6):
        acme.alert("website", 2000, EMAIL)
    acme.alert("website", 2000, SLACK)

    acme.judge()

    folds = acme.all("SELECT channel, COUNT(*), COUNT(DISTINCT fold) FROM notification GROUP BY channel ORDER BY 1")
    assert folds == [("email", 6, 1), ("slack", 1, 0)]


def test_a_delivery_rate_opens_below_and_no_attempts_keep_it_open(acme: Acme) -> None:
    acme.day(H, 97, Stage.DELIVERED)
    acme.day(H, 3, Stage.FAILED)
    acme.day(H, 500, Stage.FILTERED)
    acme.alert("amplitude", 9900)

    row = acme.judge().verdicts[0]
    acme.day(H, 0, Stage.DELIVERED)
    acme.day(H, 0, Stage.FAILED)
    for hour in range(H + 1, H + 4):
        acme.counted({Hour(hour): 0}, Stage.FAILED)
        assert acme.judge(hour).verdicts[0].verdict is Verdict.NO_DATA

    assert (row.verdict, row.delivered, row.failed, str(row.rate_percent)) == (Verdict.BREACHED, 2328, 72, "97.00")
    assert (row.current, row.baseline) == (2400, None)
    assert open_incidents(acme) == 1


def test_the_worst_value_of_an_incident_is_kept(acme: Acme) -> None:
    acme.counted({Hour(hour): 100 for hour in range(H - 60, H - 24)})
    acme.counted({Hour(H - 24 + n): 50 if n < 25 else 0 for n in range(40)})
    acme.alert("website", 2000)

    for hour in range(H, H + 10):
        acme.judge(hour)

    with acme.store.read() as session:
        row = list_incidents(session, acme.ada, open_only=True)[0]
    assert (row.current, row.baseline) == (1200, 2400)
    assert row.worst is not None
    assert row.worst < -50


def test_the_bell_counts_what_its_member_has_not_read(acme: Acme) -> None:
    dropped(acme)
    acme.alert("website", 2000)
    acme.alert("website", 3000, actor=acme.grace)
    acme.judge()

    with acme.store.write() as session:
        counts = [unread_count(session, actor.id) for actor in (acme.ada, acme.grace)]
        mine = list_notifications(session, acme.ada, unread=True)
        mark_read(session, acme.ada, [mine[0].id], AT)

    with acme.store.read() as session:
        assert counts == [1, 1]
        assert [unread_count(session, actor.id) for actor in (acme.ada, acme.grace)] == [0, 1]
        assert "240" in mine[0].sentence
        assert "2,400" in mine[0].sentence


def test_only_the_creator_changes_an_alert_and_an_owner_may_delete_it(acme: Acme) -> None:
    alert = acme.alert("website", 2000, actor=acme.grace)
    mine = acme.alert("website", 2000)

    with acme.store.write() as session:
        refused = get_alert(session, acme.ada, alert, AT).refused
        with pytest.raises(NotAllowed, match="Only Grace Hopper can disable this alert"):
            set_enabled(session, acme.ada, alert, False, AT)
        with pytest.raises(NotAllowed, match="Only Ada Lovelace or a workspace owner can delete"):
            delete_alert(session, acme.grace, mine, AT)
        delete_alert(session, acme.ada, alert, AT)

    assert {action for action, reason in refused.items() if reason is None} == {Action.DELETE}


def test_targets_are_seen_by_creator_and_owners_only(acme: Acme) -> None:
    adas = acme.alert("website", 2000, SLACK)
    graces = acme.alert("website", 2000, EMAIL, actor=acme.grace)

    with acme.store.read() as session:
        hidden = get_alert(session, acme.grace, adas, AT)
        shown = get_alert(session, acme.ada, graces, AT)

    assert hidden.channels[0].recipient is None
    assert hidden.spec.channels[0].target is None
    assert shown.channels[0].recipient == "team@example.com"


@pytest.mark.parametrize(("slug", "options", "field"), [
    ("website", {"threshold": 0}, "threshold"), ("amplitude", {"threshold": 10_001}, "threshold"),
    ("website", {"channels": ()}, "channels"), ("website", {"reminder_hours": 5}, "reminder"),
    ("website", {"channels": (changed(EMAIL, target="a@b\nBcc: c"),)}, "email"),
    ("website", {"channels": (changed(SLACK, target="https://hooks.slack.com.evil.test/services/T/B/x"),)}, "slack"),
    ("amplitude", {"baseline": Baseline.WEEK_BEFORE}, "direction"),
    ("amplitude", {"direction": Direction.DROP}, "direction"), ("website", {"min_events": -1}, "min_events"),
])
def test_bad_input_names_its_field_and_changes_nothing(
    acme: Acme, slug: str, options: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        acme.alert(slug, **{"threshold": 2000, **options})

    assert refused.value.field == field
    assert acme.all("SELECT id FROM alert") == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hourly=st.lists(st.integers(0, 10**15), min_size=48, max_size=48), threshold=st.integers(1, 100_000),
       week=st.booleans())
def test_the_pass_agrees_with_fractions(
    sqlite_store: Store, hourly: list[int], threshold: int, week: bool
) -> None:
    acme = found_once(sqlite_store)
    back = 168 if week else 24
    acme.counted({Hour(hour): 7 for hour in range(H - 192, H)})
    acme.counted({Hour(H - 24 - back + n): hourly[n] for n in range(24)})
    acme.counted({Hour(H - 24 + n): hourly[24 + n] for n in range(24)})
    acme.alert("website", threshold, baseline=Baseline.WEEK_BEFORE if week else Baseline.DAY_BEFORE)

    row = acme.judge(dry_run=True).verdicts[-1]

    before, now = sum(hourly[:24]), sum(hourly[24:])
    if before == now == 0:
        assert row.verdict is Verdict.NO_DATA
    else:
        breached = before == 0 or abs(Fraction(now - before, before)) > Fraction(threshold, 10_000)
        assert row.verdict is (Verdict.BREACHED if breached else Verdict.OK)


def found_once(store: Store) -> Acme:
    """The workspace, emptied of what an earlier example left."""
    with store.write() as session:
        for table in ("notification", "incident", "alert_channel", "alert", "hourly_count", "coverage", "connection",
                      "member"):
            session.connection().execute(sa.text(f"DELETE FROM {table}"))
    return found(store)
