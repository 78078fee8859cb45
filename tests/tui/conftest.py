"""A workspace for the screens: the demo's, from a fixed seed at a fixed time, and the app on a copy of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.widgets import Input

from core.clock import FastClock, start_of
from core.intake import simulator
from core.settings import load_settings
from core.store import open_store
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.shell import Shell
from tui.themes import DARK

WORLD = simulator.plan(7)
NOW = start_of(WORLD.start) + timedelta(minutes=7)
Opened = Callable[..., TocsinApp]


def filled(path: Path) -> Path:
    """`path`, after the demo's store was written there."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    store = open_store(str(path))
    simulator.populate(store, WORLD, NOW)
    with store.engine.connect() as link:
        link.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


def standing(path: Path, member: str = "ada@acme.example", theme: str | None = None) -> TocsinApp:
    """The dashboard on the store at `path`, as one of its members, with the clock standing still."""
    async def opened() -> Engine:
        return await asyncio.to_thread(open_engine, load_settings(store=str(path), member=member), FastClock(NOW, 0))

    app = TocsinApp(opened, theme=theme or DARK.name)
    app.animation_level = "none"
    return app


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's store; tests copy it."""
    return filled(tmp_path_factory.mktemp("demo") / "demo.db")


@pytest.fixture
def tocsin(demo_store: Path, tmp_path: Path) -> Opened:
    """The dashboard on a copy of the demo's store."""
    return partial(standing, Path(shutil.copy(demo_store, tmp_path / "demo.db")))


@pytest.fixture(autouse=True)
def still_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that does not blink."""
    monkeypatch.setattr(Input.cursor_blink, "_default", False)


async def ready(pilot: Pilot[None]) -> Shell:
    """Wait until the first list has its rows, and nothing is under way."""
    app = pilot.app
    async with asyncio.timeout(20):
        while not (app.screen_stack and isinstance(app.screen_stack[0], Shell)
                   and any(table.rows for table in app.screen_stack[0].query("RowTable"))):
            await pilot.pause()
    await settled(pilot)
    shell = app.screen_stack[0]
    assert isinstance(shell, Shell)
    return shell


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no worker is under way."""
    async with asyncio.timeout(20):
        while True:
            await pilot.pause()
            waiting = [worker for worker in pilot.app.workers if worker.group not in ("default",)]
            if not waiting:
                break
    await pilot.pause()


async def shows(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Wait until `holds()`; a widget that is not there yet does not hold."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(NoMatches):
                if holds():
                    return
            await pilot.pause()
