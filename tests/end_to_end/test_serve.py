"""`tocsin serve` as a process: it listens, it judges, it tells, and it ends when asked."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from core import counts
from core.clock import Hour, SystemClock, hour_of, start_of
from core.model import Alert, AlertChannel, Connection, Member
from core.store import Store, open_store
from core.terms import AlertKind, Category, ChannelKind, ConnectionKind, Role, Stage
from tests.processes import serving, until


class Mailbox:
    """Keeps what a real SMTP server received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content or b"", policy=policy.default)))
        return "250 kept"


@pytest.fixture
def mail_server() -> Iterator[tuple[str, Mailbox]]:
    """A real SMTP server on loopback: its URL and what arrived."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}", mailbox
    controller.stop()


@pytest.fixture
def slack_server() -> Iterator[tuple[str, list[tuple[str, dict[str, object]]]]]:
    """A real HTTP server on loopback: its host and port, and what was posted."""
    posts: list[tuple[str, dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", posts
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def silent_source(store: Store, now: datetime, channels: list[tuple[ChannelKind, str | None]]) -> None:
    """A source that fell silent a day ago, and Ada's alert at 20 % on these channels."""
    hour = hour_of(now)
    with store.write() as session:
        ada = Member(email="ada@example.com", name="Ada Lovelace", role=Role.OWNER, created_at=start_of(hour - 200))
        source = Connection(kind=ConnectionKind.SOURCE, slug="website", name="Website", type="Javascript",
                            category=Category.EVENT_STREAMS, write_key="key", created_at=start_of(hour - 200))
        session.objects.add_all([ada, source])
        session.objects.flush()
        assert ada.id
        assert source.id
        alert = Alert(connection_id=source.id, kind=AlertKind.SOURCE_VOLUME, threshold=2000, created_by=ada.id,
                      created_at=start_of(hour - 100))
        session.objects.add(alert)
        session.objects.flush()
        assert alert.id
        session.objects.add_all([
            AlertChannel(alert_id=alert.id, kind=kind, target=target) for kind, target in channels])
        counts.replace(session, {(source.id, Hour(past), Stage.RECEIVED): 100 for past in range(hour - 72, hour - 24)})
        listening = counts.start_listening(session, start_of(hour - 100))
        counts.keep_listening(session, listening, start_of(hour + 2))


def ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(sql))]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_listens_and_ends_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "tocsin.db") as (process, line):
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        with urllib.request.urlopen(f"{found.group()}/healthz", timeout=10) as answer:
            assert answer.status == 200

        began = time.monotonic()
        process.send_signal(number)
        _, complaints = process.communicate(timeout=10)

    assert process.returncode == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in complaints


def test_serve_without_a_collector_listens_nowhere(tmp_path: Path) -> None:
    with serving(tmp_path / "tocsin.db", "off") as (process, line):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert "listens nowhere" in line
    assert process.returncode == 0


def test_serve_refuses_a_port_in_use_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with serving(tmp_path / "tocsin.db", where) as (process, _):
            _, complaint = process.communicate(timeout=20)

    assert process.returncode == 1
    assert complaint.count("\n") == 1
    assert where in complaint


def test_a_breach_becomes_a_mail_a_slack_post_and_a_row_in_the_bell(
    tmp_path: Path, mail_server: tuple[str, Mailbox], slack_server: tuple[str, list[tuple[str, dict[str, object]]]],
) -> None:
    smtp, mailbox = mail_server
    slack_host, posts = slack_server
    store = open_store(str(tmp_path / "tocsin.db"))
    silent_source(store, SystemClock().now(), [
        (ChannelKind.EMAIL, "team@example.com"), (ChannelKind.IN_APP, None),
        (ChannelKind.SLACK, f"http://{slack_host}/services/T1/B1/secret")])

    with serving(tmp_path / "tocsin.db", TOCSIN_SMTP_URL=smtp, TOCSIN_SMTP_FROM="tocsin@example.com",
                 TOCSIN_SLACK_HOSTS=slack_host) as (process, _):
        until(lambda: mailbox.mails and posts)
        until(lambda: ask(store, "SELECT COUNT(*) FROM notification WHERE state = 'sent'") == [(3,)])
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert [mail["To"] for mail in mailbox.mails] == ["team@example.com"]
    assert "Website" in str(mailbox.mails[0]["Subject"])
    assert [path for path, _ in posts] == ["/services/T1/B1/secret"]
    assert "Website" in str(posts[0][1]["text"])
    assert len(ask(store, "SELECT id FROM incident")) == 1
    store.close()


def test_two_serves_on_one_store_send_one_mail(tmp_path: Path, mail_server: tuple[str, Mailbox]) -> None:
    smtp, mailbox = mail_server
    store = open_store(str(tmp_path / "tocsin.db"))
    silent_source(store, SystemClock().now(), [(ChannelKind.EMAIL, "team@example.com")])

    with serving(tmp_path / "tocsin.db", TOCSIN_SMTP_URL=smtp) as (one, _), \
            serving(tmp_path / "tocsin.db", TOCSIN_SMTP_URL=smtp) as (other, _):
        until(lambda: ask(store, "SELECT COUNT(*) FROM notification WHERE state = 'sent'") == [(1,)])
        for process in (one, other):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)

    assert len(mailbox.mails) == 1
    assert len(ask(store, "SELECT id FROM incident")) == 1
    store.close()
