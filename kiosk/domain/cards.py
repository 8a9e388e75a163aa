"""What a card meant at the moment at which it was used (A1, promise 8): a pure function of what it was bound to, and when.

Asked by central, which alone knows the bindings; a kiosk may not have heard yet that a card was given to somebody else, or
ended. Each binding of a number to a membership is a row of its own with an opaque id, so nothing here knows a number.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.values import CardId, MembershipId, Reason, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A number that opens a membership for some time."""

    id: CardId
    """Opaque."""
    membership: MembershipId
    """What it opens."""
    since: datetime | None
    """From when; None: from before anybody noted it."""
    until: datetime | None
    """To when; None: it still does."""

    def holds_at(self, moment: datetime) -> bool:
        """It opened its membership then."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


def misused(card: CardId, membership: MembershipId, moment: datetime, bindings: Collection[Binding]) -> Refused | None:
    """What is wrong with an act of this membership that was opened with `card` at this moment; None if nothing is known to be.

    `bindings`: all that the number of this card ever had, as far as they are known; none of them where nobody knows the card
    (any more): then nothing can be said against it. A card whose binding had not begun by that moment was heard of by a
    clock that differs a little.
    """
    named = next((one for one in bindings if one.id == card), None)
    if named is None or named.until is None or moment < named.until:
        return None
    then = next((one for one in bindings if one.holds_at(moment)), None)
    if then is None:
        return Refused(Reason.CARD_WAS_VOID)
    return None if then.membership == membership else Refused(Reason.CARD_MEANT_ANOTHER, {"other": then.membership})
