"""A damaged replica: kept aside, rebuilt from central, and the kiosk takes books back meanwhile."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import SETTINGS, FakeAsker, FakeEntrance, FakePrinter, FakeScreen, act_ids
from kiosk_sync import CARD, INDEX_KEY, KEY, SyncKiosk, card, copy, page, patron, rules

from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Deed, Word
from kiosk.domain.values import BranchId, ItemId, Reason
from kiosk.ports import (
    CardArrived,
    CentralReason,
    CodeRead,
    Intent,
    LedgerError,
    LedgerReason,
    Link,
    LinkChanged,
    Phase,
    RowState,
    Touched,
)
from kiosk.station import Station
from sync.agent import SyncFeed
from sync.holdings import Holdings
from sync.nightly import SETTLED_S
from sync.replica import FILE, ReplicaCare, ReplicaWriter

PAGE = 4096
BOOK = "C0000001"


class Branch:
    """A station over real files, its feed thread driven by turns."""

    def __init__(self, folder: Path) -> None:
        self.sync = SyncKiosk(folder)
        self.care = ReplicaCare(folder, KEY, INDEX_KEY)
        self.care.prepare()
        self.feed = SyncFeed(
            open_replica=lambda: ReplicaWriter(folder, KEY),
            client=self.sync.client(),
            clock=self.sync.clock,
            suspect=lambda: None,
            jitter=random.Random(1),
            care=self.care,
        )
        self.fill()
        self.knowledge = Holdings(self.care.reader(), self.sync.log, self.care)
        self.screen = FakeScreen()
        ids = act_ids()
        self.station = Station(
            library=self.knowledge,
            acts=self.sync.log,
            asker=FakeAsker(),
            printer=FakePrinter(),
            entrance=FakeEntrance(),
            screen=self.screen,
            clock=self.sync.clock,
            settings=SETTINGS,
            new_act_id=lambda: next(ids),
        )
        self.station.handle(LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE))

    def fill(self) -> None:
        """Central sends a snapshot, large enough for some hundred pages."""
        books = [copy(number, title="書" * 60) for number in range(1, 400)]
        self.sync.central.pages = [page(rules(), patron(), card(), *books, begins=True)]
        self.feed.turn()

    def close(self) -> None:
        self.knowledge.close()
        self.sync.log.close()


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[Branch]:
    branch = Branch(tmp_path)
    yield branch
    branch.close()


def damage(folder: Path, *, first_page: int) -> None:
    """Random bytes in every page from this one on."""
    path = folder / FILE
    content = bytearray(path.read_bytes())
    assert len(content) > (first_page + 2) * PAGE
    for start in range(first_page * PAGE, len(content), PAGE):
        content[start + 50 : start + 350] = os.urandom(300)
    path.write_bytes(content)


def put_off_guard(branch: Branch) -> None:
    """Forget the pages in memory, as after a night: both halves are opened anew."""
    branch.care.generation += 1
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None


def test_a_replica_damaged_while_the_kiosk_runs_stops_lending_but_not_returns_and_is_rebuilt(
    branch: Branch, tmp_path: Path
) -> None:
    put_off_guard(branch)
    damage(tmp_path, first_page=1)
    branch.station.handle(CardArrived("reader", CardRead(bytes.fromhex(CARD), Technology.ISO14443A)))
    message = branch.screen.view.message
    assert message is not None
    assert message.reason is Reason.REPLICA_EMPTY
    branch.station.handle(Touched(Intent.DISMISS))
    branch.station.handle(Touched(Intent.END))
    branch.station.handle(Touched(Intent.RETURN))
    branch.station.handle(CodeRead("scanner", BOOK))
    (row,) = branch.screen.view.rows
    assert row.state is RowState.PROVISIONAL
    assert [(word.act.item, word.act.deed) for word in branch.sync.log.unsent(9)] == [(BOOK, Deed.RETURN)]
    branch.fill()
    assert (tmp_path / f"{FILE}.damaged").exists()
    assert branch.knowledge.item(ItemId(BOOK)) is not None
    branch.station.handle(Touched(Intent.FINISH))
    branch.station.handle(Touched(Intent.END))
    branch.station.handle(CardArrived("reader", CardRead(bytes.fromhex(CARD), Technology.ISO14443A)))
    assert branch.screen.view.phase is Phase.BORROW


def test_the_nightly_reading_of_every_page_finds_what_no_patron_met(branch: Branch, tmp_path: Path) -> None:
    put_off_guard(branch)
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[-PAGE + 50 : -PAGE + 350] = os.urandom(300)
    path.write_bytes(content)
    branch.sync.clock.pass_time(SETTLED_S + 1)
    assert branch.feed.turn() == 0.0
    assert branch.care.damaged
    branch.fill()
    assert not branch.care.damaged
    assert branch.knowledge.policy() is not None


def test_a_whole_replica_is_read_once_and_that_is_remembered_over_a_start(branch: Branch) -> None:
    put_off_guard(branch)
    branch.sync.clock.pass_time(SETTLED_S + 1)
    branch.fill()
    replica = branch.feed._open_replica()
    assert replica.checked_at() == branch.sync.clock.now()
    branch.sync.clock.pass_time(3600)
    branch.fill()
    assert replica.checked_at() == branch.sync.clock.now() - timedelta(hours=1)
    replica.close()


@pytest.mark.parametrize("first_page", [0, 1])
def test_a_replica_found_damaged_at_start_is_kept_aside(branch: Branch, tmp_path: Path, first_page: int) -> None:
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None
    branch.knowledge.close()
    damage(tmp_path, first_page=first_page)
    again = ReplicaCare(tmp_path, KEY, INDEX_KEY)
    again.prepare()
    branch.care = again
    branch.knowledge = Holdings(again.reader(), branch.sync.log, again)
    assert branch.knowledge.policy() is None
    assert branch.knowledge.calendar(BranchId("main")).closed_days == frozenset()
    assert (tmp_path / f"{FILE}.damaged").exists()


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    care = ReplicaCare(tmp_path, KEY, INDEX_KEY)
    assert not care.noticed(LedgerError(LedgerReason.DISK_FULL))
    assert not care.damaged


def test_what_is_kept_of_own_acts_does_not_need_the_replica(branch: Branch, tmp_path: Path) -> None:
    said = branch.sync.says(Word.FACT)
    put_off_guard(branch)
    damage(tmp_path, first_page=1)
    loan = branch.knowledge.holder(said.item)
    assert loan is not None
    assert loan.act_id == said.id
