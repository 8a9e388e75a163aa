"""What an import does with rows of items and with rows of patrons: what is unique in them, whom they touch, how they count.

A column that the file does not have keeps its value in a record that is known; only records that differ are written and
reach the feed. Everything that a part of a file names is looked up in one statement whose keys travel as one list, and found by
index. Inside the caller's transaction.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from sync.central import tables
from sync.central.bulk import among
from sync.central.cards import ACTIVE, Claim, claims
from sync.central.database import upsert
from sync.central.records import AnyRow, item_row, membership_of
from sync.central.registry import Change, Patron, membership_row
from sync.wire import ItemEntry

_ITEMS = select(tables.item).where(among(tables.item.c.id)).order_by(tables.item.c.id).with_for_update()
_MEMBER = tables.membership.c
_LOCKED_MEMBERS = select(_MEMBER.id).where(among(_MEMBER.id)).order_by(_MEMBER.id).with_for_update()
_MEMBERS = (
    select(tables.membership, tables.person.c.name)
    .join(tables.person, tables.person.c.membership == _MEMBER.id, isouter=True)
    .where(among(_MEMBER.id))
)
_CARDS = select(tables.card.c.membership, tables.card.c.kind, tables.card.c.number).where(
    ACTIVE, among(tables.card.c.membership)
)


class Items:
    """Items; who has reserved one stays as it is."""

    name = "items"
    entry: type[Any] = ItemEntry
    tables = (tables.item, tables.feed)

    def claims(self, connection: Connection, entries: list[ItemEntry]) -> list[Claim]:
        """Items name no cards."""
        return []

    def keys(self, entry: ItemEntry) -> list[tuple[str, str]]:
        """Column and value of what may come only once in a file."""
        return [("id", entry.id)]

    def names(self, entry: ItemEntry) -> list[tuple[str, str]]:
        """Column and code of what must be known before."""
        return [("branch", entry.branch), ("item_type", entry.item_type)]

    def apply(self, change: Change, lines: list[tuple[ItemEntry, frozenset[str]]]) -> int:
        """Writes those that differ, in key order; how many they were."""
        table = tables.item
        held = change.connection.execute(_ITEMS, {"ids": [entry.id for entry, _ in lines]})
        before = {row.id: row._mapping for row in held}
        rows = []
        for entry, said in sorted(lines, key=lambda line: line[0].id):
            row = item_row(entry, change.now)
            del row["reserved_for"]
            was = before.get(entry.id)
            if was is not None:
                row |= {name: was[name] for name in row.keys() - said - {"missing_since"}}
                if row["state"] == was["state"]:
                    row["missing_since"] = was["missing_since"]
            if was is None or any(was[name] != value for name, value in row.items()):
                rows.append(row)
        upsert(change.connection, table, rows)
        change.items_changed([row["id"] for row in rows])
        return len(rows)


class Patrons:
    """Memberships with their cards; a card that the row does not name stays bound."""

    name = "patrons"
    entry: type[Any] = Patron
    tables = (tables.membership, tables.person, tables.card, tables.feed)

    def claims(self, connection: Connection, entries: list[Patron]) -> list[Claim]:
        """Cards of these rows that open another membership."""
        return claims(connection, entries)

    def keys(self, entry: Patron) -> list[tuple[str, str]]:
        """Column and value of what may come only once in a file."""
        return [("id", f"id {entry.id}"), *((kind.value, f"card {number}") for kind, number in entry.cards.items())]

    def names(self, entry: Patron) -> list[tuple[str, str]]:
        """Column and code of what must be known before."""
        return [("category", entry.category)]

    def apply(self, change: Change, lines: list[tuple[Patron, frozenset[str]]]) -> int:
        """Writes those that differ, in key order; how many they were."""
        ids = {"ids": [entry.id for entry, _ in lines]}
        run = change.connection.execute
        run(_LOCKED_MEMBERS, ids)
        before = {row.id: row for row in run(_MEMBERS, ids)}
        bound = {(row.membership, row.kind, row.number) for row in run(_CARDS, ids)}
        changed = []
        for entry, said in sorted(lines, key=lambda line: line[0].id):
            was = before.get(entry.id)
            if was is not None:
                entry = _filled(entry, said, was)
            row = membership_row(entry) | {"name": entry.name}
            same = was is not None and all(was._mapping[name] == value for name, value in row.items())
            if not same or not all((entry.id, kind.value, number) in bound for kind, number in entry.cards.items()):
                changed.append(entry)
        refused = change.patrons(changed)  # bound elsewhere since the file was checked
        return len(changed) - len({claim.claimer for claim in refused})


def _filled(entry: Patron, said: frozenset[str], was: AnyRow) -> Patron:
    """With what the file does not speak of as it was."""
    held = membership_of(was)
    names = {"standing", "expires_on", "suspended_until", "holds_suspended_until", "owed"} - said
    return replace(entry, **{name: getattr(held, name) for name in names})
