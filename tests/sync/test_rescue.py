"""A damaged acts file: what can be read begins a new log, the file is kept, and it is said; never guessed."""

import os
from pathlib import Path

import pytest
from kiosk_sync import DUE, KEY, NOON, act, log_of_revision, open_log, verdict
from sqlcipher3 import dbapi2 as sqlcipher

from kiosk.domain.journal import Act, Outcome, Word
from kiosk.ports import LedgerError, LedgerReason
from sync import acts
from sync.acts import ActsLog
from sync.encrypted import Connection, connect
from sync.migrations import runner
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
    before.note_kiosk("main-1")
    before.checkpoint()
    incarnation = before.incarnation
    before.close()
    spoil(tmp_path, last_page(tmp_path))
    rescue = prepare_or_rescue(tmp_path, KEY, NOON)
    assert rescue is not None
    assert len(said) - 40 <= rescue.said_again <= len(said)
    log = ActsLog(tmp_path, KEY)
    assert log.incarnation != incarnation
    assert (log.rescue(), log.kiosk()) == (rescue, "main-1")
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


@pytest.mark.parametrize("revision", ["acts_0002", "acts_0004", "acts_0005", "acts_0006", "acts_0008"])
def test_a_log_that_was_damaged_before_an_upgrade_is_rescued_all_the_same(tmp_path: Path, revision: str) -> None:
    whole_folder = tmp_path / "whole"
    log_of_revision(whole_folder, revision)
    db = connect(whole_folder / acts.FILE, KEY, durable=True)
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO word (sequence, act, word, deed, membership, item, branch, happened_at, mode, due_at) "
        "VALUES (?, ?, 'fact', 'checkout', 'm-ann', 'C0000001', 'main', 1000000, 'offline', 2000000)",
        [(number, f"00000000-0000-7000-8000-{number:012}") for number in range(1, 61)],
    )
    db.execute("COMMIT")
    db.close()
    whole = (whole_folder / acts.FILE).read_bytes()
    rescued = set()
    for page in range(3, len(whole) // PAGE + 1):
        folder = tmp_path / f"page-{page}"
        folder.mkdir()
        (folder / acts.FILE).write_bytes(whole)
        spoil(folder, page)
        rescue = prepare_or_rescue(folder, KEY, NOON)
        assert rescue is not None, page
        rescued.add(rescue.said_again)
        log = ActsLog(folder, KEY)
        assert len(log.unsent(99)) == rescue.said_again
        log.close()
    assert max(rescued) == 60


def test_a_damaged_log_of_a_newer_program_is_left_for_that_program(tmp_path: Path) -> None:
    full_log(tmp_path)
    db = connect(tmp_path / acts.FILE, KEY, durable=True)
    db.execute("UPDATE alembic_version SET version_num = 'acts_9999'")
    db.close()
    spoil(tmp_path, last_page(tmp_path))
    before = (tmp_path / acts.FILE).read_bytes()
    with pytest.raises(LedgerError) as caught:
        prepare_or_rescue(tmp_path, KEY, NOON)
    assert caught.value.reason is LedgerReason.NEWER_SCHEMA
    assert (tmp_path / acts.FILE).read_bytes() == before


def test_a_disk_that_is_full_at_an_upgrade_is_told_as_such(tmp_path: Path) -> None:
    log_of_revision(tmp_path, "acts_0005")
    pages = (tmp_path / acts.FILE).stat().st_size // PAGE

    def on_a_full_disk() -> Connection:
        opened = connect(tmp_path / acts.FILE, KEY, durable=True)
        opened.execute(f"PRAGMA max_page_count = {pages}")
        return opened

    with pytest.raises(sqlcipher.OperationalError, match="full"):
        runner.upgrade(on_a_full_disk, acts.FILE, "acts", "acts_0005")


@pytest.mark.parametrize("size", [0, None])
def test_a_file_that_was_only_begun_is_made_whole(tmp_path: Path, size: int | None) -> None:
    if size is not None:
        (tmp_path / acts.FILE).write_bytes(bytes(size))
    assert prepare_or_rescue(tmp_path, KEY, NOON) is None
    log = ActsLog(tmp_path, KEY)
    assert log.record(Word.FACT, act()).sequence == 1
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
