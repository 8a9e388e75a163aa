"""Many keys in one parameter, many rows in one statement: what a batch reads and writes, whatever its size.

A list spelled as one placeholder for each key is a new statement for each length: built anew, prepared anew, planned
anew. Here keys travel as one JSON text, and on PostgreSQL so do rows: one statement for all, parsed by the server in C,
costs half of what sending them one after the other does. SQLite takes its rows one by one without leaving the process,
so there they go the shortest way to its driver. Any thread, inside a transaction of the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    Integer,
    LargeBinary,
    Table,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

Row = Mapping[str, Any]
_DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]
)


class _AsJson(TypeDecorator[Sequence[object]]):
    """A list as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[object] | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()


class _Among(FunctionElement[bool]):
    """See `among`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:
        """As it stands: SQLite looks into no index for what is compared with 1, as booleans are there."""
        return self


def among(column: Column[Any], name: str = "ids") -> _Among:
    """True where the column holds one of the texts or whole numbers in the list given as parameter `name`."""
    return _Among(column, bindparam(name, type_=_AsJson()))


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    kind = "bigint" if isinstance(element.clauses.clauses[0].type, Integer) else "text"
    return f"{column} = ANY (ARRAY(SELECT CAST(json_array_elements_text(CAST({keys} AS json)) AS {kind})))"


class _AmongPairs(FunctionElement[bool]):
    """See `among_pairs`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:
        """As `_Among`."""
        return self


def among_pairs(first: Column[int], second: Column[int], name: str = "pairs") -> _AmongPairs:
    """True where both columns hold one of the pairs of whole numbers in the list given as parameter `name`.

    Not the same as each column for itself among its own numbers: PostgreSQL then looks up the first, reads all that it finds
    and compares the second.
    """
    return _AmongPairs(first, second, bindparam(name, type_=_AsJson()))


@compiles(_AmongPairs, "sqlite")
def _pairs_on_sqlite(element: _AmongPairs, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = (compiler.process(clause, **options) for clause in element.clauses)
    source = f"SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({pairs})"
    return f"({first}, {second}) IN ({source})"


@compiles(_AmongPairs, "postgresql")
def _pairs_on_postgresql(element: _AmongPairs, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = (compiler.process(clause, **options) for clause in element.clauses)
    source = (
        "SELECT CAST(pair ->> 0 AS bigint), CAST(pair ->> 1 AS bigint) "
        f"FROM json_array_elements(CAST({pairs} AS json)) AS pair"
    )
    return f"({first}, {second}) IN ({source})"


@dataclass(frozen=True, slots=True)
class _Statement:
    """How rows of one table get in."""

    words: str
    """As the driver takes it."""
    columns: tuple[str, ...]
    """Of each row, in the order of its places."""
    at_once: bool
    """One parameter for all rows."""


def write(connection: Connection, table: Table, rows: Sequence[Row], *, overwrite: bool) -> None:
    """Inserts rows, all with the same columns; `overwrite`: those of the same primary key take the new values.

    Of two rows with the same key the later one counts if `overwrite` is set.
    """
    if not rows:
        return
    statement = _statement(connection.dialect.name, table, tuple(rows[0]), overwrite)
    if not statement.at_once:
        places = statement.columns
        connection.exec_driver_sql(statement.words, [tuple([row[name] for name in places]) for row in rows])
        return
    if overwrite and len(rows) > 1:
        keys = [column.name for column in table.primary_key]
        rows = list({tuple([row[key] for key in keys]): row for row in rows}.values())
    connection.exec_driver_sql(statement.words, {"rows": msgspec.json.encode(rows).decode()})


@cache
def _statement(engine: str, table: Table, columns: tuple[str, ...], overwrite: bool) -> _Statement:
    dialect = _DIALECTS[engine]
    spelled = dialect.identifier_preparer
    names = [spelled.quote(name) for name in columns]
    into = f"INSERT INTO {spelled.format_table(table)} ({', '.join(names)})"
    conflict = ""
    if overwrite:
        keys = [column.name for column in table.primary_key]
        changes = [f"{name} = excluded.{name}" for name in map(spelled.quote, columns) if name not in keys]
        conflict = f" ON CONFLICT ({', '.join(map(spelled.quote, keys))}) DO UPDATE SET {', '.join(changes)}"
    if engine != "postgresql":
        return _Statement(f"{into} VALUES ({', '.join('?' * len(names))}){conflict}", columns, at_once=False)
    types = [table.c[name].type for name in columns]
    if any(isinstance(type_, LargeBinary) for type_ in types):  # no JSON holds them
        return _Statement(f"{into} VALUES ({', '.join(['%s'] * len(names))}){conflict}", columns, at_once=False)
    shape = ", ".join(f"{name} {type_.compile(dialect)}" for name, type_ in zip(names, types, strict=True))
    source = f"SELECT {', '.join(names)} FROM json_to_recordset(CAST(%(rows)s AS json)) AS new_row ({shape})"
    return _Statement(f"{into} {source}{conflict}", columns, at_once=True)
