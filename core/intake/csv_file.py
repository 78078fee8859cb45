"""Hourly counts from a CSV file and back: `connection,hour,stage,count`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import sqlalchemy as sa
from sqlmodel import col, select

from core.clock import EPOCH, Hour, hour_of, iso, parse_time, start_of
from core.connections import find
from core.counts import LARGEST_COUNT, Key, cover, replace
from core.errors import InvalidInput
from core.model import Connection
from core.store import Session
from core.terms import ConnectionKind, CoverageKind, Stage

HEADER = ["connection", "hour", "stage", "count"]
LONGEST_LINE = 2_000
"""In bytes: a longer line is refused before the rest of it is read."""
STAGES = {
    ConnectionKind.SOURCE: (Stage.RECEIVED,),
    ConnectionKind.DESTINATION: (Stage.DELIVERED, Stage.FAILED, Stage.FILTERED),
}
NATURAL = re.compile(r"[0-9]{1,16}")
EXPORT = """
SELECT c.slug, h.hour, h.stage, h.count FROM hourly_count h JOIN connection c ON c.id = h.connection_id
WHERE c.removed_at IS NULL AND (:slug = '' OR c.slug = :slug) AND h.hour >= :since
ORDER BY {slug}, h.hour, h.stage
"""
BATCH = 5_000

Known = Mapping[str, tuple[int, ConnectionKind]]
"""Of each slug the connection's id and kind."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import set: how many counts, of how many connections, in the hours from `since` up to `until`."""

    counts: int
    connections: int
    since: Hour | None
    until: Hour | None

    def as_json(self) -> dict[str, object]:
        """The object of `counts import --json`."""
        return {"counts": self.counts, "connections": self.connections,
                "since": None if self.since is None else iso(start_of(self.since)),
                "until": None if self.until is None else iso(start_of(self.until))}


class BadRow(InvalidInput):
    """A row that cannot be imported; the sentence begins with FILE:LINE."""


def known_connections(session: Session) -> dict[str, tuple[int, ConnectionKind]]:
    """What a file's first column may name."""
    rows = session.objects.exec(select(Connection.slug, Connection.id, Connection.kind).where(
        col(Connection.removed_at).is_(None)))
    return {slug: (identity, ConnectionKind(kind)) for slug, identity, kind in rows if identity is not None}


def read_counts(stream: BinaryIO, name: str, known: Known) -> dict[Key, int]:
    """The counts that a CSV stream (UTF-8, with or without a BOM, any line ends) holds; of a repeated row the last.

    `name` is how errors call the file. Raises BadRow for the first row that is not acceptable. It needs no open
    transaction, so that a slow pipe holds nobody back.
    """
    reader = csv.reader(_lines(stream, name), strict=True)
    rows: dict[Key, int] = {}
    line = 0
    try:
        for fields in reader:
            first, line = line == 0, reader.line_num
            cells = [field.strip() for field in fields]
            if first:
                _check_header(cells)
            elif any(cells):
                key, count = _row(cells, known)
                rows[key] = count
    except csv.Error as error:
        raise BadRow(f"{name}:{reader.line_num}: {error}.") from None
    except _Refused as refused:
        raise BadRow(f"{name}:{line}: {refused}.") from None
    if line == 0:
        raise BadRow(f"{name}:1: the header {','.join(HEADER)} is missing.")
    return rows


def import_counts(session: Session, rows: Mapping[Key, int]) -> Imported:
    """Set these counts, and vouch for every hour of each connection from its first row to its last."""
    replace(session, rows)
    spans: dict[int, tuple[Hour, Hour]] = {}
    for connection, hour, _ in rows:
        first, last = spans.get(connection, (hour, hour))
        spans[connection] = (min(first, hour), max(last, hour))
    cover(session, [(connection, first, Hour(last + 1)) for connection, (first, last) in spans.items()],
          CoverageKind.IMPORT)
    return Imported(len(rows), len(spans), min((first for first, _ in spans.values()), default=None),
                    Hour(max(last for _, last in spans.values()) + 1) if spans else None)


def export_counts(session: Session, *, slug: str | None = None, since: datetime | None = None) -> Iterator[str]:
    """The lines of a CSV file with every count (of one connection, from `since` on), sorted; read as they are asked
    for. Raises NotFound for the slug.
    """
    if slug is not None:
        find(session, slug)
    # PostgreSQL would sort by its locale, and two stores with the same counts would export differently.
    order = "c.slug" if session.connection().dialect.name == "sqlite" else 'c.slug COLLATE "C"'
    keys = {"slug": slug or "", "since": hour_of(since) if since else 0}
    found = session.connection().execution_options(yield_per=BATCH).execute(
        sa.text(EXPORT.format(slug=order)), keys)
    yield ",".join(HEADER) + "\n"
    for name, hour, stage, count in found:
        yield f"{name},{iso(start_of(hour))},{stage},{count}\n"


class _Refused(Exception):
    """The reason why a row is refused."""


def _lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), start=1):
        if len(raw) > LONGEST_LINE:
            raise BadRow(f"{name}:{number}: the line is longer than {LONGEST_LINE:,} bytes.")
        try:
            yield raw.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode("utf-8")
        except UnicodeDecodeError:
            raise BadRow(f"{name}:{number}: the line is not UTF-8.") from None


def _check_header(cells: Iterable[str]) -> None:
    if [cell.lower() for cell in cells] != HEADER:
        raise _Refused(f"the first line must be {','.join(HEADER)}")


def _row(cells: list[str], known: Known) -> tuple[Key, int]:
    if len(cells) != len(HEADER):
        raise _Refused(f"a row has {len(HEADER)} fields ({','.join(HEADER)}), this one has {len(cells)}")
    slug, when, stage_name, amount = cells
    if slug not in known:
        raise _Refused(f"there is no connection called {_shown(slug)}")
    connection, kind = known[slug]
    stage = next((stage for stage in STAGES[kind] if stage.value == stage_name), None)
    if stage is None:
        allowed = ", ".join(stage.value for stage in STAGES[kind])
        raise _Refused(f"{slug} is a {kind.value}, whose stages are {allowed}, not {_shown(stage_name)}")
    if not NATURAL.fullmatch(amount) or int(amount) > LARGEST_COUNT:
        raise _Refused(f"the count must be a whole number from 0 to {LARGEST_COUNT}, not {_shown(amount)}")
    return (connection, _hour(when), stage), int(amount)


def _hour(text: str) -> Hour:
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or "T" not in text.upper() or moment < EPOCH:
        raise _Refused(f"the hour must look like 2026-11-23T08:00:00Z, not {_shown(text)}")
    if moment != start_of(hour_of(moment)):
        raise _Refused(f"the hour must be a whole UTC hour, like 2026-11-23T08:00:00Z, not {_shown(text)}")
    return hour_of(moment)


def _shown(text: str) -> str:
    """What was typed, made safe for a terminal and short."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
