"""What the feed tells each kiosk in its own way: card numbers as its keyed hashes, staff whose grants reach its branch.

`feed.stretch` reads the states once, for all kiosks; `own_entries` makes one kiosk's entries of them. Promises that a card
number and a login leave here only as a keyed hash. Any thread; reading blocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from kiosk.domain.identity import CardKind
from kiosk.domain.staff import Grant, Permission, branch_scope, may
from sync.central import tables
from sync.central.keys import card_index, login_index
from sync.central.roster import members
from sync.wire import CardEntry, FeedEntry, GoneEntry, StaffEntry, WireGrant

OWN: frozenset[str] = frozenset(("card", "staff"))


@dataclass(frozen=True, slots=True)
class Reader:
    """The kiosk that a page is for."""

    index_key: bytes
    """Card numbers and logins are hashed with it."""
    branch: str
    """Where it stands."""


class CardState(Struct, frozen=True, array_like=True, tag="card"):
    """A card number, and what it opens."""

    key: str
    """The number, spelled."""
    membership: str | None
    """None: it opens nothing any more."""
    kind: CardKind | None
    ref: str = ""
    """Opaque, of this binding."""

    @property
    def alive(self) -> bool:
        return self.membership is not None

    def entry(self, reader: Reader) -> FeedEntry | None:
        """As this kiosk is told; None: as a tombstone, if at all."""
        if self.membership is None or self.kind is None:
            return None
        index = card_index(reader.index_key, self.key)
        return CardEntry(index=index, membership=self.membership, kind=self.kind, id=self.ref)

    def gone(self, reader: Reader) -> GoneEntry:
        return GoneEntry(kind="card", key=card_index(reader.index_key, self.key))


class StaffState(Struct, frozen=True, array_like=True, tag="staff"):
    """A member of staff."""

    key: str
    """Opaque id."""
    login: str = ""
    """Empty: disabled, or never there."""
    verifier: str = ""
    grants: tuple[Grant, ...] = ()

    @property
    def alive(self) -> bool:
        return self.login != ""

    def entry(self, reader: Reader) -> FeedEntry | None:
        """Only to kiosks that the grants reach."""
        here = [one for one in self.grants if one.scope.covers(branch_scope(reader.branch))]
        if not self.alive or not may(here, Permission.KIOSK_OPEN, branch_scope(reader.branch)):
            return None
        return StaffEntry(
            id=self.key,
            index=login_index(reader.index_key, self.login),
            verifier=self.verifier,
            grants=[WireGrant(role=one.role.value, scope=str(one.scope)) for one in here],
        )

    def gone(self, reader: Reader) -> GoneEntry:
        return GoneEntry(kind="staff", key=self.key)


Own = CardState | StaffState


def own_states(connection: Connection, wanted: Sequence[tuple[Literal["card", "staff"] | str, str]]) -> list[Own]:
    """What stands under these keys (kind and key), in their order."""
    numbers = [key for kind, key in wanted if kind == "card"]
    cards = {state.key: state for state in _cards(connection, numbers)} if numbers else {}
    ids = [key for kind, key in wanted if kind == "staff"]
    staff = {state.key: state for state in _staff(connection, ids)} if ids else {}
    return [
        cards.get(key, CardState(key, None, None)) if kind == "card" else staff.get(key, StaffState(key))
        for kind, key in wanted
    ]


def own_entries(states: Iterable[Own], reader: Reader, *, tombstones: bool) -> Iterator[FeedEntry]:
    """As one kiosk is told of them."""
    for state in states:
        entry = state.entry(reader)
        if entry is not None:
            yield entry
        elif tombstones:
            yield state.gone(reader)


def _cards(connection: Connection, numbers: Sequence[str]) -> Iterator[CardState]:
    own = tables.card.c
    for row in connection.execute(select(tables.card).where(own.active == 1, own.number.in_(numbers))):
        yield CardState(row.number, row.membership, CardKind(row.kind), row.ref)


def _staff(connection: Connection, ids: Sequence[str]) -> Iterator[StaffState]:
    own = tables.staff.c
    found = connection.execute(select(own.id, own.verifier).where(own.id.in_(ids)))
    verifiers = {row.id: row.verifier for row in found}
    for member in members(connection, ids):
        if member.disabled_at is None:
            yield StaffState(member.id, member.login, verifiers[member.id], tuple(member.grants))
