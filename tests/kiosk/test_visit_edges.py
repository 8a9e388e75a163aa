"""Narrow places of a visit: several decisions in one step, answers that come after the page, names of print jobs."""

import re
from dataclasses import replace

import pytest
from fakes import ANN, EASYCARD, POLICY, SETTINGS, Kiosk, book

from kiosk.domain.identity import CodePattern, CodeType
from kiosk.domain.lending import PatronRule
from kiosk.domain.values import Reason
from kiosk.ports import (
    AnswerMissing,
    CardArrived,
    CentralReason,
    CodeRead,
    CodeTrouble,
    DeviceReason,
    Intent,
    LedgerError,
    LedgerReason,
    Link,
    LinkChanged,
    Phase,
    PrintEnded,
    PrintOutcome,
    RowState,
    SlipState,
    Started,
    Ticked,
    Touched,
)

ONLINE = LinkChanged(Link.ONLINE)
OFFLINE = LinkChanged(Link.OFFLINE, CentralReason.TOO_SLOW)
TAP = CardArrived("reader", EASYCARD)


def scan(number: int) -> CodeRead:
    return CodeRead("scanner", book(number).id)


@pytest.fixture
def kiosk() -> Kiosk:
    kiosk = Kiosk()
    kiosk.hear(Started())
    return kiosk


def test_a_label_of_several_lines_is_told_in_the_words_of_the_page(kiosk: Kiosk) -> None:
    for before, reason in (((), Reason.CODE_UNKNOWN), ((TAP,), Reason.CODE_NOT_AN_ITEM)):
        view = kiosk.hear(*before, CodeTrouble("scanner", Reason.CODE_UNKNOWN))
        assert view.message is not None
        assert view.message.reason is reason


@pytest.mark.parametrize("task", [Intent.BORROW, Intent.RETURN])
def test_a_code_that_may_be_a_card_is_a_book_where_books_are_wanted(task: Intent) -> None:
    twice = CodePattern(type=CodeType.PATRON, pattern=re.compile("[CP][0-9]+"))
    kiosk = Kiosk(replace(SETTINGS, code_patterns=(twice, *SETTINGS.code_patterns)))
    view = kiosk.hear(Started(), Touched(task), *((TAP,) if task is Intent.BORROW else ()), scan(1))
    assert [row.item for row in view.rows] == [book(1).id]


def test_a_basket_finished_offline_in_one_step_never_passes_the_quota(kiosk: Kiosk) -> None:
    kiosk.library.rules = replace(POLICY, patron_rules=(PatronRule(category="adult", quota=2),))
    kiosk.hear(ONLINE, TAP, scan(1), scan(2), scan(3), scan(4))
    view = kiosk.hear(OFFLINE, AnswerMissing(kiosk.acts.words[0].act.id, CentralReason.TOO_SLOW))
    assert [row.state for row in reversed(view.rows)] == [RowState.PROVISIONAL] * 2 + [RowState.REFUSED] * 2
    assert {row.reason for row in view.rows[:2]} == {Reason.QUOTA_REACHED}
    assert [spoken.act.item for spoken in kiosk.acts.words] == [book(1).id, book(1).id, book(2).id]


def test_a_card_without_rules_of_the_library_is_not_greeted_by_name(kiosk: Kiosk) -> None:
    kiosk.library.rules = None
    view = kiosk.hear(ONLINE, TAP)
    assert (view.phase, view.name) == (Phase.START, "")
    assert view.message is not None
    assert view.message.reason is Reason.NO_POLICY


def test_the_last_page_after_returns_waits_for_no_answer(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, Touched(Intent.RETURN), scan(1), Touched(Intent.FINISH))
    assert (view.phase, view.rows[0].state, view.provisional) == (Phase.DONE, RowState.PROVISIONAL, True)
    assert "尚待確認" in view.slip_text
    assert kiosk.hear(AnswerMissing(kiosk.acts.words[0].act.id, CentralReason.TOO_SLOW)).rows == view.rows


def test_each_print_job_of_a_visit_has_a_name_of_its_own(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, scan(1), Touched(Intent.FINISH), Touched(Intent.SLIP_PRINT))
    kiosk.hear(Touched(Intent.BORROW), scan(2), Touched(Intent.FINISH), Touched(Intent.SLIP_PRINT))
    (first, _), (second, _) = kiosk.printer.jobs
    assert first != second
    assert kiosk.hear(PrintEnded(first, PrintOutcome.FAILED, DeviceReason.PAPER_OUT)).slip is SlipState.PRINTING
    assert kiosk.hear(PrintEnded(second, PrintOutcome.PRINTED)).slip is SlipState.PRINTED


def test_a_start_on_a_full_disk_serves_nobody_before_the_past_is_settled() -> None:
    crashed = Kiosk()
    crashed.hear(Started(), ONLINE, TAP, scan(1))
    kiosk = Kiosk()
    kiosk.acts.words = crashed.acts.words
    kiosk.acts.fails = LedgerError(LedgerReason.DISK_FULL)
    view = kiosk.hear(Started(), ONLINE, TAP, Touched(Intent.END), Touched(Intent.BORROW), TAP)
    assert (view.phase, view.name) == (Phase.OUT_OF_SERVICE, "")
    kiosk.acts.fails = None
    kiosk.clock.pass_time(6)
    assert kiosk.hear(Ticked()).phase is Phase.START
    assert kiosk.acts.open_requests() == ()
    assert kiosk.hear(TAP).name == ANN.display_name
