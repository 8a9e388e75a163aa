"""Acts name their card, so central sees when it meant somebody else by then (A1, promises 3 and 8)."""

import pytest
from sqlalchemy import select

from kiosk.domain.cases import Advice, advice
from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.values import Reason
from sync.central import tables
from sync.wire import CardEntry

from .conftest import Town

ANNS = "1A2B3C4D"


def told_id(town: Town, who: str) -> str:
    """By which the feed names this membership's card."""
    page = town.central.feed.page(None, bytes(32), "main")
    return next(one.id for one in page.entries if isinstance(one, CardEntry) and one.membership == who)


def give(town: Town, who: str, number: str = ANNS) -> None:
    with town.central.registry.change("desk") as change:
        change.bind_card(who, CardKind.EASYCARD, number, take=True)


def test_a_card_is_told_by_a_random_id_which_is_another_after_it_was_given_away(town: Town) -> None:
    before = told_id(town, "ann")
    give(town, "ben")
    after = told_id(town, "ben")
    assert len({before, after, ANNS}) == 3
    assert min(len(before), len(after)) == 20


def test_a_fact_with_a_card_given_to_somebody_else_stands_and_is_a_case_that_names_both(town: Town) -> None:
    card = told_id(town, "ann")
    town.clock.go(minutes=10)
    give(town, "ben")
    said = town.say(Word.FACT, "a1", minute=30, card=card)
    assert (said.outcome, said.reason, dict(said.details)) == (Outcome.CASE, Reason.CARD_MEANT_ANOTHER, {})
    assert town.loans()["C1"] == ("a1", "ann")
    (case,) = town.central.holdings.cases()
    assert (case.reason, case.membership, case.details) == (Reason.CARD_MEANT_ANOTHER, "ann", {"other": "ben"})
    assert advice(case.reason) is Advice.FIND_BORROWER


def test_a_fact_from_before_the_card_was_given_away_is_plain_however_late_it_arrives(town: Town) -> None:
    card = told_id(town, "ann")
    town.clock.go(minutes=10)
    give(town, "ben")
    town.clock.go(days=3)
    assert town.say(Word.FACT, "a1", minute=9, card=card).outcome is Outcome.ACCEPTED
    assert town.cases() == set()


def test_a_fact_with_a_lost_card_is_a_case(town: Town) -> None:
    card = told_id(town, "ann")
    town.clock.go(minutes=10)
    give(town, "ann", "55667788")
    said = town.say(Word.FACT, "a1", minute=30, card=card)
    assert (said.outcome, said.reason) == (Outcome.CASE, Reason.CARD_WAS_VOID)


def test_a_fact_of_a_doubtful_clock_is_a_case_when_the_card_may_have_meant_somebody_else(town: Town) -> None:
    card = told_id(town, "ann")
    town.clock.go(minutes=10)
    give(town, "ben")
    said = town.say(Word.FACT, "a1", minute=1, card=card, doubtful=True)
    assert said.reason is Reason.CARD_MEANT_ANOTHER


@pytest.mark.parametrize("deed", [Deed.CHECKOUT, Deed.RENEW, Deed.PLACE_HOLD])
def test_a_request_with_a_card_that_is_void_by_now_is_refused(town: Town, deed: Deed) -> None:
    card = told_id(town, "ann")
    town.clock.go(minutes=10)
    give(town, "ann", "55667788")
    said = town.say(Word.REQUEST, "a1", deed=deed, minute=30, card=card)
    assert (said.outcome, said.reason) == (Outcome.REFUSED, Reason.CARD_NOT_FOUND)
    assert town.loans() == {}


@pytest.mark.parametrize("card", [None, "of a central before its restore"])
def test_an_act_of_an_older_kiosk_and_one_with_a_card_that_nobody_knows_are_judged_as_ever(
    town: Town, card: str | None
) -> None:
    give(town, "ben")
    assert town.say(Word.FACT, "a1", minute=30, card=card).outcome is Outcome.ACCEPTED
    assert town.say(Word.REQUEST, "a2", item="C2", minute=31, card=card).outcome is Outcome.ACCEPTED


def test_central_keeps_no_card_with_an_act_and_a_forgotten_persons_bindings_go(town: Town) -> None:
    card = told_id(town, "ann")
    town.say(Word.FACT, "a1", minute=1, card=card)
    town.say(Word.FACT, "a2", deed=Deed.RETURN, minute=2)
    with town.central.database.read() as connection:
        kept = [
            str(row) for table in (tables.act, tables.word, tables.loan) for row in connection.execute(select(table))
        ]
    assert kept
    assert not any(card in row for row in kept)
    town.central.retention.forget("ann", who="desk")
    with town.central.database.read() as connection:
        assert connection.execute(select(tables.card).where(tables.card.c.membership == "ann")).all() == []
