"""What came of one try to send, and whether another try can help: one table for HTTP and one for SMTP.

Source: the product page, section 4 ("Delivery"), and the reference facts, section 6.2 (Slack's answers).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from core.channels.message import Message, printable

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 1800.0
LONGEST_ANSWER = 300
LONGEST_HOLD = timedelta(hours=24)
"""A server may ask for any pause; beyond a day nothing that waits would still be sent."""


class Reason(StrEnum):
    """Why a try ended as it did."""

    SENT = "sent"
    NOT_SET_UP = "not_set_up"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    LOGIN_REFUSED = "login_refused"
    SENDER_REFUSED = "sender_refused"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    BROKEN = "broken"
    FAULT = "fault"


PERMANENT = frozenset({Reason.REDIRECTED, Reason.REFUSED, Reason.BROKEN})
"""A refused login or sender is a setting of ours, which can be mended within the day that a message waits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to. `answer` is for people and holds no secret; `retry_after` is what the server asked for."""

    reason: Reason
    answer: str
    retry_after: timedelta | None = None

    @property
    def sent(self) -> bool:
        """Whether the server took the message."""
        return self.reason is Reason.SENT

    @property
    def permanent(self) -> bool:
        """Whether trying again cannot help."""
        return self.reason in PERMANENT


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way. `target` is an address or a URL (a secret); `at` is aware and UTC.

    `identity` names the notification: every try of the same one has the same.
    """

    message: Message
    target: str
    identity: str
    at: datetime

    def __repr__(self) -> str:
        """Without the target: it may be a secret."""
        return f"Envelope({self.identity})"


Sender = Callable[[Envelope], Awaitable[Outcome]]
"""A channel. It raises nothing for what the other side does: that is an outcome."""


def of_http(status: int, body: str, retry_after: timedelta | None = None) -> Outcome:
    """The outcome of an HTTP answer: 408, 425, 429 and 5xx are tried again, every other failure is final."""
    said = printable(body)[:LONGEST_ANSWER]
    answer = f"HTTP {status} {said}".rstrip()
    if 200 <= status < 300:
        # A workflow may answer 200 and say no (reference facts, section 6.3).
        return Outcome(Reason.REFUSED if re.match(r'\{\s*"ok"\s*:\s*false', said) else Reason.SENT, answer)
    if status in (408, 425):
        return Outcome(Reason.TIMED_OUT if status == 408 else Reason.SERVER_ERROR, answer, retry_after)
    if status == 429:
        return Outcome(Reason.RATE_LIMITED, answer, retry_after)
    if status >= 500:
        return Outcome(Reason.SERVER_ERROR, answer, retry_after)
    if 300 <= status < 400:
        return Outcome(Reason.REDIRECTED, f"HTTP {status}, a redirect, which is not followed")
    return Outcome(Reason.REFUSED, answer)


def of_smtp(code: int, text: str, *, about_message: bool) -> Outcome:
    """The outcome of a mail server's refusal: 5xx to the recipient or the message is final, all else is tried again.

    `about_message` is False for a refusal before the recipient was named: that is about us, not about the channel.
    """
    answer = f"SMTP {code} {printable(text)[:LONGEST_ANSWER]}".rstrip()
    if about_message and 500 <= code < 600:
        return Outcome(Reason.REFUSED, answer)
    return Outcome(Reason.SERVER_ERROR, answer)


def wait_before(tries: int, chance: float) -> timedelta:
    """How long to wait after the `tries`-th failed try: 5 s x 2^n, jittered by 0.5 to 1.5, at most 30 min.

    `chance` is between 0 and 1.
    """
    doubled = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(max(tries, 1) - 1, 20))
    return timedelta(seconds=min(LONGEST_WAIT_S, doubled * (0.5 + chance)))


def parse_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header, seconds or an HTTP date, as a wait from `now` (aware); None when it says nothing useful."""
    value = (text or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return min(LONGEST_HOLD, timedelta(seconds=float(value)))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(LONGEST_HOLD, max(timedelta(0), wait))
