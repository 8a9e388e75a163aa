"""The kiosk's own log on real encrypted files: said once, in order, never lost, said again after a restore."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk_sync import ANN, DUE, KEY, NOON, act, log_of_revision, open_log, verdict
from sqlcipher3 import dbapi2 as sqlcipher
from structlog.testing import capture_logs

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Word
from kiosk.domain.values import ActId, ItemId, Reason
from sync import acts
from sync.acts import ActsLog
from sync.encrypted import connect

LATER = DUE + timedelta(days=3)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ActsLog]:
    log = open_log(tmp_path)
    yield log
    log.close()


def asked(log: ActsLog, outcome: Outcome | None = Outcome.ACCEPTED, position: int = 7, **wishes: object) -> Act:
    """A request, with its verdict unless `outcome` is None."""
    said = act(mode=Mode.ONLINE, **wishes)  # type: ignore[arg-type]
    log.record(Word.REQUEST, said)
    if outcome is not None:
        log.settle(verdict(said, Word.REQUEST, outcome, position=position, due_at=LATER if outcome.stands else None))
    return said


def told(words: tuple[Spoken, ...]) -> list[tuple[int, Word, str]]:
    return [(spoken.sequence, spoken.word, spoken.act.id) for spoken in words]


def test_a_word_comes_back_as_it_was_said(log: ActsLog, tmp_path: Path) -> None:
    said = act()
    assert log.record(Word.FACT, said) == Spoken(sequence=1, word=Word.FACT, act=said)
    other = ActsLog(tmp_path, KEY)
    assert other.newest_word(said.id) == Spoken(sequence=1, word=Word.FACT, act=said)
    assert other.newest_word(ActId("nobody")) is None
    other.close()


def test_a_last_word_names_the_place_of_its_request(log: ActsLog) -> None:
    said = asked(log, None)
    assert log.record(Word.FACT, said).request_sequence == 1


@pytest.mark.parametrize("first", [Word.FACT, Word.WITHDRAWAL])
@pytest.mark.parametrize("second", [Word.FACT, Word.WITHDRAWAL])
def test_an_act_has_at_most_one_last_word(log: ActsLog, first: Word, second: Word) -> None:
    said = asked(log, None)
    log.record(first, said)
    with pytest.raises(sqlcipher.IntegrityError):
        log.record(second, said)
    assert told(log.unsent(9)) == [(2, first, said.id)]


def test_a_request_is_said_once(log: ActsLog) -> None:
    said = asked(log, None)
    with pytest.raises(sqlcipher.IntegrityError):
        log.record(Word.REQUEST, said)


def test_a_word_that_was_not_written_takes_no_place(log: ActsLog) -> None:
    said = act()
    log.record(Word.FACT, said)
    with pytest.raises(sqlcipher.IntegrityError):
        log.record(Word.FACT, said)
    assert log.record(Word.FACT, act()).sequence == 2


def test_two_threads_connections_share_one_gapless_sequence(log: ActsLog, tmp_path: Path) -> None:
    other = ActsLog(tmp_path, KEY)
    assert [each.record(Word.FACT, act()).sequence for each in (log, other, log, other)] == [1, 2, 3, 4]
    assert other.incarnation == log.incarnation != ""
    other.close()


def test_the_sequence_goes_on_after_a_restart_and_a_prune_of_everything(log: ActsLog, tmp_path: Path) -> None:
    for _ in range(3):
        said = act()
        log.record(Word.FACT, said)
        log.settle(verdict(said))
    log.agree("e1", 3)
    log.note_held(NOON)
    assert log.prune(NOON + timedelta(days=1)) == 2
    log.close()
    again = open_log(tmp_path)
    assert again.record(Word.FACT, act()).sequence == 4
    again.close()


def test_an_open_request_has_neither_verdict_nor_last_word(log: ActsLog) -> None:
    open_one = asked(log, None)
    asked(log, Outcome.ACCEPTED)
    asked(log, Outcome.REFUSED)
    log.record(Word.WITHDRAWAL, asked(log, None))
    log.record(Word.FACT, act())
    assert [found.id for found in log.open_requests()] == [open_one.id]


def test_the_queue_holds_facts_and_withdrawals_until_they_have_a_verdict(log: ActsLog) -> None:
    fact = act(minute=5)
    log.record(Word.FACT, fact)
    withdrawn = asked(log, None)
    log.record(Word.WITHDRAWAL, withdrawn)
    assert told(log.unsent(9)) == [(1, Word.FACT, fact.id), (3, Word.WITHDRAWAL, withdrawn.id)]
    assert told(log.unsent(1)) == [(1, Word.FACT, fact.id)]
    assert log.queue() == (2, NOON)
    log.settle_all([verdict(fact), verdict(withdrawn, Word.WITHDRAWAL, Outcome.CANCELLED)])
    assert log.queue() == (0, None)


def test_the_newest_time_is_that_of_the_newest_word_by_the_later_clock_or_what_central_said(log: ActsLog) -> None:
    log.note_held(NOON)
    assert log.newest() is None  # an empty log is one, whatever it was told
    log.record(Word.FACT, act(minute=9))
    log.record(Word.FACT, replace(act(minute=3), clock_offset=timedelta(days=-1)))
    assert log.newest() == NOON + timedelta(minutes=3)
    log.record(Word.FACT, replace(act(minute=3), clock_offset=timedelta(days=1)))
    assert log.newest() == NOON + timedelta(days=1, minutes=3)
    log.agree("e1", 1)
    log.note_held(NOON + timedelta(days=2))
    assert log.newest() == NOON + timedelta(days=2)


def test_within_an_epoch_the_first_verdict_stays(log: ActsLog) -> None:
    said = act()
    log.record(Word.FACT, said)
    log.settle(verdict(said, outcome=Outcome.NOTED, position=5))
    log.settle(verdict(said, outcome=Outcome.CASE, position=9))
    assert log.standing(said.item, "e1", 4) is not None
    assert log.standing(said.item, "e1", 5) is None
    log.settle(verdict(said, outcome=Outcome.CASE, epoch="e2", position=1))
    held = log.standing(said.item, "e1", 99)
    assert held is not None
    assert held[1] is not None
    assert (held[1].outcome, held[1].epoch) == (Outcome.CASE, "e2")


def test_a_verdict_keeps_its_reason_details_and_due_date(log: ActsLog) -> None:
    said = act()
    log.record(Word.FACT, said)
    full = replace(verdict(said, reason=Reason.LENT_TO_TWO, due_at=LATER), details={"title": "測試書", "count": 2})
    log.settle(full)
    held = log.standing(said.item, "e1", 0)
    assert held is not None
    assert held[1] == full


def test_a_verdict_of_an_act_that_is_not_ours_changes_nothing(log: ActsLog) -> None:
    log.settle(verdict(act()))
    assert log.queue() == (0, None)


# --- central's epoch and what it holds ---------------------------------------------------------------------------


def test_the_first_contact_and_an_unchanged_central_say_nothing_again(log: ActsLog) -> None:
    asked(log)
    assert log.agree("e1", 1) == 0
    assert log.agree("e1", 1) == 0
    assert log.agree("e1", 5) == 0
    assert log.queue() == (0, None)


@pytest.mark.parametrize(("epoch", "held"), [("e2", 1), ("e2", 5), ("e1", 1)], ids=["new", "new, whole", "lower"])
def test_a_restored_central_hears_again_what_it_lost(log: ActsLog, epoch: str, held: int) -> None:
    first = act(1)
    log.record(Word.FACT, first)
    log.settle(verdict(first))
    accepted = asked(log, item=2)
    refused = asked(log, Outcome.REFUSED, item=3)
    last = act(4)
    log.record(Word.FACT, last)
    log.settle(verdict(last))
    log.record(Word.FACT, act(5))
    log.agree("e1", 5)
    again = log.agree(epoch, held)
    words = log.unsent(99)
    assert again == len(words)
    if held == 5:
        assert [spoken.sequence for spoken in words] == [5]
        return
    assert told(words[:2]) == [(4, Word.FACT, last.id), (5, Word.FACT, words[1].act.id)]
    assert told(words[2:]) == [(6, Word.FACT, accepted.id), (7, Word.WITHDRAWAL, refused.id)]
    assert words[2].act.due_at == LATER
    assert [spoken.request_sequence for spoken in words[2:]] == [2, 3]
    assert log.agree(epoch, held) == 0


def test_after_a_restore_the_new_verdict_counts(log: ActsLog) -> None:
    said = act()
    log.record(Word.FACT, said)
    log.settle(verdict(said))
    log.agree("e1", 1)
    assert log.agree("e2", 0) == 1
    log.settle(verdict(said, outcome=Outcome.CASE, epoch="e2", position=3))
    assert log.queue() == (0, None)
    assert log.standing(said.item, "e2", 3) is None
    assert log.standing(said.item, "e2", 2) is not None


def test_what_a_restored_central_still_holds_counts_until_its_feed_was_read(log: ActsLog) -> None:
    said = act()
    log.record(Word.FACT, said)
    log.settle(verdict(said, position=50))
    log.agree("e1", 1)
    log.agree("e2", 1)
    assert log.standing(said.item, "e1", 40) is not None
    assert log.standing(said.item, "e2", 3) is None


def test_a_loan_said_again_after_its_return_does_not_come_back(log: ActsLog) -> None:
    asked(log)
    log.record(Word.FACT, act(deed=Deed.RETURN, minute=5))
    log.agree("e1", 1)
    log.agree("e2", 0)
    assert [spoken.word for spoken in log.unsent(9)] == [Word.FACT, Word.FACT]
    held = log.standing(act().item, "e1", 7)
    assert held is not None
    assert held[0].act.deed is Deed.RETURN


def renewed(log: ActsLog, item: ItemId, epoch: str, position: int) -> tuple[datetime | None, int]:
    own = log.own(item, epoch, position)
    return own.due_at, own.renewals


def test_a_renewal_said_again_counts_once(log: ActsLog) -> None:
    item = asked(log).item
    renewal = asked(log, deed=Deed.RENEW)
    assert renewed(log, item, "e1", 0) == (LATER, 1)
    log.agree("e1", 2)
    log.agree("e2", 0)
    assert renewed(log, item, "e2", 0) == (LATER, 1)
    log.settle(verdict(renewal, epoch="e2", position=3, due_at=LATER))
    assert renewed(log, item, "e2", 2) == (LATER, 1)
    assert renewed(log, item, "e2", 3) == (None, 0)


# --- prune -------------------------------------------------------------------------------------------------------


def test_prune_keeps_what_is_young_unsettled_open_or_not_held(log: ActsLog) -> None:
    settled = act()
    log.record(Word.FACT, settled)
    log.settle(verdict(settled))
    unsettled = act()
    log.record(Word.FACT, unsettled)
    open_one = asked(log, None)
    log.agree("e1", 3)
    log.note_held(NOON)
    young = act()
    log.record(Word.FACT, young)
    log.settle(verdict(young))
    not_held = act()
    log.record(Word.FACT, not_held)
    log.settle(verdict(not_held))
    log.record(Word.FACT, act())
    log.agree("e1", 4)
    log.note_held(NOON + timedelta(minutes=9))
    assert log.prune(NOON - timedelta(minutes=5)) == 0
    assert log.prune(NOON + timedelta(minutes=5)) == 1
    assert log.newest_word(settled.id) is None
    for kept in (unsettled, open_one, young, not_held):
        assert log.newest_word(kept.id) is not None
    assert [found.id for found in log.open_requests()] == [open_one.id]


def test_a_central_whose_clock_was_ahead_once_holds_nothing_back_afterwards(log: ActsLog) -> None:
    for _ in range(3):
        said = act()
        log.record(Word.FACT, said)
        log.settle(verdict(said))
    log.agree("e1", 3)
    log.note_held(NOON + timedelta(days=366))
    log.note_held(NOON)
    assert log.prune(NOON) == 2


# --- what no screen showed ---------------------------------------------------------------------------------------


def test_what_no_screen_showed_is_told_once_in_the_log_by_item_and_time_without_the_reader(log: ActsLog) -> None:
    lost = act()
    log.record(Word.FACT, lost)
    with capture_logs() as told:
        log.unshown()
        log.unshown()
    (line,) = [one for one in told if one["event"] == "an act was recorded and may not have been shown"]
    assert (line["act"], line["item"], line["at"]) == (lost.id, lost.item, lost.corrected_at.isoformat())
    assert ANN not in str(line)


def test_a_note_that_something_was_shown_leaves_the_next_word_as_durable_as_ever(log: ActsLog) -> None:
    first = act()
    log.record(Word.FACT, first)
    log.shown([first.id])
    assert log._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_what_an_older_program_recorded_is_not_brought_up(tmp_path: Path) -> None:
    log_of_revision(tmp_path, "acts_0007")
    db = connect(tmp_path / acts.FILE, KEY, durable=True)
    db.execute(
        "INSERT INTO word (sequence, act, word, deed, item, branch, happened_at, mode) "
        "VALUES (1, 'old-1', 'fact', 'return', 'C0000001', 'main', 1000000, 'offline')"
    )
    db.close()
    log = open_log(tmp_path)
    assert log.unshown() == ()
    log.close()


def test_what_an_earlier_program_kept_for_staff_is_still_there_for_them(tmp_path: Path) -> None:
    log_of_revision(tmp_path, "acts_0008")
    db = connect(tmp_path / acts.FILE, KEY, durable=True)
    db.execute(
        "INSERT INTO word (sequence, act, word, deed, item, branch, happened_at, clock_offset_ms, mode, request_sequence) VALUES "
        "(1, 'old-1', 'request', 'checkout', 'C0000001', 'main', 1000000, 2000, 'online', NULL), "
        "(2, 'old-1', 'fact', 'checkout', 'C0000001', 'main', 1000000, 2000, 'offline', 1)"
    )
    db.execute("INSERT INTO unshown VALUES ('old-1')")
    db.close()
    log = open_log(tmp_path)
    (kept,) = log.unshown()
    assert (kept.id, kept.item, kept.corrected_at) == ("old-1", "C0000001", datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC))
    log.close()


# --- what an older program wrote ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "revision", ["acts_0001", "acts_0002", "acts_0003", "acts_0004", "acts_0005", "acts_0006", "acts_0008"]
)
def test_a_log_of_every_older_program_goes_on_and_what_central_holds_of_it_is_kept_its_days(
    tmp_path: Path, revision: str
) -> None:
    log_of_revision(tmp_path, revision)
    db = connect(tmp_path / acts.FILE, KEY, durable=True)
    db.executemany(
        "INSERT INTO word (sequence, act, word, deed, item, branch, happened_at, mode, outcome, epoch, position) "
        "VALUES (?, ?, 'fact', 'return', 'C0000001', 'main', 1000000, 'offline', ?, 'e1', 1)",
        [(1, "old-1", "accepted"), (2, "old-2", "accepted"), (3, "old-3", None)],
    )
    db.executemany("INSERT INTO meta VALUES (?, ?)", [("epoch", "e1"), ("held_through", "2")])
    db.close()
    log = open_log(tmp_path)
    assert log.incarnation == "an-older-log"
    assert told(log.unsent(9)) == [(3, Word.FACT, "old-3")]
    assert log.queue() == (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    log.note_held(NOON)
    assert log.prune(NOON - timedelta(seconds=1)) == 0
    assert log.prune(NOON) == 2
    assert log.record(Word.FACT, act()).sequence == 4
    log.close()


def test_how_many_words_wait_and_since_when_is_told_by_a_small_index_alone(log: ActsLog) -> None:
    plan = log._db.execute(f"EXPLAIN QUERY PLAN {acts.QUEUE}").fetchall()
    assert [step[-1] for step in plan] == ["SCAN word USING INDEX outbox"]
    steps = [step[1:4] for step in log._db.execute(f"EXPLAIN {acts.QUEUE}").fetchall()]
    (table,) = log._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'word'").fetchone()
    rows = {cursor for step, cursor, page in steps if step == "OpenRead" and page == table}
    assert rows
    assert not any(step in ("Column", "FinishSeek") and cursor in rows for step, cursor, _ in steps)


# --- any history -------------------------------------------------------------------------------------------------


@given(steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=25))
@settings(max_examples=30, deadline=None)
def test_in_any_history_sequences_are_gapless_and_nothing_unsaid_is_lost(
    steps: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = open_log(tmp_path_factory.mktemp("acts"))
    said: list[Act] = []
    places: list[int] = []
    pending: set[str] = set()
    for kind, which in steps:
        if kind in (0, 1):
            said.append(act(item=which))
            word = Word.FACT if kind else Word.REQUEST
            places.append(log.record(word, said[-1]).sequence)
            if kind:
                pending.add(said[-1].id)
        elif kind == 2 and (opened := log.open_requests()):
            places.append(log.record(Word.WITHDRAWAL, opened[0]).sequence)
            pending.add(opened[0].id)
        elif kind == 3 and (waiting := log.unsent(1)):
            log.settle(verdict(waiting[0].act, waiting[0].word))
            pending.discard(waiting[0].act.id)
        elif kind == 4:
            log.check()
        elif kind == 5:
            log.agree("e1", len(places))
            log.note_held(NOON)
            log.prune(NOON)
    assert places == list(range(1, len(places) + 1))
    assert {spoken.act.id for spoken in log.unsent(99)} == pending
    assert log.queue()[0] == len(pending)
    log.close()


def test_an_item_with_many_acts_is_still_judged_by_its_newest(log: ActsLog) -> None:
    for number in range(40):
        log.record(Word.FACT, act(minute=number))
        log.record(Word.FACT, act(deed=Deed.RETURN, minute=number))
    newest = act(minute=90)
    log.record(Word.FACT, newest)
    held = log.standing(newest.item, "", -1)
    assert held is not None
    assert held[0].act.id == newest.id
    assert log.items_lent_to(ANN, "e1", 0) == (newest.item,)


def test_the_newest_word_of_an_item_is_found_without_sorting_them_all(log: ActsLog) -> None:
    plan = log._db.execute(f"EXPLAIN QUERY PLAN {acts._OF_ITEM}", ("C0000001",)).fetchall()
    assert [step[-1] for step in plan] == ["SEARCH word USING INDEX word_of_item (item=?)"]


# --- answers that a restore overtook ------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REFUSED])
def test_what_a_patron_is_told_on_a_request_is_said_again_when_central_was_restored_meanwhile(
    tmp_path: Path, outcome: Outcome
) -> None:
    log = open_log(tmp_path)
    said = act()
    log.agree("e1", 0)
    log.record(Word.REQUEST, said)
    log.agree("e2", 0)  # the answer of e1 still lies in the mailbox
    later = DUE + timedelta(days=3)
    log.settle(verdict(said, Word.REQUEST, outcome, due_at=later))
    (again,) = log.unsent(9)
    expected = Word.FACT if outcome is Outcome.ACCEPTED else Word.WITHDRAWAL
    assert (again.act.id, again.word, again.request_sequence) == (said.id, expected, 1)
    assert again.act.due_at == later
    log.settle(verdict(said, Word.REQUEST, outcome, due_at=later))
    assert len(log.unsent(9)) == 1
    log.close()


def test_a_fact_whose_verdict_a_restore_overtook_stays_in_the_outbox(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    said = act(deed=Deed.RETURN)
    log.agree("e1", 0)
    log.record(Word.FACT, said)
    log.agree("e2", 0)
    log.settle(verdict(said, epoch="e1", position=900))
    assert [word.act.id for word in log.unsent(9)] == [said.id]
    log.settle(verdict(said, epoch="e2", position=3))
    log.settle(verdict(said, epoch="e1", position=900))
    assert log.queue() == (0, None)
    assert log.standing(said.item, "e2", 3) is None
    log.close()
