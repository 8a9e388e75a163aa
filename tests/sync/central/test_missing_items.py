"""A missing item that is scanned is in service again where the policy says so, in any order of arrival (B7)."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from kiosk.domain.journal import Deed, Mode, Outcome, Word
from kiosk.domain.lending import ItemState, MissingItem
from kiosk.domain.values import Reason
from sync.central import tables
from sync.wire import ItemEntry, WirePatronRule

from .conftest import NOON


def allows(town: Any, rule: MissingItem = MissingItem.AVAILABLE) -> Any:
    policy = replace(
        town.central.registry.policy(),
        policy_version="missing",
        missing_item=rule,
        patron_rules=[WirePatronRule(category="*", quota=3, holds=2)],
    )
    with town.central.registry.change("test") as change:
        change.policy(policy)
    return town


def state(town: Any, item: str = "LOST") -> tuple[str, int | None]:
    own = tables.item.c
    with town.central.database.read() as connection:
        row = connection.execute(select(own.state, own.missing_since).where(own.id == item)).one()
    return row.state, row.missing_since


def told(town: Any) -> ItemState:
    """By the feed."""
    page = town.central.feed.page(None, b"k" * 32, "main")
    return next(entry.state for entry in page.entries if isinstance(entry, ItemEntry) and entry.id == "LOST")


def test_a_missing_item_that_is_returned_is_in_service_and_the_audit_says_who_saw_it(town: Any) -> None:
    allows(town)
    verdict = town.say(Word.FACT, "r", deed=Deed.RETURN, item="LOST", minute=1)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOTED, Reason.ITEM_FOUND)
    assert (state(town), told(town)) == (("in_service", None), ItemState.IN_SERVICE)
    (line,) = town.central.audit.lines(what="missing item found")
    assert (line.who, line.subject) == ("main-1", "LOST")
    assert town.say(Word.REQUEST, "c", item="LOST", minute=2).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("rule", "reason"), [(MissingItem.AVAILABLE, Reason.ITEM_FOUND), (MissingItem.TO_DESK, Reason.ITEM_MISSING)]
)
def test_a_missing_item_whose_last_loan_has_ended_is_told_as_missing_not_as_returned(
    town: Any, rule: MissingItem, reason: Reason
) -> None:
    allows(town, rule)
    town.say(Word.FACT, "c", item="C1", minute=-30)
    town.say(Word.FACT, "r", deed=Deed.RETURN, item="C1", minute=-20)
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id="C1", title="書", branch="main", state=ItemState.MISSING)])
    assert town.say(Word.FACT, "again", deed=Deed.RETURN, item="C1", minute=5).reason is reason
    assert (state(town, "C1")[0] == ItemState.MISSING) is (rule is MissingItem.TO_DESK)


def test_a_missing_item_that_goes_to_the_desk_stays_missing(town: Any) -> None:
    allows(town, MissingItem.TO_DESK)
    assert town.say(Word.FACT, "r", deed=Deed.RETURN, item="LOST", minute=1).reason is Reason.ITEM_MISSING
    assert state(town)[0] == told(town) == ItemState.MISSING
    assert town.say(Word.REQUEST, "c", item="LOST", minute=2).reason is Reason.ITEM_MISSING


def test_whoever_saw_it_before_it_was_recorded_as_missing_has_not_found_it(town: Any) -> None:
    allows(town)
    late = town.say(Word.FACT, "r", deed=Deed.RETURN, item="LOST", minute=-1)
    assert late.reason is Reason.ITEM_MISSING
    assert state(town)[0] == ItemState.MISSING


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_of_arrival_ends_in_the_same_state_and_the_same_cases(town: Any, order: tuple[int, ...]) -> None:
    allows(town)
    kiosks = ("main-1", "main-2", "main-3")
    words = [
        town.word(Word.FACT, "back", deed=Deed.RETURN, item="LOST", minute=1, kiosk="main-1"),
        town.word(Word.FACT, "lent", item="LOST", minute=2, kiosk="main-2"),
        town.word(Word.FACT, "again", deed=Deed.RETURN, item="LOST", minute=3, kiosk="main-3"),
    ]
    for place in order:
        town.tell(words[place], kiosk=kiosks[place])
    assert (state(town), town.cases(), town.loans()) == (("in_service", None), set(), {})


def test_a_found_copy_serves_who_waits_for_the_work(town: Any) -> None:
    allows(town)
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=item, title="書", branch="main", work="w") for item in ("W1",)])
        change.items([ItemEntry(id="LOST", title="書", branch="main", work="w", state=ItemState.MISSING)])
    town.say(Word.REQUEST, "c", item="W1", membership="ben")
    assert town.central.holds.place(membership="ann", item="W1", branch="main").outcome.stands
    word = town.word(Word.FACT, "r", deed=Deed.RETURN, item="LOST", minute=5)
    town.clock.now = NOON + timedelta(minutes=5)
    (verdict,) = town.tell(replace(word, mode=Mode.ONLINE))
    assert verdict.reason is Reason.HOLD_HERE
    assert state(town)[0] == ItemState.IN_SERVICE


def test_an_import_says_anew_since_when_an_item_is_missing(town: Any) -> None:
    before = state(town)
    assert before[1] is not None
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id="LOST", title="遺失", branch="main")])
    assert state(town) == ("in_service", None)
