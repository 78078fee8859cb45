"""The client is patient with a Segment that stumbles, and says in one line why it gave up."""

from __future__ import annotations

import asyncio
import logging

import pytest

from core.errors import InvalidInput
from core.intake.segment import api
from core.intake.segment.client import IN_FLIGHT, TRIES, base_url, check_token
from core.intake.segment.errors import NotUnderstood, Refused, TokenRefused, Unavailable
from tests.segment.workspace import TOKEN, Segment, Timer, source, user


@pytest.mark.parametrize(("count", "page"), [(0, 1), (1, 1), (7, 3), (9, 3), (201, 200)])
async def test_a_list_is_read_to_its_last_page(segment: Segment, count: int, page: int) -> None:
    segment.hold(sources=[source(f"s{at}") for at in range(count)], page=page)

    async with segment.client() as client:
        found = await api.sources(client)

    assert [each.id for each in found] == [f"s{at}" for at in range(count)]
    assert len(segment.asked) == max(1, -(-count // page))
    assert segment.refused == []


@pytest.mark.parametrize("fault", ["500", "502", "503", "cut", "short", "page", "429", "429-body", "429-bare"])
async def test_a_stumble_is_waited_out(segment: Segment, timer: Timer, fault: str) -> None:
    segment.hold(faults={"0": fault, "1": fault})

    async with segment.client(timer) as client:
        assert (await api.workspace(client)).name == "Acme"

    assert client.requests == 3


@pytest.mark.parametrize(("fault", "seconds"), [("429", 7.0), ("429-body", 57.647)])
async def test_a_rate_limit_is_waited_for_as_long_as_segment_asks(
    segment: Segment, timer: Timer, fault: str, seconds: float
) -> None:
    segment.hold(faults={"0": fault})

    async with segment.client(timer) as client:
        await api.workspace(client)

    assert sum(timer.slept) == pytest.approx(seconds)


async def test_one_rate_limit_holds_back_every_request(segment: Segment, timer: Timer) -> None:
    segment.hold(faults={"0": "429"})

    async with segment.client(timer) as client:
        await asyncio.gather(*(api.workspace(client) for _ in range(3)))
        before = timer.at
        await api.workspace(client)

    assert timer.at == before >= 1007


async def test_the_waits_between_failures_grow(segment: Segment, timer: Timer) -> None:
    segment.hold(faults={"/": "503"})

    async with segment.client(timer) as client:
        with pytest.raises(Unavailable, match="503"):
            await api.workspace(client)

    assert client.requests == TRIES
    assert len(timer.slept) == TRIES - 1
    assert all(0.25 * 2**n <= slept <= 0.75 * 2**n for n, slept in enumerate(timer.slept))


async def test_a_wait_of_a_day_is_left_to_a_later_sync(segment: Segment, timer: Timer) -> None:
    segment.hold(faults={"/": "429-day"})

    async with segment.client(timer) as client:
        with pytest.raises(Unavailable, match="86400 s"):
            await api.workspace(client)

    assert timer.slept == []


async def test_a_server_that_does_not_answer_is_given_up_on(segment: Segment) -> None:
    segment.hold(faults={"/": "slow"})

    async with segment.client(timeout=0.05) as client:
        with pytest.raises(Unavailable, match="did not answer in time"):
            await api.workspace(client)


async def test_a_server_that_is_not_there_is_given_up_on(segment: Segment) -> None:
    segment.url = "http://127.0.0.1:9"

    async with segment.client() as client:
        with pytest.raises(Unavailable, match="The next sync tries again"):
            await api.workspace(client)


@pytest.mark.parametrize(("fault", "kind", "words"), [
    ("401", TokenRefused, "invalid or not allowed to read the workspace"),
    ("404", Refused, r'\(404\): "id" went \[31mwrong: 404 \[filter\]\.'),
    ("422", Refused, r"\(422\)"),
    ("redirect", Refused, "redirect"),
    ("invalid", NotUnderstood, "not understood"),
    ("huge", NotUnderstood, "larger than 1,000,000 bytes"),
])
async def test_an_answer_that_will_not_change_is_reported_at_once(
    segment: Segment, timer: Timer, fault: str, kind: type[Exception], words: str
) -> None:
    segment.hold(faults={"0": fault})

    async with segment.client(timer, largest_answer=1_000_000) as client:
        with pytest.raises(kind, match=words) as told:
            await api.workspace(client)

    assert client.requests == 1
    assert str(told.value).isprintable()


async def test_the_fake_refuses_a_wrong_token(segment: Segment) -> None:
    async with segment.client(token="another") as client:
        with pytest.raises(TokenRefused):
            await api.workspace(client)


async def test_the_token_is_in_no_error_and_no_log(segment: Segment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    segment.hold(faults={"0": "503", "1": "422"})

    async with segment.client() as client:
        with pytest.raises(Refused) as told:
            await api.workspace(client)

    assert TOKEN not in caplog.text
    assert TOKEN not in repr(told.value) + str(told.value.__cause__)


async def test_no_more_requests_fly_than_the_ceiling_allows(segment: Segment) -> None:
    segment.hold(users=[user("u1", "a@acme.dev")])

    async with segment.client() as client:
        await asyncio.gather(*(api.groups_of(client, "u1") for _ in range(60)))

    assert segment.most_in_flight <= IN_FLIGHT


async def test_waiting_can_be_cancelled(segment: Segment) -> None:
    segment.hold(faults={"/": "slow"})

    async with segment.client() as client:
        task = asyncio.create_task(api.workspace(client))
        while not segment.asked:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(("region", "override", "url"), [
    ("us", None, "https://api.segmentapis.com"), ("eu", None, "https://eu1.api.segmentapis.com"),
    (None, None, "https://api.segmentapis.com"), ("eu", "http://127.0.0.1:9/x/", "http://127.0.0.1:9/x"),
    ("us", "https://proxy.acme.dev", "https://proxy.acme.dev"),
])
def test_the_address_follows_region_and_override(region: str | None, override: str | None, url: str) -> None:
    assert base_url(region, override) == url


@pytest.mark.parametrize(("region", "override"), [
    ("mars", None), ("us", "http://api.segmentapis.com"), ("us", "ftp://x"), ("us", "https://u:p@host"), ("us", "x"),
])
def test_an_address_that_would_leak_the_token_is_refused(region: str, override: str | None) -> None:
    with pytest.raises(InvalidInput):
        base_url(region, override)


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\r\nbreak", "tökén"])
def test_a_token_that_is_no_header_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        check_token(token)
