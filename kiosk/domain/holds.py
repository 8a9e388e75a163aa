"""Holds (預約): who waits for which work, for whom a returned copy is set aside, when it is over (B1, B6, docs/sync.md "Holds").

A hold is on a work and any copy serves it. Like holdings (`reconcile.settle`), the holds of a work are a pure function
of the *set* of the standing acts of all its copies: placing, cancelling, expiring, a return that set its copy aside, a
checkout that picks one up. So any order of arrival ends in the same holds and the same cases.

`may_hold` and `set_aside` are the rules; the same code decides at the kiosk and at central. Pure, no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from kiosk.domain.calendar import Calendar, end_of_day, library_day
from kiosk.domain.journal import Deed
from kiosk.domain.lending import NO_END, HoldQueue, Item, ItemState, Loan, Membership, Policy, standing_refused
from kiosk.domain.reconcile import Conflict, ItemEvent, in_order, is_unlinked
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId, Reason, Refused


class HoldState(StrEnum):
    """How a hold is."""

    WAITING = "waiting"
    """No copy is set aside for it."""
    ON_THE_WAY = "on_the_way"
    """A copy is set aside at another branch and must travel."""
    READY = "ready"
    """A copy stands on the ready shelf of the branch where it is to be picked up."""
    PICKED_UP = "picked_up"
    EXPIRED = "expired"
    """It was ready and nobody came."""
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        """Still to be served."""
        return self in (HoldState.WAITING, HoldState.ON_THE_WAY, HoldState.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One membership waits for one work."""

    id: ActId
    """The act that placed it."""
    membership: MembershipId
    """Who."""
    asked: ItemId
    """The copy it was placed on; any copy of its work serves it."""
    branch: BranchId
    """Where it is to be picked up."""
    placed_at: datetime
    """Its place in the queue (corrected, aware UTC)."""
    state: HoldState = HoldState.WAITING
    """See `HoldState`."""
    item: ItemId | None = None
    """The copy set aside, or the one that was picked up or was ready last."""
    ready_until: datetime | None = None
    """Ready: last moment for picking it up, as promised."""
    by: ActId | None = None
    """The act that set `item` aside or ended the hold."""
    left: ItemId | None = None
    """A copy that still stands on the ready shelf although the hold is over; somebody must scan it."""


@dataclass(frozen=True, slots=True)
class HoldSettlement:
    """What all acts of one work amount to."""

    holds: tuple[Hold, ...] = ()
    """In the order of placing; open and ended."""
    conflicts: frozenset[Conflict] = frozenset()
    """HOLD_COPY_STRAY and ITEM_RESERVED: cases for a person."""
    about: Mapping[Conflict, tuple[ItemId, MembershipId | None]] = field(default_factory=dict, compare=False)
    """Of each conflict: the copy, and who had it in their hands then."""

    def hold(self, id_: ActId | None) -> Hold | None:
        """The hold with this id."""
        return next((hold for hold in self.holds if hold.id == id_), None)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a work, and who has it."""

    item: Item
    """As the records have it."""
    holder: Loan | None
    """Its open loan."""

    @property
    def free(self) -> bool:
        """Anybody may take it from the shelf."""
        return self.item.state is ItemState.IN_SERVICE and self.holder is None and self.item.reserved_for is None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A returned copy serves a hold."""

    hold: Hold
    """Which."""
    until: datetime | None
    """Last moment for picking it up; None while it must travel to the hold's branch."""

    @property
    def note(self) -> Refused:
        """What to say of it: which shelf, or which branch."""
        if self.until is None:
            return Refused(Reason.HOLD_AT_BRANCH, {"branch": self.hold.branch})
        return Refused(Reason.HOLD_HERE, {"date": library_day(self.until).isoformat()})


# --- rules --------------------------------------------------------------------------------------------------------


def may_hold(
    *,
    membership: Membership,
    item: Item,
    copies: Sequence[Copy],
    holds: Sequence[Hold],
    open_holds: int,
    open_loans: Sequence[Loan],
    policy: Policy,
    branch: BranchId,
    calendar: Calendar,
    now: datetime,
) -> Refused | None:
    """Why `membership`, who has `open_holds` and `open_loans`, may not wait for the work of `item`; None if they may.

    `copies` and `holds` are those of the work, `item` among the copies; `calendar` is that of `branch`, the place to pick up.
    """
    if calendar.given_up:
        return Refused(Reason.HOLD_BRANCH_CLOSED)
    suspended = suspended_from_holds(membership, now)
    if suspended is not None:
        return suspended
    refused = standing_refused(replace(membership, suspended_until=None), open_loans, policy, now)
    if refused is not None:
        return refused
    rule = policy.patron_rule(membership.category)
    if rule is None or rule.holds == 0:
        return Refused(Reason.HOLD_NOT_OFFERED)
    if any(hold.membership == membership.id and hold.state.open for hold in holds):
        return Refused(Reason.HOLD_ALREADY)
    if any(copy.holder is not None and copy.holder.membership == membership.id for copy in copies):
        return Refused(Reason.HOLD_HAVE_IT)
    lendable = [copy for copy in copies if _lendable(copy.item, membership, policy, branch)]
    if not lendable:
        return Refused(Reason.ITEM_NOT_FOR_LOAN if item.state is ItemState.IN_SERVICE else Reason.ITEM_WITHDRAWN)
    if not policy.hold_on_shelf and any(copy.free for copy in lendable):
        return Refused(Reason.HOLD_ON_SHELF)
    if open_holds >= rule.holds:
        return Refused(Reason.HOLDS_REACHED, {"limit": rule.holds})
    return None


def suspended_from_holds(membership: Membership, now: datetime) -> Refused | None:
    """The first day for reserving is apart from that for borrowing; where none is set, it is the same (B1)."""
    last = membership.holds_suspended_until or membership.suspended_until
    if last is None or last < library_day(now):
        return None
    if last >= NO_END:
        return Refused(Reason.SUSPENDED_WITHOUT_END)
    return Refused(Reason.HOLDS_SUSPENDED, {"date": (last + timedelta(days=1)).isoformat()})


def next_in_queue(holds: Iterable[Hold], branch: BranchId, policy: Policy) -> Hold | None:
    """Whom a copy at `branch` serves."""
    waiting = sorted(
        (hold for hold in holds if hold.state is HoldState.WAITING), key=lambda hold: (hold.placed_at, hold.id)
    )
    match policy.hold_queue:
        case HoldQueue.STRICT:
            here: list[Hold] = []
        case HoldQueue.BRANCH_FIRST:
            here = [hold for hold in waiting if hold.branch == branch]
        case _ as never:
            assert_never(never)
    return next(iter(here or waiting), None)


def set_aside(
    *, item: Item, holds: Sequence[Hold], branch: BranchId, policy: Policy, calendar: Calendar, now: datetime
) -> SetAside | None:
    """For whom a copy that is scanned as returned at `branch` is set aside; a copy that is already keeps its hold."""
    if item.state is not ItemState.IN_SERVICE:
        return None
    kept = next((hold for hold in holds if hold.item == item.id and hold.state.open), None)
    hold = kept or next_in_queue(holds, branch, policy)
    if hold is None or (kept is None and item.reserved_for is not None):
        return None  # or staff have reserved it by hand
    if hold.branch != branch:
        return SetAside(hold, None)
    if hold.state is HoldState.READY and hold.ready_until is not None:
        return SetAside(hold, hold.ready_until)
    return SetAside(hold, pick_up_until(now, policy, calendar))


def pick_up_until(now: datetime, policy: Policy, calendar: Calendar) -> datetime:
    """The end of the last of `policy.hold_days` open days after today (aware UTC)."""
    day = library_day(now)
    for _ in range(policy.hold_days):
        day = calendar.first_open(day + timedelta(days=1))
    return end_of_day(day)


def shelf_note(item: Item, branch: BranchId) -> Refused | None:
    """Where a copy goes for which nobody waits: home, if that is elsewhere (B6)."""
    if item.state is not ItemState.IN_SERVICE or item.branch == branch:
        return None
    return Refused(Reason.GOES_TO_BRANCH, {"branch": item.branch})


def position(hold: Hold, holds: Iterable[Hold]) -> int:
    """Place in the queue of those who wait, from 1."""
    mine = (hold.placed_at, hold.id)
    return 1 + sum(other.state is HoldState.WAITING and (other.placed_at, other.id) < mine for other in holds)


def others_wait(holds: Iterable[Hold], membership: MembershipId) -> bool:
    """True when somebody else waits for the work: then it is not renewed."""
    return any(hold.state is HoldState.WAITING and hold.membership != membership for hold in holds)


def _lendable(item: Item, membership: Membership, policy: Policy, branch: BranchId) -> bool:
    rule = policy.loan_rule(membership.category, item.item_type, branch)
    return item.state is ItemState.IN_SERVICE and rule is not None and rule.for_loan


# --- what acts amount to ------------------------------------------------------------------------------------------

NOTHING = HoldSettlement()
"""Of a work for which nobody ever waited."""
HOLD_DEEDS = frozenset({Deed.PLACE_HOLD, Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD})
"""Deeds that move no copy."""


@dataclass(frozen=True, slots=True)
class WorkState:
    """The holds of a work after some of its acts, as far as later acts can ask: what `settle_holds` goes on from."""

    holds: tuple[Hold, ...]
    """Open and ended."""
    aside: Mapping[ItemId, ActId]
    """See `_Work`, as the others."""
    left: Mapping[ItemId, ActId]
    strays: Mapping[ItemId, Conflict]
    lent_away: tuple[Conflict, ...]
    about: tuple[tuple[Conflict, ItemId, MembershipId | None], ...]
    """Of each conflict."""


def settle_holds(events: Iterable[ItemEvent], before: WorkState | None = None) -> HoldSettlement:
    """Holds and their conflicts of one work from the set of standing acts of all its copies, or of those after `before`."""
    work = _gone_through(events, before)
    work.give_up()
    left = {hold: item for item, hold in work.left.items()}
    holds = (replace(hold, left=left.get(hold.id)) for hold in work.holds.values())
    return HoldSettlement(
        tuple(sorted(holds, key=lambda hold: (hold.placed_at, hold.id))),
        frozenset((*work.lent_away, *work.strays.values())),
        work.about,
    )


def state_after(events: Iterable[ItemEvent], before: WorkState | None = None) -> WorkState:
    """How the holds of a work stand after these acts, for those that come after all of them."""
    work = _gone_through(events, before)
    conflicts = (*work.lent_away, *work.strays.values())
    return WorkState(
        holds=tuple(work.holds.values()),
        aside=work.aside,
        left=work.left,
        strays=work.strays,
        lent_away=tuple(work.lent_away),
        about=tuple((one, *work.about[one]) for one in conflicts),
    )


def _gone_through(events: Iterable[ItemEvent], before: WorkState | None) -> "_Work":
    ordered = in_order(events)
    placed = {event.act_id: _placed(event) for event in ordered if event.deed is Deed.PLACE_HOLD}
    if before is not None:
        placed = {hold.id: hold for hold in before.holds} | placed
    work = _Work(placed, frozenset(hold.membership for hold in placed.values()))
    if before is not None:
        work.aside.update(before.aside)
        work.left.update(before.left)
        work.strays.update(before.strays)
        work.lent_away.extend(before.lent_away)
        work.about.update({one: (item, who) for one, item, who in before.about})
    for event in ordered:
        match event.deed:
            case Deed.PLACE_HOLD | Deed.RENEW | Deed.STAFF_ENTRY | Deed.CLOCK_CONFIRMED:
                pass
            case Deed.CANCEL_HOLD | Deed.EXPIRE_HOLD:
                work.end(event)
            case Deed.RETURN:
                work.take_back(event)
            case Deed.CHECKOUT:
                work.lend(event)
            case _ as never:
                assert_never(never)
    return work


def _placed(event: ItemEvent) -> Hold:
    return Hold(
        id=event.act_id,
        membership=event.membership or MembershipId(""),
        asked=event.item,
        branch=event.branch,
        placed_at=event.at,
    )


@dataclass(slots=True)
class _Work:
    """The holds of a work while its acts are gone through."""

    holds: dict[ActId, Hold]
    readers: frozenset[MembershipId | None]
    """Who placed them."""
    aside: dict[ItemId, ActId] = field(default_factory=dict)
    """Copies set aside, and for which hold."""
    left: dict[ItemId, ActId] = field(default_factory=dict)
    """Copies on the ready shelf of which the hold is over."""
    strays: dict[ItemId, Conflict] = field(default_factory=dict)
    """Copies that a machine sent to the wrong place."""
    lent_away: list[Conflict] = field(default_factory=list)
    """Copies set aside for one reader and lent to another."""
    about: dict[Conflict, tuple[ItemId, MembershipId | None]] = field(default_factory=dict)
    """Of each conflict: the copy, and who had it in their hands then."""

    def end(self, event: ItemEvent) -> None:
        """Cancelled, or not picked up in time."""
        hold = self.holds.get(event.hold) if event.hold is not None else None
        if hold is None or not hold.state.open:
            return
        if event.deed is Deed.EXPIRE_HOLD:
            over = hold.state is HoldState.READY and (hold.ready_until is None or hold.ready_until < event.at)
            if not over:
                return
        elif event.membership != hold.membership:
            return
        self._over(hold, HoldState.EXPIRED if event.deed is Deed.EXPIRE_HOLD else HoldState.CANCELLED, event.act_id)

    def give_up(self) -> None:
        """Nobody can be served whom nobody knows any more: a hold that was unlinked (C9) is never open again."""
        for hold in list(self.holds.values()):
            if hold.state.open and is_unlinked(hold.membership):
                self._over(hold, HoldState.EXPIRED, hold.id)

    def take_back(self, event: ItemEvent) -> None:
        """A scan as returned: it says for whom the copy was set aside, if for anybody."""
        item = event.item
        self._touched(item)
        before = self._aside_for(item)
        wanted = self.holds.get(event.hold) if event.hold is not None else None
        if before is not None and before.id != event.hold:
            self._wait_again(before)
            if event.hold is None:  # a machine that knew of no hold sent it to the shelf
                self._stray(before.by or before.id, event)
        if event.hold is None:
            return
        if wanted is None or not (wanted.state is HoldState.WAITING or (wanted.item == item and wanted.state.open)):
            earlier = event.hold if wanted is None or wanted.by is None else wanted.by
            self._stray(earlier, event)
            return
        self.aside[item] = wanted.id
        if event.branch != wanted.branch:
            self._set(wanted, HoldState.ON_THE_WAY, event, None)
        elif wanted.state is not HoldState.READY:
            self._set(wanted, HoldState.READY, event, event.due_at)

    def lend(self, event: ItemEvent) -> None:
        """A checkout picks up what was set aside for this reader, or serves their hold with any other copy."""
        item = event.item
        self._touched(item)
        before = self._aside_for(item)
        if before is not None and before.membership != event.membership:
            conflict = Conflict(Reason.ITEM_RESERVED, before.by or before.id, event.act_id)
            self.lent_away.append(conflict)
            self.about[conflict] = (item, event.membership)
            self._wait_again(before)
            before = None
        mine = before or self._first_of(event)
        if mine is None:
            return
        if mine.item is not None:
            del self.aside[mine.item]
            if mine.item != item:
                self.left[mine.item] = mine.id
        self.holds[mine.id] = replace(mine, state=HoldState.PICKED_UP, item=item, by=event.act_id, ready_until=None)

    def _over(self, hold: Hold, state: HoldState, by: ActId) -> None:
        """It is over without a pick-up; its copy still stands where it was set aside."""
        if hold.item is not None:
            del self.aside[hold.item]
            self.left[hold.item] = hold.id
        self.holds[hold.id] = replace(hold, state=state, by=by)

    def _stray(self, earlier: ActId, event: ItemEvent) -> None:
        conflict = Conflict(Reason.HOLD_COPY_STRAY, earlier, event.act_id)
        self.strays[event.item] = conflict
        self.about[conflict] = (event.item, event.membership)

    def _touched(self, item: ItemId) -> None:
        """Somebody has this copy in their hands: what was to be done about it is done."""
        self.left.pop(item, None)
        self.strays.pop(item, None)

    def _aside_for(self, item: ItemId) -> Hold | None:
        hold = self.aside.get(item)
        return None if hold is None else self.holds[hold]

    def _wait_again(self, hold: Hold) -> None:
        """In its old place."""
        if hold.item is not None:
            del self.aside[hold.item]
        self.holds[hold.id] = replace(hold, state=HoldState.WAITING, item=None, ready_until=None, by=None)

    def _set(self, hold: Hold, state: HoldState, event: ItemEvent, until: datetime | None) -> None:
        self.holds[hold.id] = replace(hold, state=state, item=event.item, ready_until=until, by=event.act_id)

    def _first_of(self, event: ItemEvent) -> Hold | None:
        if event.membership not in self.readers:
            return None
        own = (
            hold
            for hold in self.holds.values()
            if hold.membership == event.membership and hold.state.open and hold.placed_at <= event.at
        )
        return min(own, key=lambda hold: (hold.placed_at, hold.id), default=None)


def reserved(settlement: HoldSettlement) -> Mapping[ItemId, MembershipId]:
    """Copies set aside, and for whom: `Item.reserved_for` as the holds would have it."""
    return MappingProxyType(
        {hold.item: hold.membership for hold in settlement.holds if hold.state.open and hold.item is not None}
    )
