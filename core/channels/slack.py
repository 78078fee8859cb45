"""Slack: an incoming webhook takes text and blocks, a workflow flat string variables. The URL's path says which.

Source: reference facts, section 6; a workflow answers ok to blocks and then fails unseen, so the answer cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx
import msgspec

from core.channels.message import Facts, Message, command, shown, spark_text, window_text
from core.channels.outcome import Envelope, Outcome, Reason, http_outcome
from core.channels.targets import SlackKind, slack_kind
from core.clock import iso, start_of
from core.model import AlertKind
from core.rules import change_percent, percent_text, rate_percent

TIMEOUT_S = 10.0
LONGEST_HEADER = 150
LONGEST_SECTION = 3000
MOST_ITEMS = 40
"""Of a storm; with its header and closing line it stays below Slack's 50 blocks."""
LONGEST_ANSWER_BYTES = 4096
WORKFLOW_VARIABLES = (
    "event", "alert", "connection", "kind", "summary", "change", "rate", "threshold", "current", "previous",
    "delivered", "failed", "window", "sparkline", "set_by", "command", "time",
)
"""What a person declares in Slack's Workflow Builder, all of them text."""


class Slack:
    """Posts to Slack URLs over one client; redirects are refused."""

    def __init__(self, now: Callable[[], datetime], timeout_s: float = TIMEOUT_S) -> None:
        self._now = now
        self._timeout = timeout_s

    async def __call__(self, envelope: Envelope) -> Outcome:
        """Post one message."""
        body = msgspec.json.encode(payload(envelope.target, envelope.message))
        try:
            async with (
                httpx.AsyncClient(timeout=self._timeout, follow_redirects=False, trust_env=True) as client,
                client.stream("POST", envelope.target, content=body,
                              headers={"Content-Type": "application/json; charset=utf-8"}) as response,
            ):
                answer = await _head(response)
                return http_outcome(response.status_code, answer, response.headers.get("Retry-After"), self._now())
        except httpx.TimeoutException:
            return Outcome(Reason.TIMEOUT, f"no answer within {self._timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # An httpx error may quote the URL, which is a secret; its kind says enough.
            return Outcome(Reason.UNREACHABLE, f"could not connect ({type(error).__name__})")


async def _head(response: httpx.Response) -> str:
    taken = b""
    async for chunk in response.aiter_bytes():
        taken += chunk
        if len(taken) >= LONGEST_ANSWER_BYTES:
            break
    return taken[:LONGEST_ANSWER_BYTES].decode("utf-8", "replace")


def payload(url: str, message: Message) -> dict[str, object]:
    """The body that this URL takes."""
    return dict(variables(message)) if slack_kind(url) is SlackKind.WORKFLOW else blocks(message)


def blocks(message: Message) -> dict[str, object]:
    """An incoming webhook's body: a text for notifications, and blocks within Slack's limits."""
    made: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(message.title, LONGEST_HEADER)}}]
    for facts, sentence in message.items[:MOST_ITEMS]:
        lines = [escaped(sentence)]
        if facts.spark:
            lines.append(f"`{spark_text(facts)}` 48 h")
        made.append({"type": "section", "text": {"type": "mrkdwn", "text": _cut("\n".join(lines), LONGEST_SECTION)}})
    left = len(message.items) - MOST_ITEMS
    if left > 0:
        made.append({"type": "section", "text": {"type": "mrkdwn", "text": f"and {left} more"}})
    made.append({"type": "context", "elements": [
        {"type": "mrkdwn", "text": _cut(escaped(footer(message.items[0][0])), LONGEST_SECTION)}]})
    return {"text": _cut(escaped(message.summary), LONGEST_SECTION), "blocks": made}


def footer(facts: Facts) -> str:
    """The window, who set the alert, and the command that opens it."""
    parts = [window_text(facts)] if facts.window_end else []
    if facts.set_by:
        parts.append(f"set by {facts.set_by}")
    if facts.alert is not None:
        parts.append(command(facts))
    return " · ".join(parts) or "Tocsin"


def variables(message: Message) -> dict[str, str]:
    """A workflow's variables: flat, every value a string, every name always there."""
    facts, _ = message.items[0]
    rate = facts.kind == AlertKind.DELIVERY_RATE.value
    change = None if rate else change_percent(facts.current, facts.baseline)
    share = rate_percent(facts.delivered, facts.failed) if rate else None
    values = (
        facts.event, message.title, facts.connection_name, facts.kind, message.summary,
        f"{shown(change)}%" if change is not None else "", f"{shown(share)}%" if share is not None else "",
        f"{percent_text(facts.threshold)}%", str(facts.delivered + facts.failed if rate else facts.current),
        "" if rate else str(facts.baseline), str(facts.delivered) if rate else "", str(facts.failed) if rate else "",
        window_text(facts), spark_text(facts), facts.set_by, command(facts), iso(start_of(facts.window_end)) or "",
    )
    return dict(zip(WORKFLOW_VARIABLES, values, strict=True))


def escaped(text: str) -> str:
    """`text` as Slack's mrkdwn shows it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
