"""What is told behind a quiet point of an item settles alike whether the acts before it are looked at or not."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.domain.journal import Deed
from kiosk.domain.quiet import quiet_point
from kiosk.domain.reconcile import ItemEvent, settle
from kiosk.domain.values import ActId, IncarnationId, KioskId, MembershipId

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
DEEDS = [Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN, Deed.RETURN, Deed.RENEW]


def event(number: int, deed: Deed, kiosk: str, sequence: int, minute: int, who: str = "ann") -> ItemEvent:
    return ItemEvent(
        act_id=ActId(f"act-{number}"),
        deed=deed,
        membership=None if deed is Deed.RETURN else MembershipId(who),
        at=START + timedelta(minutes=minute),
        kiosk=KioskId(kiosk),
        incarnation=IncarnationId("log-1"),
        sequence=sequence,
    )


told = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.sampled_from(["main-1", "main-2", "east-1"]),
        st.integers(1, 12),
        st.integers(0, 40),
        st.sampled_from(["ann", "ben"]),
    ),
    min_size=1,
    max_size=14,
)


@given(before=told, behind=told, cut_again=st.booleans())
def test_behind_a_cut_the_acts_before_it_change_nothing(
    before: list[tuple[Deed, str, int, int, str]], behind: list[tuple[Deed, str, int, int, str]], cut_again: bool
) -> None:
    known = [event(number, *one) for number, one in enumerate(before)]
    cut = quiet_point(known, None)
    assume(cut is not None)
    assert cut is not None
    more = [event(100 + number, *one) for number, one in enumerate(behind)]
    more = [one for one in more if cut.bears((one.kiosk, one.incarnation), one.sequence, one.at)]
    since = [*(one for one in known if one.at >= cut.at), *more]
    if cut_again:
        newer = quiet_point(since, cut)
        assert newer is not None  # at worst the same return
        assert newer.at >= cut.at
        cut, since = newer, [one for one in since if one.at >= newer.at]
        assert all(cut.bears((one.kiosk, one.incarnation), one.sequence, one.at) for one in since if one.at > cut.at)
    everything = settle([*known, *more])
    part, old = settle(since), settle(one for one in (*known, *more) if one.at <= cut.at)
    assert old.holder is None
    assert everything.spans == (*old.spans, *part.spans)
    assert everything.conflicts == old.conflicts | part.conflicts
    assert cut.lent is any(one.deed is Deed.CHECKOUT and one.at < cut.at for one in (*known, *more))


def test_a_book_that_goes_out_and_comes_back_is_cut_at_its_last_return() -> None:
    acts = [event(place, (Deed.CHECKOUT, Deed.RETURN)[place % 2], "main-1", place + 1, place) for place in range(11)]
    cut = quiet_point(acts, None)
    assert cut is not None
    assert cut.at == START + timedelta(minutes=9)
    assert cut.numbers == {("main-1", "log-1"): 10}
    assert cut.lent


def test_an_act_of_an_earlier_moment_or_number_is_not_borne() -> None:
    cut = quiet_point([event(0, Deed.CHECKOUT, "main-1", 5, 0), event(1, Deed.RETURN, "main-1", 6, 10)], None)
    assert cut is not None
    own, other = (KioskId("main-1"), IncarnationId("log-1")), (KioskId("main-2"), IncarnationId("log-1"))
    assert cut.bears(own, 7, START + timedelta(minutes=11))
    assert cut.bears(other, 1, START + timedelta(minutes=11))
    assert not cut.bears(other, 1, START + timedelta(minutes=10))
    assert not cut.bears(own, 4, START + timedelta(minutes=11))


def test_a_return_at_the_moment_of_another_act_is_no_quiet_point() -> None:
    acts = [event(0, Deed.RETURN, "main-1", 1, 5), event(1, Deed.CHECKOUT, "main-2", 1, 5)]
    assert quiet_point(acts, None) is None


def test_a_log_whose_clock_went_back_is_not_cut_between_its_acts() -> None:
    acts = [
        event(0, Deed.CHECKOUT, "main-1", 2, 1),  # told as the second, by a clock that had gone back
        event(1, Deed.RETURN, "main-2", 1, 5),
        event(2, Deed.CHECKOUT, "main-1", 1, 9),
    ]
    assert quiet_point(acts, None) is None


def test_an_item_with_an_act_of_doubtful_time_is_not_cut() -> None:
    acts = [event(0, Deed.CHECKOUT, "main-1", 1, 1), event(1, Deed.RETURN, "main-1", 2, 5)]
    doubtful = ItemEvent(
        act_id=ActId("act-9"), deed=Deed.CHECKOUT, membership=MembershipId("ben"), at=START + timedelta(minutes=30),
        kiosk=KioskId("main-2"), incarnation=IncarnationId("log-1"), sequence=1,
        doubtful_from=START, doubtful_until=START + timedelta(minutes=40),
    )  # fmt: skip
    assert quiet_point(acts, None) is not None
    assert quiet_point([*acts, doubtful], None) is None
