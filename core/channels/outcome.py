"""What an attempt came to, and which answers are worth another try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from core.channels.message import Message

RETRIED_STATUSES = frozenset({408, 425, 429})
"""Besides 5xx: the request may succeed later (product page, section 4)."""
LONGEST_ANSWER = 200


class Reason(StrEnum):
    """How an attempt ended."""

    SENT = "sent"
    REFUSED = "refused"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_SET_UP = "not_set_up"


FINAL = frozenset({Reason.SENT, Reason.REFUSED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt: its reason, what the other side said, and how long it asked to be left alone."""

    reason: Reason
    answer: str
    hold: timedelta | None = None

    @property
    def sent(self) -> bool:
        """Whether the other side has the message."""
        return self.reason is Reason.SENT

    @property
    def retry(self) -> bool:
        """Whether another attempt makes sense."""
        return self.reason not in FINAL


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way: where to, which rows it is, and its worded content."""

    target: str
    notifications: tuple[int, ...]
    message: Message
    created_at: datetime


Sender = Callable[[Envelope], Awaitable[Outcome]]
"""Sends one envelope; it answers with an outcome and never raises for what the other side does."""


def http_outcome(status: int, answer: str, retry_after: str | None, now: datetime) -> Outcome:
    """What an HTTP answer means."""
    said = clipped(f"{status} {answer}")
    if 200 <= status < 300:
        return Outcome(Reason.SENT, said)
    if status in RETRIED_STATUSES or status >= 500:
        reason = Reason.BUSY if status in RETRIED_STATUSES else Reason.SERVER_ERROR
        return Outcome(reason, said, held(retry_after, now))
    return Outcome(Reason.REFUSED, said)


def smtp_outcome(code: int, answer: str) -> Outcome:
    """What an SMTP reply means: 4xx is for now, 5xx for good (RFC 5321, section 4.2.1)."""
    said = clipped(f"{code} {answer}")
    if 200 <= code < 400:
        return Outcome(Reason.SENT, said)
    return Outcome(Reason.BUSY if code < 500 else Reason.REFUSED, said)


def held(retry_after: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a time to wait: whole seconds or an HTTP date; None when it says nothing usable."""
    text = (retry_after or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 86_400))
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), timedelta(days=1))


def clipped(text: str) -> str:
    """An answer as it may be kept and shown: one printable line of at most 200 characters."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return line if len(line) <= LONGEST_ANSWER else line[: LONGEST_ANSWER - 1] + "…"


