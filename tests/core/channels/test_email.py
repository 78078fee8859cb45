"""Mail over a real SMTP server: what arrives, what encrypts and logs in, and what refusals mean."""

from __future__ import annotations

import re
import ssl
import subprocess
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Certificate:
    """A certificate that nobody signed: its file, and a server's half of it."""

    file: Path
    context: ssl.SSLContext


def certified(folder: Path, name: str) -> Certificate:
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", file], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    return Certificate(file, context)


# A name for this machine that does not look like it, so that certificates are checked as for any other server.
ELSEWHERE = "127.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certified(tmp_path_factory.mktemp("certificate"), ELSEWHERE)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certified(tmp_path_factory.mktemp("another"), "mail.example.com")


def smtps(mailbox: Mailbox, host: str = ELSEWHERE, login: str = "") -> str:
    return f"smtps://{login}{host}:{mailbox.url.rpartition(':')[2]}"


async def test_starttls_is_used_when_it_is_offered(certificate: Certificate) -> None:
    with mail_server(tls_context=certificate.context, require_starttls=True) as mailbox:
        assert (await send(mailbox)).sent


@pytest.mark.parametrize(("password", "reason"), [
    ("p%40ss%3Aword", Reason.SENT), ("wrongpassword", Reason.LOGIN_REFUSED)])
async def test_smtps_encrypts_from_the_first_byte_and_logs_in(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch, password: str, reason: Reason
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    with mail_server(ssl_context=certificate.context, authenticator=login, auth_required=True,
                     auth_require_tls=False) as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox, login=f"ada:{password}@"))

    assert outcome.reason is reason
    assert len(mailbox.mails) == (1 if reason is Reason.SENT else 0)
    assert password not in outcome.answer


async def test_a_password_is_not_sent_in_the_clear_to_another_machine() -> None:
    with mail_server(authenticator=login, auth_require_tls=False) as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox, login="ada:hushhush@").replace("smtps://", "smtp://"))

    assert (outcome.reason, outcome.permanent, mailbox.mails) == (Reason.LOGIN_REFUSED, False, [])
    assert "the password in TOCSIN_SMTP_URL was not sent" in outcome.answer


async def test_this_machine_s_own_server_needs_no_signed_certificate(another: Certificate) -> None:
    with mail_server(ssl_context=another.context) as mailbox:
        assert (await send(mailbox, url=smtps(mailbox, "localhost"))).sent


async def test_a_certificate_that_nobody_signed_is_refused_with_what_to_do(certificate: Certificate) -> None:
    with mail_server(ssl_context=certificate.context) as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox))

    assert (outcome.reason, outcome.permanent, mailbox.mails) == (Reason.UNREACHABLE, False, [])
    assert re.fullmatch(r"the certificate of 127\.1:\d+ is not accepted: self[- ]signed certificate; "
                        "SSL_CERT_FILE can name a file with who signed it", outcome.answer)


async def test_a_certificate_for_another_name_is_refused(
    another: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(another.file))
    with mail_server(ssl_context=another.context) as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox))

    assert (outcome.reason, mailbox.mails) == (Reason.UNREACHABLE, [])
    assert re.fullmatch(r"the certificate of 127\.1:\d+ is not accepted: Hostname mismatch, .*'127\.1'", outcome.answer)


async def test_starttls_with_a_certificate_that_nobody_signed_sends_nothing(certificate: Certificate) -> None:
    with mail_server(tls_context=certificate.context) as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox).replace("smtps://", "smtp://"))

    assert (outcome.reason, mailbox.mails) == (Reason.UNREACHABLE, [])
    assert "is not accepted: self" in outcome.answer


async def test_smtps_to_a_server_that_begins_in_the_clear_says_so() -> None:
    with mail_server() as mailbox:
        outcome = await send(mailbox, url=smtps(mailbox))

    assert (outcome.reason, mailbox.mails) == (Reason.UNREACHABLE, [])
    assert "does not encrypt from the first byte as smtps:// asks" in outcome.answer


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
