"""Housekeeping of the log by the sync thread: old acts go when central holds them, the WAL is folded in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from kiosk_sync import KEY, NOON, SyncKiosk, act, answers

from kiosk.domain.journal import Deed, Word
from kiosk.ports import LedgerError, LedgerReason, Link
from sync import acts
from sync.agent import KEEP_ACTS, PRUNE_S, TEND_S
from sync.encrypted import connect


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[SyncKiosk]:
    kiosk = SyncKiosk(tmp_path)
    yield kiosk
    kiosk.log.close()


def days(kiosk: SyncKiosk, number: float) -> None:
    """Time passes at the kiosk and at central."""
    span = timedelta(days=number)
    kiosk.clock.pass_time(span.total_seconds())
    kiosk.central.now += span


def kept(kiosk: SyncKiosk) -> list[int]:
    return [spoken.sequence for spoken, _ in kiosk.log.words()]


def test_judged_acts_are_kept_for_their_days_and_then_forgotten(kiosk: SyncKiosk) -> None:
    for _ in range(acts.PRUNE_SLICE + 5):
        kiosk.says()
    kiosk.turns(3)
    assert kiosk.log.queue() == (0, None)
    days(kiosk, 0.1)
    kiosk.turns()
    days(kiosk, 13)
    kiosk.turns(2)
    assert len(kept(kiosk)) == acts.PRUNE_SLICE + 5
    days(kiosk, 1.5)
    kiosk.turns(2)
    assert kept(kiosk) == [acts.PRUNE_SLICE + 5]


def test_what_central_does_not_hold_is_never_forgotten(kiosk: SyncKiosk) -> None:
    kiosk.turns()
    said = [kiosk.says(Word.FACT) for _ in range(3)]
    days(kiosk, KEEP_ACTS.days + 5)
    kiosk.clock.pass_time(PRUNE_S)
    kiosk.central.broken = lambda path: None if path == "/v1/health" else httpx2.Response(503)
    kiosk.turns(3)
    assert {spoken.act.id for spoken, _ in kiosk.log.words()} == {one.id for one in said}


def test_a_kiosk_whose_clock_runs_ahead_forgets_by_centrals_clock(kiosk: SyncKiosk) -> None:
    kiosk.says()
    kiosk.says()
    kiosk.turns(3)
    kiosk.clock.pass_time(timedelta(days=300).total_seconds())
    kiosk.turns(3)
    assert kept(kiosk) == [1, 2]


def test_a_central_whose_clock_runs_ahead_makes_no_act_old(kiosk: SyncKiosk) -> None:
    for _ in range(3):
        kiosk.says()
    kiosk.turns(3)
    days(kiosk, 0.1)
    kiosk.turns()
    kiosk.central.now += timedelta(days=366)
    kiosk.clock.pass_time(PRUNE_S)
    kiosk.turns(3)
    assert kept(kiosk) == [1, 2, 3]


@pytest.mark.parametrize("known", [True, False])
def test_a_clock_that_stands_years_back_makes_no_act_old(kiosk: SyncKiosk, known: bool) -> None:
    behind = timedelta(days=400)
    said = replace(act(deed=Deed.RETURN), happened_at=NOON - behind, clock_offset=behind if known else None)
    kiosk.says(of=said)
    for number in (2, 3):
        kiosk.says(of=act(number))
    kiosk.turns(3)
    days(kiosk, 13)
    kiosk.turns(2)
    assert kept(kiosk) == [1, 2, 3]
    kiosk.central.restored(0)
    kiosk.central.words.clear()
    kiosk.turns(4)
    assert said.id in {word.act for word in kiosk.central.words}


def test_what_was_said_late_is_kept_as_long_as_what_was_said_at_once(kiosk: SyncKiosk) -> None:
    """A backup of central that is a week old lacks it, although it happened a month ago."""
    kiosk.central.broken = answers(503, b"")
    for _ in range(3):
        kiosk.says()
    days(kiosk, 30)
    kiosk.central.broken = None
    kiosk.turns(3)
    days(kiosk, KEEP_ACTS.days - 1)
    kiosk.turns(2)
    assert kept(kiosk) == [1, 2, 3]
    days(kiosk, 2)
    kiosk.turns(2)
    assert kept(kiosk) == [3]


def test_a_restored_central_that_holds_less_is_not_taken_to_have_held_it_for_long(kiosk: SyncKiosk) -> None:
    for _ in range(3):
        kiosk.says()
    days(kiosk, 0.1)
    kiosk.turns(3)
    days(kiosk, KEEP_ACTS.days - 1)
    kiosk.turns()
    kiosk.central.restored(1)
    kiosk.turns(3)
    assert kiosk.log.queue() == (0, None)
    days(kiosk, 2)
    kiosk.turns(2)
    assert kept(kiosk) == [1, 2, 3]


def test_a_log_that_is_only_asked_about_does_not_grow_a_log_of_its_own_for_ever(
    kiosk: SyncKiosk, tmp_path: Path
) -> None:
    kiosk.turns()
    wal = tmp_path / f"{acts.FILE}-wal"
    size = (tmp_path / acts.FILE).stat().st_size
    for _ in range(200):
        kiosk.says(Word.REQUEST)
    assert (tmp_path / acts.FILE).stat().st_size == size
    assert wal.stat().st_size > 200 * 4096
    kiosk.clock.pass_time(61)
    kiosk.turns()
    assert (tmp_path / acts.FILE).stat().st_size > size


def written(kiosk: SyncKiosk, words: int) -> int:
    """Size of the log of the log after so many more words."""
    for _ in range(words):
        kiosk.says()
    return (kiosk.folder / f"{acts.FILE}-wal").stat().st_size


@pytest.mark.parametrize("enrolled", [True, False])
def test_while_central_is_away_the_log_of_the_log_is_used_again_every_minute(kiosk: SyncKiosk, enrolled: bool) -> None:
    kiosk.central.broken = answers(503, b"")
    if not enrolled:
        kiosk.sync = kiosk.agent(None)
    kiosk.turns()
    size = written(kiosk, 100)
    for _ in range(5):
        waited = 0.0
        while waited <= TEND_S:
            wait_s = kiosk.sync.turn()
            assert 0 < wait_s <= TEND_S
            kiosk.clock.pass_time(wait_s)
            waited += wait_s
        assert written(kiosk, 50) <= size
    assert kiosk.log.queue()[0] == 350
    assert kiosk.sync.link is Link.OFFLINE


def test_a_reader_who_stays_holds_the_fold_up_and_nothing_turns_in_circles(kiosk: SyncKiosk) -> None:
    kiosk.central.broken = answers(503, b"")
    kiosk.turns()
    file = kiosk.folder / acts.FILE
    reader = connect(file, KEY, durable=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM word").fetchone()
    written(kiosk, 100)
    size = file.stat().st_size
    kiosk.clock.pass_time(TEND_S + 1)
    assert kiosk.sync.turn() > 0
    assert file.stat().st_size == size
    reader.close()
    kiosk.clock.pass_time(TEND_S + 1)
    kiosk.turns()
    assert file.stat().st_size > size


def test_a_fold_that_finds_no_room_is_tried_again_a_minute_later(kiosk: SyncKiosk) -> None:
    kiosk.central.broken = answers(503, b"")
    kiosk.turns()
    log = Unfoldable(kiosk.folder, KEY)
    kiosk.sync._log = log
    kiosk.clock.pass_time(TEND_S + 1)
    with pytest.raises(LedgerError):
        kiosk.sync.turn()
    assert kiosk.sync.turn() > 0
    assert log.tried == 1
    kiosk.clock.pass_time(TEND_S + 1)
    with pytest.raises(LedgerError):
        kiosk.sync.turn()
    log.close()


class Unfoldable(acts.ActsLog):
    """On a full disk."""

    tried = 0

    def checkpoint(self) -> None:
        self.tried += 1
        raise LedgerError(LedgerReason.DISK_FULL)
