"""Lend, return, renew: every refusal is reached, and what is granted carries the right date."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from fakes import ANN, BOB, BRANCH, NOON, POLICY, book
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.calendar import Calendar, end_of_day
from kiosk.domain.lending import (
    Item,
    ItemState,
    Lent,
    Loan,
    LoanRule,
    Membership,
    MissingItem,
    PatronRule,
    Policy,
    Renewed,
    Standing,
    TakenBack,
    as_seen,
    may_borrow_at_all,
    may_lend,
    may_renew,
    quota_left,
    take_back,
)
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId, Reason, Refused

TODAY = date(2026, 11, 20)
STRICT = replace(POLICY, loan_rules=(LoanRule(item_type="dvd", loan_days=7),))


def loan(number: int, days: int = 3, who: MembershipId = ANN.id, renewals: int = 0) -> Loan:
    return Loan(
        act_id=ActId(f"l{number}"),
        membership=who,
        item=book(number).id,
        lent_at=NOON - timedelta(days=20),
        due_at=end_of_day(TODAY + timedelta(days=days)),
        renewals=renewals,
    )


def lend(
    membership: Membership = ANN,
    item: Item | None = None,
    holder: Loan | None = None,
    loans: tuple[Loan, ...] = (),
    policy: Policy = POLICY,
    at_desk: bool = False,
) -> Lent | Refused:
    return may_lend(
        membership=membership,
        item=item or book(1),
        holder=holder,
        open_loans=loans,
        policy=policy,
        calendar=Calendar(closed_weekdays=frozenset({4})),
        branch=BRANCH,
        now=NOON,
        at_desk=at_desk,
    )


def renew(
    membership: Membership = ANN, item: Item | None = None, old: Loan | None = None, policy: Policy = POLICY
) -> Renewed | Refused:
    old = old or loan(1)
    return may_renew(
        membership=membership,
        item=item or book(1),
        loan=old,
        open_loans=(old,),
        policy=policy,
        calendar=Calendar(closed_weekdays=frozenset({4})),
        branch=BRANCH,
        now=NOON,
    )


WHO_MAY_NOT = [
    (replace(ANN, standing=Standing.PENDING), (), Reason.MEMBERSHIP_PENDING, {}),
    (replace(ANN, standing=Standing.BLOCKED), (), Reason.MEMBERSHIP_BLOCKED, {}),
    (replace(ANN, standing=Standing.CLOSED), (), Reason.CARD_NOT_FOUND, {}),
    (replace(ANN, expires_on=TODAY - timedelta(days=1)), (), Reason.MEMBERSHIP_EXPIRED, {"date": "2026-11-19"}),
    (replace(ANN, suspended_until=TODAY), (), Reason.MEMBERSHIP_SUSPENDED, {"days": 1, "date": "2026-11-21"}),
    (replace(ANN, suspended_until=date.max), (), Reason.SUSPENDED_WITHOUT_END, {}),
    (replace(ANN, category="stranger"), (), Reason.NO_POLICY, {}),
    (replace(ANN, owed=1), (), Reason.MONEY_OWED, {"amount": 1}),
    (ANN, (loan(2, -1), loan(3, -5)), Reason.HAS_OVERDUE, {"count": 2}),
]


@pytest.mark.parametrize(("who", "loans", "reason", "details"), WHO_MAY_NOT, ids=[str(case[2]) for case in WHO_MAY_NOT])
def test_who_may_not_borrow_is_told_before_the_first_book_and_for_each_book(
    who: Membership, loans: tuple[Loan, ...], reason: Reason, details: dict[str, object]
) -> None:
    for refused in (
        may_borrow_at_all(membership=who, open_loans=loans, policy=POLICY, now=NOON),
        lend(who, loans=loans),
    ):
        assert isinstance(refused, Refused)
        assert (refused.reason, dict(refused.details)) == (reason, details)


@pytest.mark.parametrize(
    "who",
    [
        ANN,
        replace(ANN, expires_on=TODAY),
        replace(ANN, suspended_until=TODAY - timedelta(days=1)),
        replace(ANN, owed=0),
    ],
    ids=["plain", "last valid day", "suspension over", "owes nothing"],
)
def test_who_may_borrow(who: Membership) -> None:
    assert may_borrow_at_all(membership=who, open_loans=(), policy=POLICY, now=NOON) is None
    assert isinstance(lend(who), Lent)


WHAT_MAY_NOT = [
    (book(1, state=ItemState.NOT_FOR_LOAN), None, (), POLICY, Reason.ITEM_NOT_FOR_LOAN),
    (book(1, state=ItemState.WITHDRAWN), None, (), POLICY, Reason.ITEM_WITHDRAWN),
    (book(1, state=ItemState.MISSING), None, (), POLICY, Reason.ITEM_MISSING),
    (book(1), loan(1), (), POLICY, Reason.ITEM_ON_LOAN_TO_YOU),
    (book(1), loan(1, who=BOB.id), (), POLICY, Reason.ITEM_ON_LOAN),
    (book(1, reserved_for=BOB.id), None, (), POLICY, Reason.ITEM_RESERVED),
    (book(1), None, (), STRICT, Reason.NO_POLICY),
    (book(1, item_type="reference"), None, (), POLICY, Reason.ITEM_NOT_FOR_LOAN),
    (book(1, desk_only=True), None, (), POLICY, Reason.ITEM_DESK_ONLY),
    (book(1), None, (loan(2), loan(3), loan(4)), POLICY, Reason.QUOTA_REACHED),
]


@pytest.mark.parametrize(
    ("item", "holder", "loans", "policy", "reason"),
    WHAT_MAY_NOT,
    ids=[f"{number}-{case[4]}" for number, case in enumerate(WHAT_MAY_NOT)],
)
def test_what_may_not_be_lent(
    item: Item, holder: Loan | None, loans: tuple[Loan, ...], policy: Policy, reason: Reason
) -> None:
    refused = lend(item=item, holder=holder, loans=loans, policy=policy)
    assert isinstance(refused, Refused)
    assert refused.reason is reason


def test_a_loan_promises_a_date_on_an_open_day_by_named_rules() -> None:
    lent = lend(item=book(1, desensitise=True))
    assert lent == Lent(
        due_at=end_of_day(date(2026, 12, 19)), policy_version="test-1", desensitise=True
    )  # 28 days on is a Friday, closed


def test_a_reserved_item_may_go_to_the_one_it_waits_for() -> None:
    assert isinstance(lend(item=book(1, reserved_for=ANN.id)), Lent)


def test_the_desk_lends_what_the_kiosk_may_not() -> None:
    assert isinstance(lend(item=book(1, desk_only=True), at_desk=True), Lent)


@pytest.mark.parametrize(
    ("category", "item_type", "branch", "days"),
    [
        ("adult", "dvd", "main", 7),
        ("child", "dvd", "main", 14),
        ("child", "book", "east", 5),
        ("adult", "book", "x", 28),
    ],
)
def test_the_first_rule_that_fits_decides(category: str, item_type: str, branch: str, days: int) -> None:
    policy = replace(
        POLICY,
        loan_rules=(
            LoanRule(category="adult", item_type="dvd", loan_days=7),
            LoanRule(item_type="dvd", loan_days=14),
            LoanRule(branch="east", loan_days=5),
            LoanRule(loan_days=28),
        ),
    )
    rule = policy.loan_rule(category, item_type, branch)
    assert rule is not None
    assert rule.loan_days == days


def test_what_is_overdue_does_not_block_where_the_library_says_so() -> None:
    lenient = replace(POLICY, patron_rules=(PatronRule(category="*", quota=3, overdue_blocks=False, owed_limit=100),))
    assert isinstance(lend(replace(ANN, owed=100), loans=(loan(2, -9),), policy=lenient), Lent)


@given(has=st.integers(0, 8), quota=st.integers(0, 8))
@settings(max_examples=80, deadline=None)
def test_the_quota_is_never_passed_and_always_reached(has: int, quota: int) -> None:
    policy = replace(POLICY, patron_rules=(PatronRule(category="adult", quota=quota),))
    loans = tuple(loan(number) for number in range(2, 2 + has))
    left = quota_left(ANN, loans, policy)
    assert left == max(0, quota - has)
    assert isinstance(lend(loans=loans, policy=policy), Lent) is (left > 0)
    blocked = may_borrow_at_all(membership=ANN, open_loans=loans, policy=policy, now=NOON)
    assert (blocked is None) is (left > 0)


def test_a_category_without_rule_has_no_quota() -> None:
    assert quota_left(replace(ANN, category="stranger"), (), POLICY) == 0


WHAT_MAY_NOT_BE_RENEWED = [
    (ANN, book(1), loan(1, -1), POLICY, Reason.LOAN_OVERDUE),
    (replace(ANN, standing=Standing.BLOCKED), book(1), loan(1), POLICY, Reason.MEMBERSHIP_BLOCKED),
    (ANN, book(1, reserved_for=BOB.id), loan(1), POLICY, Reason.ITEM_RESERVED),
    (ANN, book(1), loan(1), STRICT, Reason.NO_POLICY),
    (ANN, book(1), loan(1, renewals=1), POLICY, Reason.RENEWALS_USED_UP),
    (ANN, book(1), loan(1, 8), replace(POLICY, renew_within=7), Reason.RENEWAL_TOO_EARLY),
]


@pytest.mark.parametrize(
    ("who", "item", "old", "policy", "reason"),
    WHAT_MAY_NOT_BE_RENEWED,
    ids=[str(case[4]) for case in WHAT_MAY_NOT_BE_RENEWED],
)
def test_what_may_not_be_renewed(who: Membership, item: Item, old: Loan, policy: Policy, reason: Reason) -> None:
    refused = renew(who, item, old, policy)
    assert isinstance(refused, Refused)
    assert refused.reason is reason


def test_a_renewal_counts_from_today_to_an_open_day() -> None:
    assert renew() == Renewed(due_at=end_of_day(date(2026, 12, 19)), policy_version="test-1")
    assert isinstance(renew(old=loan(1, 7), policy=replace(POLICY, renew_within=7)), Renewed)


@given(days=st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_a_renewal_never_shortens_the_promise(days: int) -> None:
    renewed = renew(old=loan(1, days))
    assert isinstance(renewed, Renewed)
    assert renewed.due_at >= loan(1, days).due_at


@pytest.mark.parametrize(
    ("item", "holder", "policy", "expected"),
    [
        (book(1), loan(1), POLICY, TakenBack()),
        (book(1), None, POLICY, TakenBack(note=Reason.ITEM_NOT_ON_LOAN)),
        (book(1, reserved_for=BOB.id), loan(1), POLICY, TakenBack(note=Reason.ITEM_RESERVED)),
        (book(1, state=ItemState.WITHDRAWN), None, POLICY, TakenBack(note=Reason.ITEM_WITHDRAWN)),
        (book(1, state=ItemState.MISSING), None, POLICY, TakenBack(note=Reason.ITEM_MISSING)),
        (
            book(1, state=ItemState.MISSING),
            None,
            replace(POLICY, missing_item=MissingItem.AVAILABLE),
            TakenBack(note=Reason.ITEM_FOUND),
        ),
    ],
    ids=["plain", "not on loan", "reserved", "withdrawn", "missing", "missing, back to the shelf"],
)
def test_a_return_is_never_refused(item: Item, holder: Loan | None, policy: Policy, expected: TakenBack) -> None:
    assert take_back(item=item, holder=holder, policy=policy, now=NOON) == expected


def test_a_missing_book_is_in_service_again_only_for_whoever_saw_it_afterwards() -> None:
    found = replace(POLICY, missing_item=MissingItem.AVAILABLE)
    lost = book(1, state=ItemState.MISSING, missing_since=NOON)
    assert as_seen(lost, POLICY, NOON) is lost
    assert as_seen(lost, found, NOON - timedelta(minutes=1)) is lost
    assert as_seen(lost, found, NOON).state is ItemState.IN_SERVICE
    assert isinstance(lend(item=lost, policy=found), Lent)
    assert lend(item=lost, policy=POLICY) == Refused(Reason.ITEM_MISSING)


def test_a_membership_never_tells_its_name_by_accident() -> None:
    assert "王" not in repr(ANN)
    assert BranchId("main") == BRANCH
    assert ItemId("C0000001") == book(1).id
