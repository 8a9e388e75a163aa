"""Rush hour: many kiosks at one central, each with its long poll open, lending and returning online.

The kiosks are threads of a few load processes with bare keep-alive connections, so that the load leaves the cores to
central; what they send is what a kiosk sends (signed with its own key, one request and one word each, the feed with its
cursor). Every answer must be a verdict that lets the act stand, else the bench fails. The load shares the machine with
central, so a figure is a lower bound of what central can do alone.
"""

import http.client
import multiprocessing
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from rich.progress import Progress
from uuid_utils.compat import uuid7

from kiosk.domain.journal import Act, Deed, Mode, Spoken, Word
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from sync import wire
from sync.central_client import MAX_ANSWER, Identity, signed
from sync.packed import CODING, unpacked
from ui.benchmarks.measure import Figure, median, p99
from ui.benchmarks.town import BRANCH, Town, item_id

LOAD_PROCESSES = 2
TIMEOUT_S = 60.0
BOOKS_EACH = 10
IN_FLIGHT = 32
SINGLE_ACTS = 300
"""A second and process, from the design's table of speeds."""
FEED_WAIT_S = 25
STORM_MS = 500
"""An act's p99 while every kiosk reads a snapshot."""

T = TypeVar("T", bound=wire.Envelope)


@dataclass(frozen=True, slots=True)
class Rush:
    """One run."""

    acts: int
    """Judged."""
    feeds: int
    """Feed pages that were answered."""
    seconds: float
    """How long it lasted."""
    waits_ms: list[float]
    """Each act's, from sending to its verdict."""
    entries: int = 0
    """In all pages, as far as they were counted."""


class Reading(Enum):
    """What kiosks read of the feed while they lend."""

    NOTHING = "nothing"
    NEWS = "news"
    """Filled before, then by long polls."""
    SNAPSHOT = "snapshot"
    """From the beginning, and again when they have all of it."""


class _Seen(wire.Envelope, frozen=True, kw_only=True):
    """Of a page of a snapshot only what is needed to go on: reading the entries is the work of the kiosk's own machine."""

    cursor: str
    more: bool
    read: int


def rush_hour(
    folder: Path, database: str | None, workers: int, kiosks: int, seconds: float, think_s: float, progress: Progress,
    goal_ms: float | None = None,
) -> Figure:  # fmt: skip
    """So many kiosks for so long; each waits `think_s` after each verdict (0: as fast as central answers)."""
    engine = "SQLite" if database is None else "PostgreSQL"
    name = f"{kiosks} kiosks, {workers} central process{'es' if workers > 1 else ''}, {engine}"
    task = progress.add_task(name, total=None)
    town = Town(folder, database)
    town.found(items=kiosks * BOOKS_EACH, memberships=kiosks)
    with town.serving(workers):
        rush = run(town.enrolled(kiosks), seconds, think_s)
    progress.remove_task(task)
    pause = f", each {think_s:g} s after its last" if think_s else ", one after the other"
    return Figure(
        work=f"act to verdict, {name}{pause}",
        median_ms=median(rush.waits_ms),
        p99_ms=p99(rush.waits_ms),
        runs=rush.acts,
        goal="" if goal_ms is None else f"p99 ≤ {goal_ms:.0f} ms",
        met=None if goal_ms is None else p99(rush.waits_ms) <= goal_ms,
        note=f"{rush.acts / rush.seconds:.0f} acts/s and {rush.feeds / rush.seconds:.0f} feed pages/s",
    )


def snapshot_storm(
    folder: Path, database: str | None, kiosks: int, items: int, memberships: int, seconds: float, think_s: float,
    progress: Progress,
) -> Figure:  # fmt: skip
    """All kiosks read a snapshot at once, page by page and without a pause, and lend online as at rush hour meanwhile."""
    engine = "SQLite" if database is None else "PostgreSQL"
    rows = items + memberships
    task = progress.add_task(f"{kiosks} snapshots of {rows} rows, {engine}", total=None)
    town = Town(folder, database)
    town.found(items=max(items, kiosks * BOOKS_EACH), memberships=max(memberships, kiosks))
    with town.serving(1):
        rush = run(town.enrolled(kiosks), seconds, think_s, reading=Reading.SNAPSHOT)
    progress.remove_task(task)
    return Figure(
        work=f"act to verdict while {kiosks} kiosks read a snapshot of {rows} rows, 1 central process, {engine}",
        median_ms=median(rush.waits_ms),
        p99_ms=p99(rush.waits_ms),
        runs=rush.acts,
        goal=f"p99 ≤ {STORM_MS} ms",
        met=p99(rush.waits_ms) <= STORM_MS,
        note=f"{rush.acts / rush.seconds:.1f} acts/s, each {think_s:g} s after its last, and {rush.feeds / rush.seconds:.0f} pages/s "
        f"with {rush.entries / rush.seconds:.0f} entries/s",
    )


def single_acts(folder: Path, database: str | None, seconds: float, progress: Progress) -> Figure:
    """Acts one by one over HTTP, as many at a time as central judges together; nobody follows the feed meanwhile."""
    engine = "SQLite" if database is None else "PostgreSQL"
    task = progress.add_task(f"single acts, {engine}", total=None)
    town = Town(folder, database)
    town.found(items=IN_FLIGHT * BOOKS_EACH, memberships=IN_FLIGHT)
    with town.serving(1):
        rush = run(town.enrolled(IN_FLIGHT), seconds, 0.0, reading=Reading.NOTHING)
    progress.remove_task(task)
    rate = rush.acts / rush.seconds
    return Figure(
        work=f"single acts, {IN_FLIGHT} at a time, 1 central process, {engine}",
        median_ms=median(rush.waits_ms),
        p99_ms=p99(rush.waits_ms),
        runs=rush.acts,
        goal=f"≥ {SINGLE_ACTS} acts/s",
        met=rate >= SINGLE_ACTS,
        note=f"{rate:.0f} acts/s, each a request of its own",
    )


def run(kiosks: Sequence[Identity], seconds: float, think_s: float, *, reading: Reading = Reading.NEWS) -> Rush:
    """All at once, dealt out to the load processes."""
    spawning = multiprocessing.get_context("spawn")
    begin = spawning.Barrier(LOAD_PROCESSES)
    loads = []
    for place in range(LOAD_PROCESSES):
        hears, says = spawning.Pipe(duplex=False)
        mine = [(number, kiosk) for number, kiosk in enumerate(kiosks) if number % LOAD_PROCESSES == place]
        process = spawning.Process(target=_load, args=(mine, seconds, think_s, reading, says, begin))
        process.start()
        says.close()
        loads.append((process, hears))
    waits: list[float] = []
    feeds = entries = 0
    for process, hears in loads:
        told, pages, read, wrong = hears.recv()
        process.join()
        if wrong:
            raise AssertionError(wrong)
        waits += told
        feeds += pages
        entries += read
    return Rush(len(waits), feeds, seconds, waits, entries)


def _load(
    kiosks: list[tuple[int, Identity]],
    seconds: float,
    think_s: float,
    reading: Reading,
    says: Connection,
    begin: Barrier,
) -> None:
    simulated = [
        _Kiosk(number, identity, think_s * place / len(kiosks)) for place, (number, identity) in enumerate(kiosks)
    ]
    for kiosk in simulated if reading is not Reading.SNAPSHOT else ():
        kiosk.fill()
    begin.wait()
    for kiosk in simulated:
        kiosk.end = time.monotonic() + seconds
    threads = [threading.Thread(target=kiosk.lend, args=(think_s,)) for kiosk in simulated]
    reads = {Reading.NEWS: _Kiosk.follow, Reading.SNAPSHOT: _Kiosk.read_snapshot}.get(reading)
    polls = [] if reads is None else [threading.Thread(target=reads, args=(kiosk,), daemon=True) for kiosk in simulated]
    for thread in (*polls, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    wrong = next((kiosk.wrong for kiosk in simulated if kiosk.wrong), "")
    waits = [wait for kiosk in simulated for wait in kiosk.waits]
    says.send((waits, sum(kiosk.pages for kiosk in simulated), sum(kiosk.entries for kiosk in simulated), wrong))


class _Kiosk:
    """One kiosk's two connections."""

    def __init__(self, number: int, identity: Identity, begin_after_s: float) -> None:
        self._number, self._identity, self._key = number, identity, identity.signs()
        self._begin_after_s = begin_after_s
        self._cursor = ""
        self.end = 0.0
        self._address = urlsplit(identity.url)
        self.waits: list[float] = []
        self.pages = 0
        self.entries = 0
        self.wrong = ""

    def lend(self, think_s: float) -> None:
        """Its books are lent and taken back, one after the other."""
        line = self._line()
        incarnation = f"rush-{self._number}"
        sequence = 0
        time.sleep(self._begin_after_s)
        while time.monotonic() < self.end and not self.wrong:
            sequence += 1
            act = Act(
                id=ActId(str(uuid7())),
                deed=Deed.CHECKOUT if sequence % 2 else Deed.RETURN,
                membership=MembershipId(f"m{self._number}"),
                item=ItemId(item_id(self._number * BOOKS_EACH + (sequence - 1) // 2 % BOOKS_EACH)),
                branch=BranchId(BRANCH),
                happened_at=datetime.now(UTC),
                clock_offset=None,
                mode=Mode.ONLINE,
                replica_age=None,
                policy_version="bench-1",
            )
            word = wire.WireWord.of(Spoken(sequence=sequence, word=Word.REQUEST, act=act))
            body = msgspec.json.encode(wire.Push(incarnation=incarnation, words=[word]))
            sent = time.perf_counter()
            answer = self._call(line, "POST", "/v1/acts", body, wire.Pushed)
            self.waits.append((time.perf_counter() - sent) * 1000)
            if not answer.verdicts[0].outcome.stands:
                self.wrong = f"an act was not accepted: {answer}"
            if think_s:
                time.sleep(think_s)
        line.close()

    def fill(self) -> None:
        """The first fill, before anything is measured."""
        line = self._line()
        while self._look(line, 0).more:
            pass
        line.close()

    def follow(self) -> None:
        """Its long poll, as `sync-feed` does it."""
        line = self._line()
        while time.monotonic() < self.end and not self.wrong:
            self._look(line, FEED_WAIT_S)
            self.pages += 1

    def read_snapshot(self) -> None:
        """From the beginning, without a pause."""
        line, cursor, read = self._line(), "", 0
        while time.monotonic() < self.end and not self.wrong:
            page = self._call(line, "GET", f"/v1/feed?cursor={cursor}&wait_s=0", b"", _Seen, packs=True)
            cursor = page.cursor if page.more else ""
            self.pages += 1
            self.entries += page.read - read  # as positions, of which nearly all have an entry here
            read = page.read if page.more else 0

    def _look(self, line: http.client.HTTPConnection, wait_s: int) -> wire.FeedPage:
        page = self._call(line, "GET", f"/v1/feed?cursor={self._cursor}&wait_s={wait_s}", b"", wire.FeedPage)
        self._cursor = page.cursor
        return page

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=TIMEOUT_S)

    def _call(
        self,
        line: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes,
        answer: type[T],
        *,
        packs: bool = False,
    ) -> T:
        token = signed(self._identity.kiosk, self._key, method, path, body, datetime.now(UTC))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request(method, path, body, {**headers, "Accept-Encoding": CODING} if packs else headers)
        response = line.getresponse()
        content = response.read()
        if response.status != 200:
            self.wrong = f"{method} {path}: {response.status} {content[:200]!r}"
            raise AssertionError(self.wrong)
        if response.getheader("Content-Encoding") == CODING:
            content = unpacked(content, MAX_ANSWER)
        return msgspec.json.decode(content, type=answer)
