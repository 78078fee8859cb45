"""The `tocsin` entry: the dashboard and the demo on top of core's commands; what is heavy waits for a frame."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import cli
from core.commands.desk import Given

if TYPE_CHECKING:
    from core.intake.traffic import Workspace
    from core.service import Service, ServiceState
    from tui.engine import Engine

SWITCH_S = 0.0005


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (None: this process's own) and return its exit code."""
    return cli.main(argv, cli.Screens(dashboard, demo))


class Beside:
    """What runs beside the screens once they show something: collector, scheduler, and the demo's traffic."""

    def __init__(self) -> None:
        self._service: Service | None = None
        self._traffic: asyncio.Task[None] | None = None

    def state(self) -> ServiceState | None:
        """How collector and scheduler do; None while they have not started."""
        return None if self._service is None else self._service.state()

    async def start(
        self, engine: Engine, collector: str | None, scheduled: bool, world: Workspace | None = None
    ) -> None:
        """Start the service on the engine's store, and the traffic of `world` towards its collector."""
        await asyncio.to_thread(importlib.import_module, "core.service")
        from core.service import Service

        self._service = Service(engine.store, engine.settings, engine.clock, collector=collector, scheduler=scheduled,
                                senders=engine.senders)
        await self._service.start()
        address = self._service.state().collector
        if world is not None and address is not None:
            from core.intake import simulator

            self._traffic = asyncio.create_task(simulator.play(world, engine.clock, f"http://{address}"))

    async def stop(self) -> None:
        """End all of it."""
        if self._traffic is not None:
            self._traffic.cancel()
        if self._service is not None:
            await self._service.stop()


def dashboard(given: Given, collector: str | None, scheduled: bool) -> None:
    """Open the dashboard, with collector and scheduler in this process."""
    beside = Beside()

    def work() -> Engine:
        from core.clock import SystemClock
        from core.log import log_to
        from core.settings import load_settings, log_dir
        from tui.engine import open_engine

        with contextlib.suppress(OSError):  # a log that cannot be written is no reason not to work
            log_to(log_dir())
        return open_engine(load_settings(store=given.store, member=given.member), SystemClock())

    async def start(engine: Engine) -> None:
        where = engine.settings.collector if collector is None else collector
        await beside.start(engine, None if where == "off" else where, scheduled)

    _show(work, beside, start)


def demo(seed: int, speed: float) -> None:
    """Open the dashboard on a throw-away store with simulated traffic; nothing leaves the machine."""
    import tempfile

    beside = Beside()
    worlds: list[Workspace] = []
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as folder:

        def work() -> Engine:
            from core import outbox
            from core.clock import FastClock, SystemClock, hour_of
            from core.intake import simulator
            from core.log import log_to
            from core.settings import load_settings
            from core.store import open_store
            from tui.engine import open_engine

            log_to(Path(folder))
            now, path = SystemClock().now(), f"{folder}/demo.db"
            worlds.append(simulator.plan(seed, hour_of(now)))
            store = open_store(path)
            simulator.populate(store, worlds[0], now)
            store.close()
            return open_engine(load_settings(store=path, member="ada@acme.example"), FastClock(now, speed),
                               outbox.silent_senders())

        async def start(engine: Engine) -> None:
            await beside.start(engine, "127.0.0.1:0", True, worlds[0])

        _show(work, beside, start)


def _show(work: Callable[[], Engine], beside: Beside, start: Callable[[Engine], Awaitable[None]]) -> None:
    """Show the screens on the engine that `work` opens in a thread, and run the rest beside them until they close."""
    # What start-up makes, stays: collecting it again and again would cost it, and each full collection later on, 0.1 s.
    gc.disable()
    # What a thread reads and imports holds the interpreter; the screens shall not wait for it 5 ms at a time.
    sys.setswitchinterval(SWITCH_S)
    from tui.app import TocsinApp

    async def opened() -> Engine:
        try:
            return replace(await asyncio.to_thread(work), service=beside.state)
        finally:
            gc.freeze()
            gc.enable()

    app = TocsinApp(opened, starter=start, closer=beside.stop)
    app.run()
    if app.fault is not None:
        raise app.fault


if __name__ == "__main__":
    sys.exit(main())
