"""What a person says an alert shall be: the form's content, before and after it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from core.rules import Condition
from core.terms import AlertKind, Baseline, ChannelKind, Direction


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """Where an alert is sent. `target` is an address or a URL (a secret), None for in-app; `label` a Slack channel."""

    kind: ChannelKind
    target: str | None = None
    label: str | None = None

    def __repr__(self) -> str:
        """Without the target: it may be a secret."""
        return f"ChannelSpec({self.kind.value})"


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """An alert as it is typed: `threshold` in basis points, `reminder_hours` 0 (off), 24 or 72."""

    kind: AlertKind
    threshold: int
    channels: tuple[ChannelSpec, ...]
    direction: Direction = Direction.BOTH
    baseline: Baseline = Baseline.DAY_BEFORE
    min_events: int = 0
    reminder_hours: int = 24
    say_resolved: bool = True
    enabled: bool = True

    @property
    def asks(self) -> Condition:
        """The part that decides a verdict."""
        return Condition(self.kind, self.threshold, self.direction, self.baseline, self.min_events)
