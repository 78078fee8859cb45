"""Email over SMTP: plain text and HTML parts, and a Message-ID that stays the same when it is tried again."""

from __future__ import annotations

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import aiosmtplib

from core.channels.message import Message, command, printable, spark_text, window_text
from core.channels.outcome import Envelope, Outcome, Reason, smtp_outcome
from core.channels.render_html import page
from core.errors import InvalidInput

TIMEOUT_S = 20.0
PORTS = {"smtp": 587, "smtps": 465}
LONGEST_SUBJECT = 200


class Email:
    """Sends through one mail server. `url` is smtp:// (STARTTLS when offered) or smtps://, with credentials in it."""

    def __init__(self, url: str, sender: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise InvalidInput("TOCSIN_SMTP_URL is smtp://[user:password@]host[:port] or smtps://….", "smtp_url")
        self._host = parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender
        self._timeout = timeout_s

    @property
    def server(self) -> str:
        """`host:port`, without the credentials."""
        return f"{self._host}:{self._port}"

    async def __call__(self, envelope: Envelope) -> Outcome:
        """Send one message."""
        mail = compose(envelope, self._sender)
        try:
            async with asyncio.timeout(self._timeout):
                _, answer = await aiosmtplib.send(
                    mail, sender=self._sender, recipients=[envelope.target], hostname=self._host, port=self._port,
                    username=self._user, password=self._password, use_tls=self._tls,
                    start_tls=None if not self._tls else False, timeout=self._timeout)
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return smtp_outcome(first.code, first.message)
        except aiosmtplib.SMTPAuthenticationError as error:
            # 535 is about our settings, not about the recipient: no channel is broken by it.
            return Outcome(Reason.NOT_SET_UP, f"{self.server} refused the login: {error.code}")
        except aiosmtplib.SMTPResponseException as error:
            return smtp_outcome(error.code, error.message)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return Outcome(Reason.TIMEOUT, f"{self.server} did not answer within {self._timeout:g} s")
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            return Outcome(Reason.UNREACHABLE, f"{self.server}: {type(error).__name__}")
        return smtp_outcome(250, answer)

    async def probe(self) -> str | None:
        """Connect and log in without sending anything; None when that works, or what is wrong."""
        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, username=self._user, password=self._password, use_tls=self._tls,
            start_tls=None if not self._tls else False, timeout=self._timeout)
        try:
            async with asyncio.timeout(self._timeout), client:
                return None
        except aiosmtplib.SMTPAuthenticationError as error:
            return f"{self.server} refused the login: {error.code}"
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return f"{self.server} did not answer within {self._timeout:g} s"
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            return f"{self.server} cannot be reached: {type(error).__name__}"


def compose(envelope: Envelope, sender: str) -> EmailMessage:
    """The mail: everything that came from outside is one printable line before it reaches a header."""
    mail = EmailMessage()
    subject = printable(envelope.message.title)
    mail["Subject"] = subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"
    mail["From"] = sender
    mail["To"] = envelope.target
    mail["Date"] = formatdate(envelope.created_at.timestamp())
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    stamp = int(envelope.created_at.timestamp() * 1_000_000)
    mail["Message-ID"] = f"<tocsin.{envelope.notifications[0]}.{stamp}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain(envelope.message))
    mail.add_alternative(page(envelope.message), subtype="html")
    return mail


def plain(message: Message) -> str:
    """The plain part."""
    lines: list[str] = []
    for facts, sentence in message.items:
        lines.append(sentence)
        if facts.spark:
            lines += ["", f"Last 48 h: {spark_text(facts)}", f"Window:    {window_text(facts)}"]
        if facts.set_by:
            lines.append(f"Set by:    {printable(facts.set_by)}")
        if facts.alert is not None:
            lines.append(f"Open it:   {command(facts)}")
        lines.append("")
    return "\n".join(lines)
