"""One event asks each question once, hears what it wrote, and asks again what could not be read."""

from collections import Counter
from datetime import timedelta
from typing import Any

from fakes import ANN, EASYCARD, NOON, FakeActs, FakeLibrary, Kiosk, book

from kiosk.domain.lending import Loan
from kiosk.domain.values import ItemId
from kiosk.ports import CardArrived, CentralReason, CodeRead, Library, Link, LinkChanged, RowState
from kiosk.visit.glance import Glance


class Counting:
    """A library that counts what it is asked."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.asked[name] += 1
        return getattr(self.library, name)


def test_a_question_is_asked_once_until_something_is_written() -> None:
    counting = Counting(FakeLibrary())
    glance = Glance(counting)
    assert [glance.open_loans(ANN.id), glance.open_loans(ANN.id)] == [(), ()]
    assert (glance.item(book(1).id), glance.item(book(2).id), glance.item(book(1).id)) == (book(1), book(2), book(1))
    assert (counting.asked["open_loans"], counting.asked["item"]) == (1, 2)
    glance.forget()
    glance.open_loans(ANN.id)
    assert counting.asked["open_loans"] == 2


def test_what_could_not_be_read_is_asked_again_and_counted_again() -> None:
    library = FakeLibrary()
    glance = Glance(library)
    library.damaged = {"open_loans"}
    for times in (1, 2):
        assert glance.open_loans(ANN.id) == ()
        assert glance.unread() == times


class OwnLoans(dict[ItemId, Loan]):
    """Of everything that the kiosk has written so far."""

    def __init__(self, acts: FakeActs) -> None:
        self.acts = acts

    def values(self) -> Any:
        lent = (spoken.act for spoken in self.acts.words)
        return [
            Loan(act_id=act.id, membership=ANN.id, item=act.item, lent_at=NOON, due_at=NOON + timedelta(days=9))
            for act in lent
        ]


def test_a_loan_just_written_counts_in_the_view_of_the_same_event() -> None:
    kiosk = Kiosk()
    kiosk.library.loans = OwnLoans(kiosk.acts)
    left = kiosk.hear(LinkChanged(Link.OFFLINE, CentralReason.TOO_SLOW), CardArrived("reader", EASYCARD)).quota_left
    view = kiosk.hear(CodeRead("scanner", book(1).id))
    assert view.rows[0].state is RowState.PROVISIONAL
    assert (left, view.quota_left) == (3, 2)
