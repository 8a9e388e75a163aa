"""Which acts may forget whose they were: only what stands before a return that nothing can take away or overtake; of a
work that was waited for, only what is fixed, and each person's acts together."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import BRANCH, NOON
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.holds import HoldSettlement, HoldState, settle_holds
from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import UNLINKED, ItemEvent, Settlement, settle
from kiosk.domain.retention import forgettable, forgettable_of_work
from kiosk.domain.values import ActId, IncarnationId, KioskId, MembershipId

LONG_AGO = NOON - timedelta(days=100)
BEFORE = NOON - timedelta(days=90)


def event(name: str, deed: Deed, minute: float, who: str | None = "ann", kiosk: str = "k1", **more: Any) -> ItemEvent:
    values: dict[str, Any] = {"at": LONG_AGO + timedelta(minutes=minute), "sequence": int(minute) + 1, "item": "C1"}
    return ItemEvent(
        act_id=ActId(name),
        deed=deed,
        membership=None if who is None else MembershipId(who),
        kiosk=KioskId(kiosk),
        incarnation=IncarnationId("i1"),
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


# --- works that were waited for -----------------------------------------------------------------------------------


def wish(name: str, minute: float, **more: Any) -> ItemEvent:
    return event(name, Deed.PLACE_HOLD, minute, **more)


def of_work(*events: ItemEvent, until: float = 1000, gaps: bool = False) -> list[list[str]]:
    """Until this minute, in any order."""
    found = forgettable_of_work(events, lambda _: not gaps, LONG_AGO + timedelta(minutes=until))
    return sorted(sorted(map(str, stretch)) for stretch in found)


def test_a_hold_and_the_loan_that_ends_it_are_one_stretch_and_each_persons_stretch_is_apart() -> None:
    story = (
        lent("a1", 0),
        wish("h", 1, who="ben"),
        back("r1", 2, hold=ActId("h")),
        lent("b1", 3, who="ben"),
        back("r2", 4),
        lent("b2", 5, who="ben"),
        back("r3", 6),
    )
    assert of_work(*story) == [["a1"], ["b1", "h"], ["b2"]]
    assert of_work(*story, until=4) == [["a1"]]  # ben's book came back at that moment


def test_others_who_still_wait_keep_nobody() -> None:
    story = (lent("a1", 0), wish("h1", 1, who="ben"), wish("h2", 2, who="cid"), back("r1", 3, hold=ActId("h1")))
    pick = (lent("b1", 4, who="ben", item="C2"), back("r2", 5, item="C2"))
    assert of_work(*story) == [["a1"]]
    assert of_work(*story, *pick) == [["a1"], ["b1", "h1"]]


@pytest.mark.parametrize("over", [Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD])
def test_a_hold_that_nobody_picked_up_names_nobody_either(over: Deed) -> None:
    end = event("over", over, 9, hold=ActId("h"), who=None if over is Deed.EXPIRE_HOLD else "ann")
    until = LONG_AGO + timedelta(minutes=5)
    story = (wish("h", 1), back("r1", 2, hold=ActId("h"), due_at=until))
    own = ["h"] if over is Deed.EXPIRE_HOLD else ["h", "over"]
    assert of_work(*story, end) == [own]
    assert of_work(*story) == of_work(*story, end, until=9) == []


def test_what_is_not_fixed_waits() -> None:
    story = (wish("h", 1), lent("a1", 2), back("r1", 3))
    assert of_work(*story) == [["a1", "h"]]
    assert of_work(*story, gaps=True) == []
    assert of_work(*story, until=3) == []
    assert of_work(lent("x", 0, who="ben", doubtful_until=NOON), *story) == []


def test_an_unlinked_hold_that_its_acts_leave_open_serves_nobody_and_its_copy_is_to_be_cleared() -> None:
    ghost = settle_holds([wish("h", 1, who=f"{UNLINKED}x"), back("r1", 2, hold=ActId("h"))]).holds[0]
    assert (ghost.state, ghost.left) == (HoldState.EXPIRED, "C1")
    assert settle_holds([wish("h", 1, who=f"{UNLINKED}x")]).holds[0].state is HoldState.EXPIRED


deeds = [*[Deed.RETURN] * 4, *[Deed.CHECKOUT] * 3, Deed.RENEW, Deed.PLACE_HOLD, Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD]
Told = tuple[Deed, str, str, str, int, int]
stories = st.lists(
    st.tuples(
        st.sampled_from(deeds),
        st.sampled_from(["ann", "ben", "cid"]),
        st.sampled_from(["A1", "A2"]),
        st.sampled_from(["k1", "k2"]),
        st.integers(-1, 5),
        st.integers(0, 100),
    ),
    max_size=24,
)


def acts_of(told: list[Told], later: list[Told]) -> list[ItemEvent]:
    """Each log goes on where it was; a hold is named by its number among those placed, and not before it is told of."""
    acts = []
    for number, (deed, who, item, kiosk, hold, minute) in enumerate([*told, *later]):
        known = told if number < len(told) else [*told, *later]
        wishes = [place for place, one in enumerate(known) if one[0] is Deed.PLACE_HOLD]
        named = deed is not Deed.PLACE_HOLD and 0 <= hold < len(wishes)
        acts.append(
            event(
                f"e{number}",
                deed,
                minute,
                who=None if deed in (Deed.RETURN, Deed.EXPIRE_HOLD) else who,
                kiosk=kiosk,
                sequence=number + 1,
                item=item,
                hold=ActId(f"e{wishes[hold]}") if named else None,
            )
        )
    return acts


def settled(events: list[ItemEvent], names: dict[str, str]) -> tuple[HoldSettlement, dict[str, Settlement]]:
    """Holds and holdings, with the marks taken back."""
    found = settle_holds(events)
    holds = tuple(
        replace(one, membership=MembershipId(names.get(one.membership, one.membership))) for one in found.holds
    )
    items = {}
    for item in ("A1", "A2"):
        own = settle(one for one in events if one.item == item)
        spans = tuple(replace(span, membership=names.get(span.membership or "", span.membership)) for span in own.spans)
        items[item] = Settlement(spans, frozenset())
    return HoldSettlement(holds, found.conflicts), items


@settings(max_examples=400, deadline=None)
@given(told=stories, later=stories, until=st.integers(0, 120))
def test_holds_and_holdings_are_the_same_with_marks_and_whatever_is_told_later(
    told: list[Told], later: list[Told], until: int
) -> None:
    every = acts_of(told, [(*one[:5], until + one[5]) for one in later])
    first = every[: len(told)]
    stretches = forgettable_of_work(first, lambda _: True, LONG_AGO + timedelta(minutes=until))
    marks = {act: f"{UNLINKED}{number}" for number, stretch in enumerate(stretches) for act in stretch}
    names = {marks[one.act_id]: one.membership for one in first if one.act_id in marks and one.membership is not None}
    marked = [
        replace(one, membership=MembershipId(marks.get(one.act_id, one.membership or ""))) if one.membership else one
        for one in every
    ]
    for count in (len(told), len(every)):
        assert settled(marked[:count], names) == settled(every[:count], names)
