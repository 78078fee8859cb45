"""The endpoints that are read, each to its last page. Source: facts page, sections 4.4 and 4.6."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from core.clock import Hour, hour_of, iso, start_of
from core.intake.segment.client import Client, Params
from core.intake.segment.errors import NotUnderstood
from core.intake.segment.wire import (
    V1,
    V1_BETA,
    DeliveryAnswer,
    DeliverySeries,
    Destination,
    Destinations,
    Group,
    GroupsOfUser,
    Page,
    Point,
    Source,
    Sources,
    User,
    UserGroups,
    Users,
    Volume,
    Workspace,
    WorkspaceAnswer,
)

PAGE = 200
"""Older documentation allows no more."""
DESTINATIONS_PAGE = 100
"""A destination carries its integration's whole catalogue entry, often hundreds of kilobytes."""
SENT_BY_DEVICE = "MESSAGE_SENT_CLIENT_SIDE"
"""The reason for which a device-mode destination gets nothing from Segment's servers."""
REREADS = 3
MOST_PAGES = 10_000

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class ListMoved(NotUnderstood):
    """A list changed while its pages were read."""


async def workspace(client: Client) -> Workspace:
    """The workspace of the token."""
    return (await client.get("/", WorkspaceAnswer, "the workspace")).workspace


async def sources(client: Client) -> list[Source]:
    """Every source."""
    return await _whole_list(client, "/sources", Sources, "sources", lambda a: (a.sources, a.pagination), _id)


async def destinations(client: Client) -> list[Destination]:
    """Every destination."""
    return await _whole_list(client, "/destinations", Destinations, "destinations",
                             lambda a: (a.destinations, a.pagination), _id, DESTINATIONS_PAGE)


async def users(client: Client) -> list[User]:
    """Every person of the workspace."""
    return await _whole_list(client, "/users", Users, "users", lambda a: (a.users, a.pagination), _id)


async def groups(client: Client) -> list[Group]:
    """Every user group, with its permissions."""
    return await _whole_list(client, "/groups", UserGroups, "user groups",
                             lambda a: (a.user_groups, a.pagination), _id)


async def groups_of(client: Client, user_id: str) -> list[Group]:
    """The groups of one user; their permissions are not in this answer."""
    return await _whole_list(client, f"/users/{quote(user_id, safe='')}/groups", GroupsOfUser, "a user's groups",
                             lambda a: (a.groups, a.pagination), _id)


async def volume(client: Client, since: Hour, until: Hour) -> dict[str, dict[Hour, int]]:
    """Events received by every source in whole hours from `since` up to `until`, by source id; no zeros."""
    params: dict[str, str | int] = {**_window(since, until), "groupBy.0": "source"}
    entries = await _whole_list(client, "/events/volume", Volume, "event volume", lambda a: (a.result, a.pagination),
                                lambda entry: entry.source.id if entry.source else "", params=params)
    return {entry.source.id: _hours(entry.series, since, until) for entry in entries if entry.source}


async def delivery(
    client: Client, stage: str, source_id: str, destination_id: str | None, since: Hour, until: Hour
) -> dict[Hour, int]:
    """Events of one step of the delivery overview in whole hours from `since` up to `until`; no zeros.

    `stage` is the last part of the path; the steps at the source take no `destination_id`.
    """
    params: dict[str, str | int] = {"sourceId": source_id, **_window(since, until)}
    if destination_id is not None:
        params["destinationConfigId"] = destination_id
    return _sum(await _parts(client, stage, params), since, until)


async def filtered(
    client: Client, source_id: str, destination_id: str, since: Hour, until: Hour
) -> tuple[dict[Hour, int], bool]:
    """What was filtered at a destination, as in `delivery`, and whether any of it had been sent by the device."""
    params: dict[str, str | int] = {"sourceId": source_id, "destinationConfigId": destination_id,
                                    **_window(since, until), "groupBy.0": "discardReason"}
    parts = await _parts(client, "filtered-at-destination", params)
    by_device = [part for part in parts if (part.discard_reason or "").upper() == SENT_BY_DEVICE]
    return _sum(parts, since, until), bool(_sum(by_device, since, until))


async def _parts(client: Client, stage: str, params: Params) -> list[DeliverySeries]:
    answers = _pages(client, f"/delivery-overview/{stage}", DeliveryAnswer, f"delivery counts, {stage}",
                     lambda a: a.pagination, params, accept=V1_BETA)
    return [part async for answer in answers for part in answer.dataset]


def _sum(parts: Sequence[DeliverySeries], since: Hour, until: Hour) -> dict[Hour, int]:
    """The counts of all parts by hour."""
    total: dict[Hour, int] = {}
    for part in parts:
        for hour, count in _hours(part.series, since, until).items():
            total[hour] = total.get(hour, 0) + count
    return total


def _id(item: Source | Destination | User | Group) -> str:
    return item.id


def _window(since: Hour, until: Hour) -> dict[str, str | int]:
    return {"granularity": "HOUR", "startTime": iso(start_of(since)) or "", "endTime": iso(start_of(until)) or ""}


def _hours(series: Sequence[Point], since: Hour, until: Hour) -> dict[Hour, int]:
    """The points inside the window by hour. Zeros are left out: whether Segment fills them in is not documented."""
    found: dict[Hour, int] = {}
    for point in series:
        if point.time.tzinfo is None:
            raise NotUnderstood(f"Segment gave a time without a zone: {point.time.isoformat()}.")
        # Segment may send thousands of zeros for each count.
        if point.count and since <= (hour := hour_of(point.time)) < until:
            found[hour] = found.get(hour, 0) + point.count
    return found


async def _whole_list(
    client: Client,
    path: str,
    kind: type[Answer],
    what: str,
    parts: Callable[[Answer], tuple[list[Item], Page]],
    key: Callable[[Item], str],
    size: int = PAGE,
    params: Mapping[str, str | int] | None = None,
) -> list[Item]:
    """A list read to its end, each item once.

    A list that changes while it is read can lose an item between two pages, and what is missing is taken for removed:
    so the number of items is held against `totalEntries`, and the list read again when it fell short.
    """
    for attempt in range(REREADS):
        items: dict[str, Item] = {}
        expected: int | None = None
        try:
            async for answer in _pages(client, path, kind, what, lambda a: parts(a)[1], params or {}, size=size):
                found, page = parts(answer)
                items.update((key(item), item) for item in found)
                expected = page.total_entries
        except ListMoved:
            if attempt + 1 == REREADS:
                raise
            continue
        if expected is None or len(items) >= expected:
            return list(items.values())
    raise ListMoved(f"Segment's list of {what} kept changing while it was read; the next sync reads it again.")


async def _pages(
    client: Client,
    path: str,
    kind: type[Answer],
    what: str,
    page_of: Callable[[Answer], Page],
    params: Mapping[str, str | int],
    *,
    size: int = PAGE,
    accept: str = V1,
) -> AsyncIterator[Answer]:
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        asked: dict[str, str | int] = {**params, "pagination.count": size}
        if cursor is not None:
            asked["pagination.cursor"] = cursor
        answer = await client.get(path, kind, what, asked, accept)
        yield answer
        cursor = page_of(answer).next or None
        if cursor is None:
            return
        if cursor in seen or len(seen) >= MOST_PAGES:
            raise ListMoved(f"Segment's pages of {what} do not end.")
        seen.add(cursor)
