"""Posts to a real HTTP server: which shape, which answers, and no secret in any of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.channels.message import word
from core.channels.outcome import Envelope, Reason
from core.channels.slack import Slack
from tests.core.channels.servers import Hooks, hook_server
from tests.core.channels.test_words import FACTS, MOMENT

NEWS = Envelope(word([FACTS]), "", "tocsin.1.abc", MOMENT)
SLACK = Slack(lambda: MOMENT, answer_s=0.5)


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with hook_server() as running:
        yield running


async def test_the_path_decides_the_shape(hooks: Hooks) -> None:
    for kind in ("services", "triggers", "workflows"):
        assert (await SLACK(replace(NEWS, target=hooks.url("secretsecret", kind)))).sent

    webhook, trigger, workflow = (body for _, body in hooks.posts)
    assert set(webhook) == {"text", "blocks"}
    assert trigger == workflow
    assert all(isinstance(value, str) for value in trigger.values())


async def test_a_redirect_is_not_followed(hooks: Hooks) -> None:
    hooks.says("moved", 307, Location=hooks.url("elsewhere"))

    outcome = await SLACK(replace(NEWS, target=hooks.url("moved")))

    assert outcome.reason is Reason.REDIRECTED
    assert hooks.names() == ["moved"]


async def test_trouble_is_an_outcome_that_names_no_secret(hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hooks.silent.add("hungsecret")
    hooks.reset.add("cutsecret")
    hooks.says("echosecret", 500, f"no: {hooks.url('echosecret')}")
    closed = "http://127.0.0.1:9/services/T000/B000/closedsecret"

    found = [await SLACK(replace(NEWS, target=url)) for url in (
        hooks.url("hungsecret"), hooks.url("cutsecret"), hooks.url("echosecret"), closed)]

    assert [outcome.reason for outcome in found] == [
        Reason.TIMED_OUT, Reason.UNREACHABLE, Reason.SERVER_ERROR, Reason.UNREACHABLE]
    assert "secret" not in repr(found)
    assert "secret" not in "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp"))


async def test_a_long_answer_is_cut(hooks: Hooks) -> None:
    hooks.says("chatty", 500, "x" * 1_000_000)

    outcome = await SLACK(replace(NEWS, target=hooks.url("chatty")))

    assert len(outcome.answer) < 400
