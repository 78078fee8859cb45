"""Arithmetic on stretches of time: which seconds of a window nobody was listening for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""From, up to but not including, until; both in seconds since 1970 (UTC)."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same stretches, sorted, with overlapping and touching ones joined and empty ones gone."""
    joined: list[Span] = []
    for since, until in sorted(span for span in spans if span[1] > span[0]):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined


def uncovered(window: Span, covered: Sequence[Span]) -> list[Span]:
    """The stretches of `window` that no span of `covered` (as from `merged`) touches."""
    gaps: list[Span] = []
    at, end = window
    for since, until in covered:
        if until <= at:
            continue
        if since >= end:
            break
        if since > at:
            gaps.append((at, since))
        at = until
    if at < end:
        gaps.append((at, end))
    return gaps


def missing(window: Span, covered: Sequence[Span]) -> int:
    """How many seconds of `window` no span of `covered` (as from `merged`) touches."""
    return sum(until - since for since, until in uncovered(window, covered))
