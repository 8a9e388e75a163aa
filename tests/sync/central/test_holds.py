"""Holds at central: placed, set aside, picked up, expired; and that any order of arrival ends in the same holds and cases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from kiosk.domain.holds import HoldState
from kiosk.domain.journal import Deed, Mode, Outcome, Verdict, Word
from kiosk.domain.values import IncarnationId, KioskId, Reason
from sync.central import tables
from sync.central.holds import HoldList
from sync.central.office import Central
from sync.central.places import UnknownRecord
from sync.wire import CalendarEntry, GoneEntry, HoldEntry, ItemEntry, WireLoanRule, WirePatronRule, WireWord

RULES = {
    "patron_rules": [WirePatronRule(category="*", quota=3, holds=2)],
    "loan_rules": [WireLoanRule(loan_days=28, renewals=1)],
    "hold_days": 3,
}


def shop(town: Any, **rules: Any) -> Any:
    """Two branches; A1, A2 and A3 are copies of one work."""
    policy = town.central.registry.policy()
    with town.central.registry.change("test") as change:
        change.policy(replace(policy, policy_version="holds", **{**RULES, **rules}))
        change.branch(CalendarEntry(branch="east", name="東區分館"))
        change.items([ItemEntry(id=f"A{number}", title="同一本書", branch="main", work="w") for number in (1, 2, 3)])
    return town


@pytest.fixture
def shelf(town: Any) -> Any:
    """Ben has A1; the other copies are lent too."""
    shop(town)
    for number, who in enumerate(("ben", "dora", "eve"), start=1):
        town.say(Word.FACT, f"lent-{number}", deed=Deed.CHECKOUT, membership=who, item=f"A{number}", minute=-60)
    return town


def places(town: Any, who: str = "ann", item: str = "A1", branch: str = "main") -> Verdict:
    verdict: Verdict = town.central.holds.place(membership=who, item=item, branch=branch)
    return verdict


def returns(town: Any, act: str, item: str = "A1", *, minute: float = 10, branch: str = "main", **more: Any) -> Verdict:
    """Online unless the word says otherwise."""
    kiosk = more.pop("kiosk", "main-1")
    word = town.word(Word.FACT, act, deed=Deed.RETURN, item=item, minute=minute, kiosk=kiosk)
    town.clock.now = max(town.clock.now, word.happened_at)  # nothing is told before it happened
    told: Verdict = town.tell(replace(word, **{"branch": branch, "mode": Mode.ONLINE, **more}), kiosk=kiosk)[0]
    return told


def states(town: Any) -> dict[str, tuple[str, str, str | None]]:
    """hold -> (membership, state, copy)."""
    with town.central.database.read() as connection:
        return {row.id: (row.membership, row.state, row.item) for row in connection.execute(select(tables.hold))}


def reserved(town: Any) -> dict[str, str]:
    item = tables.item.c
    with town.central.database.read() as connection:
        query = select(item.id, item.reserved_for).where(item.reserved_for.is_not(None), item.work == "w")
        return {row.id: row.reserved_for for row in connection.execute(query)}


def test_a_hold_is_placed_on_a_work_and_told_its_place(shelf: Any) -> None:
    first, second = places(shelf), places(shelf, "ben", "A2")
    assert (first.outcome, first.reason, first.details) == (
        Outcome.NOTED, Reason.HOLD_PLACED, {"ahead": 0, "branch": "main"},
    )  # fmt: skip
    assert (second.outcome, second.reason) == (Outcome.REFUSED, Reason.HOLD_HAVE_IT)
    assert places(shelf).reason is Reason.HOLD_ALREADY
    assert [(line.hold.membership, line.title, line.place) for line in shelf.central.holds.list()] == [
        ("ann", "同一本書", 1)
    ]


@pytest.mark.parametrize(
    ("who", "item", "reason"),
    [
        ("eve", "A1", Reason.MEMBERSHIP_BLOCKED),
        ("dora", "A1", Reason.HOLDS_SUSPENDED),
        ("nobody", "A1", Reason.MEMBERSHIP_UNKNOWN),
        ("ann", "C1", Reason.HOLD_ON_SHELF),
        ("ann", "nothing", Reason.ITEM_UNKNOWN),
        ("ann", "LOST", Reason.ITEM_WITHDRAWN),
    ],
)
def test_a_hold_is_refused_with_its_reason(shelf: Any, who: str, item: str, reason: Reason) -> None:
    verdict = places(shelf, who, item)
    assert (verdict.outcome, verdict.reason) == (Outcome.REFUSED, reason)
    assert states(shelf) == {}


def test_no_more_holds_than_the_policy_allows(shelf: Any) -> None:
    for number in (1, 2, 3):
        shelf.say(Word.FACT, f"c-{number}", membership="ben", item=f"C{number}")
    assert [places(shelf, "ann", f"C{number}").reason for number in (1, 2, 3)] == [
        Reason.HOLD_PLACED, Reason.HOLD_PLACED, Reason.HOLDS_REACHED,
    ]  # fmt: skip


def test_a_copy_returned_online_is_set_aside_for_the_first_in_the_queue_and_then_picked_up(shelf: Any) -> None:
    hold = places(shelf).act_id
    verdict = returns(shelf, "back")
    assert (verdict.reason, verdict.hold) == (Reason.HOLD_HERE, hold)
    assert verdict.due_at is not None
    assert verdict.details == {"date": verdict.due_at.date().isoformat()}
    assert reserved(shelf) == {"A1": "ann"}
    assert shelf.say(Word.REQUEST, "other", membership="ben", item="A1", minute=20).reason is Reason.ITEM_RESERVED
    assert shelf.say(Word.REQUEST, "pick", membership="ann", item="A1", minute=21).outcome is Outcome.ACCEPTED
    assert states(shelf) == {hold: ("ann", "picked_up", "A1")}
    assert reserved(shelf) == {}
    assert shelf.cases() & {"item_reserved", "hold_copy_stray"} == set()


def test_the_pick_up_date_does_not_follow_a_kiosks_clock_that_is_days_ahead(shelf: Any) -> None:
    places(shelf)
    word = shelf.word(Word.FACT, "back", deed=Deed.RETURN, item="A1", minute=5 * 24 * 60)
    told = shelf.central.inbox.judge(KioskId("main-1"), IncarnationId("log-1"), [replace(word, mode=Mode.ONLINE)])
    (ahead,) = told.verdicts
    shelf.say(Word.REQUEST, "pick", membership="ann", item="A1", minute=1)
    places(shelf, "ben", "A2")
    places(shelf, "ann", "A2")
    right = returns(shelf, "right", "A2", minute=0)
    assert ahead.reason is right.reason is Reason.HOLD_HERE
    assert ahead.due_at == right.due_at


def test_the_same_copy_scanned_again_says_the_same(shelf: Any) -> None:
    places(shelf)
    once, twice = returns(shelf, "back"), returns(shelf, "again", minute=12)
    assert (twice.reason, twice.hold, twice.due_at) == (once.reason, once.hold, once.due_at)


def test_a_copy_for_another_branch_travels_and_is_ready_there(shelf: Any) -> None:
    hold = places(shelf, branch="east").act_id
    verdict = returns(shelf, "back")
    assert (verdict.reason, verdict.details) == (Reason.HOLD_AT_BRANCH, {"branch": "east"})
    assert states(shelf)[hold][1] == "on_the_way"
    assert [line.copy for line in shelf.central.holds.list(HoldList.ON_THE_WAY, branch="east")] == ["A1"]
    arrived = returns(shelf, "there", minute=30, branch="east", kiosk="east-1")
    assert (arrived.reason, arrived.hold) == (Reason.HOLD_HERE, hold)
    assert [line.copy for line in shelf.central.holds.list(HoldList.READY, branch="east")] == ["A1"]


def test_a_copy_for_which_nobody_waits_goes_home(town: Any) -> None:
    verdict = returns(town, "back", "C1", branch="east", kiosk="east-1")
    assert (verdict.outcome, verdict.reason, verdict.details) == (
        Outcome.NOTED, Reason.ITEM_NOT_ON_LOAN, {},
    )  # fmt: skip
    town.clock.go(minutes=12)
    town.say(Word.FACT, "lent", item="C1", minute=11)
    verdict = returns(town, "home", "C1", minute=12, branch="east", kiosk="east-1")
    assert (verdict.reason, verdict.details) == (Reason.GOES_TO_BRANCH, {"branch": "main"})


def test_what_a_kiosk_set_aside_offline_is_honoured_with_its_day(shelf: Any) -> None:
    places(shelf, "ann")
    second = shelf.central.holds.place(membership="ann", item="A2", branch="main")
    assert second.reason is Reason.HOLD_ALREADY
    hold = next(iter(states(shelf)))
    until = shelf.clock.now + timedelta(days=30)
    verdict = returns(shelf, "back", mode=Mode.OFFLINE, hold=hold, due_at=until)
    assert (verdict.hold, verdict.due_at) == (hold, until)


def test_an_offline_return_that_knew_of_no_hold_leaves_the_copy_to_be_fetched(shelf: Any) -> None:
    hold = places(shelf).act_id
    verdict = returns(shelf, "back", mode=Mode.OFFLINE)
    assert (verdict.outcome, verdict.hold) == (Outcome.ACCEPTED, None)
    assert states(shelf) == {hold: ("ann", "waiting", None)}
    assert [(line.copy, line.hold.id) for line in shelf.central.holds.list(HoldList.TO_FETCH)] == [("A1", hold)]
    assert returns(shelf, "fetched", minute=20).hold == hold
    assert shelf.central.holds.list(HoldList.TO_FETCH) == []


def test_two_branches_offline_for_one_hold_the_earlier_is_it_whatever_comes_first(shelf: Any) -> None:
    hold = places(shelf).act_id
    returns(shelf, "later", "A2", minute=40, mode=Mode.OFFLINE, hold=hold, kiosk="east-1", branch="east")
    assert states(shelf)[hold] == ("ann", "on_the_way", "A2")
    returns(shelf, "earlier", "A1", minute=30, mode=Mode.OFFLINE, hold=hold)
    assert states(shelf)[hold] == ("ann", "ready", "A1")
    assert reserved(shelf) == {"A1": "ann"}
    assert "hold_copy_stray:earlier:later" in shelf.cases()
    returns(shelf, "scanned", "A2", minute=50)
    assert "hold_copy_stray:earlier:later" not in shelf.cases()


def test_a_copy_set_aside_and_lent_to_another_offline_is_one_case_whichever_comes_first(
    new_town: Any, clock: Any
) -> None:
    ends, noon = [], clock.now
    for lent_first in (False, True):
        clock.now = noon
        town = shop(new_town())
        town.say(Word.FACT, "lent-1", membership="ben", item="A1", minute=-60)
        for copy in ("A2", "A3"):
            town.say(Word.FACT, f"out-{copy}", membership="dora", item=copy, minute=-60)
        hold = places(town).act_id
        clock.go(minutes=30)
        back = {"mode": Mode.OFFLINE, "hold": hold, "kiosk": "main-2"}
        if not lent_first:
            returns(town, "back", **back)
        verdict = town.say(Word.FACT, "other", membership="ben", item="A1", minute=20)
        if lent_first:
            returns(town, "back", **back)
        else:
            assert (verdict.outcome, verdict.reason) == (Outcome.CASE, Reason.ITEM_RESERVED)
        ends.append((town.cases(), [line[1:] for line in states(town).values()], town.loans()["A1"]))
    assert ends[0] == ends[1]
    assert "item_reserved:back:other" in ends[0][0]


def test_any_copy_serves_the_hold_and_what_stood_ready_is_to_be_cleared(shelf: Any) -> None:
    hold = places(shelf).act_id
    returns(shelf, "back")
    returns(shelf, "plain", "A2", minute=12)
    assert shelf.say(Word.REQUEST, "pick", membership="ann", item="A2", minute=20).outcome is Outcome.ACCEPTED
    assert states(shelf)[hold] == ("ann", "picked_up", "A2")
    assert [line.copy for line in shelf.central.holds.list(HoldList.TO_CLEAR)] == ["A1"]


def test_a_hold_expires_once_and_the_next_scan_serves_the_next_in_the_queue(shelf: Any) -> None:
    first = places(shelf).act_id
    returns(shelf, "back")
    second = places(shelf, "ben", "A3").act_id
    assert shelf.central.holds.expire() == 0
    shelf.clock.now += timedelta(days=10)
    assert "expire holds" in shelf.central.periodic.tick()
    assert "expire holds" not in shelf.central.periodic.tick()
    assert states(shelf)[first] == ("ann", "expired", "A1")
    assert reserved(shelf) == {}
    assert [(line.copy, line.hold.id) for line in shelf.central.holds.list(HoldList.TO_CLEAR)] == [("A1", first)]
    assert returns(shelf, "cleared", minute=10 * 24 * 60 + 1).hold == second
    assert shelf.central.holds.list(HoldList.TO_CLEAR) == []


def test_cancelling_ends_it_once(shelf: Any) -> None:
    hold = places(shelf).act_id
    assert shelf.central.holds.cancel(hold).outcome is Outcome.ACCEPTED
    assert shelf.central.holds.cancel(hold).reason is Reason.HOLD_UNKNOWN
    assert states(shelf)[hold][1] == "cancelled"
    with pytest.raises(UnknownRecord):
        shelf.central.holds.cancel("no such hold")


def test_what_staff_and_the_clock_do_to_holds_is_audited_by_whom_and_names_nobody(shelf: Any) -> None:
    mine = shelf.central.holds.place(membership="ann", item="A1", branch="main", who="s-7").act_id
    again = shelf.central.holds.place(membership="ann", item="A2", branch="main", who="s-7")
    assert again.outcome is Outcome.REFUSED  # changes nothing, so there is no line
    returns(shelf, "back")
    theirs = places(shelf, "ben", "A3").act_id
    shelf.clock.now += timedelta(days=10)
    shelf.central.periodic.tick()
    shelf.central.holds.cancel(theirs, who="s-8")
    shelf.central.holds.cancel(theirs, who="s-8")
    lines = [line for line in shelf.central.audit.lines() if line.what.startswith("hold ")]
    assert [(line.who, line.what, line.subject) for line in reversed(lines)] == [
        ("s-7", "hold placed", mine), ("command line", "hold placed", theirs), ("central", "hold expired", mine),
        ("s-8", "hold cancelled", theirs),
    ]  # fmt: skip
    assert all(line.details == {} for line in lines)


def test_a_kiosk_puts_no_name_of_staff_into_the_audit_by_a_hold(shelf: Any) -> None:
    shelf.say(Word.REQUEST, "wish", deed=Deed.PLACE_HOLD, membership="ann", item="A1", staff="s-7")
    assert not [line for line in shelf.central.audit.lines() if line.what.startswith("hold ")]


def central_log(town: Any) -> tuple[list[tuple[str, int]], list[int], int]:
    """Central's own logs and how far each is held, the numbers of all its words, and numbers beyond a gap."""
    log, word = tables.incarnation.c, tables.word.c
    with town.central.database.read() as connection:
        own = select(log.id, log.name, log.held_through).where(log.kiosk == "central")
        logs = connection.execute(own).all()
        said = select(word.sequence).where(word.incarnation.in_([one.id for one in logs])).order_by(word.sequence)
        beyond = connection.execute(select(tables.held)).all()
        return [(one.name, one.held_through) for one in logs], list(connection.execute(said).scalars()), len(beyond)


def test_all_that_central_says_stands_in_one_log(shelf: Any) -> None:
    hold = places(shelf).act_id
    assert places(shelf, "eve").outcome is Outcome.REFUSED
    shelf.central.holds.cancel(hold)
    for who, item in (("ann", "A1"), ("ben", "A2")):
        places(shelf, who, item)
        returns(shelf, f"back-{item}", item, minute=10)
    places(shelf, "ann", "A3")
    shelf.clock.now += timedelta(days=10)
    expired = shelf.central.holds.expire()
    assert expired > 0
    logs, numbers, beyond = central_log(shelf)
    assert logs == [("holds", len(numbers))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (len(numbers), beyond) == (6 + expired, 0)
    assert not {case for case in shelf.cases() if case.startswith("cannot_be_judged")}


def test_processes_that_speak_for_central_at_once_take_every_number_once(shelf: Any) -> None:
    second = Central.open(shelf.settings, clock=shelf.clock)
    try:

        def place_and_cancel(number: int) -> list[Outcome]:
            holds = (shelf.central if number % 2 else second).holds
            placed = holds.place(membership="ann" if number % 4 < 2 else "ben", item="A3", branch="main")
            ended = [holds.cancel(placed.act_id).outcome] if placed.outcome.stands else []
            return [placed.outcome, *ended]

        with ThreadPoolExecutor(8) as pool:
            said = [outcome for told in pool.map(place_and_cancel, range(24)) for outcome in told]
    finally:
        second.close()
    logs, numbers, beyond = central_log(shelf)
    assert logs == [("holds", len(said))]
    assert numbers == list(range(1, len(said) + 1))
    assert beyond == 0
    assert {state for _, state, _ in states(shelf).values()} == {"cancelled"}
    assert not {case for case in shelf.cases() if case.startswith("cannot_be_judged")}


def test_an_act_of_central_that_is_told_again_is_judged_once(shelf: Any) -> None:
    hold = places(shelf).act_id
    word = shelf.word(Word.REQUEST, hold, deed=Deed.PLACE_HOLD, item="A1", sequence=1)
    (again,) = shelf.central.inbox.judge(KioskId("central"), IncarnationId("holds"), [word], append=True).verdicts
    assert again.reason is Reason.HOLD_PLACED
    assert [row[1] for row in states(shelf).values()] == ["waiting"]
    assert places(shelf, "ben", "A2").reason is Reason.HOLD_HAVE_IT
    assert not {case for case in shelf.cases() if case.startswith("cannot_be_judged")}


def test_a_stranger_cannot_cancel_a_hold(shelf: Any) -> None:
    hold = places(shelf).act_id
    verdict = shelf.say(Word.REQUEST, "mean", deed=Deed.CANCEL_HOLD, membership="ben", item="A1", hold=hold)
    assert (verdict.outcome, verdict.reason) == (Outcome.REFUSED, Reason.HOLD_UNKNOWN)


def test_a_hold_whose_answer_was_lost_is_gone_and_its_copy_a_stray(shelf: Any) -> None:
    shelf.say(Word.REQUEST, "wish", deed=Deed.PLACE_HOLD, membership="ann", item="A1", minute=1)
    returns(shelf, "back", kiosk="main-2")
    assert reserved(shelf) == {"A1": "ann"}
    shelf.say(Word.WITHDRAWAL, "wish", deed=Deed.PLACE_HOLD, membership="ann", item="A1", minute=1)
    assert (states(shelf), reserved(shelf)) == ({}, {})
    assert "hold_copy_stray:wish:back" in shelf.cases()


def test_a_copy_set_aside_for_a_hold_that_nobody_knows_is_a_stray_until_it_is_scanned_again(town: Any) -> None:
    shop(town)
    returns(town, "back", mode=Mode.OFFLINE, hold="lost-by-a-restore")
    assert town.cases() == {"hold_copy_stray:lost-by-a-restore:back"}
    returns(town, "again", minute=20)
    assert town.cases() == set()


def test_a_kiosk_cannot_say_that_a_hold_has_expired(shelf: Any) -> None:
    hold = places(shelf).act_id
    returns(shelf, "back")
    verdict = shelf.say(Word.FACT, "forged", deed=Deed.EXPIRE_HOLD, membership=None, item="A1", hold=hold, minute=99999)
    assert (verdict.outcome, verdict.reason) == (Outcome.CASE, Reason.CANNOT_BE_JUDGED)
    assert states(shelf)[hold][1] == "ready"


def test_a_loan_is_not_renewed_while_somebody_else_waits(shelf: Any) -> None:
    places(shelf)
    verdict = shelf.say(Word.REQUEST, "more", deed=Deed.RENEW, membership="ben", item="A1", minute=5)
    assert (verdict.outcome, verdict.reason) == (Outcome.REFUSED, Reason.ITEM_RESERVED)


def test_the_feed_tells_open_holds_and_that_they_ended(shelf: Any) -> None:
    hold = places(shelf).act_id
    returns(shelf, "back")
    page = shelf.central.feed.page(None, bytes(32), "")
    told = [entry for entry in page.entries if isinstance(entry, HoldEntry)]
    assert [(one.id, one.work, one.state, one.item) for one in told] == [(hold, "w", HoldState.READY, "A1")]
    assert [one.reserved_for for one in page.entries if isinstance(one, ItemEntry) and one.id == "A1"] == ["ann"]
    shelf.central.holds.cancel(hold)
    after = shelf.central.feed.page(page.cursor, bytes(32), "").entries
    assert [one.key for one in after if isinstance(one, GoneEntry)] == [hold]


def test_items_imported_again_keep_what_is_set_aside(shelf: Any) -> None:
    places(shelf)
    returns(shelf, "back")
    with shelf.central.registry.change("test") as change:
        change.items([ItemEntry(id="A1", title="新的書名", branch="main", work="w")])
    assert reserved(shelf) == {"A1": "ann"}


def test_a_hold_follows_its_copy_to_another_work(shelf: Any) -> None:
    hold = places(shelf).act_id
    with shelf.central.registry.change("test") as change:
        change.items([ItemEntry(id="A1", title="其實是另一本", branch="main", work="v")])
    assert returns(shelf, "other", "A2").hold is None
    assert returns(shelf, "own", "A1", minute=12).hold == hold


# --- any order ----------------------------------------------------------------------------------------------------

facts = st.lists(
    st.tuples(
        st.sampled_from(["main-1", "main-2", "east-1"]),
        st.sampled_from([*[Deed.RETURN] * 3, *[Deed.CHECKOUT] * 2, Deed.RENEW, Deed.CANCEL_HOLD]),
        st.sampled_from(["ann", "ben", "cid"]),
        st.sampled_from(["A1", "A2", "A3"]),
        st.sampled_from([None, 0, 1, 2]),
        st.integers(10, 60),
    ),
    min_size=1,
    max_size=10,
)
Told = tuple[str, Deed, str, str, int | None, int]


WAITING = ("ann", "ben", "cid")


def wishes(town: Any) -> list[tuple[str, WireWord]]:
    """Holds of all three, told again as facts after a restore; in this order, under ids that are the same in every town."""
    words = []
    for number, who in enumerate(WAITING):
        word = town.word(Word.FACT, f"hold-{number}", deed=Deed.PLACE_HOLD, membership=who, item="A1", minute=number)
        words.append(("main-1", replace(word, branch="east" if who == "cid" else "main")))
    return words


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=facts, data=st.data())
def test_facts_in_any_order_end_in_the_same_holds_and_cases(
    new_town: Callable[[], Any], told: list[Told], data: st.DataObject
) -> None:
    one, other = shop(new_town()), shop(new_town())
    words = wishes(one)
    for number, (kiosk, deed, who, item, hold, minute) in enumerate(told):
        word = one.word(Word.FACT, f"a{number}", deed=deed, membership=who, item=item, minute=minute, kiosk=kiosk)
        if deed is Deed.CANCEL_HOLD:
            hold = hold or 0
            word = replace(word, hold=f"hold-{hold}", membership=WAITING[hold])
        elif deed is Deed.RETURN and hold is not None:
            until = one.clock.now + timedelta(days=9) if minute % 2 else None
            word = replace(word, hold=f"hold-{hold}", due_at=until)
        words.append((kiosk, replace(word, branch=kiosk.partition("-")[0])))
    for kiosk, word in words:
        verdict = one.tell(word, kiosk=kiosk)[0]
        assert verdict.outcome in (Outcome.ACCEPTED, Outcome.NOTED, Outcome.CASE)
    for kiosk, word in data.draw(st.permutations([*words, *words]), label="order of arrival"):
        other.tell(word, kiosk=kiosk)
    assert _end(other) == _end(one)


def _end(town: Any) -> tuple[Any, ...]:
    with town.central.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(tables.hold).order_by(tables.hold.c.id))]
    return rows, reserved(town), town.cases(), town.loans()
