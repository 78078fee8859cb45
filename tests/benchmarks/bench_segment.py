"""How many requests and seconds a sync of a large Segment workspace takes, against the fake API on this machine.

    python -m tests.benchmarks.bench_segment [--sources 500] [--destinations 1000]

The budget: a page of 40 for each list, one volume call a page of sources (a day at a time on first connect: 14 days),
three delivery calls a destination and one filtered call a source.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from core.intake.segment.sync import sync
from core.store import open_store
from tests.segment.test_faults import CLOCK, large
from tests.segment.workspace import Segment

FAKE = Path(__file__).parents[1] / "segment" / "fake_api.py"
PAGE = 40


async def measure(segment: Segment, sources: int, destinations: int) -> None:
    """First connect and an hourly sync into a new store."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"{folder}/bench.db")
        for name in ("first connect", "each hour"):
            segment.hold(**large(sources, destinations, page=PAGE))
            async with segment.client() as client:
                began = time.perf_counter()
                report = await sync(store, client, CLOCK)
                took = time.perf_counter() - began
            used = Counter(asked.split("?")[0] for asked in segment.asked)
            print(f"{name}: {report.requests:,} requests in {took:.1f} s, at most {segment.most_in_flight} at once"
                  + (f", failed: {report.error}" if report.error else ""))
            for endpoint, count in sorted(used.items()):
                print(f"    {count:>6,}  {endpoint}")
        store.close()


def main() -> None:
    """Start the fake API, and measure."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--sources", type=int, default=500)
    words.add_argument("--destinations", type=int, default=1000)
    asked = words.parse_args()
    fake = subprocess.Popen([sys.executable, str(FAKE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert fake.stdout is not None
    assert fake.stdin is not None
    url = f"http://127.0.0.1:{json.loads(fake.stdout.readline())}"
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as control:
        asyncio.run(measure(Segment(url, control), asked.sources, asked.destinations))
    fake.stdin.close()
    fake.wait(10)


if __name__ == "__main__":
    main()
