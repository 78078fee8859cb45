"""What the Settings screen and the first start read from the store."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.clock import Hour, micros
from core.counts import record
from core.errors import InvalidInput
from core.first_event import arrived, begin, curl_line, python_lines, url_of
from core.model import Notification
from core.store import Store
from core.terms import ChannelKind, Delivery, Event, Stage
from core.vitals import ChannelVitals, Vitals, vitals
from tests.core.acme import AT, EMAIL, SLACK, Acme, H, found


def look(acme: Acme, as_grace: bool = False) -> Vitals:
    with acme.store.read() as session:
        return vitals(session, acme.grace if as_grace else acme.ada)


def change(acme: Acme, sql: str, **keys: object) -> None:
    with acme.store.write() as session:
        session.connection().execute(sa.text(sql), keys)


def test_a_quiet_store_has_a_size_and_nothing_to_tell(store: Store) -> None:
    seen = look(found(store))

    assert seen.size > 10_000
    assert (seen.email, seen.slack) == (ChannelVitals(), ChannelVitals())
    assert (seen.segment, seen.stale, seen.stale_since) == (None, 0, None)


def test_each_channel_tells_its_newest_answer(store: Store) -> None:
    acme = found(store)
    for name, at, ok, said in (("smtp mail:25", 1, True, "250 ok"), ("smtp mail:26", 2, False, "421 later"),
                               ("slack abc", 3, True, "HTTP 200 ok")):
        change(acme, "INSERT INTO endpoint (name, last_at, last_ok, last_answer, held_until) "
                     "VALUES (:name, :at, :ok, :said, :held)", name=name, at=micros(AT) + at, ok=ok, said=said,
               held=None if ok else micros(AT))
    seen = look(acme)

    assert seen.email.answer is not None
    assert (seen.email.answer.said, seen.email.answer.took_it, seen.email.answer.held_until) == ("421 later", False, AT)
    assert seen.slack.answer is not None
    assert (seen.slack.answer.said, seen.slack.answer.took_it) == ("HTTP 200 ok", True)


def test_messages_that_wait_are_counted_for_their_channel(store: Store) -> None:
    acme = found(store)
    for at, state in enumerate((Delivery.QUEUED, Delivery.SENDING, Delivery.SENT, Delivery.FAILED)):
        with store.write() as session:
            session.objects.add(Notification(event=Event.OPENED, occasion=at, channel=ChannelKind.EMAIL, body="{}",
                                     recipient="team@example.com", state=state, created_at=AT, due_at=AT))

    assert (look(acme).email.waiting, look(acme).slack.waiting) == (2, 0)


def test_a_broken_channel_is_named_to_those_who_may_see_it(store: Store) -> None:
    acme = found(store)
    acme.alert("website", 2000, SLACK, EMAIL)
    acme.alert("website", 3000, SLACK)
    change(acme, "UPDATE alert_channel SET broken_since = id, broken_answer = 'HTTP 404 no_service' "
                 "WHERE kind = 'slack'")
    seen, by_grace = look(acme).slack, look(acme, as_grace=True).slack

    assert (seen.broken, seen.broken_answer) == (2, "HTTP 404 no_service")
    assert seen.broken_where == "hooks.slack.com/services/T…/B…/••••"
    assert by_grace.broken_where == "a channel of Ada Lovelace"
    assert look(acme).email.broken == 0


def test_stale_connections_are_counted_since_the_oldest(store: Store) -> None:
    acme = found(store)
    change(acme, "UPDATE connection SET stale_since = :since", since=micros(AT))

    assert (look(acme).stale, look(acme).stale_since) == (2, AT)


def test_a_first_source_has_a_key_and_waits_until_something_was_counted(store: Store) -> None:
    with store.write() as session:
        made = begin(session, "  Web   shop ", AT)
    with store.read() as session:
        before = arrived(session, made.slug)
    with store.write() as session:
        added = session.connection().execute(sa.text("SELECT id FROM connection")).scalar_one()
        record(session, {(added, Hour(H), Stage.RECEIVED): 3, (added, Hour(H - 1), Stage.RECEIVED): 1})
    with store.read() as session:
        after = arrived(session, made.slug)

    assert (made.name, made.slug, before, after) == ("Web shop", "web-shop", 0, 4)
    assert len(made.write_key) == 32


def test_a_first_sources_name_is_refused_like_any_other(sqlite_store: Store) -> None:
    with pytest.raises(InvalidInput, match="control characters"), sqlite_store.write() as session:
        begin(session, "Web\x1b[2J", AT)


@pytest.mark.parametrize(("address", "url"), [
    ("127.0.0.1:8765", "http://127.0.0.1:8765"), ("0.0.0.0:80", "http://127.0.0.1:80"),
    ("[::]:8765", "http://[::1]:8765"), ("[fe80::1]:8765", "http://[fe80::1]:8765"),
    ("counts.example.com:443", "http://counts.example.com:443"),
])
def test_what_listens_everywhere_is_sent_to_on_this_machine(address: str, url: str) -> None:
    assert url_of(address) == url


def test_the_code_names_key_and_url() -> None:
    assert python_lines("wk", "http://h:1").splitlines()[1] == 'client = Client("wk", host="http://h:1")'
    assert curl_line("wk", "http://h:1").startswith("curl -u wk: http://h:1/v1/track -d ")
