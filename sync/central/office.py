"""Central in one object: its database, and one capability per attribute. What `http`, the command line and tests hold.

`Central.open` makes key, database and epoch at first start. It runs no thread of its own.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from sync.central import tables
from sync.central.audit_log import AuditLog
from sync.central.bell import Bell
from sync.central.branches import Branches
from sync.central.database import FILE_NAME, Database, lock, open_postgresql, open_sqlite
from sync.central.feed import Feed, Marks
from sync.central.fleet import Fleet
from sync.central.holdings import Holdings
from sync.central.holds import Holds
from sync.central.imports import Imports
from sync.central.in_use import Use, use
from sync.central.inbox import Inbox
from sync.central.key_copy import KeyCopy
from sync.central.keys import KeyFileUnusable, RootKey, load_or_make
from sync.central.limits import Limits
from sync.central.passwords import Passwords
from sync.central.periodic import Chore, Periodic
from sync.central.registry import Change, Registry
from sync.central.retention import Retention
from sync.central.sessions import Sessions
from sync.central.staff import Staff
from sync.central.terms import TermKind, term
from sync.central.tombstones import Tombstones
from sync.central.transport import Transport
from sync.central.worklist import Worklist

EXPIRE_EVERY = timedelta(minutes=15)
"""Holds end with a day, so a few minutes past midnight is soon enough."""
UNLINK_EVERY = timedelta(days=1)
SWEEP_EVERY = timedelta(hours=1)

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)


class OwnFiles(Exception):
    """What should be written would stand among central's own files, or over its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralSettings:
    """Where central keeps its things and where it listens."""

    data: Path
    """Folder of the database; with PostgreSQL only the place that the key's name follows from."""
    database: str | None = field(default=None, repr=False)
    """postgresql://user@host/name; None: SQLite in `data`."""
    key_file: Path | None = None
    """The root key; must lie outside `data`. None: beside it, with the same name and `.key`."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8470
    """0 picks a free one."""
    ready_file: Path | None = None
    """Gets the address once central answers."""

    def root_key_file(self) -> Path:
        """Raises KeyFileUnusable when it would lie among the data."""
        data = self.data.absolute()
        path = data.with_name(data.name + ".key") if self.key_file is None else self.key_file.absolute()
        if path.is_relative_to(data):
            raise KeyFileUnusable(f"{path}: the key must lie outside the data folder {data}")
        return path

    def outside(self, target: Path) -> Path:
        """`target`, which must not be among what central works with. Raises OwnFiles."""
        real = target.resolve()
        if real.is_relative_to(self.data.resolve()):
            raise OwnFiles(f"{target}: this is in central's data folder; name a place outside, best on another disk")
        if real == self.root_key_file().resolve():
            raise OwnFiles(f"{target}: this is central's root key; name another place")
        return target


class Central:
    """All of central, opened."""

    def __init__(
        self, database: Database, root_key: RootKey, clock: Clock, passwords: Passwords | None = None,
        used: Use | None = None,
    ) -> None:  # fmt: skip
        feed = Feed(database)
        self._used = used
        self.clock = clock
        self.database = database
        self.feed = feed
        self.fleet = Fleet(database, root_key, clock)
        self.key_copy = KeyCopy(database, root_key, clock)
        self.inbox = Inbox(database, clock)
        self.registry = Registry(database, clock)
        self.branches = Branches(database, clock)
        self.holdings = Holdings(database)
        self.worklist = Worklist(database, clock)
        self.audit = AuditLog(database)
        self.staff = Staff(database, clock, passwords)
        self.sessions = Sessions(database, self.staff, clock)
        self.limits = Limits(database, clock)
        self.transport = Transport(database, clock)
        self.retention = Retention(database, self.registry, clock)
        self.holds = Holds(database, self.inbox, clock)
        self.imports = Imports(database, self.registry, clock)
        self.periodic = Periodic(
            database,
            clock,
            [
                Chore("expire holds", EXPIRE_EVERY, self.holds.expire),
                Chore("unlink", UNLINK_EVERY, self.retention.run),
                Chore("forget what is gone", UNLINK_EVERY, Tombstones(database, feed, clock).forget_old),
                Chore("forget sessions", SWEEP_EVERY, self.sessions.forget_old),
                Chore("forget knocks", SWEEP_EVERY, self.limits.forget_old),
            ],
        )
        self.bell = Bell()
        database.on_commit(self.bell.ring)

    @classmethod
    def open(
        cls, settings: CentralSettings, *, clock: Clock = system_clock, passwords: Passwords | None = None
    ) -> "Central":
        """Opens or makes it. Blocking, about a tenth of a second. Raises KeyFileUnusable, DatabaseUnusable, InUse."""
        with contextlib.ExitStack() as undoing:
            used = None
            if settings.database is None:
                key_file = settings.root_key_file()
                used = use(settings.data)
                undoing.callback(used.end)
                first = not (settings.data / FILE_NAME).exists()
                root_key = load_or_make(key_file, make=first)
                database = open_sqlite(settings.data, root_key.database_key())
                undoing.callback(database.close)
            else:
                database = open_postgresql(settings.database)
                undoing.callback(database.close)
                root_key = _key_beside(database, settings)
            with database.write() as connection:
                lock(connection, ["first start"])
                _first_rows(connection)
            undoing.pop_all()
            return cls(database, root_key, clock, passwords, used)

    def epoch(self) -> str:
        """Renewed by a restore; every answer names it."""
        with self.database.read() as connection:
            return str(connection.execute(_EPOCH).scalar_one())

    def renew_epoch(self) -> str:
        """After a restore: kiosks read the feed from the start and tell again what this database may have lost."""
        epoch = new_epoch()
        with self.database.write() as connection:
            connection.execute(update(tables.meta).where(tables.meta.c.key == "epoch").values(value=epoch))
            Change(connection, "command line", self.clock()).audit("epoch renewed", epoch)
        return epoch

    def close(self) -> None:
        """Ends long polls and database connections."""
        self.bell.close()
        self.database.close()
        if self._used is not None:
            self._used.end()


_EPOCH = select(tables.meta.c.value).where(tables.meta.c.key == "epoch")


def new_epoch() -> str:
    """Twelve hex digits, never given before."""
    return secrets.token_hex(6)


def _key_beside(database: Database, settings: CentralSettings) -> RootKey:
    """Made only for an empty database. One that holds something knows its key's fingerprint and takes no other."""
    with database.write() as connection:
        lock(connection, ["first start"])
        row = tables.meta.c
        known = connection.execute(select(row.value).where(row.key == "key")).scalar()
        root_key = load_or_make(settings.root_key_file(), make=known is None)
        if known is None:
            connection.execute(insert(tables.meta).values(key="key", value=root_key.fingerprint()))
        elif known != root_key.fingerprint():
            raise KeyFileUnusable(f"{settings.root_key_file()}: this is not the key that belongs to the database")
    return root_key


def _first_rows(connection: Connection) -> None:
    if connection.execute(_EPOCH).one_or_none() is None:
        connection.execute(insert(tables.meta).values(key="epoch", value=new_epoch()))
        connection.execute(insert(tables.feed_head).values(id=1, position=0, floor=0))
        book = term(TermKind.ITEM_TYPE, "book", "圖書", "Book")  # what an item is whose record names no type
        connection.execute(insert(tables.term).values(key=book.key, zh=book.zh, en=book.en))
        marks = Marks(connection)
        marks.add("term", book.key)
        marks.write()
