"""One card number opens one membership at a time (A1): who else has a number that a record claims, and the case it becomes.

A number is never moved from one membership to another because a record says so; a person finds out whose card it is. Only
where the same import gives the holder another card of that kind is the old number free (`Patron.moved_from`). The case
names both memberships by their opaque ids and the kind of card, never the number. Inside the caller's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection, literal_column, select

from kiosk.domain.cards import Binding
from kiosk.domain.identity import CardKind
from kiosk.domain.values import CardId, MembershipId, Reason
from sync.central import tables
from sync.central.bulk import among, write
from sync.central.records import AnyRow, details_text, moment

_CARD = tables.card.c
ACTIVE = _CARD.active == literal_column("1")
"""Spelled as the indexes of active cards spell it."""
HELD = select(_CARD.number, _CARD.membership, _CARD.kind).where(ACTIVE, among(_CARD.number))
"""Who holds these numbers."""
_KNOWN = select(tables.case.c.id).where(among(tables.case.c.id))


_NAMED = select(tables.card).where(among(_CARD.ref))
_ALIKE = select(tables.card).where(among(_CARD.number))
_ALIKE_NOW = _ALIKE.where(ACTIVE)
_ALIKE_ENDED = _ALIKE.where(_CARD.active == literal_column("0"), _CARD.ended_at.is_not(None))


class Claimer(Protocol):
    """A record that names cards."""

    @property
    def id(self) -> str:
        """Membership."""

    @property
    def cards(self) -> Mapping[CardKind, str]:
        """Numbers that are to open it."""

    @property
    def moved_from(self) -> Mapping[str, str]:
        """Numbers that it may take, and from whom."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A card that one membership claims and another holds."""

    claimer: str
    """Membership that was to get it."""
    kind: CardKind
    """As the claimer's record calls it."""
    number: str = field(repr=False)
    """Spelled."""
    holder: str
    """Membership that it opens."""
    held_as: CardKind
    """Its kind there."""


def claims(connection: Connection, records: Sequence[Claimer]) -> list[Claim]:
    """Every number of these records that opens another membership, unless the record may take it from there."""
    wanted = {number: (record, kind) for record in records for kind, number in record.cards.items()}
    found = []
    for row in connection.execute(HELD.order_by(_CARD.number), {"ids": sorted(wanted)}):
        record, kind = wanted[row.number]
        if row.membership not in (record.id, record.moved_from.get(row.number)):
            found.append(Claim(record.id, kind, row.number, row.membership, CardKind(row.kind)))
    return found


def open_cases(connection: Connection, refused: Sequence[Claim], *, who: str, now: int) -> None:
    """One case for each claimer, holder and kind, however often it comes up; one that a person has closed stays closed."""
    rows = {
        f"{Reason.CARD_BOUND_TO_ANOTHER.value}:{claim.holder}:{claim.claimer}:{claim.kind.value}": claim
        for claim in refused
    }
    for id_ in connection.execute(_KNOWN, {"ids": sorted(rows)}).scalars().all():
        del rows[id_]
    write(connection, tables.case, [_row(id_, claim, who, now) for id_, claim in sorted(rows.items())], overwrite=False)


def _row(id_: str, claim: Claim, who: str, now: int) -> dict[str, object]:
    return {
        "id": id_,
        "reason": Reason.CARD_BOUND_TO_ANOTHER.value,
        "act": who,
        "membership": claim.claimer,
        "details": details_text({"other": claim.holder, "kind": claim.kind.value}),
        "opened_at": now,
    }


def bindings(connection: Connection, refs: Iterable[str]) -> dict[CardId, tuple[Binding, ...]]:
    """All that the numbers of these cards were ever bound to, of each card that is known; in three queries at most.

    Of a card that still opens what it did, nothing else is looked up: no act can have come after its end.
    """
    wanted = sorted(set(refs))
    if not wanted:
        return {}
    named = connection.execute(_NAMED, {"ids": wanted}).all()
    ended = sorted({row.number for row in named if row.ended_at is not None})
    alike: dict[str, dict[int, AnyRow]] = {row.number: {} for row in named}
    rows = list(named)
    if ended:
        for query in (_ALIKE_NOW, _ALIKE_ENDED):
            rows += connection.execute(query, {"ids": ended}).all()
    for row in rows:
        alike[row.number][row.id] = row
    found = {number: tuple(map(_binding, own.values())) for number, own in alike.items()}
    return {CardId(row.ref): found[row.number] for row in named}


def _binding(row: AnyRow) -> Binding:
    return Binding(
        id=CardId(row.ref),
        membership=MembershipId(row.membership),
        since=None if row.bound_at is None else moment(row.bound_at),
        until=None if row.ended_at is None else moment(row.ended_at),
    )
