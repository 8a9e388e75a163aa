"""Holds: the queue, copies set aside, and that any order of arrival ends in the same holds and the same conflicts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from fakes import ANN, BOB, NOON, POLICY, book
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.calendar import Calendar, library_day
from kiosk.domain.holds import (
    Copy,
    Hold,
    HoldSettlement,
    HoldState,
    may_hold,
    next_in_queue,
    others_wait,
    pick_up_until,
    position,
    reserved,
    set_aside,
    settle_holds,
    shelf_note,
)
from kiosk.domain.journal import Deed
from kiosk.domain.lending import HoldQueue, ItemState, Loan, LoanRule, PatronRule, Standing
from kiosk.domain.reconcile import ItemEvent
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, KioskId, MembershipId, Reason, Refused

MAIN, EAST = BranchId("main"), BranchId("east")
UNTIL = NOON + timedelta(days=7)
ONE, TWO = book(1), book(2)
RULES = replace(POLICY, patron_rules=(PatronRule(category="adult", quota=3, holds=2),), hold_days=3)


def said(
    minute: int,
    deed: Deed,
    *,
    who: str | None = None,
    item: int = 1,
    hold: int | None = None,
    branch: BranchId = MAIN,
    kiosk: str = "k1",
) -> ItemEvent:
    """One act; its id is its minute."""
    return ItemEvent(
        act_id=ActId(str(minute)),
        deed=deed,
        membership=None if who is None else MembershipId(who),
        at=NOON + timedelta(minutes=minute),
        kiosk=KioskId(kiosk),
        incarnation=IncarnationId("i"),
        sequence=minute,
        due_at=UNTIL if deed is Deed.RETURN and hold is not None else None,
        item=ItemId(f"C{item:07}"),
        branch=branch,
        hold=None if hold is None else ActId(str(hold)),
    )


def states(settlement: HoldSettlement) -> dict[str, HoldState]:
    return {hold.id: hold.state for hold in settlement.holds}


def conflicts(settlement: HoldSettlement) -> set[tuple[Reason, str, str]]:
    return {(one.reason, one.earlier, one.later) for one in settlement.conflicts}


PLACED = said(1, Deed.PLACE_HOLD, who="ann")
SECOND = said(2, Deed.PLACE_HOLD, who="bob")


def test_a_copy_set_aside_at_the_branch_for_picking_up_is_ready() -> None:
    settled = settle_holds([PLACED, said(5, Deed.RETURN, hold=1)])
    assert settled.holds[0].state is HoldState.READY
    assert (settled.holds[0].item, settled.holds[0].ready_until) == (ONE.id, UNTIL)
    assert reserved(settled) == {ONE.id: "ann"}


def test_a_copy_set_aside_elsewhere_is_on_the_way_until_it_is_scanned_there() -> None:
    away = said(5, Deed.RETURN, hold=1, branch=EAST)
    assert states(settle_holds([PLACED, away])) == {"1": HoldState.ON_THE_WAY}
    there = said(9, Deed.RETURN, hold=1)
    assert states(settle_holds([PLACED, away, there])) == {"1": HoldState.READY}


def test_a_checkout_by_its_reader_picks_it_up() -> None:
    settled = settle_holds([PLACED, said(5, Deed.RETURN, hold=1), said(9, Deed.CHECKOUT, who="ann")])
    assert states(settled) == {"1": HoldState.PICKED_UP}
    assert settled.conflicts == frozenset()
    assert reserved(settled) == {}


def test_another_copy_serves_the_hold_and_leaves_the_one_set_aside_to_be_cleared() -> None:
    settled = settle_holds([PLACED, said(5, Deed.RETURN, hold=1), said(9, Deed.CHECKOUT, who="ann", item=2)])
    assert settled.holds[0].state is HoldState.PICKED_UP
    assert (settled.holds[0].item, settled.holds[0].left) == (TWO.id, ONE.id)


def test_a_loan_from_before_the_hold_does_not_serve_it() -> None:
    assert states(settle_holds([said(0, Deed.CHECKOUT, who="ann"), PLACED])) == {"1": HoldState.WAITING}


def test_of_two_copies_set_aside_for_one_hold_the_earlier_is_it_and_the_other_is_a_case() -> None:
    earlier = said(5, Deed.RETURN, hold=1)
    later = said(6, Deed.RETURN, hold=1, item=2, kiosk="k2")
    settled = settle_holds([later, PLACED, earlier])
    assert settled.holds[0].item == ONE.id
    assert conflicts(settled) == {(Reason.HOLD_COPY_STRAY, "5", "6")}


def test_a_stray_copy_is_settled_by_the_next_scan_of_it() -> None:
    events = [PLACED, SECOND, said(5, Deed.RETURN, hold=1), said(6, Deed.RETURN, hold=1, item=2)]
    settled = settle_holds([*events, said(9, Deed.RETURN, hold=2, item=2)])
    assert states(settled) == {"1": HoldState.READY, "2": HoldState.READY}
    assert settled.conflicts == frozenset()


def test_what_was_set_aside_and_lent_to_another_is_a_case_and_the_hold_waits_again() -> None:
    settled = settle_holds([PLACED, said(5, Deed.RETURN, hold=1), said(9, Deed.CHECKOUT, who="eve")])
    assert states(settled) == {"1": HoldState.WAITING}
    assert conflicts(settled) == {(Reason.ITEM_RESERVED, "5", "9")}


def test_a_scan_by_a_machine_that_knew_of_no_hold_makes_the_copy_a_stray() -> None:
    settled = settle_holds([PLACED, said(5, Deed.RETURN, hold=1), said(9, Deed.RETURN)])
    assert states(settled) == {"1": HoldState.WAITING}
    assert conflicts(settled) == {(Reason.HOLD_COPY_STRAY, "5", "9")}


def test_a_cancelled_hold_leaves_its_copy_until_it_is_scanned_for_the_next() -> None:
    events = [PLACED, SECOND, said(5, Deed.RETURN, hold=1), said(7, Deed.CANCEL_HOLD, who="ann", hold=1)]
    settled = settle_holds(events)
    assert states(settled) == {"1": HoldState.CANCELLED, "2": HoldState.WAITING}
    assert settled.holds[0].left == ONE.id
    settled = settle_holds([*events, said(9, Deed.RETURN, hold=2)])
    assert settled.holds[0].left is None
    assert states(settled)["2"] is HoldState.READY


def test_nobody_else_cancels_a_hold() -> None:
    assert states(settle_holds([PLACED, said(7, Deed.CANCEL_HOLD, who="bob", hold=1)])) == {"1": HoldState.WAITING}


def test_a_copy_set_aside_for_a_cancelled_hold_is_a_stray() -> None:
    settled = settle_holds([PLACED, said(3, Deed.CANCEL_HOLD, who="ann", hold=1), said(5, Deed.RETURN, hold=1)])
    assert conflicts(settled) == {(Reason.HOLD_COPY_STRAY, "3", "5")}


def test_a_hold_expires_only_after_its_last_day() -> None:
    ready = [PLACED, said(5, Deed.RETURN, hold=1)]
    assert states(settle_holds([*ready, said(9, Deed.EXPIRE_HOLD, hold=1)])) == {"1": HoldState.READY}
    late = replace(said(9, Deed.EXPIRE_HOLD, hold=1), at=UNTIL + timedelta(seconds=1))
    settled = settle_holds([*ready, late])
    assert states(settled) == {"1": HoldState.EXPIRED}
    assert settled.holds[0].left == ONE.id


DEEDS = st.builds(
    said,
    st.integers(10, 60),
    st.sampled_from([Deed.RETURN, Deed.RETURN, Deed.CHECKOUT, Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD]),
    who=st.sampled_from(["ann", "bob", "eve"]),
    item=st.integers(1, 3),
    hold=st.sampled_from([None, 1, 2, 3, 99]),
    branch=st.sampled_from([MAIN, EAST]),
    kiosk=st.sampled_from(["k1", "k2"]),
)


@given(st.lists(DEEDS, max_size=12, unique_by=lambda event: event.act_id), st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_same_holds(events: list[ItemEvent], dice: object) -> None:
    events = [PLACED, SECOND, said(3, Deed.PLACE_HOLD, who="eve", branch=EAST), *events]
    settled = settle_holds(events)
    mixed = list(events)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert settle_holds(mixed) == settled
    copies = [hold.item for hold in settled.holds if hold.state.open and hold.item is not None]
    assert len(copies) == len(set(copies)), "one copy serves one hold"
    for hold in settled.holds:
        assert (hold.item is None) == (hold.state is HoldState.WAITING) or hold.state is HoldState.CANCELLED


# --- rules --------------------------------------------------------------------------------------------------------


def lent(item: ItemId, who: MembershipId = BOB.id) -> Loan:
    return Loan(act_id=ActId("l"), membership=who, item=item, lent_at=NOON, due_at=UNTIL)


def asks(**changes: object) -> Refused | None:
    """Ann asks for the first book, which Bob has."""
    values: dict[str, object] = {
        "membership": ANN,
        "item": ONE,
        "copies": [Copy(ONE, lent(ONE.id))],
        "holds": [],
        "open_holds": 0,
        "open_loans": [],
        "policy": RULES,
        "branch": MAIN,
        "calendar": Calendar(),
        "now": NOON,
    }
    return may_hold(**{**values, **changes})  # type: ignore[arg-type]


WAITS = Hold(id=ActId("h1"), membership=ANN.id, asked=ONE.id, branch=MAIN, placed_at=NOON)


def test_a_lent_book_may_be_reserved() -> None:
    assert asks() is None


def test_nothing_is_to_be_picked_up_at_a_branch_that_has_closed_for_good() -> None:
    assert asks(calendar=Calendar(given_up=True)) == Refused(Reason.HOLD_BRANCH_CLOSED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"membership": replace(ANN, standing=Standing.BLOCKED)}, Reason.MEMBERSHIP_BLOCKED),
        ({"membership": replace(ANN, owed=1)}, Reason.MONEY_OWED),
        ({"open_loans": [replace(lent(TWO.id, ANN.id), due_at=NOON - timedelta(days=3))]}, Reason.HAS_OVERDUE),
        ({"policy": POLICY}, Reason.HOLD_NOT_OFFERED),
        ({"open_holds": 2}, Reason.HOLDS_REACHED),
        ({"holds": [WAITS]}, Reason.HOLD_ALREADY),
        ({"copies": [Copy(ONE, lent(ONE.id)), Copy(TWO, lent(TWO.id, ANN.id))]}, Reason.HOLD_HAVE_IT),
        ({"copies": [Copy(ONE, lent(ONE.id)), Copy(TWO, None)]}, Reason.HOLD_ON_SHELF),
        ({"copies": [Copy(replace(ONE, item_type="reference"), None)],
          "policy": replace(RULES, loan_rules=(LoanRule(loan_days=0, for_loan=False),))}, Reason.ITEM_NOT_FOR_LOAN),
        ({"item": replace(ONE, state=ItemState.WITHDRAWN),
          "copies": [Copy(replace(ONE, state=ItemState.WITHDRAWN), None)]}, Reason.ITEM_WITHDRAWN),
    ],
)  # fmt: skip
def test_who_may_not_reserve_is_told_why(changes: dict[str, object], reason: Reason) -> None:
    refused = asks(**changes)
    assert refused is not None
    assert refused.reason is reason


def test_a_free_copy_may_be_reserved_where_policy_says_so() -> None:
    assert asks(copies=[Copy(ONE, None)], policy=replace(RULES, hold_on_shelf=True)) is None


def test_the_first_day_for_reserving_is_apart_from_that_for_borrowing() -> None:
    today = library_day(NOON)
    both = replace(ANN, suspended_until=today)
    refused = asks(membership=both)
    assert refused == Refused(Reason.HOLDS_SUSPENDED, {"date": (today + timedelta(days=1)).isoformat()})
    assert asks(membership=replace(ANN, suspended_until=date.max)) == Refused(Reason.SUSPENDED_WITHOUT_END)
    longer = replace(ANN, suspended_until=today - timedelta(days=1), holds_suspended_until=today + timedelta(days=5))
    refused = asks(membership=longer)
    assert refused == Refused(Reason.HOLDS_SUSPENDED, {"date": (today + timedelta(days=6)).isoformat()})
    sooner = replace(ANN, suspended_until=today + timedelta(days=5), holds_suspended_until=today - timedelta(days=1))
    assert asks(membership=sooner) is None


def test_the_queue_is_strict_or_serves_this_branch_first() -> None:
    east = replace(WAITS, id=ActId("h0"), branch=EAST, placed_at=NOON - timedelta(hours=1))
    assert next_in_queue([WAITS, east], MAIN, RULES) == east
    assert next_in_queue([WAITS, east], MAIN, replace(RULES, hold_queue=HoldQueue.BRANCH_FIRST)) == WAITS
    assert next_in_queue([east], MAIN, replace(RULES, hold_queue=HoldQueue.BRANCH_FIRST)) == east
    assert [position(hold, [WAITS, east]) for hold in (east, WAITS)] == [1, 2]
    assert others_wait([WAITS], BOB.id)
    assert not others_wait([WAITS], ANN.id)


def test_a_returned_copy_is_set_aside_for_some_open_days_or_sent_to_its_branch() -> None:
    mondays = Calendar(closed_weekdays=frozenset({0}))
    aside = set_aside(item=ONE, holds=[WAITS], branch=MAIN, policy=RULES, calendar=mondays, now=NOON)
    assert aside is not None
    assert aside.note == Refused(Reason.HOLD_HERE, {"date": date(2026, 11, 24).isoformat()})  # Sat, Sun, not Mon, Tue
    aside = set_aside(item=ONE, holds=[WAITS], branch=EAST, policy=RULES, calendar=mondays, now=NOON)
    assert aside is not None
    assert aside.note == Refused(Reason.HOLD_AT_BRANCH, {"branch": "main"})
    missing = replace(ONE, state=ItemState.MISSING)
    assert set_aside(item=missing, holds=[WAITS], branch=MAIN, policy=RULES, calendar=mondays, now=NOON) is None


def test_a_copy_that_is_ready_keeps_its_hold_and_its_day_when_it_is_scanned_again() -> None:
    ready = replace(WAITS, state=HoldState.READY, item=ONE.id, ready_until=UNTIL)
    first = replace(WAITS, id=ActId("h0"), membership=BOB.id, placed_at=NOON - timedelta(days=1))
    aside = set_aside(item=ONE, holds=[first, ready], branch=MAIN, policy=RULES, calendar=Calendar(), now=NOON)
    assert aside is not None
    assert (aside.hold, aside.until) == (ready, UNTIL)


def test_a_copy_for_which_nobody_waits_goes_home() -> None:
    assert shelf_note(ONE, MAIN) is None
    assert shelf_note(ONE, EAST) == Refused(Reason.GOES_TO_BRANCH, {"branch": "main"})
    assert pick_up_until(NOON, replace(RULES, hold_days=0), Calendar()) > NOON
