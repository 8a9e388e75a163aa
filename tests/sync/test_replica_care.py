"""A damaged replica: kept aside and rebuilt from central; meanwhile what can be read of it serves, and books are taken back."""

import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from fakes import SETTINGS, FakeAsker, FakeEntrance, FakePrinter, FakeScreen, act_ids
from kiosk_sync import ANN, CARD, INDEX_KEY, KEY, SyncKiosk, card, copy, page, patron, raises, rules

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
    Row,
    RowState,
    Touched,
)
from kiosk.station import Station
from sync.agent import LOOK_S, SyncFeed
from sync.encrypted import connect
from sync.holdings import Holdings
from sync.nightly import LATEST, SETTLED_S
from sync.replica import FILE, Replica, ReplicaCare, ReplicaWriter

PAGE = 4096
BOOK, OTHER, ANOTHER = "C0000001", "C0000200", "C0000300"


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


def damage_one_page(folder: Path, *, with_book: str) -> None:
    """Of the page that holds this book and no reader; every other one stays as it is."""
    path = folder / FILE
    db = connect(path, KEY, durable=False)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # else a whole copy of the page is read from there
    db.close()
    whole = path.read_bytes()
    for number in reversed(range(1, len(whole) // PAGE)):
        content = bytearray(whole)
        content[number * PAGE + 50 : number * PAGE + 350] = os.urandom(300)
        path.write_bytes(content)
        if not readable(folder, lambda look: look.item(ItemId(with_book))) and all(
            readable(folder, look)
            for look in (Replica.place, Replica.policy, lambda look: look.card(CARD), lambda look: look.loans_of(ANN))
        ):
            return
    raise AssertionError(f"no page holds only {with_book}")


def readable(folder: Path, look: Callable[[Replica], object]) -> bool:
    replica = Replica(folder, KEY, INDEX_KEY)
    try:
        look(replica)
    except LedgerError:
        return False
    finally:
        replica.close()
    return True


TAP = CardArrived("reader", CardRead(bytes.fromhex(CARD), Technology.ISO14443A))


def scanned(branch: Branch, item: str) -> Row:
    """What the screen says of this book once it is scanned."""
    branch.station.handle(CodeRead("scanner", item))
    return next(row for row in branch.screen.view.rows if row.item == item)


def test_of_a_damaged_replica_known_patrons_go_on_with_what_can_be_read_until_it_is_rebuilt(
    branch: Branch, tmp_path: Path
) -> None:
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None
    damage_one_page(tmp_path, with_book=BOOK)
    branch.care.generation += 1  # the pages in memory are forgotten, as after a night
    branch.station.handle(TAP)
    assert branch.screen.view.phase is Phase.BORROW
    assert scanned(branch, BOOK).reason is Reason.REPLICA_DAMAGED
    assert branch.care.damaged
    assert scanned(branch, OTHER).state is RowState.PROVISIONAL
    branch.sync.central.broken = raises(httpx2.ConnectError("away"))
    branch.feed.turn()  # put aside; central is away, nothing fills the new one
    branch.feed.turn()
    assert not branch.care.damaged
    assert scanned(branch, ANOTHER).state is RowState.PROVISIONAL
    assert scanned(branch, BOOK).reason is Reason.REPLICA_DAMAGED
    assert [word.act.item for word in branch.sync.log.unsent(9)] == [OTHER, ANOTHER]
    branch.sync.central.broken = None
    branch.fill()
    assert scanned(branch, BOOK).state is RowState.PROVISIONAL


def test_a_copy_put_aside_serves_over_a_restart_until_the_new_one_is_whole(branch: Branch, tmp_path: Path) -> None:
    branch.care.noticed(LedgerError(LedgerReason.DAMAGED))
    branch.sync.central.broken = raises(httpx2.ConnectError("away"))
    branch.feed.turn()
    branch.feed.turn()
    branch.knowledge.close()
    again = ReplicaCare(tmp_path, KEY, INDEX_KEY)
    again.prepare()
    branch.knowledge = Holdings(again.reader(), branch.sync.log, again)
    assert branch.knowledge.item(ItemId(BOOK)) is not None
    again.noticed(LedgerError(LedgerReason.DAMAGED))
    again.begin_anew()  # the new one is bad too, before it was whole: it does not push the older one out
    assert branch.knowledge.item(ItemId(BOOK)) is not None
    assert branch.knowledge.age(branch.sync.clock.now()) == timedelta()


def test_of_a_replica_without_a_readable_page_nothing_is_lent_but_books_are_taken_back(
    branch: Branch, tmp_path: Path
) -> None:
    put_off_guard(branch)
    damage(tmp_path, first_page=1)
    branch.station.handle(TAP)
    message = branch.screen.view.message
    assert message is not None
    assert message.reason is Reason.REPLICA_DAMAGED
    branch.station.handle(Touched(Intent.DISMISS))
    branch.station.handle(Touched(Intent.END))
    branch.station.handle(Touched(Intent.RETURN))
    branch.station.handle(CodeRead("scanner", BOOK))
    (row,) = branch.screen.view.rows
    assert (row.state, row.reason) == (RowState.PROVISIONAL, Reason.HOLD_ASK_DESK)
    assert [(word.act.item, word.act.deed) for word in branch.sync.log.unsent(9)] == [(BOOK, Deed.RETURN)]
    branch.fill()
    assert (tmp_path / f"{FILE}.damaged").exists()
    assert branch.knowledge.item(ItemId(BOOK)) is not None
    branch.station.handle(Touched(Intent.FINISH))
    branch.station.handle(Touched(Intent.END))
    branch.station.handle(TAP)
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
    branch.sync.central.broken = raises(httpx2.ConnectError("away"))
    branch.sync.clock.pass_time(LOOK_S)
    branch.feed.turn()
    assert (tmp_path / f"{FILE}.damaged").exists()  # the empty one proves nothing
    branch.sync.central.broken = None
    branch.fill()
    assert not branch.care.damaged
    assert branch.knowledge.policy() is not None
    branch.sync.clock.pass_time(LATEST.total_seconds() + 1)
    branch.fill()
    assert not (tmp_path / f"{FILE}.damaged").exists()
    assert branch.knowledge.item(ItemId(BOOK)) is not None


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


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow beyond one page: the disk is full for every new one."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, unlimited[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)


def test_without_room_for_a_new_file_the_damaged_one_serves_on_and_nothing_is_left_half_made(
    branch: Branch, tmp_path: Path
) -> None:
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None
    damage_one_page(tmp_path, with_book=BOOK)
    branch.care.generation += 1
    assert branch.knowledge.item(ItemId(BOOK)) is None
    for _ in range(2):
        with no_room(), pytest.raises(LedgerError) as caught:
            branch.feed.turn()
        assert caught.value.reason is LedgerReason.DISK_FULL
        assert branch.care.damaged
        assert branch.knowledge.item(ItemId(OTHER)) is not None
        again = ReplicaCare(tmp_path, KEY, INDEX_KEY)
        again.prepare()  # a start meanwhile: its place can be read
        assert not again.damaged
        with closing(again.reader()) as reader:
            assert reader.policy() is not None
    branch.sync.central.broken = raises(httpx2.ConnectError("away"))
    branch.feed.turn()
    assert not branch.care.damaged
    assert branch.knowledge.item(ItemId(OTHER)) is not None
    assert branch.knowledge.item(ItemId(BOOK)) is None
    branch.sync.central.broken = None
    branch.fill()
    assert branch.knowledge.item(ItemId(BOOK)) is not None
    assert not list(tmp_path.glob("*.new*"))


def test_a_half_filled_file_found_unreadable_at_start_does_not_push_the_fuller_one_out(
    branch: Branch, tmp_path: Path
) -> None:
    branch.care.noticed(LedgerError(LedgerReason.DAMAGED))
    branch.sync.central.pages = [page(rules(), patron(), begins=True, more=True, cursor="c1")]
    branch.feed.turn()
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None
    branch.knowledge.close()
    damage(tmp_path, first_page=0)
    for _ in range(2):
        again = ReplicaCare(tmp_path, KEY, INDEX_KEY)
        again.prepare()
        branch.knowledge = Holdings(again.reader(), branch.sync.log, again)
        assert branch.knowledge.item(ItemId(BOOK)) is not None
        assert branch.knowledge.age(branch.sync.clock.now()) == timedelta()
        branch.knowledge.close()
    assert len(list(tmp_path.glob(f"{FILE}.damaged"))) == 1


def test_of_two_files_whose_place_cannot_be_read_the_newer_is_kept_aside(branch: Branch, tmp_path: Path) -> None:
    branch.feed._replica.close()  # type: ignore[union-attr]
    branch.feed._replica = None
    branch.knowledge.close()
    damage(tmp_path, first_page=0)
    unreadable = (tmp_path / FILE).read_bytes()
    (tmp_path / f"{FILE}.damaged").write_bytes(bytes(reversed(unreadable)))
    branch.care = ReplicaCare(tmp_path, KEY, INDEX_KEY)
    branch.care.prepare()
    assert (tmp_path / f"{FILE}.damaged").read_bytes() == unreadable
    branch.knowledge = Holdings(branch.care.reader(), branch.sync.log, branch.care)


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
