"""Central's database: encrypted SQLite today; PostgreSQL is another `Engine` given to the same class.

Everything that only one of them says stands here: the key and the pragmas, BEGIN IMMEDIATE (one writer at a time, so a
writing transaction sees the newest rows and no other can come between), upserts, append-only triggers, migration at
start. Everywhere else is SQLAlchemy Core that both speak. SQLite before 3.51.3 is refused: its WAL can be corrupted by
two connections that write and checkpoint. Any thread may call; every call blocks, writers wait for each other.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Executable, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

OLDEST_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5000
FILE_NAME = "central.sqlite"

Row = Mapping[str, Any]


class DatabaseUnusable(Exception):
    """The database cannot be opened or used: wrong key, damaged, too old a library, disk full."""


class Database:
    """Transactions on one database. `read` sees one unchanging snapshot; `write` is alone."""

    def __init__(self, writer: Engine, reader: Engine, *, after_commit: Callable[[], None] = lambda: None) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = threading.Lock()  # writers of this process queue here, not in SQLite's polling busy handler
        self._after_commit = after_commit

    def on_commit(self, call: Callable[[], None]) -> None:
        """`call` follows every committed write, on the writer's thread."""
        self._after_commit = call

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot; never waits for a writer."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Alone until the block ends: committed to disk then, or rolled back by an exception."""
        with _translated(), self._turn, self._writer.begin() as connection:
            yield connection
        self._after_commit()

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

    writer = _engine(connect, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
    reader = _engine(connect, begin="BEGIN", pool_size=4, max_overflow=28)
    with _translated():
        path.touch(mode=0o600)
        with writer.connect() as connection:
            migrate(connection)
    return Database(writer, reader)


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


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows, all with the same columns, or overwrites those with the same primary key."""
    if not rows:
        return
    connection.execute(_upsert(connection.dialect.name, table, tuple(rows[0])), rows)


@cache
def _upsert(dialect: str, table: Table, columns: tuple[str, ...]) -> Executable:
    """Built once for each table: building costs more than running."""
    keys = [column.name for column in table.primary_key]
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changes = {name: insert.excluded[name] for name in columns if name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=changes)


def append_only(connection: Connection, table: str) -> None:
    """Lets the database itself refuse to change or delete rows of `table`. For migrations."""
    if connection.dialect.name != "sqlite":
        raise NotImplementedError("append-only triggers for PostgreSQL come with its issue")
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
        raise DatabaseUnusable(str(error.orig)) from error
    except DatabaseError as error:
        if type(error) is DatabaseError or isinstance(error, InterfaceError):  # "file is not a database", "malformed"
            raise DatabaseUnusable(str(error.orig)) from error
        raise
    except sqlcipher.DatabaseError as error:
        raise DatabaseUnusable(f"{error} (wrong key, or not a database of central)") from error
