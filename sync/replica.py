"""What the kiosk knows: state per key from central's feed, rebuildable, encrypted (C2, D5).

Two connections: `ReplicaWriter` belongs to the feed thread and writes in slices of at most a few hundred rows, so that
a scan never waits long; `Replica` belongs to the station and only reads. Card numbers stand here only as
HMAC-SHA256(index key, spelled number); the index key is never in a database.

A fresh snapshot is laid over what is known: each row carries the generation that named it last, and when the snapshot
is whole, rows of older generations go. Until then the old knowledge serves.

`ReplicaCare` is what both threads share about the file's health. Who meets a damaged page says so; the feed thread puts
the file aside and begins a new one, which central fills; the station opens both when it sees another generation. Until
the new one is whole, what can still be read of the one put aside serves: each page proves by its own code that it is
what was written, so readers and books on whole pages are known as before, and the others are not known.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import cast

import msgspec
import structlog

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold, HoldState
from kiosk.domain.identity import CardKind
from kiosk.domain.lending import Item, ItemState, Loan, Membership, Policy, Standing
from kiosk.domain.staff import BadGrant, Grant, Role, StaffId, parse_scope
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId, WorkId
from kiosk.ports import CardHit, LedgerError, LedgerReason
from sync.act_rows import micros, moment
from sync.encrypted import (
    Connection,
    checkpoint,
    connect_prepared,
    drop,
    fold,
    integrity,
    migrated,
    set_aside,
    sync_folder,
    transaction,
    translated,
)
from sync.replica_rows import SqlValue, row_of
from sync.wire import CalendarEntry, FeedEntry, FeedPage, GoneEntry, LibraryEntry, PolicyEntry

log = structlog.get_logger(__name__)

HEAD = "replica_0006"
FILE = "replica.db"
ASIDE = "damaged"
"""Mark in the name of a damaged file that is kept."""
FRESH = f"{FILE}.new"
"""A new file until it takes its place."""
SLICE = 250
"""Rows in one commit of the feed; about 5 ms on a small machine (DESIGN.md section 2: at most 10 ms)."""
CARD_PARTS = 8
"""In so many commits a snapshot's cards get into their table; no reader waits for them (WAL)."""
PAGES_BETWEEN_CHECKPOINTS = 8
"""While more pages are ready: a page of the file that several of them change is written once."""

_PLACE = "SELECT key, value FROM meta WHERE key IN ('epoch', 'position', 'fresh_at', 'heard_at')"
_KEYS = {
    "membership": "id",
    "card": "number_index",
    "item": "id",
    "loan": "act",
    "calendar": "branch",
    "policy": "version",
    "hold": "id",
    "staff": "id",
    "library": "code",
    "term": "key",
}


def prepare(folder: Path, key: bytes) -> None:
    """Make or migrate the file. Raises LedgerError."""
    migrated(folder / FILE, key, "replica", HEAD)


def forget(folder: Path) -> None:
    """Remove the file and what was kept beside it: after a wipe, and for another enrolment, whose index key is another.

    Gone from the disk when this returns.
    """
    parts = sorted(folder.glob(f"{FILE}*"))
    for part in parts:
        part.unlink()
    if parts:
        sync_folder(folder)


UNREADABLE = (LedgerReason.DAMAGED, LedgerReason.WRONG_KEY)
"""What a damaged page looks like; on the first page it cannot be told from another key."""


class ReplicaCare:
    """The file's health, for both threads."""

    def __init__(self, folder: Path, key: bytes, index_key: bytes) -> None:
        self._folder, self._key, self._index_key = folder, key, index_key
        self._whole = True
        """The file has held a whole snapshot, as far as anybody knows; a new one has not."""
        self._moving = threading.RLock()
        """Held while one file takes the place of another."""
        self.generation = 0
        """Counts the files; assignment is atomic."""
        self.damaged = False
        """Somebody met a page that cannot be read."""
        self.on_damage: Callable[[], None] = lambda: None
        """Called once, by whoever meets it: the feed thread may be waiting for central."""

    def prepare(self) -> None:
        """At start: make or migrate the file; one that cannot be read is put aside. Raises LedgerError."""
        try:
            prepare(self._folder, self._key)
            with closing(ReplicaWriter(self._folder, self._key)) as opened:
                self.filled(opened.place())
        except LedgerError as error:
            if not self.noticed(error):
                raise
            self._whole = not self._earlier_is_whole()  # nobody can say how far it was: only nothing is worth less
            self.begin_anew()

    def _earlier_is_whole(self) -> bool:
        """The file put aside holds a whole snapshot, as far as its place can be read."""
        earlier = self.earlier()
        if earlier is None:
            return False
        with closing(earlier):
            try:
                return earlier.place().whole
            except LedgerError as error:
                if error.reason not in UNREADABLE:
                    raise
                return False

    def noticed(self, error: LedgerError) -> bool:
        """True when this error means a damaged file, which is remembered; told once in the log."""
        if error.reason not in UNREADABLE:
            return False
        if not self.damaged:
            log.error("the replica is damaged and will be rebuilt from central", detail=error.detail)
            self.damaged = True
            self.on_damage()
        return True

    def filled(self, place: "Place") -> None:
        """How far the file is; the feed thread says it after each page."""
        self._whole = place.whole

    def proven(self) -> None:
        """Every page of the file was read: if it is whole, nobody needs what lies beside it. Feed thread only."""
        if self._whole and not self.damaged:
            drop(self._folder / f"{FILE}.{ASIDE}")

    def begin_anew(self) -> None:
        """Put the damaged file aside, in the place of the one before it, and make an empty one. Feed thread only.

        One that was never whole is dropped: the one before it knows more. The empty one is made first, under another name,
        so that a full disk leaves everything as it was. Raises LedgerError.
        """
        file, fresh = self._folder / FILE, self._folder / FRESH
        drop(fresh)
        migrated(fresh, self._key, "replica", HEAD)
        fold(fresh, self._key)
        with self._moving, translated(file):
            if self._whole:
                set_aside(file, ASIDE)
            else:
                drop(file)
            fresh.replace(file)
            self._whole = False
            self.damaged = False
            self.generation += 1

    def reader(self) -> "Replica":
        """The station's half of the file as it is now; waits while one takes the place of another. Raises LedgerError."""
        with self._moving:
            return Replica(self._folder, self._key, self._index_key)

    def again(self, generation: int) -> "Replica | None":
        """The damaged file opened once more; None once another one has taken its place, or is about to. Never waits."""
        if not self._moving.acquire(blocking=False):
            return None
        try:
            return self.reader() if generation == self.generation else None
        finally:
            self._moving.release()

    def earlier(self) -> "Replica | None":
        """The file put aside, to be read until the new one is whole; None without one that can be opened."""
        if not (self._folder / f"{FILE}.{ASIDE}").exists():
            return None
        try:
            return Replica(self._folder, self._key, self._index_key, f"{FILE}.{ASIDE}")
        except LedgerError as error:
            if error.reason not in UNREADABLE:
                raise
            return None


@dataclass(frozen=True, slots=True)
class Place:
    """How far the replica is."""

    epoch: str
    """Central's epoch that it follows; empty before the first page."""
    position: int
    """Feed position reached; -1 before the first whole snapshot; a later one moves it when it is whole."""
    fresh_at: datetime | None
    """Kiosk time when it was last known to lack nothing."""
    heard_at: datetime | None = None
    """Central's clock when it told the newest page."""

    @property
    def whole(self) -> bool:
        """A whole snapshot lies behind it."""
        return self.position >= 0


@dataclass(frozen=True, slots=True)
class StaffKnown:
    """A member of staff as the feed tells it."""

    id: StaffId
    verifier: str = field(repr=False)
    """argon2id, PHC string."""
    grants: tuple[Grant, ...]
    """Those that reach this kiosk, as far as this program knows their roles."""


class Replica:
    """The station's reading half. Every method may raise LedgerError."""

    def __init__(self, folder: Path, key: bytes, index_key: bytes, name: str = FILE) -> None:
        self._path = folder / name
        self._db = connect_prepared(self._path, key, durable=False)
        self._index_key = index_key

    def close(self) -> None:
        self._db.close()

    def place(self) -> Place:
        return _place(self._db, self._path)

    def filling(self) -> int | None:
        """As `ReplicaWriter.filling`."""
        return _filling(self._db, self._path)

    def card(self, number: str) -> CardHit | None:
        index = hmac.digest(self._index_key, number.encode(), hashlib.sha256)
        rows = self._read("SELECT membership, kind FROM card WHERE number_index = ?", index)
        return CardHit(MembershipId(str(rows[0][0])), CardKind(str(rows[0][1]))) if rows else None

    def membership(self, membership: MembershipId) -> Membership | None:
        rows = self._read(
            "SELECT id, category, standing, display_name, expires_on, suspended_until, owed, holds_suspended_until "
            "FROM membership WHERE id = ?",
            membership,
        )
        if not rows:
            return None
        identity, category, standing, name, expires, suspended, owed, no_holds = cast(
            "tuple[str, str, str, str, str | None, str | None, int, str | None]", rows[0]
        )
        return Membership(
            id=MembershipId(identity),
            category=category,
            standing=Standing(standing),
            display_name=name,
            expires_on=None if expires is None else date.fromisoformat(expires),
            suspended_until=None if suspended is None else date.fromisoformat(suspended),
            owed=owed,
            holds_suspended_until=None if no_holds is None else date.fromisoformat(no_holds),
        )

    def item(self, item: ItemId) -> Item | None:
        rows = self._read(
            "SELECT id, title, author, item_type, branch, state, desk_only, reserved_for, desensitise, work "
            "FROM item WHERE id = ?",
            item,
        )
        if not rows:
            return None
        identity, title, author, item_type, branch, state, desk_only, reserved, desensitise, work = cast(
            "tuple[str, str, str, str, str, str, int, str | None, int, str]", rows[0]
        )
        return Item(
            id=ItemId(identity),
            title=title,
            author=author,
            item_type=item_type,
            branch=BranchId(branch),
            state=ItemState(state),
            desk_only=bool(desk_only),
            reserved_for=None if reserved is None else MembershipId(reserved),
            desensitise=bool(desensitise),
            work=WorkId(work),
        )

    def loan_of(self, item: ItemId) -> Loan | None:
        """The item's open loan as the feed tells it."""
        loans = self._loans("item", item)
        return loans[-1] if loans else None

    def loans_of(self, membership: MembershipId) -> tuple[Loan, ...]:
        """A membership's open loans as the feed tells them."""
        return self._loans("membership", membership)

    def hold(self, hold: ActId) -> Hold | None:
        """An open hold."""
        holds = self._holds("id", hold)
        return holds[0] if holds else None

    def holds_on(self, work: WorkId) -> tuple[Hold, ...]:
        """Open holds on a work, in the order of placing."""
        return self._holds("work", work)

    def holds_of(self, membership: MembershipId) -> tuple[Hold, ...]:
        """A membership's open holds, in the order of placing."""
        return self._holds("membership", membership)

    def _holds(self, column: str, value: str) -> tuple[Hold, ...]:
        rows = self._read(
            "SELECT id, membership, asked, branch, placed_at, state, item, ready_until FROM hold "
            f"WHERE {column} = ? ORDER BY placed_at, id",
            value,
        )
        return tuple(
            Hold(
                id=ActId(identity),
                membership=MembershipId(membership),
                asked=ItemId(asked),
                branch=BranchId(branch),
                placed_at=moment(placed),
                state=HoldState(state),
                item=None if item is None else ItemId(item),
                ready_until=None if until is None else moment(until),
            )
            for identity, membership, asked, branch, placed, state, item, until in cast(
                "list[tuple[str, str, str, str, int, str, str | None, int | None]]", rows
            )
        )

    def staff(self, login: str) -> StaffKnown | None:
        """The member of staff with this login (as `spell_login` writes it) whose grants reach this kiosk."""
        index = hmac.digest(self._index_key, f"staff {login}".encode(), hashlib.sha256)
        rows = self._read("SELECT id, verifier, grants FROM staff WHERE login_index = ?", index)
        if not rows:
            return None
        id_, verifier, grants = cast("tuple[str, str, str]", rows[0])
        return StaffKnown(StaffId(id_), verifier, tuple(_grants(grants)))

    def policy(self) -> Policy | None:
        """The newest policy."""
        rows = self._read("SELECT body FROM policy ORDER BY position DESC LIMIT 1")
        return _policy(cast(bytes, rows[0][0])) if rows else None

    def calendar(self, branch: BranchId) -> Calendar:
        rows = self._read("SELECT body FROM calendar WHERE branch = ?", branch)
        return _calendar(cast(bytes, rows[0][0])) if rows else Calendar()

    def branch_name(self, branch: BranchId) -> str:
        """As shown; the code where the branch has no name."""
        rows = self._read("SELECT body FROM calendar WHERE branch = ?", branch)
        return _branch_name(cast(bytes, rows[0][0])) if rows else branch

    def library_name(self, branch: BranchId) -> str:
        """Of the library that the branch belongs to; empty where central has not said it."""
        rows = self._read("SELECT body FROM calendar WHERE branch = ?", branch)
        code = _library_of(cast(bytes, rows[0][0])) if rows else ""
        names = self._read("SELECT body FROM library WHERE code = ?", code)
        return msgspec.json.decode(cast(bytes, names[0][0]), type=LibraryEntry).name if names else ""

    def _loans(self, column: str, value: str) -> tuple[Loan, ...]:
        rows = self._read(
            f"SELECT act, membership, item, lent_at, due_at, renewals FROM loan WHERE {column} = ? ORDER BY lent_at",
            value,
        )
        return tuple(
            Loan(
                act_id=ActId(act),
                membership=MembershipId(membership),
                item=ItemId(item),
                lent_at=moment(lent),
                due_at=moment(due),
                renewals=renewals,
            )
            for act, membership, item, lent, due, renewals in cast("list[tuple[str, str, str, int, int, int]]", rows)
        )

    def _read(self, query: str, *parameters: object) -> Sequence[tuple[object, ...]]:
        with translated(self._path):
            return cast("list[tuple[object, ...]]", self._db.execute(query, parameters).fetchall())


class ReplicaWriter:
    """The feed thread's writing half. Every method may raise LedgerError; a page applied twice changes nothing."""

    def __init__(self, folder: Path, key: bytes, program: str = "") -> None:
        """`program`: its version. What an older one had to pass over in the feed, another one asks for again."""
        self._path = folder / FILE
        self._db = connect_prepared(self._path, key, durable=False)
        self._pages = 0
        self._program = program

    def close(self) -> None:
        self._db.close()

    def place(self) -> Place:
        return _place(self._db, self._path)

    def cursor(self) -> str:
        """Where to go on; empty = from the start."""
        passed_over_by = _meta(self._db, self._path, "passed_over_by")
        if passed_over_by is not None and passed_over_by != self._program:
            return ""
        return _meta(self._db, self._path, "cursor") or ""

    def apply(self, page: FeedPage, kiosk_now: datetime) -> None:
        """Apply one page in slices; the cursor moves with the last slice, so a crash repeats the page."""
        generation = int(_meta(self._db, self._path, "generation") or 0)
        if page.snapshot_begins:
            generation += 1
            with transaction(self._db, self._path):
                self._note(generation=str(generation), cursor="", snapshot="1")
                self._db.execute("DELETE FROM meta WHERE key = 'passed_over_by'")
                self._db.execute("DELETE FROM card_staged")
        if not page.snapshot:
            self._unstage(generation)
        for first in range(0, len(page.entries), SLICE):
            with transaction(self._db, self._path):
                self._write(page.entries[first : first + SLICE], generation, page.position, staged=page.snapshot)
        ends = not page.more and _meta(self._db, self._path, "snapshot") == "1"
        if ends:
            self._unstage(generation)
            self._forget_older_than(generation)
        with transaction(self._db, self._path):
            if page.passed_over:
                self._note(passed_over_by=self._program)
            if page.more and _meta(self._db, self._path, "snapshot") == "1":
                self._note(cursor=page.cursor)
            else:
                self._note(cursor=page.cursor, epoch=page.epoch, position=str(page.position), snapshot="0")
            self._note(read=str(page.read), goal=str(page.goal))
            self._note(heard_at=str(micros(page.now)))
            if not page.more:
                self._note(fresh_at=str(micros(kiosk_now)))
        self._pages += 1
        if not page.more or self._pages % PAGES_BETWEEN_CHECKPOINTS == 0:
            checkpoint(self._db, self._path)

    def filling(self) -> int | None:
        """How much of a snapshot is here, in per cent; None while none is being taken, or central does not tell."""
        return _filling(self._db, self._path)

    def check(self, now: datetime) -> None:
        """Read every page and prove that it is what was written, and note when; seconds on a large file."""
        integrity(self._db, self._path)
        with transaction(self._db, self._path):
            self._note(checked_at=str(micros(now)))

    def checked_at(self) -> datetime | None:
        """Kiosk time of the last `check`."""
        checked = _meta(self._db, self._path, "checked_at")
        return None if checked is None else moment(int(checked))

    def _write(self, entries: Sequence[FeedEntry], generation: int, position: int, *, staged: bool) -> None:
        """Each table's rows in one go; entries of different keys may change places, those of one key never do."""
        rows: dict[str, list[tuple[SqlValue, ...]]] = {}
        for entry in entries:
            if isinstance(entry, GoneEntry):
                self._insert(rows, generation)
                key = bytes.fromhex(entry.key) if entry.kind == "card" else entry.key
                self._db.execute(f"DELETE FROM {entry.kind} WHERE {_KEYS[entry.kind]} = ?", (key,))
                continue
            table, row = row_of(entry, position)
            if table == "policy":  # one counts; pages of one backlog share their position
                self._db.execute("DELETE FROM policy")
                rows.pop(table, None)
            rows.setdefault("card_staged" if staged and table == "card" else table, []).append(row)
        self._insert(rows, generation)

    def _insert(self, rows: dict[str, list[tuple[SqlValue, ...]]], generation: int) -> None:
        for table, found in rows.items():
            places = ", ".join("?" * len(found[0]))
            last = "" if table == "card_staged" else f", {generation}"
            self._db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places}{last})", found)
        rows.clear()

    def _unstage(self, generation: int) -> None:
        """The snapshot's cards into their table, in the order of their keys."""
        with translated(self._path):
            if self._db.execute("SELECT 1 FROM card_staged LIMIT 1").fetchone() is None:
                return
        for first in range(0, 256, 256 // CARD_PARTS):
            last = bytes((first + 256 // CARD_PARTS - 1,)) + b"\xff" * 32
            with transaction(self._db, self._path):
                self._db.execute(
                    "INSERT OR REPLACE INTO card SELECT number_index, membership, kind, ? FROM card_staged "
                    "WHERE number_index BETWEEN ? AND ? ORDER BY number_index, rowid",
                    (generation, bytes((first,)), last),
                )
        with transaction(self._db, self._path):
            self._db.execute("DELETE FROM card_staged")

    def _forget_older_than(self, generation: int) -> None:
        for table, key in _KEYS.items():
            while True:
                with transaction(self._db, self._path):
                    gone = self._db.execute(
                        f"DELETE FROM {table} WHERE {key} IN "
                        f"(SELECT {key} FROM {table} WHERE generation < ? LIMIT {SLICE})",
                        (generation,),
                    ).rowcount
                if gone < SLICE:
                    break

    def _note(self, **values: str) -> None:
        self._db.executemany(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", values.items()
        )


def _grants(text: str) -> Iterator[Grant]:
    for role, scope in json.loads(text):
        if role in list(Role):
            with suppress(BadGrant):
                yield Grant(Role(role), parse_scope(scope))


@lru_cache(maxsize=4)
def _policy(body: bytes) -> Policy:
    return msgspec.json.decode(body, type=PolicyEntry).policy()


@lru_cache(maxsize=64)
def _branch_name(body: bytes) -> str:
    entry = msgspec.json.decode(body, type=CalendarEntry)
    return entry.name or entry.branch


@lru_cache(maxsize=64)
def _library_of(body: bytes) -> str:
    return msgspec.json.decode(body, type=CalendarEntry).library


@lru_cache(maxsize=64)
def _calendar(body: bytes) -> Calendar:
    return msgspec.json.decode(body, type=CalendarEntry).calendar()


def _place(db: Connection, path: Path) -> Place:
    with translated(path):
        meta = dict(db.execute(_PLACE).fetchall())
    fresh, heard = meta.get("fresh_at"), meta.get("heard_at")
    return Place(
        epoch=meta.get("epoch", ""),
        position=int(meta.get("position", -1)),
        fresh_at=None if fresh is None else moment(int(fresh)),
        heard_at=None if heard is None else moment(int(heard)),
    )


def _filling(db: Connection, path: Path) -> int | None:
    with translated(path):
        meta = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('snapshot', 'read', 'goal')").fetchall())
    goal = int(meta.get("goal", 0))
    if meta.get("snapshot") != "1" or goal <= 0:
        return None
    return min(99, 100 * int(meta.get("read", 0)) // goal)


def _meta(db: Connection, path: Path, key: str) -> str | None:
    with translated(path):
        row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
