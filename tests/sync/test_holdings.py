"""Own acts lie on top of the replica until the feed has passed them, and not a moment longer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kiosk_sync import (
    ANN,
    BOB,
    CARD,
    DUE,
    NOON,
    act,
    card,
    copy,
    lent,
    open_log,
    open_replica,
    page,
    patron,
    rules,
    verdict,
)

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import HoldState
from kiosk.domain.journal import Act, Deed, Mode, Outcome, Word
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from sync import wire
from sync.acts import ActsLog
from sync.holdings import Holdings
from sync.replica import ReplicaWriter

ONE, TWO = ItemId("C0000001"), ItemId("C0000002")
LATER = DUE + timedelta(days=14)


class Desk:
    """Both files of one kiosk."""

    def __init__(self, folder: Path) -> None:
        self.log: ActsLog = open_log(folder)
        self.feed: ReplicaWriter
        self.feed, self.replica = open_replica(folder)
        self.holdings = Holdings(self.replica, self.log)
        self.feed.apply(page(patron(ANN), patron(BOB), card(), copy(1), copy(2), rules(), begins=True), NOON)

    def close(self) -> None:
        for each in (self.log, self.feed, self.replica):
            each.close()

    def says(self, said: Act, word: Word = Word.FACT) -> Act:
        self.log.record(word, said)
        return said

    def holds(self, item: ItemId = ONE) -> tuple[str, bool] | None:
        loan = self.holdings.holder(item)
        return None if loan is None else (loan.membership, loan.provisional)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_what_the_feed_tells_is_told_on(desk: Desk) -> None:
    assert desk.holdings.card(CARD) == desk.replica.card(CARD) is not None
    assert desk.holdings.membership(ANN) == patron().membership()
    assert desk.holdings.item(ONE) == copy(1).item()
    assert desk.holdings.policy() == rules().policy()
    assert desk.holdings.calendar(BranchId("main")) == Calendar()
    assert desk.holdings.age(NOON + timedelta(hours=3)) == timedelta(hours=3)
    assert desk.holds() is None


def test_before_the_first_feed_the_knowledge_has_no_age(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    writer, replica = open_replica(tmp_path)
    assert Holdings(replica, log).age(NOON) is None
    for each in (log, writer, replica):
        each.close()


def test_an_own_offline_loan_counts_at_once_and_is_provisional_until_central_confirms(desk: Desk) -> None:
    said = desk.says(act())
    (loan,) = desk.holdings.open_loans(ANN)
    assert (loan.act_id, loan.item, loan.due_at, loan.provisional) == (said.id, ONE, DUE, True)
    assert loan.lent_at == said.corrected_at
    desk.log.settle(verdict(said, position=12, due_at=LATER))
    (loan,) = desk.holdings.open_loans(ANN)
    assert (loan.due_at, loan.provisional) == (LATER, False)


def test_an_own_act_counts_until_the_feed_has_passed_it(desk: Desk) -> None:
    said = desk.says(act())
    desk.log.settle(verdict(said, position=12))
    desk.feed.apply(page(lent(2), position=11), NOON)
    assert desk.holds() == (ANN, False)
    desk.feed.apply(page(position=12), NOON)
    assert desk.holds() is None


def test_an_act_that_the_feed_brings_meanwhile_is_the_same_loan(desk: Desk) -> None:
    said = desk.says(act())
    desk.log.settle(verdict(said, position=12))
    desk.feed.apply(page(lent(1, by=said.id), position=11), NOON)
    assert [loan.act_id for loan in desk.holdings.open_loans(ANN)] == [said.id]


def test_an_own_return_takes_the_loan_away_and_a_new_loan_brings_it_to_another(desk: Desk) -> None:
    desk.feed.apply(page(lent(1), lent(2, by="other"), position=11), NOON)
    assert len(desk.holdings.open_loans(ANN)) == 2
    desk.says(act(1, Deed.RETURN))
    assert desk.holds(ONE) is None
    assert [loan.item for loan in desk.holdings.open_loans(ANN)] == [TWO]
    desk.says(act(1, who=BOB))
    assert desk.holds(ONE) == (BOB, True)
    assert [loan.item for loan in desk.holdings.open_loans(BOB)] == [ONE]


def test_a_request_counts_from_its_verdict_on(desk: Desk) -> None:
    said = desk.says(act(mode=Mode.ONLINE), Word.REQUEST)
    assert desk.holds() is None
    desk.log.settle(verdict(said, Word.REQUEST, position=12))
    assert desk.holds() == (ANN, False)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.CANCELLED])
def test_a_refused_request_never_counts(desk: Desk, outcome: Outcome) -> None:
    said = desk.says(act(), Word.REQUEST)
    desk.log.settle(verdict(said, Word.REQUEST, outcome, due_at=None))
    assert desk.holds() is None


def test_a_withdrawn_request_counts_no_more_even_if_central_accepts_it_late(desk: Desk) -> None:
    said = desk.says(act(), Word.REQUEST)
    desk.says(said, Word.WITHDRAWAL)
    desk.log.settle(verdict(said, Word.REQUEST, position=99))
    assert desk.holds() is None


def test_a_withdrawn_loan_that_the_feed_brings_is_nobodys_and_fills_no_quota(desk: Desk) -> None:
    said = desk.says(act(), Word.REQUEST)
    desk.feed.apply(page(lent(by=said.id), position=11, cursor="c11"), NOON)
    assert desk.holds() == (ANN, False)
    desk.says(said, Word.WITHDRAWAL)
    assert (desk.holds(), desk.holdings.open_loans(ANN)) == (None, ())
    desk.log.settle(verdict(said, Word.WITHDRAWAL, Outcome.CANCELLED, position=12, due_at=None))
    assert desk.holds() is None
    desk.feed.apply(page(position=12, cursor="c12"), NOON)
    assert desk.holds() == (ANN, False)  # the feed has passed it and still has the loan: so it is


def test_a_withdrawn_loan_leaves_the_one_before_it(desk: Desk) -> None:
    desk.says(act(who=BOB))
    said = desk.says(act(minute=5), Word.REQUEST)
    desk.says(said, Word.WITHDRAWAL)
    assert desk.holds() == (BOB, True)


def test_own_loans_of_this_morning_fill_the_quota_together_with_the_feeds(desk: Desk) -> None:
    desk.feed.apply(page(lent(2, due_at=LATER), position=11), NOON)
    desk.says(act(1))
    assert [loan.item for loan in desk.holdings.open_loans(ANN)] == [ONE, TWO]


def test_an_own_renewal_extends_the_feeds_loan_until_the_feed_has_it(desk: Desk) -> None:
    desk.feed.apply(page(lent(1), position=11), NOON)
    renewal = desk.says(act(1, Deed.RENEW, mode=Mode.ONLINE), Word.REQUEST)
    assert [(loan.due_at, loan.renewals) for loan in desk.holdings.open_loans(ANN)] == [(DUE, 0)]
    desk.log.settle(verdict(renewal, Word.REQUEST, position=12, due_at=LATER))
    assert [(loan.due_at, loan.renewals) for loan in desk.holdings.open_loans(ANN)] == [(LATER, 1)]
    desk.feed.apply(page(lent(1, due_at=LATER, renewals=1), position=12), NOON)
    assert [(loan.due_at, loan.renewals) for loan in desk.holdings.open_loans(ANN)] == [(LATER, 1)]


def test_a_refused_or_withdrawn_renewal_changes_nothing(desk: Desk) -> None:
    desk.feed.apply(page(lent(1), position=11), NOON)
    refused = desk.says(act(1, Deed.RENEW), Word.REQUEST)
    desk.log.settle(verdict(refused, Word.REQUEST, Outcome.REFUSED, due_at=None))
    withdrawn = desk.says(act(1, Deed.RENEW), Word.REQUEST)
    desk.says(withdrawn, Word.WITHDRAWAL)
    desk.log.settle(verdict(withdrawn, Word.REQUEST, due_at=LATER))
    assert [(loan.due_at, loan.renewals) for loan in desk.holdings.open_loans(ANN)] == [(DUE, 0)]


def test_a_renewal_never_shortens_what_the_feed_promises(desk: Desk) -> None:
    desk.feed.apply(page(lent(1, due_at=LATER), position=11), NOON)
    renewal = desk.says(act(1, Deed.RENEW), Word.REQUEST)
    desk.log.settle(verdict(renewal, Word.REQUEST, position=12, due_at=DUE))
    assert desk.holdings.open_loans(ANN)[0].due_at == LATER


def test_after_a_restore_own_acts_count_until_the_new_feed_was_read(desk: Desk) -> None:
    said = desk.says(act())
    desk.log.settle(verdict(said, position=10))
    desk.log.agree("e1", 1)
    assert desk.holds() is None
    desk.log.agree("e2", 0)
    assert desk.holds() == (ANN, True)
    desk.log.settle(verdict(said, epoch="e2", position=4))
    desk.feed.apply(page(lent(2), more=True, begins=True, epoch="e2", position=0), NOON)
    assert desk.holds() == (ANN, False)
    desk.feed.apply(page(lent(1, by=said.id), epoch="e2", position=4), NOON)
    assert [loan.act_id for loan in desk.holdings.open_loans(ANN)] == [said.id, "elsewhere"]


def test_what_a_restored_central_kept_is_not_lost_between_the_two_feeds(desk: Desk) -> None:
    said = desk.says(act())
    desk.log.settle(verdict(said, position=50))
    desk.log.agree("e1", 1)
    desk.log.agree("e2", 1)
    assert desk.holds() == (ANN, False)
    desk.feed.apply(page(copy(1), begins=True, epoch="e2", position=4), NOON)
    assert desk.holds() is None


# --- holds --------------------------------------------------------------------------------------------------------


def wish(number: int, who: MembershipId = ANN, **changes: object) -> wire.HoldEntry:
    values: dict[str, object] = {
        "id": f"h{number}", "membership": who, "work": ONE, "asked": ONE, "branch": "main",
        "placed_at": NOON + timedelta(minutes=number),
    }  # fmt: skip
    return wire.HoldEntry(**{**values, **changes})  # type: ignore[arg-type]


def set_aside(desk: Desk, hold: str, item: int = 1) -> Act:
    return desk.says(replace(act(item, Deed.RETURN), hold=ActId(hold), due_at=DUE))


def test_a_copy_that_an_own_return_set_aside_is_reserved_until_the_feed_has_passed_it(desk: Desk) -> None:
    desk.feed.apply(page(wish(1, BOB), position=11), NOON)
    done = set_aside(desk, "h1")
    item = desk.holdings.item(ONE)
    assert item is not None
    assert item.reserved_for == BOB
    assert [(one.state, one.item) for one in desk.holdings.holds_on(ONE)] == [(HoldState.ON_THE_WAY, ONE)]
    desk.log.settle(verdict(done, position=20, due_at=DUE))
    desk.feed.apply(page(copy(1, reserved_for=None), position=30), NOON)
    item = desk.holdings.item(ONE)
    assert item is not None
    assert item.reserved_for is None


def test_a_second_copy_serves_the_next_in_the_queue(desk: Desk) -> None:
    desk.feed.apply(page(copy(1, work="w"), copy(2, work="w"), wish(1, work="w"), wish(2, BOB, work="w")), NOON)
    set_aside(desk, "h1")
    waiting = [one.id for one in desk.holdings.holds_on(TWO) if one.state is HoldState.WAITING]
    assert waiting == ["h2"]


def test_what_central_told_of_a_return_is_said_again_with_its_hold_after_a_restore(desk: Desk) -> None:
    back = desk.says(act(1, Deed.RETURN, mode=Mode.ONLINE))
    desk.log.agree("e1", 1)
    desk.log.settle(replace(verdict(back, position=9, due_at=DUE), hold=ActId("h1")))
    assert desk.log.agree("e2", 0) == 1
    (again,) = desk.log.unsent(10)
    assert (again.act.id, again.act.hold, again.act.due_at) == (back.id, "h1", DUE)


def test_own_placings_and_cancellations_count_before_the_feed_tells_them(desk: Desk) -> None:
    placed = desk.says(act(2, Deed.PLACE_HOLD, mode=Mode.ONLINE, due_at=None), Word.REQUEST)
    assert desk.holdings.holds(ANN) == ()
    desk.log.settle(verdict(placed, Word.REQUEST, Outcome.NOTED, position=20, due_at=None))
    assert [(one.id, one.asked) for one in desk.holdings.holds(ANN)] == [(placed.id, TWO)]
    desk.feed.apply(page(wish(1, id=placed.id, asked=TWO, work=TWO), position=25), NOON)
    assert [one.id for one in desk.holdings.holds(ANN)] == [placed.id]
    ended = desk.says(replace(act(2, Deed.CANCEL_HOLD, mode=Mode.ONLINE, due_at=None), hold=placed.id), Word.REQUEST)
    desk.log.settle(verdict(ended, Word.REQUEST, position=30, due_at=None))
    assert desk.holdings.holds(ANN) == ()


def test_a_hold_whose_copy_was_just_borrowed_here_is_no_more(desk: Desk) -> None:
    desk.feed.apply(page(wish(1, state=HoldState.READY, item=ONE, ready_until=DUE), position=11), NOON)
    assert [one.id for one in desk.holdings.holds(ANN)] == ["h1"]
    desk.says(act(1))
    assert desk.holdings.holds(ANN) == ()


def test_acts_about_holds_do_not_hide_who_has_the_book(desk: Desk) -> None:
    lent_here = desk.says(act(1, who=BOB))
    asked = desk.says(act(1, Deed.PLACE_HOLD, mode=Mode.ONLINE, due_at=None, minute=1), Word.REQUEST)
    desk.log.settle(verdict(asked, Word.REQUEST, Outcome.NOTED, position=40, due_at=None))
    assert desk.holds() == (BOB, True)
    held = desk.holdings.holder(ONE)
    assert held is not None
    assert held.act_id == lent_here.id
