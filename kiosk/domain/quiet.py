"""Up to where an item's history need not be read again: a return behind which everything before it is settled for good.

`settle` looks at neighbours only, and a return leaves the item with nobody. So where every act up to a return stands before
every act after it, whatever else is told of later moments, loans and conflicts after it follow from the acts after it. An
act stands where its time puts it, or later if an earlier number of its own log has a later time; so two things must hold
across the cut, of times and of the numbers of each log. What is told of an earlier moment, with an earlier number or with a
doubtful time is not `borne`: then the whole history is read, and the cut is made anew or given up. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import ItemEvent
from kiosk.domain.values import IncarnationId, KioskId

CANDIDATES = 16
"""Returns looked at, the newest first: a history without a quiet point is read whole and costs little more by it."""

Log = tuple[KioskId, IncarnationId]


@dataclass(frozen=True, slots=True)
class Cut:
    """Acts of an item up to `at` are settled."""

    at: datetime
    """Time of the return; nothing else happened at that very moment."""
    numbers: Mapping[Log, int]
    """The greatest number of each log among them."""
    lent: bool
    """There was a loan among them."""

    def bears(self, log: Log, sequence: int, at: datetime) -> bool:
        """True when an act stands behind the cut, whatever else is known: then what is before it need not be read."""
        return at > self.at and sequence > self.numbers.get(log, 0)


def quiet_point(events: Collection[ItemEvent], before: Cut | None) -> Cut | None:
    """The newest return of an item at which its history may be cut; None if there is none.

    `events`: all that count; those behind `before`, with its return, if there is such a cut already.
    """
    if any(event.doubtful_until is not None for event in events):
        return None  # it may in truth belong anywhere
    ordered = sorted(events, key=lambda event: event.at)
    returns = [place for place, event in enumerate(ordered) if event.deed is Deed.RETURN]
    for place in reversed(returns[-CANDIDATES:]):
        end, earlier, later = ordered[place], ordered[:place], ordered[place + 1 :]
        if (earlier and earlier[-1].at == end.at) or (later and later[0].at == end.at):
            continue
        numbers = greatest(earlier)
        if numbers.get(log_of(end), 0) >= end.sequence:
            continue  # one of its own log stands behind it, although its clock says otherwise
        numbers[log_of(end)] = end.sequence
        if all(event.sequence > numbers.get(log_of(event), 0) for event in later):
            lent = any(event.deed is Deed.CHECKOUT for event in earlier)
            return _after(before, Cut(end.at, numbers, lent))
    return None


def _after(before: Cut | None, cut: Cut) -> Cut:
    if before is None:
        return cut
    return Cut(cut.at, {**before.numbers, **cut.numbers}, before.lent or cut.lent)


def greatest(events: Collection[ItemEvent]) -> dict[Log, int]:
    """The greatest number of each log among these acts."""
    numbers: dict[Log, int] = {}
    for event in events:
        numbers[log_of(event)] = max(event.sequence, numbers.get(log_of(event), 0))
    return numbers


def log_of(event: ItemEvent) -> Log:
    """Where it was recorded."""
    return event.kiosk, event.incarnation
