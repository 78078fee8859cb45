"""A real SMTP server and a real HTTP server whose answers a test chooses."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What an SMTP server took, and what it says instead to recipients, senders and messages."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    senders: str = "250 OK"
    data: str = "250 kept"
    url: str = ""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.senders

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipients.get(address, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data.startswith("250"):
            self.raw.append(envelope.content or b"")
            self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content or b"", policy=policy.default)))
        return self.data


def part(mail: EmailMessage, kind: str = "plain") -> str:
    """A mail's plain or html part, decoded."""
    found = mail.get_body((kind,))
    assert isinstance(found, EmailMessage)
    return str(found.get_content())


@contextmanager
def mail_server(**options: object) -> Iterator[Mailbox]:
    """A real SMTP server on loopback. `options` are aiosmtpd's."""
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        mailbox.url = f"smtp://127.0.0.1:{port}"
        yield mailbox
    finally:
        controller.stop()


@dataclass
class Hooks:
    """A real HTTP server: what was posted, and what each path answers as (status, body, headers)."""

    host: str = ""
    posts: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    answers: dict[str, tuple[int, str, dict[str, str]]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    reset: set[str] = field(default_factory=set)
    open: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    pause: float = 0.0

    def url(self, name: str, kind: str = "services") -> str:
        """A URL of this server."""
        return f"http://{self.host}/{kind}/T000/B000/{name}"

    def says(self, name: str, status: int, body: str = "", **headers: str) -> None:
        """From now on, the URL of `name` answers this; underscores in header names are hyphens."""
        self.answers[name] = (status, body, {key.replace("_", "-"): value for key, value in headers.items()})

    def names(self) -> list[str]:
        """Whom the posts were for, in order."""
        return [name for name, _ in self.posts]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.open[name] += 1
        self.most_open[name] = max(self.most_open[name], self.open[name])
        try:
            self.posts.append((name, json.loads(await request.read())))
            self.heard.set()
            if name in self.reset and request.transport is not None:
                request.transport.abort()
            if name in self.silent:
                await asyncio.Event().wait()
            await asyncio.sleep(self.pause)
            status, body, headers = self.answers.get(name, (200, "ok", {}))
            return web.Response(status=status, text=body, headers=headers)
        finally:
            self.open[name] -= 1


@asynccontextmanager
async def hook_server() -> AsyncIterator[Hooks]:
    """A real HTTP server on loopback that takes posts like Slack."""
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/{path:.*}", hooks.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        hooks.host = f"{host}:{port}"
        yield hooks
    finally:
        await runner.cleanup()
