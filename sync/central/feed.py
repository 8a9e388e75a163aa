"""The change feed to the kiosks: where each key last changed, read as state per key with tombstones.

A key (a membership, a card number, an item, a loan, a hold, a calendar, a policy, a member of staff, a library, a term)
stands in the feed once, at the position of its newest change; its state is read from its own table in the same snapshot,
and a key without state is a tombstone.
So a replica that reads on from its cursor ends at central's state, however late it comes, and a snapshot is nothing but
the feed read from the start without tombstones. Positions are given under the lock of the head's row, which is held
until the commit: they become visible in their order, so no reader can pass one that is still to be committed.

A page's `position` only moves when the replica has caught up: half-way through a backlog some keys are newer and some
are older than the last entry read. Card numbers and names never leave here in clear. Staff are told only to kiosks that
their grants reach; to the others they are tombstones, which say an opaque id. Any thread; blocking.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Connection, bindparam, delete, select, update

from kiosk.domain.holds import HoldState
from kiosk.domain.identity import CardKind
from kiosk.domain.lending import Standing
from kiosk.domain.staff import Permission, branch_scope, may
from sync.central import bulk, tables
from sync.central.database import Database, tell_others
from sync.central.keys import card_index, login_index
from sync.central.records import (
    AnyRow,
    calendar_entry,
    hold_entry,
    item_entry,
    library_entry,
    loan_entry,
    membership_entry,
    policy_entry,
    term_entry,
)
from sync.central.roster import members
from sync.wire import MAX_ENTRIES, CardEntry, FeedEntry, FeedPage, GoneEntry, StaffEntry, WireGrant

Kind = Literal["membership", "card", "item", "loan", "calendar", "policy", "hold", "staff", "library", "term"]
KINDS: tuple[Kind, ...] = get_args(Kind)

PRUNE_SLICE = 1000
"""Positions in one transaction."""

_HEAD = select(tables.feed_head.c.position, tables.feed_head.c.floor)
_HEAD_ALONE = _HEAD.with_for_update()
_MOVE_HEAD = update(tables.feed_head).values(position=bindparam("new_head"))
_EPOCH = select(tables.meta.c.value).where(tables.meta.c.key == "epoch")


class Marks:
    """Changed keys of one writing transaction, and the positions they get when it ends.

    Positions are given last, under the lock of the one row that holds the newest: so transactions judge side by side
    and only their commits wait for each other. Until `write` a position is a promise: a negative number.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._base: int | None = None
        self._count = 0
        self._marks: dict[tuple[Kind, str], int] = {}

    @property
    def here(self) -> int:
        """A promise of the position that everything marked so far will have reached; `placed` redeems it."""
        return -1 - self._count

    def add(self, kind: Kind, key: str) -> None:
        """This key has changed; the newest position is its own."""
        self._count += 1
        self._marks[kind, key] = self._count

    def add_all(self, kind: Kind, keys: Iterable[str]) -> None:
        """Many at once, for imports."""
        for key in keys:
            self.add(kind, key)

    def placed(self, position: int) -> int:
        """The position itself; a promise can be redeemed once the marks are written."""
        if position >= 0:
            return position
        if self._base is None:
            self._base = int(self._connection.execute(_HEAD).one().position)
        return self._base - 1 - position

    def write(self) -> None:
        """Into the feed; once, as the last thing but what needs positions."""
        if not self._marks:
            return
        base = self._base = int(self._connection.execute(_HEAD_ALONE).one().position)
        rows = [{"kind": kind, "key": key, "position": base + place} for (kind, key), place in self._marks.items()]
        bulk.write(self._connection, tables.feed, rows, overwrite=base != 0)
        self._connection.execute(_MOVE_HEAD, {"new_head": base + self._count})
        tell_others(self._connection)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a kiosk has read; opaque to it."""

    epoch: str
    """Of central when it was written; another epoch's cursor is worth nothing."""
    read: int
    """Every entry up to here was sent."""
    complete: int
    """The replica holds central's state as of here."""
    target: int = 0
    """While above `read`: a snapshot is being sent, up to here."""

    def text(self) -> str:
        """As the kiosk keeps it."""
        plain = f"1.{self.epoch}.{self.read}.{self.complete}.{self.target}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @staticmethod
    def parse(text: str | None) -> "Cursor | None":
        """None for anything that central did not write."""
        if not text or len(text) > 200:
            return None
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            return None
        match = re.fullmatch(r"1\.([0-9a-z]{1,40})\.(\d{1,18})\.(\d{1,18})\.(\d{1,18})", plain)
        return None if match is None else Cursor(match[1], int(match[2]), int(match[3]), int(match[4]))


@dataclass(frozen=True, slots=True)
class Reader:
    """The kiosk that a page is for."""

    index_key: bytes
    """Card numbers and logins are hashed with it."""
    branch: str
    """Where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries after a cursor, for one kiosk."""

    epoch: str
    cursor: str
    position: int
    more: bool
    snapshot: bool
    snapshot_begins: bool
    read: int
    """So far, of the way to `goal`."""
    goal: int
    """Where the snapshot, or the feed, ends now."""
    entries: list[FeedEntry]

    def told(self, now: datetime, held_through: int) -> FeedPage:
        """As the kiosk is answered; its log stands at central without a gap up to `held_through`."""
        return FeedPage(
            epoch=self.epoch,
            now=now,
            held_through=held_through,
            cursor=self.cursor,
            position=self.position,
            more=self.more,
            snapshot=self.snapshot,
            snapshot_begins=self.snapshot_begins,
            read=self.read,
            goal=self.goal,
            entries=self.entries,
        )


class Feed:
    """Reads pages for kiosks."""

    def __init__(self, database: Database, *, page_size: int = MAX_ENTRIES) -> None:
        self._database = database
        self._page_size = page_size

    def head(self) -> int:
        """The newest position."""
        with self._database.read() as connection:
            return int(connection.execute(_HEAD).one().position)

    def page(self, cursor_text: str | None, index_key: bytes, branch: str) -> Page:
        """What comes after the cursor; card numbers and logins hashed with this kiosk's index key, staff of its branch."""
        with self._database.read() as connection:
            epoch = connection.execute(_EPOCH).scalar_one()
            head, floor = connection.execute(_HEAD).one()
            cursor = Cursor.parse(cursor_text)
            begins = cursor is None or not _usable(cursor, epoch, head, floor)
            if cursor is None or begins:
                cursor = Cursor(epoch, read=0, complete=0, target=head)
            snapshot = begins or cursor.read < cursor.target
            last = cursor.target if snapshot else head
            position = tables.feed.c.position
            query = select(tables.feed).where(position > cursor.read, position <= last).order_by(position)
            rows = connection.execute(query.limit(self._page_size + 1)).all()
            cut = len(rows) > self._page_size
            rows = rows[: self._page_size]
            read = rows[-1].position if cut else last
            more = cut or read < head
            complete = cursor.complete if more else read
            after = Cursor(epoch, read, complete, cursor.target if read < cursor.target else 0)
            return Page(
                epoch=epoch,
                cursor=after.text(),
                position=complete,
                more=more,
                snapshot=snapshot,
                snapshot_begins=begins,
                read=read,
                goal=last,
                entries=list(_entries(connection, rows, Reader(index_key, branch), tombstones=not snapshot)),
            )

    def prune(self, *, before: int) -> None:
        """Forgets tombstones up to a position, in short transactions; a kiosk that has not read so far gets a snapshot."""
        while self._prune_slice(before):
            pass

    def _prune_slice(self, before: int) -> bool:
        feed = tables.feed
        with self._database.write() as connection:
            floor = int(connection.execute(_HEAD_ALONE).one().floor)  # nobody writes a change meanwhile
            end = min(floor + PRUNE_SLICE, before)
            if end <= floor:
                return False
            rows = connection.execute(select(feed).where(feed.c.position > floor, feed.c.position <= end)).all()
            for kind in KINDS:
                keys = [row.key for row in rows if row.kind == kind]
                gone = sorted(set(keys) - _states(connection, kind, keys, None).keys())
                if gone:
                    connection.execute(delete(feed).where(feed.c.kind == kind, feed.c.key.in_(gone)))
            connection.execute(update(tables.feed_head).values(floor=end))
            return True


def _usable(cursor: Cursor, epoch: str, head: int, floor: int) -> bool:
    if cursor.epoch != epoch or cursor.read > head or cursor.target > head or cursor.complete > cursor.read:
        return False
    return max(cursor.read, cursor.target) >= floor


def _entries(
    connection: Connection, rows: Sequence[AnyRow], reader: Reader, *, tombstones: bool
) -> Iterator[FeedEntry]:
    """States of these keys, in feed order."""
    states = {kind: _states(connection, kind, [row.key for row in rows if row.kind == kind], reader) for kind in KINDS}
    for row in rows:
        entry = states[row.kind].get(row.key)
        if entry is not None:
            yield entry
        elif tombstones:
            key = card_index(reader.index_key, row.key) if row.kind == "card" else row.key
            yield GoneEntry(kind=row.kind, key=key)


def _states(
    connection: Connection, kind: Kind, keys: Sequence[str], reader: Reader | None
) -> dict[str, FeedEntry | None]:
    """What stands under these keys now, for this reader; a key without state is missing."""
    if not keys:
        return {}
    if kind == "staff":
        return _staff(connection, keys, reader)
    table, key, make = _SOURCES[kind]
    query = table.where(key.in_(keys))
    return {row.feed_key: None if reader is None else make(row, reader.index_key) for row in connection.execute(query)}


def _staff(connection: Connection, keys: Sequence[str], reader: Reader | None) -> dict[str, FeedEntry | None]:
    own = tables.staff.c
    verifiers = {
        row.id: row.verifier for row in connection.execute(select(own.id, own.verifier).where(own.id.in_(keys)))
    }
    found: dict[str, FeedEntry | None] = {}
    for member in members(connection, keys):
        if member.disabled_at is not None:
            continue
        if reader is None:
            found[member.id] = None
            continue
        here = [one for one in member.grants if one.scope.covers(branch_scope(reader.branch))]
        if may(here, Permission.KIOSK_OPEN, branch_scope(reader.branch)):
            found[member.id] = StaffEntry(
                id=member.id,
                index=login_index(reader.index_key, member.login),
                verifier=verifiers[member.id],
                grants=[WireGrant(role=one.role.value, scope=str(one.scope)) for one in here],
            )
    return found


def _card(row: AnyRow, index_key: bytes) -> FeedEntry:
    return CardEntry(index=card_index(index_key, row.number), membership=row.membership, kind=CardKind(row.kind))


_m, _c, _i, _l, _b, _p, _h, _y, _t = (
    tables.membership,
    tables.card,
    tables.item,
    tables.loan,
    tables.branch,
    tables.policy,
    tables.hold,
    tables.library,
    tables.term,
)
_Make = Callable[[AnyRow, bytes], FeedEntry]
_makes: dict[str, _Make] = {
    "membership": lambda row, _: membership_entry(row),
    "card": _card,
    "item": lambda row, _: item_entry(row),
    "loan": lambda row, _: loan_entry(row),
    "calendar": lambda row, _: calendar_entry(row.calendar),
    "policy": lambda row, _: policy_entry(row.body),
    "hold": lambda row, _: hold_entry(row),
    "library": lambda row, _: library_entry(row),
    "term": lambda row, _: term_entry(row),
}
_SOURCES = {
    "membership": (
        select(_m, tables.person.c.name, _m.c.id.label("feed_key"))
        .join(tables.person, isouter=True)
        .where(_m.c.standing != Standing.CLOSED.value),
        _m.c.id,
        _makes["membership"],
    ),
    "card": (select(_c, _c.c.number.label("feed_key")).where(_c.c.active == 1), _c.c.number, _makes["card"]),
    "item": (select(_i, _i.c.id.label("feed_key")), _i.c.id, _makes["item"]),
    "loan": (
        select(_l, _l.c.act.label("feed_key")).where(_l.c.ended_by.is_(None), _l.c.membership.is_not(None)),
        _l.c.act,
        _makes["loan"],
    ),
    "calendar": (select(_b, _b.c.id.label("feed_key")), _b.c.id, _makes["calendar"]),
    "policy": (select(_p, _p.c.version.label("feed_key")).where(_p.c.current == 1), _p.c.version, _makes["policy"]),
    "hold": (
        select(_h, _h.c.id.label("feed_key")).where(_h.c.state.in_([one.value for one in HoldState if one.open])),
        _h.c.id,
        _makes["hold"],
    ),
    "library": (select(_y, _y.c.code.label("feed_key")), _y.c.code, _makes["library"]),
    "term": (select(_t, _t.c.key.label("feed_key")), _t.c.key, _makes["term"]),
}
