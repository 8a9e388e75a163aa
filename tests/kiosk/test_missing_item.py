"""A missing book at a kiosk, offline too: in service again, or to the desk, by policy (B7)."""

from dataclasses import replace

import pytest
from fakes import EASYCARD, POLICY, Kiosk, book

from kiosk.domain.lending import ItemState, MissingItem
from kiosk.domain.values import BranchId, Reason
from kiosk.ports import CardArrived, CodeRead, Intent, RowState, Started, Touched

LOST = book(1, state=ItemState.MISSING)
SCAN = CodeRead("scanner", LOST.id)


def kiosk(rule: MissingItem, **changes: object) -> Kiosk:
    built = Kiosk()
    built.library.rules = replace(POLICY, missing_item=rule)
    built.library.items[LOST.id] = replace(LOST, **changes)  # type: ignore[arg-type]
    built.hear(Started())
    return built


@pytest.mark.parametrize(
    ("rule", "reason"), [(MissingItem.AVAILABLE, Reason.ITEM_FOUND), (MissingItem.TO_DESK, Reason.ITEM_MISSING)]
)
def test_the_return_of_a_missing_book_says_where_it_goes(rule: MissingItem, reason: Reason) -> None:
    view = kiosk(rule).hear(Touched(Intent.RETURN), SCAN)
    assert (view.rows[0].state, view.rows[0].reason) == (RowState.PROVISIONAL, reason)


def test_a_found_book_of_another_branch_goes_home() -> None:
    view = kiosk(MissingItem.AVAILABLE, branch=BranchId("east")).hear(Touched(Intent.RETURN), SCAN)
    assert view.rows[0].reason is Reason.GOES_TO_BRANCH


@pytest.mark.parametrize(
    ("rule", "state"), [(MissingItem.AVAILABLE, RowState.PROVISIONAL), (MissingItem.TO_DESK, RowState.REFUSED)]
)
def test_a_found_book_can_be_borrowed_where_it_need_not_go_to_the_desk(rule: MissingItem, state: RowState) -> None:
    view = kiosk(rule).hear(CardArrived("reader", EASYCARD), SCAN)
    assert view.rows[0].state is state
