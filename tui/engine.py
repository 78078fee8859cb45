"""The screens' only door to core: one store, one member, and calls that never run on the UI thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from core.access import Actor
from core.clock import Clock
from core.errors import NotAllowed
from core.members import current_member, known_member, workspace_name
from core.settings import Settings
from core.store import Session, Store, open_store

if TYPE_CHECKING:
    from core.channels.senders import Senders
    from core.service import ServiceState

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Engine:
    """An open workspace, as one member."""

    store: Store
    settings: Settings
    clock: Clock
    actor: Actor
    workspace: str
    senders: Senders | None = None
    """What carries a test message; None means the real mail and Slack of `settings`."""
    service: Callable[[], ServiceState | None] | None = None
    """How collector and scheduler beside the screens do; None while nothing runs beside them."""

    def now(self) -> datetime:
        """The present, aware and in UTC."""
        return self.clock.now()

    def carriers(self) -> Senders:
        """What carries a test message. Raises InvalidInput when the mail server's URL is not one."""
        from core.channels.senders import senders_of  # brings httpx, which no screen needs before a test

        return self.senders or senders_of(self.settings, self.clock.now)

    async def renew(self) -> None:
        """Learn the member's role and the workspace's name by now. Raises NotAllowed for a member who was removed."""
        def ask(session: Session) -> tuple[Actor | None, str]:
            return known_member(session, self.settings.member), workspace_name(session)

        actor, self.workspace = await self.read(ask)
        if actor is None:
            raise NotAllowed(f"{self.actor.name} is no longer a member of this workspace.")
        self.actor = actor

    async def become(self, email: str) -> None:
        """Be this member from now on, and at the next start too: the settings file keeps it. Raises TocsinError."""
        from core.intake.segment.token import save_value

        await asyncio.to_thread(save_value, self.settings, "member", email)
        self.settings = replace(self.settings, member=email)
        await self.renew()

    async def changes(self) -> int:
        """A number that moves whenever any process writes to the store."""
        return await asyncio.to_thread(self.store.changes)

    async def read(self, ask: Callable[Concatenate[Session, P], T], *args: P.args, **options: P.kwargs) -> T:
        """What `ask(session, …)` answers, asked in a thread. Raises what it raises."""
        def work() -> T:
            with self.store.read() as session:
                return ask(session, *args, **options)
        return await asyncio.to_thread(work)

    async def write(self, do: Callable[Concatenate[Session, P], T], *args: P.args, **options: P.kwargs) -> T:
        """What `do(session, …)` answers, done in a thread and in one transaction. Raises what it raises."""
        def work() -> T:
            with self.store.write() as session:
                return do(session, *args, **options)
        return await asyncio.to_thread(work)


def open_engine(settings: Settings, clock: Clock, senders: Senders | None = None) -> Engine:
    """Open the store of `settings` as its current member. Raises TocsinError with the sentence to show."""
    store = open_store(settings.store)
    try:
        with store.read() as session:
            actor = known_member(session, settings.member)
        if actor is None:
            with store.write() as session:
                actor = current_member(session, settings.member, clock.now())
        with store.read() as session:
            name = workspace_name(session)
    except BaseException:
        store.close()
        raise
    return Engine(store, settings, clock, actor, name, senders)
