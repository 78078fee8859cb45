"""A first file: its new names become sources, with its counts or not at all."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa

from core.errors import InvalidInput
from core.intake.csv_file import BadRow, known_connections
from core.intake.first_file import FirstFile, import_first_file, read_first_file
from core.store import Store
from tests.core.acme import AT, found

HEADER = "connection,hour,stage,count\n"
WHEN = "2026-11-23T08:00:00Z"


def read(store: Store, text: str) -> FirstFile:
    with store.read() as session:
        known = known_connections(session)
    return read_first_file(io.BytesIO((HEADER + text).encode()), "counts.csv", known)


def counted(store: Store) -> list[tuple[object, ...]]:
    with store.read() as session:
        return [tuple(row) for row in session.connection().execute(sa.text(
            "SELECT c.slug, c.name, c.kind, h.stage, h.count FROM hourly_count h "
            "JOIN connection c ON c.id = h.connection_id ORDER BY c.slug"))]


def test_new_names_become_sources_beside_those_that_are_there(store: Store) -> None:
    found(store)
    file = read(store, f"shop,{WHEN},received,5\nwebsite,{WHEN},received,7\namplitude,{WHEN},delivered,3\n")
    with store.write() as session:
        done = import_first_file(session, file, AT)

    assert (list(file.new), done.counts, done.connections) == (["shop"], 3, 3)
    assert counted(store) == [("amplitude", "Amplitude", "destination", "delivered", 3),
                              ("shop", "shop", "source", "received", 5),
                              ("website", "Website", "source", "received", 7)]


def test_a_name_that_could_be_no_slug_is_refused_with_its_line(sqlite_store: Store) -> None:
    with pytest.raises(BadRow, match=r"counts.csv:2: there is no connection called 'Web shop'"):
        read(sqlite_store, f"Web shop,{WHEN},received,5\n")


def test_a_new_name_cannot_be_a_destination(sqlite_store: Store) -> None:
    with pytest.raises(BadRow, match=r"counts.csv:3: .*whose stages are received, not 'failed'"):
        read(sqlite_store, f"shop,{WHEN},received,5\nshop,{WHEN},failed,5\n")


def test_a_name_that_somebody_took_meanwhile_changes_nothing(sqlite_store: Store) -> None:
    file = read(sqlite_store, f"shop,{WHEN},received,5\nwebsite,{WHEN},received,5\n")
    found(sqlite_store)

    with pytest.raises(InvalidInput, match="website already"), sqlite_store.write() as session:
        import_first_file(session, file, AT)

    assert counted(sqlite_store) == []
