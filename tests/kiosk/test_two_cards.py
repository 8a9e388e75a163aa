"""Two cards on the pad: whose visit it is cannot be known, so nothing more is done in it (A3)."""

from datetime import timedelta

import pytest
from fakes import ANN, EASYCARD, NOON, Kiosk, book

from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Outcome, Verdict, Word
from kiosk.domain.lending import Loan
from kiosk.domain.values import ActId, Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    CentralReason,
    CodeRead,
    Intent,
    Link,
    LinkChanged,
    Phase,
    Sound,
    Started,
    Touched,
    VerdictCame,
    View,
)

ONLINE = LinkChanged(Link.ONLINE)
OFFLINE = LinkChanged(Link.OFFLINE, CentralReason.TOO_SLOW)
TAP = CardArrived("reader", EASYCARD)
TWO = CardTrouble("reader", Reason.CARD_TWO)


def scan(number: int) -> CodeRead:
    return CodeRead("scanner", book(number).id)


def said(view: View) -> Reason | None:
    return None if view.message is None else view.message.reason


@pytest.fixture
def kiosk() -> Kiosk:
    kiosk = Kiosk()
    kiosk.hear(Started())
    return kiosk


def accepted(kiosk: Kiosk) -> VerdictCame:
    spoken = kiosk.acts.words[0]
    return VerdictCame(
        Verdict(act_id=spoken.act.id, word=spoken.word, outcome=Outcome.ACCEPTED, epoch="e1", position=1)
    )


@pytest.mark.parametrize("chosen", [(), (Touched(Intent.BORROW),), (Touched(Intent.ACCOUNT),)])
def test_a_second_card_ends_the_visit_that_the_first_opened_and_the_next_scan_is_nobodys(
    kiosk: Kiosk, chosen: tuple[Touched, ...]
) -> None:
    assert kiosk.hear(ONLINE, *chosen, TAP).name == ANN.display_name
    view = kiosk.hear(TWO)
    assert (view.phase, view.name, view.rows, said(view)) == (Phase.START, "", (), Reason.CARD_TWO)
    assert kiosk.screen.sounds[-1] is Sound.ATTENTION
    kiosk.hear(scan(1))
    assert kiosk.acts.words == []


def test_what_central_is_asked_just_then_is_withdrawn_and_its_answer_changes_nothing(kiosk: Kiosk) -> None:
    view = kiosk.hear(ONLINE, TAP, scan(1), scan(2), TWO)
    assert (view.phase, said(view)) == (Phase.START, Reason.CARD_TWO)
    view = kiosk.hear(accepted(kiosk))
    assert (view.phase, view.rows) == (Phase.START, ())
    assert [(spoken.word, spoken.act.item) for spoken in kiosk.acts.words] == [
        (Word.REQUEST, book(1).id),
        (Word.WITHDRAWAL, book(1).id),
    ]
    assert len(kiosk.acts.verdicts) == 1
    assert kiosk.acts.open_requests() == ()


def test_a_renewal_under_way_is_withdrawn_too(kiosk: Kiosk) -> None:
    item = book(1).id
    due = NOON + timedelta(days=2)
    kiosk.library.loans[item] = Loan(act_id=ActId("l1"), membership=ANN.id, item=item, lent_at=NOON, due_at=due)
    kiosk.hear(ONLINE, Touched(Intent.ACCOUNT), TAP, Touched(Intent.RENEW, item))
    view = kiosk.hear(TWO)
    assert (view.phase, said(view)) == (Phase.START, Reason.CARD_TWO)
    assert [spoken.word for spoken in kiosk.acts.words] == [Word.REQUEST, Word.WITHDRAWAL]


@pytest.mark.parametrize("after", [(), (Touched(Intent.FINISH),)])
def test_after_loans_it_ends_as_well_and_says_that_they_count(kiosk: Kiosk, after: tuple[Touched, ...]) -> None:
    view = kiosk.hear(OFFLINE, TAP, scan(1), *after, TWO)
    assert (view.phase, said(view)) == (Phase.START, Reason.CARD_TWO_AFTER_ACTS)
    kiosk.hear(scan(2), Touched(Intent.BORROW), scan(3))
    assert [(spoken.word, spoken.act.item) for spoken in kiosk.acts.words] == [(Word.FACT, book(1).id)]


def test_a_card_that_was_lifted_had_been_known_alone_so_its_visit_goes_on(kiosk: Kiosk) -> None:
    view = kiosk.hear(OFFLINE, TAP, CardLeft("reader"), TWO, scan(1))
    assert (view.phase, view.name, len(kiosk.acts.words)) == (Phase.BORROW, ANN.display_name, 1)


def test_two_cards_on_another_reader_or_beside_a_scanned_card_are_only_told(kiosk: Kiosk) -> None:
    view = kiosk.hear(OFFLINE, TAP, CardTrouble("other", Reason.CARD_TWO))
    assert (view.phase, said(view)) == (Phase.BORROW, Reason.CARD_TWO)
    kiosk.hear(Touched(Intent.END))
    view = kiosk.hear(CodeRead("scanner", "P1234567"), TWO)
    assert (view.phase, said(view)) == (Phase.BORROW, Reason.CARD_TWO)


def test_another_trouble_of_the_reader_ends_nothing(kiosk: Kiosk) -> None:
    view = kiosk.hear(OFFLINE, TAP, CardTrouble("reader", Reason.CARD_UNREADABLE))
    assert (view.phase, view.name) == (Phase.BORROW, ANN.display_name)


def test_one_card_left_on_the_pad_opens_the_next_visit(kiosk: Kiosk) -> None:
    view = kiosk.hear(OFFLINE, TAP, TWO, CardLeft("reader"), TAP)
    assert (view.phase, view.name) == (Phase.BORROW, ANN.display_name)


def test_two_unknown_cards_change_nothing(kiosk: Kiosk) -> None:
    stranger = CardRead(bytes.fromhex("11223344"), Technology.ISO14443A)
    view = kiosk.hear(ONLINE, CardArrived("reader", stranger), TWO)
    assert (view.phase, said(view)) == (Phase.START, Reason.CARD_TWO)
