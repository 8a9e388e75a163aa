"""A work settled from its cut on is what it is when all of its acts are looked at, whatever came in which order."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kiosk.domain.holds import settle_holds
from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import ItemEvent, settle
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, KioskId, MembershipId, Reason
from kiosk.domain.work_cut import WorkCut, work_cut

START = datetime(2026, 11, 24, tzinfo=UTC)
COPIES = (ItemId("W1"), ItemId("W2"), ItemId("W3"))
DEEDS = (
    [Deed.CHECKOUT] * 3 + [Deed.RETURN] * 4 + [Deed.PLACE_HOLD] * 2 + [Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD, Deed.RENEW]
)


@st.composite
def histories(draw: st.DrawFn) -> list[ItemEvent]:
    """Acts of a work; mostly in time, some told late, some by a clock that went back."""
    events = []
    sequences = {"a": 0, "b": 0}
    for number in range(draw(st.integers(2, 24))):
        kiosk = draw(st.sampled_from("ab"))
        sequences[kiosk] += draw(st.integers(1, 2))
        deed = draw(st.sampled_from(DEEDS))
        about = draw(st.one_of(st.none(), st.integers(0, number + 2)))
        hold = about if deed in (Deed.CANCEL_HOLD, Deed.EXPIRE_HOLD, Deed.RETURN) else None
        minute = number * 5 + draw(st.sampled_from((0, 0, 0, 0, 2, 5, -7, -40)))
        events.append(
            ItemEvent(
                act_id=ActId(f"act-{number:02}"),
                deed=deed,
                membership=None if deed is Deed.RETURN else MembershipId(draw(st.sampled_from(("ann", "ben", "eve")))),
                at=START + timedelta(minutes=minute),
                kiosk=KioskId(kiosk),
                incarnation=IncarnationId("log"),
                sequence=sequences[kiosk],
                due_at=START + timedelta(minutes=minute + 30)
                if deed in (Deed.CHECKOUT, Deed.RETURN, Deed.RENEW)
                else None,
                item=draw(st.sampled_from(COPIES)),
                branch=BranchId(draw(st.sampled_from(("main", "east")))),
                hold=None if hold is None else ActId(f"act-{hold:02}"),
            )
        )
    return events


def behind(event: ItemEvent, cut: WorkCut) -> bool:
    return cut.moment.bears((event.kiosk, event.incarnation), event.sequence, event.at)


@settings(max_examples=400, deadline=None)
@given(events=histories(), data=st.data())
def test_what_is_settled_from_a_cut_on_is_what_all_acts_amount_to(events: list[ItemEvent], data: st.DataObject) -> None:
    """Cut, cut again further on, and settled with acts that came after the cuts were made, in whatever order."""
    first = data.draw(st.integers(1, len(events)))
    cut: WorkCut | None = None
    known: list[ItemEvent] = []
    for portion in (events[:first], events[first:]):
        if cut is not None and not all(behind(event, cut) for event in portion):
            cut = None  # what a cut does not bear makes all be read
        known += portion
        left = known if cut is None else [event for event in known if behind(event, cut)]
        cut = work_cut(data.draw(st.permutations(left)), COPIES, cut) or cut
    assume(cut is not None)
    assert cut is not None
    rest = [event for event in known if behind(event, cut)]
    whole, short = settle_holds(known), settle_holds(rest, cut.holds)
    assert short == whole
    assert {one: short.about[one] for one in short.conflicts} == {one: whole.about[one] for one in whole.conflicts}
    for copy in COPIES:
        stood = cut.copies[copy]
        all_of_it = settle(event for event in known if event.item == copy)
        since = settle((event for event in rest if event.item == copy), stood.lent)
        assert since.spans == all_of_it.spans[len(all_of_it.spans) - len(since.spans) :]
        assert since.conflicts <= all_of_it.conflicts
        recent = {event.act_id for event in rest}
        assert {one for one in all_of_it.conflicts if one.later in recent} == since.conflicts
        assert {one for one in all_of_it.came_back if one.later in recent} == since.came_back
        twice = {one for one in all_of_it.conflicts if one.reason is Reason.LENT_TO_TWO and one.later not in recent}
        assert twice <= all_of_it.came_back  # nothing before the cut waits for a return
        assert stood.ever is any(
            event.deed is Deed.CHECKOUT and event.item == copy and event not in rest for event in known
        )


@settings(max_examples=100, deadline=None)
@given(events=histories())
def test_most_histories_have_a_cut_near_their_end(events: list[ItemEvent]) -> None:
    cut = work_cut(events, COPIES, None)
    if cut is not None:
        assert all(event.at > cut.moment.at for event in events if behind(event, cut))
        assert not any(event.doubtful_until for event in events)


def test_an_act_of_doubtful_time_and_a_hold_that_is_not_known_yet_forbid_a_cut() -> None:
    event = ItemEvent(
        act_id=ActId("r"), deed=Deed.RETURN, membership=None, at=START, kiosk=KioskId("a"),
        incarnation=IncarnationId("log"), sequence=1, item=COPIES[0], branch=BranchId("main"), hold=ActId("later"),
    )  # fmt: skip
    assert work_cut([event], COPIES, None) is None
    plain = ItemEvent(
        act_id=ActId("r"), deed=Deed.RETURN, membership=None, at=START, kiosk=KioskId("a"),
        incarnation=IncarnationId("log"), sequence=1, item=COPIES[0], doubtful_until=START,
    )  # fmt: skip
    assert work_cut([plain], COPIES, None) is None
