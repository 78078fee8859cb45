"""Delivery to real servers: what is sent, tried again, given up, held back, folded, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from core.channels.outcome import Envelope, Outcome
from core.channels.senders import Senders, silent_senders
from core.claims import CLAIM, claim
from core.clock import micros
from core.incidents import list_notifications, retry
from core.outbox import deliver_due
from core.store import Store, open_store
from core.terms import Event
from tests.core.acme import Acme, found
from tests.core.channels.servers import Hooks, Mailbox, hook_server, mail_server, part
from tests.core.desk import START, Hand, change, real_senders, state, waiting


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with hook_server() as running:
        yield running


def notices(acme: Acme) -> list[str]:
    """What Ada's bell says of channels that failed."""
    with acme.store.read() as session:
        return [item.sentence for item in list_notifications(session, acme.ada, bell_of=acme.ada.id)
                if item.event is Event.CHANNEL_FAILED]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


async def test_a_mail_and_a_post_arrive_and_are_not_sent_again(
    acme: Acme, clock: Hand, hooks: Hooks, mailbox: Mailbox
) -> None:
    mailed, posted = waiting(acme, "team@example.com"), waiting(acme, hooks.url("secretsecret"))
    senders = real_senders(clock, mailbox.url)

    tried = await deliver_due(acme.store, senders, clock)
    again = await deliver_due(acme.store, senders, clock)

    assert {attempt.notifications for attempt in tried} == {(mailed,), (posted,)}
    assert again == []
    assert state(acme, mailed) == state(acme, posted) == ("sent", 1, None)
    assert "812 events in 24 h" in part(mailbox.mails[0])
    assert "secretsecret" not in repr(tried)


async def test_a_server_error_is_tried_again_after_a_growing_wait(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    row = waiting(acme, hooks.url("flaky"))
    hooks.says("flaky", 500, "rollup_error")
    senders = real_senders(clock)

    waits = []
    for _ in range(4):
        await deliver_due(acme.store, senders, clock)
        due = acme.one(f"SELECT due_at FROM notification WHERE id = {row}")[0]
        waits.append((int(str(due)) - micros(clock.at)) / 1_000_000)
        clock.on(seconds=waits[-1])
    hooks.says("flaky", 200, "ok")
    await deliver_due(acme.store, senders, clock)

    assert waits == [5, 10, 20, 40]
    assert state(acme, row) == ("sent", 5, None)


async def test_a_message_is_given_up_after_24_hours(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    row = waiting(acme, hooks.url("down"))
    hooks.says("down", 503, "service_unavailable")
    senders = real_senders(clock)

    while state(acme, row)[0] == "queued":
        await deliver_due(acme.store, senders, clock)
        clock.on(minutes=30)

    assert START + timedelta(hours=23) < clock.at < START + timedelta(hours=25)
    assert state(acme, row)[2] == "HTTP 503 service_unavailable; given up after 24 h"
    assert notices(acme) == [
        f"Website: a message to Slack at {hooks.host}/services/T…/B…/•••• was given up after 24 h of trying "
        f"(HTTP 503 service_unavailable). To send it after all: tocsin notification retry {row}"]
    assert acme.one("SELECT broken_since FROM alert_channel") == (None,)


async def test_mails_given_up_without_a_server_ring_once_for_each_address(acme: Acme, clock: Hand) -> None:
    senders = real_senders(clock)
    storm = [waiting(acme, "team@example.com", fold="storm") for _ in range(6)]
    single = waiting(acme, "ops@example.com")
    await deliver_due(acme.store, senders, clock)
    clock.on(hours=24)

    await deliver_due(acme.store, senders, clock)
    await deliver_due(acme.store, senders, clock)

    assert {state(acme, row)[0] for row in [*storm, single]} == {"failed"}
    assert sorted(notices(acme)) == [
        "Website: 6 emails to team@example.com were given up after 24 h of trying (no TOCSIN_SMTP_URL is set, so mail "
        "has nowhere to go). To see them: tocsin notification list --failed",
        "Website: an email to ops@example.com was given up after 24 h of trying (no TOCSIN_SMTP_URL is set, so mail "
        f"has nowhere to go). To send it after all: tocsin notification retry {single}"]


async def test_what_a_held_server_keeps_beyond_a_day_is_given_up_and_told(
    acme: Acme, clock: Hand, hooks: Hooks
) -> None:
    rows = [waiting(acme, hooks.url("busy")) for _ in range(2)]
    hooks.says("busy", 503)
    senders = real_senders(clock)
    await deliver_due(acme.store, senders, clock)
    clock.on(seconds=5)
    hooks.says("busy", 429, Retry_After="86390")
    await deliver_due(acme.store, senders, clock)

    hooks.says("busy", 429, Retry_After="600")
    clock.on(seconds=86395)
    await deliver_due(acme.store, senders, clock)

    assert hooks.names() == ["busy"] * 4
    assert {state(acme, row)[::2] for row in rows} == {("failed", "HTTP 429; given up after 24 h")}
    assert len(notices(acme)) == 2


async def test_nobody_is_told_of_what_was_given_up_for_a_deleted_alert(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    row = waiting(acme, hooks.url("down"))
    hooks.says("down", 503)
    await deliver_due(acme.store, real_senders(clock), clock)
    change(acme, "UPDATE alert SET deleted_at = 1")
    clock.on(hours=24)

    await deliver_due(acme.store, real_senders(clock), clock)

    assert state(acme, row)[0] == "failed"
    assert notices(acme) == []


@pytest.mark.parametrize("header", ["seconds", "date"])
async def test_retry_after_holds_back_everything_to_the_same_url_and_nothing_else(
    acme: Acme, clock: Hand, hooks: Hooks, header: str
) -> None:
    held = [waiting(acme, hooks.url("busy")) for _ in range(3)]
    free = waiting(acme, hooks.url("free"))
    until = START + timedelta(minutes=2)
    hooks.says("busy", 429, "rate_limited",
               Retry_After="120" if header == "seconds" else format_datetime(until, usegmt=True))
    senders = real_senders(clock)

    await deliver_due(acme.store, senders, clock)
    first = list(hooks.names())
    clock.on(seconds=119)
    await deliver_due(acme.store, senders, clock)
    early = list(hooks.names())
    hooks.says("busy", 200, "ok")
    clock.on(seconds=1)
    await deliver_due(acme.store, senders, clock)

    assert sorted(first) == sorted(early) == ["busy", "free"]
    assert [state(acme, row)[0] for row in [*held, free]] == ["sent"] * 4


async def test_a_refusal_for_good_breaks_the_channel_and_tells_its_creator_once(
    acme: Acme, clock: Hand, hooks: Hooks
) -> None:
    row = waiting(acme, hooks.url("secretsecret"))
    hooks.says("secretsecret", 404, "no_service")
    senders = real_senders(clock)

    await deliver_due(acme.store, senders, clock)

    assert state(acme, row) == ("failed", 1, "HTTP 404 no_service")
    assert acme.one("SELECT broken_answer FROM alert_channel") == ("HTTP 404 no_service",)
    assert notices(acme) == [
        f"Website: Slack at {hooks.host}/services/T…/B…/•••• stopped working (HTTP 404 no_service). "
        "Nothing more is sent there until you edit the alert or a test succeeds."]


async def test_a_broken_channel_is_not_asked_again_until_somebody_says_so(
    acme: Acme, clock: Hand, hooks: Hooks
) -> None:
    row = waiting(acme, hooks.url("gone"))
    change(acme, "UPDATE alert_channel SET broken_since = :at, broken_answer = 'HTTP 404 no_service'",
           at=micros(START))
    senders = real_senders(clock)

    await deliver_due(acme.store, senders, clock)
    failed = state(acme, row)
    with acme.store.write() as session:
        retry(session, acme.ada, row, clock.at)
    await deliver_due(acme.store, senders, clock)

    assert failed[:2] == ("failed", 0)
    assert "no_service" in str(failed[2])
    assert state(acme, row)[0] == "sent"
    assert hooks.names() == ["gone"]


async def test_a_waiting_message_follows_its_channel_to_where_it_was_edited(
    acme: Acme, clock: Hand, hooks: Hooks
) -> None:
    row = waiting(acme, hooks.url("typo"))
    change(acme, "UPDATE alert_channel SET target = :url", url=hooks.url("right"))

    await deliver_due(acme.store, real_senders(clock), clock)

    assert hooks.names() == ["right"]
    assert acme.one(f"SELECT recipient FROM notification WHERE id = {row}") == (hooks.url("right"),)


async def test_a_storm_leaves_as_one_message_and_shares_its_outcome(
    acme: Acme, clock: Hand, hooks: Hooks
) -> None:
    rows = [waiting(acme, hooks.url("team"), fold="storm") for _ in range(7)]
    hooks.says("team", 500)
    senders = real_senders(clock)

    await deliver_due(acme.store, senders, clock)
    after_error = {state(acme, row) for row in rows}
    hooks.says("team", 200, "ok")
    clock.on(seconds=5)
    tried = await deliver_due(acme.store, senders, clock)

    assert after_error == {("queued", 1, "HTTP 500")}
    assert [attempt.notifications for attempt in tried] == [tuple(rows)]
    assert hooks.names() == ["team", "team"]
    assert "7 alerts opened at once" in str(hooks.posts[1][1]["text"])


async def test_one_recipient_that_is_put_off_does_not_delay_the_others_mail(
    acme: Acme, clock: Hand, mailbox: Mailbox
) -> None:
    mailbox.recipients["grey@example.com"] = "450 4.2.0 greylisted"
    grey = waiting(acme, "grey@example.com")
    others = [waiting(acme, f"team{number}@example.com") for number in range(6)]

    await deliver_due(acme.store, real_senders(clock, mailbox.url), clock)

    assert state(acme, grey) == ("queued", 1, "SMTP 450 4.2.0 greylisted")
    assert {state(acme, row)[0] for row in others} == {"sent"}


async def test_a_server_that_hangs_delays_nobody_else(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    hung = waiting(acme, hooks.url("hung"))
    hooks.silent.add("hung")
    round_ = asyncio.create_task(deliver_due(acme.store, real_senders(clock, answer_s=8.0), clock))
    async with asyncio.timeout(5):
        await hooks.heard.wait()
    late = waiting(acme, hooks.url("late"))

    async with asyncio.timeout(6):
        while state(acme, late)[0] != "sent":
            await asyncio.sleep(0.05)

    assert state(acme, hung)[0] == "sending"
    round_.cancel()
    await asyncio.wait([round_])
    assert state(acme, hung)[0] == "queued"


async def test_after_two_silences_the_rest_of_that_url_waits(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    hooks.silent.add("hung")
    rows = [waiting(acme, hooks.url("hung")) for _ in range(6)]

    await deliver_due(acme.store, real_senders(clock, answer_s=0.3), clock)

    assert hooks.names() == ["hung", "hung"]
    assert [state(acme, row)[:2] for row in rows] == [("queued", 1)] * 2 + [("queued", 0)] * 4


async def test_a_connection_that_is_reset_is_tried_again(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    hooks.reset.add("cut")
    row = waiting(acme, hooks.url("cut"))

    await deliver_due(acme.store, real_senders(clock), clock)

    assert state(acme, row)[:2] == ("queued", 1)


async def test_slack_gets_one_message_at_a_time_for_each_url(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    hooks.pause = 0.02
    for _ in range(5):
        waiting(acme, hooks.url("one"))
        waiting(acme, hooks.url("two"))

    await deliver_due(acme.store, real_senders(clock), clock)

    assert len(hooks.posts) == 10
    assert hooks.most_open == {"one": 1, "two": 1}


async def test_two_processes_send_each_message_once(
    acme: Acme, store_address: str, clock: Hand, hooks: Hooks
) -> None:
    other = open_store(store_address)
    rows = [waiting(acme, hooks.url(f"room{number}")) for number in range(20)]
    storm = [waiting(acme, hooks.url("storm"), fold="storm") for _ in range(8)]
    try:
        await asyncio.gather(*(deliver_due(store, real_senders(clock), clock)
                               for store in (acme.store, other, acme.store, other)))
    finally:
        other.close()

    assert sorted(hooks.names()) == sorted([f"room{number}" for number in range(20)] + ["storm"])
    assert {state(acme, row)[:2] for row in [*rows, *storm]} == {("sent", 1)}


async def test_a_dead_process_s_claim_runs_out(acme: Acme, clock: Hand, hooks: Hooks) -> None:
    row = waiting(acme, hooks.url("team"))
    senders = real_senders(clock)
    claim(acme.store, senders, "a process that died", clock.at, 10)

    early = await deliver_due(acme.store, senders, clock)
    clock.at += CLAIM
    late = await deliver_due(acme.store, senders, clock)

    assert early == []
    assert [attempt.notifications for attempt in late] == [(row,)]
    assert state(acme, row) == ("sent", 2, None)


async def test_without_a_mail_server_a_mail_waits_and_says_what_is_missing(acme: Acme, clock: Hand) -> None:
    row = waiting(acme, "team@example.com")

    await deliver_due(acme.store, real_senders(clock), clock)

    assert state(acme, row)[:2] == ("queued", 1)
    assert "no TOCSIN_SMTP_URL is set" in str(state(acme, row)[2])
    assert acme.one("SELECT broken_since FROM alert_channel") == (None,)


@pytest.mark.parametrize("sql", [
    "UPDATE alert SET enabled = (1 = 0)", "UPDATE alert SET deleted_at = 1", "UPDATE alert_channel SET removed_at = 1",
    "UPDATE connection SET enabled = (1 = 0)", "UPDATE alert SET muted_until = 9000000000000000"])
async def test_nothing_is_sent_for_what_is_off_gone_or_muted(
    acme: Acme, clock: Hand, hooks: Hooks, sql: str
) -> None:
    row = waiting(acme, hooks.url("team"))
    change(acme, sql)

    await deliver_due(acme.store, real_senders(clock), clock)

    assert hooks.posts == []
    assert state(acme, row)[0] == "dropped"


async def test_a_fault_in_a_channel_loses_nothing_and_shows_no_secret(acme: Acme, clock: Hand) -> None:
    async def broken(envelope: Envelope) -> Outcome:
        raise ValueError(f"oops {envelope}")

    row = waiting(acme, "https://hooks.slack.com/services/T000/B000/secretsecret")
    await deliver_due(acme.store, Senders(broken, broken, chance=lambda: 0.5), clock)

    assert state(acme, row) == ("queued", 1, "sending failed (ValueError)")


async def test_a_demo_s_senders_take_everything(acme: Acme, clock: Hand) -> None:
    rows = [waiting(acme, "team@example.com"), waiting(acme, "https://hooks.slack.com/services/T000/B000/secret")]

    await deliver_due(acme.store, silent_senders(), clock)

    assert {state(acme, row)[0] for row in rows} == {"sent"}
