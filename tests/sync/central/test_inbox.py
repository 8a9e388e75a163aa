"""Judge once: every cell of the table of words, replays, sequences, and words that make no sense."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import structs

from kiosk.domain.journal import Deed, Outcome, Spoken, Word
from kiosk.domain.reconcile import JOIN, Held, Judgement
from kiosk.domain.staff import EVERYWHERE
from kiosk.domain.values import IncarnationId, KioskId, Reason
from sync.central.inbox import BadPush, Inbox, Part
from sync.central.judge import judge
from sync.central.ruling import Known, Ruling
from sync.sealed_words import seal_word
from sync.wire import unpadded

from .conftest import NOON

LATER = {"due_at": datetime(2027, 3, 1, 15, 59, 59, tzinfo=UTC)}


def hold(town: Any, held: Held) -> str:
    """Brings central to hold this much of an act that borrows C1 for Ann."""
    act = "act-1"
    match held:
        case Held.ACCEPTED:
            assert town.say(Word.REQUEST, act).outcome is Outcome.ACCEPTED
        case Held.REFUSED:
            town.say(Word.FACT, "before", membership="ben", minute=-60)
            assert town.say(Word.REQUEST, act).reason is Reason.ITEM_ON_LOAN
        case Held.CANCELLED:
            assert town.say(Word.WITHDRAWAL, act).outcome is Outcome.CANCELLED
        case Held.FACT:
            assert town.say(Word.FACT, act).outcome is Outcome.ACCEPTED
        case Held.NOTHING:
            pass
    return act


EXPECTED = {
    (Held.NOTHING, Word.REQUEST): (Outcome.ACCEPTED, None, Held.ACCEPTED, "act-1", set()),
    (Held.NOTHING, Word.FACT): (Outcome.ACCEPTED, None, Held.FACT, "act-1", set()),
    (Held.NOTHING, Word.WITHDRAWAL): (Outcome.CANCELLED, None, Held.CANCELLED, None, set()),
    (Held.ACCEPTED, Word.REQUEST): (Outcome.ACCEPTED, None, Held.ACCEPTED, "act-1", set()),
    (Held.ACCEPTED, Word.FACT): (Outcome.ACCEPTED, None, Held.FACT, "act-1", set()),
    (Held.ACCEPTED, Word.WITHDRAWAL): (Outcome.CANCELLED, None, Held.CANCELLED, None, set()),
    (Held.REFUSED, Word.REQUEST): (Outcome.REFUSED, Reason.ITEM_ON_LOAN, Held.REFUSED, "before", set()),
    (Held.REFUSED, Word.FACT): (
        Outcome.CASE,
        Reason.LENT_TO_TWO,
        Held.FACT,
        "act-1",
        {"entered_after_refusal:act-1", "lent_to_two:before:act-1"},
    ),
    (Held.REFUSED, Word.WITHDRAWAL): (Outcome.CANCELLED, None, Held.CANCELLED, "before", set()),
    (Held.CANCELLED, Word.REQUEST): (Outcome.CANCELLED, Reason.CANCELLED, Held.CANCELLED, None, set()),
    (Held.CANCELLED, Word.FACT): (
        Outcome.CASE,
        Reason.FACT_AFTER_WITHDRAWAL,
        Held.CANCELLED,
        None,
        {"fact_after_withdrawal:act-1"},
    ),
    (Held.CANCELLED, Word.WITHDRAWAL): (Outcome.CANCELLED, None, Held.CANCELLED, None, set()),
    (Held.FACT, Word.REQUEST): (Outcome.ACCEPTED, None, Held.FACT, "act-1", set()),
    (Held.FACT, Word.FACT): (Outcome.ACCEPTED, None, Held.FACT, "act-1", set()),
    (Held.FACT, Word.WITHDRAWAL): (
        Outcome.CASE,
        Reason.WITHDRAWAL_AFTER_FACT,
        Held.FACT,
        "act-1",
        {"withdrawal_after_fact:act-1"},
    ),
}


def test_the_expectations_cover_the_whole_table() -> None:
    assert EXPECTED.keys() == JOIN.keys()
    assert {JOIN[cell] for cell in EXPECTED} == set(Judgement)


@pytest.mark.parametrize(("held", "word"), list(JOIN), ids=lambda value: value.value)
def test_each_cell_of_the_table(town: Any, held: Held, word: Word) -> None:
    act = hold(town, held)
    verdict = town.say(word, act)
    outcome, reason, after, loan, cases = EXPECTED[held, word]
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert town.central.holdings.acts()[act] is after
    assert (town.loans().get("C1") or (None,))[0] == loan
    assert town.cases() == cases


@pytest.mark.parametrize(("held", "word"), list(JOIN), ids=lambda value: value.value)
def test_a_replay_says_the_same_and_changes_nothing(town: Any, held: Held, word: Word) -> None:
    act = hold(town, held)
    told = town.word(word, act)
    first = town.tell(told)
    before = (town.loans(), town.cases(), town.central.feed.head(), town.central.holdings.acts())
    town.clock.go(hours=1)
    assert town.tell(told) == first
    assert town.tell(told, told) == first * 2
    assert (town.loans(), town.cases(), town.central.feed.head(), town.central.holdings.acts()) == before


def test_the_promised_due_date_is_never_shortened(town: Any) -> None:
    assert town.say(Word.FACT, "a", **LATER).due_at == LATER["due_at"]
    assert town.say(Word.FACT, "b", item="C2", due_at=town.clock.now).due_at > town.clock.now + timedelta(days=27)
    town.say(Word.REQUEST, "c", membership="ben", item="C3")
    assert town.say(Word.FACT, "c", membership="ben", item="C3", **LATER).due_at == LATER["due_at"]
    assert town.central.holdings.open_loans(item="C3")[0].due_at == LATER["due_at"]


def test_a_due_date_skips_the_closed_monday(town: Any) -> None:
    due = town.say(Word.FACT, "a", minute=-24 * 60).due_at  # Monday + 28 days is a Monday again
    assert due.isoformat() == "2026-12-22T15:59:59+00:00"


@pytest.mark.parametrize(
    ("more", "outcome", "reason"),
    [
        ({"membership": "nobody"}, Outcome.CASE, Reason.MEMBERSHIP_UNKNOWN),
        ({"item": "NEVER"}, Outcome.CASE, Reason.ITEM_UNKNOWN),
        ({"membership": "eve"}, Outcome.CASE, Reason.MEMBERSHIP_BLOCKED),
        ({"membership": "dora"}, Outcome.CASE, Reason.MEMBERSHIP_SUSPENDED),
        ({"item": "HELD"}, Outcome.CASE, Reason.ITEM_RESERVED),
        ({"item": "LOST"}, Outcome.CASE, Reason.ITEM_MISSING),
        ({"item": "DESK"}, Outcome.NOTED, Reason.ITEM_DESK_ONLY),
    ],
)
def test_a_fact_is_entered_whatever_the_rules_say(
    town: Any, more: dict[str, Any], outcome: Outcome, reason: Reason
) -> None:
    verdict = town.say(Word.FACT, "a", **more)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert town.loans() == {more.get("item", "C1"): ("a", more.get("membership", "ann"))}
    assert town.cases() == ({f"{reason.value}:a"} if outcome is Outcome.CASE else set())
    assert verdict.due_at is not None
    request = town.say(Word.REQUEST, "b", **(more | {"item": more.get("item", "C2")}))
    assert request.outcome is Outcome.REFUSED


def test_a_fact_over_quota_gets_a_note(town: Any) -> None:
    for number in range(1, 4):
        town.say(Word.REQUEST, f"a{number}", item=f"C{number}")
    assert town.say(Word.REQUEST, "a4", item="C4").reason is Reason.QUOTA_REACHED
    noted = town.say(Word.FACT, "a5", item="C5")
    assert (noted.outcome, noted.reason, dict(noted.details)) == (Outcome.NOTED, Reason.QUOTA_REACHED, {"limit": 3})


def test_quota_is_seen_within_one_push(town: Any) -> None:
    verdicts = town.tell(*(town.word(Word.REQUEST, f"a{number}", item=f"C{number}") for number in range(1, 6)))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ACCEPTED] * 3 + [Outcome.REFUSED] * 2


def test_returns_are_never_refused_and_never_withdrawn(town: Any) -> None:
    town.say(Word.FACT, "a")
    assert town.say(Word.REQUEST, "r", deed=Deed.RETURN, minute=5).outcome is Outcome.ACCEPTED
    assert town.loans() == {}
    withdrawn = town.say(Word.WITHDRAWAL, "r", deed=Deed.RETURN, minute=5)
    assert (withdrawn.outcome, withdrawn.reason) == (Outcome.CASE, Reason.WITHDRAWAL_AFTER_FACT)
    assert town.loans() == {}
    assert town.say(Word.REQUEST, "r2", deed=Deed.RETURN, minute=6).reason is Reason.ALREADY_RETURNED
    assert town.say(Word.FACT, "r3", deed=Deed.RETURN, item="C2").reason is Reason.ITEM_NOT_ON_LOAN
    assert town.say(Word.FACT, "r4", deed=Deed.RETURN, item="HELD").reason is Reason.ITEM_RESERVED
    assert town.say(Word.FACT, "r5", deed=Deed.RETURN, item="NEVER").reason is Reason.ITEM_UNKNOWN
    assert town.cases() == {"withdrawal_after_fact:r", "item_unknown:r5"}


def test_renewals_move_the_date_and_a_withdrawal_moves_it_back(town: Any) -> None:
    first = town.say(Word.FACT, "a").due_at
    town.clock.go(days=7)
    renewed = town.say(Word.REQUEST, "n", deed=Deed.RENEW, minute=7 * 24 * 60)
    assert renewed.outcome is Outcome.ACCEPTED
    assert renewed.due_at > first
    loan = town.central.holdings.open_loans(item="C1")[0]
    assert (loan.act_id, loan.due_at, loan.renewals) == ("a", renewed.due_at, 1)
    again = town.say(Word.REQUEST, "n2", deed=Deed.RENEW, minute=7 * 24 * 60 + 1)
    assert again.reason is Reason.RENEWALS_USED_UP
    assert town.say(Word.WITHDRAWAL, "n", deed=Deed.RENEW, minute=7 * 24 * 60).outcome is Outcome.CANCELLED
    assert town.central.holdings.open_loans(item="C1")[0].due_at == first
    assert town.say(Word.REQUEST, "n3", deed=Deed.RENEW, membership="ben").reason is Reason.ITEM_ON_LOAN
    assert town.say(Word.REQUEST, "n4", deed=Deed.RENEW, item="C2").reason is Reason.ITEM_NOT_ON_LOAN


def test_an_older_fact_enters_history_and_takes_nothing(town: Any) -> None:
    town.clock.go(hours=2)
    town.say(Word.FACT, "new", membership="ben", minute=60)
    old = town.say(Word.FACT, "old", kiosk="main-2", minute=0)
    assert (old.outcome, old.reason) == (Outcome.CASE, Reason.LENT_TO_TWO)
    assert town.loans() == {"C1": ("new", "ben")}
    assert town.cases() == {"lent_to_two:old:new"}
    back = town.say(Word.FACT, "back", deed=Deed.RETURN, kiosk="main-2", minute=30)
    assert (back.outcome, back.reason) == (Outcome.NOTED, Reason.OLDER_THAN_HOLDER)
    assert town.loans() == {"C1": ("new", "ben")}
    assert town.cases() == set()  # the return explains it
    closed = town.central.holdings.cases(include_closed=True)
    assert [(case.id, case.closed_by) for case in closed] == [("lent_to_two:old:new", "settled")]


def test_a_withdrawal_takes_back_only_what_its_act_did(town: Any) -> None:
    town.say(Word.REQUEST, "a")
    town.say(Word.FACT, "b", membership="ben", kiosk="main-2", minute=10)
    assert town.cases() == {"lent_to_two:a:b"}
    assert town.say(Word.WITHDRAWAL, "a").outcome is Outcome.CANCELLED
    assert town.loans() == {"C1": ("b", "ben")}
    assert town.cases() == set()


def test_an_accepted_request_is_the_newest_even_if_the_kiosks_clock_is_a_little_behind(town: Any) -> None:
    town.say(Word.FACT, "a", membership="ben", minute=-10)
    town.say(Word.REQUEST, "r", deed=Deed.RETURN, kiosk="main-2", minute=0.05)
    assert town.say(Word.REQUEST, "b", minute=0).outcome is Outcome.ACCEPTED
    assert town.loans() == {"C1": ("b", "ann")}


def test_held_through_counts_without_gaps_and_knows_settled_requests(town: Any) -> None:
    judge = town.central.inbox.judge

    def push(*words: Any) -> int:
        return int(judge("main-1", "log-1", words).held_through)

    def fact(number: int, **more: Any) -> Any:
        return town.word(Word.FACT, f"a{number}", item=f"C{number}", sequence=number, **more)

    assert push() == 0
    assert push(fact(1), fact(2)) == 2
    assert push(fact(4), fact(5)) == 2
    assert push(fact(7, request_sequence=6)) == 2
    assert push(fact(3)) == 7
    assert push(fact(3)) == 7
    assert town.central.inbox.held_through("main-1", "log-1") == 7
    assert town.central.inbox.held_through("main-1", "log-2") == 0
    assert town.central.inbox.held_through("main-2", "log-1") == 0


def test_a_sequence_used_twice_is_the_kiosks_fault_and_is_still_judged(town: Any) -> None:
    town.say(Word.FACT, "a", sequence=1)
    assert town.say(Word.FACT, "b", item="C2", sequence=1).outcome is Outcome.ACCEPTED
    assert town.loans().keys() == {"C1", "C2"}
    assert town.cases() == {"cannot_be_judged:b:a:sequence"}


def test_a_settled_request_told_again_as_a_fact_in_its_place_is_no_fault(town: Any) -> None:
    town.say(Word.REQUEST, "a", sequence=1)
    assert town.say(Word.FACT, "a", sequence=1).outcome is Outcome.ACCEPTED
    assert town.cases() == set()


@pytest.mark.parametrize("word", list(Word))
@pytest.mark.parametrize(
    "more",
    [
        {"membership": None},
        {"item": "x" * 10_000},
        {"item": "\x00\x1b"},
        {"item": ""},
        {"clock_offset_ms": 10**18},
        {"sequence": -1},
        {"sequence": 10**30},
        {"branch": "m" * 1000},
    ],
    ids=["patron", "long", "noise", "empty", "offset", "negative", "huge", "branch"],
)
def test_a_word_that_makes_no_sense_becomes_a_case_and_holds_back_nobody(
    town: Any, word: Word, more: dict[str, Any]
) -> None:
    bad = msgspec.structs.replace(town.word(word, "bad", item="C9"), **more)
    verdicts = town.tell(town.word(Word.FACT, "a"), bad, town.word(Word.FACT, "b", item="C2"))
    by_act = {verdict.act_id: verdict for verdict in verdicts}
    assert [verdict.act_id for verdict in verdicts] == ["a", "bad", "b"]
    assert by_act["bad"].reason is Reason.CANNOT_BE_JUDGED
    assert by_act["bad"].outcome is (Outcome.REFUSED if word is Word.REQUEST else Outcome.CASE)
    assert by_act["a"].outcome is by_act["b"].outcome is Outcome.ACCEPTED
    assert town.loans().keys() == {"C1", "C2"}
    assert town.cases() == {f"cannot_be_judged:bad:{word.value}"}
    assert town.tell(bad) == [by_act["bad"]]


def test_an_act_told_with_other_contents_changes_nothing(town: Any) -> None:
    town.say(Word.REQUEST, "a")
    assert town.say(Word.FACT, "a", item="C2").reason is Reason.CANNOT_BE_JUDGED
    assert town.loans() == {"C1": ("a", "ann")}


def test_an_act_of_another_kiosk_stays_as_it_is_and_tells_nothing(town: Any) -> None:
    town.say(Word.REQUEST, "a")
    for word in Word:
        foreign = town.say(word, "a", kiosk="main-2")
        assert foreign.reason is Reason.CANNOT_BE_JUDGED
        assert foreign.due_at is None
    assert town.loans() == {"C1": ("a", "ann")}
    assert town.cases() == {"cannot_be_judged:a:from:main-2"}


def test_an_error_of_ours_in_judging_holds_back_nobody(town: Any) -> None:
    def broken(spoken: Spoken, known: Known) -> Ruling:
        if spoken.act.id == "bad":
            raise ZeroDivisionError
        return judge(spoken, known)

    town.central.inbox = Inbox(town.central.database, town.clock, judge=broken)
    verdicts = town.tell(town.word(Word.FACT, "bad"), town.word(Word.FACT, "b", item="C2"))
    assert [verdict.reason for verdict in verdicts] == [Reason.CANNOT_BE_JUDGED, None]
    assert town.loans().keys() == {"C2"}


def test_an_error_in_entering_is_found_word_by_word(town: Any) -> None:
    def broken(spoken: Spoken, known: Known) -> Ruling:
        ruling = judge(spoken, known)
        if spoken.act.id == "bad":
            unwritable: Any = {"thing": object()}  # fails after loan and act have been changed in memory
            return replace(ruling, details=unwritable)
        return ruling

    town.central.inbox = Inbox(town.central.database, town.clock, judge=broken)
    words = [town.word(Word.FACT, act, item=item) for act, item in (("a", "C1"), ("bad", "C2"), ("b", "C3"))]
    verdicts = town.tell(*words)
    assert [verdict.reason for verdict in verdicts] == [None, Reason.CANNOT_BE_JUDGED, None]
    assert town.loans().keys() == {"C1", "C3"}
    assert town.central.inbox.held_through("main-1", "log-1") == 3


def test_ids_that_no_verdict_could_name_are_a_bad_push(town: Any) -> None:
    for act in ("", "x" * 65, "書", "a\nb"):
        with pytest.raises(BadPush):
            town.say(Word.FACT, act)


def test_words_of_one_push_are_judged_in_sequence_order_and_answered_in_push_order(town: Any) -> None:
    lend, back = town.word(Word.FACT, "a"), town.word(Word.FACT, "r", deed=Deed.RETURN, minute=1)
    verdicts = town.tell(back, lend)
    assert [(verdict.act_id, verdict.outcome) for verdict in verdicts] == [
        ("r", Outcome.ACCEPTED),
        ("a", Outcome.ACCEPTED),
    ]
    assert town.loans() == {}


# --- time --------------------------------------------------------------------------------------------------------


def lent_at(town: Any) -> datetime:
    (loan,) = town.central.holdings.open_loans()
    return loan.lent_at


def test_nothing_happened_after_it_was_told(town: Any) -> None:
    ahead = town.word(Word.FACT, "ahead", minute=24 * 60)
    town.central.inbox.judge(KioskId("main-1"), IncarnationId("log-1"), [ahead])
    assert lent_at(town) == NOON


def test_nothing_happened_before_its_kiosk_had_last_heard_of_central(town: Any) -> None:
    town.clock.go(hours=2)
    town.say(Word.FACT, "back", minute=-24 * 60, heard_at=NOON + timedelta(minutes=7))
    assert lent_at(town) == NOON + timedelta(minutes=7, microseconds=1)


def test_a_doubtful_return_beside_a_loan_is_a_case_until_a_person_closes_it(town: Any) -> None:
    town.say(Word.FACT, "lent", minute=0)
    town.clock.go(hours=2)
    more = {"deed": Deed.RETURN, "kiosk": "main-2", "heard_at": NOON - timedelta(hours=1), "doubtful": True}
    back = town.say(Word.FACT, "back", minute=-24 * 60, **more)
    assert (back.outcome, back.reason) == (Outcome.CASE, Reason.ORDER_UNKNOWN)
    assert town.loans() == {"C1": ("lent", "ann")}
    assert town.cases() == {"order_unknown:back:lent"}
    town.say(Word.FACT, "surely", deed=Deed.RETURN, kiosk="main-2", minute=60)
    assert town.cases() == {"order_unknown:back:lent"}
    town.central.worklist.done("order_unknown:back:lent", "查過了", who="chen", within=frozenset({EVERYWHERE}))
    town.clock.go(hours=1)
    town.say(Word.FACT, "again", minute=150)
    assert town.cases() == set()


@pytest.mark.parametrize("first", ["lent", "renewed"])
def test_a_renewal_of_a_reserved_book_is_a_case_whether_or_not_its_loan_was_heard_of(town: Any, first: str) -> None:
    town.clock.go(hours=2)
    lent = town.word(Word.FACT, "lent", item="HELD")
    renewed = town.word(Word.FACT, "renewed", item="HELD", deed=Deed.RENEW, minute=1)
    for word in (lent, renewed) if first == "lent" else (renewed, lent):
        town.tell(word)
    assert town.cases() == {"item_reserved:lent", "item_reserved:renewed"}


# --- several kiosks in one transaction ------------------------------------------------------------------------------


def test_kiosks_that_ask_at_the_same_time_are_judged_in_one_transaction_each_with_its_own_log(town: Any) -> None:
    commits: list[int] = []
    town.central.database.on_commit(lambda: commits.append(1))
    parts = [
        Part((KioskId("main-1"), IncarnationId("log-1")), [town.word(Word.REQUEST, "one", item="C1", sequence=1)]),
        Part(
            (KioskId("main-2"), IncarnationId("log-2")),
            [town.word(Word.REQUEST, "two", item="C1", membership="ben", sequence=1)],
        ),
        Part((KioskId("main-3"), IncarnationId("log-3")), [town.word(Word.FACT, "three", item="C2", sequence=5)]),
        Part((KioskId("main-1"), IncarnationId("log-1")), [town.word(Word.REQUEST, "four", item="C3", sequence=2)]),
    ]
    judged = town.central.inbox._transaction(parts)
    assert len(commits) == 1
    assert [one.verdicts[0].outcome for one in judged] == [
        Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED, Outcome.ACCEPTED,
    ]  # fmt: skip
    assert judged[1].verdicts[0].reason is Reason.ITEM_ON_LOAN
    assert [one.held_through for one in judged] == [2, 1, 0, 2]
    assert town.loans() == {"C1": ("one", "ann"), "C2": ("three", "ann"), "C3": ("four", "ann")}
    again = town.central.inbox._transaction(parts)
    assert [one.verdicts for one in again] == [one.verdicts for one in judged]


def test_a_word_that_cannot_be_written_holds_back_no_other_kiosk(town: Any) -> None:
    def spoiling(spoken: Spoken, known: Known) -> Ruling:
        ruling = judge(spoken, known)
        if spoken.act.id == "bad":  # a reason that no column takes
            return replace(ruling, details={"of": object()})  # type: ignore[dict-item]
        return ruling

    inbox = Inbox(town.central.database, town.clock, judge=spoiling)
    parts = [
        Part((KioskId("main-1"), IncarnationId("log-1")), [town.word(Word.FACT, "bad", item="C1", sequence=1)]),
        Part((KioskId("main-2"), IncarnationId("log-2")), [town.word(Word.FACT, "good", item="C2", sequence=1)]),
        Part((KioskId("main-3"), IncarnationId("log-3")), []),  # asks how far central is
    ]
    bad, good, empty = inbox._group(parts)
    assert empty.verdicts == []
    assert bad.verdicts[0].reason is Reason.CANNOT_BE_JUDGED
    assert good.verdicts[0].outcome is Outcome.ACCEPTED
    assert town.loans() == {"C2": ("good", "ann")}


# --- sealed words -------------------------------------------------------------------------------------------------


def sealed(town: Any, word: Any, kiosk: str = "main-1") -> Any:
    """As a kiosk tells it that can read it no more."""
    piece = unpadded(seal_word(word, kiosk, town.central.fleet.opens().public_key()))
    return structs.replace(word, membership=None, item="", branch="", due_at=None, sealed=piece)


def test_a_sealed_fact_is_judged_as_in_clear_and_once(town: Any) -> None:
    word = town.word(Word.FACT, "a", due_at=NOON + timedelta(days=30))
    said = town.tell(sealed(town, word))[0]
    assert said.outcome is Outcome.ACCEPTED
    assert town.loans() == {"C1": ("a", "ann")}
    assert town.tell(word) == [said] == town.tell(sealed(town, word))


def test_a_word_sealed_by_another_kiosk_or_to_another_central_is_a_case_and_holds_back_nobody(town: Any) -> None:
    strange, plain = sealed(town, town.word(Word.FACT, "a"), "east-1"), town.word(Word.FACT, "b", item="C2")
    assert [said.outcome for said in town.tell(strange, plain)] == [Outcome.CASE, Outcome.ACCEPTED]
    assert town.loans() == {"C2": ("b", "ann")}


def test_sealed_words_of_a_stolen_kiosk_are_cases_that_name_the_item(town: Any) -> None:
    word = sealed(town, town.word(Word.FACT, "a"))
    judged = town.central.inbox.judge(KioskId("main-1"), IncarnationId("log-1"), [word], as_cases=True)
    assert judged.verdicts[0].reason is Reason.SEALED_BY_STOLEN_KIOSK
    (case,) = town.central.holdings.cases()
    assert case.item == "C1"
