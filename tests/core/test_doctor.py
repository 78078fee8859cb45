"""The doctor: each thing that can be wrong is found, named, and comes with what to do."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from core.clock import FastClock, micros
from core.doctor import Finding, State, examine
from core.intake.segment import link
from core.intake.segment.wire import Workspace
from core.settings import load_settings
from core.store import Store, open_store
from tests.core.acme import AT, EMAIL, SLACK, Acme, H, found

CLOCK = FastClock(AT, 0)


@pytest.fixture
def acme(own_home: Path) -> Iterator[Acme]:
    """The workspace in the store that the settings name."""
    opened = open_store(str(own_home / "tocsin.db"))
    yield found(opened)
    opened.close()


@pytest.fixture
def web_server() -> Iterator[tuple[str, dict[str, int]]]:
    """A web server on loopback: its address, and the status it answers for each path."""
    answers: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def mail_server() -> Iterator[str]:
    """A mail server on loopback that knows ada with the password `right`; its address."""

    class Handler:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            raise AssertionError("the doctor sends nothing")

    def known(_server: SMTP, _session: Session, _envelope: Envelope, _way: str, login: object) -> AuthResult:
        assert isinstance(login, LoginPassword)
        return AuthResult(success=login.password == b"right", handled=False)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port, authenticator=known, auth_require_tls=False)
    controller.start()
    yield f"127.0.0.1:{port}"
    controller.stop()


def look(**settings: str) -> dict[str, Finding]:
    """What the doctor finds, by name."""
    findings = asyncio.run(examine(load_settings(**{"collector": "off"} | settings), CLOCK))
    return {finding.name: finding for finding in findings}


def test_all_is_well(acme: Acme) -> None:
    acme.alert()
    acme.judge()

    findings = look(smtp_url="")

    assert {name: finding.state for name, finding in findings.items() if name != "smtp"} == {
        "store": State.OK, "schema": State.OK, "clock": State.OK, "scheduler": State.OK, "collector": State.OK,
        "slack": State.OK, "token": State.OK}


def test_no_store_yet_is_no_fault(own_home: Path) -> None:
    findings = look()

    assert findings["store"].state is State.WARN
    assert not (own_home / "tocsin.db").exists()


def test_a_store_that_cannot_be_opened_is_bad(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear store,\n" * 100)

    assert look(store=str(tmp_path / "letter"))["store"].state is State.BAD
    assert look(store="oracle://x/y")["store"].state is State.BAD


def test_a_store_of_a_newer_version_is_bad_and_left_alone(acme: Acme) -> None:
    with acme.store.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    finding = look()["store"]

    assert finding.state is State.BAD
    assert "newer version" in finding.told
    assert acme.one("SELECT version_num FROM alembic_version") == ("9999",)


def test_a_store_that_others_can_read_is_told(acme: Acme, own_home: Path) -> None:
    (own_home / "tocsin.db").chmod(0o644)

    finding = look()["store"]

    assert (finding.state, finding.advice) == (State.WARN, f"chmod 600 {own_home}/tocsin.db")


def test_a_clock_that_is_behind_the_store_is_bad(acme: Acme) -> None:
    with acme.store.write() as session:
        seen = micros(AT + timedelta(hours=2))
        session.connection().exec_driver_sql(f"INSERT INTO listening (since, until) VALUES ({seen}, {seen})")

    assert look()["clock"].state is State.BAD


def test_alerts_that_nobody_judges_are_told(acme: Acme) -> None:
    acme.alert()
    never = look()["scheduler"]
    acme.judge(H - 5)
    late = look()["scheduler"]

    assert (never.state, never.told) == (State.WARN, "no pass has run yet")
    assert (late.state, late.told) == (State.WARN, "the last pass ran 5 h ago")


def test_no_mail_server_is_bad_only_when_an_alert_sends_mail(acme: Acme) -> None:
    unused = look()["smtp"]
    acme.alert("website", 2000, EMAIL)
    used = look()["smtp"]

    assert (unused.state, used.state) == (State.WARN, State.BAD)
    assert "TOCSIN_SMTP_URL" in str(used.advice)


@pytest.mark.parametrize(("url", "state", "told"), [
    ("smtp://{server}", State.OK, "{server} answers; mail comes from tocsin@localhost"),
    ("smtp://ada:right@{server}", State.OK, "{server} answers and takes the login of ada"),
    ("smtp://ada:wrong-secret@{server}", State.BAD, "535"),
    ("smtp://127.0.0.1:9", State.BAD, "no connection to 127.0.0.1:9"),
    ("http://{server}", State.BAD, "must begin with smtp://"),
])
def test_the_mail_server_is_asked(mail_server: str, url: str, state: State, told: str) -> None:
    finding = look(smtp_url=url.format(server=mail_server))["smtp"]

    assert finding.state is state
    assert told.format(server=mail_server) in finding.told
    assert "secret" not in finding.told


def test_the_collectors_port_is_free_ours_or_taken(web_server: tuple[str, dict[str, int]]) -> None:
    address, answers = web_server
    taken = look(collector=address)["collector"]
    answers["/healthz"] = 200
    ours = look(collector=address)["collector"]

    assert (taken.state, ours.state) == (State.BAD, State.OK)
    assert "taken by another program" in taken.told
    assert "is free" in look(collector="127.0.0.1:9")["collector"].told


def test_slack_is_tried_only_when_an_alert_sends_there(acme: Acme, web_server: tuple[str, dict[str, int]]) -> None:
    unused = look(slack_hosts="127.0.0.1:9")["slack"]
    acme.alert("website", 2000, SLACK)
    away = look(slack_hosts="127.0.0.1:9")["slack"]
    there = look(slack_hosts=f"127.0.0.1:9,{web_server[0]}")["slack"]

    assert (unused.state, away.state, there.state) == (State.OK, State.BAD, State.OK)
    assert "not reached: 127.0.0.1:9" in there.told


def test_the_token_is_told_with_its_workspace(acme: Acme) -> None:
    nothing = look()["token"]
    unused = look(segment_token="sgp_" + "x" * 40)["token"]
    join(acme.store)
    missing = look()["token"]
    fine = look(segment_token="sgp_" + "x" * 40)["token"]
    with acme.store.write() as session:
        link.note(session, AT, 3, "Segment answered 503", finished=False)
    troubled = look(segment_token="sgp_" + "x" * 40)["token"]
    with acme.store.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE segment_link SET last_sync_at = {micros(AT - timedelta(hours=3))}")
    long = look(segment_token="sgp_" + "x" * 40)["token"]

    assert [finding.state for finding in (nothing, unused, missing, fine, troubled, long)] == [
        State.OK, State.OK, State.BAD, State.OK, State.WARN, State.BAD]
    assert "Segment answered 503" in troubled.told
    assert "nothing was read of Acme since" in long.told
    assert "tocsin segment connect" in str(long.advice)
    assert "sgp_" not in "".join(finding.told for finding in (unused, fine, troubled))


def join(store: Store) -> None:
    with store.write() as session:
        link.save(session, Workspace(id="w1", name="Acme", slug="acme"), "us", AT)
