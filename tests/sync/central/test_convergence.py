"""Any order of arrival ends in the same holdings and the same open cases, with every word told more than once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.domain.journal import Deed, Outcome, Word
from sync.wire import WireWord

from .conftest import NOON

KIOSKS = ("main-1", "main-2", "east-1")

facts = st.lists(
    st.tuples(
        st.sampled_from(KIOSKS),
        st.sampled_from([Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN, Deed.RENEW]),
        st.sampled_from(["ann", "ben", "eve", "nobody"]),
        st.sampled_from(["C1", "C2", "HELD"]),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=12,
)


def words_of(town: Any, told: list[tuple[str, Deed, str, str, int]]) -> list[tuple[str, WireWord]]:
    return [
        (
            kiosk,
            town.word(
                Word.FACT, f"act-{number}", deed=deed, membership=membership, item=item, minute=minute, kiosk=kiosk
            ),
        )
        for number, (kiosk, deed, membership, item, minute) in enumerate(told)
    ]


def end(town: Any) -> tuple[Any, ...]:
    loans = town.central.holdings.open_loans()
    return (
        {(loan.act_id, loan.membership, loan.item, loan.lent_at, loan.due_at, loan.renewals) for loan in loans},
        town.cases(),
        town.central.holdings.acts(),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=facts, data=st.data())
def test_facts_in_any_order_end_alike(
    new_town: Callable[[], Any], told: list[tuple[str, Deed, str, str, int]], data: st.DataObject
) -> None:
    in_order, shuffled = new_town(), new_town()
    in_order.clock.now = NOON + timedelta(hours=2)  # the towns share it; facts are told after they happened
    words = words_of(in_order, told)
    for kiosk, word in words:
        verdict = in_order.tell(word, kiosk=kiosk)[0]
        assert verdict.outcome in (Outcome.ACCEPTED, Outcome.NOTED, Outcome.CASE)
    order = data.draw(st.permutations([*words, *words]), label="order of arrival")
    for kiosk, word in order:
        shuffled.tell(word, kiosk=kiosk)
    assert end(shuffled) == end(in_order)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=facts, data=st.data())
def test_one_push_and_single_words_end_alike(
    new_town: Callable[[], Any], told: list[tuple[str, Deed, str, str, int]], data: st.DataObject
) -> None:
    single, batched = new_town(), new_town()
    words = words_of(single, [("main-1", *rest) for _, *rest in told])  # type: ignore[misc]
    for kiosk, word in words:
        single.tell(word, kiosk=kiosk)
    batched.tell(*data.draw(st.permutations([word for _, word in words])))
    assert end(batched) == end(single)


def test_a_renewal_of_a_reserved_item_is_a_case_whether_its_loan_came_before_or_after(
    new_town: Callable[[], Any],
) -> None:
    cases = []
    for turn in (1, -1):
        town = new_town()
        words = [
            town.word(Word.FACT, "lent", item="HELD", minute=1),
            town.word(Word.FACT, "renewed", deed=Deed.RENEW, item="HELD", minute=2),
        ]
        for word in words[::turn]:
            town.tell(word)
        cases.append(town.cases())
    assert cases[0] == cases[1] == {"item_reserved:lent", "item_reserved:renewed"}


last_words = st.lists(
    st.tuples(
        st.sampled_from(KIOSKS[:2]),
        st.sampled_from(["ann", "ben"]),
        st.sampled_from([Word.FACT, Word.WITHDRAWAL]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=last_words, data=st.data())
def test_requests_and_their_last_words_in_any_order_never_leave_a_withdrawn_loan(
    new_town: Callable[[], Any], told: list[tuple[str, str, Word]], data: st.DataObject
) -> None:
    town = new_town()
    words = []
    for number, (kiosk, membership, last) in enumerate(told):
        request = town.word(Word.REQUEST, f"act-{number}", membership=membership, kiosk=kiosk, minute=number)
        end_word = town.word(
            last, f"act-{number}", membership=membership, kiosk=kiosk, minute=number,
            request_sequence=request.sequence,
        )  # fmt: skip
        words += [(kiosk, request), (kiosk, end_word)]
    for kiosk, word in data.draw(st.permutations([*words, *words[:2]])):
        town.tell(word, kiosk=kiosk)
    facts_told = [(f"act-{number}", who) for number, (_, who, last) in enumerate(told) if last is Word.FACT]
    acts = town.central.holdings.acts()
    assert {act for act, held in acts.items() if held == "fact"} == {act for act, _ in facts_told}
    assert {act for act, held in acts.items() if held == "cancelled"} == acts.keys() - dict(facts_told).keys()
    loans = town.loans()
    assert bool(loans) == bool(facts_told)
    assert set(town.central.holdings.loan_acts(item="C1")) == {act for act, _ in facts_told}
    for kiosk, count in ((kiosk, 2 * sum(one[0] == kiosk for one in told)) for kiosk in KIOSKS[:2]):
        assert town.central.inbox.held_through(kiosk, "log-1") == count
