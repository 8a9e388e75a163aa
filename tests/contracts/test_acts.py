"""What the heart builds on in an acts file, run on the real one and on the fake that stands in for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import FakeActs
from kiosk_sync import NOON, act, open_log, verdict

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Word
from kiosk.domain.staff import Entry
from kiosk.domain.values import ItemId
from kiosk.ports import Acts


@pytest.fixture(params=["real", "fake"])
def acts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Acts]:
    if request.param == "fake":
        yield FakeActs()
        return
    log = open_log(tmp_path)
    yield log
    log.close()


def test_words_are_numbered_in_the_order_of_saying(acts: Acts) -> None:
    asked = act(mode=Mode.ONLINE)
    said = [acts.record(Word.REQUEST, asked), acts.record(Word.WITHDRAWAL, asked), acts.record(Word.FACT, act())]
    assert [(spoken.sequence, spoken.word) for spoken in said] == [
        (1, Word.REQUEST),
        (2, Word.WITHDRAWAL),
        (3, Word.FACT),
    ]
    assert said[0].act == asked


def test_a_request_is_open_until_it_has_a_verdict_or_a_last_word(acts: Acts) -> None:
    accepted, refused, withdrawn, entered, left = (act(mode=Mode.ONLINE) for _ in range(5))
    for each in (accepted, refused, withdrawn, entered, left):
        acts.record(Word.REQUEST, each)
    acts.settle(verdict(accepted, Word.REQUEST, Outcome.ACCEPTED))
    acts.settle(verdict(refused, Word.REQUEST, Outcome.REFUSED))
    acts.record(Word.WITHDRAWAL, withdrawn)
    acts.record(Word.FACT, entered)
    acts.record(Word.FACT, act())
    assert [found.id for found in acts.open_requests()] == [left.id]


def test_a_late_verdict_on_a_request_leaves_its_last_word_waiting(acts: Acts) -> None:
    asked = act(mode=Mode.ONLINE)
    acts.record(Word.REQUEST, asked)
    acts.record(Word.WITHDRAWAL, asked)
    acts.settle(verdict(asked, Word.REQUEST, Outcome.ACCEPTED))
    assert acts.open_requests() == ()
    assert acts.queue()[0] == 1
    acts.settle(verdict(asked, Word.WITHDRAWAL, Outcome.CANCELLED))
    assert acts.queue() == (0, None)


def test_the_queue_counts_last_words_and_tells_the_oldest(acts: Acts) -> None:
    assert (acts.queue(), acts.newest()) == ((0, None), None)
    first, second = act(minute=1), act(minute=2)
    acts.record(Word.FACT, first)
    acts.record(Word.FACT, second)
    acts.record(Word.REQUEST, act(mode=Mode.ONLINE, minute=3))
    assert acts.queue() == (2, NOON + timedelta(minutes=1))
    assert acts.newest() == NOON + timedelta(minutes=3, milliseconds=1500)  # by central's clock
    acts.settle(verdict(first))
    assert acts.queue() == (1, NOON + timedelta(minutes=2))


def test_one_that_can_be_written_says_so(acts: Acts) -> None:
    acts.check()
    assert acts.queue() == (0, None)


def ids(found: tuple[Act, ...]) -> list[str]:
    return [each.id for each in found]


def test_what_counts_and_no_screen_showed_is_brought_up_at_the_next_start_until_staff_have_seen_it(acts: Acts) -> None:
    seen, lost = act(), act()
    acts.record(Word.FACT, seen)
    acts.shown([seen.id])
    acts.record(Word.FACT, lost)
    assert ids(acts.unshown()) == [lost.id]
    assert ids(acts.unshown()) == [lost.id]  # and at the start after it
    acts.seen([lost.id])
    assert acts.unshown() == ()


def test_an_answer_is_to_be_shown_though_its_question_was(acts: Acts) -> None:
    accepted, refused, withdrawn = (act(mode=Mode.ONLINE) for _ in range(3))
    for each in (accepted, refused, withdrawn):
        acts.record(Word.REQUEST, each)
        acts.shown([each.id])
    acts.settle(verdict(accepted, Word.REQUEST, Outcome.ACCEPTED))
    acts.settle(verdict(refused, Word.REQUEST, Outcome.REFUSED))
    acts.settle(verdict(withdrawn, Word.REQUEST, Outcome.ACCEPTED))
    acts.record(Word.WITHDRAWAL, withdrawn)
    assert ids(acts.unshown()) == [accepted.id]


def test_what_did_not_happen_and_what_staff_did_is_not_brought_up(acts: Acts) -> None:
    asked = act(mode=Mode.ONLINE)
    acts.record(Word.REQUEST, asked)
    acts.record(Word.WITHDRAWAL, asked)
    acts.record(Word.FACT, replace(act(), deed=Deed.STAFF_ENTRY, item=ItemId(""), membership=None, entry=Entry.OK))
    assert acts.unshown() == ()
