"""What central says of holds: may one be placed, for whom is a returned copy set aside, what do all acts amount to. Pure.

Online central decides for whom a copy is set aside, and the verdict says it before the screen does. A return that was
recorded offline carries what its kiosk said, or nothing; nothing is set aside afterwards, because the copy went to the
shelf (docs/sync.md "Holds"). Conflicts follow from the acts of the work alone, so any order of arrival opens the same cases.
"""

from collections.abc import Mapping
from dataclasses import replace

from kiosk.domain.holds import (
    HOLD_DEEDS,
    HoldSettlement,
    HoldState,
    SetAside,
    may_hold,
    pick_up_until,
    position,
    reserved,
    set_aside,
    settle_holds,
    shelf_note,
)
from kiosk.domain.journal import Act, Deed, Mode, Outcome
from kiosk.domain.lending import Item
from kiosk.domain.reconcile import ItemEvent, Settlement, in_order
from kiosk.domain.values import ActId, Detail, KioskId, Reason, Refused
from sync.central.ruling import Known, Ruling, Unjudgeable

CENTRAL = KioskId("central")
"""Who says what nobody at a kiosk says: that a hold has expired, and what staff place and cancel."""


def asked(act: Act, known: Known) -> Refused | None:
    """Why a request about a hold is refused. Raises Unjudgeable."""
    if act.deed is Deed.EXPIRE_HOLD:
        raise Unjudgeable("central says as a fact that a hold has expired")
    if known.membership is None:
        return Refused(Reason.MEMBERSHIP_UNKNOWN)
    if known.item is None or known.work is None:
        return Refused(Reason.ITEM_UNKNOWN)
    if act.deed is Deed.CANCEL_HOLD:
        hold = known.work.holds.hold(act.hold)
        mine = hold is not None and hold.state.open and hold.membership == act.membership
        return None if mine else Refused(Reason.HOLD_UNKNOWN)
    return may_hold(
        membership=known.membership,
        item=known.item,
        copies=known.work.copies,
        holds=known.work.holds.holds,
        open_holds=known.work.open_holds,
        open_loans=known.open_loans,
        policy=known.policy,
        branch=act.branch,
        calendar=known.calendar,
        now=known.placed(act),
    )


def without_hold(known: Known) -> Item | None:
    """The item as the records alone have it: a copy that acts set aside gives a conflict, not an objection."""
    item = known.item
    if item is None or known.work is None or item.id not in reserved(known.work.holds):
        return item
    return replace(item, reserved_for=None)


def routed(event: ItemEvent, act: Act, known: Known, settlement: Settlement) -> ItemEvent:
    """A return, with the hold that its copy is set aside for."""
    if event.deed is not Deed.RETURN or known.work is None or known.item is None:
        return event
    if act.hold is not None:  # whatever is known of that hold by now: its placing may come later
        until = event.due_at or pick_up_until(known.placed(act), known.policy, known.calendar)
        return replace(event, due_at=until)
    others = [one for id_, one in known.events.items() if id_ != act.id and one.deed not in HOLD_DEEDS]
    newest = in_order([*others, event])[-1].act_id == act.id
    if act.mode is not Mode.ONLINE or settlement.holder is not None or not newest:
        return event
    aside = set_aside(
        item=known.item,
        holds=known.work.holds.holds,
        branch=act.branch,
        policy=known.policy,
        calendar=known.calendar,
        now=known.placed(act),
    )
    return event if aside is None else replace(event, hold=aside.hold.id, due_at=aside.until)


def with_holds(act: Act, known: Known, ruling: Ruling) -> Ruling:
    """The ruling with what it does to the holds of the work, and where a returned copy goes."""
    if known.work is None or ruling.settlement is None:
        return _home(act, known, ruling)
    events: dict[ActId, ItemEvent] = {id_: one for id_, one in known.work.events.items() if id_ != act.id}
    if ruling.event is not None:
        events[act.id] = ruling.event
    after = settle_holds(events.values(), known.work.before)
    ruling = replace(ruling, holds=after)
    conflict = next((one.reason for one in after.conflicts if act.id in (one.earlier, one.later)), None)
    if conflict is not None and ruling.event is not None and ruling.outcome is not Outcome.CASE:
        return replace(ruling, outcome=Outcome.CASE, reason=conflict, details={})
    if ruling.event is None or ruling.outcome is Outcome.CASE:
        return ruling
    if act.deed is Deed.PLACE_HOLD:
        return _noted(ruling, _placed(act, after))
    if act.deed is Deed.RETURN:
        aside = _aside(ruling.event, after)
        return _home(act, known, ruling) if aside is None else replace(_noted(ruling, aside.note), hold=aside.hold.id)
    return ruling


def _placed(act: Act, after: HoldSettlement) -> Refused | None:
    hold = after.hold(act.id)
    if hold is None:
        return None
    return Refused(Reason.HOLD_PLACED, {"ahead": position(hold, after.holds) - 1, "branch": hold.branch})


def _aside(event: ItemEvent, after: HoldSettlement) -> SetAside | None:
    hold = after.hold(event.hold)
    if hold is None or hold.item != event.item or not hold.state.open:
        return None
    return SetAside(hold, hold.ready_until if hold.state is HoldState.READY else None)


def _home(act: Act, known: Known, ruling: Ruling) -> Ruling:
    """A copy for which nobody waits goes to its own branch."""
    plain = ruling.outcome is Outcome.ACCEPTED or (ruling.outcome, ruling.reason) == (Outcome.NOTED, Reason.ITEM_FOUND)
    if act.deed is not Deed.RETURN or not plain or known.item is None:
        return ruling
    return _noted(ruling, shelf_note(known.item, act.branch))


def _noted(ruling: Ruling, note: Refused | None) -> Ruling:
    if note is None:
        return ruling
    details: Mapping[str, Detail] = note.details
    return replace(ruling, outcome=Outcome.NOTED, reason=note.reason, details=details)
