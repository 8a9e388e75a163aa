"""Words of one act join, and facts of one item settle, the same way in whatever order they arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.reconcile import (
    JOIN,
    Conflict,
    Held,
    ItemEvent,
    Judgement,
    held_after,
    in_order,
    settle,
)
from kiosk.domain.values import ActId, IncarnationId, KioskId, MembershipId, Reason

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
ANN, BOB = MembershipId("m-ann"), MembershipId("m-bob")


def event(
    name: str,
    deed: Deed = Deed.CHECKOUT,
    who: MembershipId | None = ANN,
    minute: float = 0,
    kiosk: str = "k1",
    sequence: int = 1,
    due_days: int | None = 28,
) -> ItemEvent:
    return ItemEvent(
        act_id=ActId(name),
        deed=deed,
        membership=None if deed is Deed.RETURN else who,
        at=NOON + timedelta(minutes=minute),
        kiosk=KioskId(kiosk),
        incarnation=IncarnationId("i"),
        sequence=sequence,
        due_at=None if due_days is None or deed is Deed.RETURN else NOON + timedelta(days=due_days),
    )


# --- words -------------------------------------------------------------------------------------------------------


def test_every_cell_of_the_table_is_present() -> None:
    assert set(JOIN) == {(held, word) for held in Held for word in Word}


HELD_AFTER = [
    (Held.NOTHING, Word.REQUEST, Outcome.ACCEPTED, Held.ACCEPTED),
    (Held.NOTHING, Word.REQUEST, Outcome.NOTED, Held.ACCEPTED),
    (Held.NOTHING, Word.REQUEST, Outcome.REFUSED, Held.REFUSED),
    (Held.NOTHING, Word.FACT, Outcome.ACCEPTED, Held.FACT),
    (Held.NOTHING, Word.FACT, Outcome.CASE, Held.FACT),
    (Held.NOTHING, Word.WITHDRAWAL, Outcome.CANCELLED, Held.CANCELLED),
    (Held.ACCEPTED, Word.REQUEST, Outcome.ACCEPTED, Held.ACCEPTED),
    (Held.ACCEPTED, Word.FACT, Outcome.ACCEPTED, Held.FACT),
    (Held.ACCEPTED, Word.WITHDRAWAL, Outcome.CANCELLED, Held.CANCELLED),
    (Held.REFUSED, Word.REQUEST, Outcome.REFUSED, Held.REFUSED),
    (Held.REFUSED, Word.FACT, Outcome.CASE, Held.FACT),
    (Held.REFUSED, Word.WITHDRAWAL, Outcome.CANCELLED, Held.CANCELLED),
    (Held.CANCELLED, Word.REQUEST, Outcome.CANCELLED, Held.CANCELLED),
    (Held.CANCELLED, Word.FACT, Outcome.CASE, Held.CANCELLED),
    (Held.CANCELLED, Word.WITHDRAWAL, Outcome.CANCELLED, Held.CANCELLED),
    (Held.FACT, Word.REQUEST, Outcome.ACCEPTED, Held.FACT),
    (Held.FACT, Word.FACT, Outcome.ACCEPTED, Held.FACT),
    (Held.FACT, Word.WITHDRAWAL, Outcome.CASE, Held.FACT),
]


@pytest.mark.parametrize(
    ("held", "word", "outcome", "after"), HELD_AFTER, ids=[f"{held}-{word}-{out}" for held, word, out, _ in HELD_AFTER]
)
def test_what_is_held_once_a_word_is_judged(held: Held, word: Word, outcome: Outcome, after: Held) -> None:
    assert held_after(held, word, outcome) is after


def test_the_table_of_what_is_held_knows_every_cell() -> None:
    assert {(held, word) for held, word, _, _ in HELD_AFTER} == set(JOIN)


@pytest.mark.parametrize("last", [Word.FACT, Word.WITHDRAWAL])
@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REFUSED])
def test_a_request_and_its_last_word_end_alike_in_both_orders(last: Word, outcome: Outcome) -> None:
    ends = set()
    for words in ([Word.REQUEST, last], [last, Word.REQUEST]):
        held = Held.NOTHING
        for word in words:
            held = held_after(held, word, outcome if word is Word.REQUEST else Outcome.ACCEPTED)
        ends.add(held)
    assert ends == {Held.FACT if last is Word.FACT else Held.CANCELLED}


@pytest.mark.parametrize("held", list(Held))
@pytest.mark.parametrize("word", list(Word))
def test_the_same_word_again_changes_nothing(held: Held, word: Word) -> None:
    for outcome in Outcome:
        once = held_after(held, word, outcome)
        if once is not Held.NOTHING:
            assert held_after(once, word, outcome) is once


def test_only_the_kiosks_own_contradiction_is_its_fault() -> None:
    faults = {cell for cell, judgement in JOIN.items() if judgement is Judgement.KIOSK_FAULT}
    assert faults == {(Held.CANCELLED, Word.FACT), (Held.FACT, Word.WITHDRAWAL)}


# --- items -------------------------------------------------------------------------------------------------------


def test_a_loan_a_renewal_and_a_return_are_one_span() -> None:
    ended = settle(
        [
            event("a"),
            event("b", Deed.RENEW, minute=5, sequence=2, due_days=35),
            event("c", Deed.RETURN, minute=9, sequence=3),
        ]
    )
    (span,) = ended.spans
    assert (span.act_id, span.membership, span.renewals, span.ended_by) == ("a", ANN, 1, "c")
    assert span.due_at == NOON + timedelta(days=35)
    assert ended.holder is None
    assert ended.conflicts == frozenset()


def test_a_late_older_fact_enters_history_and_never_takes_the_item_from_its_newer_holder() -> None:
    newer = event("newer", who=BOB, minute=60, kiosk="k2")
    older = event("older", who=ANN, minute=0, kiosk="k1")
    for settled in (settle([newer, older]), settle([older, newer])):
        assert settled.holder is not None
        assert settled.holder.act_id == "newer"
        assert [span.act_id for span in settled.spans] == ["older", "newer"]
        assert settled.spans[0].ended_by == "newer"
        assert settled.conflicts == {Conflict(Reason.LENT_TO_TWO, ActId("older"), ActId("newer"))}


def test_a_return_that_was_still_on_its_way_leaves_no_conflict() -> None:
    borrowed = [event("a"), event("c", who=BOB, minute=60, kiosk="k2")]
    back = event("b", Deed.RETURN, minute=30, kiosk="k3")
    assert len(settle(borrowed).conflicts) == 1
    settled = settle([*borrowed, back])
    assert settled.conflicts == frozenset()
    assert settled.spans[0].ended_by == "b"


def test_the_same_patron_twice_is_no_conflict() -> None:
    assert settle([event("a"), event("b", minute=5, sequence=2)]).conflicts == frozenset()


def test_a_renewal_of_someone_elses_or_no_loan_changes_nothing() -> None:
    lent = settle([event("a"), event("b", Deed.RENEW, BOB, minute=5, kiosk="k2", due_days=90)])
    assert lent.spans == settle([event("a")]).spans
    assert settle([event("b", Deed.RENEW)]).spans == ()
    assert settle([event("b", Deed.RETURN)]).spans == ()


def test_a_renewal_never_shortens_the_promise() -> None:
    settled = settle([event("a", due_days=28), event("b", Deed.RENEW, minute=5, sequence=2, due_days=7)])
    assert settled.spans[0].due_at == NOON + timedelta(days=28)


def test_within_one_kiosk_the_sequence_outranks_a_clock_that_went_back() -> None:
    lent = event("lent", minute=60, sequence=1)
    returned = event("returned", Deed.RETURN, minute=0, sequence=2)
    settled = settle([returned, lent])
    assert settled.holder is None
    assert settled.spans[0].ended_by == "returned"


def test_an_act_after_a_clock_that_went_back_counts_as_of_the_latest_time_of_its_log() -> None:
    first = event("first", minute=60, sequence=1, kiosk="k1")
    elsewhere = event("elsewhere", Deed.RETURN, minute=30, kiosk="k2")
    second = event("second", who=BOB, minute=0, sequence=2, kiosk="k1")
    assert [found.act_id for found in in_order([second, elsewhere, first])] == ["elsewhere", "first", "second"]


def test_another_incarnation_of_the_same_kiosk_is_ordered_by_time() -> None:
    old = replace(event("old", minute=0, sequence=900), incarnation=IncarnationId("i1"))
    new = replace(event("new", who=BOB, minute=60, sequence=1), incarnation=IncarnationId("i2"))
    assert [found.act_id for found in in_order([new, old])] == ["old", "new"]


def test_a_log_that_uses_a_sequence_twice_still_settles_alike() -> None:
    events = [event("b", who=BOB, minute=5), event("a", minute=9), event("c", Deed.RENEW, minute=5)]
    assert settle(events) == settle(events[::-1])


def doubtful(found: ItemEvent, minutes: float = 60) -> ItemEvent:
    """The same, recorded by a clock that nobody can believe."""
    span = timedelta(minutes=minutes)
    return replace(found, doubtful_from=found.at - span, doubtful_until=found.at + span)


def test_an_act_of_unknown_time_and_a_loan_elsewhere_that_may_be_on_its_other_side_are_a_conflict() -> None:
    back = doubtful(event("back", Deed.RETURN, minute=0, kiosk="k2"))
    near, far = event("near", minute=30), event("far", minute=90)
    assert settle([back, near]).conflicts == {Conflict(Reason.ORDER_UNKNOWN, ActId("back"), ActId("near"))}
    assert settle([back, far]).conflicts == frozenset()
    assert settle([doubtful(near), doubtful(back, 1)]).conflicts == settle([back, near]).conflicts


def test_the_order_of_returns_and_within_one_log_is_never_a_conflict() -> None:
    back = doubtful(event("back", Deed.RETURN, minute=0, kiosk="k2"))
    assert settle([back, event("too", Deed.RETURN, minute=5)]).conflicts == frozenset()
    assert settle([back, event("lent", minute=5, kiosk="k2", sequence=2)]).conflicts == frozenset()


SKEWS = {"k1": 0.0, "k2": 7.5, "k3": -120.0}


@st.composite
def logs(draw: st.DrawFn) -> list[ItemEvent]:
    """Events of one item from kiosks whose clocks go wrong and jump, each with its own gapless sequence."""
    found = []
    counts = dict.fromkeys(SKEWS, 0)
    for number in range(draw(st.integers(1, 7))):
        kiosk = draw(st.sampled_from(sorted(SKEWS)))
        counts[kiosk] += 1
        made = event(
            f"a{number}",
            draw(st.sampled_from(list(Deed))),
            draw(st.sampled_from([ANN, BOB])),
            minute=draw(st.integers(-30, 30)) + SKEWS[kiosk],
            kiosk=kiosk,
            sequence=counts[kiosk],
            due_days=draw(st.sampled_from([7, 28, 56])),
        )
        found.append(doubtful(made, draw(st.integers(0, 90))) if draw(st.integers(0, 4)) == 0 else made)
    return found


@given(events=logs(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_holdings_and_the_same_conflicts(
    events: list[ItemEvent], data: st.DataObject
) -> None:
    assert settle(data.draw(st.permutations(events))) == settle(events)


@given(events=logs())
@settings(max_examples=100, deadline=None)
def test_in_any_history_at_most_the_last_loan_is_open_and_every_loan_is_told(events: list[ItemEvent]) -> None:
    settled = settle(events)
    assert all(span.ended_by is not None for span in settled.spans[:-1])
    assert [span.act_id for span in settled.spans] == [
        found.act_id for found in in_order(events) if found.deed is Deed.CHECKOUT
    ]
    lent = {span.act_id for span in settled.spans}
    for conflict in settled.conflicts:
        assert conflict.earlier in lent or (conflict.reason is Reason.ORDER_UNKNOWN and conflict.later in lent)


@given(events=logs())
@settings(max_examples=100, deadline=None)
def test_each_kiosks_acts_keep_their_order(events: list[ItemEvent]) -> None:
    ordered = in_order(events)
    for kiosk in SKEWS:
        own = [found.sequence for found in ordered if found.kiosk == kiosk]
        assert own == sorted(own)
    assert sorted(found.act_id for found in ordered) == sorted(found.act_id for found in events)


@given(events=logs(), minutes=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_no_late_older_fact_changes_who_holds_the_item(events: list[ItemEvent], minutes: int) -> None:
    before = settle(events)
    if before.holder is None:
        return
    first = min(found.at for found in events)
    late = replace(event("late", who=BOB, kiosk="k9"), at=first - timedelta(minutes=minutes))
    after = settle([*events, late])
    assert after.holder is not None
    assert after.holder.act_id == before.holder.act_id
