"""A long history is read from its last quiet point on, and nobody can tell by any verdict, loan or case."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.histories import LONG
from sync.central.inbox import Inbox
from sync.wire import WireWord

from .conftest import NOON

KIOSKS = ("main-1", "main-2")
NEVER = 1_000_000

acts = st.lists(
    st.tuples(
        st.sampled_from(KIOSKS),
        st.sampled_from([Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN, Deed.RETURN, Deed.RENEW, Deed.PLACE_HOLD]),
        st.sampled_from(["ann", "ben", "eve"]),
        st.integers(0, 200),
        st.sampled_from([(Word.FACT,), (Word.FACT,), (Word.REQUEST,), (Word.REQUEST, Word.FACT), (Word.REQUEST, Word.WITHDRAWAL)]),
        st.integers(0, 9),
    ),
    min_size=4,
    max_size=16,
)  # fmt: skip


def with_cuts(town: Any, long: int) -> Any:
    town.central.inbox = Inbox(town.central.database, town.clock, long=long)
    return town


def words_of(town: Any, told: list[Any]) -> list[tuple[str, WireWord]]:
    """In the order of their logs; one in ten has a time that is not known."""
    said = []
    for number, (kiosk, deed, who, minute, kinds, dice) in enumerate(told):
        first = None
        for kind in kinds:
            if kind is Word.WITHDRAWAL and deed is Deed.RETURN:
                continue
            word = town.word(
                kind, f"act-{number}", deed=deed, membership=who, minute=minute, kiosk=kiosk, request_sequence=first,
                doubtful=kind is Word.FACT and first is None and dice == 0,
            )  # fmt: skip
            first = word.sequence
            said.append((kiosk, word))
    return said


def rows(town: Any) -> tuple[Any, ...]:
    """Everything that acts have left but the cuts; central's clock may differ by nothing, it stands still."""
    with town.central.database.read() as connection:
        return tuple(
            sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in (tables.act, tables.loan, tables.case, tables.hold, tables.feed)
        )


def cuts(town: Any) -> int:
    with town.central.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.quiet)).scalar_one())


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=acts, data=st.data())
def test_a_history_read_from_its_cut_gives_the_same_verdicts_loans_and_cases(
    new_town: Callable[[], Any], told: list[Any], data: st.DataObject
) -> None:
    whole, cut = with_cuts(new_town(), NEVER), with_cuts(new_town(), 1)
    words = words_of(whole, told)
    late = data.draw(st.lists(st.sampled_from(words), max_size=4, unique_by=lambda one: id(one[1])), label="come late")
    order = [*(one for one in words if one not in late), *late, *words[:2]]
    for kiosk, word in order:
        here, there = whole.tell(word, kiosk=kiosk), cut.tell(word, kiosk=kiosk)
        assert [replace(one, epoch="") for one in there] == [replace(one, epoch="") for one in here]
    assert rows(cut) == rows(whole)
    assert cuts(whole) == 0


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=acts, data=st.data())
def test_facts_in_any_order_end_alike_although_histories_are_cut_between_them(
    new_town: Callable[[], Any], told: list[Any], data: st.DataObject
) -> None:
    one, other = with_cuts(new_town(), 1), with_cuts(new_town(), 1)
    facts = [(kiosk, deed, who, minute, (Word.FACT,), 1) for kiosk, deed, who, minute, _, _ in told]
    words = words_of(one, facts)
    one.clock.now = other.clock.now = NOON.replace(day=25)
    for kiosk, word in words:
        one.tell(word, kiosk=kiosk)
    for kiosk, word in data.draw(st.permutations(words), label="order of arrival"):
        other.tell(word, kiosk=kiosk)
    assert one.cases() == other.cases()
    assert one.loans() == other.loans()
    assert set(one.central.holdings.loan_acts(item="C1")) == set(other.central.holdings.loan_acts(item="C1"))


def lent_often(town: Any, times: int) -> None:
    for number in range(2 * times):
        deed = (Deed.CHECKOUT, Deed.RETURN)[number % 2]
        assert town.say(Word.FACT, f"often-{number}", deed=deed, minute=number).outcome in (
            Outcome.ACCEPTED,
            Outcome.NOTED,
        )


def test_a_short_history_is_not_cut_and_a_long_one_is(town: Any) -> None:
    lent_often(town, LONG // 2)
    assert cuts(town) == 0
    lent_often(town, 0)
    town.say(Word.FACT, "once more", minute=2 * LONG)
    assert cuts(town) == 1


def test_an_act_from_before_the_cut_is_a_case_with_the_loan_it_contradicts(town: Any) -> None:
    lent_often(town, LONG)
    assert cuts(town) == 1
    said = town.say(Word.FACT, "late", membership="ben", minute=4.5, kiosk="east-1")
    assert said.outcome is Outcome.ACCEPTED  # the book has come back since: kept, and nobody need look
    (kept,) = town.central.holdings.cases(include_closed=True)
    assert (kept.id, kept.closed_by, kept.closed_how) == ("lent_to_two:often-4:late", "central", "book came back")
    assert town.loans() == {}
    assert cuts(town) == 1  # made anew, behind it


def test_an_act_of_doubtful_time_gives_the_cut_up(town: Any) -> None:
    lent_often(town, LONG)
    town.say(Word.FACT, "doubtful", membership="ben", minute=3 * LONG, kiosk="east-1", doubtful=True)
    assert cuts(town) == 0


def test_a_second_return_is_noted_as_one_although_the_loans_are_before_the_cut(town: Any) -> None:
    lent_often(town, LONG)
    said = town.say(Word.FACT, "again", deed=Deed.RETURN, minute=5 * LONG)
    assert (said.outcome, said.reason) == (Outcome.NOTED, Reason.ALREADY_RETURNED)


@pytest.mark.parametrize("offset", [2**62, -(2**62)])
def test_a_word_whose_time_cannot_be_said_gives_no_cut_up(town: Any, offset: int) -> None:
    lent_often(town, LONG)
    word = msgspec.structs.replace(town.word(Word.FACT, "far", minute=1), clock_offset_ms=offset)
    assert town.tell(word)[0].outcome is Outcome.CASE
    assert town.loans() == {}


def test_a_case_of_two_acts_before_the_cut_stays_as_it_ended(town: Any) -> None:
    town.say(Word.FACT, "hers", membership="ann", minute=-9)
    assert town.say(Word.FACT, "his", membership="ben", minute=-8).reason is Reason.LENT_TO_TWO
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=-7)
    lent_often(town, LONG)
    assert cuts(town) == 1
    town.say(Word.FACT, "behind", minute=5 * LONG)
    (kept,) = town.central.holdings.cases(include_closed=True)
    assert (kept.id, kept.closed_by, kept.closed_how) == ("lent_to_two:hers:his", "central", "book came back")
