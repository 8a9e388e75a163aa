"""Up to where the history of a reserved work need not be read again: a moment, and how its copies and holds stood then.

While somebody waits for a work no moment of it is settled by itself, as a return settles an item (`quiet`): so what stood at
the moment is kept, and `settle` and `settle_holds` go on from there. It may be any moment that no act can cross: every act up
to it stands before every act after it, by time and by the numbers of each log, none has a doubtful time, and none of them
names a hold that was not placed by then. A work for which nobody waits has none. Central's ledger asks; what is told later and
belongs before it is not borne (`Cut.bears`), and then the whole history is read. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kiosk.domain.holds import WorkState, state_after
from kiosk.domain.journal import Deed
from kiosk.domain.quiet import CANDIDATES, Cut, Log, greatest, log_of
from kiosk.domain.reconcile import ItemEvent, Span, settle
from kiosk.domain.values import ItemId, Reason


@dataclass(frozen=True, slots=True)
class CopyBefore:
    """A copy at the moment of the cut."""

    lent: Span | None
    """Its open loan, as it was then."""
    ever: bool
    """It was lent before."""


@dataclass(frozen=True, slots=True)
class WorkCut:
    """A work at a moment."""

    moment: Cut
    """When, and the greatest number of each log up to there."""
    copies: Mapping[ItemId, CopyBefore]
    """All of them."""
    holds: WorkState
    """Who waits, and what stands where."""


def work_cut(events: Collection[ItemEvent], copies: Collection[ItemId], before: WorkCut | None) -> WorkCut | None:
    """At the newest moment at which the history of a work may be cut; None if there is none.

    `events`: all standing acts of all copies; those behind `before`, if there is such a cut already.
    """
    if any(event.doubtful_until is not None for event in events):
        return None
    ordered = sorted(events, key=lambda event: event.at)
    for end in range(len(ordered), max(0, len(ordered) - CANDIDATES), -1):
        earlier, later = ordered[:end], ordered[end:]
        if later and later[0].at == earlier[-1].at:
            continue
        numbers = greatest(earlier)
        if any(event.sequence <= numbers.get(log_of(event), 0) for event in later):
            continue
        placed = {event.act_id for event in earlier if event.deed is Deed.PLACE_HOLD}
        if before is not None:
            placed.update(hold.id for hold in before.holds.holds)
        if not placed or any(event.hold is not None and event.hold not in placed for event in earlier):
            continue
        if (cut := _cut(earlier, numbers, copies, before)) is not None:
            return cut
    return None


def _cut(
    earlier: Collection[ItemEvent], numbers: Mapping[Log, int], copies: Collection[ItemId], before: WorkCut | None
) -> WorkCut | None:
    """None while a book that went out twice is not back: its return is still to close that case."""
    stood: dict[ItemId, CopyBefore] = {}
    for copy in copies:
        own = [event for event in earlier if event.item == copy]
        was = _NEVER if before is None else before.copies.get(copy, _NEVER)
        ever = was.ever or any(event.deed is Deed.CHECKOUT for event in own)
        settled = settle(own, was.lent)
        if any(one.reason is Reason.LENT_TO_TWO for one in settled.conflicts - settled.came_back):
            return None
        stood[copy] = CopyBefore(settled.holder, ever)
    if before is not None:
        numbers = {**before.moment.numbers, **numbers}
    moment = Cut(max(event.at for event in earlier), numbers, any(copy.ever for copy in stood.values()))
    return WorkCut(moment, stood, state_after(earlier, None if before is None else before.holds))


_NEVER = CopyBefore(None, ever=False)
