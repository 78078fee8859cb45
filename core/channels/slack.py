"""Slack: one POST to a webhook or workflow URL, its body chosen from the URL's path."""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from core.channels.letter import Letter
from core.channels.outcome import Outcome, Reason, of_http, parse_retry_after
from core.channels.render_slack import blocks_of, variables_of
from core.channels.targets import HIDDEN, SlackKind, slack_kind

if TYPE_CHECKING:
    import httpx

CONNECT_S = 5.0
ANSWER_S = 10.0
WHOLE_S = 20.0
MOST_BODY = 2000


def body_of(letter: Letter) -> bytes:
    """The JSON to post. A workflow that gets blocks answers ok and then fails unseen, so the path decides."""
    workflow = slack_kind(letter.target) is SlackKind.WORKFLOW
    return msgspec.json.encode(variables_of(letter.message) if workflow else blocks_of(letter.message))


async def send_slack(letter: Letter) -> Outcome:
    """One try to post `letter`. Redirects are not followed: a secret URL's content goes to one place."""
    import httpx  # half of a command's start-up time, and most commands never send

    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    try:
        async with (
            asyncio.timeout(WHOLE_S),
            httpx.AsyncClient(follow_redirects=False, timeout=timeout, verify=_trust()) as client,
            client.stream("POST", letter.target, content=body_of(letter),
                          headers={"Content-Type": "application/json; charset=utf-8"}) as answer,
        ):
            said = await _beginning(answer)
            wait = parse_retry_after(answer.headers.get("Retry-After"), letter.at)
            outcome = of_http(answer.status_code, said, wait)
    except (httpx.TimeoutException, TimeoutError):
        return Outcome(Reason.TIMED_OUT, "no answer in time")
    except httpx.ConnectError as error:
        return Outcome(Reason.UNREACHABLE, f"no connection: {scrubbed(_cause(error), letter.target)}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # The error's own text may hold the URL, its kind does not.
        return Outcome(Reason.UNREACHABLE, f"the connection broke off ({type(error).__name__})")
    return Outcome(outcome.reason, scrubbed(outcome.answer, letter.target), outcome.retry_after)


def scrubbed(text: str, url: str) -> str:
    """`text` without `url` and without the parts of its path: a server may echo what it was sent."""
    text = text.replace(url, HIDDEN)
    for part in url.partition("://")[2].split("/")[2:]:
        if len(part) >= 6:
            text = text.replace(part, HIDDEN)
    return text


async def _beginning(answer: httpx.Response) -> str:
    held = b""
    async for piece in answer.aiter_bytes():
        held += piece
        if len(held) >= MOST_BODY:
            break
    return held[:MOST_BODY].decode("utf-8", "replace")


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(getattr(error, "strerror", None) or error)


@cache
def _trust() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds, once.
    logging.getLogger("httpx").addFilter(lambda record: record.levelno >= logging.WARNING)
    import httpx

    return httpx.create_ssl_context()
