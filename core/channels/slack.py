"""Slack: one POST to a webhook or workflow URL, its body chosen from the URL's path."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from core.channels.outcome import Envelope, Outcome, Reason, of_http, parse_retry_after
from core.channels.render_slack import blocks_of, variables_of
from core.channels.targets import HIDDEN, SlackKind, slack_kind

if TYPE_CHECKING:
    import httpx

CONNECT_S = 5.0
ANSWER_S = 10.0
WHOLE_S = 20.0
MOST_BODY = 2000


def body_of(envelope: Envelope) -> bytes:
    """The JSON to post. A workflow that gets blocks answers ok and then fails unseen, so the path decides."""
    workflow = slack_kind(envelope.target) is SlackKind.WORKFLOW
    return msgspec.json.encode(variables_of(envelope.message) if workflow else blocks_of(envelope.message))


class Slack:
    """The Slack channel. `now` is what a Retry-After date is measured against; the times are real seconds."""

    def __init__(self, now: Callable[[], datetime], answer_s: float = ANSWER_S, whole_s: float = WHOLE_S) -> None:
        self._now = now
        self._answer_s = answer_s
        self._whole_s = whole_s

    async def __call__(self, envelope: Envelope) -> Outcome:
        """One try to post. Redirects are not followed: what a secret URL is told goes to one place."""
        import httpx  # half of a command's start-up time, and most commands never send

        try:
            async with asyncio.timeout(self._whole_s):
                outcome = await self._post(envelope)
        except (httpx.TimeoutException, TimeoutError):
            return Outcome(Reason.TIMED_OUT, f"no answer within {self._answer_s:g} s")
        except httpx.ConnectError as error:
            return Outcome(Reason.UNREACHABLE, f"no connection: {scrubbed(_cause(error), envelope.target)}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # The error's own text may hold the URL, its kind does not.
            return Outcome(Reason.UNREACHABLE, f"the connection broke off ({type(error).__name__})")
        return Outcome(outcome.reason, scrubbed(outcome.answer, envelope.target), outcome.retry_after)

    async def _post(self, envelope: Envelope) -> Outcome:
        import httpx

        timeout = httpx.Timeout(self._answer_s, connect=min(CONNECT_S, self._answer_s))
        async with (
            httpx.AsyncClient(follow_redirects=False, timeout=timeout, verify=_trust()) as client,
            client.stream("POST", envelope.target, content=body_of(envelope),
                          headers={"Content-Type": "application/json; charset=utf-8"}) as answer,
        ):
            wait = parse_retry_after(answer.headers.get("Retry-After"), self._now())
            return of_http(answer.status_code, await _beginning(answer), wait)


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
