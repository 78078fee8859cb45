"""The delivery results of one destination after another, as the delivery overview gives them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from core.clock import Hour
from core.intake.segment import api, readings
from core.intake.segment.client import Client
from core.intake.segment.errors import SegmentError, TokenRefused, Unavailable
from core.intake.segment.readings import Span, Target
from core.terms import Stage

Hours = dict[Hour, int]


@dataclass
class Reading:
    """What was read of one destination: `span` is what it is complete for, `error` why it is not more."""

    target: Target
    found: dict[tuple[int, Stage], Hours] = field(default_factory=dict)
    span: Span | None = None
    filtered: bool = True
    sent_by_device: bool = False
    error: SegmentError | None = None

    @property
    def attempts(self) -> int:
        """How many events Segment's servers tried to deliver."""
        return sum(sum(self.found.get((self.target.id, stage), {}).values())
                   for stage in (Stage.DELIVERED, Stage.FAILED))


class DeliveryReader:
    """Reads destinations up to `until` (not included). What is filtered at a source is asked for once a source."""

    def __init__(self, client: Client, until: Hour) -> None:
        self._client = client
        self._until = until
        self._at_source: dict[tuple[str, Span], Hours] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(self, target: Target) -> Reading:
        """Everything of `target` that is still to be read; an error of Segment ends up in the answer."""
        reading = Reading(target)
        first = readings.since(target, self._until)
        for window in readings.windows(first, self._until, readings.FIRST_HOURS):
            try:
                delivered, failed = await self._rate(target, window)
                filtered = await self._filtered(reading, window)
            except SegmentError as error:
                reading.error = error
                break
            if filtered is None:
                reading.filtered = False
            for stage, hours in ((Stage.DELIVERED, delivered), (Stage.FAILED, failed), (Stage.FILTERED, filtered)):
                reading.found.setdefault((target.id, stage), {}).update(hours or {})
            reading.span = (first, window[1])
        return reading

    async def _rate(self, target: Target, window: Span) -> tuple[Hours, Hours]:
        source = target.source_segment_id or ""
        delivered = await api.delivery(self._client, "successful-delivery", source, target.segment_id, *window)
        failed = await api.delivery(self._client, "failed-delivery", source, target.segment_id, *window)
        return delivered, failed

    async def _filtered(self, reading: Reading, window: Span) -> Hours | None:
        """Filtered at the source or at the destination; None when Segment does not say.

        No rule looks at these counts, so a refusal must not cost the destination its delivery rate.
        """
        source = reading.target.source_segment_id or ""
        try:
            there, by_device = await api.filtered(self._client, source, reading.target.segment_id, *window)
            reading.sent_by_device |= by_device
            before = await self._filtered_at_source(source, window)
        except (Unavailable, TokenRefused):
            raise
        except SegmentError:
            return None
        return {hour: there.get(hour, 0) + before.get(hour, 0) for hour in there.keys() | before.keys()}

    async def _filtered_at_source(self, source: str, window: Span) -> Hours:
        key = (source, window)
        async with self._locks[source]:
            if key not in self._at_source:
                self._at_source[key] = await api.delivery(self._client, "filtered-at-source", source, None, *window)
        return self._at_source[key]
