"""A dashboard on a store in which nothing is connected yet, with what runs beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from textual.pilot import Pilot
from textual.widgets import Static

from core.clock import FastClock
from core.service import Service, ServiceState
from core.settings import load_settings
from core.store import Store, open_store
from tests.tui.conftest import NOW, settled, shows
from tui.app import TocsinApp
from tui.engine import Engine, open_engine
from tui.screens.shell import Shell
from tui.screens.view import View

NOWHERE = "127.0.0.1:9"
"""An address at which nothing listens."""


def dashboard(path: Path, *, listen: str | None = None, state: ServiceState | None = None, **given: str) -> TocsinApp:
    """The dashboard on the store at `path`, its clock standing still, as whoever `given` (settings) says.

    Beside it runs a real service that judges nothing and listens at `listen`; or, with `state`, none, and it says so.
    """
    running: list[Service] = []

    async def opened() -> Engine:
        settings = load_settings(**{"collector": listen or NOWHERE, "slack_hosts": NOWHERE} | given, store=str(path))
        engine = await asyncio.to_thread(open_engine, settings, FastClock(NOW, 0))
        if state is not None:
            return replace(engine, service=lambda: state)
        running.append(Service(engine.store, settings, engine.clock, collector=listen, scheduler=False))
        await running[0].start()
        return replace(engine, service=running[0].state)

    async def closed() -> None:
        for service in running:
            await service.stop()

    app = TocsinApp(opened, closer=closed)
    app.animation_level = "none"
    return app


def shell_of(app: TocsinApp) -> Shell:
    """The shell of a dashboard."""
    return next(screen for screen in app.screen_stack if isinstance(screen, Shell))


async def at(pilot: Pilot[None], place: str, kind: type[View]) -> Shell:
    """Wait for the first place, then go to `place` and wait until it is there and nothing is under way."""
    app = pilot.app
    assert isinstance(app, TocsinApp)
    await shows(pilot, lambda: any(isinstance(screen, Shell) and screen.view for screen in app.screen_stack))
    await settled(pilot)
    shell = shell_of(app)
    if not isinstance(shell.view, kind):
        assert shell.view is not None
        shell.view.post_message(View.Go(place))
    await shows(pilot, lambda: isinstance(shell.view, kind) and shell.view.is_mounted)
    await settled(pilot)
    return shell


def text_of(shell: Shell, selector: str) -> str:
    """What a text on the screen says."""
    return str(shell.query_one(selector, Static).content)


def ask(store: Store | None, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    assert store is not None
    with store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(sql))]


def found(path: Path, do: Callable[[Store], None]) -> Path:
    """`path`, after something was put into the store there."""
    store = open_store(str(path))
    do(store)
    store.close()
    return path

