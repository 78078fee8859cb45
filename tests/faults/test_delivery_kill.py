"""A process that delivers is killed in the middle, again and again; no notification is lost."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter

from core.clock import SystemClock
from core.outbox import deliver_due
from core.store import Store
from tests.core.acme import found
from tests.core.channels.servers import Hooks, hook_server
from tests.core.desk import Hand as HandClock
from tests.core.desk import change, real_senders, waiting

DELIVER = """
import asyncio, sys
from core.clock import SystemClock
from core.outbox import Senders, deliver_due
from core.channels.email import Mailer
from core.channels.slack import Slack
from core.store import open_store
clock = SystemClock()
store = open_store(sys.argv[1])
asyncio.run(deliver_due(store, Senders(Mailer(None, "bell@example.com"), Slack(clock.now)), clock))
"""
ROOMS = 150
KILLS = 5


async def killed_midway(store_address: str, hooks: Hooks, posts: int) -> None:
    """Deliver in a process of its own and kill it once the server has heard `posts` more messages."""
    before = len(hooks.posts)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DELIVER, store_address)
    async with asyncio.timeout(60):
        while len(hooks.posts) < before + posts and process.returncode is None:
            hooks.heard.clear()
            ended = asyncio.create_task(process.wait())
            heard = asyncio.create_task(hooks.heard.wait())
            await asyncio.wait([ended, heard], return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_nothing_is_lost_when_the_process_that_delivers_is_killed(store: Store, store_address: str) -> None:
    acme = found(store)
    chance = random.Random(7)
    async with hook_server() as hooks:
        hooks.pause = 0.02
        now = SystemClock().now()
        for room in range(ROOMS):
            waiting(acme, hooks.url(f"room{room}"), at=now)
        for _ in range(6):
            waiting(acme, hooks.url("storm"), fold="storm", at=now)

        for _ in range(KILLS):
            await killed_midway(store_address, hooks, chance.randint(1, 15))
            sent = {str(row[0]).rpartition("/")[2]
                    for row in acme.all("SELECT recipient FROM notification WHERE state = 'sent'")}
            assert sent <= set(hooks.names()), "a row says sent and the server never heard it"
            # What the dead process had claimed is free again once its claim has run out.
            change(acme, "UPDATE notification SET claimed_until = 1 WHERE state = 'sending'")
        await deliver_due(store, real_senders(HandClock()), SystemClock())

    assert acme.all("SELECT DISTINCT state FROM notification") == [("sent",)]
    heard = Counter(hooks.names())
    assert set(heard) == {f"room{room}" for room in range(ROOMS)} | {"storm"}
    assert sum(heard.values()) - len(heard) <= KILLS * 64
