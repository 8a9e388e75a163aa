"""The two files on disk: unreadable without the key, whole after every fault, and honest about what is wrong."""

import os
import resource
import sqlite3
from pathlib import Path

import pytest
from kiosk_sync import CARD, INDEX_KEY, KEY, act, card, copy, open_log, open_replica, page, patron, verdict

from kiosk.domain.journal import Act, Word
from kiosk.ports import LedgerError, LedgerReason
from sync import acts, encrypted, replica
from sync.acts import ActsLog
from sync.encrypted import Kept

OTHER_KEY = bytes(32)
PAGE = 4096


def reason_of(caught: pytest.ExceptionInfo[LedgerError]) -> LedgerReason:
    return caught.value.reason


def write_until_it_fails(log: ActsLog, written: list[Act]) -> None:
    for number in range(500):
        said = act(item=number)
        log.record(Word.FACT, said)
        written.append(said)


def read_everything(folder: Path) -> None:
    log = open_log(folder)
    try:
        log.unsent(999)
        for number in range(200):
            log.standing(act(item=number).item, "", -1)
        log.check()
    finally:
        log.close()


def closed_log(folder: Path, words: int = 0) -> Path:
    log = open_log(folder)
    for number in range(words):
        log.record(Word.FACT, act(item=number))
    log.checkpoint()
    log.close()
    return folder / acts.FILE


def test_the_files_are_not_plain_sqlite_and_tell_nothing(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.record(Word.FACT, act())
    writer, reader = open_replica(tmp_path)
    writer.apply(page(patron(), card(), copy(), begins=True), act().happened_at)
    contents = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    for text in (CARD, CARD.lower(), "王○", "m-ann", "測試書", "C0000001", "CREATE TABLE", "SQLite format"):
        assert text.encode() not in contents
    assert bytes.fromhex(CARD) not in contents
    for name in (acts.FILE, replica.FILE):
        plain = sqlite3.connect(tmp_path / name)
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            plain.execute("SELECT * FROM meta")
        plain.close()
    for each in (log, writer, reader):
        each.close()


def test_even_with_the_database_key_no_card_number_stands_in_the_replica(tmp_path: Path) -> None:
    writer, reader = open_replica(tmp_path)
    writer.apply(page(patron(), card(), begins=True), act().happened_at)
    dump = encrypted.connect(tmp_path / replica.FILE, KEY, durable=False)
    rows = [
        row
        for (table,) in dump.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for row in dump.execute(f"SELECT * FROM {table}").fetchall()
    ]
    assert any(row[0] == "m-ann" for row in rows)
    assert not any(CARD.encode() in repr(row).encode() or bytes.fromhex(CARD) in row for row in rows)
    assert not any(INDEX_KEY in row or INDEX_KEY.hex() in row for row in rows)
    for each in (dump, writer, reader):
        each.close()


@pytest.mark.parametrize("prepare", [acts.prepare, replica.prepare], ids=["acts", "replica"])
def test_another_key_is_told_as_a_wrong_key(tmp_path: Path, prepare: object) -> None:
    prepare(tmp_path, KEY)  # type: ignore[operator]
    with pytest.raises(LedgerError) as caught:
        prepare(tmp_path, OTHER_KEY)  # type: ignore[operator]
    assert reason_of(caught) is LedgerReason.WRONG_KEY
    prepare(tmp_path, KEY)  # type: ignore[operator]


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = closed_log(tmp_path, words=1)
    newer = encrypted.connect(path, KEY, durable=True)
    newer.execute("UPDATE alembic_version SET version_num = 'acts_9999'")
    newer.close()
    with pytest.raises(LedgerError) as caught:
        acts.prepare(tmp_path, KEY)
    assert reason_of(caught) is LedgerReason.NEWER_SCHEMA
    left = encrypted.connect(path, KEY, durable=True)
    assert left.execute("SELECT count(*) FROM word").fetchone() == (1,)
    left.close()


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    first = open_log(tmp_path)
    second = open_log(tmp_path)
    assert first.incarnation == second.incarnation
    first.close()
    second.close()


def test_a_new_file_is_a_new_incarnation(tmp_path: Path) -> None:
    logs = [open_log(tmp_path / name) for name in ("a", "b")]
    assert logs[0].incarnation != logs[1].incarnation
    for log in logs:
        log.close()


@pytest.mark.parametrize("damaged", ["every page but the first two", "the last page"])
def test_damaged_pages_are_told(tmp_path: Path, damaged: str) -> None:
    path = closed_log(tmp_path, words=200)
    content = bytearray(path.read_bytes())
    first = 2 * PAGE if damaged.startswith("every") else len(content) - PAGE
    for start in range(first, len(content), PAGE):
        content[start + 100 : start + 400] = os.urandom(300)
    path.write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        read_everything(tmp_path)
    assert reason_of(caught) is LedgerReason.DAMAGED


def test_a_full_disk_writes_nothing_by_halves_and_heals(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    pages = log._db.execute("PRAGMA page_count").fetchone()[0]
    log._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    written: list[Act] = []
    with pytest.raises(LedgerError) as caught:
        write_until_it_fails(log, written)
    assert reason_of(caught) is LedgerReason.DISK_FULL
    assert log.queue()[0] == len(written)
    with pytest.raises(LedgerError):
        log.settle_all([verdict(said) for said in written])
    assert log.queue()[0] == len(written)
    log._db.execute(f"PRAGMA max_page_count = {pages + 500}")
    log.check()
    assert log.record(Word.FACT, act()).sequence == len(written) + 1
    log.settle_all([verdict(said) for said in written])
    assert log.queue()[0] == 1
    log.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises((LedgerError, FileExistsError)):
        acts.prepare(tmp_path / "data", KEY)


def test_a_read_only_log_is_told_by_the_check(tmp_path: Path) -> None:
    closed_log(tmp_path)
    log = ActsLog(tmp_path, KEY)
    log._db.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerError) as caught:
        log.check()
    assert reason_of(caught) is LedgerReason.NOT_WRITABLE
    log.close()


def test_a_second_writer_waits_and_then_says_locked(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    other = encrypted.connect(tmp_path / acts.FILE, KEY, durable=True)
    other.execute("BEGIN IMMEDIATE")
    log._db.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(LedgerError) as caught:
        log.record(Word.FACT, act())
    assert reason_of(caught) is LedgerReason.LOCKED
    other.execute("ROLLBACK")
    assert log.record(Word.FACT, act()).sequence == 1
    other.close()
    log.close()


# --- keys --------------------------------------------------------------------------------------------------------


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "database.key"
    made = encrypted.first_key(path, tmp_path / "data")
    assert len(made) == encrypted.KEY_BYTES
    assert encrypted.first_key(path, tmp_path / "data") == encrypted.key_file(path) == made
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_sealed_credential_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys" / "database.key"
    encrypted.first_key(path, tmp_path / "data")
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / "database.key").write_bytes(KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "sealed"))
    assert encrypted.key_file(path) == encrypted.first_key(path, tmp_path / "data") == KEY


def test_reading_a_key_that_is_not_there_makes_none_and_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys" / "database.key"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(LedgerError) as caught:
        encrypted.key_file(path)
    assert reason_of(caught) is LedgerReason.NO_KEY
    assert str(path) in caught.value.detail
    assert "systemd-run" in caught.value.detail
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "sealed"))
    with pytest.raises(LedgerError, match=str(tmp_path / "sealed" / "database.key")):
        encrypted.key_file(path)
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["acts.db", "replica.db"])
def test_no_second_key_is_made_beside_files_that_a_missing_one_opens(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(LedgerError) as caught:
        encrypted.first_key(tmp_path / "keys" / "database.key", tmp_path)
    assert reason_of(caught) is LedgerReason.NO_KEY
    assert not (tmp_path / "keys").exists()


def test_a_key_of_another_length_is_refused_and_not_told(tmp_path: Path) -> None:
    path = tmp_path / "database.key"
    path.write_bytes(b"secret")
    with pytest.raises(LedgerError) as caught:
        encrypted.key_file(path)
    assert reason_of(caught) is LedgerReason.WRONG_KEY
    assert "secret" not in str(caught.value)


def test_a_secret_is_sealed_only_while_no_plain_copy_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sealed = tmp_path / "keys" / "kiosk.json", tmp_path / "sealed"
    sealed.mkdir()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert (encrypted.kept(path), encrypted.sealed_secret(path)) == (Kept.NOWHERE, None)
    encrypted.write_secret(path, b"plain")
    assert encrypted.kept(path) is Kept.FILE
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(sealed))
    assert encrypted.kept(path) is Kept.FILE
    (sealed / "kiosk.json").write_bytes(b"told by systemd")
    assert (encrypted.kept(path), encrypted.is_sealed(path)) == (Kept.BOTH, False)
    path.unlink()
    assert (encrypted.kept(path), encrypted.is_sealed(path)) == (Kept.SEALED, True)
    assert encrypted.sealed_secret(path) == b"told by systemd"


def test_a_secret_that_the_disk_takes_only_a_part_of_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kiosk.json"
    encrypted.write_secret(path, b"the one before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))  # the first ten bytes go in
    try:
        with pytest.raises(OSError, match="too large"):
            encrypted.write_secret(path, b"more than there is room for")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"the one before"
    assert [part.name for part in path.parent.iterdir()] == [path.name]
