"""What a command works with: the settings in force, the open store, the present and the member at the keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from core.access import Actor
    from core.settings import Settings
    from core.store import Session, Store


@dataclass(frozen=True, slots=True)
class Given:
    """The global options, as they were typed."""

    store: str | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """An open store and the member who asks. `now` is the instant of the whole command, aware and in UTC."""

    settings: Settings
    store: Store
    now: datetime

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Actor]]:
        """A session that writes nothing, and the member. Raises NotFound for one who is no member."""
        actor = self.member()
        with self.store.read() as session:
            yield session, actor

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, Actor]]:
        """A session whose changes commit together, and the member. Raises NotFound for one who is no member."""
        from core.members import current_member

        with self.store.write() as session:
            yield session, current_member(session, self.settings.member, self.now)

    def member(self) -> Actor:
        """The member at the keyboard; the first start makes the account the workspace owner."""
        from core.members import current_member, known_member

        with self.store.read() as session:
            actor = known_member(session, self.settings.member)
        if actor is not None:
            return actor
        with self.store.write() as session:
            return current_member(session, self.settings.member, self.now)


def given(context: typer.Context) -> Given:
    """The global options of this run."""
    return context.obj if isinstance(context.obj, Given) else Given()


def settings_of(context: typer.Context) -> Settings:
    """The settings in force, the global options winning; from here on the log is written."""
    from core.log import log_to
    from core.settings import load_settings, log_dir

    asked = given(context)
    settings = load_settings(store=asked.store, member=asked.member)
    with contextlib.suppress(OSError):  # a log that cannot be written is no reason not to work
        log_to(log_dir())
    return settings


@contextmanager
def at_desk(context: typer.Context) -> Iterator[Desk]:
    """The store of this run, opened and upgraded. Raises TocsinError when that is not possible."""
    from core.clock import SystemClock
    from core.store import open_store

    settings = settings_of(context)
    store = open_store(settings.store)
    try:
        yield Desk(settings, store, SystemClock().now())
    finally:
        store.close()
