"""The work list: cases that wait for a person, who has taken them, and how they were closed (C4).

A case knows its place by the branch of its act. Whoever asks says where they may look (`within`), so that a branch sees
only its own. What one closed stays closed: a replay of the words behind it opens nothing again (`ledger`). Every
change is audited; in whose words it was closed stands in the case only, because free text may name a person and the
audit keeps everything. Any thread; blocking.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Label, Select, func, select, update

from kiosk.domain.cases import Advice, advice
from kiosk.domain.staff import Permission, Scope, ScopeKind, branch_scope, may
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.database import Database, lock
from sync.central.places import UnknownRecord
from sync.central.records import AnyRow, details_of, microseconds, moment, surname_only
from sync.central.registry import Change
from sync.central.roster import Member, members

MOST = 1000
"""Cases in one answer; whoever wants more goes on from an offset."""


class Order(StrEnum):
    """How the list is sorted."""

    OLDEST = "oldest"
    NEWEST = "newest"
    REASON = "reason"
    BRANCH = "branch"
    ASSIGNEE = "assignee"


class NotYours(Exception):
    """The case is at a place where this person may not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases."""

    within: frozenset[Scope]
    """Where one may look; empty for nowhere."""
    branch: str | None = None
    reason: Reason | None = None
    assignee: str | None = None
    """Staff id; empty text for those that nobody has taken."""
    open_only: bool = True
    order: Order = Order.OLDEST
    offset: int = 0
    limit: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One case as the work list shows it."""

    id: str
    reason: Reason
    """Why."""
    advice: Advice
    """What to do."""
    branch: str | None
    """Where it happened; None if central never learnt it."""
    kiosk: str | None
    act: str
    """What it is about."""
    other_act: str | None
    item: str | None
    membership: str | None
    """Whose, by opaque id."""
    name: str | None
    """Masked, and only for who may see it."""
    details: dict[str, str | int]
    """For the reason's sentence."""
    opened_at: datetime
    assignee: str | None
    """Staff id of who has taken it."""
    closed_at: datetime | None
    closed_by: str | None
    """Staff id, `command line`, or `settled` when later acts explained it."""
    closed_how: str | None


class Worklist:
    """Reads, hands out and closes cases."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def find(self, wanted: Wanted, *, names_within: frozenset[Scope] = frozenset()) -> list[Task]:
        """In the wanted order; masked names only of cases at places where names may be seen."""
        if not all(text.isprintable() for text in (wanted.branch, wanted.assignee) if text is not None):
            return []  # no database takes it, so none holds it
        case = tables.case.c
        query = _at_places(select(tables.case, _BRANCH, tables.person.c.name), wanted.within)
        query = query.join(tables.person, tables.person.c.membership == case.membership, isouter=True)
        if wanted.branch is not None:
            query = query.where(_BRANCH.is_not_distinct_from(wanted.branch))
        if wanted.reason is not None:
            query = query.where(case.reason == wanted.reason.value)
        if wanted.assignee is not None:
            query = query.where(case.assignee.is_(None) if wanted.assignee == "" else case.assignee == wanted.assignee)
        if wanted.open_only:
            query = query.where(case.closed_at.is_(None))
        query = query.order_by(*_ORDERS[wanted.order], case.id).offset(wanted.offset).limit(min(wanted.limit, MOST))
        with self._database.read() as connection:
            return [_task(row, names_within) for row in connection.execute(query)]

    def assign(self, id_: str, assignee: str | None, *, who: str, within: frozenset[Scope]) -> Task:
        """Somebody takes it, or nobody has it any more. Raises UnknownRecord, NotYours."""
        with self._database.write() as connection:
            task = _open_task(connection, id_, within)
            if assignee is not None:
                named = [assignee] if assignee.isprintable() else []
                member = next(iter(members(connection, named)), None)
                if member is None or member.disabled_at is not None:
                    raise UnknownRecord(f"member of staff {assignee[:64]!r}")
                if not works_at(member, task.branch):
                    raise NotYours(f"{member.login} may not work on cases there")
            connection.execute(update(tables.case).where(tables.case.c.id == id_).values(assignee=assignee))
            Change(connection, who, self._clock()).audit("case assigned", id_, {"to": assignee or ""})
            return _open_task(connection, id_, within)

    def done(self, id_: str, how: str, *, who: str, within: frozenset[Scope]) -> Task:
        """A person has seen to it. Raises UnknownRecord (none of that name is open), NotYours."""
        now = self._clock()
        how = " ".join("".join(letter if letter.isprintable() else " " for letter in how).split())
        with self._database.write() as connection:
            task = _open_task(connection, id_, within)
            values = {"closed_at": microseconds(now), "closed_by": who, "closed_how": how or None}
            connection.execute(update(tables.case).where(tables.case.c.id == id_).values(**values))
            Change(connection, who, now).audit("case closed", id_)
            return _task(connection.execute(_CASES.where(tables.case.c.id == task.id)).one(), frozenset())


def works_at(member: Member, branch: str | None) -> bool:
    """May this member of staff work on a case of this branch?"""
    at = Scope(ScopeKind.ALL) if branch is None else branch_scope(branch)
    return may(member.grants, Permission.CASES_WORK, at)


_BRANCH: Label[str | None] = func.coalesce(tables.act.c.branch, tables.kiosk.c.branch).label("branch")
_FROM = tables.case.join(tables.act, tables.act.c.id == tables.case.c.act, isouter=True).join(
    tables.kiosk, tables.kiosk.c.id == tables.case.c.kiosk, isouter=True
)
_CASES = (
    select(tables.case, _BRANCH, tables.person.c.name)
    .select_from(_FROM)
    .join(tables.person, tables.person.c.membership == tables.case.c.membership, isouter=True)
)
_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    Order.OLDEST: (tables.case.c.opened_at.asc(),),
    Order.NEWEST: (tables.case.c.opened_at.desc(),),
    Order.REASON: (tables.case.c.reason.asc(), tables.case.c.opened_at.asc()),
    Order.BRANCH: (_BRANCH.asc(), tables.case.c.opened_at.asc()),
    Order.ASSIGNEE: (func.coalesce(tables.case.c.assignee, "").asc(), tables.case.c.opened_at.asc()),
}


def _at_places(query: Select[tuple[object, ...]], within: Iterable[Scope]) -> Select[tuple[object, ...]]:
    query = query.select_from(_FROM)
    if any(scope.kind is ScopeKind.ALL for scope in within):
        return query
    branches = sorted(scope.place for scope in within if scope.kind is ScopeKind.BRANCH)
    return query.where(_BRANCH.in_(branches))


def _open_task(connection: Connection, id_: str, within: frozenset[Scope]) -> Task:
    lock(connection, [f"case {id_}"])
    query = _CASES.where(tables.case.c.id == id_, tables.case.c.closed_at.is_(None))
    row = connection.execute(query).one_or_none() if id_.isprintable() else None
    if row is None:
        raise UnknownRecord(f"open case {id_[:200]!r}")
    task = _task(row, frozenset())
    if not _covered(within, task.branch):
        raise NotYours("this case is not at a place of yours")
    return task


def _covered(within: Iterable[Scope], branch: str | None) -> bool:
    at = Scope(ScopeKind.ALL) if branch is None else branch_scope(branch)
    return any(scope.covers(at) for scope in within)


def _task(row: AnyRow, names_within: Iterable[Scope]) -> Task:
    reason = Reason(row.reason)
    return Task(
        id=row.id,
        reason=reason,
        advice=advice(reason),
        branch=row.branch,
        kiosk=row.kiosk,
        act=row.act,
        other_act=row.other_act,
        item=row.item,
        membership=row.membership,
        name=surname_only(row.name) if row.name and _covered(names_within, row.branch) else None,
        details=details_of(row.details),
        opened_at=moment(row.opened_at),
        assignee=row.assignee,
        closed_at=None if row.closed_at is None else moment(row.closed_at),
        closed_by=row.closed_by,
        closed_how=row.closed_how,
    )
