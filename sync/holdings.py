"""The kiosk's knowledge: the replica with its own acts on top that the feed has not passed (DESIGN.md one act 1).

An act's effect is not stored: state = replica + own acts. The replica's place is read first, so an effect that
arrives meanwhile can at worst be seen twice, and the same act id makes it the same loan. Station's thread only.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold, HoldState
from kiosk.domain.journal import Deed, Mode, Spoken, Verdict
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.values import BranchId, ItemId, MembershipId
from kiosk.ports import CardHit, LedgerError
from sync.acts import ActsLog
from sync.replica import UNREADABLE, Place, Replica, ReplicaCare

T = TypeVar("T")
NOWHERE = Place(epoch="", position=-1, fresh_at=None)
"""Of a replica that knows nothing."""


class Holdings:
    """What `kiosk.ports.Library` promises, over both files."""

    def __init__(self, replica: Replica, acts: ActsLog, care: ReplicaCare | None = None) -> None:
        """With `care`, what cannot be read of a damaged replica is not known, until it is rebuilt."""
        self._replica = replica
        self._acts = acts
        self._care = care
        self._generation = 0 if care is None else care.generation
        self._earlier = None if care is None else care.earlier()
        """A damaged file that serves until the new one is whole."""
        self._spent = False
        """A bad page was met: SQLCipher then refuses every other page to the same connection."""
        self._unread = 0

    def close(self) -> None:
        """Close the replica; the log is closed by whoever opened it."""
        self._replica.close()
        self._close_earlier()

    def unread(self) -> int:
        return self._unread

    def card(self, number: str) -> CardHit | None:
        return self._known(lambda replica: replica.card(number), None)

    def membership(self, membership: MembershipId) -> Membership | None:
        return self._known(lambda replica: replica.membership(membership), None)

    def item(self, item: ItemId) -> Item | None:
        """With whom an own return set it aside for that the feed has not passed."""
        known = self._known(lambda replica: replica.item(item), None)
        if known is None or not self._acts.ever_set_aside(item):
            return known
        place = self._place()
        served = self._acts.set_aside(item, place.epoch, place.position)
        if served is None:
            return known
        hold = self._known(lambda replica: replica.hold(served), None)
        return known if hold is None else replace(known, reserved_for=hold.membership)

    def holds_on(self, item: ItemId) -> tuple[Hold, ...]:
        known = self._known(lambda replica: replica.item(item), None)
        nothing: tuple[Hold, ...] = ()
        if known is None:
            return nothing
        holds = self._known(lambda replica: replica.holds_on(known.work_id), nothing)
        if not holds:
            return holds
        place = self._place()
        served = self._acts.holds_served([hold.id for hold in holds], place.epoch, place.position)
        own = self._acts.set_aside(item, place.epoch, place.position)
        return tuple(
            replace(hold, state=HoldState.ON_THE_WAY, item=item if hold.id == own else None)
            if hold.id in served and hold.state is HoldState.WAITING
            else hold
            for hold in holds
        )

    def holds(self, membership: MembershipId) -> tuple[Hold, ...]:
        nothing: tuple[Hold, ...] = ()
        place = self._place()
        holds = {hold.id: hold for hold in self._known(lambda replica: replica.holds_of(membership), nothing)}
        for spoken, _ in self._acts.hold_deeds(membership, place.epoch, place.position):
            act = spoken.act
            if act.deed is Deed.PLACE_HOLD:
                placed = Hold(
                    id=act.id, membership=membership, asked=act.item, branch=act.branch, placed_at=act.corrected_at
                )
                holds.setdefault(act.id, placed)
            elif act.hold is not None:
                holds.pop(act.hold, None)
        mine = (hold for hold in holds.values() if not self._picked_up(hold, place))
        return tuple(sorted(mine, key=lambda hold: (hold.placed_at, hold.id)))

    def _picked_up(self, hold: Hold, place: Place) -> bool:
        """By an own checkout that the feed has not passed."""
        loan = None if hold.item is None else self._holder(hold.item, place)
        return loan is not None and loan.membership == hold.membership

    def branch_name(self, branch: BranchId) -> str:
        code: str = branch
        return self._known(lambda replica: replica.branch_name(branch), code)

    def library_name(self, branch: BranchId) -> str:
        return self._known(lambda replica: replica.library_name(branch), "")

    def policy(self) -> Policy | None:
        return self._known(lambda replica: replica.policy(), None)

    def calendar(self, branch: BranchId) -> Calendar:
        return self._known(lambda replica: replica.calendar(branch), Calendar())

    def age(self, now: datetime) -> timedelta | None:
        fresh = self._place().fresh_at
        return None if fresh is None else now - fresh

    def filling(self) -> int | None:
        return None if self._place().whole else self._known(lambda replica: replica.filling(), None)

    def heard_at(self) -> datetime | None:
        return self._place().heard_at

    def _place(self) -> Place:
        return self._known(lambda replica: replica.place(), NOWHERE)

    def _known(self, look: Callable[[Replica], T], nothing: T) -> T:
        care = self._care
        if care is None:
            return look(self._replica)
        source: Replica | None = None
        try:
            source = self._source(care)
            if source is not None:
                return look(source)
        except LedgerError as error:
            salvaged = source is not None and source is self._earlier
            if not (error.reason in UNREADABLE if salvaged else care.noticed(error)):
                raise
            self._spent = True
        self._unread += 1
        return nothing

    def _source(self, care: ReplicaCare) -> Replica | None:
        """The file that serves now; None while the feed thread is putting it aside."""
        if care.generation != self._generation:
            fresh = care.reader()
            self._replica.close()
            self._close_earlier()
            self._replica, self._generation, self._earlier = fresh, care.generation, care.earlier()
        elif self._spent and self._earlier is not None:
            self._close_earlier()
            self._earlier = care.earlier()
        elif self._spent:
            again = care.again(self._generation)
            if again is None:
                return None
            self._replica.close()
            self._replica = again
        self._spent = False
        if self._earlier is not None and self._replica.place().whole:
            self._close_earlier()
        return self._earlier or self._replica

    def _close_earlier(self) -> None:
        if self._earlier is not None:
            self._earlier.close()
        self._earlier = None

    def holder(self, item: ItemId) -> Loan | None:
        return self._holder(item, self._place())

    def open_loans(self, membership: MembershipId) -> tuple[Loan, ...]:
        place = self._place()
        known: tuple[Loan, ...] = ()
        known = self._known(lambda replica: replica.loans_of(membership), known)
        items = {loan.item for loan in known}
        items.update(self._acts.items_lent_to(membership, place.epoch, place.position))
        loans = (self._holder(item, place) for item in items)
        mine = (loan for loan in loans if loan is not None and loan.membership == membership)
        return tuple(sorted(mine, key=lambda loan: (loan.due_at, loan.item)))

    def _holder(self, item: ItemId, place: Place) -> Loan | None:
        own = self._acts.own(item, place.epoch, place.position)
        if own.standing is None:
            loan = self._known(lambda replica: replica.loan_of(item), None)
            if loan is not None and self._acts.took_back(loan.act_id, place.epoch, place.position):
                loan = None  # central accepted it too late for the patron, and will hear so
        else:
            loan = _loan(*own.standing) if own.standing[0].act.deed is Deed.CHECKOUT else None
        if loan is None or own.due_at is None:
            return loan
        return replace(loan, due_at=max(loan.due_at, own.due_at), renewals=loan.renewals + own.renewals)


def _loan(spoken: Spoken, verdict: Verdict | None) -> Loan | None:
    act = spoken.act
    due_at = act.due_at if verdict is None or verdict.due_at is None else verdict.due_at
    if act.membership is None or due_at is None:
        return None
    return Loan(
        act_id=act.id,
        membership=act.membership,
        item=act.item,
        lent_at=act.corrected_at,
        due_at=due_at,
        provisional=verdict is None and act.mode is Mode.OFFLINE,
    )
