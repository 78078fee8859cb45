"""The channels of one process, and how much each server is asked to take at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from core.channels.email import Mailer, parse_smtp_url
from core.channels.outcome import Envelope, Outcome, Reason, Sender
from core.channels.slack import Slack
from core.channels.targets import endpoint_name
from core.clock import SystemClock
from core.terms import ChannelKind

AT_ONCE = {ChannelKind.EMAIL: 4, ChannelKind.SLACK: 1}
"""Messages on their way to one server or URL at a time; Slack takes about one a second for each URL."""


class Secret(Protocol):
    """A value that does not show itself."""

    def get_secret_value(self) -> str:
        """The value."""
        ...


class SendingSettings(Protocol):
    """The settings that sending needs."""

    @property
    def smtp_url(self) -> Secret | None:
        """The mail server, with its credentials."""
        ...

    @property
    def smtp_from(self) -> str:
        """The sender's address."""
        ...


class Senders:
    """Carries letters by mail and to Slack; shared by all rounds of delivery in a process.

    Args:
        email: the email channel.
        slack: the Slack channel.
        smtp_server: `host:port` of the mail server, for its health in the store.
        chance: a number between 0 and 1 that jitters a retry.
    """

    def __init__(
        self, email: Sender, slack: Sender, smtp_server: str = "not set", chance: Callable[[], float] = random.random
    ) -> None:
        self.smtp_server = smtp_server
        self.chance = chance
        self.busy: Counter[tuple[ChannelKind, str]] = Counter()
        """Envelopes on their way, by channel and server: a Slack URL, or nothing for mail."""
        self.silent: Counter[str] = Counter()
        """Timeouts in a row, by endpoint."""
        self.claiming = asyncio.Lock()
        self._send = {ChannelKind.EMAIL: email, ChannelKind.SLACK: slack}

    async def send(self, kind: ChannelKind, envelope: Envelope) -> Outcome:
        """One try to send `envelope`; whatever goes wrong is an outcome."""
        try:
            outcome = await self._send[kind](envelope)
        except Exception as error:  # a fault of ours must not lose the letter; its text may hold a secret
            outcome = Outcome(Reason.FAULT, f"sending failed ({type(error).__name__})")
        name = self.endpoint(kind, envelope.target)
        self.silent[name] = self.silent[name] + 1 if outcome.reason is Reason.TIMED_OUT else 0
        return outcome

    def endpoint(self, kind: ChannelKind, target: str) -> str:
        """The name of the server behind `target`, which holds no secret."""
        return endpoint_name(kind, target, self.smtp_server)

    def full(self) -> set[tuple[ChannelKind, str]]:
        """The servers that have as many letters on their way as they may have."""
        return {place for place, count in self.busy.items() if count >= AT_ONCE[place[0]]}


def place_of(kind: ChannelKind, target: str) -> tuple[ChannelKind, str]:
    """Which server a target belongs to: all mail shares one, every Slack URL is one."""
    return kind, target if kind is ChannelKind.SLACK else ""


def senders_of(settings: SendingSettings, now: Callable[[], datetime] | None = None) -> Senders:
    """The real channels. Raises InvalidInput when TOCSIN_SMTP_URL is not a mail server's URL.

    `now` is what a server's Retry-After date is measured against; the machine's clock unless given.
    """
    server = parse_smtp_url(settings.smtp_url.get_secret_value()) if settings.smtp_url else None
    slack = Slack(now or SystemClock().now)
    return Senders(Mailer(server, settings.smtp_from), slack, server.name if server else "not set")


def silent_senders() -> Senders:
    """Channels that take every message and send it nowhere, for a demo."""
    async def nowhere(envelope: Envelope) -> Outcome:
        del envelope
        return Outcome(Reason.SENT, "kept on this machine")

    return Senders(nowhere, nowhere, "nowhere")
