"""Holds at central: placed and cancelled by staff, expired by the clock, and the lists that people work from.

Whatever changes a hold goes through the inbox like an act of a kiosk, said by `CENTRAL` in one standing log that all its
processes write, so there is one way in and one judge; the inbox numbers these words as they go in, and each names who said
it, for the audit (`ledger`). The lists are read from what the acts amount to. Any thread; blocking.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

import uuid_utils
from sqlalchemy import ColumnElement, Select, and_, exists, select

from kiosk.domain.calendar import library_day
from kiosk.domain.holds import Hold, HoldState, position
from kiosk.domain.journal import Deed, Mode, Verdict, Word
from kiosk.domain.lending import ItemState
from kiosk.domain.reconcile import is_unlinked
from kiosk.domain.staff import EVERYWHERE, Scope, ScopeKind, branch_scope
from kiosk.domain.values import IncarnationId
from sync.central import tables
from sync.central.database import Database
from sync.central.inbox import BATCH, Inbox
from sync.central.judge_holds import CENTRAL
from sync.central.places import UnknownRecord, known_branch
from sync.central.records import AnyRow, hold_of, microseconds, surname_only
from sync.wire import WireWord

LOG = IncarnationId("holds")
"""Central's own log."""
MOST = 1000
"""Lines in one answer; whoever wants more goes on from an offset."""
_HOLD, _ITEM, _LOAN = tables.hold.c, tables.item.c, tables.loan.c
_NAME = tables.person.c.name.label("name")
_IS_OPEN = _HOLD.state.in_([one.value for one in HoldState if one.open])


class HoldList(StrEnum):
    """Which list."""

    OPEN = "open"
    """Everybody who waits, and what is ready for them."""
    READY = "ready"
    """What stands on the ready shelf."""
    ON_THE_WAY = "on_the_way"
    """What is set aside and must travel to another branch."""
    TO_CLEAR = "to_clear"
    """Copies on the ready shelf whose hold is over; each is to be scanned as returned."""
    TO_FETCH = "to_fetch"
    """Copies on the shelf for which somebody waits; each is to be fetched and scanned as returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLine:
    """One line of a list."""

    hold: Hold
    """The hold."""
    title: str
    """Of its work."""
    copy: str | None
    """The copy that the line is about, if it is about one."""
    place: int | None
    """In the queue, from 1, while waiting."""
    name: str | None = None
    """Masked, and only for who may see it."""

    @property
    def last_day(self) -> date | None:
        """Last day for picking it up, in the library; None unless it is or was ready."""
        return None if self.hold.ready_until is None else library_day(self.hold.ready_until)


class Holds:
    """Where staff and the clock deal with holds."""

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: str(uuid_utils.uuid7()),
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._clock = clock
        self._new_id = new_id

    def place(self, *, membership: str, item: str, branch: str, who: str = "command line") -> Verdict:
        """`membership` waits for the work of `item`, to be picked up at `branch`; or why not. Raises UnknownRecord."""
        with self._database.read() as connection:
            known_branch(connection, branch)
        return self._say([self._word(Word.REQUEST, Deed.PLACE_HOLD, membership, item, branch, who=who)])[0]

    def cancel(self, id_: str, *, who: str = "command line") -> Verdict:
        """It waits no more; or why not. Raises UnknownRecord, also for one that is over and names nobody any more."""
        hold = self._hold(id_)
        if is_unlinked(hold.membership):
            raise UnknownRecord(f"hold {id_}")
        word = self._word(Word.REQUEST, Deed.CANCEL_HOLD, hold.membership, hold.asked, hold.branch, id_, who=who)
        return self._say([word])[0]

    def expire(self, *, who: str = "central") -> int:
        """Ends every hold that nobody picked up in time; returns how many. Periodic work."""
        now = self._clock()
        query = select(tables.hold).where(_HOLD.state == HoldState.READY.value, _HOLD.ready_until < microseconds(now))
        with self._database.read() as connection:
            late = [hold_of(row) for row in connection.execute(query.order_by(_HOLD.ready_until, _HOLD.id))]
        for first in range(0, len(late), BATCH):
            self._say(
                [
                    self._word(Word.FACT, Deed.EXPIRE_HOLD, None, hold.asked, hold.branch, hold.id, who=who)
                    for hold in late[first : first + BATCH]
                ]
            )
        return len(late)

    def list(
        self,
        which: HoldList = HoldList.OPEN,
        *,
        branch: str | None = None,
        membership: str | None = None,
        within: Collection[Scope] = (EVERYWHERE,),
        names_within: Collection[Scope] = (),
        offset: int = 0,
        limit: int | None = None,
    ) -> list[HoldLine]:
        """One of the lists, by branch of picking up (of the copy: for TO_FETCH where it stands).

        `within`: where one may look; masked names only of lines at places in `names_within`.
        """
        if not all(text.isprintable() for text in (branch, membership) if text is not None):
            return []  # no database takes it, so none holds it
        query = _at_places(_query(which, branch, membership), _AT[which], within)
        end = None if limit is None else offset + limit
        sliced = which is HoldList.TO_FETCH  # who is first in line is known once all lines are
        if not sliced:
            query = query.offset(offset).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            if sliced:
                rows = list(_first_in_line(rows))[offset:end]
            works = sorted({row.work for row in rows if row.state == HoldState.WAITING.value})
            queues: dict[str, list[Hold]] = {}
            for row in connection.execute(select(tables.hold).where(_HOLD.work.in_(works), _IS_OPEN)):
                queues.setdefault(row.work, []).append(hold_of(row))
        return [_line(row, queues.get(row.work, ()), names_within) for row in rows]

    def _hold(self, id_: str) -> Hold:
        with self._database.read() as connection:
            row = connection.execute(select(tables.hold).where(_HOLD.id == id_)).one_or_none()
        if row is None:
            raise UnknownRecord(f"hold {id_}")
        return hold_of(row)

    def _word(
        self, word: Word, deed: Deed, membership: str | None, item: str, branch: str, hold: str | None = None, *,
        who: str,
    ) -> WireWord:  # fmt: skip
        return WireWord(
            sequence=1,  # the inbox knows the next one
            word=word,
            act=self._new_id(),
            deed=deed,
            membership=membership,
            item=item,
            branch=branch,
            happened_at=self._clock(),
            mode=Mode.ONLINE,
            hold=hold,
            staff=who,
        )

    def _say(self, words: Sequence[WireWord]) -> Sequence[Verdict]:
        return self._inbox.judge(CENTRAL, LOG, words, append=True).verdicts


_AT: Mapping[HoldList, ColumnElement[str]] = MappingProxyType(
    {which: _ITEM.branch if which is HoldList.TO_FETCH else _HOLD.branch for which in HoldList}
)
"""Where a line is to be worked on."""


def _query(which: HoldList, branch: str | None, membership: str | None) -> Select[tuple[object, ...]]:
    asked = tables.item.alias("asked")
    at = _AT[which].label("at_branch")
    named = tables.hold.join(tables.person, tables.person.c.membership == _HOLD.membership, isouter=True)
    match which:
        case HoldList.OPEN | HoldList.READY | HoldList.ON_THE_WAY | HoldList.TO_CLEAR:
            copy = _HOLD.left_item if which is HoldList.TO_CLEAR else _HOLD.item
            query = select(tables.hold, asked.c.title.label("title"), copy.label("copy"), at, _NAME)
            query = query.select_from(named.join(asked, asked.c.id == _HOLD.asked, isouter=True))
            if which is HoldList.TO_CLEAR:
                query = query.where(_HOLD.left_item.is_not(None))
            else:
                query = query.where(_IS_OPEN if which is HoldList.OPEN else _HOLD.state == which.value)
        case HoldList.TO_FETCH:
            lent = exists().where(_LOAN.item == _ITEM.id, _LOAN.ended_by.is_(None))
            query = select(tables.hold, _ITEM.title.label("title"), _ITEM.id.label("copy"), at, _NAME).select_from(
                named.join(tables.item, and_(_ITEM.work == _HOLD.work, _ITEM.state == ItemState.IN_SERVICE.value))
            )
            query = query.where(_HOLD.state == HoldState.WAITING.value, _ITEM.reserved_for.is_(None), ~lent)
        case _ as never:
            assert_never(never)
    if branch is not None:
        query = query.where(_AT[which] == branch)
    if membership is not None:
        query = query.where(_HOLD.membership == membership)
    return query.order_by(_HOLD.placed_at, _HOLD.id, "copy")


def _at_places(
    query: Select[tuple[object, ...]], at: ColumnElement[str], within: Collection[Scope]
) -> Select[tuple[object, ...]]:
    if any(scope.kind is ScopeKind.ALL for scope in within):
        return query
    return query.where(at.in_(sorted(scope.place for scope in within if scope.kind is ScopeKind.BRANCH)))


def _line(row: AnyRow, queue: Sequence[Hold], names_within: Collection[Scope]) -> HoldLine:
    hold = hold_of(row)
    named = row.name and any(scope.covers(branch_scope(row.at_branch)) for scope in names_within)
    return HoldLine(
        hold=hold,
        title=row.title or hold.asked,
        copy=row.copy,
        place=position(hold, queue) if hold.state is HoldState.WAITING else None,
        name=surname_only(row.name) if named else None,
    )


def _first_in_line(rows: Iterable[AnyRow]) -> Iterator[AnyRow]:
    """One copy for each hold and one hold for each copy, who waits longest first."""
    holds: set[str] = set()
    copies: set[str] = set()
    for row in rows:
        if row.id not in holds and row.copy not in copies:
            holds.add(row.id)
            copies.add(row.copy)
            yield row
