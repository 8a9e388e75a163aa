"""Which acts of an item may forget whose they were (C9), so that no word that still may come changes a holding by it.

`settle` compares memberships only between neighbours, and a return leaves the item with nobody. So behind a return that
nothing can take away, everything before it is history: whatever is told later, in whatever order, the open loan and its
dates follow from the events after that return alone. What can still move an event is looked at with its worst case:

- a return is never withdrawn, and its place can only move to a later time than its own: it counts at its own time;
- an event's place moves later only by an earlier number of its own log, so its log must be held without a gap up to it;
  withdrawals only move it earlier.

Not covered, because nobody could know: a request that central refused, that happened all the same, and is told only
after N days, from a log whose clock went back meanwhile. Its loan opens again without a name, which a person sees.

Where somebody ever waited for a work, more depends on who it was: a loan ends a hold because both name the same person,
whichever copy it is, and no single act makes what is before it history. There `forgettable_of_work` cuts only behind a
time up to which every log has been told, person by person: a stretch is over when this person has no hold on the work
and none of its copies. The order of what is told is fixed by then, everybody is compared with acts of the same stretch
or of other people only, and one mark for each stretch says the same as the name did.
Pure.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from kiosk.domain.holds import HOLD_DEEDS, settle_holds
from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import ItemEvent, in_order, in_order_with_times, is_unlinked
from kiosk.domain.values import ActId, ItemId, MembershipId


def forgettable(
    events: Collection[ItemEvent], whole: Callable[[ItemEvent], bool], before: datetime
) -> list[list[ActId]]:
    """Acts of one item that still name somebody and may forget it, in stretches from return to return.

    `events`: all that count. `whole`: is this event's log held without a gap up to it? `before`: returns at or after
    this time keep what is before them.
    """
    ordered = in_order_with_times(events)
    for place in range(len(ordered) - 1, -1, -1):
        _, end = ordered[place]
        if end.deed is not Deed.RETURN or ordered[place][0] >= before or end.at >= before:
            continue
        earlier = ordered[:place]
        if all(_stays_before(at, event, end) and whole(event) for at, event in earlier):
            return _stretches([event for _, event in earlier])
    return []


def _stays_before(at: datetime, event: ItemEvent, end: ItemEvent) -> bool:
    if event.doubtful_until is not None or end.doubtful_until is not None:
        return False  # a person may yet say which of them came first
    same_log = (event.kiosk, event.incarnation) == (end.kiosk, end.incarnation)
    return at < end.at or (same_log and event.sequence < end.sequence)


def _stretches(events: list[ItemEvent]) -> list[list[ActId]]:
    found: list[list[ActId]] = [[]]
    for event in events:
        if event.deed is Deed.RETURN:
            found.append([])
        elif event.deed in (Deed.CHECKOUT, Deed.RENEW) and event.membership and not is_unlinked(event.membership):
            found[-1].append(event.act_id)
    return [stretch for stretch in found if stretch]


def forgettable_of_work(
    events: Collection[ItemEvent], whole: Callable[[ItemEvent], bool], until: datetime
) -> list[list[ActId]]:
    """Acts on any copy of one work, and on holds of it, that still name somebody and may forget it; one list for each
    person's stretch.

    `events`: all that count, of all copies. `whole`: is this event's log held without a gap up to it? `until`: whatever
    is told from now on happened at this time or later, and what ended at this time or later keeps who it was.
    """
    placed = in_order_with_times(events)
    ordered = [event for _, event in placed]
    fixed = next(
        (
            place
            for place, (at, event) in enumerate(placed)
            if at >= until or event.doubtful_until is not None or not whole(event)
        ),
        len(placed),
    )
    spans: dict[MembershipId, list[tuple[int, int]]] = {}
    for who, first, last in [*_of_holds(ordered), *_of_acts(ordered)]:
        if not is_unlinked(who):
            spans.setdefault(who, []).append((first, last))
    found = []
    for who, own in spans.items():
        for first, last in _joined(own):
            if last < fixed:
                found.append([event.act_id for event in ordered[first : last + 1] if event.membership == who])
    return found


def _of_holds(ordered: Sequence[ItemEvent]) -> Iterator[tuple[MembershipId, int, int]]:
    """Whose, and from where to where each hold could be compared with what its reader did; beyond the end while open."""
    place = {event.act_id: number for number, event in enumerate(ordered)}
    for hold in settle_holds(ordered).holds:
        first = next(
            number
            for number, event in enumerate(ordered)
            if hold.id in (event.act_id, event.hold) or event.at >= hold.placed_at
        )
        over = len(ordered) if hold.state.open or hold.by is None else place[hold.by]
        yield hold.membership, first, max(over, place[hold.id])


def _of_acts(ordered: Sequence[ItemEvent]) -> Iterator[tuple[MembershipId, int, int]]:
    """Whose, and from where to where acts count: loans of a copy up to its next return, beyond the end while it is out.

    A copy's own order is what its holdings follow, and not always that of the whole work.
    """
    place = {event.act_id: number for number, event in enumerate(ordered)}
    copies: dict[ItemId, list[ItemEvent]] = {}
    for event in ordered:
        copies.setdefault(event.item, []).append(event)
    for events in copies.values():
        since: dict[MembershipId, list[int]] = {}
        for event in in_order(events):
            if event.deed is Deed.RETURN:
                for who, own in since.items():
                    yield who, min(own), max(*own, place[event.act_id])
                since = {}
            elif event.membership is not None and event.deed in HOLD_DEEDS:
                yield event.membership, place[event.act_id], place[event.act_id]
            elif event.membership is not None:
                since.setdefault(event.membership, []).append(place[event.act_id])
        for who, own in since.items():
            yield who, min(own), len(ordered)


def _joined(spans: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that touch each other as one."""
    ordered = sorted(spans)
    first, last = ordered[0]
    for begin, end in ordered[1:]:
        if begin > last:
            yield first, last
            first = begin
        last = max(last, end)
    yield first, last
