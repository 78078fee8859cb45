"""`POST /v1/deliveries`: how a destination took events, checked whole before any of it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from core.clock import Hour, hour_of, parse_time, start_of
from core.counts import LARGEST_COUNT, Key
from core.intake.decode import BATCH_EVENTS, ID_LIMIT, BadBody
from core.terms import Stage

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """One destination's outcomes; `hour` is a whole UTC hour, by default the present one."""

    destination: str
    delivered: Count = 0
    failed: Count = 0
    filtered: Count = 0
    hour: str | None = None
    messageId: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LIMIT - 1)] | None = None


class Deliveries(msgspec.Struct):
    """The body; items stay raw so that a bad one can be named by its index."""

    deliveries: list[msgspec.Raw]


BODY = msgspec.json.Decoder(Deliveries)
ITEM = msgspec.json.Decoder(Item)


def read(body: bytes, destinations: Mapping[str, int], now: datetime) -> list[tuple[str | None, dict[Key, int]]]:
    """Each item as its message id and its counts. Raises BadBody naming the index of the first bad item.

    A message id is known within its destination: one event's outcomes at three destinations are three.
    """
    try:
        raw = BODY.decode(body).deliveries
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadBody('the body is not {"deliveries": [...]}') from None
    if len(raw) > BATCH_EVENTS:
        raise BadBody(f"deliveries[{BATCH_EVENTS}]: at most {BATCH_EVENTS:,} in one request")
    items = [_item(index, item, destinations, now) for index, item in enumerate(raw)]
    total: Counter[Key] = Counter()
    for index, (_, counts) in enumerate(items):
        total.update(counts)
        if any(total[key] > LARGEST_COUNT for key in counts):
            raise BadBody(f"deliveries[{index}]: the counts of its hour add up to more than {LARGEST_COUNT:,}")
    return items


def _item(
    index: int, raw: msgspec.Raw, destinations: Mapping[str, int], now: datetime
) -> tuple[str | None, dict[Key, int]]:
    try:
        item = ITEM.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"deliveries[{index}]: {error}") from None
    connection = destinations.get(item.destination)
    if connection is None:
        raise BadBody(f"deliveries[{index}]: this source has no destination called {item.destination[:80]!r}")
    hour = hour_of(now) if item.hour is None else _hour(index, item.hour, now)
    counts = Counter({Stage.DELIVERED: item.delivered, Stage.FAILED: item.failed, Stage.FILTERED: item.filtered})
    identity = None if item.messageId is None else f"delivery {connection} {item.messageId}"
    return identity, {(connection, hour, stage): count for stage, count in counts.items() if count} or {
        (connection, hour, Stage.DELIVERED): 0}


def _hour(index: int, text: str, now: datetime) -> Hour:
    try:
        moment = parse_time(text)
        hour = hour_of(moment)
    except (ValueError, OverflowError):
        raise BadBody(f"deliveries[{index}]: hour is not an ISO 8601 time") from None
    if start_of(hour) != moment:
        raise BadBody(f"deliveries[{index}]: hour is not a whole UTC hour")
    if hour < 0:
        raise BadBody(f"deliveries[{index}]: hour lies before 1970")
    if start_of(hour) > now + timedelta(hours=1):
        raise BadBody(f"deliveries[{index}]: hour lies in the future")
    return hour
