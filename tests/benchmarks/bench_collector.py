"""Events a second that `tocsin serve` counts durably, in batches of 100 with message ids of their own.

    python -m tests.benchmarks.bench_collector [--seconds 8] [--connections 16]

The clients are in this process, the collector in another; both share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from core.clock import SystemClock
from core.connections import add_source
from core.store import open_store
from tests.processes import address_in, serving

BATCH = 100
EVENT = '{"type":"track","event":"Bought","userId":"u1","messageId":"%s","properties":{"revenue":14.99}}'


async def send(port: int, key: str, number: int, until: float, took: list[float]) -> None:
    """Post batches over one connection until the loop's time `until`; note the seconds that each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    basic = base64.b64encode(f"{key}:".encode()).decode()
    sent = 0
    while time.perf_counter() < until:
        events = ",".join(EVENT % f"{number}-{sent}-{item}" for item in range(BATCH))
        body = f'{{"batch":[{events}]}}'.encode()
        began = time.perf_counter()
        writer.write(f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(len(b'{"success": true}'))
        took.append(time.perf_counter() - began)
        sent += 1
    writer.close()


async def load(port: int, key: str, seconds: float, connections: int) -> list[float]:
    """The seconds that each batch took, from all connections."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(send(port, key, number, until, took) for number in range(connections)))
    return took


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tocsin.db"
        store = open_store(str(path))
        with store.write() as session:
            key = add_source(session, "Website", now=SystemClock().now()).write_key or ""
        with serving(path, TOCSIN_HOME=folder) as (process, line):
            port = int(address_in(line).rpartition(":")[2])
            began = time.perf_counter()
            took = sorted(asyncio.run(load(port, key, asked.seconds, asked.connections)))
            elapsed = time.perf_counter() - began
            status = Path(f"/proc/{process.pid}/status")
            memory = next((row.split(":")[1].strip() for row in status.read_text().splitlines()
                           if row.startswith("VmRSS")), "?") if status.exists() else "?"
            with store.read() as session:
                counted = int(session.connection().execute(sa.text("SELECT SUM(count) FROM hourly_count")).scalar_one())
        store.close()
    assert counted == len(took) * BATCH
    print(f"{counted / elapsed:,.0f} events/s counted and on disk ({counted:,} in {elapsed:.1f} s, batches of {BATCH}, "
          f"{asked.connections} connections); a batch takes {took[len(took) // 2] * 1e3:.1f} ms, "
          f"p99 {took[len(took) * 99 // 100] * 1e3:.1f} ms; process memory {memory}")


if __name__ == "__main__":
    main()
