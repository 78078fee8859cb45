"""Send test: through every channel of one alert, by its creator, each answer shown."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.alert_spec import AlertSpec, ChannelSpec
from core.clock import micros
from core.errors import InvalidInput, NotAllowed, NotFound
from core.outbox import deliver_due, send_test
from core.store import Store
from core.terms import AlertKind, ChannelKind
from core.trial import try_channels
from tests.core.acme import IN_APP, Acme, found
from tests.core.channels.servers import Hooks, hook_server, mail_server, part
from tests.core.desk import START, Hand, change, real_senders, waiting


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with hook_server() as running:
        yield running


def alert_of(acme: Acme, notification: int) -> int:
    return int(str(acme.one(f"SELECT alert_id FROM notification WHERE id = {notification}")[0]))


async def test_a_test_is_marked_sent_and_kept_as_a_row(acme: Acme) -> None:
    clock = Hand()
    with mail_server() as mailbox:
        alert = alert_of(acme, waiting(acme, "team@example.com"))

        answers = await send_test(acme.store, acme.ada, alert, real_senders(clock, mailbox.url), clock)

    assert [(answer.channel.value, answer.recipient, answer.ok) for answer in answers] == [
        ("email", "team@example.com", True)]
    assert str(mailbox.mails[0]["Subject"]) == "Test of your alert: Website"
    assert "nothing has happened" in part(mailbox.mails[0])
    assert acme.all("SELECT state, attempts FROM notification WHERE event = 'test'") == [("sent", 1)]


async def test_a_test_that_succeeds_mends_a_broken_channel(acme: Acme, hooks: Hooks) -> None:
    clock = Hand()
    alert = alert_of(acme, waiting(acme, hooks.url("team")))
    change(acme, "UPDATE alert_channel SET broken_since = :at, broken_answer = 'HTTP 404'", at=micros(START))

    await send_test(acme.store, acme.ada, alert, real_senders(clock), clock)

    assert acme.one("SELECT broken_since, broken_answer FROM alert_channel") == (None, None)


async def test_a_test_that_fails_says_why_and_is_not_tried_again(acme: Acme, hooks: Hooks) -> None:
    clock = Hand()
    alert = alert_of(acme, waiting(acme, hooks.url("secretsecret")))
    change(acme, "UPDATE notification SET state = 'sent'")
    hooks.says("secretsecret", 503, "secretsecret is not well")

    answers = await send_test(acme.store, acme.ada, alert, real_senders(clock), clock)
    clock.on(hours=1)
    await deliver_due(acme.store, real_senders(clock), clock)

    assert [(answer.ok, answer.answer) for answer in answers] == [(False, "HTTP 503 •••• is not well")]
    assert len(hooks.posts) == 1
    assert acme.all("SELECT state FROM notification WHERE event = 'test'") == [("failed",)]


async def test_a_test_in_app_is_in_the_creators_bell(acme: Acme) -> None:
    clock = Hand()
    alert = acme.alert("website", 2000, IN_APP)

    answers = await send_test(acme.store, acme.ada, alert, real_senders(clock), clock)

    assert [answer.ok for answer in answers] == [True]
    assert acme.one("SELECT member_id, state FROM notification WHERE event = 'test'") == (acme.ada.id, "sent")


async def test_only_the_creator_may_send_a_test(acme: Acme) -> None:
    clock = Hand()
    alert = acme.alert("website", 2000, IN_APP)

    with pytest.raises(NotAllowed, match="Only Ada Lovelace can send a test of this alert"):
        await send_test(acme.store, acme.grace, alert, real_senders(clock), clock)
    with pytest.raises(NotFound):
        await send_test(acme.store, acme.ada, alert + 1, real_senders(clock), clock)


async def test_channels_that_are_only_typed_can_be_tried_and_nothing_is_written(acme: Acme, hooks: Hooks) -> None:
    clock = Hand()
    spec = AlertSpec(AlertKind.SOURCE_VOLUME, 2000, (
        ChannelSpec(ChannelKind.EMAIL, "team@example.com"), ChannelSpec(ChannelKind.SLACK, hooks.url("team")), IN_APP))
    with mail_server() as mailbox:
        answers = await try_channels(acme.store, acme.ada, "website", spec, real_senders(clock, mailbox.url),
                                     clock.now(), (hooks.host,))

    assert [(answer.channel.value, answer.ok) for answer in answers] == [("email", True), ("slack", True)]
    assert str(mailbox.mails[0]["Subject"]) == "Test of your alert: Website"
    assert acme.all("SELECT id FROM notification") == []
    assert acme.all("SELECT name FROM endpoint") == []


async def test_a_typed_channel_that_could_not_be_saved_is_not_tried_either(acme: Acme) -> None:
    spec = AlertSpec(AlertKind.SOURCE_VOLUME, 2000, (ChannelSpec(ChannelKind.EMAIL, "nobody"),))
    with pytest.raises(InvalidInput) as refused:
        await try_channels(acme.store, acme.ada, "website", spec, real_senders(Hand()), START, ())

    assert refused.value.field == "email"
