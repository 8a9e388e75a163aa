"""Holds at central: placed and cancelled by staff, expired by the clock, and the lists that people work from.

Whatever changes a hold goes through the inbox like an act of a kiosk, said by `CENTRAL` in one standing log that all its
processes write, so there is one way in and one judge; the inbox numbers these words as they go in, and each names who said
it, for the audit (`ledger`). The lists are read from what the acts amount to. Any thread; blocking.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import uuid_utils
from sqlalchemy import Select, and_, exists, select

from kiosk.domain.holds import Hold, HoldState, position
from kiosk.domain.journal import Deed, Mode, Verdict, Word
from kiosk.domain.lending import ItemState
from kiosk.domain.values import IncarnationId
from sync.central import tables
from sync.central.database import Database
from sync.central.inbox import BATCH, Inbox
from sync.central.judge_holds import CENTRAL
from sync.central.records import AnyRow, hold_of, microseconds
from sync.central.registry import UnknownRecord
from sync.wire import WireWord

LOG = IncarnationId("holds")
"""Central's own log."""
_HOLD, _ITEM, _LOAN = tables.hold.c, tables.item.c, tables.loan.c
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
        """`membership` waits for the work of `item`, to be picked up at `branch`; or why not."""
        return self._say([self._word(Word.REQUEST, Deed.PLACE_HOLD, membership, item, branch, who=who)])[0]

    def cancel(self, id_: str, *, who: str = "command line") -> Verdict:
        """It waits no more; or why not. Raises UnknownRecord."""
        hold = self._hold(id_)
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
        self, which: HoldList = HoldList.OPEN, *, branch: str | None = None, membership: str | None = None
    ) -> list[HoldLine]:
        """One of the lists, by branch of picking up (of the copy: for TO_CLEAR and TO_FETCH where it stands)."""
        with self._database.read() as connection:
            rows = connection.execute(_query(which, branch, membership)).all()
            works = sorted({row.work for row in rows if row.state == HoldState.WAITING.value})
            queues: dict[str, list[Hold]] = {}
            for row in connection.execute(select(tables.hold).where(_HOLD.work.in_(works), _IS_OPEN)):
                queues.setdefault(row.work, []).append(hold_of(row))
        lines = (_line(row, queues.get(row.work, ())) for row in rows)
        return list(_first_in_line(lines) if which is HoldList.TO_FETCH else lines)

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


def _query(which: HoldList, branch: str | None, membership: str | None) -> Select[tuple[object, ...]]:
    asked = tables.item.alias("asked")
    title = asked.c.title.label("title")
    match which:
        case HoldList.OPEN | HoldList.READY | HoldList.ON_THE_WAY:
            copy, at = _HOLD.item, _HOLD.branch
            query = select(tables.hold, title, copy.label("copy")).join(asked, asked.c.id == _HOLD.asked, isouter=True)
            query = query.where(_IS_OPEN if which is HoldList.OPEN else _HOLD.state == which.value)
        case HoldList.TO_CLEAR:
            at = _HOLD.branch
            query = select(tables.hold, title, _HOLD.left_item.label("copy"))
            query = query.join(asked, asked.c.id == _HOLD.asked, isouter=True).where(_HOLD.left_item.is_not(None))
        case HoldList.TO_FETCH:
            at = _ITEM.branch
            lent = exists().where(_LOAN.item == _ITEM.id, _LOAN.ended_by.is_(None))
            query = select(tables.hold, _ITEM.title.label("title"), _ITEM.id.label("copy")).join(
                tables.item, and_(_ITEM.work == _HOLD.work, _ITEM.state == ItemState.IN_SERVICE.value)
            )
            query = query.where(_HOLD.state == HoldState.WAITING.value, _ITEM.reserved_for.is_(None), ~lent)
    if branch is not None:
        query = query.where(at == branch)
    if membership is not None:
        query = query.where(_HOLD.membership == membership)
    return query.order_by(_HOLD.placed_at, _HOLD.id, "copy")


def _line(row: AnyRow, queue: Sequence[Hold]) -> HoldLine:
    hold = hold_of(row)
    return HoldLine(
        hold=hold,
        title=row.title or hold.asked,
        copy=row.copy,
        place=position(hold, queue) if hold.state is HoldState.WAITING else None,
    )


def _first_in_line(lines: Iterator[HoldLine]) -> Iterator[HoldLine]:
    """One copy for each hold and one hold for each copy, who waits longest first."""
    holds: set[str] = set()
    copies: set[str | None] = set()
    for line in lines:
        if line.hold.id not in holds and line.copy not in copies:
            holds.add(line.hold.id)
            copies.add(line.copy)
            yield line
