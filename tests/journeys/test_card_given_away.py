"""A card is given to somebody else while a kiosk is cut off; its former reader borrows there all the same (A1, C4).

Real kiosk, real central, real messages; time and the line are played.
"""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from kiosk.domain.identity import CardKind, CardRead, Technology
from kiosk.domain.values import Reason
from kiosk.ports import CardArrived, CodeRead, Intent, Link, Message, RowState, Touched
from ui.benchmarks.branch import KioskSide, settle_down
from ui.benchmarks.faults import BOOKS, CARDS, Scene, Template, quick_folder


@pytest.fixture
def scene() -> Iterator[Scene]:
    with quick_folder() as folder, capture_logs():
        scene = Scene(Template.make(folder / "template"), folder / "play")
        yield scene
        scene.close()


def borrow(kiosk: KioskSide, book: str) -> None:
    kiosk.handle(Touched(Intent.DISMISS), Touched(Intent.END))
    kiosk.handle(CardArrived("reader", CardRead(bytes.fromhex(CARDS[0]), Technology.ISO14443A)))
    kiosk.handle(CodeRead("scanner", book))
    kiosk.turn()
    kiosk.read_mail()


def give_anns_card_to_ben(scene: Scene) -> None:
    scene.times.go(60)
    with scene.central.central.registry.change("desk") as change:
        change.bind_card("ben", CardKind.EASYCARD, CARDS[0], take=True)
    scene.cards.bound(CARDS[0], "ben", scene.times())
    scene.times.go(60)


def test_what_was_borrowed_offline_with_a_card_that_means_somebody_else_is_entered_and_a_case(scene: Scene) -> None:
    kiosk = scene.kiosks[0]
    kiosk.cut = True
    kiosk.turn()
    kiosk.read_mail()
    borrow(kiosk, BOOKS[2])
    give_anns_card_to_ben(scene)
    borrow(kiosk, BOOKS[3])
    assert kiosk.view is not None
    assert [row.state for row in kiosk.view.rows] == [RowState.PROVISIONAL]
    kiosk.cut = False
    settle_down(scene.kiosks, scene.network)
    loans = {loan.item: loan.membership for loan in scene.central.central.holdings.open_loans()}
    assert loans == {BOOKS[2]: "ann", BOOKS[3]: "ann"}
    (case,) = scene.central.central.holdings.cases()
    assert (case.reason, case.item, case.membership, case.details) == (
        Reason.CARD_MEANT_ANOTHER, BOOKS[3], "ann", {"other": "ben"},
    )  # fmt: skip
    scene.end()


def test_online_a_card_that_the_kiosk_has_not_heard_the_end_of_borrows_nothing(scene: Scene) -> None:
    kiosk = scene.kiosks[0]
    scene.times.go(30)
    for _ in range(3):
        kiosk.turn()
        kiosk.read_mail()
        scene.times.go(3)
    assert kiosk.view is not None
    assert kiosk.view.link is Link.ONLINE
    give_anns_card_to_ben(scene)
    borrow(kiosk, BOOKS[2])
    assert kiosk.view.message == Message(reason=Reason.CARD_NOT_FOUND, title="書")
    assert scene.central.central.holdings.open_loans() == []
    scene.end()
