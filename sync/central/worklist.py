"""The work list: cases that wait for a person, who has taken them, and how they were closed (C4).

A case knows its place by the branch of its act. Whoever asks says where they may look (`within`), so that a branch sees
only its own. What one closed stays closed: a replay of the words behind it opens nothing again (`ledger`). Every
change is audited; in whose words it was closed stands in the case only, because free text may name a person and the
audit keeps everything. Any thread; blocking.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Label, Select, func, select, update

from kiosk.domain.cases import Advice, advice
from kiosk.domain.staff import Permission, Scope, ScopeKind, branch_scope, may
from kiosk.domain.values import Reason
from kiosk.domain.written import tidy
from kiosk.words import Language, say, say_case
from sync.central import tables
from sync.central.case_readers import About, CaseReader, about
from sync.central.database import Database, lock
from sync.central.ledger_cases import CAME_BACK, CENTRAL, SETTLED
from sync.central.places import UnknownRecord
from sync.central.records import AnyRow, details_of, microseconds, moment
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
    title: str | None
    """Of the item."""
    branch_name: str | None
    """As people call it."""
    readers: tuple[CaseReader, ...]
    """Whom it is about: both of a conflict, in the order of their acts."""
    happened_at: datetime | None
    """When the first of its acts happened; None where the case is about no act."""
    opened_at: datetime
    """When central found out."""
    assignee: str | None
    """Staff id of who has taken it."""
    closed_at: datetime | None
    closed_by: str | None
    """Staff id, `command line`, `settled` when later acts explained it, `central` when it saw the end of it."""
    closed_how: str | None

    def why(self, language: Language) -> str:
        """What happened, to staff."""
        return say_case(self.reason, language, self.details)

    def advise(self, language: Language) -> str:
        """What to do."""
        return say(f"advice.{self.advice}", language)

    def how(self, language: Language) -> str | None:
        """How it was closed: in the words of who closed it, or why it closed by itself."""
        if self.closed_by == SETTLED:
            return say("case_list.settled", language)
        if (self.closed_by, self.closed_how) == (CENTRAL, CAME_BACK):
            return say("case_list.came_back", language)
        return self.closed_how


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
        query = _at_places(_CASES, wanted.within)
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
            return _tasks(connection, connection.execute(query).all(), names_within)

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
        how = tidy(how).text
        with self._database.write() as connection:
            task = _open_task(connection, id_, within)
            values = {"closed_at": microseconds(now), "closed_by": who, "closed_how": how or None}
            connection.execute(update(tables.case).where(tables.case.c.id == id_).values(**values))
            Change(connection, who, now).audit("case closed", id_)
            return _one_task(connection, connection.execute(_CASES.where(tables.case.c.id == task.id)).one())


def works_at(member: Member, branch: str | None) -> bool:
    """May this member of staff work on a case of this branch?"""
    at = Scope(ScopeKind.ALL) if branch is None else branch_scope(branch)
    return may(member.grants, Permission.CASES_WORK, at)


_BRANCH: Label[str | None] = func.coalesce(tables.act.c.branch, tables.kiosk.c.branch).label("branch")
_OTHER = tables.act.alias("other")
_FROM = (
    tables.case.join(tables.act, tables.act.c.id == tables.case.c.act, isouter=True)
    .join(_OTHER, _OTHER.c.id == tables.case.c.other_act, isouter=True)
    .join(tables.kiosk, tables.kiosk.c.id == tables.case.c.kiosk, isouter=True)
)
_CASES = select(
    tables.case,
    _BRANCH,
    tables.act.c.membership.label("act_membership"),
    tables.act.c.at.label("act_at"),
    _OTHER.c.membership.label("other_membership"),
    _OTHER.c.at.label("other_at"),
).select_from(_FROM)
_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    Order.OLDEST: (tables.case.c.opened_at.asc(),),
    Order.NEWEST: (tables.case.c.opened_at.desc(),),
    Order.REASON: (tables.case.c.reason.asc(), tables.case.c.opened_at.asc()),
    Order.BRANCH: (_BRANCH.asc(), tables.case.c.opened_at.asc()),
    Order.ASSIGNEE: (func.coalesce(tables.case.c.assignee, "").asc(), tables.case.c.opened_at.asc()),
}


def _at_places(query: Select[Any], within: Iterable[Scope]) -> Select[Any]:
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
    task = _one_task(connection, row)
    if not _covered(within, task.branch):
        raise NotYours("this case is not at a place of yours")
    return task


def _covered(within: Iterable[Scope], branch: str | None) -> bool:
    at = Scope(ScopeKind.ALL) if branch is None else branch_scope(branch)
    return any(scope.covers(at) for scope in within)


def _one_task(connection: Connection, row: AnyRow) -> Task:
    """Without names."""
    return _tasks(connection, [row], frozenset())[0]


def _tasks(connection: Connection, rows: Sequence[AnyRow], names_within: Collection[Scope]) -> list[Task]:
    described = about(connection, rows, lambda row: _covered(names_within, row.branch))
    return [_task(row, one) for row, one in zip(rows, described, strict=True)]


def _task(row: AnyRow, described: About) -> Task:
    reason = Reason(row.reason)
    times = [moment(at) for at in (row.act_at, row.other_at) if at is not None]
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
        name=next((one.name for one in described.readers if one.membership == row.membership), None),
        details=details_of(row.details),
        title=described.title,
        branch_name=described.branch_name,
        readers=described.readers,
        happened_at=min(times, default=None),
        opened_at=moment(row.opened_at),
        assignee=row.assignee,
        closed_at=None if row.closed_at is None else moment(row.closed_at),
        closed_by=row.closed_by,
        closed_how=row.closed_how,
    )
