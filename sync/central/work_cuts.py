"""Cuts of the reserved works of one batch: kept, believed where every word of the batch bears them, and made anew.

Part of a ledger and alive as long as it. A cut (`kiosk.domain.work_cut`) is kept for a work with many acts since the last one;
it goes with the transaction that its acts go with. A work that has one is always loaded as a work (`works`), so no word
passes it by; one that was catalogued with other copies, or of which somebody was forgotten, is read whole again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, BindParameter, Connection, bindparam, delete, select

from kiosk.domain.holds import WorkState
from kiosk.domain.quiet import Cut
from kiosk.domain.reconcile import ItemEvent, Span
from kiosk.domain.values import IncarnationId, ItemId, KioskId, WorkId
from kiosk.domain.work_cut import CopyBefore, WorkCut, work_cut
from sync.central import tables
from sync.central.bulk import among
from sync.central.database import upsert
from sync.central.histories import Touch
from sync.central.records import AnyRow, microseconds, moment
from sync.central.stored import ACT_ROWS, COUNTS

_OWN = tables.work_cut.c
_FOUND = select(tables.work_cut).where(among(_OWN.work))
_SINCE: BindParameter[int] = bindparam("since", type_=BigInteger())
_EVENTS = ACT_ROWS.where(among(tables.act.c.item), tables.act.c.at > _SINCE, COUNTS)
_LOANS = select(tables.loan).where(among(tables.loan.c.item), tables.loan.c.lent_at > _SINCE)
_LENT = select(tables.loan).where(among(tables.loan.c.act))


class _Body(Struct, frozen=True):
    """As it is kept."""

    numbers: list[tuple[KioskId, IncarnationId, int]]
    copies: dict[ItemId, CopyBefore]
    holds: WorkState


def forget(connection: Connection, works: Iterable[str]) -> None:
    """These works are read whole the next time."""
    connection.execute(delete(tables.work_cut).where(_OWN.work.in_(sorted(set(works)))))


class WorkCuts:
    """Cuts of the works of one batch."""

    def __init__(self, connection: Connection, long: int) -> None:
        """`long`: acts since the last cut, or all of them, after which a (new) one is looked for."""
        self._connection = connection
        self._long = long
        self._kept: set[WorkId] = set()
        self._cuts: dict[WorkId, WorkCut] = {}
        self._of: dict[str, WorkId] = {}

    def load(self, copies: Mapping[WorkId, Sequence[ItemId]], touches: Collection[Touch]) -> set[str]:
        """Items of which only the acts since the cut of their work are to be read."""
        if not copies:
            return set()
        for row in self._connection.execute(_FOUND, {"ids": sorted(copies)}):
            work, cut = row.work, _cut_of(row)
            self._kept.add(work)
            if cut.copies.keys() != set(copies[work]):
                continue
            said = [touch for touch in touches if touch.item in cut.copies]
            if all(one.at is not None and cut.moment.bears(one.log, one.sequence, one.at) for one in said):
                self._cuts[work] = cut
                self._of.update(dict.fromkeys(cut.copies, work))
        return set(self._of)

    def rows(self) -> tuple[list[AnyRow], list[AnyRow]]:
        """Acts since the cuts, and their loans with those that were open then."""
        run = self._connection.execute
        acts: list[AnyRow] = []
        loans: list[AnyRow] = []
        for cut in self._cuts.values():
            keys = {"ids": sorted(cut.copies), "since": microseconds(cut.moment.at)}
            acts += run(_EVENTS, keys)
            open_then = [copy.lent.act_id for copy in cut.copies.values() if copy.lent is not None]
            if open_then:
                loans += run(_LENT, {"ids": sorted(open_then)})
            loans += sorted(run(_LOANS, keys), key=lambda row: row.lent_at)
        return acts, loans

    def lent(self, item: str) -> Span | None:
        """The loan that was open at the cut, as it was then; None where all was read."""
        copy = self._copy(item)
        return None if copy is None else copy.lent

    def lent_before(self, item: str) -> bool:
        """True when a loan of this item was not read."""
        copy = self._copy(item)
        return copy is not None and copy.ever

    def holds(self, work: WorkId) -> WorkState | None:
        """How they stood at the cut; None where all acts were read."""
        cut = self._cuts.get(work)
        return None if cut is None else cut.holds

    def write(self, changed: Mapping[WorkId, tuple[Collection[ItemId], Collection[ItemEvent]]]) -> None:
        """Makes cuts of works of which acts have changed, from their copies and all acts that were read."""
        new: list[dict[str, Any]] = []
        for work, (copies, events) in changed.items():
            kept = self._cuts.get(work)
            if kept is not None and len(events) <= self._long:
                continue
            cut = work_cut(events, copies, kept) if len(events) > self._long else None
            if cut is not None:
                new.append(_row(work, cut))
                self._kept.discard(work)
        gone = self._kept & changed.keys() - self._cuts.keys()
        if gone:
            forget(self._connection, gone)
        upsert(self._connection, tables.work_cut, new)

    def _copy(self, item: str) -> CopyBefore | None:
        work = self._of.get(item)
        return None if work is None else self._cuts[work].copies[ItemId(item)]


def _cut_of(row: AnyRow) -> WorkCut:
    body = msgspec.json.decode(row.body, type=_Body)
    numbers = {(kiosk, log): number for kiosk, log, number in body.numbers}
    return WorkCut(Cut(moment(row.at), numbers, lent=True), body.copies, body.holds)


def _row(work: WorkId, cut: WorkCut) -> dict[str, Any]:
    numbers = [(kiosk, log, number) for (kiosk, log), number in cut.moment.numbers.items()]
    body = _Body(numbers, dict(cut.copies), cut.holds)
    return {"work": work, "at": microseconds(cut.moment.at), "body": msgspec.json.encode(body).decode()}
