"""Mail over a real SMTP server: what arrives, what encrypts and logs in, and what refusals mean."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as Received
from hypothesis import given
from hypothesis import strategies as st

from core.channels.email import Mailer, mail_of, parse_smtp_url
from core.channels.message import word
from core.channels.outcome import Envelope, Outcome, Reason
from core.errors import InvalidInput
from tests.core.channels.servers import Mailbox, mail_server, part
from tests.core.channels.test_words import FACTS, MOMENT

NEWS = Envelope(word([FACTS]), "team@example.com", "tocsin.1.abc", MOMENT)


async def send(mailbox: Mailbox, envelope: Envelope = NEWS, url: str | None = None) -> Outcome:
    return await Mailer(parse_smtp_url(url or mailbox.url), "Tocsin <bell@example.com>")(envelope)


async def test_a_mail_has_both_parts_and_the_same_id_every_time() -> None:
    with mail_server() as mailbox:
        assert (await send(mailbox)).sent
        assert (await send(mailbox)).sent

    mail = mailbox.mails[0]
    assert str(mail["Subject"]) == "Source volume alert: Website, 71 % fewer events"
    assert mail["Message-ID"] == mailbox.mails[1]["Message-ID"] == "<tocsin.1.abc@example.com>"
    assert "█" * 48 in part(mail)
    assert "<h1" in part(mail, "html")
    assert all(byte < 128 for byte in mailbox.raw[0])


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_name_adds_a_header(name: str, sender: str) -> None:
    envelope = replace(NEWS, message=word([msgspec.structs.replace(FACTS, connection_name=f"x\r\nBcc: {name}")]))

    head = mail_of(envelope, "bell@example.com").as_bytes().partition(b"\r\n\r\n")[0]

    names = {line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
    assert names == {b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version",
                     b"Content-Type"}


@pytest.mark.parametrize(("what", "answer", "reason"), [
    ("recipients", "550 5.1.1 no such user", Reason.REFUSED), ("recipients", "450 greylisted", Reason.SERVER_ERROR),
    ("data", "554 5.7.1 spam", Reason.REFUSED), ("data", "451 try later", Reason.SERVER_ERROR),
    ("senders", "553 not yours", Reason.SENDER_REFUSED)])
async def test_what_a_refusal_means(what: str, answer: str, reason: Reason) -> None:
    with mail_server() as mailbox:
        if what == "recipients":
            mailbox.recipients["team@example.com"] = answer
        else:
            setattr(mailbox, what, answer)

        outcome = await send(mailbox)

    assert outcome.reason is reason
    assert answer[4:] in outcome.answer


async def test_a_server_that_is_away_is_unreachable() -> None:
    with mail_server() as mailbox:
        pass

    outcome = await send(mailbox)

    assert (outcome.reason, outcome.permanent) == (Reason.UNREACHABLE, False)


def login(server: SMTP, session: Session, envelope: Received, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"ada", b"p@ss:word"), handled=False)


@pytest.mark.parametrize(("password", "sent"), [("p%40ss%3Aword", True), ("wrongpassword", False)])
async def test_credentials_in_the_url_log_in_and_are_not_shown(password: str, sent: bool) -> None:
    with mail_server(authenticator=login, auth_required=True, auth_require_tls=False) as mailbox:
        outcome = await send(mailbox, url=mailbox.url.replace("//", f"//ada:{password}@"))

    assert outcome.reason is (Reason.SENT if sent else Reason.LOGIN_REFUSED)
    assert password not in outcome.answer
    assert not outcome.permanent


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate for localhost that nobody signed."""
    folder: Path = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_starttls_is_used_when_it_is_offered(certificate: ssl.SSLContext) -> None:
    with mail_server(tls_context=certificate, require_starttls=True) as mailbox:
        assert (await send(mailbox)).sent


@pytest.mark.parametrize(("text", "name"), [
    ("smtp://mail.example.com", "mail.example.com:25"), ("smtp://ada:x@mail.example.com", "mail.example.com:587"),
    ("smtps://mail.example.com", "mail.example.com:465"), ("smtp://[::1]:2525", "::1:2525")])
def test_ports_have_defaults(text: str, name: str) -> None:
    server = parse_smtp_url(text)
    assert server.name == name
    assert "password" not in repr(server)


@pytest.mark.parametrize("text", ["", "mail.example.com", "http://ada:hushhush@x", "smtp://", "smtp://x:hushhush"])
def test_what_is_no_mail_server_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_smtp_url(text)
    assert "hushhush" not in str(refused.value)
