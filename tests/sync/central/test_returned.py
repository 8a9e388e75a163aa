"""A double lending whose book has come back closes by itself, whatever arrives first, and then central forgets whose it was (C9)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from kiosk.domain.journal import Deed, Word
from kiosk.domain.staff import EVERYWHERE
from sync.central import tables
from sync.central.returned import close_returned

from .conftest import NOON

ALL = frozenset({EVERYWHERE})
TWICE = "lent_to_two:hers:his"


def states(town: Any) -> dict[str, tuple[str | None, str | None]]:
    """Every case that is still one, and how it was closed."""
    cases = town.central.holdings.cases(include_closed=True)
    return {one.id: (one.closed_by, one.closed_how) for one in cases if one.closed_by != "settled"}


def lent_twice(town: Any) -> None:
    town.say(Word.FACT, "hers", membership="ann", minute=1)
    town.say(Word.FACT, "his", membership="ben", minute=2, kiosk="main-2")


def test_it_closes_when_the_book_comes_back_and_says_so(town: Any) -> None:
    lent_twice(town)
    assert town.cases() == {TWICE}
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    assert (town.cases(), states(town)) == (set(), {TWICE: ("central", "book came back")})


def test_in_one_push_it_is_kept_too(town: Any) -> None:
    words = [
        town.word(Word.FACT, "hers", membership="ann", minute=1),
        town.word(Word.FACT, "his", membership="ben", minute=2),
        town.word(Word.FACT, "back", deed=Deed.RETURN, minute=3),
    ]
    town.tell(*words)
    assert states(town) == {TWICE: ("central", "book came back")}


def test_it_stays_open_while_the_book_is_out_and_when_nobody_knows_what_came_first(town: Any) -> None:
    lent_twice(town)
    town.say(Word.FACT, "renewed", deed=Deed.RENEW, membership="ben", minute=3)
    assert town.cases() == {TWICE}
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=5, kiosk="east-1", doubtful=True)
    assert TWICE in town.cases()


def test_it_opens_again_when_a_word_shows_that_the_return_was_before_both(town: Any) -> None:
    town.say(Word.FACT, "hers", membership="ann", minute=1, kiosk="main-2", sequence=8)
    town.say(Word.FACT, "his", membership="ben", minute=2, kiosk="main-2", sequence=9)
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    assert states(town) == {TWICE: ("central", "book came back")}
    # A smaller number of that log happened later by its clock, so both loans did too.
    town.say(Word.FACT, "late", deed=Deed.RENEW, membership="ben", minute=5, kiosk="main-2", sequence=7)
    assert states(town) == {TWICE: (None, None)}
    assert town.loans() == {"C1": ("his", "ben")}
    town.say(Word.FACT, "again", deed=Deed.RETURN, minute=6)
    assert states(town) == {TWICE: ("central", "book came back")}


def test_it_is_no_case_any_more_when_a_return_stood_between_the_two(town: Any) -> None:
    lent_twice(town)
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    town.say(Word.FACT, "between", deed=Deed.RETURN, minute=1.5, kiosk="east-1")
    assert (states(town), town.cases()) == ({}, set())


def test_what_a_person_closed_stays_closed_by_that_person(town: Any) -> None:
    lent_twice(town)
    town.central.worklist.done(TWICE, "在櫃檯查到", who="s-1", within=ALL)
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    assert states(town) == {TWICE: ("s-1", "在櫃檯查到")}


def test_then_central_forgets_whose_it_was(town: Any) -> None:
    lent_twice(town)
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    town.clock.go(days=91)
    done = town.central.retention.run()
    assert (done.acts, done.kept) == (2, 0)
    (case,) = town.central.holdings.cases(include_closed=True)
    assert (case.id, case.membership, case.closed_how) == (TWICE, None, "book came back")
    town.say(Word.FACT, "next", membership="dora", minute=92 * 24 * 60)
    assert states(town) == {
        TWICE: ("central", "book came back")
    }  # it did end so, although nobody knows any more whose it was


def test_cases_that_an_older_program_left_open_are_closed_before_forgetting(town: Any) -> None:
    lent_twice(town)
    town.say(Word.FACT, "back", deed=Deed.RETURN, minute=3)
    town.say(Word.FACT, "c", membership="ann", item="C2", minute=1)
    town.say(Word.FACT, "d", membership="ben", item="C2", minute=2, kiosk="main-2")
    with town.central.database.write() as connection:
        opened = {"closed_at": None, "closed_by": None, "closed_how": None}
        connection.execute(update(tables.case).where(tables.case.c.id == TWICE).values(**opened))
    assert close_returned(town.central.database, town.clock) == 1
    assert town.cases() == {"lent_to_two:c:d"}
    assert close_returned(town.central.database, town.clock) == 0


events = st.lists(
    st.tuples(
        st.sampled_from(["main-1", "main-2", "east-1"]),
        st.sampled_from([Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN]),
        st.sampled_from(["ann", "ben", "dora"]),
        st.integers(0, 40),
    ),
    min_size=2,
    max_size=9,
)


@pytest.mark.parametrize("kind", ["sqlite"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=events, data=st.data())
def test_any_order_of_arrival_ends_in_the_same_cases_open_and_closed(
    new_town: Callable[[], Any], kind: str, told: list[tuple[str, Deed, str, int]], data: st.DataObject
) -> None:
    one, other = new_town(), new_town()
    one.clock.now = NOON + timedelta(hours=2)
    words = [
        (kiosk, one.word(Word.FACT, f"act-{number}", deed=deed, membership=who, minute=minute, kiosk=kiosk))
        for number, (kiosk, deed, who, minute) in enumerate(told)
    ]
    for kiosk, word in words:
        one.tell(word, kiosk=kiosk)
    for kiosk, word in data.draw(st.permutations([*words, *words]), label="order of arrival"):
        other.tell(word, kiosk=kiosk)
    assert states(one) == states(other)
    assert one.cases() == other.cases()
    one.clock.go(days=100)
    before = states(one)
    assert close_returned(one.central.database, one.clock) == 0
    assert states(one) == before
