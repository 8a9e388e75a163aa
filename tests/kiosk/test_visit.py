"""A visit as the patron lives it, on the station with fakes: what is recorded, asked and shown, in that order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fakes import ANN, EASYCARD, NOON, POLICY, Kiosk, book

from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Outcome, Verdict, Word
from kiosk.domain.lending import Loan, Standing
from kiosk.domain.values import ActId, Reason
from kiosk.ports import (
    AnswerMissing,
    CardArrived,
    CardLeft,
    CardTrouble,
    CentralReason,
    CodeRead,
    DeviceReason,
    Event,
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
    Sound,
    Started,
    Ticked,
    Touched,
    VerdictCame,
    View,
)
from kiosk.slip import Line
from kiosk.words import Language

ONLINE = LinkChanged(Link.ONLINE)
OFFLINE = LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)
TAP = CardArrived("reader", EASYCARD)


def scan(number: int) -> CodeRead:
    return CodeRead("scanner", book(number).id)


def touch(intent: Intent, argument: str = "") -> Touched:
    return Touched(intent, argument)


def verdict(kiosk: Kiosk, outcome: Outcome = Outcome.ACCEPTED, reason: Reason | None = None) -> VerdictCame:
    spoken = kiosk.acts.words[-1]
    return VerdictCame(
        Verdict(
            act_id=spoken.act.id,
            word=spoken.word,
            outcome=outcome,
            reason=reason,
            due_at=spoken.act.due_at if outcome.stands else None,
            epoch="e1",
            position=7,
        )
    )


@pytest.fixture
def kiosk() -> Kiosk:
    kiosk = Kiosk()
    kiosk.hear(Started())
    return kiosk


def test_a_tapped_card_opens_the_basket(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, TAP)
    assert (view.phase, view.name, view.quota_left) == (Phase.BORROW, "王○", 3)


def test_online_the_request_is_on_disk_before_it_is_asked_and_nothing_is_green_before_the_verdict(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, TAP, scan(1))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.REQUEST]
    assert kiosk.asker.asked == [kiosk.acts.words[0].act.id]
    assert view.rows[0].state is RowState.WORKING
    view = kiosk.hear(verdict(kiosk))
    assert view.rows[0].state is RowState.DONE
    assert view.rows[0].due_at is not None
    assert len(kiosk.acts.verdicts) == 1


def test_a_refusal_by_central_is_told_with_the_book(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, scan(1))
    view = kiosk.hear(verdict(kiosk, Outcome.REFUSED, Reason.ITEM_RESERVED))
    assert view.rows[0].state is RowState.REFUSED
    assert view.message is not None
    assert view.message.reason is Reason.ITEM_RESERVED


def test_without_an_answer_the_replica_decides_for_a_fact(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, scan(1))
    asked = kiosk.acts.words[0].act
    view = kiosk.hear(OFFLINE, AnswerMissing(asked.id, CentralReason.TOO_SLOW))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.REQUEST, Word.FACT]
    assert kiosk.acts.words[1].act.id == asked.id
    assert view.rows[0].state is RowState.PROVISIONAL
    assert view.provisional


def test_without_an_answer_the_replica_decides_for_a_withdrawal(kiosk: Kiosk) -> None:
    kiosk.library.items[book(1).id] = book(1, desk_only=True)
    kiosk.hear(ONLINE, TAP, scan(1))
    view = kiosk.hear(OFFLINE, AnswerMissing(kiosk.acts.words[0].act.id, CentralReason.TOO_SLOW))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.REQUEST, Word.WITHDRAWAL]
    assert view.rows[0].reason is Reason.ITEM_DESK_ONLY


def test_offline_a_loan_is_one_fact_and_said_to_be_provisional(kiosk: Kiosk) -> None:
    view = kiosk.hear(OFFLINE, TAP, scan(1))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.FACT]
    assert kiosk.asker.asked == []
    assert view.rows[0].state is RowState.PROVISIONAL


def test_books_scanned_while_central_is_asked_follow_one_by_one(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, TAP, scan(1), scan(2), scan(2), scan(3))
    assert len(kiosk.acts.words) == 1
    assert [row.state for row in view.rows] == [RowState.WORKING] * 3
    for _ in range(3):
        view = kiosk.hear(verdict(kiosk))
    assert [row.state for row in view.rows] == [RowState.DONE] * 3
    assert [spoken.act.item for spoken in kiosk.acts.words] == [book(n).id for n in (1, 2, 3)]


def test_losing_central_in_the_middle_of_a_basket_finishes_it_offline(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, scan(1), scan(2), scan(3))
    view = kiosk.hear(OFFLINE, AnswerMissing(kiosk.acts.words[0].act.id, CentralReason.TOO_SLOW))
    assert [row.state for row in view.rows] == [RowState.PROVISIONAL] * 3
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.REQUEST, Word.FACT, Word.FACT, Word.FACT]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"known_for": None}, Reason.REPLICA_EMPTY),
        ({"known_for": timedelta(days=8)}, Reason.REPLICA_TOO_OLD),
        ({"known_for": timedelta(minutes=-5)}, Reason.CLOCK_DOUBTFUL),
    ],
)
def test_offline_a_kiosk_that_knows_too_little_does_not_lend(kiosk: Kiosk, change: dict, reason: Reason) -> None:  # type: ignore[type-arg]
    kiosk.hear(OFFLINE, TAP)
    for name, value in change.items():
        setattr(kiosk.library, name, value)
    view = kiosk.hear(scan(1))
    assert kiosk.acts.words == []
    assert view.rows[0].reason is reason


def test_while_the_first_knowledge_comes_the_patron_is_told_how_far_it_is(kiosk: Kiosk) -> None:
    kiosk.library.known_for, kiosk.library.percent, kiosk.library.cards = None, 37, {}
    message = kiosk.hear(ONLINE, TAP).message
    assert message is not None
    assert (message.reason, message.details) == (Reason.REPLICA_FILLING, {"percent": 37})


def test_the_start_page_says_before_any_card_that_only_returns_work_yet(kiosk: Kiosk) -> None:
    kiosk.library.known_for, kiosk.library.percent = None, 37
    told = [kiosk.hear(ONLINE).unready, kiosk.hear(touch(Intent.BORROW)).unready]
    kiosk.library.percent = None
    told.append(kiosk.hear(Ticked()).unready)
    assert [(said.reason, dict(said.details)) for said in told if said is not None] == [
        (Reason.REPLICA_FILLING, {"percent": 37}),
        (Reason.REPLICA_FILLING, {"percent": 37}),
        (Reason.REPLICA_EMPTY, {}),
    ]
    kiosk.library.known_for = timedelta(days=8)
    assert kiosk.hear(Ticked()).unready is None


def test_a_clock_that_jumps_stops_offline_lending_but_not_returns(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP)
    kiosk.clock.wall = NOON.replace(year=2027)
    assert kiosk.hear(scan(1)).rows[0].reason is Reason.CLOCK_DOUBTFUL
    kiosk.hear(touch(Intent.END), touch(Intent.RETURN), scan(2))
    assert [spoken.act.item for spoken in kiosk.acts.words] == [book(2).id]


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (None, Reason.CLOCK_DOUBTFUL),
        (NOON + timedelta(hours=1), Reason.CLOCK_DOUBTFUL),
        (NOON - POLICY.replica_max_age - timedelta(days=1), Reason.REPLICA_TOO_OLD),
        (NOON - timedelta(hours=1), None),
    ],
)
def test_knowledge_that_came_while_the_clock_was_ahead_is_as_old_as_central_says(
    kiosk: Kiosk, heard: datetime | None, reason: Reason | None
) -> None:
    kiosk.library.known_for, kiosk.library.heard = -timedelta(days=3), heard
    assert kiosk.hear(OFFLINE, TAP, scan(1)).rows[0].reason is reason


@pytest.mark.parametrize("lost", ["holder", "open_loans"])
def test_offline_nothing_is_lent_on_knowledge_that_cannot_be_read(kiosk: Kiosk, lost: str) -> None:
    kiosk.hear(OFFLINE, TAP)
    kiosk.library.damaged = {lost}
    assert kiosk.hear(scan(1)).rows[0].reason is Reason.REPLICA_DAMAGED
    assert kiosk.acts.words == []
    kiosk.library.damaged = set()
    assert kiosk.hear(touch(Intent.DISMISS), scan(2)).rows[0].state is RowState.PROVISIONAL


def test_online_central_decides_what_the_kiosk_cannot_read(kiosk: Kiosk) -> None:
    kiosk.library.damaged = {"holder", "open_loans"}
    view = kiosk.hear(ONLINE, TAP, scan(1))
    assert view.rows[0].state is RowState.WORKING
    assert [(spoken.word, spoken.act.due_at) for spoken in kiosk.acts.words] == [(Word.REQUEST, None)]


def test_a_card_on_a_damaged_page_is_not_called_unknown(kiosk: Kiosk) -> None:
    kiosk.library.damaged = {"card"}
    for _ in range(9):
        view = kiosk.hear(OFFLINE, TAP)
        assert view.message is not None
        assert view.message.reason is Reason.REPLICA_DAMAGED


def test_an_account_of_which_a_part_cannot_be_read_says_so(kiosk: Kiosk) -> None:
    kiosk.library.damaged = {"open_loans"}
    view = kiosk.hear(OFFLINE, touch(Intent.ACCOUNT), TAP)
    assert view.phase is Phase.ACCOUNT
    assert view.message is not None
    assert view.message.reason is Reason.REPLICA_DAMAGED


def test_a_return_whose_holds_cannot_be_read_goes_to_the_desk(kiosk: Kiosk) -> None:
    kiosk.library.damaged = {"holds_on"}
    row = kiosk.hear(OFFLINE, touch(Intent.RETURN), scan(1)).rows[0]
    assert (row.state, row.reason) == (RowState.PROVISIONAL, Reason.HOLD_ASK_DESK)
    assert kiosk.acts.words[0].act.hold is None


def test_a_clock_put_right_while_online_is_believed_once_central_has_answered_after_that(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE)
    kiosk.asker.heard = kiosk.clock.monotonic()
    kiosk.clock.pass_time(1)
    kiosk.clock.wall += timedelta(minutes=2)
    kiosk.hear(Ticked(), OFFLINE, TAP)
    assert kiosk.hear(scan(1)).rows[0].reason is Reason.CLOCK_DOUBTFUL
    kiosk.clock.pass_time(5)
    kiosk.asker.heard = kiosk.clock.monotonic()
    assert kiosk.hear(scan(2)).rows[0].state is RowState.PROVISIONAL


def test_central_that_came_back_with_an_answer_from_before_the_jump_confirms_nothing(kiosk: Kiosk) -> None:
    kiosk.asker.heard = kiosk.clock.monotonic()
    kiosk.clock.pass_time(1)
    kiosk.clock.wall += timedelta(minutes=2)
    kiosk.hear(ONLINE, OFFLINE, TAP)
    assert kiosk.hear(scan(1)).rows[0].reason is Reason.CLOCK_DOUBTFUL


def test_a_blocked_patron_sees_why_and_the_account(kiosk: Kiosk) -> None:
    kiosk.library.memberships[ANN.id] = replace(ANN, standing=Standing.BLOCKED)
    view = kiosk.hear(ONLINE, TAP)
    assert view.phase is Phase.ACCOUNT
    assert view.message is not None
    assert view.message.reason is Reason.MEMBERSHIP_BLOCKED


@pytest.mark.parametrize(
    ("uid", "reason"),
    [
        ("08112233", Reason.CARD_RANDOM),
        ("88112233", Reason.CARD_INCOMPLETE),
        ("00000000", Reason.CARD_TEST_NUMBER),
        ("FFFFFFFFFFFFFF", Reason.CARD_TEST_NUMBER),
        ("11223344", Reason.CARD_NOT_FOUND),
        ("0411223344556677", Reason.CARD_NO_RULE),
        ("0102", Reason.CARD_UNREADABLE),
    ],
)
def test_a_card_that_is_nobody_is_told_kindly_and_opens_nothing(kiosk: Kiosk, uid: str, reason: Reason) -> None:
    view = kiosk.hear(ONLINE, CardArrived("reader", CardRead(bytes.fromhex(uid), Technology.ISO14443A)))
    assert view.phase is Phase.START
    assert view.message is not None
    assert view.message.reason is reason


def test_a_uid_printed_as_a_barcode_opens_nothing(kiosk: Kiosk) -> None:
    kiosk.library.cards["P7654321"] = kiosk.library.cards["93A131C0"]
    view = kiosk.hear(ONLINE, CodeRead("scanner", "P7654321"))
    assert view.phase is Phase.START
    assert view.message is not None
    assert view.message.reason is Reason.CARD_NOT_FOUND


def test_many_unknown_cards_in_a_row_pause_the_look_up(kiosk: Kiosk) -> None:
    stranger = CardArrived("reader", CardRead(bytes.fromhex("11223344"), Technology.ISO14443A))
    view = kiosk.hear(ONLINE, *[stranger] * 5)
    assert view.message is not None
    assert view.message.reason is Reason.CARD_REPEATED_UNKNOWN
    assert kiosk.hear(TAP).phase is Phase.START
    kiosk.clock.pass_time(31)
    assert kiosk.hear(TAP).phase is Phase.BORROW


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9789571234564", Reason.CODE_IS_ISBN),
        ("/ABC+123", Reason.CODE_IS_INVOICE_CARRIER),
        ("P1234567", Reason.CODE_IS_PATRON),
        ("V0000001", Reason.CODE_IS_VOUCHER),
        ("E0000001", Reason.CODE_IS_EVENT),
        ("NTUT-1-20131107112900", Reason.CODE_IS_VIRTUAL_CARD),
        ("hello", Reason.CODE_NOT_AN_ITEM),
    ],
)
def test_a_code_that_is_no_item_says_what_to_scan(kiosk: Kiosk, text: str, reason: Reason) -> None:
    view = kiosk.hear(ONLINE, TAP, CodeRead("scanner", text))
    assert view.message is not None
    assert (view.message.reason, view.message.stop) == (reason, False)
    assert view.rows == ()


@pytest.mark.parametrize("page", [(), (touch(Intent.BORROW),), (touch(Intent.ACCOUNT),)])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9789571234564", Reason.CODE_IS_ISBN),
        ("/ABC+123", Reason.CODE_IS_INVOICE_CARRIER),
        ("V0000001", Reason.CODE_IS_VOUCHER),
        ("E0000001", Reason.CODE_IS_EVENT),
        ("NTUT-1-20131107112900", Reason.CODE_IS_VIRTUAL_CARD),
        ("https://example.org/x", Reason.CODE_UNKNOWN),
    ],
)
def test_a_code_that_is_no_card_says_what_to_scan_and_is_no_unknown_card(
    kiosk: Kiosk, page: tuple[Touched, ...], text: str, reason: Reason
) -> None:
    view = kiosk.hear(ONLINE, *page, *[CodeRead("scanner", text)] * 6)
    assert view.message is not None
    assert (view.message.reason, view.message.stop, view.name) == (reason, False, "")
    assert kiosk.hear(TAP).name == "王○"


@pytest.mark.parametrize(("text", "reason"), [("V0000001", Reason.CODE_IS_VOUCHER), ("hello", Reason.CODE_NOT_AN_ITEM)])
def test_a_code_that_is_no_item_is_not_taken_back(kiosk: Kiosk, text: str, reason: Reason) -> None:
    view = kiosk.hear(ONLINE, touch(Intent.RETURN), CodeRead("scanner", text))
    assert view.message is not None
    assert (view.message.reason, view.rows, kiosk.acts.words) == (reason, (), [])


def test_a_return_is_a_fact_even_online_and_survives_silence(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, touch(Intent.RETURN), scan(1))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.FACT]
    assert view.rows[0].state is RowState.WORKING
    view = kiosk.hear(AnswerMissing(kiosk.acts.words[0].act.id, CentralReason.TOO_SLOW))
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.FACT]
    assert view.rows[0].state is RowState.PROVISIONAL


def test_an_answer_after_the_visit_still_reaches_the_disk(kiosk: Kiosk) -> None:
    late = Verdict(act_id=ActId("x"), word=Word.FACT, outcome=Outcome.ACCEPTED, epoch="e1", position=1)
    kiosk.hear(ONLINE, VerdictCame(late))
    assert kiosk.acts.verdicts == [late]


def test_the_slip_masks_the_name_and_says_not_yet_confirmed(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, scan(1), touch(Intent.FINISH))
    view = kiosk.hear(touch(Intent.SLIP_PRINT))
    assert view.slip is SlipState.PRINTING
    job, slip = kiosk.printer.jobs[0]
    text = slip.plain_text()
    assert "王○" in text
    assert "尚待確認" in text
    view = kiosk.hear(PrintEnded(job, PrintOutcome.PRINTED))
    assert view.slip is SlipState.PRINTED


def test_a_slip_that_only_a_queue_took_is_not_called_printed(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, scan(1), touch(Intent.FINISH), touch(Intent.SLIP_PRINT))
    job, _ = kiosk.printer.jobs[0]
    assert kiosk.hear(PrintEnded(job, PrintOutcome.SPOOLED)).slip is SlipState.SPOOLED
    assert kiosk.hear(touch(Intent.SLIP_QR)).slip is SlipState.QR


def test_a_failed_print_keeps_the_loan_and_a_second_one_is_marked(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, scan(1), touch(Intent.FINISH), touch(Intent.SLIP_PRINT))
    job, _ = kiosk.printer.jobs[0]
    view = kiosk.hear(PrintEnded(job, PrintOutcome.FAILED, DeviceReason.PAPER_OUT))
    assert (view.slip, view.slip_reason) == (SlipState.FAILED, DeviceReason.PAPER_OUT)
    kiosk.hear(touch(Intent.PRINT_AGAIN))
    assert len(kiosk.acts.words) == 1
    assert any(isinstance(block, Line) and "補印" in block.text for block in kiosk.printer.jobs[1][1].blocks)


def test_nothing_of_the_last_patron_stays(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, scan(1), touch(Intent.LANGUAGE, "en"))
    kiosk.hear(verdict(kiosk), touch(Intent.LARGE_TEXT), touch(Intent.END))
    view = kiosk.screen.view
    assert (view.phase, view.name, view.rows, view.language, view.large_text) == (
        Phase.START,
        "",
        (),
        Language.ZH_TW,
        False,
    )


def test_idleness_ends_a_visit_after_a_visible_countdown_and_a_touch_extends_it(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, CardLeft("reader"))
    kiosk.clock.pass_time(45)
    assert kiosk.hear(Ticked()).countdown_s == 15
    assert kiosk.hear(touch(Intent.STAY)).countdown_s is None
    kiosk.clock.pass_time(61)
    assert kiosk.hear(Ticked()).phase is Phase.START


def test_a_forgotten_card_is_called_out(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP)
    kiosk.clock.pass_time(61)
    assert calls_out(kiosk.hear(Ticked()))
    assert kiosk.hear(CardLeft("reader")).message is None


def calls_out(view: View) -> bool:
    return view.message is not None and view.message.reason is Reason.CARD_LEFT_BEHIND


@pytest.mark.parametrize(
    "way",
    [
        (touch(Intent.END),),
        (touch(Intent.ACCOUNT), touch(Intent.END)),
        (scan(1), touch(Intent.FINISH), touch(Intent.SLIP_NONE)),
        (touch(Intent.FINISH),),
    ],
)
def test_a_card_left_behind_is_called_out_however_the_visit_ends(kiosk: Kiosk, way: tuple[Event, ...]) -> None:
    view = kiosk.hear(OFFLINE, TAP, *way)
    assert (view.phase, calls_out(view), kiosk.screen.sounds[-1]) == (Phase.START, True, Sound.ATTENTION)
    assert kiosk.hear(CardLeft("reader")).message is None


def test_a_lifted_card_is_not_called_out(kiosk: Kiosk) -> None:
    assert kiosk.hear(OFFLINE, TAP, CardLeft("reader"), touch(Intent.END)).message is None
    early = CardTrouble("reader", Reason.CARD_TAKEN_EARLY)
    assert kiosk.hear(early, touch(Intent.RETURN), touch(Intent.END)).message is None


def test_a_card_left_behind_is_called_out_for_as_long_as_it_lies_there(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, touch(Intent.END))
    kiosk.clock.pass_time(600)
    assert calls_out(kiosk.hear(Ticked()))
    kiosk.hear(CardLeft("reader"))
    assert kiosk.hear(Ticked()).message is None


def test_a_card_left_behind_is_called_out_where_a_full_disk_ends_the_visit(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP)
    kiosk.acts.fails = LedgerError(LedgerReason.DISK_FULL)
    view = kiosk.hear(scan(1))
    assert (view.phase, calls_out(view)) == (Phase.OUT_OF_SERVICE, True)


def test_a_visit_does_not_end_while_central_is_asked(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, scan(1))
    kiosk.clock.pass_time(100)
    assert kiosk.hear(Ticked(), touch(Intent.END)).phase is Phase.BORROW


def test_going_offline_during_a_visit_is_said(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, TAP, OFFLINE)
    assert view.message is not None
    assert view.message.reason is Reason.NOW_OFFLINE
    assert view.link is Link.OFFLINE


def test_a_card_taken_away_early_is_told_and_the_next_tap_works(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, CardTrouble("reader", Reason.CARD_TAKEN_EARLY))
    assert view.message is not None
    assert view.message.reason is Reason.CARD_TAKEN_EARLY
    assert kiosk.hear(TAP).message is None


def test_a_full_disk_shows_out_of_service_and_never_a_tick_and_heals(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP)
    kiosk.acts.fails = LedgerError(LedgerReason.DISK_FULL)
    view = kiosk.hear(scan(1))
    assert (view.phase, view.out_of_service, view.rows) == (Phase.OUT_OF_SERVICE, "disk_full", ())
    kiosk.clock.pass_time(6)
    assert kiosk.hear(Ticked()).phase is Phase.OUT_OF_SERVICE
    kiosk.acts.fails = None
    kiosk.clock.pass_time(6)
    assert kiosk.hear(Ticked()).phase is Phase.START


def test_a_request_left_open_by_a_crash_is_withdrawn_before_the_first_visit() -> None:
    kiosk = Kiosk()
    kiosk.hear(Started(), ONLINE, TAP, scan(1))
    reborn = Kiosk()
    reborn.acts.words = kiosk.acts.words
    reborn.hear(Started())
    assert [spoken.word for spoken in reborn.acts.words] == [Word.REQUEST, Word.WITHDRAWAL]


def test_my_account_lists_loans_by_due_date_and_renews_online(kiosk: Kiosk) -> None:
    for number, days in ((1, -2), (2, 3)):
        kiosk.library.loans[book(number).id] = Loan(
            act_id=ActId(f"l{number}"),
            membership=ANN.id,
            item=book(number).id,
            lent_at=NOON,
            due_at=NOON + timedelta(days=days),
        )
    view = kiosk.hear(ONLINE, touch(Intent.ACCOUNT), TAP)
    assert [(row.days_left, row.state) for row in view.rows] == [(-2, RowState.OVERDUE), (3, RowState.DONE)]
    assert view.message is None
    assert view.blocked is not None
    assert view.blocked.reason is Reason.HAS_OVERDUE
    del kiosk.library.loans[book(1).id]
    kiosk.hear(touch(Intent.END), touch(Intent.ACCOUNT), TAP, touch(Intent.RENEW, book(2).id))
    assert kiosk.acts.words[-1].act.deed == "renew"
    view = kiosk.hear(verdict(kiosk))
    assert view.rows[0].state is RowState.DONE
