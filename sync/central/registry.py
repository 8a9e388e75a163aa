"""The library's own records: libraries, branches, terms, policies, memberships and their cards, items; all reach the feed.

One `Change` is one transaction: rows, feed positions and audit lines are committed together or not at all. The audit
names a person only by membership id. Any thread; blocking.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kiosk.domain.identity import CardKind
from kiosk.domain.lending import Standing
from kiosk.domain.values import Detail
from sync.central import tables
from sync.central.bulk import among, write
from sync.central.cards import ACTIVE, HELD, Claim, claims, open_cases
from sync.central.database import Database, lock, upsert
from sync.central.feed import Marks
from sync.central.places import UnknownRecord
from sync.central.policies import BadPolicy, unknown_names
from sync.central.records import body_of, details_text, item_row, microseconds, policy_entry
from sync.central.terms import known_names
from sync.wire import CalendarEntry, ItemEntry, LibraryEntry, PolicyEntry, TermEntry

_HOLD, _CARD = tables.hold.c, tables.card.c
_WORK = select(tables.item.c.work).where(tables.item.c.id == _HOLD.asked).scalar_subquery()
_MOVED = update(tables.hold).where(among(_HOLD.asked), _HOLD.work != _WORK).values(work=_WORK).returning(_HOLD.id)
_CUT_ANEW = delete(tables.work_cut).where(
    tables.work_cut.c.work.in_(select(tables.item.c.work).where(among(tables.item.c.id)))
)
"""A work that got or lost a copy is read whole the next time."""
_BOUND = select(_CARD.id, _CARD.number, _CARD.membership, _CARD.kind).where(ACTIVE)
_BY_NUMBER, _BY_MEMBERSHIP = _BOUND.where(among(_CARD.number)), _BOUND.where(among(_CARD.membership))
"""Two looks: asked for either in one, SQLite reads every active card."""
_ENDED = update(tables.card).where(among(_CARD.id, "cards")).values(active=0, ended_at=bindparam("now"))


REF_BYTES = 10
"""Of the random id by which kiosks and acts name a binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patron:
    """A membership with the person who holds it and the cards that open it."""

    id: str
    """Opaque membership id."""
    name: str = field(repr=False)
    """Full name; stays at central."""
    category: str
    """Chooses the policy."""
    standing: Standing = Standing.ACTIVE
    """State."""
    expires_on: date | None = None
    """Last valid day."""
    suspended_until: date | None = None
    """Last day without borrowing."""
    owed: int = 0
    """Whole NT$."""
    holds_suspended_until: date | None = None
    """Last day without reserving, where it is another one."""
    cards: Mapping[CardKind, str] = field(default_factory=dict, repr=False)
    """Spelled numbers; at most one of each kind."""
    moved_from: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Number: the membership that gives it up, because it gets another card of that kind in the same import."""


class Change:
    """Changes of one transaction."""

    def __init__(self, connection: Connection, who: str, now: datetime) -> None:
        self.connection = connection
        self.marks = Marks(connection)
        self._who = who
        self.now = microseconds(now)
        """Of this transaction."""

    def audit(self, what: str, subject: str, details: Mapping[str, Detail] | None = None) -> None:
        """One line that nobody can change any more."""
        row = {"at": self.now, "who": self._who, "what": what, "subject": subject}
        self.connection.execute(insert(tables.audit).values(**row, details=details_text(details or {})))

    def library(self, entry: LibraryEntry) -> None:
        """A library that branches belong to."""
        upsert(self.connection, tables.library, [{"code": entry.code, "name": entry.name, "kind": entry.kind}])
        self.marks.add("library", entry.code)
        self.audit("library set", entry.code)

    def branch(
        self, entry: CalendarEntry, what: str = "branch set", details: Mapping[str, Detail] | None = None
    ) -> None:
        """A branch and its opening calendar; `what`: for the audit."""
        upsert(self.connection, tables.branch, [{"id": entry.branch, "calendar": body_of(entry)}])
        self.marks.add("calendar", entry.branch)
        self.audit(what, entry.branch, details)

    def term(self, entry: TermEntry) -> None:
        """A patron category or an item type."""
        upsert(self.connection, tables.term, [{"key": entry.key, "zh": entry.zh, "en": entry.en}])
        self.marks.add("term", entry.key)
        self.audit("term set", entry.key)

    def policy(self, entry: PolicyEntry) -> None:
        """These rules hold from now on; the versions before stay known but are current no more.

        Raises BadPolicy where they name a category, an item type or a branch that nobody knows.
        """
        unknown = list(unknown_names(entry, known_names(self.connection)))
        if unknown:
            raise BadPolicy(unknown)
        policy = tables.policy
        before = select(policy.c.version).where(policy.c.current == 1)
        self.marks.add_all("policy", self.connection.execute(before).scalars())
        self.connection.execute(update(policy).where(policy.c.current == 1).values(current=0))
        row = {"version": entry.policy_version, "body": body_of(entry), "set_at": self.now, "current": 1}
        upsert(self.connection, policy, [row])
        self.marks.add("policy", entry.policy_version)
        self.audit("policy set", entry.policy_version)

    def items(self, entries: Sequence[ItemEntry]) -> None:
        """New or changed items; who has one on the ready shelf keeps it, unless the entry names another."""
        upsert(
            self.connection,
            tables.item,
            [item_row(entry, self.now) for entry in entries if entry.reserved_for is not None],
        )
        others = [item_row(entry, self.now) for entry in entries if entry.reserved_for is None]
        for row in others:
            del row["reserved_for"]
        upsert(self.connection, tables.item, others)
        self.items_changed([entry.id for entry in entries])

    def items_changed(self, ids: Sequence[str]) -> None:
        """The feed hears of them, and holds follow a copy that was catalogued anew as another work."""
        self.marks.add_all("item", ids)
        self.marks.add_all("hold", sorted(self.connection.execute(_MOVED, {"ids": ids}).scalars()))
        self.connection.execute(_CUT_ANEW, {"ids": ids})

    def patrons(self, patrons: Sequence[Patron]) -> list[Claim]:
        """New or changed memberships; their cards are bound where they are not yet.

        A record that claims another membership's card is left out whole, and becomes a case; such claims are returned.
        """
        refused = claims(self.connection, patrons)
        self.card_cases(refused)
        left_out = {claim.claimer for claim in refused}
        patrons = [patron for patron in patrons if patron.id not in left_out]
        if not patrons:
            return refused
        upsert(self.connection, tables.membership, [membership_row(patron) for patron in patrons])
        upsert(self.connection, tables.person, [{"membership": patron.id, "name": patron.name} for patron in patrons])
        self.marks.add_all("membership", [patron.id for patron in patrons])
        wanted = {(number, patron.id, kind.value) for patron in patrons for kind, number in patron.cards.items()}
        numbers = sorted({number for number, _, _ in wanted})
        bound = {(row.number, row.membership, row.kind) for row in self.connection.execute(HELD, {"ids": numbers})}
        fresh = sorted(wanted - bound)
        self._unbind(number=[row[0] for row in fresh], kinds=[(row[1], row[2]) for row in fresh])
        if fresh:
            rows = [self._binding(*row) for row in fresh]
            write(self.connection, tables.card, rows, overwrite=False)
            self.marks.add_all("card", [row[0] for row in fresh])
        return refused

    def card_cases(self, refused: Sequence[Claim]) -> None:
        """A person finds out whose card it is."""
        open_cases(self.connection, refused, who=self._who, now=self.now)

    def bind_card(self, membership: str, kind: CardKind, number: str, *, take: bool = False) -> list[Claim]:
        """This number opens this membership from now on; its card of that kind ends.

        A number that opens another membership is refused, and becomes a case; such claims are returned. `take`: a person has
        found out whose card it is, and it ends there.
        """
        self._require(tables.membership, membership)
        record = Patron(id=membership, name="", category="", cards={kind: number})
        elsewhere = claims(self.connection, [record])
        if elsewhere and not take:
            self.card_cases(elsewhere)
            return elsewhere
        self._unbind(number=[number], kinds=[(membership, kind.value)])
        self.connection.execute(insert(tables.card).values(**self._binding(number, membership, kind.value)))
        self.marks.add("card", number)
        taken = {"taken_from": elsewhere[0].holder} if elsewhere else {}
        self.audit("card bound", membership, {"kind": kind.value, **taken})
        return []

    def stand(self, membership: str, standing: Standing) -> None:
        """Block, unblock, close."""
        self._update(tables.membership, membership, standing=standing.value)
        self.marks.add("membership", membership)
        self.audit("membership set", membership, {"standing": standing.value})

    def _update(self, table: Any, key: str, **values: Any) -> None:
        if not self.connection.execute(update(table).where(table.c.id == key).values(**values)).rowcount:
            raise UnknownRecord(f"{table.name} {key}")

    def _require(self, table: Any, key: str) -> None:
        if self.connection.execute(select(table.c.id).where(table.c.id == key)).one_or_none() is None:
            raise UnknownRecord(f"{table.name} {key}")

    def _binding(self, number: str, membership: str, kind: str) -> dict[str, Any]:
        """The row of a card that opens a membership from now on."""
        ref = secrets.token_hex(REF_BYTES)
        return {
            "number": number, "membership": membership, "kind": kind, "active": 1, "ref": ref, "bound_at": self.now,
        }  # fmt: skip

    def _unbind(self, *, number: Iterable[str], kinds: Sequence[tuple[str, str]]) -> None:
        numbers, places = set(number), set(kinds)
        rows = self.connection.execute(_BY_NUMBER, {"ids": sorted(numbers)}).all()
        held = self.connection.execute(_BY_MEMBERSHIP, {"ids": sorted({membership for membership, _ in places})})
        ended = {row.id: row for row in (*rows, *(row for row in held if (row.membership, row.kind) in places))}
        if ended:
            self.connection.execute(_ENDED, {"cards": list(ended), "now": self.now})
            self.marks.add_all("card", [row.number for row in ended.values()])


class Registry:
    """Where the library's records are changed."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def policy(self) -> PolicyEntry | None:
        """The rules that hold now."""
        with self._database.read() as connection:
            body = connection.execute(select(tables.policy.c.body).where(tables.policy.c.current == 1)).scalar()
        return None if body is None else policy_entry(body)

    @contextmanager
    def change(self, who: str) -> Iterator[Change]:
        """One transaction; `who` stands in the audit."""
        with self._database.write() as connection:
            lock(connection, ["registry"])  # one after the other; kiosks' acts go on beside it
            change = Change(connection, who, self._clock())
            yield change
            change.marks.write()


def membership_row(patron: Patron) -> dict[str, Any]:
    """For an insert; without name and cards."""
    return {
        "id": patron.id,
        "category": patron.category,
        "standing": patron.standing.value,
        "expires_on": None if patron.expires_on is None else patron.expires_on.isoformat(),
        "suspended_until": None if patron.suspended_until is None else patron.suspended_until.isoformat(),
        "owed": patron.owed,
        "holds_suspended_until": (
            None if patron.holds_suspended_until is None else patron.holds_suspended_until.isoformat()
        ),
    }
