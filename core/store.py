"""The store: one engine, transactions, upgrades, leases and the change counter; SQLite by path, PostgreSQL by URL."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection as Link
from sqlalchemy.engine import Engine

from core.clock import SystemClock, micros
from core.errors import StoreError

if TYPE_CHECKING:
    from sqlmodel import Session as Objects

HEAD = "0001"
"""The newest schema revision; a test holds it equal to the migrations'."""
KNOWN = frozenset({HEAD})
Record = sa.Row[*tuple[Any, ...]]
"""A row of one of the named queries."""
BUSY_MS = 15_000
OURS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)
"""Complaints about what was asked; all others are about the store: locked, spoilt, out of reach."""
DATA_VERSION = "PRAGMA data_version"
SNAPSHOT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


class Session:
    """One transaction: named SQL on its `connection`, and the tables' rows as `objects`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def connection(self) -> Link:
        """What runs SQL in this transaction."""
        return self._link

    @cached_property
    def objects(self) -> Objects:
        """SQLModel's session in the same transaction; what it was given is written when the transaction ends."""
        from sqlmodel import Session as Objects  # takes longer to import than the first rows take to read

        return Objects(self._link, expire_on_commit=False)

    def end(self) -> None:
        """Write what `objects` still holds, and let go of it."""
        if "objects" in self.__dict__:
            self.objects.flush()
            self.objects.close()


class Store:
    """An open store. Every read or write happens in a session from `read` or `write`."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self._watcher: Link | None = None
        self._watching = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is an embedded store."""
        return self.engine.dialect.name == "sqlite"

    @property
    def address(self) -> str:
        """Where the store is, with any password masked."""
        return str(self.path) if self.path else self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and writes nothing."""
        with self._told(), self.engine.connect() as link:
            link.begin()
            yield Session(link)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes commit together when the block ends, or not at all.

        On SQLite it takes the write lock at once, so what it reads cannot change before it writes.
        """
        with self._told(), self.engine.connect().execution_options(tocsin_write=True) as link, link.begin():
            session = Session(link)
            yield session
            session.end()

    def changes(self) -> int:
        """A number that differs after another connection, of any process, has committed a change."""
        # The screen, the collector and its health check ask from threads of their own, over one connection.
        with self._watching, self._told():
            if self._watcher is None or self._watcher.closed:
                self._watcher = self.engine.connect()
            sql = DATA_VERSION if self.is_sqlite else SNAPSHOT
            try:
                with self._watcher.begin():
                    return int(self._watcher.exec_driver_sql(sql).scalar_one())
            except sa.exc.DBAPIError:
                self._watcher.invalidate()
                self._watcher.close()
                raise

    def close(self) -> None:
        """Give every connection back."""
        if self._watcher is not None:
            self._watcher.close()
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the database's complaints into one sentence."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            if isinstance(error, OURS):
                raise
            self.engine.dispose()  # a connection to a file that was spoilt goes on seeing it so when it is whole again
            raise StoreError(f"The store at {self.address} did not answer: {_first_line(error)}.") from error


def open_store(address: str, *, create: bool = True) -> Store:
    """The store at a path or a `postgresql://` URL, upgraded to this version's schema.

    Raises StoreError when it cannot be opened, or when a newer version wrote it (it is left alone then).
    """
    if "://" in address and not address.startswith("sqlite"):
        store = Store(_postgres(address), None)
    else:
        path = Path(address.removeprefix("sqlite:///")).expanduser().absolute()
        store = Store(_sqlite(path, create), path)
    try:
        _upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def holder() -> str:
    """Who this process is, for leases and claims."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take_lease(session: Session, name: str, now: datetime) -> None:
    """Hold the lease `name` until this transaction ends; another process that asks waits for that.

    A lock that lives in the transaction cannot outlive a killed process, so nothing has to expire.
    """
    session.connection().execute(
        sa.text("INSERT INTO lease (name, holder, taken_at) VALUES (:name, :holder, :now) "
                "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, taken_at = excluded.taken_at"),
        {"name": name, "holder": holder(), "now": micros(now)},
    )


def _sqlite(path: Path, create: bool) -> Engine:
    if not path.exists():
        if not create:
            raise StoreError(f"There is no store at {path}.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreError(f"The store {path} cannot be made: {error.strerror}.") from error
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # pysqlite would begin transactions on its own terms; `begin` below says when.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"busy_timeout = {BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(link: Link) -> None:
        writes = link.get_execution_options().get("tocsin_write", False)
        link.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(address: str) -> Engine:
    url = sa.make_url(address)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise StoreError(f"A store is a file or a postgresql:// URL, not {url.get_backend_name()}://.")
    try:
        return sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10)
    except ModuleNotFoundError as error:
        raise StoreError("A PostgreSQL store needs the extra: pip install 'tocsin[postgres]'.") from error


def _upgrade(store: Store) -> None:
    with store._told():
        found = _revision(store.engine)
    if found == HEAD:
        return
    if found is not None and found not in KNOWN:
        raise StoreError(f"The store at {store.address} was written by a newer version of Tocsin (schema {found}); "
                         "it was left alone. Upgrade Tocsin to open it.")
    from core.migrations.upgrade import upgrade

    with store._told(), store.engine.connect().execution_options(tocsin_write=True) as link, link.begin():
        if not store.is_sqlite:
            link.exec_driver_sql("SELECT pg_advisory_xact_lock(7406339)")
        found = _current(link)
        if found == HEAD:
            return
        if found is not None and store.path is not None:
            keep_copy(store.path)
        upgrade(link)


def keep_copy(path: Path) -> Path:
    """Copy an SQLite store beside itself, with its unwritten log, before an upgrade; return the copy's path."""
    stamp = SystemClock().now().strftime("%Y%m%dT%H%M%SZ")
    copy = path.with_name(f"{path.name}.before-upgrade-{stamp}")
    source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    os.close(os.open(copy, os.O_CREAT | os.O_RDWR, 0o600))
    target = sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy


def _revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as link:
            return _current(link)
    except sa.exc.DatabaseError as error:
        if isinstance(error, sa.exc.OperationalError):
            raise
        raise StoreError(f"That is not a Tocsin store: {_first_line(error)}.") from error


def _current(link: Link) -> str | None:
    if not sa.inspect(link).has_table("alembic_version"):
        if sa.inspect(link).get_table_names():
            raise StoreError("That database holds tables of something else; Tocsin wants one of its own.")
        return None
    found: Any = link.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".") if error.orig else str(error).splitlines()[0]
