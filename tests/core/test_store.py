"""The store opens, upgrades once, and keeps what it is given."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel, select

import core.model
from core.clock import start_of
from core.errors import StoreError
from core.migrations.upgrade import scripts
from core.model import Workspace
from core.store import HEAD, Store, open_store, take_lease

T0 = start_of(500_000)


def test_the_migrations_end_at_the_revision_the_store_expects() -> None:
    assert scripts().get_current_head() == HEAD


def test_the_migrations_make_the_tables_of_the_model(store: Store) -> None:
    assert core.model.Alert.__tablename__ == "alert"
    with store.engine.connect() as link:
        differences = compare_metadata(MigrationContext.configure(link), SQLModel.metadata)
    assert differences == []


def test_sqlite_tables_are_strict_and_counts_are_clustered(sqlite_store: Store) -> None:
    with sqlite_store.engine.connect() as link:
        rows = link.exec_driver_sql("PRAGMA table_list").all()
    tables = {row[1]: row for row in rows if row[1] in SQLModel.metadata.tables}
    assert all(row[5] == 1 for row in tables.values())
    assert {name for name, row in tables.items() if row[4] == 1} == {"hourly_count", "coverage", "preference"}


def test_an_embedded_store_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_store(str(tmp_path / "deep" / "t.db")).close()

    assert stat.S_IMODE((tmp_path / "deep" / "t.db").stat().st_mode) == 0o600


def test_many_processes_opening_an_empty_store_upgrade_it_once(empty_address: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: open_store(empty_address), range(6)))

    with stores[0].engine.connect() as link:
        assert link.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [(HEAD,)]
    for store in stores:
        store.close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(empty_address: str) -> None:
    store = open_store(empty_address)
    with store.engine.begin() as link:
        link.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="newer version"):
        open_store(empty_address)
    with store.engine.connect() as link:
        assert link.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "9999"
    store.close()


def test_a_file_that_is_no_store_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)

    with pytest.raises(StoreError, match="not a Tocsin store"):
        open_store(str(tmp_path / "letter.txt"))


def test_a_failed_block_changes_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as session:
            session.objects.add(Workspace(name="Acme", created_at=T0))
            session.objects.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with store.read() as session:
        assert session.objects.exec(select(Workspace)).all() == []


def test_instants_come_back_as_they_went_in(store: Store) -> None:
    moment = T0.replace(microsecond=123_457)
    with store.write() as session:
        session.objects.add(Workspace(name="Acme", created_at=moment))

    with store.read() as session:
        assert session.objects.exec(select(Workspace)).one().created_at == moment


def test_the_database_refuses_what_the_model_forbids(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.write() as session:
        session.objects.add(Workspace(id=2, name="Another", created_at=T0))


def test_a_change_by_another_connection_shows_in_the_counter(store: Store, store_address: str) -> None:
    other = open_store(store_address)
    before = store.changes()
    assert store.changes() == before

    with other.write() as session:
        session.objects.add(Workspace(name="Acme", created_at=T0))

    assert store.changes() != before
    other.close()


def test_a_lease_makes_the_second_wait_for_the_first(store: Store) -> None:
    order: list[str] = []

    def hold(name: str) -> None:
        with store.write() as session:
            take_lease(session, "pass", T0)
            order.append(f"{name} in")
            order.append(f"{name} out")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold, "abcd"))

    assert [entry.split()[1] for entry in order] == ["in", "out"] * 4
    assert all(first.split()[0] == second.split()[0] for first, second in zip(order[::2], order[1::2], strict=True))
