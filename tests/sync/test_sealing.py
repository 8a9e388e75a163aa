"""What central has judged cannot be read at the kiosk any more, and is told again all the same (promise 6, one act 6)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from kiosk_sync import ANN, DUE, KEY, NOON, SyncKiosk, act, open_log, verdict
from msgspec import structs

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Word
from kiosk.domain.staff import Entry
from kiosk.domain.values import ActId, CardId, ItemId
from sync import wire
from sync.acts import ActsLog
from sync.agent import SEAL_S
from sync.encrypted import connect
from sync.rescue import prepare_or_rescue
from sync.sealed_words import opened_word, seal_word
from sync.wire import WireWord

CENTRAL = X25519PrivateKey.generate()
KIOSK = "main-1"


def sealed(spoken: Spoken) -> bytes:
    return seal_word(WireWord.of(spoken), KIOSK, CENTRAL.public_key())


def opened(spoken: Spoken) -> WireWord:
    return opened_word(WireWord.of(spoken), KIOSK, CENTRAL)


def seal_all(log: ActsLog, epoch: str = "e1", position: int = 99) -> None:
    while log.seal(epoch, position, sealed):
        pass


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ActsLog]:
    log = open_log(tmp_path)
    yield log
    log.close()


def lend(log: ActsLog, item: int = 1, **told: object) -> Act:
    """A loan with a card, judged."""
    made = replace(act(item), card=CardId("9f3c"))
    log.record(Word.FACT, made)
    log.settle(verdict(made, **told))  # type: ignore[arg-type]
    return made


def in_clear(log: ActsLog) -> list[str]:
    return [spoken.act.id for spoken, _ in log.words() if spoken.act.sealed is None]


def test_a_sealed_word_is_one_that_whoever_has_the_files_and_their_key_cannot_read(
    log: ActsLog, tmp_path: Path
) -> None:
    made = lend(log)
    seal_all(log)
    log.checkpoint()
    db = connect(log._path, KEY, durable=True)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    rows = [str(row) for table in tables for row in db.execute(f"SELECT * FROM {table}").fetchall()]
    db.close()
    assert any(made.id in row for row in rows)
    for secret in (ANN, made.item, "9f3c"):
        assert not any(secret in row for row in rows), secret
    (spoken, kept), = log.words()  # fmt: skip
    assert kept == replace(verdict(made), due_at=None)
    assert opened(spoken) == WireWord.of(Spoken(sequence=1, word=Word.FACT, act=made))


def test_nothing_is_sealed_that_the_replica_has_not_passed_nor_what_stands_behind_it(log: ActsLog) -> None:
    first, second = lend(log, position=5), lend(log, 2, position=9)
    waiting = act(3)
    log.record(Word.FACT, waiting)
    behind = lend(log, 4, position=6)
    seal_all(log, "another epoch", 99)
    assert in_clear(log) == [first.id, second.id, waiting.id, behind.id]
    seal_all(log, "e1", 8)
    assert in_clear(log) == [second.id, waiting.id, behind.id]
    seal_all(log, "e1", 9)
    assert in_clear(log) == [waiting.id, behind.id]
    log.settle(verdict(waiting, position=9))
    seal_all(log, "e1", 9)
    assert in_clear(log) == []


def test_more_than_one_commit_takes_is_sealed_in_several(log: ActsLog) -> None:
    for number in range(60):
        lend(log, number)
    assert [log.seal("e1", 99, sealed) for _ in range(4)] == [25, 25, 10, 0]


def test_what_staff_did_stays_for_the_pause_at_their_door(log: ActsLog) -> None:
    tried = replace(act(), deed=Deed.STAFF_ENTRY, membership=None, item=ItemId(""), entry=Entry.WRONG, due_at=None)
    log.record(Word.FACT, tried)
    log.settle(verdict(tried, due_at=None))
    lend(log)
    seal_all(log)
    assert in_clear(log) == [tried.id]
    assert len(log.staff_tries(NOON)) == 1


def test_a_central_that_was_put_back_is_told_sealed_words_again_as_they_were(log: ActsLog) -> None:
    fact = lend(log)
    asked, refused = (act(item, mode=Mode.ONLINE, due_at=None) for item in (2, 3))
    for each in (asked, refused):
        log.record(Word.REQUEST, each)
    log.settle(verdict(asked, Word.REQUEST, due_at=DUE + timedelta(days=7)))
    log.settle(verdict(refused, Word.REQUEST, Outcome.REFUSED, due_at=None))
    log.agree("e1", 3)
    seal_all(log)
    assert log.agree("e2", 0) == 3
    told = {word.act: word for word in map(opened, log.unsent(9))}
    assert {(word.act, word.word, word.request_sequence) for word in told.values()} == {
        (fact.id, Word.FACT, None),
        (asked.id, Word.FACT, 2),
        (refused.id, Word.WITHDRAWAL, 3),
    }
    assert told[fact.id].spoken().act == replace(fact, reading=None)
    assert (told[asked.id].item, told[asked.id].membership, told[asked.id].due_at) == (
        asked.item, ANN, DUE + timedelta(days=7),
    )  # fmt: skip
    for each in (fact, asked):
        log.settle(verdict(each, epoch="e2"))
    assert ANN not in str(log._db.execute("SELECT * FROM word").fetchall())


def test_sealed_words_are_forgotten_with_their_days_as_ever(log: ActsLog) -> None:
    for item in range(1, 4):
        lend(log, item)
    log.agree("e1", 3)
    log.note_held(NOON)
    seal_all(log)
    assert log.prune(NOON) == 2


def test_a_damaged_log_is_rescued_with_its_sealed_words(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    made = [lend(log, number) for number in range(1, 40)]
    seal_all(log)
    log.checkpoint()
    log.close()
    page = 4096
    file = tmp_path / "acts.db"
    damaged = bytearray(file.read_bytes())
    last = len(damaged) // page - 1
    damaged[last * page + 100] ^= 0xFF
    file.write_bytes(damaged)
    for companion in tmp_path.glob("acts.db-*"):
        companion.unlink()
    rescue = prepare_or_rescue(tmp_path, KEY, NOON)
    assert rescue is not None
    log = ActsLog(tmp_path, KEY)
    told = {word.act: word.item for word in map(opened, log.unsent(99))}
    assert len(told) == rescue.said_again > 0
    assert told.items() <= {one.id: str(one.item) for one in made}.items()
    log.close()


# --- at central ---------------------------------------------------------------------------------------------------

WORD = WireWord.of(Spoken(sequence=7, word=Word.FACT, act=act()))


def on_the_wire(piece: bytes, **changes: object) -> WireWord:
    blank = structs.replace(WORD, item="", membership=None, branch="", sealed=wire.unpadded(piece))
    return structs.replace(blank, **changes)


def test_central_reads_what_was_sealed_with_the_number_and_the_word_told_beside_it() -> None:
    told = on_the_wire(seal_word(WORD, KIOSK, CENTRAL.public_key()), sequence=40, request_sequence=7)
    assert opened_word(told, KIOSK, CENTRAL) == structs.replace(WORD, sequence=40, request_sequence=7)


@pytest.mark.parametrize(
    ("piece", "kiosk", "changes"),
    [
        (seal_word(WORD, KIOSK, X25519PrivateKey.generate().public_key()), KIOSK, {}),
        (seal_word(WORD, "east-1", CENTRAL.public_key()), KIOSK, {}),
        (seal_word(WORD, KIOSK, CENTRAL.public_key()), KIOSK, {"act": ActId("another")}),
        (seal_word(WORD, KIOSK, CENTRAL.public_key()), KIOSK, {"deed": Deed.RETURN}),
        (b"", KIOSK, {"sealed": "no base64!"}),
        (b"x" * 9000, KIOSK, {}),
        (b"short", KIOSK, {}),
    ],
)
def test_what_cannot_be_opened_or_says_another_act_is_strange(
    piece: bytes, kiosk: str, changes: dict[str, object]
) -> None:
    assert opened_word(on_the_wire(piece, **changes), kiosk, CENTRAL).strange


# --- when ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unseals", [True, False])
def test_a_kiosk_seals_only_to_a_central_that_says_that_it_reads_sealed_words(tmp_path: Path, unseals: bool) -> None:
    kiosk = SyncKiosk(tmp_path)
    kiosk.central.unseals = unseals
    kiosk.sync._seals = lambda word: seal_word(word, KIOSK, CENTRAL.public_key())
    kiosk.sync._passed = lambda: ("e1", 99)
    kiosk.sync.turn()
    made = kiosk.says()
    kiosk.clock.pass_time(SEAL_S)
    kiosk.sync.turn()
    assert in_clear(kiosk.log) == ([] if unseals else [made.id])
