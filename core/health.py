"""A channel that was refused for good: marked, told to the alert's creator once, and mended by a test or an edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from core.channels.message import Facts, refused_text
from core.channels.targets import mask
from core.claims import Unit
from core.clock import micros
from core.queueing import channel_failed_row, insert_notifications
from core.store import Session

BREAK = """
UPDATE alert_channel SET broken_since = :now, broken_answer = :answer
WHERE id IN :ids AND broken_since IS NULL AND removed_at IS NULL AND target = :target RETURNING alert_id
"""
MEND = "UPDATE alert_channel SET broken_since = NULL, broken_answer = NULL WHERE id IN :ids AND target = :target"
CREATORS = """
SELECT a.id, m.id, m.email FROM alert a JOIN member m ON m.id = a.created_by WHERE a.id IN :ids ORDER BY a.id
"""


def break_channels(session: Session, unit: Unit, answer: str, at: datetime) -> int:
    """Mark the unit's channels broken and tell each alert's creator, unless they are marked or changed by now."""
    alerts = [row[0] for row in _among(session, BREAK, _channels(unit), now=micros(at), answer=answer,
                                       target=unit.target)]
    if not alerts:
        return 0
    facts = {row.alert: msgspec.json.decode(row.body, type=Facts) for row in unit.rows}
    # A storm breaks many channels with one answer; one line tells its creator.
    hit: dict[tuple[int, str], list[int]] = {}
    for alert, member, email in _among(session, CREATORS, alerts):
        hit.setdefault((member, email), []).append(alert)
    rows = []
    for (member, email), theirs in hit.items():
        text = refused_text([facts[alert].connection_name for alert in theirs], unit.channel,
                            mask(unit.channel, unit.target), answer)
        rows.append(channel_failed_row(facts[theirs[0]], text, member=member, email=email, alert=theirs[0], now=at))
    return insert_notifications(session, rows)


def mend_channels(session: Session, unit: Unit) -> None:
    """Clear the mark: the server took a test."""
    _among(session, MEND, _channels(unit), target=unit.target)


def _channels(unit: Unit) -> list[int]:
    return [row.channel_id for row in unit.rows if row.channel_id is not None]


def _among(session: Session, sql: str, ids: list[int], **keys: object) -> sa.CursorResult[*tuple[Any, ...]]:
    clause = sa.text(sql).bindparams(sa.bindparam("ids", expanding=True))
    return session.connection().execute(clause, {"ids": ids, **keys})
