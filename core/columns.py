"""The column types of the tables, the same for SQLite's STRICT tables and for PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import Field

from core.clock import from_micros, micros


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """SQLite's STRICT tables know INTEGER only."""
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the stored integer."""
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From the stored integer."""
        return None if value is None else from_micros(value)


class Flag(sa.types.TypeDecorator[bool]):
    """A boolean: 0 or 1 in SQLite's STRICT tables, a real boolean in PostgreSQL."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """SQLite's STRICT tables know INTEGER only."""
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else sa.Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> bool | int | None:
        """To the stored value."""
        return int(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: bool | int | None, dialect: Dialect) -> bool | None:
        """From the stored value."""
        return None if value is None else bool(value)


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class OneOf(sa.types.TypeDecorator[StrEnum]):
    """A closed set kept as its text; `one_of` adds the check to the table."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, values: type[StrEnum]) -> None:
        super().__init__()
        self.values = values

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """To the stored text."""
        return None if value is None else self.values(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """From the stored text."""
        return None if value is None else self.values(value)


def one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    """A check that `column` holds one of `values`."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def key() -> Any:
    """An integer primary key that the database numbers."""
    return Field(default=None, sa_column=sa.Column(BIG, primary_key=True, autoincrement=True))


def ref(target: str, *, optional: bool = False, index: bool = True) -> Any:
    """A reference to another table's key."""
    column = sa.Column(BIG, sa.ForeignKey(target), nullable=optional, index=index)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)


def text(*, optional: bool = False, default: str | None = None) -> Any:
    """A text column (SQLite's STRICT tables know no VARCHAR)."""
    column = sa.Column(sa.Text(), nullable=optional)
    if optional or default is not None:
        return Field(default=default, sa_column=column)
    return Field(sa_column=column)


def enum(values: type[StrEnum], *, optional: bool = False, default: StrEnum | None = None) -> Any:
    """A closed set kept as text."""
    column: sa.Column[StrEnum] = sa.Column(OneOf(values), nullable=optional)
    if optional or default is not None:
        return Field(default=default, sa_column=column)
    return Field(sa_column=column)


def instant(*, optional: bool = False, index: bool = False) -> Any:
    """An aware UTC instant."""
    column: sa.Column[datetime] = sa.Column(Instant(), nullable=optional, index=index)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)


def flag(default: bool) -> Any:
    """A boolean with a default."""
    return Field(default=default, sa_column=sa.Column(Flag(), nullable=False))


def whole(*, optional: bool = False, default: int | None = None) -> Any:
    """A whole number of up to 64 bits."""
    column = sa.Column(BIG, nullable=optional)
    if optional or default is not None:
        return Field(default=default, sa_column=column)
    return Field(sa_column=column)
