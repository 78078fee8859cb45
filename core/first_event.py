"""The first source of a new workspace, how to send to it, and whether something arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.connections import add_source, find
from core.store import Session

COUNTED = sa.text("SELECT COALESCE(SUM(count), 0) FROM hourly_count WHERE connection_id = :id")
ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - what a person sends to, not what is bound
"""Where to send when a collector listens at every address of this machine."""


@dataclass(frozen=True, slots=True)
class FirstSource:
    """A source that waits for its first event."""

    slug: str
    name: str
    write_key: str


def begin(session: Session, name: str, now: datetime) -> FirstSource:
    """Add the source `name` with a fresh write key. Raises InvalidInput for the name."""
    added = add_source(session, name, now=now)
    return FirstSource(added.slug, find(session, added.slug).name, added.write_key or "")


def arrived(session: Session, slug: str) -> int:
    """How many events were counted of this source so far. Raises NotFound."""
    return int(session.connection().execute(COUNTED, {"id": find(session, slug).id}).scalar_one())


def url_of(address: str) -> str:
    """The URL that a person on this machine sends to, for a collector that listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    return f"http://{ANYWHERE.get(host, host)}:{port}"


def python_lines(write_key: str, url: str) -> str:
    """Three lines of Python that send one event through Segment's SDK."""
    return ("from segment.analytics.client import Client\n"
            f'client = Client("{write_key}", host="{url}")\n'
            'client.track("user-1", "Signed up"); client.flush()')


def curl_line(write_key: str, url: str) -> str:
    """The same event with curl."""
    return f"curl -u {write_key}: {url}/v1/track " + """-d '{"event": "Signed up", "userId": "user-1"}'"""
