"""The kiosk's knowledge while one event is dealt with: each question is asked once, however many rules and lines want it.

A basket's lines, its quota and the judgement of a book all ask for the same loans and rules; each answer costs several looks
into encrypted files. What could not be read is asked again, so that `unread` grows for whoever decides.
"""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.values import BranchId, ItemId, MembershipId
from kiosk.ports import CardHit, Library

T = TypeVar("T")


class Glance:
    """What `Library` promises, of one moment. Station's thread."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._told: dict[Hashable, Any] = {}

    def forget(self) -> None:
        """Something was written; ask again."""
        self._told.clear()

    def unread(self) -> int:
        return self._library.unread()

    def card(self, number: str) -> CardHit | None:
        return self._library.card(number)

    def membership(self, membership: MembershipId) -> Membership | None:
        return self._once(("membership", membership), lambda: self._library.membership(membership))

    def item(self, item: ItemId) -> Item | None:
        return self._once(("item", item), lambda: self._library.item(item))

    def holder(self, item: ItemId) -> Loan | None:
        return self._once(("holder", item), lambda: self._library.holder(item))

    def open_loans(self, membership: MembershipId) -> tuple[Loan, ...]:
        return self._once(("open_loans", membership), lambda: self._library.open_loans(membership))

    def holds(self, membership: MembershipId) -> tuple[Hold, ...]:
        return self._once(("holds", membership), lambda: self._library.holds(membership))

    def holds_on(self, item: ItemId) -> tuple[Hold, ...]:
        return self._once(("holds_on", item), lambda: self._library.holds_on(item))

    def branch_name(self, branch: BranchId) -> str:
        return self._once(("branch_name", branch), lambda: self._library.branch_name(branch))

    def library_name(self, branch: BranchId) -> str:
        return self._once(("library_name", branch), lambda: self._library.library_name(branch))

    def policy(self) -> Policy | None:
        return self._once("policy", self._library.policy)

    def calendar(self, branch: BranchId) -> Calendar:
        return self._once(("calendar", branch), lambda: self._library.calendar(branch))

    def age(self, now: datetime) -> timedelta | None:
        return self._once(("age", now), lambda: self._library.age(now))

    def filling(self) -> int | None:
        return self._once("filling", self._library.filling)

    def heard_at(self) -> datetime | None:
        return self._once("heard_at", self._library.heard_at)

    def _once(self, question: Hashable, ask: Callable[[], T]) -> T:
        if question in self._told:
            told: T = self._told[question]
            return told
        unread = self._library.unread()
        answer = ask()
        if self._library.unread() == unread:
            self._told[question] = answer
        return answer
