"""A damaged acts file: what can be read begins a new log, the file is kept, and it is said; never guessed."""

import os
from pathlib import Path

import pytest
from kiosk_sync import DUE, KEY, NOON, act, open_log, verdict

from kiosk.domain.journal import Act, Outcome, Word
from kiosk.ports import LedgerError, LedgerReason
from sync import acts
from sync.acts import ActsLog
from sync.rescue import prepare_or_rescue

PAGE = 4096


def full_log(folder: Path, facts: int = 300) -> list[Act]:
    """Facts, every second one settled."""
    log = open_log(folder)
    said = [act(item=number) for number in range(facts)]
    for number, one in enumerate(said):
        log.record(Word.FACT, one)
        if number % 2:
            log.settle(verdict(one))
    log.checkpoint()
    log.close()
    return said


def spoil(folder: Path, *pages: int) -> None:
    path = folder / acts.FILE
    content = bytearray(path.read_bytes())
    for page in pages:
        start = (page - 1) * PAGE
        content[start + 60 : start + 360] = os.urandom(300)
    path.write_bytes(content)


def last_page(folder: Path) -> int:
    return (folder / acts.FILE).stat().st_size // PAGE


def test_a_whole_log_is_left_as_it_is(tmp_path: Path) -> None:
    full_log(tmp_path, 20)
    before = open_log(tmp_path)
    incarnation = before.incarnation
    before.close()
    assert prepare_or_rescue(tmp_path, KEY, NOON) is None
    after = open_log(tmp_path)
    assert (after.incarnation, after.rescue()) == (incarnation, None)
    after.close()


def test_a_damaged_page_costs_only_its_own_rows_and_is_told(tmp_path: Path) -> None:
    said = full_log(tmp_path)
    before = open_log(tmp_path)
    incarnation = before.incarnation
    before.close()
    spoil(tmp_path, last_page(tmp_path))
    rescue = prepare_or_rescue(tmp_path, KEY, NOON)
    assert rescue is not None
    assert len(said) - 40 <= rescue.said_again <= len(said)
    log = ActsLog(tmp_path, KEY)
    assert log.incarnation != incarnation
    assert log.rescue() == rescue
    ids = [one.id for one in said]
    waiting = [word.act.id for word in log.unsent(999)]
    assert waiting == [one for one in ids if one in set(waiting)], "not in their order"
    assert len(waiting) == rescue.said_again
    assert [word.sequence for word in log.unsent(999)] == list(range(1, len(waiting) + 1))
    assert len(list(tmp_path.glob("acts.db.damaged-20261120T040000"))) == 1
    log.close()
    assert prepare_or_rescue(tmp_path, KEY, NOON) is None


def test_every_single_damaged_page_leaves_the_kiosk_able_to_start(tmp_path: Path) -> None:
    full_log(tmp_path / "whole", 60)
    whole = (tmp_path / "whole" / acts.FILE).read_bytes()
    for page in range(2, len(whole) // PAGE + 1):
        folder = tmp_path / f"page-{page}"
        folder.mkdir()
        (folder / acts.FILE).write_bytes(whole)
        spoil(folder, page)
        rescue = prepare_or_rescue(folder, KEY, NOON)
        assert rescue is not None
        log = ActsLog(folder, KEY)
        assert log.queue()[0] == rescue.said_again
        log.record(Word.FACT, act())
        log.close()


def test_requests_are_told_by_what_was_said_to_the_patron_and_never_guessed(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    accepted, refused, opened, withdrawn = (act(item=number) for number in range(4))
    for one in (accepted, refused, opened, withdrawn):
        log.record(Word.REQUEST, one)
    log.settle(verdict(accepted, Word.REQUEST, due_at=DUE))
    log.settle(verdict(refused, Word.REQUEST, Outcome.REFUSED, due_at=None))
    log.record(Word.WITHDRAWAL, withdrawn)
    for number in range(200):
        log.record(Word.FACT, act(item=number))
    log.checkpoint()
    log.close()
    spoil(tmp_path, last_page(tmp_path))
    assert prepare_or_rescue(tmp_path, KEY, NOON) is not None
    log = ActsLog(tmp_path, KEY)
    told = {word.act.id: word.word for word in log.unsent(999)}
    assert told.get(accepted.id, Word.FACT) is Word.FACT
    assert told.get(refused.id, Word.WITHDRAWAL) is Word.WITHDRAWAL
    assert told.get(opened.id, Word.WITHDRAWAL) is Word.WITHDRAWAL
    assert told.get(withdrawn.id, Word.WITHDRAWAL) is Word.WITHDRAWAL
    assert accepted.id in told
    log.close()


def test_a_file_that_cannot_be_told_from_one_with_another_key_is_not_touched(tmp_path: Path) -> None:
    full_log(tmp_path, 20)
    before = (tmp_path / acts.FILE).read_bytes()
    with pytest.raises(LedgerError) as caught:
        prepare_or_rescue(tmp_path, bytes(32), NOON)
    assert caught.value.reason is LedgerReason.WRONG_KEY
    assert (tmp_path / acts.FILE).read_bytes() == before
