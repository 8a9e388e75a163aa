"""A reserved work is read from its last cut on, and nobody can tell by any verdict, loan, hold or case."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.histories import LONG
from sync.wire import ItemEntry, PolicyEntry, WireLoanRule, WirePatronRule

from .conftest import NOON
from .test_histories import NEVER, rows, with_cuts

COPIES = ("W1", "W2", "W3")
KIOSKS = ("main-1", "main-2")
ACTS = 22

told = st.lists(
    st.tuples(
        st.sampled_from(KIOSKS),
        st.sampled_from(
            [Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN, Deed.RETURN, Deed.RETURN, Deed.PLACE_HOLD, Deed.PLACE_HOLD,
             Deed.CANCEL_HOLD, Deed.RENEW]
        ),
        st.sampled_from(COPIES),
        st.sampled_from(["ann", "ben", "dora"]),
        st.integers(0, 90),
        st.sampled_from([(Word.FACT,), (Word.FACT,), (Word.REQUEST,), (Word.REQUEST, Word.FACT), (Word.REQUEST, Word.WITHDRAWAL)]),
        st.one_of(st.none(), st.integers(0, ACTS)),
        st.integers(0, 24),
    ),
    min_size=5,
    max_size=ACTS,
)  # fmt: skip


def with_work(town: Any, long: int) -> Any:
    with_cuts(town, long)
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=copy, title="人人都等", branch="main", work="W") for copy in COPIES])
        change.policy(
            PolicyEntry(
                policy_version="holds",
                patron_rules=[WirePatronRule(category="*", quota=9, holds=9)],
                loan_rules=[WireLoanRule(loan_days=28, renewals=3)],
                hold_on_shelf=True,
            )
        )
    return town


def words_of(town: Any, acts: list[Any], *, in_time: bool) -> list[Any]:
    """In the order of their logs. `in_time`: a kiosk's times go forward with its numbers, as most do."""
    said = []
    for number, (kiosk, deed, item, who, minute, kinds, about, dice) in enumerate(acts):
        first = None
        hold = None
        if deed is Deed.CANCEL_HOLD or (deed is Deed.RETURN and about is not None):
            hold = f"act-{(about or 0) % len(acts)}"
        for kind in kinds:
            if kind is Word.WITHDRAWAL and deed is Deed.RETURN:
                continue
            word = town.word(
                kind, f"act-{number}", deed=deed, membership=who, item=item, kiosk=kiosk, request_sequence=first,
                minute=3 * number + minute / 60 if in_time else minute, hold=hold,
                doubtful=kind is Word.FACT and first is None and dice == 0,
            )  # fmt: skip
            first = word.sequence
            said.append((kiosk, word))
    return said


def cuts(town: Any) -> int:
    with town.central.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.work_cut)).scalar_one())


@pytest.mark.parametrize("in_time", [True, False])
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=told, data=st.data())
def test_a_work_read_from_its_cut_gives_the_same_verdicts_loans_holds_and_cases(
    new_town: Callable[[], Any], acts: list[Any], data: st.DataObject, in_time: bool
) -> None:
    whole, cut = with_work(new_town(), NEVER), with_work(new_town(), 1)
    words = words_of(whole, acts, in_time=in_time)
    late = data.draw(st.lists(st.sampled_from(words), max_size=4, unique_by=lambda one: id(one[1])), label="come late")
    for kiosk, word in [*(one for one in words if one not in late), *late, *words[:2]]:
        here, there = whole.tell(word, kiosk=kiosk), cut.tell(word, kiosk=kiosk)
        assert [replace(one, epoch="") for one in there] == [replace(one, epoch="") for one in here]
    assert rows(cut) == rows(whole)
    assert cuts(whole) == 0


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=told, data=st.data())
def test_facts_about_a_work_in_any_order_end_alike_although_it_is_cut_between_them(
    new_town: Callable[[], Any], acts: list[Any], data: st.DataObject
) -> None:
    one, other = with_work(new_town(), 1), with_work(new_town(), 1)
    words = words_of(one, [(*act[:5], (Word.FACT,), act[6], 1) for act in acts], in_time=False)
    one.clock.now = other.clock.now = NOON + timedelta(days=1)
    for kiosk, word in words:
        one.tell(word, kiosk=kiosk)
    for kiosk, word in data.draw(st.permutations(words), label="order of arrival"):
        other.tell(word, kiosk=kiosk)
    assert one.cases() == other.cases()
    assert one.loans() == other.loans()
    ends = [select(tables.hold).order_by(tables.hold.c.id), select(tables.item.c.id, tables.item.c.reserved_for)]
    for query in ends:
        with one.central.database.read() as here, other.central.database.read() as there:
            assert sorted(here.execute(query).all(), key=repr) == sorted(there.execute(query).all(), key=repr)


@pytest.fixture
def busy(town: Any) -> Any:
    """Somebody always waits, and the copies go out and come back."""
    with_work(town, LONG)
    town.say(Word.FACT, "waits", deed=Deed.PLACE_HOLD, item="W1", membership="ben", minute=-1)
    for number in range(LONG + 1):
        deed = (Deed.CHECKOUT, Deed.RETURN)[number % 2]
        town.say(Word.FACT, f"often-{number}", deed=deed, item="W2", minute=number)
    return town


def test_a_work_with_a_hold_open_at_every_moment_is_cut_and_an_act_from_before_is_judged_by_all_of_it(
    busy: Any,
) -> None:
    assert cuts(busy) == 1
    said = busy.say(Word.FACT, "late", membership="dora", item="W2", minute=4.5, kiosk="east-1")
    assert (said.outcome, said.reason) == (Outcome.CASE, Reason.MEMBERSHIP_SUSPENDED)  # and the double lending is over:
    case = tables.case.c
    with busy.central.database.read() as connection:
        double = connection.execute(select(case.closed_how).where(case.id == "lent_to_two:often-4:late"))
        assert double.scalars().all() == ["book came back"]


def test_who_is_forgotten_stands_in_no_cut(busy: Any) -> None:
    busy.say(Word.FACT, "back", deed=Deed.RETURN, item="W2", minute=2 * LONG)
    busy.say(
        Word.FACT, "no more", deed=Deed.CANCEL_HOLD, item="W1", membership="ben", hold="waits", minute=2 * LONG + 1
    )
    busy.clock.go(days=200)
    for kiosk in ("main-1",):
        busy.say(Word.FACT, f"alive-{kiosk}", deed=Deed.RETURN, item="C1", kiosk=kiosk, minute=199 * 24 * 60)
    assert busy.central.retention.run()
    with busy.central.database.read() as connection:
        named = connection.execute(select(tables.act.c.membership).where(tables.act.c.id == "often-2")).scalar_one()
        bodies = connection.execute(select(tables.work_cut.c.body)).scalars().all()
    assert named.startswith("unlinked:")
    assert not any('"ann"' in body or '"ben"' in body for body in bodies)


def test_a_copy_that_changes_its_work_makes_it_be_read_whole(busy: Any) -> None:
    for work in ("V", "W"):
        with busy.central.registry.change("test") as change:
            change.items([ItemEntry(id="W2", title="人人都等", branch="main", work=work)])
        if work == "V":
            busy.say(Word.FACT, "elsewhere", deed=Deed.CHECKOUT, item="W2", minute=LONG + 5)
    assert cuts(busy) == 0
    busy.say(Word.FACT, "home", deed=Deed.RETURN, item="W2", minute=LONG + 6)
    assert (cuts(busy), busy.loans()) == (1, {})
