"""Mail: which server, what a mail holds, and one try to hand it over."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import textwrap
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as CRLF
from email.utils import format_datetime, formataddr, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from core.channels.message import ALL_OPEN, Message, bound, details, printable, remark, window_text
from core.channels.outcome import Envelope, Outcome, Reason, of_smtp
from core.channels.render_html import MOST_ITEMS, page
from core.channels.targets import is_loopback
from core.errors import InvalidInput

if TYPE_CHECKING:
    from aiosmtplib import SMTP

STEP_S = 10.0
WHOLE_S = 30.0
"""How long one command, and one whole mail, may take."""
MOST_SUBJECT = 200
LONGEST_LINE = 78
LABEL = 11
"""The width of the labels in the plain text part."""
# Every server takes seven bits; not every one takes eight.
SEVEN_BIT = CRLF.clone(cte_type="7bit")
UNKNOWN_SIGNER = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate that nobody known has signed."""
NOT_SET = Outcome(Reason.NOT_SET_UP, "no TOCSIN_SMTP_URL is set, so mail has nowhere to go")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `encrypted` from the first byte, else STARTTLS when it is offered."""

    host: str
    port: int
    encrypted: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """`host:port`, without the credentials."""
        return f"{self.host}:{self.port}"


def parse_smtp_url(text: str) -> MailServer:
    """`smtp://[user:password@]host[:port]` or `smtps://…`. Raises InvalidInput for field `smtp_url`, without the text.

    The ports default to 465 for smtps, and for smtp to 587 with credentials and 25 without.
    """
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        raise InvalidInput("TOCSIN_SMTP_URL is not a URL like smtp://user:password@host:587.", "smtp_url") from None
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise InvalidInput("TOCSIN_SMTP_URL must begin with smtp:// or smtps:// and name a host.", "smtp_url")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    encrypted = url.scheme == "smtps"
    return MailServer(url.hostname, port or (465 if encrypted else 587 if user else 25), encrypted, user, password)


def text_of(message: Message) -> str:
    """The plain text part: no line longer than 78, except for an address or a name that is."""
    several = len(message.items) > 1
    parts = [_wrapped(message.title)] if several else []
    for facts, sentence in message.items[:MOST_ITEMS]:
        parts.append(_wrapped(sentence))
        if remark(facts):
            parts.append(_wrapped(remark(facts)))
        parts.append("\n".join(_row(label, value) for label, value in details(facts, window=not several)))
    if several:
        rows = [("Also", message.beyond(MOST_ITEMS)), ("Window", window_text(message.items[0][0])),
                ("All open", ALL_OPEN)]
        parts.append("\n".join(_row(label, value) for label, value in rows if value))
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(label: str, value: str) -> str:
    head = f"{label + ':' if label else '':<{LABEL}}"
    return _wrapped(value, head)


def _wrapped(text: str, head: str = "") -> str:
    lines = textwrap.wrap(bound(text), LONGEST_LINE, initial_indent=head, subsequent_indent=" " * len(head),
                          break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def mail_of(envelope: Envelope, sender: str) -> EmailMessage:
    """The mail for `envelope`, from `sender` (an address, or `Name <address>`). No header can hold a line break."""
    name, address = parseaddr(printable(sender))
    mail = EmailMessage(policy=SEVEN_BIT)
    mail["From"] = formataddr((name, address))
    mail["To"] = printable(envelope.target)
    mail["Subject"] = printable(envelope.message.title)[:MOST_SUBJECT]
    mail["Date"] = format_datetime(envelope.at)
    # Named after the sender's domain, and the same for every try, so that a second copy is known as one.
    mail["Message-ID"] = f"<{envelope.identity}@{address.rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(envelope.message))
    mail.add_alternative(page(envelope.message), subtype="html")
    return mail


class Mailer:
    """The email channel over one server; without a server every mail waits for one."""

    def __init__(self, server: MailServer | None, sender: str) -> None:
        self.server = server
        self.sender = sender

    async def __call__(self, envelope: Envelope) -> Outcome:
        """One try to hand `envelope` to the server."""
        return await self._timed(envelope)

    async def probe(self) -> Outcome:
        """Whether the server can be reached and takes the login; nothing is sent."""
        return await self._timed(None)

    async def _timed(self, envelope: Envelope | None) -> Outcome:
        if self.server is None:
            return NOT_SET
        try:
            async with asyncio.timeout(WHOLE_S):
                return self._scrubbed(await self._try(envelope, self.server))
        except TimeoutError:
            return Outcome(Reason.TIMED_OUT, f"{self.server.name} did not answer within {WHOLE_S:.0f} s")

    async def _try(self, envelope: Envelope | None, server: MailServer) -> Outcome:
        import aiosmtplib  # brings ssl and email machinery that most commands never need

        client = aiosmtplib.SMTP(hostname=server.host, port=server.port, use_tls=server.encrypted, start_tls=False,
                                 timeout=STEP_S, tls_context=_trust(server.host))
        try:
            await client.connect()
            refused = await self._introduce(client, server)
            if refused is not None:
                return refused
            if envelope is None:
                return Outcome(Reason.SENT, f"{server.name} answers")
            raw = mail_of(envelope, self.sender).as_bytes()
            sender = parseaddr(self.sender)[1]
            _, said = await client.sendmail(sender, [envelope.target], raw)
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return of_smtp(first.code, first.message, about_message=True)
        except aiosmtplib.SMTPAuthenticationError as error:
            return Outcome(Reason.LOGIN_REFUSED, f"SMTP {error.code} {printable(error.message)}; "
                                                 "check the user and password in TOCSIN_SMTP_URL")
        except aiosmtplib.SMTPSenderRefused as error:
            return Outcome(Reason.SENDER_REFUSED, f"SMTP {error.code} {printable(error.message)}; "
                                                  "check TOCSIN_SMTP_FROM")
        except aiosmtplib.SMTPDataError as error:
            return of_smtp(error.code, error.message, about_message=True)
        except aiosmtplib.SMTPResponseException as error:
            return of_smtp(error.code, error.message, about_message=False)
        except (aiosmtplib.SMTPTimeoutError, TimeoutError):
            hint = "; port 465 is for smtps://" if server.port == 465 and not server.encrypted else ""
            return Outcome(Reason.TIMED_OUT, f"{server.name} did not answer within {STEP_S:.0f} s{hint}")
        except (aiosmtplib.SMTPException, OSError) as error:
            return Outcome(Reason.UNREACHABLE, _why_not(error, server))
        finally:
            # It was taken or refused by now; a goodbye that fails changes nothing.
            await _leave(client)
        return Outcome(Reason.SENT, f"SMTP 250 {printable(said)[:200]}")

    async def _introduce(self, client: SMTP, server: MailServer) -> Outcome | None:
        """Greet, encrypt when offered, log in when there are credentials; what to say when that cannot be."""
        await client.ehlo()
        encrypted = server.encrypted
        if not encrypted and client.supports_extension("starttls"):
            await client.starttls(tls_context=_trust(server.host))
            await client.ehlo()
            encrypted = True
        if not server.user:
            return None
        if not encrypted and not is_loopback(server.host):
            return Outcome(Reason.LOGIN_REFUSED, f"{server.name} offers no encryption, so the password in "
                                                 "TOCSIN_SMTP_URL was not sent; use smtps:// or another server")
        if not client.supports_extension("auth"):
            return Outcome(Reason.LOGIN_REFUSED, f"{server.name} takes no login; remove the user from TOCSIN_SMTP_URL")
        await client.login(server.user, server.password)
        return None

    def _scrubbed(self, outcome: Outcome) -> Outcome:
        """A server may repeat what it was told; the password does not get into an answer that is shown."""
        password = self.server.password if self.server else ""
        if not password or password not in outcome.answer:
            return outcome
        return Outcome(outcome.reason, outcome.answer.replace(password, "••••"), outcome.retry_after)


def _why_not(error: BaseException, server: MailServer) -> str:
    """Why there is no connection, or no encrypted one, in a sentence."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__
    if cause is None:
        return f"no connection to {server.name}: {printable(str(error))[:200]}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "; SSL_CERT_FILE can name a file with who signed it" if cause.verify_code in UNKNOWN_SIGNER else ""
        return f"the certificate of {server.name} is not accepted: {cause.verify_message.rstrip('.')}{hint}"
    if cause.reason == "WRONG_VERSION_NUMBER":
        return f"{server.name} does not encrypt from the first byte as smtps:// asks; it may take smtp://"
    return f"no encrypted connection to {server.name}: {cause.reason}"


async def _leave(client: SMTP) -> None:
    with contextlib.suppress(Exception):
        if client.is_connected:
            await client.quit(timeout=2)
    client.close()


def _trust(host: str) -> ssl.SSLContext:
    """Certificates are checked, except this machine's own: nobody signs one for localhost."""
    context = ssl.create_default_context()
    if is_loopback(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
