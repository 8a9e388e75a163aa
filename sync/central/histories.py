"""How much of an item's history a batch reads: all of a short one, of a long one what came after its last quiet point.

A cut (`kiosk.domain.quiet`) is kept for items that many acts name, so that a word costs the same however often a book has
gone out. It is made from what a batch has read anyhow, under the lock of the item, and goes with the transaction. Words that
a cut does not bear make the batch read the whole history, and the cut is made anew or given up.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from kiosk.domain.quiet import Cut, Log, quiet_point
from kiosk.domain.reconcile import ItemEvent
from kiosk.domain.values import IncarnationId, KioskId
from sync.central import tables
from sync.central.bulk import among
from sync.central.database import upsert
from sync.central.records import AnyRow, microseconds, moment

LONG = 32
"""Standing acts of an item that are read whole, or since its cut, before a (new) cut is looked for."""

_QUIET = tables.quiet.c
_FOUND = select(tables.quiet).where(among(_QUIET.item))


@dataclass(frozen=True, slots=True)
class Touch:
    """What a batch may change about an item."""

    item: str
    """Which."""
    log: Log
    """Whose word."""
    sequence: int
    """Its place, or that of the request it settles."""
    at: datetime | None
    """When it happened; None where that cannot be said."""


class Histories:
    """Cuts of the items of one batch."""

    def __init__(self, connection: Connection, long: int) -> None:
        self._connection = connection
        self._long = long
        self._kept: dict[str, Cut] = {}
        self._borne: set[str] = set()
        self._read_since: set[str] = set()

    def load(self, items: Iterable[str], whole: Collection[str], touches: Iterable[Touch]) -> list[str]:
        """Items of which only the acts since the cut are to be read. `whole`: are read whole, whatever is told."""
        for row in self._connection.execute(_FOUND, {"ids": sorted(items)}):
            self._kept[row.item] = _cut_of(row)
        self._borne = set(self._kept)
        for touch in touches if self._kept else ():
            cut = self._kept.get(touch.item)
            if cut is not None and (touch.at is None or not cut.bears(touch.log, touch.sequence, touch.at)):
                self._borne.discard(touch.item)
        self._read_since = self._borne - set(whole)
        return sorted(self._read_since)

    @property
    def oldest(self) -> int:
        """Time of the oldest cut that is read from; microseconds since 1970."""
        return min((microseconds(self._kept[item].at) for item in self._read_since), default=0)

    def lent_before(self, item: str) -> bool:
        """True when a loan of this item was not read."""
        return item in self._read_since and self._kept[item].lent

    def forget(self, items: Collection[str]) -> None:
        """Their acts were read in another way (`work_cuts`) and have changed: no cut of the item alone counts any more."""
        if items:
            self._connection.execute(delete(tables.quiet).where(_QUIET.item.in_(sorted(items))))

    def write(self, changed: Mapping[str, Collection[ItemEvent]]) -> None:
        """Makes cuts for items whose events have changed, from all of these that were read."""
        new: list[dict[str, Any]] = []
        gone: list[str] = []
        for item, events in changed.items():
            kept = self._kept.get(item)
            if item in self._read_since:
                cut = quiet_point(events, kept) if len(events) > self._long else kept
            elif item in self._borne:
                continue  # read whole for another reason
            else:
                cut = quiet_point(events, None) if len(events) > self._long else None
            if cut is None and kept is not None:
                gone.append(item)
            elif cut is not None and cut != kept:
                new.append(_row(item, cut))
        if gone:
            self._connection.execute(delete(tables.quiet).where(_QUIET.item.in_(gone)))
        upsert(self._connection, tables.quiet, new)


def _cut_of(row: AnyRow) -> Cut:
    numbers = {(KioskId(kiosk), IncarnationId(name)): number for kiosk, name, number in json.loads(row.numbers)}
    return Cut(moment(row.at), numbers, bool(row.lent))


def _row(item: str, cut: Cut) -> dict[str, Any]:
    numbers = [[kiosk, name, number] for (kiosk, name), number in cut.numbers.items()]
    return {"item": item, "at": microseconds(cut.at), "numbers": json.dumps(numbers), "lent": int(cut.lent)}
