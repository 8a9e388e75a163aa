"""Central's database: encrypted SQLite by default, PostgreSQL when central has grown; two engines in one class.

Everything that only one of them says stands here: the key and the pragmas, BEGIN IMMEDIATE (one writer at a time, so a
writing transaction sees the newest rows and no other can come between), locks by name, upserts, append-only triggers,
migration at start. Everywhere else is SQLAlchemy Core that both speak. SQLite before 3.51.3 is refused: its WAL can be
corrupted by two connections that write and checkpoint. Any thread may call; every call blocks.

On PostgreSQL many writers work at once, READ COMMITTED: each first takes `lock` on every name it will judge (an item
that has no row cannot be locked as a row), in one order, so that no two wait for each other in a circle; every
statement after that sees what the one before it committed. Readers get one snapshot (REPEATABLE READ). Encryption at
rest is there the matter of its disk.
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import sqlcipher3.dbapi2 as sqlcipher
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import QueuePool

from sync.central.bulk import Row
from sync.central.bulk import write as write_rows

OLDEST_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5000
READERS = 32
"""Connections that read a SQLite file at a time, kept open: deriving a key anew costs more than a look."""
WRITER_CACHE_KB = 65536
"""Pages that SQLite's one writer keeps in memory: each page read anew is decrypted and checked again."""
FILE_NAME = "central.sqlite"
OLDEST_POSTGRESQL = 150000
"""As PostgreSQL numbers its versions: 15."""
CONNECTIONS = 4
"""Kept by one process for each of writing and reading; as many again when busy. Five processes fit PostgreSQL's 100."""
APPLICATION = "shelfpoint central"
"""Each process calls itself so to PostgreSQL, with a name of its own behind it."""
_NOT_OURS = frozenset(("42P01", "42703", "42501"))  # undefined table or column, insufficient privilege: not our schema
_DEFEATED = frozenset(("40001", "40P01"))  # serialization_failure, deadlock_detected


class DatabaseUnusable(Exception):
    """The database cannot be opened or used: wrong key, damaged, too old a library, disk full."""


class Defeated(DatabaseUnusable):
    """Another writer was in the way and the transaction was rolled back; the same work can be tried again."""


class Database:
    """Transactions on one database. `read` sees one unchanging snapshot; `write` is whole or not at all."""

    def __init__(self, writer: Engine, reader: Engine, *, alone: bool, name: str = "") -> None:
        self._writer = writer
        self._reader = reader
        # SQLite has one writer: those of this process queue here, not in its polling busy handler
        self._turn: AbstractContextManager[object] = threading.Lock() if alone else nullcontext()
        self._after_commit: Callable[[], None] = lambda: None
        self.name = name
        """Tells the notices of this process from those of others."""

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        return self._writer.dialect.name

    def on_commit(self, call: Callable[[], None]) -> None:
        """`call` follows every committed write, on the writer's thread."""
        self._after_commit = call

    def version(self) -> str:
        """Of the schema, as its newest migration is called."""
        with self.read() as connection:
            return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot; never waits for a writer."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Committed to disk when the block ends, or rolled back by an exception; on SQLite alone until then.

        Raises Defeated where another writer won.
        """
        with _translated(), self._turn, self._writer.begin() as connection:
            connection.info[_NAME] = self.name
            yield connection
        self._after_commit()

    @contextmanager
    def listening(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own that hears what `tell_others` says; PostgreSQL only. Raises psycopg.Error."""
        _, options = self._writer.dialect.create_connect_args(self._writer.url)
        wishes: dict[str, Any] = {**options, **_wishes(self.name), "autocommit": True}
        with psycopg.connect(**wishes) as connection:
            connection.execute(f"LISTEN {_CHANNEL}")
            yield connection

    def others(self) -> int:
        """How many connections other processes of central have to this database; PostgreSQL only."""
        with self.read() as connection:
            return int(connection.execute(_OTHERS, {"own": _calls_itself(self.name)}).scalar_one())

    def close(self) -> None:
        """Ends all connections; the WAL is folded into the file."""
        self._reader.dispose()
        self._writer.dispose()


def open_sqlite(folder: Path, key: bytes) -> Database:
    """The encrypted database in `folder`, made or migrated to the newest schema. Blocking.

    Raises DatabaseUnusable.
    """
    if sqlcipher.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise DatabaseUnusable(f"SQLite {sqlcipher.sqlite_version} can corrupt its log; {oldest} or newer is needed")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / FILE_NAME

    def connect() -> Any:
        connection = connect_sqlcipher(path, key)
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cell_size_check=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    def connect_writer() -> Any:
        connection = connect()
        connection.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KB}").close()
        return connection

    writer = _engine(connect_writer, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
    reader = _engine(connect, begin="BEGIN", pool_size=READERS, max_overflow=0)
    with _translated():
        path.touch(mode=0o600)
        with writer.connect() as connection:
            migrate(connection)
    return Database(writer, reader, alone=True)


def open_postgresql(address: str) -> Database:
    """The database at `address` (postgresql://user@host/name), migrated to the newest schema. Blocking.

    Raises DatabaseUnusable.
    """
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise DatabaseUnusable("expected postgresql://user@host:port/name") from error
    if url.get_backend_name() != "postgresql":
        raise DatabaseUnusable(f"expected postgresql://…, got {url.get_backend_name()}://…")
    url = url.set(drivername="postgresql+psycopg")
    name = secrets.token_hex(8)

    def engine(option: str = "", **more: Any) -> Engine:
        return create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=30,
            pool_pre_ping=True,
            query_cache_size=1000,
            connect_args={**_wishes(name), "options": f"{url.query.get('options', '')} {option}"},
            **more,
        )

    # A writer looks up keys only. A plan made while a table was small must not stay a scan when it has grown (until the
    # next ANALYZE each batch of a backlog would take longer), nor join by reading a whole index, and to compile one costs
    # more than to run it.
    writer = engine(
        "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off",
        isolation_level="READ COMMITTED",
    )
    reader = engine(isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True})
    with _translated(), writer.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
        if int(version) < OLDEST_POSTGRESQL:
            raise DatabaseUnusable(f"PostgreSQL 15 or newer is needed, this is {version}")
        lock(connection, ["schema"])  # several processes may start at once
        migrate(connection)
    return Database(writer, reader, alone=False, name=name)


def _calls_itself(name: str) -> str:
    return f"{APPLICATION} {name}"


def _wishes(name: str) -> dict[str, Any]:
    """For a connection of this process."""
    return {"connect_timeout": 10, "application_name": _calls_itself(name)}


def connect_sqlcipher(path: Path, key: bytes) -> Any:
    """A bare connection in autocommit mode with its key given raw; usable from any one thread at a time."""
    connection = sqlcipher.connect(str(path), isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"").close()
    return connection


def _engine(connect: Callable[[], Any], *, begin: str, pool_size: int, max_overflow: int) -> Engine:
    engine = create_engine(
        "sqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=30,
        query_cache_size=1000,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest version; nothing to do costs a few milliseconds.

    A schema newer than this program is refused by alembic (unknown revision).
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def lock(connection: Connection, names: Iterable[str]) -> None:
    """Holds these names until the transaction ends; waits for whoever holds one. Once in a transaction, before all else.

    SQLite needs none of it: its writer is alone. Two names may share a lock by their hash, and then only wait longer.
    """
    if connection.dialect.name != "postgresql":
        return
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    keys = sorted({int.from_bytes(digest, "big", signed=True) for digest in digests})
    connection.execute(_LOCK, {"keys": json.dumps(keys)})


def tell_others(connection: Connection) -> None:
    """Other processes hear of this transaction when it is committed; on SQLite there are none.

    Only transactions that hold the feed's head say so: PostgreSQL lets commits with notices wait for each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY, {"name": connection.info.get(_NAME, "")})


_NAME = "shelfpoint process"
_CHANNEL = "shelfpoint_feed"
_NOTIFY = text(f"SELECT pg_notify('{_CHANNEL}', :name)")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity "
    f"WHERE datname = current_database() AND application_name LIKE '{APPLICATION} %' AND application_name <> :own"
)
_LOCK = text(
    "SELECT pg_advisory_xact_lock(CAST(key AS bigint)) FROM json_array_elements_text(CAST(:keys AS json)) AS key"
)


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows, all with the same columns, or overwrites those with the same primary key."""
    write_rows(connection, table, rows, overwrite=True)


def survey(connection: Connection, *tables: Table) -> None:
    """Lets PostgreSQL count anew what these tables hold; a tenth of a second for each.

    Its own look comes up to a minute after a table has begun to grow, and until then it plans for what it believes a table
    never looked at to hold, which is very little: a file of a million rows does not wait for that. SQLite needs none of it.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def append_only(connection: Connection, table: str) -> None:
    """Lets the database itself refuse to change or delete rows of `table`. For migrations."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
            "ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


@contextmanager
def _translated() -> Iterator[None]:
    """What the disk or the file does to us becomes DatabaseUnusable; mistakes in a statement stay as they are."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _DEFEATED:
            raise Defeated(str(error.orig)) from error
        raise DatabaseUnusable(str(error.orig)) from error
    except NoConnectionFree as error:
        raise DatabaseUnusable("no connection to the database became free in time") from error
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) in _NOT_OURS:
            raise DatabaseUnusable(str(error.orig)) from error
        if type(error) is DatabaseError or isinstance(error, InterfaceError):  # "file is not a database", "malformed"
            raise DatabaseUnusable(str(error.orig)) from error
        raise
    except sqlcipher.DatabaseError as error:
        raise DatabaseUnusable(f"{error} (wrong key, or not a database of central)") from error
