"""The kiosk's knowledge: the replica with its own acts on top that the feed has not passed (DESIGN.md one act 1).

An act's effect is not stored: state = replica + own acts. The replica's place is read first, so an effect that
arrives meanwhile can at worst be seen twice, and the same act id makes it the same loan. Station's thread only.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from kiosk.domain.calendar import Calendar
from kiosk.domain.journal import Deed, Mode, Spoken, Verdict
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.values import BranchId, ItemId, MembershipId
from kiosk.ports import CardHit
from sync.acts import ActsLog
from sync.replica import Place, Replica


class Holdings:
    """What `kiosk.ports.Library` promises, over both files."""

    def __init__(self, replica: Replica, acts: ActsLog) -> None:
        self._replica = replica
        self._acts = acts

    def card(self, number: str) -> CardHit | None:
        return self._replica.card(number)

    def membership(self, membership: MembershipId) -> Membership | None:
        return self._replica.membership(membership)

    def item(self, item: ItemId) -> Item | None:
        return self._replica.item(item)

    def policy(self) -> Policy | None:
        return self._replica.policy()

    def calendar(self, branch: BranchId) -> Calendar:
        return self._replica.calendar(branch)

    def age(self, now: datetime) -> timedelta | None:
        fresh = self._replica.place().fresh_at
        return None if fresh is None else now - fresh

    def holder(self, item: ItemId) -> Loan | None:
        return self._holder(item, self._replica.place())

    def open_loans(self, membership: MembershipId) -> tuple[Loan, ...]:
        place = self._replica.place()
        items = {loan.item for loan in self._replica.loans_of(membership)}
        items.update(self._acts.items_lent_to(membership))
        loans = (self._holder(item, place) for item in items)
        mine = (loan for loan in loans if loan is not None and loan.membership == membership)
        return tuple(sorted(mine, key=lambda loan: (loan.due_at, loan.item)))

    def _holder(self, item: ItemId, place: Place) -> Loan | None:
        own = self._acts.standing(item, place.epoch, place.position)
        if own is None:
            loan = self._replica.loan_of(item)
        else:
            loan = _loan(*own) if own[0].act.deed is Deed.CHECKOUT else None
        renewed = None if loan is None else self._acts.renewed(item, place.epoch, place.position)
        if loan is None or renewed is None:
            return loan
        due_at, times = renewed
        return replace(loan, due_at=max(loan.due_at, due_at), renewals=loan.renewals + times)


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
