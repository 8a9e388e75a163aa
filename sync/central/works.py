"""The works that a batch of words touches: their copies, the acts on those, and the holds that they amount to.

Part of a ledger and alive as long as it. A work is loaded only if somebody ever waited for it or asks to now, so an item
for which nobody waits costs one look-up per batch. `settled` is where holds become rows: table `hold`, and
`item.reserved_for` of the copies set aside.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, literal_column, or_, select, update

from kiosk.domain.holds import HoldSettlement, HoldState, reserved
from kiosk.domain.lending import Item
from kiosk.domain.reconcile import Conflict
from kiosk.domain.values import ActId, ItemId, MembershipId, WorkId
from sync.central import tables
from sync.central.bulk import among
from sync.central.database import Defeated, upsert
from sync.central.feed import Marks
from sync.central.records import hold_of, hold_row
from sync.central.stored import COUNTS

_ITEM, _HOLD = tables.item.c, tables.hold.c
_WORKS = select(_ITEM.id, _ITEM.work).where(among(_ITEM.id))
_WAITED = exists().where(_HOLD.work == _ITEM.work)
_SET_ASIDE = exists().where(tables.act.c.item == _ITEM.id, tables.act.c.hold.is_not(None), COUNTS)
"""Also for a hold that a restore has lost."""
_CUT = exists().where(tables.work_cut.c.work == _ITEM.work)
"""Its acts must not pass by what is kept of it."""
_HELD = select(_ITEM.id, _ITEM.work, or_(_WAITED, _SET_ASIDE, _CUT).label("held")).where(among(_ITEM.id))
_COPIES = select(_ITEM.id, _ITEM.work).where(among(_ITEM.work))
_HOLDS = select(tables.hold).where(among(_HOLD.work))
_OPEN = select(_HOLD.id, _HOLD.membership).where(
    among(_HOLD.membership), _HOLD.state.in_(literal_column(f"'{one.value}'") for one in HoldState if one.open)
)
_RESERVE = update(tables.item).where(_ITEM.id == bindparam("copy")).values(reserved_for=bindparam("reader"))


def to_lock(connection: Connection, items: Iterable[str]) -> set[str]:
    """Works of these items as they are now, to be locked before they are loaded; SQLite's one writer needs none."""
    if connection.dialect.name != "postgresql":
        return set()
    return set(connection.execute(_WORKS, {"ids": sorted(set(items))}).scalars("work"))


class Works:
    """Works, holds and copies set aside."""

    def __init__(self, connection: Connection, marks: Marks, locked: set[str]) -> None:
        self._connection = connection
        self._marks = marks
        self._locked = locked
        self._of: dict[str, WorkId] = {}
        self._copies: dict[WorkId, list[ItemId]] = {}
        self._rows: dict[WorkId, dict[str, dict[str, Any]]] = {}
        self._open: dict[str, set[str]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._gone: set[str] = set()
        self._reserved: dict[ItemId, MembershipId | None] = {}
        self.conflicts: dict[WorkId, dict[str, Any]] = {}
        """Case id -> its `ledger_cases.State`."""

    def load(self, *, items: Iterable[str], asked: Iterable[str], memberships: Iterable[str]) -> list[str]:
        """Works of `items` for which somebody waits, and those of `asked`: a word about a hold, by one of `memberships`.

        Returns all copies of these works. Raises Defeated where an item has changed its work since it was locked.
        """
        run = self._connection.execute
        wanted = set(asked)
        works = set()
        for row in run(_HELD, {"ids": sorted(set(items))}):
            if self._connection.dialect.name == "postgresql" and row.work not in self._locked:
                raise Defeated(f"item {row.id} came or changed its work")
            if row.held or row.id in wanted:
                works.add(row.work)
        if not works:
            return []
        for row in run(_COPIES, {"ids": sorted(works)}):
            self._of[row.id] = row.work
            self._copies.setdefault(row.work, []).append(row.id)
        self._rows = {work: {} for work in works}
        self.conflicts = {work: {} for work in works}
        for row in run(_HOLDS, {"ids": sorted(works)}):
            self._rows[row.work][row.id] = hold_row(hold_of(row), row.work)
        if wanted:
            for row in run(_OPEN, {"ids": sorted(set(memberships))}):
                self._open.setdefault(row.membership, set()).add(row.id)
        return list(self._of)

    def check(self, item: str, work: str) -> None:
        """Once the item's row is locked. Raises Defeated where it has changed its work since `load`."""
        if self._of.get(item, work) != work:
            raise Defeated(f"item {item} changed its work")

    def of(self, item: str) -> WorkId | None:
        """The loaded work of an item."""
        return self._of.get(item)

    def copies(self, work: WorkId) -> list[ItemId]:
        """All its items."""
        return self._copies[work]

    def all_copies(self) -> Mapping[WorkId, list[ItemId]]:
        """Of every loaded work."""
        return self._copies

    def open_holds(self, membership: str | None) -> int:
        """How many works this membership waits for; known where it asks for another."""
        return len(self._open.get(membership or "", ()))

    def settled(
        self, work: WorkId, after: HoldSettlement, items: Mapping[str, Item], *, gone: ActId | None
    ) -> Iterator[tuple[ItemId, MembershipId | None]]:
        """Notes what the holds of a work are from now on; `gone` is a placing that no longer counts.

        Yields the copies that are reserved for somebody else than before, and for whom.
        """
        rows = self._rows[work]
        was = {row["item"]: row["membership"] for row in rows.values() if _open(row) and row["item"] is not None}
        for hold in after.holds:
            row = hold_row(hold, work)
            if rows.get(hold.id) != row:
                rows[hold.id] = self._changed[hold.id] = row
                self._gone.discard(hold.id)
                self._marks.add("hold", hold.id)
            own = self._open.setdefault(hold.membership, set())
            (own.add if hold.state.open else own.discard)(hold.id)
        if gone is not None and gone in rows:
            self._open.get(rows.pop(gone)["membership"], set()).discard(gone)
            self._changed.pop(gone, None)
            self._gone.add(gone)
            self._marks.add("hold", gone)
        now = reserved(after)
        for item in sorted(was.keys() | now.keys()):
            held = items.get(item)
            reader = now.get(item)
            if held is None or held.reserved_for == reader or (reader is None and held.reserved_for != was[item]):
                continue
            self._reserved[item] = reader
            self._marks.add("item", item)
            yield item, reader

    def write(self) -> None:
        """Holds and copies set aside, each in one statement."""
        if self._gone:
            self._connection.execute(delete(tables.hold).where(_HOLD.id.in_(sorted(self._gone))))
        upsert(self._connection, tables.hold, list(self._changed.values()))
        if self._reserved:
            rows = [{"copy": item, "reader": reader} for item, reader in sorted(self._reserved.items())]
            self._connection.execute(_RESERVE, rows)


def conflict_id(conflict: Conflict) -> str:
    """Of its case: the same for the same two acts."""
    return f"{conflict.reason.value}:{conflict.earlier}:{conflict.later}"


def _open(row: Mapping[str, Any]) -> bool:
    return HoldState(row["state"]).open
