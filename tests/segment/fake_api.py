"""A stand-in for Segment's Public API: a process of its own that is as strict as the facts page, section 4.

Run as `python tests/segment/fake_api.py`; it prints its port. A test sets what the workspace holds and which requests
go wrong through `/_control`, and reads there what was asked. What it refuses, it refuses with a reason.
"""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

import msgspec
from aiohttp import web

V1, BETA = "application/vnd.segment.v1+json", "application/vnd.segment.v1beta+json"
DELIVERY = {"successfully-received": False, "failed-on-ingest": False, "filtered-at-source": False,
            "filtered-at-destination": True, "failed-delivery": True, "successful-delivery": True}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Held:
    """What the workspace holds. Counts are keyed by id (or `stage id`), then by hour since 1970 as text."""

    now: str = "2026-11-23T12:05:00Z"
    token: str = "secret-token"
    workspace: dict[str, Any] = field(default_factory=lambda: {"id": "ws1", "slug": "acme", "name": "Acme"})
    sources: list[dict[str, Any]] = field(default_factory=list)
    destinations: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    memberships: dict[str, list[str]] = field(default_factory=dict)
    volume: dict[str, dict[str, int]] = field(default_factory=dict)
    delivery: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Why events were filtered at a destination, by its id."""
    page: int = 200
    zero_filled: bool = False
    faults: dict[str, str] = field(default_factory=dict)
    """Number of the request since the last reset, or the start of a path, to what goes wrong with it."""

    @cached_property
    def source_ids(self) -> set[str]:
        return {each["id"] for each in self.sources}

    @cached_property
    def pairs(self) -> set[tuple[str, str]]:
        """Each destination with its source."""
        return {(each["id"], each["sourceId"]) for each in self.destinations}


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        named = {"field": field} if field else {}
        self.body = {"errors": [{"type": "input-validation", "message": message, **named}]}


class Api:
    def __init__(self) -> None:
        self.held = Held()
        self.log: list[str] = []
        self.refused: list[str] = []
        self.flying = 0
        self.most_flying = 0
        self.asked = asyncio.Condition()

    async def control(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.log, self.refused, self.flying, self.most_flying = [], [], 0, 0
            self.held = Held(**await request.json())
        wanted = int(request.query.get("asked", -1))
        async with self.asked:
            await self.asked.wait_for(lambda: len(self.log) > wanted)
        return web.json_response({"log": self.log, "refused": self.refused, "most_in_flight": self.most_flying})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        number = len(self.log)
        self.log.append(f"{request.path}?{request.query_string}")
        async with self.asked:
            self.asked.notify_all()
        paths = {start: what for start, what in self.held.faults.items() if request.path.startswith(start)}
        fault = self.held.faults.get(str(number)) or next(iter(paths.values()), None)
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            if fault:
                return await self.go_wrong(request, fault)
            await asyncio.sleep(0)
            answer = msgspec.json.encode({"data": self.route(request)})
            return web.Response(body=answer, content_type="application/json")
        except Refusal as refusal:
            self.refused.append(f"{refusal.status} {refusal} {request.path_qs}")
            return web.json_response(refusal.body, status=refusal.status)
        finally:
            self.flying -= 1

    def route(self, request: web.Request) -> dict[str, Any]:
        path, held = request.path, self.held
        accept = BETA if path.startswith("/delivery-overview/") else V1
        if request.headers.get("Accept") != accept:
            raise Refusal(422, f"Accept must be {accept}")
        if request.headers.get("Authorization") != f"Bearer {held.token}":
            raise Refusal(401, "Unauthorized")
        if len(request.query) != len(set(request.query)):
            raise Refusal(422, "a parameter was given twice")
        if path == "/":
            return {"workspace": held.workspace}
        lists = {"/sources": ("sources", held.sources), "/destinations": ("destinations", held.destinations),
                 "/users": ("users", held.users), "/groups": ("userGroups", held.groups)}
        if path in lists:
            return self.listed(request, *lists[path])
        if path.startswith("/users/") and path.endswith("/groups"):
            user = path.split("/")[2]
            if all(user != each["id"] for each in held.users):
                raise Refusal(404, "no such user")
            joined = held.memberships.get(user, [])
            theirs = [{"id": each["id"], "name": each["name"]} for each in held.groups if each["id"] in joined]
            return self.listed(request, "groups", theirs)
        if path == "/events/volume":
            return self.volume(request)
        if path.removeprefix("/delivery-overview/") in DELIVERY:
            return self.delivery(request, path.removeprefix("/delivery-overview/"))
        raise Refusal(404, "not found")

    def listed(
        self, request: web.Request, name: str, items: list[Any], allowed: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        for key in request.query:
            if key not in ("pagination.count", "pagination.cursor", *allowed):
                raise Refusal(422, f'"{key}" is not allowed', key)
        count = request.query.get("pagination.count", "")
        if not count.isdigit() or not 1 <= int(count) <= 200:
            raise Refusal(422, '"pagination.count" must be 1 to 200', "pagination.count")
        size, at = min(int(count), self.held.page), 0
        cursor = request.query.get("pagination.cursor")
        if cursor is not None:
            try:
                at = int(base64.b64decode(cursor, validate=True))
            except ValueError:
                raise Refusal(422, "bad cursor", "pagination.cursor") from None
            if not 0 < at < len(items):
                raise Refusal(422, "bad cursor", "pagination.cursor")
        page: dict[str, Any] = {"current": _cursor(at), "totalEntries": len(items)}
        if at + size < len(items):
            page["next"] = _cursor(at + size)
        return {name: items[at:at + size], "pagination": page}

    def window(self, request: web.Request) -> tuple[int, int]:
        now = datetime.fromisoformat(self.held.now)
        if request.query.get("granularity") != "HOUR":
            raise Refusal(422, '"granularity" must be HOUR here', "granularity")
        try:
            start, end = (datetime.fromisoformat(request.query[key]) for key in ("startTime", "endTime"))
        except (KeyError, ValueError):
            raise Refusal(422, "startTime and endTime are ISO 8601", "startTime") from None
        if start.tzinfo is None or end.tzinfo is None or start >= end:
            raise Refusal(422, "startTime must be before endTime", "startTime")
        if end - start > timedelta(days=14) or start < now - timedelta(days=30):
            raise Refusal(422, "HOUR: at most 14 days, from at most 30 days ago", "startTime")
        first, last = (start - EPOCH) / timedelta(hours=1), (end - EPOCH) / timedelta(hours=1)
        if first % 1 or last % 1 or end > now:
            raise Refusal(422, "whole hours that are over", "endTime")
        return int(first), int(last)

    def series(self, counts: dict[str, int], since: int, until: int) -> list[dict[str, Any]]:
        if not counts:
            return zeros(since, until) if self.held.zero_filled else []
        return [{"time": time_of(hour), "count": counts.get(str(hour), 0)} for hour in range(since, until)
                if self.held.zero_filled or str(hour) in counts]

    def volume(self, request: web.Request) -> dict[str, Any]:
        if request.query.get("groupBy.0") != "source":
            raise Refusal(422, '"groupBy.0" must be source here', "groupBy")
        since, until = self.window(request)
        if min(int(request.query.get("pagination.count", "0") or 0), len(self.held.sources)) * (until - since) > 5000:
            raise Refusal(422, "more than 5,000 entries", "endTime")
        rows = []
        for source in self.held.sources:
            series = self.series(self.held.volume.get(source["id"], {}), since, until)
            if series:
                rows.append({"source": {key: source[key] for key in ("id", "name", "slug")}, "eventName": None,
                             "eventType": None, "total": sum(p["count"] for p in series), "series": series})
        rows.sort(key=lambda row: -row["total"])
        found = self.listed(request, "result", rows, ("granularity", "startTime", "endTime", "groupBy.0"))
        return {"path": "/observability/event_volume/v2.json", "query": {}, **found}

    def delivery(self, request: web.Request, stage: str) -> dict[str, Any]:
        since, until = self.window(request)
        needs_destination = DELIVERY[stage]
        source, destination = request.query.get("sourceId"), request.query.get("destinationConfigId")
        if not source or needs_destination != bool(destination):
            raise Refusal(422, "sourceId, and destinationConfigId where it belongs, are required", "sourceId")
        if source not in self.held.source_ids:
            raise Refusal(404, "no such source")
        if destination and (destination, source) not in self.held.pairs:
            raise Refusal(404, "no such destination of that source")
        counts = self.held.delivery.get(f"{stage} {destination or source}", {})
        if request.query.get("groupBy.0", "discardReason") != "discardReason":
            raise Refusal(422, '"groupBy.0" must be discardReason here', "groupBy")
        reason = {"discardReason": self.held.reasons.get(destination or "", "FILTERED_BY_RULES")}
        named = reason if "groupBy.0" in request.query else {}
        first, rest = ({hour: n - n // 3 for hour, n in counts.items()}, {hour: n // 3 for hour, n in counts.items()})
        parts = [{**named, "total": sum(part.values()), "totalRetryCount": 0,
                  "series": self.series(part, since, until)} for part in (first, rest)]
        found = self.listed(request, "dataset", parts if counts or self.held.zero_filled else [],
                            ("granularity", "startTime", "endTime", "sourceId", "destinationConfigId", "groupBy.0"))
        return {"total": sum(counts.values()), **found}

    async def go_wrong(self, request: web.Request, fault: str) -> web.StreamResponse:
        if fault == "429":
            return web.json_response(_limited(57_647), status=429, headers={"Retry-After": "7"})
        if fault == "429-body":
            return web.json_response(_limited(57_647), status=429)
        if fault == "429-bare":
            return web.Response(status=429, text="slow down")
        if fault == "429-day":
            return web.json_response(_limited(1), status=429, headers={"Retry-After": "86400"})
        if fault == "slow":
            await asyncio.sleep(3600)
        if fault == "cut":
            return await _cut(request)
        if fault == "short":
            return web.Response(body=b'{"data":{"sources":[{"id":"s', content_type="application/json")
        if fault == "invalid":
            return web.json_response({"data": {"surprise": True}})
        if fault == "page":
            return web.Response(text="<html>Log in to the hotel's network</html>", content_type="text/html")
        if fault == "redirect":
            return web.Response(status=302, headers={"Location": "/echo"})
        if fault == "huge":
            return web.Response(body=b'{"data":"' + b"x" * 3_000_000 + b'"}', content_type="application/json")
        return web.json_response({"errors": [{"type": "fault", "message": f'"id" went\n\x1b[31mwrong: {fault}',
                                              "field": "filter"}]}, status=int(fault))


@cache
def time_of(hour: int) -> str:
    return (EPOCH + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def zeros(since: int, until: int) -> list[dict[str, Any]]:
    """A series in which nothing happened."""
    return [{"time": time_of(hour), "count": 0} for hour in range(since, until)]


def _limited(milliseconds: int) -> dict[str, Any]:
    return {"errors": [{"type": "RequestError", "message": "Too many requests",
                        "data": {"remainingPoints": 0, "msBeforeNext": milliseconds, "consumedPoints": 21}}]}


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"data":')
    if request.transport is not None:
        request.transport.close()
    return response


def _cursor(at: int) -> str:
    return base64.b64encode(str(at).encode()).decode()


async def main() -> None:
    """Serve until standard input closes, so that no server outlives its test run."""
    api = Api()
    app = web.Application(client_max_size=256 * 1024 * 1024)
    app.router.add_route("*", "/_control", api.control)
    app.router.add_get("/{path:.*}", api.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps(runner.addresses[0][1]), flush=True)
    await asyncio.to_thread(input)


if __name__ == "__main__":
    with suppress(EOFError, KeyboardInterrupt):
        asyncio.run(main())
