"""The device that heard a card or code is told how it went, after the act is on disk and never for a touch or a slip."""

import pytest
from fakes import EASYCARD, Kiosk, book

from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Outcome, Verdict, Word
from kiosk.ports import (
    CardArrived,
    CodeRead,
    Intent,
    Link,
    LinkChanged,
    PrintEnded,
    PrintOutcome,
    Sound,
    Started,
    Touched,
    VerdictCame,
)

OFFLINE, ONLINE = LinkChanged(Link.OFFLINE), LinkChanged(Link.ONLINE)
TAP = CardArrived("pad", EASYCARD)


@pytest.fixture
def kiosk() -> Kiosk:
    kiosk = Kiosk()
    kiosk.hear(Started())
    return kiosk


def test_the_reader_is_told_that_its_card_was_taken(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP)
    assert kiosk.signals.told == [("pad", Sound.OK)]


def test_the_reader_is_told_that_its_card_was_not_taken(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, CardArrived("pad", CardRead(bytes.fromhex("08112233"), Technology.ISO14443A)))
    assert kiosk.signals.told == [("pad", Sound.NO)]


def test_the_scanner_is_told_only_when_the_verdict_is_on_disk(kiosk: Kiosk) -> None:
    kiosk.hear(ONLINE, TAP, CodeRead("gun", book(1).id))
    assert kiosk.signals.told == [("pad", Sound.OK)]
    act = kiosk.acts.words[-1].act
    verdict = Verdict(
        act_id=act.id, word=Word.REQUEST, outcome=Outcome.ACCEPTED, due_at=act.due_at, epoch="e1", position=7
    )
    kiosk.hear(VerdictCame(verdict))
    assert kiosk.signals.told == [("pad", Sound.OK), ("gun", Sound.OK)]


def test_neither_a_touch_nor_a_slip_makes_a_reader_beep(kiosk: Kiosk) -> None:
    kiosk.hear(OFFLINE, TAP, CodeRead("gun", book(1).id))
    before = list(kiosk.signals.told)
    kiosk.hear(Touched(Intent.FINISH), Touched(Intent.SLIP_PRINT))
    kiosk.hear(PrintEnded(kiosk.printer.jobs[-1][0], PrintOutcome.PRINTED))
    assert kiosk.screen.sounds[-1] is Sound.OK
    assert kiosk.signals.told == before
