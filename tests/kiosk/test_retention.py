"""Which acts may forget whose they were: only what stands before a return that nothing can take away or overtake."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import BRANCH, NOON

from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import ItemEvent
from kiosk.domain.retention import forgettable
from kiosk.domain.values import ActId, IncarnationId, ItemId, KioskId, MembershipId

LONG_AGO = NOON - timedelta(days=100)
BEFORE = NOON - timedelta(days=90)


def event(name: str, deed: Deed, minute: float, who: str | None = "ann", kiosk: str = "k1", **more: Any) -> ItemEvent:
    values: dict[str, Any] = {"at": LONG_AGO + timedelta(minutes=minute), "sequence": int(minute) + 1}
    return ItemEvent(
        act_id=ActId(name),
        deed=deed,
        membership=None if who is None else MembershipId(who),
        kiosk=KioskId(kiosk),
        incarnation=IncarnationId("i1"),
        item=ItemId("C1"),
        branch=BRANCH,
        **{**values, **more},
    )


def lent(name: str, minute: float, **more: Any) -> ItemEvent:
    return event(name, Deed.CHECKOUT, minute, **more)


def back(name: str, minute: float, **more: Any) -> ItemEvent:
    return event(name, Deed.RETURN, minute, who=None, **more)


def found(*events: ItemEvent, gaps: bool = False, before: datetime = BEFORE) -> list[list[str]]:
    return [list(map(str, stretch)) for stretch in forgettable(events, lambda _: not gaps, before)]


def test_stretches_go_from_return_to_return() -> None:
    renewed = event("a2", Deed.RENEW, 1)
    assert found(
        lent("a1", 0), renewed, back("r1", 2), lent("b1", 3, who="ben"), back("r2", 4), lent("a3", 5)
    ) == [["a1", "a2"], ["b1"]]  # fmt: skip


@pytest.mark.parametrize(
    "events",
    [
        (lent("a1", 0),),  # still out
        (lent("a1", 0), lent("b1", 1, who="ben")),  # ended by a loan only, which may be withdrawn
        (back("r1", 0), lent("a1", 1)),  # the return came before
        (lent("a1", 0), back("r1", 1, at=NOON)),  # returned just now
        (lent("a1", 0, at=LONG_AGO + timedelta(days=2), kiosk="k2"), lent("a2", 1), back("r1", 2)),  # neither is before
        (lent("a1", 0, doubtful_until=NOON), back("r1", 1)),  # a person may yet say which came first
        (lent("a1", 0, who="unlinked:x"), back("r1", 1)),  # forgotten already
        (event("h", Deed.PLACE_HOLD, 0), back("r1", 1)),  # a hold is no loan
    ],
)
def test_what_something_may_still_change_is_kept(events: tuple[ItemEvent, ...]) -> None:
    kept = {stretch for stretches in found(*events) for stretch in stretches}
    assert "a1" not in kept
    assert "h" not in kept


def test_a_log_with_a_gap_keeps_everything_before_the_return() -> None:
    assert found(lent("a1", 0), back("r1", 1), gaps=True) == []


def test_a_return_counts_at_its_own_time_and_a_loan_at_the_latest_of_its_log() -> None:
    slow = lent("a1", 0, at=LONG_AGO + timedelta(minutes=30), kiosk="k2")
    moved = lent("a2", 1, kiosk="k2")  # behind the one before it in its log, so behind the return
    assert found(slow, moved, back("r1", 10)) == []
    assert found(slow, moved, back("r1", 40)) == [["a1", "a2"]]
    same_log = back("r2", 2, kiosk="k2")
    assert found(slow, moved, same_log) == [["a1", "a2"]]
