"""What the Settings screen reads from the store: its size, each channel's last answer, and the Segment workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.access import Actor, sees_targets
from core.channels.targets import mask
from core.clock import from_micros
from core.intake.segment.link import Link
from core.intake.segment.link import find as find_link
from core.store import Session
from core.terms import ChannelKind

SIZE = {"sqlite": sa.text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
        "postgresql": sa.text("SELECT pg_database_size(current_database())")}
ANSWER = sa.text("SELECT last_at, last_ok, last_answer, held_until FROM endpoint WHERE name LIKE :name "
                 "ORDER BY last_at DESC LIMIT 1")
WAITING = sa.text("SELECT COUNT(*) FROM notification WHERE state IN ('queued', 'sending') AND channel = :kind")
BROKEN = """
FROM alert_channel ch JOIN alert a ON a.id = ch.alert_id JOIN member m ON m.id = a.created_by
WHERE ch.kind = :kind AND ch.broken_since IS NOT NULL AND ch.removed_at IS NULL AND a.deleted_at IS NULL
"""
HOW_MANY_BROKEN = sa.text(f"SELECT COUNT(*) {BROKEN}")
NEWEST_BROKEN = sa.text(f"SELECT ch.target, ch.broken_answer, m.id AS creator, m.name {BROKEN} "
                        "ORDER BY ch.broken_since DESC, ch.id DESC LIMIT 1")
STALE = sa.text("SELECT COUNT(*), MIN(stale_since) FROM connection "
                "WHERE removed_at IS NULL AND stale_since IS NOT NULL")
ENDPOINTS = {ChannelKind.EMAIL: "smtp %", ChannelKind.SLACK: "slack %"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mail server or Slack last said, and until when it asked to be left alone."""

    at: datetime
    took_it: bool
    said: str
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelVitals:
    """How one kind of channel does: its newest answer, messages that wait, channels that were refused for good."""

    answer: Answer | None = None
    waiting: int = 0
    broken: int = 0
    broken_where: str | None = None
    """The channel that broke last, masked; whose it is, for a member who may not see it."""
    broken_answer: str | None = None


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the store and what hangs on it do. `size` is in bytes; `stale` connections wait for Segment."""

    size: int
    email: ChannelVitals
    slack: ChannelVitals
    segment: Link | None
    stale: int
    stale_since: datetime | None


def vitals(session: Session, actor: Actor) -> Vitals:
    """How everything does, as `actor` may see it."""
    link = session.connection()
    stale, since = link.execute(STALE).one()
    size = link.execute(SIZE[link.dialect.name]).scalar_one()
    return Vitals(int(size), _channel(link, ChannelKind.EMAIL, actor), _channel(link, ChannelKind.SLACK, actor),
                  find_link(session), stale, None if since is None else from_micros(since))


def _channel(link: sa.Connection, kind: ChannelKind, actor: Actor) -> ChannelVitals:
    keys = {"kind": kind.value}
    answer = link.execute(ANSWER, {"name": ENDPOINTS[kind]}).first()
    broken = link.execute(HOW_MANY_BROKEN, keys).scalar_one()
    newest = link.execute(NEWEST_BROKEN, keys).first() if broken else None
    return ChannelVitals(
        None if answer is None else _answer(*answer), link.execute(WAITING, keys).scalar_one(), broken,
        None if newest is None else _where(kind, newest, actor), None if newest is None else newest.broken_answer)


def _answer(at: int, took_it: Any, said: str, held_until: int | None) -> Answer:
    return Answer(from_micros(at), bool(took_it), said, None if held_until is None else from_micros(held_until))


def _where(kind: ChannelKind, newest: sa.Row[Any], actor: Actor) -> str:
    return mask(kind, newest.target) if sees_targets(actor, newest.creator) else f"a channel of {newest.name}"
