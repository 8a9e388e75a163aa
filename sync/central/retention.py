"""Forgetting: who had an item, N days after its return (C9); and a whole person, on demand (promise 8 of the design).

Acts and loans keep item, times and verdicts. In the place of the membership comes a random mark, the same for one
person within one stretch from return to return and nowhere else, so the settling of the item ends as before; what may
be marked is `kiosk.domain.retention`'s to say. Acts that count nowhere (refused, withdrawn) keep no membership at all.
An item with an open case on it waits until somebody has closed the case, and whoever reserved a work keeps their loans
of it: the hold is settled by them. Works through items in small transactions
under the same locks as the inbox, so kiosks notice nothing; begun again after a crash, it goes on with what is left.
Blocking; any thread.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, Connection, Exists, bindparam, delete, not_, or_, select, update

from kiosk.domain.lending import Standing
from kiosk.domain.reconcile import UNLINKED
from kiosk.domain.retention import forgettable
from sync.central import stored, tables
from sync.central.database import Database, lock
from sync.central.records import microseconds, policy_entry
from sync.central.registry import Change, Registry, UnknownRecord

SLICE = 500
"""Acts looked at in one step."""
DEFAULT = timedelta(days=90)
"""Before a library has set any rules."""


class StillOpen(Exception):
    """The person still has something of the library's; the message says what."""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What one run did."""

    acts: int
    """Acts that name nobody any more."""
    kept: int
    """Items that have something old and must wait: still out, not yet returned, an open case, or a gap in a log."""


class Retention:
    """Cuts links."""

    def __init__(self, database: Database, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock

    def run(self, *, who: str = "central") -> Unlinked:
        """Everything that is due. Audited when something was cut."""
        before = self._clock() - self._after()
        acts, kept = 0, 0
        done: set[str] = set()
        place = (-(2**62), "")
        while True:
            rows = self._old_acts(before, place)
            if not rows:
                break
            place = rows[-1][0]
            for item in sorted({item for _, item in rows if item is not None} - done):
                done.add(item)
                cut, waits = self._item(item, before)
                acts, kept = acts + cut, kept + waits
            acts += self._apart([id_ for (_, id_), _ in rows])
        acts += self._undated(before)
        if acts:
            with self._database.write() as connection:
                Change(connection, who, self._clock()).audit("acts unlinked", "acts", {"acts": acts})
        return Unlinked(acts, kept)

    def forget(self, membership: str, *, who: str) -> None:
        """Erases name and cards and closes the membership; acts, loans and audit keep an opaque id that leads nowhere.

        Raises UnknownRecord, StillOpen.
        """
        with self._registry.change(who) as change:
            run, own, loan = change.connection.execute, tables.membership.c, tables.loan.c
            row = run(select(own.owed, own.id).where(own.id == membership).with_for_update()).one_or_none()
            if row is None:
                raise UnknownRecord(f"membership {membership}")
            if run(
                select(loan.act).where(loan.membership == membership, loan.ended_by.is_(None)).limit(1)
            ).one_or_none():
                raise StillOpen(f"{membership} still has items on loan; take them back first")
            if row.owed:
                raise StillOpen(f"{membership} still owes NT$ {row.owed}; settle it first")
            numbers = run(select(tables.card.c.number).where(tables.card.c.membership == membership)).scalars().all()
            run(delete(tables.card).where(tables.card.c.membership == membership))
            run(delete(tables.person).where(tables.person.c.membership == membership))
            run(
                update(tables.membership).where(own.id == membership)
                .values(standing=Standing.CLOSED.value, expires_on=None, suspended_until=None)
            )  # fmt: skip
            change.marks.add_all("card", numbers)
            change.marks.add("membership", membership)
            change.audit("person forgotten", membership)

    def _after(self) -> timedelta:
        with self._database.read() as connection:
            body = connection.execute(stored.POLICY).scalar()
        return DEFAULT if body is None else timedelta(days=policy_entry(body).unlink_after_days)

    def _old_acts(self, before: datetime, after: tuple[int, str]) -> list[tuple[tuple[int, str], str | None]]:
        """The next old acts that name somebody, with their items, in the order of time."""
        own = tables.act.c
        query = (
            select(own.at, own.id, own.item)
            .where(own.linked == 1, own.at.is_not(None), own.at < microseconds(before))
            .where(or_(own.at > after[0], (own.at == after[0]) & (own.id > after[1])))
            .order_by(own.at, own.id)
            .limit(SLICE)
        )
        with self._database.read() as connection:
            return [((row.at, row.id), row.item) for row in connection.execute(query)]

    def _item(self, item: str, before: datetime) -> tuple[int, bool]:
        """How many acts of this item were cut, and whether something old must wait."""
        with self._database.write() as connection:
            lock(connection, [f"item {item}"])
            events = {row.id: stored.held_act(row) for row in connection.execute(stored.EVENTS, {"ids": [item]})}
            logs = connection.execute(
                select(tables.incarnation.c.id, tables.incarnation.c.held_through).where(
                    tables.incarnation.c.id.in_({held.incarnation_row for held in events.values()})
                )
            )
            through = {row.id: row.held_through for row in logs}
            rows = {id_: held.incarnation_row for id_, held in events.items()}
            found = forgettable(
                [held.event() for held in events.values()],
                lambda event: through[rows[event.act_id]] >= event.sequence,
                before,
            )
            kept = _with_holds(connection, item)
            found = [[id_ for id_ in stretch if events[id_].membership not in kept] for stretch in found]
            if any(found) and _open_cases(connection, item):
                return 0, True
            marks = [
                {"b_act": act, "b_mark": mark}
                for stretch in found
                for act, mark in _marked({id_: str(events[id_].membership) for id_ in stretch}).items()
            ]
            if marks:
                _cut(connection, marks)
        cut = {row["b_act"] for row in marks}
        old = (held for id_, held in events.items() if id_ not in cut and held.event().at < before)
        return len(marks), any(held.row()["linked"] for held in old)

    def _apart(self, ids: Iterable[str]) -> int:
        """Acts that count nowhere and are no open case: no membership at all."""
        own, wanted = tables.act.c, sorted(ids)
        with self._database.write() as connection:
            lock(connection, [f"act {id_}" for id_ in wanted])
            idle = select(own.id, own.membership).where(
                own.id.in_(wanted), own.counts == 0, own.linked == 1, not_(_waits())
            )
            rows = connection.execute(idle).all()
            found = [row.id for row in rows]
            connection.execute(update(tables.act).where(own.id.in_(found)).values(membership=None, linked=0))
            _clear_cases(connection, found)
            return sum(row.membership is not None for row in rows)

    def _undated(self, before: datetime) -> int:
        """The same of acts that could not be judged and have no time of their own."""
        own, word = tables.act.c, tables.word.c
        old = select(word.act).where(word.act == own.id, word.judged_at < microseconds(before)).exists()
        with self._database.read() as connection:
            query = select(own.id).where(own.at.is_(None), own.linked == 1, old, not_(_waits()))
            ids = connection.execute(query).scalars().all()
        return sum(self._apart(ids[start : start + SLICE]) for start in range(0, len(ids), SLICE))


def _waits() -> Exists:
    """An open case on the act."""
    case = tables.case.c
    on_it = (case.act == tables.act.c.id) | (case.other_act == tables.act.c.id)
    return select(case.id).where(on_it, case.closed_at.is_(None)).exists()


def _with_holds(connection: Connection, item: str) -> set[str]:
    """Who ever reserved this item's work: a loan ends a hold because both name the same person."""
    own, hold = tables.item.c, tables.hold.c
    work = connection.execute(select(own.work).where(own.id == item)).scalar() or item
    query = select(hold.membership).where((hold.work == work) | (hold.asked == item))
    return set(connection.execute(query).scalars())


def _open_cases(connection: Connection, item: str) -> bool:
    case = tables.case.c
    query = select(case.id).where(case.item == item, case.closed_at.is_(None)).limit(1)
    return connection.execute(query).one_or_none() is not None


def _marked(members: dict[str, str]) -> dict[str, str]:
    """A mark for each act of a stretch; one for each person."""
    marks = {member: UNLINKED + secrets.token_urlsafe(12) for member in set(members.values())}
    return {act: marks[member] for act, member in members.items()}


def _cut(connection: Connection, marks: list[dict[str, str]]) -> None:
    act, loan = tables.act, tables.loan
    mark: BindParameter[str] = bindparam("b_mark")
    connection.execute(update(act).where(act.c.id == bindparam("b_act")).values(membership=mark, linked=0), marks)
    connection.execute(update(loan).where(loan.c.act == bindparam("b_act")).values(membership=mark), marks)
    _clear_cases(connection, [row["b_act"] for row in marks])


def _clear_cases(connection: Connection, acts: Iterable[str]) -> None:
    case, wanted = tables.case, sorted(acts)
    on_them = case.c.act.in_(wanted) | case.c.other_act.in_(wanted)
    connection.execute(update(case).where(on_them, case.c.closed_at.is_not(None)).values(membership=None))
