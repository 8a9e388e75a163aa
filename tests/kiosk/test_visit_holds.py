"""Holds during a visit: reserving a lent book, my account with what is ready and waiting, and where a returned book goes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import ANN, BOB, BRANCH, EASYCARD, NOON, POLICY, Kiosk, book

from kiosk.domain.holds import Hold, HoldState
from kiosk.domain.journal import Deed, Outcome, Verdict, Word
from kiosk.domain.lending import Loan, PatronRule
from kiosk.domain.values import ActId, BranchId, Reason
from kiosk.ports import (
    AnswerMissing,
    CardArrived,
    CentralReason,
    CodeRead,
    Intent,
    Link,
    LinkChanged,
    Phase,
    RowState,
    Started,
    Touched,
    VerdictCame,
    View,
)

ONLINE = LinkChanged(Link.ONLINE)
OFFLINE = LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)
TAP = CardArrived("reader", EASYCARD)
UNTIL = NOON + timedelta(days=5)
EAST = BranchId("east")


def scan(number: int) -> CodeRead:
    return CodeRead("scanner", book(number).id)


def hold(number: int, who: str = ANN.id, item: int = 1, **changes: object) -> Hold:
    values: dict[str, object] = {
        "id": ActId(f"h{number}"),
        "membership": who,
        "asked": book(item).id,
        "branch": BRANCH,
        "placed_at": NOON + timedelta(minutes=number),
    }
    return Hold(**{**values, **changes})  # type: ignore[arg-type]


def said(
    kiosk: Kiosk, outcome: Outcome = Outcome.ACCEPTED, reason: Reason | None = None, **more: object
) -> VerdictCame:
    """Central's answer to the newest word."""
    spoken = kiosk.acts.words[-1]
    return VerdictCame(
        Verdict(
            act_id=spoken.act.id, word=spoken.word, outcome=outcome, reason=reason, epoch="e1", position=7,
            **more,  # type: ignore[arg-type]
        )
    )  # fmt: skip


@pytest.fixture
def kiosk() -> Kiosk:
    """Bob has the first book; holds are offered."""
    kiosk = Kiosk()
    kiosk.library.rules = replace(POLICY, patron_rules=(PatronRule(category="adult", quota=3, holds=2),))
    kiosk.library.loans[book(1).id] = Loan(
        act_id=ActId("l1"), membership=BOB.id, item=book(1).id, lent_at=NOON, due_at=UNTIL
    )
    kiosk.hear(Started())
    return kiosk


# --- reserving ----------------------------------------------------------------------------------------------------


def refused(kiosk: Kiosk) -> View:
    kiosk.hear(ONLINE, TAP, scan(1))
    return kiosk.hear(said(kiosk, Outcome.REFUSED, Reason.ITEM_ON_LOAN))


def test_a_lent_book_is_reserved_by_one_touch_and_told_with_its_place(kiosk: Kiosk) -> None:
    view = refused(kiosk)
    assert view.message is not None
    assert view.message.reserve == book(1).id
    view = kiosk.hear(Touched(Intent.RESERVE, book(1).id))
    asked = kiosk.acts.words[-1]
    assert (asked.word, asked.act.deed, asked.act.membership, asked.act.branch) == (
        Word.REQUEST, Deed.PLACE_HOLD, ANN.id, BRANCH,
    )  # fmt: skip
    assert (view.message, view.rows[0].state) == (None, RowState.WORKING)
    view = kiosk.hear(said(kiosk, Outcome.NOTED, Reason.HOLD_PLACED, details={"ahead": 1, "branch": "main"}))
    assert view.message is not None
    assert (view.message.reason, view.message.stop) == (Reason.HOLD_PLACED, False)
    assert view.message.details == {"ahead": 1, "branch": "總館"}
    assert view.rows[0].state is RowState.HOLD_WAITING
    assert kiosk.hear(scan(1)).message.reason is Reason.HOLD_ALREADY  # type: ignore[union-attr]


def test_a_basket_with_nothing_but_a_reserved_book_has_no_slip(kiosk: Kiosk) -> None:
    refused(kiosk)
    kiosk.hear(Touched(Intent.RESERVE, book(1).id))
    kiosk.hear(said(kiosk, Outcome.NOTED, Reason.HOLD_PLACED, details={"ahead": 0, "branch": "main"}))
    assert kiosk.hear(Touched(Intent.FINISH)).phase is Phase.START


def test_reserving_without_an_answer_is_withdrawn_and_said(kiosk: Kiosk) -> None:
    refused(kiosk)
    kiosk.hear(Touched(Intent.RESERVE, book(1).id))
    act = kiosk.acts.words[-1].act
    view = kiosk.hear(AnswerMissing(act.id, CentralReason.TOO_SLOW))
    assert (kiosk.acts.words[-1].word, kiosk.acts.words[-1].act.id) == (Word.WITHDRAWAL, act.id)
    assert view.message is not None
    assert view.message.reason is Reason.HOLD_NEEDS_CENTRAL


@pytest.mark.parametrize("why", ["offline", "policy", "suspended", "waits already", "limit"])
def test_nothing_is_offered_that_central_would_refuse(kiosk: Kiosk, why: str) -> None:
    match why:
        case "policy":
            kiosk.library.rules = POLICY
        case "suspended":
            kiosk.library.memberships[ANN.id] = replace(ANN, holds_suspended_until=NOON.date())
        case "waits already":
            kiosk.library.reserved = [hold(1)]
        case "limit":
            kiosk.library.reserved = [hold(1, item=2), hold(2, item=3)]
        case "offline":
            pass
    view = kiosk.hear(OFFLINE, TAP, scan(1)) if why == "offline" else refused(kiosk)
    assert view.message is not None
    assert (view.message.reason, view.message.reserve) == (Reason.ITEM_ON_LOAN, None)


def test_a_book_that_was_not_offered_cannot_be_reserved(kiosk: Kiosk) -> None:
    refused(kiosk)
    words = len(kiosk.acts.words)
    kiosk.hear(Touched(Intent.RESERVE, book(2).id), Touched(Intent.DISMISS), Touched(Intent.RESERVE, book(1).id))
    assert len(kiosk.acts.words) == words


# --- my account ---------------------------------------------------------------------------------------------------


def account(kiosk: Kiosk) -> View:
    return kiosk.hear(ONLINE, Touched(Intent.ACCOUNT), TAP)


def test_my_account_shows_what_is_ready_and_the_place_in_the_queue(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [
        hold(1, BOB.id, item=2),
        hold(2, item=2),
        hold(3, item=3, state=HoldState.READY, ready_until=UNTIL),
        hold(4, item=4, branch=EAST, state=HoldState.ON_THE_WAY),
    ]
    kiosk.library.loans[book(5).id] = Loan(
        act_id=ActId("l5"), membership=ANN.id, item=book(5).id, lent_at=NOON, due_at=UNTIL
    )
    rows = account(kiosk).rows
    assert [(row.state, row.hold, row.place, row.branch) for row in rows] == [
        (RowState.HOLD_READY, "h3", None, "總館"),
        (RowState.DONE, None, None, ""),
        (RowState.HOLD_WAITING, "h2", 2, "總館"),
        (RowState.HOLD_COMING, "h4", None, "east"),
    ]
    assert rows[0].due_at == UNTIL
    slip = kiosk.hear(Touched(Intent.FINISH)).slip_text
    assert "冊數 1" in slip
    assert "請到總館取書，保留到 2026-11-25（三）" in slip
    assert "第 2 順位，在總館取書" in slip


def test_the_first_day_for_reserving_is_shown_apart(kiosk: Kiosk) -> None:
    kiosk.library.memberships[ANN.id] = replace(ANN, holds_suspended_until=NOON.date())
    view = account(kiosk)
    assert view.blocked is None
    assert view.holds_blocked is not None
    assert view.holds_blocked.details == {"date": "2026-11-21"}


def test_a_hold_is_cancelled_by_two_touches(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1, item=2)]
    account(kiosk)
    view = kiosk.hear(Touched(Intent.CANCEL_HOLD, "h1"))
    assert view.rows[0].confirm
    assert kiosk.acts.words == []
    view = kiosk.hear(Touched(Intent.CANCEL_HOLD, "h1"))
    asked = kiosk.acts.words[-1]
    assert (asked.word, asked.act.deed, asked.act.hold) == (Word.REQUEST, Deed.CANCEL_HOLD, "h1")
    assert view.rows[0].state is RowState.WORKING
    view = kiosk.hear(said(kiosk))
    assert view.rows == ()
    assert view.message is not None
    assert view.message.reason is Reason.HOLD_CANCELLED


def test_cancelling_needs_central_and_without_its_answer_nothing_is_cancelled(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1, item=2)]
    account(kiosk)
    kiosk.hear(Touched(Intent.CANCEL_HOLD, "h1"), Touched(Intent.CANCEL_HOLD, "h1"))
    view = kiosk.hear(AnswerMissing(kiosk.acts.words[-1].act.id, CentralReason.TOO_SLOW))
    assert kiosk.acts.words[-1].word is Word.WITHDRAWAL
    assert [row.hold for row in view.rows] == ["h1"]
    assert view.message is not None
    assert view.message.reason is Reason.HOLD_NEEDS_CENTRAL
    words = len(kiosk.acts.words)
    view = kiosk.hear(OFFLINE, Touched(Intent.CANCEL_HOLD, "h1"))
    assert len(kiosk.acts.words) == words


def test_a_loan_for_which_others_wait_shows_no_renew_button(kiosk: Kiosk) -> None:
    kiosk.library.loans[book(1).id] = replace(kiosk.library.loans[book(1).id], membership=ANN.id)
    assert [row.can_renew for row in account(kiosk).rows] == [True]
    kiosk.library.reserved = [hold(1, BOB.id)]
    kiosk.hear(Touched(Intent.END))
    assert [row.can_renew for row in account(kiosk).rows] == [False]


# --- returning ----------------------------------------------------------------------------------------------------


def test_online_central_says_where_a_returned_book_goes(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1)]
    kiosk.hear(ONLINE, Touched(Intent.RETURN), scan(1))
    assert kiosk.acts.words[-1].act.hold is None
    view = kiosk.hear(said(kiosk, Outcome.NOTED, Reason.HOLD_AT_BRANCH, details={"branch": "main"}, hold=ActId("h1")))
    assert (view.rows[0].reason, view.rows[0].details) == (Reason.HOLD_AT_BRANCH, {"branch": "總館"})


def test_offline_the_kiosk_sets_it_aside_and_its_fact_says_so(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1)]
    view = kiosk.hear(OFFLINE, Touched(Intent.RETURN), scan(1))
    act = kiosk.acts.words[-1].act
    assert (act.deed, act.hold, act.membership) == (Deed.RETURN, "h1", None)
    assert act.due_at is not None
    assert (view.rows[0].reason, view.rows[0].details) == (Reason.HOLD_HERE, {"date": "2026-11-28"})  # not the Monday
    view = kiosk.hear(Touched(Intent.FINISH))
    assert "預約書架" in view.slip_text


def test_offline_a_book_reserved_elsewhere_is_sent_there(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1, branch=EAST)]
    view = kiosk.hear(OFFLINE, Touched(Intent.RETURN), scan(1))
    assert (kiosk.acts.words[-1].act.hold, kiosk.acts.words[-1].act.due_at) == ("h1", None)
    assert (view.rows[0].reason, view.rows[0].details) == (Reason.HOLD_AT_BRANCH, {"branch": "east"})


def test_a_book_of_another_branch_goes_home(kiosk: Kiosk) -> None:
    kiosk.library.items[book(1).id] = book(1, branch=EAST)
    view = kiosk.hear(OFFLINE, Touched(Intent.RETURN), scan(1))
    assert (view.rows[0].reason, view.rows[0].details) == (Reason.GOES_TO_BRANCH, {"branch": "east"})


def test_without_an_answer_a_book_that_somebody_waits_for_goes_to_the_desk(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1)]
    kiosk.hear(ONLINE, Touched(Intent.RETURN), scan(1))
    view = kiosk.hear(AnswerMissing(kiosk.acts.words[-1].act.id, CentralReason.TOO_SLOW))
    assert (view.rows[0].state, view.rows[0].reason) == (RowState.PROVISIONAL, Reason.HOLD_ASK_DESK)


def test_a_kiosk_that_knows_too_little_sets_nothing_aside(kiosk: Kiosk) -> None:
    kiosk.library.reserved = [hold(1)]
    kiosk.library.known_for = timedelta(days=30)
    view = kiosk.hear(OFFLINE, Touched(Intent.RETURN), scan(1))
    assert kiosk.acts.words[-1].act.hold is None
    assert view.rows[0].reason is Reason.HOLD_ASK_DESK
