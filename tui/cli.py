"""The `tocsin` entry: the dashboard and the demo on top of core's commands; what is heavy waits for a frame."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core import cli
from core.commands.desk import Given

if TYPE_CHECKING:
    from core.service import Service
    from tui.engine import Engine


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (None: this process's own) and return its exit code."""
    return cli.main(argv, cli.Screens(dashboard, demo))


def dashboard(given: Given, collector: str | None, scheduled: bool) -> None:
    """Open the dashboard, with collector and scheduler in this process."""
    from tui.app import TocsinApp

    running: list[Service] = []

    async def opened() -> Engine:
        def work() -> Engine:
            from core.clock import SystemClock
            from core.settings import load_settings
            from tui.engine import open_engine

            return open_engine(load_settings(store=given.store, member=given.member), SystemClock())

        engine = await asyncio.to_thread(work)
        from core.service import Service

        where = engine.settings.collector if collector is None else collector
        service = Service(engine.store, engine.settings, engine.clock, collector=None if where == "off" else where,
                          scheduler=scheduled)
        await service.start()
        running.append(service)
        return replace(engine, service=service.state)

    async def closed() -> None:
        for service in running:
            await service.stop()

    TocsinApp(opened, closed).run()


def demo(seed: int, speed: float) -> None:
    """Open the dashboard on a throw-away store with simulated traffic; nothing leaves the machine."""
    import tempfile

    from tui.app import TocsinApp

    running: list[Service] = []
    playing: list[asyncio.Task[None]] = []
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as folder:

        async def opened() -> Engine:
            from core import outbox
            from core.clock import FastClock, SystemClock, hour_of
            from core.intake import simulator
            from core.service import Service
            from core.settings import load_settings
            from core.store import open_store
            from tui.engine import open_engine

            now, senders = SystemClock().now(), outbox.silent_senders()
            world = simulator.plan(seed, hour_of(now))

            def work() -> Engine:
                path = f"{folder}/demo.db"
                store = open_store(path)
                simulator.populate(store, world, now)
                store.close()
                return open_engine(load_settings(store=path, member="ada@acme.example"), FastClock(now, speed), senders)

            engine = await asyncio.to_thread(work)
            service = Service(engine.store, engine.settings, engine.clock, collector="127.0.0.1:0", scheduler=True,
                              senders=senders)
            await service.start()
            running.append(service)
            address = service.state().collector
            if address:
                playing.append(asyncio.create_task(simulator.play(world, engine.clock, f"http://{address}")))
            return replace(engine, service=service.state)

        async def closed() -> None:
            for task in playing:
                task.cancel()
            for service in running:
                await service.stop()

        TocsinApp(opened, closed).run()


if __name__ == "__main__":
    sys.exit(main())
