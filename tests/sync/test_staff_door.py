"""The staff page's door: central's word first, the replica's verifiers for a week, and every try in the log."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from argon2 import PasswordHasher
from fakes import FakeClock
from kiosk_sync import INDEX_KEY, KEY, FakeCentral, identity, open_log, open_replica, page, rules
from msgspec import structs

from kiosk.domain.journal import Act, Deed, Mode, Word
from kiosk.domain.staff import TRY_RULE, Entry, StaffId
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId
from kiosk.ports import CentralError, CentralReason, Knock, LedgerError, LedgerReason, StaffAnswered
from kiosk.station import QueueMailbox
from sync import wire
from sync.acts import ActsLog
from sync.central.keys import login_index
from sync.central_client import CentralClient
from sync.clock_offset import ClockOffset
from sync.replica import FILE, Replica, ReplicaCare
from sync.staff_door import Doorkeeper, StaffDoor
from ui.assembly import ended

PASSWORD = "correct horse"
VERIFIER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
MAIN = [wire.WireGrant(role="circulation", scope="branch:main"), wire.WireGrant(role="unheard_of", scope="all")]


def member(login: str = "chen", id_: str = "s-1", grants: list[wire.WireGrant] | None = None) -> wire.StaffEntry:
    return wire.StaffEntry(
        id=id_, index=login_index(INDEX_KEY, login), verifier=VERIFIER, grants=MAIN if grants is None else grants
    )


class Away:
    """Central that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        self.asked += 1
        raise CentralError(CentralReason.UNREACHABLE)


class Door:
    """A kiosk's door on real files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.log = open_log(folder)
        self.writer, self.replica = open_replica(folder)
        self.central: Any = Away()
        self.numbers = count(1)

    def fill(self, *entries: Any) -> None:
        self.writer.apply(page(rules(), *entries, begins=True), self.clock.now())

    def door(self) -> StaffDoor:
        return StaffDoor(acts=self.log, replica=self.replica, central=self.central, branch=BranchId("main"))

    def knock(self, login: str = "chen", password: str = PASSWORD) -> Knock:
        act = Act(
            id=ActId(f"try-{next(self.numbers)}"),
            deed=Deed.STAFF_ENTRY,
            membership=None,
            item=ItemId(""),
            branch=BranchId("main"),
            happened_at=self.clock.now(),
            clock_offset=timedelta(seconds=2),
            mode=Mode.ONLINE,
            replica_age=timedelta(minutes=2),
        )
        return Knock(act, login, password)

    def tries(self, login: str = "chen", password: str = PASSWORD, times: int = 1) -> list[Entry | None]:
        return [self.door().enter(self.knock(login, password)).entry for _ in range(times)]

    def written(self) -> list[StaffId | None]:
        return [spoken.act.staff for spoken, _ in self.log.words()]

    def close(self) -> None:
        for part in (self.log, self.writer, self.replica):
            part.close()


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Door]:
    kiosk = Door(tmp_path)
    kiosk.fill(member())
    yield kiosk
    kiosk.close()


def test_while_central_is_away_the_verifier_lets_in_however_the_login_is_typed(kiosk: Door) -> None:
    knock = kiosk.knock(" ＣＨＥＮ")
    assert kiosk.door().enter(knock) == StaffAnswered(knock.act.id, Entry.OK, staff=StaffId("s-1"))
    assert kiosk.written() == [StaffId("s-1")]
    assert kiosk.tries(password="wrong") == kiosk.tries("nobody") == [Entry.WRONG]


def test_a_password_fits_however_a_keyboard_spells_it_and_as_an_older_program_hashed_it(kiosk: Door) -> None:
    def hashed(password: str) -> str:
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)

    kiosk.fill(structs.replace(member(), verifier=hashed("Ångström Straße")))
    for typed in ("Ångström Straße", "A\u030angstro\u0308m\u3000Straße"):
        assert kiosk.tries(password=typed) == [Entry.OK]
    kiosk.fill(structs.replace(member(), verifier=hashed("A\u030angstro\u0308m Straße")))
    assert kiosk.tries(password="A\u030angstro\u0308m Straße") == [Entry.OK]


def test_every_try_is_a_fact_on_disk_without_login_and_password(kiosk: Door) -> None:
    kiosk.tries()
    kiosk.tries(password="secret word")
    kiosk.tries("nobody")
    said = [spoken for spoken, _ in kiosk.log.words()]
    assert [(one.word, one.act.deed, one.act.staff, one.act.entry) for one in said] == [
        (Word.FACT, Deed.STAFF_ENTRY, "s-1", Entry.OK),
        (Word.FACT, Deed.STAFF_ENTRY, "s-1", Entry.WRONG),
        (Word.FACT, Deed.STAFF_ENTRY, None, Entry.WRONG),
    ]
    assert {(one.act.mode, one.act.membership, one.act.item) for one in said} == {(Mode.OFFLINE, None, "")}
    assert not {"chen", "nobody", "secret word"} & set(repr(said).split("'"))
    assert [wire.WireWord.of(one).spoken() for one in kiosk.log.unsent(9)] == said


def test_verifiers_are_believed_for_a_week_by_centrals_time_in_the_replica(kiosk: Door) -> None:
    kiosk.clock.pass_time(7 * 86_400 - 2)  # central's clock is two seconds ahead
    assert kiosk.tries() == [Entry.OK]
    kiosk.clock.pass_time(1)
    assert kiosk.tries() == [Entry.WRONG]


def test_a_try_while_the_clock_was_wrong_shuts_nobody_out_once_it_is_right(kiosk: Door) -> None:
    for days in (400, -400):  # whoever comes to a clock that is behind may see it
        kiosk.clock.pass_time(days * 86_400)
        assert kiosk.tries() == [Entry.WRONG if days > 0 else Entry.OK]
        kiosk.clock.pass_time(-days * 86_400)
        assert kiosk.tries() == [Entry.OK]


def test_a_replica_without_policy_or_grants_lets_nobody_in(tmp_path: Path) -> None:
    kiosk = Door(tmp_path)
    assert kiosk.tries() == [Entry.WRONG]
    elsewhere = [wire.WireGrant(role="circulation", scope="branch:east")]
    kiosk.fill(member(grants=elsewhere), member("lin", "s-2", [wire.WireGrant(role="auditor", scope="all")]))
    assert kiosk.tries() == kiosk.tries("lin") == [Entry.WRONG]
    kiosk.close()


def test_somebody_who_is_gone_from_the_feed_is_gone_from_the_door(kiosk: Door) -> None:
    kiosk.writer.apply(page(wire.GoneEntry(kind="staff", key="s-1"), position=11, cursor="c11"), kiosk.clock.now())
    assert kiosk.tries() == [Entry.WRONG]


def test_too_many_wrong_tries_make_a_pause_that_holds_over_a_restart(kiosk: Door) -> None:
    assert kiosk.tries(password="wrong", times=TRY_RULE.tries) == [Entry.WRONG] * TRY_RULE.tries
    kiosk.log.close()
    kiosk.log = open_log(kiosk.folder)
    asked = kiosk.central.asked
    locked = kiosk.door().enter(kiosk.knock())
    assert (locked.entry, locked.until) == (Entry.LOCKED, kiosk.clock.now() + TRY_RULE.pause)
    assert kiosk.central.asked == asked
    kiosk.clock.pass_time(TRY_RULE.pause.total_seconds())
    assert kiosk.tries() == [Entry.OK]
    assert kiosk.tries(password="wrong", times=TRY_RULE.tries - 1)[-1] is Entry.WRONG
    assert kiosk.tries() == [Entry.OK]


@pytest.mark.parametrize("entry", Entry)
def test_centrals_word_goes_before_the_replicas(kiosk: Door, entry: Entry) -> None:
    class Transport(FakeCentral):
        def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
            assert url.endswith("/v1/staff-entry")
            assert msgspec.json.decode(more["content"], type=wire.StaffAsk).login == "chen"
            staff = "s-9" if entry is Entry.OK else None
            told = wire.StaffTold(epoch="e1", now=kiosk.clock.now(), entry=entry, staff=staff)
            return httpx2.Response(200, content=msgspec.json.encode(told))

    client = CentralClient(identity(), IncarnationId("i1"), kiosk.clock, ClockOffset(kiosk.clock), Transport())
    kiosk.central = client
    assert kiosk.tries() == [entry]
    assert kiosk.written() == [StaffId("s-9") if entry is Entry.OK else None]
    ((spoken, _),) = kiosk.log.words()
    assert (spoken.act.mode, spoken.act.entry) == (Mode.ONLINE, entry)


def test_an_answer_that_is_none_leaves_it_to_the_replica(kiosk: Door) -> None:
    class Portal(FakeCentral):
        def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
            return httpx2.Response(429, content=msgspec.json.encode(wire.Fault(code="too_often")))

    kiosk.central = CentralClient(identity(), IncarnationId("i1"), kiosk.clock, ClockOffset(kiosk.clock), Portal())
    assert kiosk.tries() == [Entry.OK]


def test_the_doorkeeper_answers_each_try_by_its_name_and_gives_the_files_back(kiosk: Door) -> None:
    mailbox = QueueMailbox()

    def opened() -> StaffDoor:
        writer, reader = open_replica(kiosk.folder)
        writer.close()
        return StaffDoor(acts=open_log(kiosk.folder), replica=reader, central=kiosk.central, branch=BranchId("main"))

    keeper = Doorkeeper(opened, mailbox)
    good, bad = kiosk.knock(), kiosk.knock(password="wrong")
    keeper.knock(good)
    keeper.knock(bad)
    keeper.close()
    keeper.run()
    assert [mailbox.take(0), mailbox.take(0)] == [
        StaffAnswered(good.act.id, Entry.OK, staff=StaffId("s-1")),
        StaffAnswered(bad.act.id, Entry.WRONG, staff=StaffId("s-1")),
    ]
    assert kiosk.written() == ["s-1", "s-1"]


def test_a_page_that_the_door_cannot_read_is_told_so_that_the_replica_is_rebuilt(kiosk: Door) -> None:
    kiosk.writer.close()
    kiosk.replica.close()
    path = kiosk.folder / FILE
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start + 50 : start + 350] = os.urandom(300)
    path.write_bytes(content)
    care = ReplicaCare(kiosk.folder, KEY, INDEX_KEY)
    with closing(care.reader()) as reader:
        door = StaffDoor(
            acts=kiosk.log, replica=reader, central=kiosk.central, branch=BranchId("main"), noticed=care.noticed
        )
        with pytest.raises(LedgerError):
            door.enter(kiosk.knock())
    assert care.damaged
    assert kiosk.written() == []


def test_where_the_try_cannot_be_written_down_nobody_is_let_in(kiosk: Door) -> None:
    def full() -> StaffDoor:
        raise LedgerError(LedgerReason.DISK_FULL)

    mailbox = QueueMailbox()
    keeper, knock = Doorkeeper(full, mailbox), kiosk.knock()
    keeper.knock(knock)
    keeper.close()
    keeper.run()
    assert mailbox.take(0) == StaffAnswered(knock.act.id, None, trouble=LedgerReason.DISK_FULL)


class Slow(Away):
    """Central that is asked and answers only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.answers = threading.Event(), threading.Event()

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        self.reached.set()
        self.answers.wait(30)
        return super().staff_entry(login, password, deadline_s)


def test_who_wipes_the_files_can_wait_for_the_try_under_way_and_nobody_opens_them_afterwards(kiosk: Door) -> None:
    kiosk.central = Slow()
    opened = []

    def door() -> StaffDoor:
        opened.append(1)
        files = ActsLog(kiosk.folder, KEY), Replica(kiosk.folder, KEY, INDEX_KEY)
        return StaffDoor(acts=files[0], replica=files[1], central=kiosk.central, branch=BranchId("main"))

    mailbox = QueueMailbox()
    keeper = Doorkeeper(door, mailbox)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    keeper.knock(kiosk.knock())
    assert kiosk.central.reached.wait(30)
    keeper.close()
    assert not ended([thread], 0.0)
    kiosk.central.answers.set()
    assert ended([thread], 30.0)
    assert kiosk.written() == [StaffId("s-1")]
    keeper.knock(kiosk.knock())
    assert len(opened) == 1


def test_a_door_that_opens_where_the_files_were_wiped_makes_none(tmp_path: Path) -> None:
    for opened in (lambda: ActsLog(tmp_path, KEY), lambda: Replica(tmp_path, KEY, INDEX_KEY)):
        with pytest.raises(LedgerError, match="is not there"):
            opened()
    assert list(tmp_path.iterdir()) == []
