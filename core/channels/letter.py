"""What a channel is handed, and the one interface every channel has: `send(letter) -> outcome`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from core.channels.message import Message
from core.channels.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way. `target` is an address or a URL (a secret); `at` is aware and UTC.

    `identity` names the notification: every try of the same one has the same.
    """

    message: Message
    target: str
    identity: str
    at: datetime

    def __repr__(self) -> str:
        """Without the target: it may be a secret."""
        return f"Letter({self.identity})"


Send = Callable[[Letter], Awaitable[Outcome]]
"""A channel. It raises nothing: whatever happens is an outcome."""
