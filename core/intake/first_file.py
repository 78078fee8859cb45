"""A CSV file whose sources are not here yet: they are added in the transaction that imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from core.connections import add_source
from core.counts import Key
from core.intake.csv_file import Imported, Known, import_counts, read_counts
from core.names import SLUG
from core.store import Session
from core.terms import ConnectionKind


@dataclass(frozen=True, slots=True)
class FirstFile:
    """What a file holds. New sources, by slug, stand in its rows under a negative number until they are added."""

    rows: Mapping[Key, int]
    new: Mapping[str, int]


def read_first_file(stream: BinaryIO, name: str, known: Known) -> FirstFile:
    """The counts of a CSV stream; a slug that is not known is a source to be. Raises BadRow as `read_counts` does.

    A destination hangs on a source, which the file does not name, so its stages are refused for a new slug.
    """
    welcoming = _Welcoming(known)
    rows = read_counts(stream, name, welcoming)
    return FirstFile(rows, welcoming.new)


def import_first_file(session: Session, file: FirstFile, now: datetime) -> Imported:
    """Add the file's new sources, then set its counts, or (if either is refused) neither."""
    ids = {number: add_source(session, slug, slug=slug, now=now).id for slug, number in file.new.items()}
    return import_counts(session, {(ids.get(connection, connection), hour, stage): count
                                   for (connection, hour, stage), count in file.rows.items()})


@dataclass
class _Welcoming(Mapping[str, tuple[int, ConnectionKind]]):
    """What is known, and every other slug as a source that is noted when it is asked for."""

    known: Known
    new: dict[str, int] = field(default_factory=dict)

    def __contains__(self, slug: object) -> bool:
        return slug in self.known or (isinstance(slug, str) and SLUG.fullmatch(slug) is not None)

    def __getitem__(self, slug: str) -> tuple[int, ConnectionKind]:
        if slug in self.known:
            return self.known[slug]
        return self.new.setdefault(slug, -1 - len(self.new)), ConnectionKind.SOURCE

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
