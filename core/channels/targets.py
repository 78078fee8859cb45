"""Where messages go: what an address or a Slack URL must look like, and how it is shown without its secret."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from core.errors import InvalidInput
from core.terms import ChannelKind

EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
HIDDEN = "••••"


class SlackKind(StrEnum):
    """What a Slack URL takes; told by its path, never by an answer (reference facts, section 6.3)."""

    WEBHOOK = "webhook"
    WORKFLOW = "workflow"


PATHS = {"services": SlackKind.WEBHOOK, "triggers": SlackKind.WORKFLOW, "workflows": SlackKind.WORKFLOW}


def parse_email(text: str) -> str:
    """One address, trimmed. Raises InvalidInput for field `email`; a line break never gets through."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    if (not EMAIL.fullmatch(address) or len(address) > 254 or ".." in address or local.startswith(".")
            or local.endswith(".")):
        raise InvalidInput("That is not one email address, like team@example.com.", "email")
    return f"{local}@{domain.lower()}"


def parse_slack_url(text: str, hosts: Sequence[str]) -> SlackKind:
    """What kind of Slack URL this is. Raises InvalidInput for field `slack` when it is none.

    `hosts` are the allowed hosts, `host` or `host:port`; plain http is for loopback only.
    """
    if not text or not text.isascii() or not text.isprintable() or " " in text or len(text) > 2000:
        raise InvalidInput("A Slack URL starts with https://hooks.slack.com/ and has no spaces in it.", "slack")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise InvalidInput("That is not a URL.", "slack") from None
    host = url.hostname or ""
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise InvalidInput("A Slack URL starts with https://.", "slack")
    named = host if port is None else f"{host}:{port}"
    if url.username is not None or named not in {allowed.strip().lower() for allowed in hosts}:
        raise InvalidInput(f"{named or 'That'} is not an allowed Slack host ({', '.join(hosts)}).", "slack")
    first, _, rest = url.path.lstrip("/").partition("/")
    if first not in PATHS or not rest.strip("/"):
        raise InvalidInput("A Slack URL goes on with /services/…, /triggers/… or /workflows/….", "slack")
    return PATHS[first]


def slack_kind(url: str) -> SlackKind:
    """The kind of a URL that was accepted before."""
    return PATHS.get(urlsplit(url).path.lstrip("/").partition("/")[0], SlackKind.WEBHOOK)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def mask(kind: ChannelKind, target: str) -> str:
    """`target` as it may be shown or logged: a URL without its secret, `hooks.slack.com/services/T…/B…/••••`."""
    if kind is not ChannelKind.SLACK:
        return target
    try:
        url = urlsplit(target)
    except ValueError:
        return HIDDEN
    return f"{_host(url)}/{_masked_path(url.path)}"


def _host(url: SplitResult) -> str:
    return url.netloc.rpartition("@")[2]


def _masked_path(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in PATHS:
        return HIDDEN
    middle = [f"{part[0]}…" for part in parts[1:-1]]
    return "/".join([parts[0], *middle, HIDDEN])


def endpoint_name(kind: ChannelKind, target: str, smtp_server: str = "") -> str:
    """The name under which an endpoint's health is kept: the mail server, or a digest of the URL (it is a secret)."""
    if kind is ChannelKind.EMAIL:
        return f"smtp {smtp_server}"
    return f"slack {hashlib.sha256(target.encode()).hexdigest()[:16]}"


def mask_url(text: str) -> str:
    """A URL with a password or a secret path, as it may be shown: `smtp://ada:••••@mail.example.com:587`."""
    try:
        url = urlsplit(text)
        if url.path.lstrip("/").partition("/")[0] in PATHS:
            return f"{url.scheme}://{mask(ChannelKind.SLACK, text)}"
        user = url.netloc.rpartition("@")[0].partition(":")[0]
        return f"{url.scheme}://{f'{user}:{HIDDEN}@' if '@' in url.netloc else ''}{_host(url)}{url.path}"
    except ValueError:
        return HIDDEN
