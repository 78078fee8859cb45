"""Requests that share a transaction: together on disk, and one's trouble is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.clock import FastClock, start_of
from core.connections import add_source
from core.counts import Key
from core.errors import StoreError
from core.intake.dedupe import unpacked
from core.intake.group_commit import GroupCommit, Overloaded
from core.store import Store
from core.terms import Stage
from tests.core.acme import H

NOW = start_of(H) + timedelta(minutes=20)


TOTAL = sa.text("SELECT COALESCE(SUM(count), 0) FROM hourly_count")


def received(store: Store) -> int:
    with store.read() as session:
        return int(session.connection().execute(TOTAL).scalar_one())


def one(source: int, count: int = 1) -> dict[Key, int]:
    return {(source, H, Stage.RECEIVED): count}


@pytest.fixture
def website(store: Store) -> int:
    with store.write() as session:
        return add_source(session, "Website", now=NOW).id


@pytest.fixture
async def commit(store: Store) -> AsyncIterator[GroupCommit]:
    started = GroupCommit(store, FastClock(NOW, 0))
    started.start()
    yield started
    await started.stop()


async def test_requests_that_come_together_share_a_transaction(
    store: Store, website: int, commit: GroupCommit
) -> None:
    await asyncio.gather(*(commit.add(one(website), [number]) for number in range(1, 201)))

    assert received(store) == 200
    assert commit.commits <= 3
    with store.read() as session:
        rows = session.connection().execute(sa.text("SELECT ids FROM seen_messages")).scalars().all()
    assert sorted(found for row in rows for found in unpacked(bytes(row))) == list(range(1, 201))


async def test_what_was_added_is_on_disk_when_add_returns(store: Store, website: int, commit: GroupCommit) -> None:
    for expected in range(1, 6):
        await commit.add(one(website), [])
        assert received(store) == expected


async def test_a_request_the_database_refuses_does_not_take_the_others_with_it(
    store: Store, website: int, commit: GroupCommit
) -> None:
    good = [commit.add(one(website), [number]) for number in range(1, 20)]

    answers = await asyncio.gather(*good, commit.add(one(website, 2**63), [99]), return_exceptions=True)

    assert [answer for answer in answers if answer is not None] == [answers[-1]]
    assert isinstance(answers[-1], StoreError)
    assert received(store) == 19


async def test_too_many_waiting_requests_are_told_to_come_back(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        website = add_source(session, "Website", now=NOW).id
    commit = GroupCommit(sqlite_store, FastClock(NOW, 0), most_waiting=3)
    commit.start()

    answers = await asyncio.gather(*(commit.add(one(website), []) for _ in range(5)), return_exceptions=True)
    await commit.stop()

    assert [type(answer) for answer in answers] == [type(None)] * 3 + [Overloaded] * 2
    assert received(sqlite_store) == 3


async def test_stopping_commits_what_waits_and_takes_nothing_new(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        website = add_source(session, "Website", now=NOW).id
    commit = GroupCommit(sqlite_store, FastClock(NOW, 0))
    commit.start()
    waiting = asyncio.create_task(commit.add(one(website), [1]))
    await asyncio.sleep(0)

    await commit.stop()
    await waiting

    assert received(sqlite_store) == 1
    with pytest.raises(Overloaded):
        await commit.add(one(website), [2])


async def test_ids_older_than_24_hours_leave_the_store(store: Store, website: int, commit: GroupCommit) -> None:
    await commit.add(one(website), [1])
    later = GroupCommit(store, FastClock(NOW + timedelta(hours=25), 0))
    later.start()

    await later.add(one(website), [2])
    await later.stop()

    with store.read() as session:
        rows = session.connection().execute(sa.text("SELECT ids FROM seen_messages")).scalars().all()
    assert [list(unpacked(bytes(row))) for row in rows] == [[2]]
