"""Lend, return, renew: may it be done, until when, and if not, why (B1-B3, B7).

All numbers come from a `Policy` that the library configures. The same functions judge at the kiosk (from its replica)
and at central (from its database); quota in use is counted from open loans, never sent as a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from kiosk.domain.calendar import Calendar, days_left, due_at, library_day
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId, Reason, Refused, WorkId

ANY = "*"
"""In a rule: every category, item type or branch."""
NO_END = date(9000, 1, 1)
"""From here on a date means "until further notice": library systems write 9999-12-31."""
_OWN_WORK = WorkId("")


class Standing(StrEnum):
    """State of a membership."""

    ACTIVE = "active"
    PENDING = "pending"
    """Applied for, staff have not seen a document yet."""
    BLOCKED = "blocked"
    """Blocked by staff."""
    CLOSED = "closed"
    """Ended; nobody may use it."""


class ItemState(StrEnum):
    """State of an item, apart from whether it is on loan."""

    IN_SERVICE = "in_service"
    NOT_FOR_LOAN = "not_for_loan"
    MISSING = "missing"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A membership (借閱證) as far as lending must know it."""

    id: MembershipId
    """Opaque id."""
    category: str
    """Patron category; policies are chosen by it."""
    standing: Standing = Standing.ACTIVE
    """State."""
    display_name: str = field(default="", repr=False)
    """Masked; all of the name that a kiosk ever holds."""
    expires_on: date | None = None
    """Last valid day."""
    suspended_until: date | None = None
    """停權: last day without borrowing."""
    holds_suspended_until: date | None = None
    """Last day without reserving, where it is another one."""
    owed: int = 0
    """Whole NT$ owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A copy that can be lent."""

    id: ItemId
    """Barcode number."""
    title: str
    """As shown and printed."""
    author: str = ""
    """As shown."""
    item_type: str = "book"
    """Policies are chosen by it."""
    branch: BranchId
    """Where it belongs."""
    state: ItemState = ItemState.IN_SERVICE
    """State."""
    desk_only: bool = False
    """Has attachments or is otherwise lent at the desk only."""
    reserved_for: MembershipId | None = None
    """On the ready shelf for this membership."""
    desensitise: bool = False
    """The patron must have it desensitised at the desk after borrowing (B6)."""
    work: WorkId = _OWN_WORK
    """What its copies share; empty: a work of its own."""
    missing_since: datetime | None = None
    """When it was recorded as missing; only central knows."""

    @property
    def work_id(self) -> WorkId:
        """Named or its own."""
        return self.work or WorkId(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """An open loan."""

    act_id: ActId
    """The act that made it."""
    membership: MembershipId
    """Who has it."""
    item: ItemId
    """What."""
    lent_at: datetime
    """When (corrected, aware UTC)."""
    due_at: datetime
    """Until when; the promised date is never shortened."""
    renewals: int = 0
    """Times renewed."""
    provisional: bool = False
    """Made offline and not yet confirmed by central (尚待確認)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatronRule:
    """What one category may have."""

    category: str
    """Patron category or ANY."""
    quota: int
    """Open loans at one time, all branches together."""
    overdue_blocks: bool = True
    """Anything overdue stops borrowing and renewing."""
    owed_limit: int = 0
    """Borrowing stops when more than this is owed (whole NT$)."""
    holds: int = 0
    """Works that one may wait for at one time; 0: holds are not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRule:
    """How long one kind of item is lent to one category; the first rule that fits decides."""

    category: str = ANY
    """Patron category or ANY."""
    item_type: str = ANY
    """Item type or ANY."""
    branch: str = ANY
    """Branch where the act happens, or ANY."""
    loan_days: int
    """Days from the act to the due date, before closed days."""
    renewals: int = 0
    """How often it may be renewed."""
    desk_only: bool = False
    """Lent by staff only (reference, attachments)."""
    for_loan: bool = True
    """False: never lent."""


class HoldQueue(StrEnum):
    """Whom a returned copy serves."""

    STRICT = "strict"
    """Who waits longest, wherever they pick it up."""
    BRANCH_FIRST = "branch_first"
    """Who waits longest among those who pick it up here, then the others."""


class MissingItem(StrEnum):
    """What happens when an item recorded as missing is scanned at a kiosk (B7)."""

    AVAILABLE = "available"
    """It is in service again, whether it is returned or borrowed."""
    TO_DESK = "to_desk"
    """It stays missing until staff have looked at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of a library's rules. Shipped presets: `config/presets/*.toml`."""

    version: str
    """Named by every act that used it."""
    patron_rules: tuple[PatronRule, ...]
    """First fit."""
    loan_rules: tuple[LoanRule, ...]
    """First fit."""
    renew_within: int | None = None
    """Renewal is possible in the last N days of a loan; None = at any time."""
    missing_item: MissingItem = MissingItem.TO_DESK
    """See `MissingItem`."""
    replica_max_age: timedelta = timedelta(days=7)
    """Older knowledge is not used for lending offline (C2)."""
    staff_max_age: timedelta = timedelta(days=7)
    """Older knowledge opens no staff page offline (C2)."""
    hold_days: int = 7
    """Open days that a copy is kept on the ready shelf."""
    hold_queue: HoldQueue = HoldQueue.STRICT
    """See `HoldQueue`."""
    hold_on_shelf: bool = False
    """A work may be reserved although a copy stands on the shelf."""

    def patron_rule(self, category: str) -> PatronRule | None:
        for rule in self.patron_rules:
            if rule.category in (category, ANY):
                return rule
        return None

    def loan_rule(self, category: str, item_type: str, branch: str) -> LoanRule | None:
        for rule in self.loan_rules:
            if rule.category in (category, ANY) and rule.item_type in (item_type, ANY) and rule.branch in (branch, ANY):
                return rule
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """It may be lent."""

    due_at: datetime
    """Promised due date (aware UTC)."""
    policy_version: str
    """The rules that said so."""
    desensitise: bool = False
    """Say "please desensitise at the desk"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """It is taken back; a return is never refused because of what the records say."""

    note: Reason | None = None
    """Something the patron or staff should know; its sentence says where the book goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """It may be renewed."""

    due_at: datetime
    """New due date; never before the old one."""
    policy_version: str
    """The rules that said so."""


def may_borrow_at_all(
    *, membership: Membership, open_loans: Sequence[Loan], policy: Policy, now: datetime
) -> Refused | None:
    """Why this membership can borrow nothing at all just now, or None. Said once, before the first book."""
    return standing_refused(membership, open_loans, policy, now) or _quota(membership, open_loans, policy)


def may_lend(
    *,
    membership: Membership,
    item: Item,
    holder: Loan | None,
    open_loans: Sequence[Loan],
    policy: Policy,
    calendar: Calendar,
    branch: BranchId,
    now: datetime,
    at_desk: bool = False,
) -> Lent | Refused:
    """May `item` (on loan as `holder`, or free) be lent to `membership`, who has `open_loans`, at this moment?"""
    standing = standing_refused(membership, open_loans, policy, now)
    if standing is not None:
        return standing
    match as_seen(item, policy, now).state:
        case ItemState.NOT_FOR_LOAN:
            return Refused(Reason.ITEM_NOT_FOR_LOAN)
        case ItemState.WITHDRAWN:
            return Refused(Reason.ITEM_WITHDRAWN)
        case ItemState.MISSING:
            return Refused(Reason.ITEM_MISSING)
        case ItemState.IN_SERVICE:
            pass
        case _ as never:
            assert_never(never)
    if holder is not None:
        mine = holder.membership == membership.id
        return Refused(Reason.ITEM_ON_LOAN_TO_YOU if mine else Reason.ITEM_ON_LOAN)
    if item.reserved_for is not None and item.reserved_for != membership.id:
        return Refused(Reason.ITEM_RESERVED)
    rule = policy.loan_rule(membership.category, item.item_type, branch)
    if rule is None:
        return Refused(Reason.NO_POLICY)
    if not rule.for_loan:
        return Refused(Reason.ITEM_NOT_FOR_LOAN)
    if (rule.desk_only or item.desk_only) and not at_desk:
        return Refused(Reason.ITEM_DESK_ONLY)
    quota = _quota(membership, open_loans, policy)
    if quota is not None:
        return quota
    return Lent(
        due_at=due_at(now, rule.loan_days, calendar), policy_version=policy.version, desensitise=item.desensitise
    )


def as_seen(item: Item, policy: Policy, at: datetime) -> Item:
    """The item once somebody has scanned it at this moment: where policy says so, a missing one is in service again (B7).

    Whoever saw it before it was recorded as missing has not found it.
    """
    if item.state is not ItemState.MISSING or policy.missing_item is not MissingItem.AVAILABLE:
        return item
    if item.missing_since is not None and at < item.missing_since:
        return item
    return replace(item, state=ItemState.IN_SERVICE, missing_since=None)


def take_back(*, item: Item, holder: Loan | None, policy: Policy, now: datetime) -> TakenBack:
    """What a return means; the book is in the machine, so this never refuses."""
    seen = as_seen(item, policy, now)
    if seen.state is ItemState.MISSING:
        return TakenBack(note=Reason.ITEM_MISSING)
    if seen.state is ItemState.WITHDRAWN:
        return TakenBack(note=Reason.ITEM_WITHDRAWN)
    if seen.reserved_for is not None:
        return TakenBack(note=Reason.ITEM_RESERVED)
    if seen is not item:
        return TakenBack(note=Reason.ITEM_FOUND)
    if holder is None:
        return TakenBack(note=Reason.ITEM_NOT_ON_LOAN)
    return TakenBack()


def may_renew(
    *,
    membership: Membership,
    item: Item,
    loan: Loan,
    open_loans: Sequence[Loan],
    policy: Policy,
    calendar: Calendar,
    branch: BranchId,
    now: datetime,
    others_wait: bool = False,
) -> Renewed | Refused:
    """May this loan be renewed now? The new due date counts from today and is never earlier than the old one.

    `others_wait`: somebody else waits for its work.
    """
    if days_left(loan.due_at, now) < 0:
        return Refused(Reason.LOAN_OVERDUE)
    standing = standing_refused(membership, open_loans, policy, now)
    if standing is not None:
        return standing
    if others_wait or (item.reserved_for is not None and item.reserved_for != membership.id):
        return Refused(Reason.ITEM_RESERVED)
    rule = policy.loan_rule(membership.category, item.item_type, branch)
    if rule is None:
        return Refused(Reason.NO_POLICY)
    if loan.renewals >= rule.renewals:
        return Refused(Reason.RENEWALS_USED_UP, {"limit": rule.renewals})
    if policy.renew_within is not None and days_left(loan.due_at, now) > policy.renew_within:
        return Refused(Reason.RENEWAL_TOO_EARLY, {"days": policy.renew_within})
    return Renewed(due_at=max(loan.due_at, due_at(now, rule.loan_days, calendar)), policy_version=policy.version)


def quota_left(membership: Membership, open_loans: Sequence[Loan], policy: Policy) -> int:
    """How many more may be borrowed; never negative."""
    rule = policy.patron_rule(membership.category)
    return 0 if rule is None else max(0, rule.quota - len(open_loans))


def _quota(membership: Membership, open_loans: Sequence[Loan], policy: Policy) -> Refused | None:
    rule = policy.patron_rule(membership.category)
    if rule is None:
        return Refused(Reason.NO_POLICY)
    if len(open_loans) >= rule.quota:
        return Refused(Reason.QUOTA_REACHED, {"limit": rule.quota})
    return None


def standing_refused(
    membership: Membership, open_loans: Sequence[Loan], policy: Policy, now: datetime
) -> Refused | None:
    """What stops this membership from doing anything new, whatever it would be."""
    today = library_day(now)
    match membership.standing:
        case Standing.PENDING:
            return Refused(Reason.MEMBERSHIP_PENDING)
        case Standing.BLOCKED:
            return Refused(Reason.MEMBERSHIP_BLOCKED)
        case Standing.CLOSED:
            return Refused(Reason.CARD_NOT_FOUND)
        case Standing.ACTIVE:
            pass
        case _ as never:
            assert_never(never)
    if membership.expires_on is not None and membership.expires_on < today:
        return Refused(Reason.MEMBERSHIP_EXPIRED, {"date": membership.expires_on.isoformat()})
    if membership.suspended_until is not None and membership.suspended_until >= NO_END:
        return Refused(Reason.SUSPENDED_WITHOUT_END)
    if membership.suspended_until is not None and membership.suspended_until >= today:
        return Refused(
            Reason.MEMBERSHIP_SUSPENDED,
            {
                "days": (membership.suspended_until - today).days + 1,
                "date": (membership.suspended_until + timedelta(days=1)).isoformat(),
            },
        )
    rule = policy.patron_rule(membership.category)
    if rule is None:
        return Refused(Reason.NO_POLICY)
    if membership.owed > rule.owed_limit:
        return Refused(Reason.MONEY_OWED, {"amount": membership.owed})
    if rule.overdue_blocks:
        late = sum(days_left(loan.due_at, now) < 0 for loan in open_loans)
        if late:
            return Refused(Reason.HAS_OVERDUE, {"count": late})
    return None
