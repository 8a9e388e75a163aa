"""UID → patron known, and barcode → durable verdict offline, at the size of a city.

The replica is filled through the real feed path (`ReplicaWriter.apply`), the loans go through the real station, log
and holdings; only screen, printer and network are silent stand-ins. The floor of a loan is one FULL commit of the same
row by bare sqlcipher3 in a file with the same tables, indexes and number of rows.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.progress import Progress
from uuid_utils.compat import uuid7

from config.settings import CodeRule, KioskSettings
from kiosk.domain.identity import CardKind, CardRead, CodeType, Technology
from kiosk.domain.journal import Act, Deed, Mode, Word
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CentralReason,
    CodeRead,
    Intent,
    Knock,
    Link,
    LinkChanged,
    Phase,
    RowState,
    Screen,
    Sound,
    Touched,
    View,
)
from kiosk.slip import Slip
from kiosk.station import Station
from sync import acts, replica, wire
from sync.acts import ActsLog
from sync.encrypted import connect
from sync.holdings import Holdings
from sync.replica import Replica, ReplicaWriter
from ui.benchmarks.measure import Figure, median, p99, timed
from ui.clock import SystemClock

KEY = bytes(range(32))
"""Of files that are thrown away."""
INDEX_KEY = bytes(range(32, 64))
FEED_EVERY_S = 0.05
FEED_ENTRIES = 20
BASKET = 5


class SilentScreen:
    """Keeps the newest view."""

    view: View

    def show(self, view: View) -> None:
        self.view = view

    def play(self, sound: Sound) -> None:
        """No sound."""


class SilentPrinter:
    """Prints nothing."""

    def print_slip(self, job: str, slip: Slip) -> None:
        """No paper."""


class ClosedDoor:
    """Staff are not measured."""

    def knock(self, knock: Knock) -> None:
        """Nobody comes."""


class NoAsker:
    """Central is away."""

    def ask(self, act_id: ActId) -> None:
        """Never called offline."""

    def clock_offset(self) -> timedelta | None:
        return None

    def clock_heard(self) -> float | None:
        return None


@dataclass(frozen=True, slots=True)
class City:
    """How much the replica knows."""

    memberships: int
    """With one card each."""
    items: int
    """Copies."""


def uid(number: int) -> bytes:
    """A plausible UID for the n-th membership."""
    return (0x10000000 + number).to_bytes(4, "big")


def item_id(number: int) -> str:
    return f"C{number:07}"


def pages(city: City) -> Iterator[wire.FeedPage]:
    """A first fill of the replica."""
    now = datetime.now(UTC)

    def page(entries: list[wire.FeedEntry], more: bool, begins: bool) -> wire.FeedPage:
        return wire.FeedPage(
            epoch="bench",
            now=now,
            cursor="c",
            position=1,
            more=more,
            snapshot=True,
            snapshot_begins=begins,
            entries=entries,
        )

    yield page(
        [
            wire.PolicyEntry(
                policy_version="bench-1",
                patron_rules=[wire.WirePatronRule(category="adult", quota=20)],
                loan_rules=[wire.WireLoanRule(loan_days=28, renewals=2)],
            ),
            wire.CalendarEntry(branch="main", closed_weekdays=[0]),
        ],
        more=True,
        begins=True,
    )
    size = wire.MAX_ENTRIES // 2
    for first in range(0, city.memberships, size):
        entries: list[wire.FeedEntry] = []
        for number in range(first, min(first + size, city.memberships)):
            index = hmac.digest(INDEX_KEY, uid(number).hex().upper().encode(), hashlib.sha256).hex()
            entries.append(wire.MembershipEntry(id=f"m{number}", category="adult", display_name="王○"))
            entries.append(wire.CardEntry(index=index, membership=f"m{number}", kind=CardKind.EASYCARD))
        yield page(entries, more=True, begins=False)
    for first in range(0, city.items, size):
        items = range(first, min(first + size, city.items))
        yield page(
            [
                wire.ItemEntry(id=item_id(number), title=f"臺灣地方誌研究 {number}", author="陳○", branch="main")
                for number in items
            ],
            more=first + size < city.items,
            begins=False,
        )


def fill(folder: Path, city: City, progress: Progress) -> None:
    """Both files, the replica filled through the feed's own path."""
    acts.prepare(folder, KEY)
    replica.prepare(folder, KEY)
    writer = ReplicaWriter(folder, KEY)
    task = progress.add_task("filling the replica", total=city.memberships * 2 + city.items)
    for page in pages(city):
        writer.apply(page, datetime.now(UTC))
        progress.advance(task, len(page.entries))
    writer.close()


def settings_of(folder: Path) -> KioskSettings:
    """Of a kiosk whose files are here."""
    return KioskSettings(
        library_name="bench",
        branch="main",
        branch_name="bench",
        data=folder / "data",
        keys=folder / "keys",
        codes=(CodeRule(type=CodeType.ITEM, pattern="C[0-9]{7}"),),
    )


class Feeding:
    """The feed writes meanwhile: a page of changed items twenty times a second, on a thread of its own."""

    def __init__(self, folder: Path, city: City) -> None:
        self._folder = folder
        self._city = city
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="bench-feed")
        self.pages = 0

    def __enter__(self) -> "Feeding":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        writer = ReplicaWriter(self._folder, KEY)
        while not self._stop.wait(FEED_EVERY_S):
            self.pages += 1
            first = self.pages * FEED_ENTRIES
            changed: list[wire.FeedEntry] = [
                wire.ItemEntry(
                    id=item_id((first + number) * 15485867 % self._city.items), title="改", author="陳○", branch="main"
                )
                for number in range(FEED_ENTRIES)
            ]
            now = datetime.now(UTC)
            page = wire.FeedPage(
                epoch="bench", now=now, cursor="c", position=self.pages + 1, more=False, entries=changed
            )
            writer.apply(page, now)
        writer.close()


def offline_station(folder: Path, settings: KioskSettings, screen: Screen) -> tuple[Station, ActsLog]:
    """A real station over the filled files, offline."""
    log = ActsLog(folder, KEY)
    built = Station(
        library=Holdings(Replica(folder, KEY, INDEX_KEY), log),
        acts=log,
        asker=NoAsker(),
        printer=SilentPrinter(),
        entrance=ClosedDoor(),
        screen=screen,
        clock=SystemClock(),
        settings=settings.visit(),
        new_act_id=lambda: ActId(str(uuid7())),
    )
    built.handle(LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE))
    return built, log


def station(folder: Path, settings: KioskSettings) -> tuple[Station, SilentScreen, ActsLog]:
    """The same with a screen that only remembers."""
    screen = SilentScreen()
    built, log = offline_station(folder, settings, screen)
    return built, screen, log


def card_to_patron(folder: Path, settings: KioskSettings, city: City, runs: int) -> Figure:
    """UID → patron known and basket shown, random memberships."""
    built, screen, log = station(folder, settings)
    samples = []
    for run in range(runs):
        card = CardRead(uid((run * 7919) % city.memberships), Technology.ISO14443A)
        samples.append(timed(lambda card=card: built.handle(CardArrived("reader", card))))  # type: ignore[misc]
        if screen.view.phase is not Phase.BORROW:
            raise AssertionError("the card was not known")
        built.handle(CardLeft("reader"))
        built.handle(Touched(Intent.END))
    log.close()
    return Figure(
        work="UID → patron known",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        goal="p99 ≤ 5 ms at 500 k memberships",
        met=p99(samples) <= 5.0,
        note=f"{city.memberships} memberships",
    )


def barcode_to_fact(folder: Path, settings: KioskSettings, city: City, runs: int) -> Figure:
    """Barcode's last byte → fact on disk and shown, offline; and its floor, taking turns."""
    built, screen, log = station(folder, settings)
    floor = Floor(folder)
    samples, floors = [], []
    with Feeding(folder, city) as feeding:
        for run in range(runs):
            if run % BASKET == 0:
                built.handle(Touched(Intent.END))
                card = CardRead(uid((run * 104729) % city.memberships), Technology.ISO14443A)
                built.handle(CardArrived("reader", card))
            code = CodeRead("scanner", item_id((run * 15485863 + 11) % city.items))
            samples.append(timed(lambda code=code: built.handle(code)))  # type: ignore[misc]
            if screen.view.rows[0].state is not RowState.PROVISIONAL:
                raise AssertionError(f"the loan was not recorded: {screen.view.rows[0]}")
            floors.append(timed(floor.commit))
    log.close()
    floor.close()
    ratio = median(samples) / median(floors)
    return Figure(
        work="barcode → durable verdict, offline",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        floor="one FULL commit of the same row by bare sqlcipher3 in an equal file",
        floor_ms=median(floors),
        goal="≤ 3 × floor, p99 ≤ 25 ms",
        met=ratio <= 3 and p99(samples) <= 25,
        note=f"{city.memberships} memberships, {city.items} items, {feeding.pages} feed pages applied meanwhile",
    )


class Floor:
    """A second acts file with the same tables; one bare commit per call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "floor"
        acts.prepare(self._folder, KEY)
        log = ActsLog(self._folder, KEY)
        for number in range(1000):
            log.record(Word.FACT, _act(number))
        log.close()
        self._db = connect(self._folder / acts.FILE, KEY, durable=True)
        self._number = 1000

    def commit(self) -> None:
        act = _act(self._number)
        self._number += 1
        happened = int(act.happened_at.timestamp() * 1_000_000)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT INTO word (act, word, deed, membership, item, branch, happened_at, mode, policy_version, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                act.id,
                Word.FACT,
                act.deed,
                act.membership,
                act.item,
                act.branch,
                happened,
                act.mode,
                act.policy_version,
                happened,
            ),
        )
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


def _act(number: int) -> Act:
    now = datetime.now(UTC)
    return Act(
        id=ActId(str(uuid7())),
        deed=Deed.CHECKOUT,
        membership=MembershipId(f"m{number}"),
        item=ItemId(item_id(number)),
        branch=BranchId("main"),
        happened_at=now,
        clock_offset=None,
        mode=Mode.OFFLINE,
        replica_age=None,
        policy_version="bench-1",
        due_at=now,
    )
