"""Whatever goes wrong on the way, the store ends up holding what the workspace holds."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import FastClock, hour_of
from core.intake.segment.client import IN_FLIGHT
from core.intake.segment.sync import Progress, sync
from core.store import Store, open_store
from tests.conftest import NOON
from tests.segment.reading import connections_in, counts_in, counts_of, members_in
from tests.segment.test_sync import acme
from tests.segment.workspace import TOKEN, Segment, destination, source, user

H = hour_of(NOON)
CLOCK = FastClock(NOON, 0)
TRANSIENT = ["429", "429-body", "429-bare", "500", "502", "503", "cut", "short", "page"]

counts = st.dictionaries(st.integers(H - 340, H + 1).map(str), st.integers(0, 10**12), max_size=8)


@st.composite
def workspaces(draw: st.DrawFn) -> dict[str, Any]:
    """A workspace of some size whose API stumbles now and then."""
    sources = [source(f"s{at}", draw(st.text(max_size=5)), slug=draw(st.sampled_from(["web", "app", "Ünï"])))
               for at in range(draw(st.integers(0, 5)))]
    parts = st.sampled_from([[], [{"type": "SERVER"}], [{"type": "BROWSER"}]])
    destinations = [
        destination(f"d{at}", draw(st.sampled_from(sources))["id"], draw(st.text(max_size=5)) or None,
                    enabled=draw(st.booleans()), metadata={"components": draw(parts)})
        for at in range(draw(st.integers(0, 5)) if sources else 0)]
    steps = ("successful-delivery", "failed-delivery", "filtered-at-destination")
    keys = [f"{step} {each['id']}" for step in steps for each in destinations]
    keys += [f"filtered-at-source {each['id']}" for each in sources]
    return {
        "sources": sources, "destinations": destinations,
        "volume": {each["id"]: draw(counts) for each in sources}, "delivery": {key: draw(counts) for key in keys},
        "users": [user(f"u{at}", f"{at}@acme.dev", owner=at % 2 == 0) for at in range(draw(st.integers(0, 4)))],
        "page": draw(st.integers(1, 4)), "zero_filled": draw(st.booleans()),
        "faults": draw(st.dictionaries(st.integers(0, 60).map(str), st.sampled_from(TRANSIENT), max_size=12)),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=workspaces())
def test_the_store_equals_the_workspace_whatever_paging_and_faults(
    segment: Segment, blank_file: Path, held: dict[str, Any]
) -> None:
    segment.hold(**held)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(shutil.copy(blank_file, f"{folder}/t.db")))

        async def twice() -> None:
            for _ in range(2):
                async with segment.client() as client:
                    report = await sync(store, client, CLOCK)
                assert report.error is None

        asyncio.run(twice())

        assert segment.refused == []
        assert counts_in(store) == counts_of(held)
        rows = connections_in(store)
        assert set(rows) == {each["id"] for each in (*held["sources"], *held["destinations"])}
        assert len({row.slug for row in rows.values()}) == len(rows)
        assert all(row.name.isprintable() and row.name for row in rows.values())
        assert {id_: role for id_, (_, role) in members_in(store).items()} == {
            each["id"]: "workspace_owner" if each["permissions"] else "workspace_member" for each in held["users"]}
        store.close()


async def test_a_sync_cancelled_at_any_request_is_completed_by_the_next(
    segment: Segment, blank_file: Path, tmp_path: Path
) -> None:
    held = acme(page=2)
    segment.hold(**held)
    whole = open_store(str(tmp_path / "whole.db"))
    async with segment.client() as client:
        await sync(whole, client, CLOCK)
    wanted = counts_in(whole), members_in(whole), set(connections_in(whole))
    requests = len(segment.asked)

    for stop in range(requests):
        segment.hold(**held, faults={str(stop): "slow"})
        store = open_store(str(shutil.copy(blank_file, tmp_path / f"{stop}.db")))
        async with segment.client() as client:
            task = asyncio.create_task(sync(store, client, CLOCK))
            await segment.reached(stop)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        segment.hold(**held)
        async with segment.client() as client:
            report = await sync(store, client, CLOCK)

        assert report.error is None
        assert (counts_in(store), members_in(store), set(connections_in(store))) == wanted, f"stopped at {stop}"
        store.close()


KILLED = """
import asyncio, sys
from datetime import datetime
from core.clock import FastClock
from core.intake.segment.client import Client
from core.intake.segment.sync import sync
from core.store import open_store

async def main():
    async with Client(sys.argv[2], sys.argv[3]) as client:
        await sync(open_store(sys.argv[1]), client, FastClock(datetime.fromisoformat(sys.argv[4]), 0))

asyncio.run(main())
"""


@pytest.mark.parametrize("stop", [0, 2, 6, 12, 21, 23])
async def test_a_process_killed_at_a_request_leaves_a_store_the_next_sync_completes(
    segment: Segment, tmp_path: Path, stop: int
) -> None:
    segment.hold(**acme(faults={str(stop): "slow"}))
    path = str(tmp_path / "t.db")
    process = subprocess.Popen([sys.executable, "-c", KILLED, path, TOKEN, segment.url, NOON.isoformat()],
                               cwd=Path(__file__).parents[2])
    await segment.reached(stop)
    process.kill()
    process.wait()
    segment.change(faults={})

    store = open_store(path)
    async with segment.client() as client:
        report = await sync(store, client, CLOCK)

    assert report.error is None
    assert counts_in(store) == counts_of(segment.held)
    store.close()


def large(sources: int = 500, destinations: int = 1000, **other: Any) -> dict[str, Any]:
    """A workspace of so many sources and enabled cloud destinations."""
    return {"sources": [source(f"s{at}") for at in range(sources)],
            "destinations": [destination(f"d{at}", f"s{at % sources}") for at in range(destinations)],
            "volume": {f"s{at}": {str(H - 1): at + 1} for at in range(sources)},
            "users": [user(f"u{at}", f"{at}@acme.dev", owner=at == 0) for at in range(30)], "zero_filled": True,
            **other}


@pytest.mark.parametrize(("sources", "destinations"), [(5, 10), (100, 200)])
async def test_a_workspace_stays_within_its_request_budget(
    segment: Segment, sqlite_store: Store, sources: int, destinations: int
) -> None:
    page = 40
    pages = -(-sources // page)
    budget = {
        "/": 1, "/sources": pages, "/destinations": -(-destinations // page), "/users": 1, "/groups": 1,
        "/delivery-overview/successful-delivery": destinations, "/delivery-overview/failed-delivery": destinations,
        "/delivery-overview/filtered-at-destination": destinations, "/delivery-overview/filtered-at-source": sources,
    }
    held = large(sources, destinations, page=page)
    steps: list[Progress] = []
    for name, days in (("first connect", 14), ("each hour", 1)):
        segment.hold(**held)
        async with segment.client() as client:
            report = await sync(sqlite_store, client, CLOCK, progress=steps.append)
        used = Counter(each.split("?")[0] for each in segment.asked)
        print(f"{name}: {sum(used.values())} requests for {sources} sources and {destinations} destinations: "
              f"{dict(used)}")

        assert report.error is None
        assert segment.refused == []
        assert used == {**budget, "/events/volume": days * pages}
        assert report.requests == sum(used.values())
        assert segment.most_in_flight <= IN_FLIGHT
    assert {step.step for step in steps} == {"sources and destinations", "source volumes", "delivery results"}
    assert counts_in(sqlite_store) == {(f"s{at}", "received", H - 1): at + 1 for at in range(sources)}


async def test_a_large_sync_can_be_cancelled(segment: Segment, tmp_path: Path) -> None:
    segment.hold(**large())
    store = open_store(str(tmp_path / "t.db"))
    async with segment.client() as client:
        reached = asyncio.Event()
        task = asyncio.create_task(
            sync(store, client, CLOCK, progress=lambda p: reached.set() if p.step == "delivery results" else None))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        sent = client.requests
        await asyncio.sleep(0)

    assert client.requests == sent < 200
    store.close()


async def test_a_segment_that_fails_for_good_is_not_asked_for_everything(segment: Segment, tmp_path: Path) -> None:
    segment.hold(**large(), faults={"/delivery-overview": "503"})
    store = open_store(str(tmp_path / "t.db"))
    async with segment.client() as client:
        report = await sync(store, client, CLOCK)

    assert client.requests < 300
    assert len(report.stale) == 1000
    assert counts_in(store)
    store.close()
