"""Cases of one batch: what the acts of an item or a work contradict, opened, closed and opened again as they settle.

Part of a ledger and alive as long as it. What state the case of a conflict is in follows from the set of acts alone (open; kept but
closed, because the book has come back; closed, because it is no conflict any more), so any order of arrival ends in the same.
What a person has closed stays closed. Inside the ledger's transaction.

Why
A double lending whose book has come back asks nothing of anybody, and an open case holds up forgetting (C9). It is closed and
not dropped: how often books go out twice is worth knowing.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from kiosk.domain.reconcile import Conflict, ItemEvent, is_unlinked
from kiosk.domain.values import ActId, ItemId, MembershipId, Reason, Refused
from sync.central import stored, tables
from sync.central.database import upsert
from sync.central.records import details_text, microseconds
from sync.central.works import Works, conflict_id

SETTLED = "settled"
"""`closed_by` of a case that later acts resolved by themselves."""
CENTRAL = "central"
"""`closed_by` of a case that central itself saw the end of."""
CAME_BACK = "book came back"
"""Its `closed_how`."""

_CASE = tables.case.c
BY_ITSELF = or_(
    _CASE.closed_by == SETTLED,
    and_(_CASE.closed_by == CENTRAL, _CASE.closed_how == CAME_BACK),
    _CASE.closed_at.is_(None),
)
"""A case that no person has closed."""


class State(StrEnum):
    """Of the case of a conflict."""

    OPEN = "open"
    CAME_BACK = "came_back"
    SETTLED = "settled"
    BY_PERSON = "by_person"


def closed(state: State, now: datetime) -> dict[str, Any]:
    """What stands in the row of a case that closed by itself."""
    by, how = (CENTRAL, CAME_BACK) if state is State.CAME_BACK else (SETTLED, None)
    return {"closed_at": microseconds(now), "closed_by": by, "closed_how": how}


def _state(closed_at: int | None, closed_by: str | None, closed_how: str | None) -> State:
    if closed_at is None:
        return State.OPEN
    if closed_by == SETTLED:
        return State.SETTLED
    return State.CAME_BACK if (closed_by, closed_how) == (CENTRAL, CAME_BACK) else State.BY_PERSON


class Cases:
    """Cases that a batch opens and closes."""

    def __init__(self, connection: Connection, now: datetime, works: Works) -> None:
        self._connection = connection
        self._now = now
        self._works = works
        self._of_items: dict[str, dict[str, State]] = {}
        self._about: dict[str, tuple[str, ...]] = {}
        self._opened: dict[str, dict[str, Any]] = {}
        self._closed: dict[str, dict[str, Any]] = {}

    def load(
        self, items: Iterable[str], since: Collection[str], events: Mapping[str, Mapping[ActId, ItemEvent]]
    ) -> None:
        """Cases of conflicts on these items. `since`: those of which only the newer `events` were read."""
        keys = list(items)
        self._of_items = {item: {} for item in keys}
        for row in self._connection.execute(stored.CONFLICTS, {"ids": keys}):
            known = self._of_items[row.item]
            if Reason(row.reason) not in stored.OF_ONE_ITEM:
                work = self._works.of(row.item)
                known = {} if work is None else self._works.conflicts[work]
            elif row.item in since and events[row.item].keys().isdisjoint((row.act, row.other_act)):
                continue  # of acts before the cut
            known[row.id] = _state(row.closed_at, row.closed_by, row.closed_how)
            self._about[row.id] = (row.act, row.other_act)

    def of_item(self, item: str) -> dict[str, State]:
        """Cases of its conflicts by their ids, to be compared."""
        return self._of_items[item]

    def open(
        self, refused: Refused, *, act: str, item: str | None, membership: str | None, kiosk: str,
        other_act: str | None = None, mark: str = "",
    ) -> None:  # fmt: skip
        """One case for one reason and its acts, however often it comes up; `mark` tells two of one act apart."""
        id_ = ":".join(part for part in (refused.reason.value, act, other_act, mark) if part)
        self._closed.pop(id_, None)
        self._opened[id_] = {
            "id": id_,
            "reason": refused.reason.value,
            "act": act,
            "other_act": other_act,
            "item": item,
            "membership": None if is_unlinked(membership) else membership,
            "kiosk": kiosk,
            "details": details_text(refused.details),
            "opened_at": microseconds(self._now),
            "closed_at": None,
            "closed_by": None,
            "closed_how": None,
        }

    def compare(
        self, wanted_of: Mapping[Conflict, tuple[ItemId, MembershipId | None]], known: dict[str, State], *,
        kiosk: str, events: Mapping[ActId, ItemEvent], came_back: Collection[Conflict] = (),
    ) -> None:  # fmt: skip
        """Brings the cases of an item or a work, `known` by id, to what its conflicts are now: each with the item and the
        membership it is about. `came_back`: those that ask nothing of anybody any more."""
        wanted = {conflict_id(one): one for one in wanted_of}
        for id_, one in wanted.items():
            goal = State.CAME_BACK if one in came_back else State.OPEN
            was = known.get(id_, State.SETTLED)
            if was in (goal, State.BY_PERSON):
                continue
            known[id_] = goal
            if was is not State.OPEN:
                item, membership = wanted_of[one]
                refused = Refused(one.reason)
                self.open(refused, act=one.earlier, other_act=one.later, item=item, membership=membership, kiosk=kiosk)
            if goal is State.CAME_BACK:
                self._close(id_, goal)
        for id_, was in known.items():
            if id_ in wanted or was not in (State.OPEN, State.CAME_BACK):
                continue
            if was is State.CAME_BACK and self._forgotten(id_, events):
                continue  # it did end so; nobody knows any more whose it was
            known[id_] = State.SETTLED
            self._opened.pop(id_, None)
            self._close(id_, State.SETTLED)

    def _forgotten(self, id_: str, events: Mapping[ActId, ItemEvent]) -> bool:
        acts = (events.get(ActId(act)) for act in self._about.get(id_, ()))
        return any(act is not None and is_unlinked(act.membership) for act in acts)

    def _close(self, id_: str, state: State) -> None:
        values = closed(state, self._now)
        self._closed[id_] = values
        if id_ in self._opened:
            self._opened[id_] |= values

    def write(self) -> None:
        """A case that a person has closed is not opened again by a word that comes once more."""
        for id_, values in self._closed.items():
            self._connection.execute(update(tables.case).where(_CASE.id == id_, BY_ITSELF).values(**values))
        if self._opened:
            stays = or_(_CASE.closed_at.is_(None), ~BY_ITSELF)
            kept = select(_CASE.id).where(_CASE.id.in_(sorted(self._opened)), stays)
            for id_ in self._connection.execute(kept).scalars().all():
                del self._opened[id_]
            upsert(self._connection, tables.case, list(self._opened.values()))
