"""Forgetting: who had an item, N days after its return (C9); and a whole person, on demand (promise 8 of the design).

Acts and loans keep item, times and verdicts. In the place of the membership comes a random mark, the same for one
person within one stretch from return to return and nowhere else, so the settling of the item ends as before; what may
be marked is `kiosk.domain.retention`'s to say. Acts that count nowhere (refused, withdrawn) keep no membership at all.
An item with an open case on it waits until the case is closed (a double lending by itself once its book has come back:
`returned`), and whoever reserved a work keeps their loans of it: the hold is settled by them. Works through items in small
transactions under the same locks as the inbox, so kiosks notice nothing; begun again after a crash, it goes on with what is
left. Blocking; any thread.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, Connection, Exists, bindparam, delete, func, not_, or_, select, update

from kiosk.domain.holds import HOLD_DEEDS, HoldState
from kiosk.domain.lending import Standing
from kiosk.domain.reconcile import UNLINKED, ItemEvent
from kiosk.domain.retention import forgettable, forgettable_of_work
from kiosk.domain.values import ActId, Reason
from sync.central import stored, tables
from sync.central.database import Database, lock
from sync.central.places import UnknownRecord
from sync.central.records import microseconds, moment, policy_entry
from sync.central.registry import Change, Registry
from sync.central.returned import close_returned
from sync.central.stored import HeldAct
from sync.central.work_cuts import forget as forget_cuts

SLICE = 500
"""Acts looked at in one step."""
DEFAULT = timedelta(days=90)
"""Before a library has set any rules."""
VISIT = timedelta(hours=1)
"""A request whose answer was lost is withdrawn before the next visit, so this long before its last act a log is final."""


class StillOpen(Exception):
    """The person still has or awaits something of the library's; the message says what."""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What one run did."""

    acts: int
    """Acts that name nobody any more."""
    kept: int
    """Items that have something old and must wait: still out or awaited, an open case, a gap in a log, a silent kiosk."""
    silent: tuple[str, ...] = ()
    """Kiosks that have told nothing for so long that works which were reserved must wait for them."""


class Retention:
    """Cuts links."""

    def __init__(self, database: Database, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock

    def run(self, *, who: str = "central") -> Unlinked:
        """Everything that is due. Audited when something was cut."""
        close_returned(self._database, self._clock)
        before = self._clock() - self._after()
        told = self._told_through()
        until = min([before, *told.values()])
        acts, kept = 0, 0
        done: set[str] = set()
        place = (-(2**62), "")
        while True:
            rows = self._old_acts(before, place)
            if not rows:
                break
            place = rows[-1][0]
            for item in sorted({item for _, item in rows if item is not None}):
                if item not in done:
                    copies, cut, waits = self._copies(item, before, until)
                    done.update(copies)
                    acts, kept = acts + cut, kept + waits
            acts += self._apart([id_ for (_, id_), _ in rows])
        acts += self._undated(before)
        if acts:
            with self._database.write() as connection:
                Change(connection, who, self._clock()).audit("acts unlinked", "acts", {"acts": acts})
        return Unlinked(acts, kept, tuple(sorted(kiosk for kiosk, at in told.items() if at < before)))

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
            awaited = tables.hold.c
            is_open = awaited.state.in_([one.value for one in HoldState if one.open])
            if run(select(awaited.id).where(awaited.membership == membership, is_open).limit(1)).one_or_none():
                raise StillOpen(f"{membership} still waits for reserved items; cancel the holds first")
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

    def _told_through(self) -> dict[str, datetime]:
        """Up to when each kiosk has told everything; it held no record before it was enrolled.

        One that was revoked is not waited for.
        """
        log, word, kiosk = tables.incarnation.c, tables.word.c, tables.kiosk.c
        one = tables.word.alias().c
        newest = select(func.max(one.sequence)).where(one.incarnation == log.id, one.sequence <= log.held_through)
        said = (
            select(log.kiosk, func.max(tables.act.c.at).label("at"))
            .select_from(tables.incarnation)
            .join(
                tables.word,
                (word.incarnation == log.id)
                & (word.sequence == newest.correlate(tables.incarnation).scalar_subquery()),
            )
            .join(tables.act, tables.act.c.id == word.act)
            .where(log.kiosk.in_(select(kiosk.id).where(kiosk.revoked_at.is_(None))))
            .group_by(log.kiosk)
        )
        with self._database.read() as connection:
            began = connection.execute(select(kiosk.id, kiosk.enrolled_at).where(kiosk.revoked_at.is_(None)))
            told = {row.id: moment(row.enrolled_at) for row in began}
            for row in connection.execute(said):
                if row.at is not None:
                    told[row.kiosk] = max(told[row.kiosk], moment(row.at) - VISIT)
        return told

    def _copies(self, item: str, before: datetime, until: datetime) -> tuple[Collection[str], int, int]:
        """This item, or all copies of its work; how many of their acts were cut; in how many copies something old waits."""
        with self._database.write() as connection:
            work, copies = _work(connection, item)
            lock(connection, [f"item {name}" for name in {work, *copies}])  # as the inbox does
            if _work(connection, item) != (work, copies):
                return [item], 0, 1  # changed meanwhile: the next run
            events = {row.id: stored.held_act(row) for row in connection.execute(stored.EVENTS, {"ids": copies})}
            logs = connection.execute(
                select(tables.incarnation.c.id, tables.incarnation.c.held_through).where(
                    tables.incarnation.c.id.in_({held.incarnation_row for held in events.values()})
                )
            )
            through: dict[int, int] = {row.id: row.held_through for row in logs}
            told = [held.event() for held in events.values()]

            def whole(event: ItemEvent) -> bool:
                return event.sequence <= through[events[event.act_id].incarnation_row]

            if any(event.deed in HOLD_DEEDS or event.hold is not None for event in told):
                disputed = _disputed(connection, copies)
                found = [stretch for stretch in forgettable_of_work(told, whole, until) if disputed.isdisjoint(stretch)]
            else:
                found = [
                    stretch
                    for copy in copies
                    for stretch in _of_item(connection, copy, [one for one in told if one.item == copy], whole, before)
                ]
            marks = [{"b_act": act, "b_mark": mark} for stretch in found for act, mark in _marked(stretch, events)]
            if marks:
                _cut(connection, marks)
                forget_cuts(connection, [work])  # they name who is forgotten
        cut = {row["b_act"] for row in marks}
        old = (held for id_, held in events.items() if id_ not in cut and held.event().at < before)
        return copies, len(marks), len({held.item for held in old if held.row()["linked"]})

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


def _work(connection: Connection, item: str) -> tuple[str, list[str]]:
    """The work of an item, and its copies where somebody ever waited for it; else the item alone."""
    own, hold = tables.item.c, tables.hold.c
    work = str(connection.execute(select(own.work).where(own.id == item)).scalar() or item)
    if connection.execute(select(hold.id).where(hold.work == work).limit(1)).one_or_none() is None:
        return work, [item]
    copies = connection.execute(select(own.id).where(own.work == work).order_by(own.id)).scalars()
    return work, sorted({item, *copies})


def _of_item(
    connection: Connection,
    item: str,
    events: Collection[ItemEvent],
    whole: Callable[[ItemEvent], bool],
    before: datetime,
) -> list[list[ActId]]:
    """What may be forgotten of an item for which nobody ever waited; nothing while a case on it is open."""
    found = forgettable(events, whole, before)
    return [] if any(found) and _open_cases(connection, item) else found


def _open_cases(connection: Connection, item: str) -> bool:
    case = tables.case.c
    query = select(case.id).where(case.item == item, case.closed_at.is_(None)).limit(1)
    return connection.execute(query).one_or_none() is not None


def _disputed(connection: Connection, copies: Sequence[str]) -> set[str]:
    """Acts on these copies that an open case is about."""
    case = tables.case.c
    query = select(case.act, case.other_act).where(case.item.in_(copies), case.closed_at.is_(None))
    return {act for row in connection.execute(query) for act in row if act is not None}


def _marked(stretch: Sequence[ActId], events: Mapping[str, HeldAct]) -> list[tuple[ActId, str]]:
    """A mark for each act of a stretch; one for each person."""
    marks = {who: UNLINKED + secrets.token_urlsafe(12) for who in {events[act].membership for act in stretch}}
    return [(act, marks[events[act].membership]) for act in stretch]


def _cut(connection: Connection, marks: list[dict[str, str]]) -> None:
    act, loan, hold = tables.act, tables.loan, tables.hold
    mark: BindParameter[str] = bindparam("b_mark")
    connection.execute(update(act).where(act.c.id == bindparam("b_act")).values(membership=mark, linked=0), marks)
    connection.execute(update(loan).where(loan.c.act == bindparam("b_act")).values(membership=mark), marks)
    connection.execute(update(hold).where(hold.c.id == bindparam("b_act")).values(membership=mark), marks)
    _clear_cases(connection, [row["b_act"] for row in marks])


def _clear_cases(connection: Connection, acts: Iterable[str]) -> None:
    case, wanted = tables.case, sorted(acts)
    on_them = case.c.act.in_(wanted) | case.c.other_act.in_(wanted)
    closed = update(case).where(on_them, case.c.closed_at.is_not(None))
    connection.execute(closed.values(membership=None))
    connection.execute(closed.where(case.c.reason == Reason.CARD_MEANT_ANOTHER.value).values(details=None))
