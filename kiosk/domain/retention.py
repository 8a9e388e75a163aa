"""Which acts of an item may forget whose they were (C9), so that no word that still may come changes a holding by it.

`settle` compares memberships only between neighbours, and a return leaves the item with nobody. So behind a return that
nothing can take away, everything before it is history: whatever is told later, in whatever order, the open loan and its
dates follow from the events after that return alone. What can still move an event is looked at with its worst case:

- a return is never withdrawn, and its place can only move to a later time than its own: it counts at its own time;
- an event's place moves later only by an earlier number of its own log, so its log must be held without a gap up to it;
  withdrawals only move it earlier.

Not covered, because nobody could know: a request that central refused, that happened all the same, and is told only
after N days, from a log whose clock went back meanwhile. Its loan opens again without a name, which a person sees.
Pure.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import ItemEvent, in_order_with_times, is_unlinked
from kiosk.domain.values import ActId


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
