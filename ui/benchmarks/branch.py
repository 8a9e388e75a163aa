"""A branch in one thread: real kiosks, a real central, and a network that does what it is told. No devices, no waiting.

Everything between a scanned barcode and central's database is the real thing (`Station`, `ActsLog`, `Replica`,
`SyncActs`, `SyncFeed`, `CentralClient`, `Inbox`, `Feed`, signed tokens, the wire's JSON); only time, sockets and death
are simulated. Death leaves the files as they are at that instant: they are copied before the connections are closed.
"""

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec

from kiosk.domain.journal import Act, Deed, Outcome, Spoken, Verdict, Word
from kiosk.domain.reconcile import Held
from kiosk.domain.staff import Entry
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, KioskId, MembershipId
from kiosk.ports import (
    CentralError,
    CentralReason,
    Event,
    Knock,
    LedgerError,
    Phase,
    RowState,
    Sound,
    Started,
    View,
)
from kiosk.station import Station
from kiosk.visit.state import VisitSettings
from sync import acts, parcel, wire
from sync.acts import ActsLog
from sync.agent import KEEP_ACTS, SyncActs, SyncFeed
from sync.central import parcels
from sync.central.feed import Feed
from sync.central.feed_own import Reader
from sync.central.holds import Holds
from sync.central.http.credentials import NotAllowed, verify
from sync.central.inbox import Inbox
from sync.central.judge import judge
from sync.central.office import Central, CentralSettings
from sync.central.pages import Pages
from sync.central.ruling import Known, Ruling
from sync.central_client import CentralClient, Identity
from sync.clock_offset import ClockOffset
from sync.holdings import Holdings
from sync.link_state import LinkRules
from sync.replica import Replica, ReplicaWriter
from sync.sealed import BadParcel
from sync.staff_door import StaffDoor
from ui.benchmarks.lending import SilentPrinter

KEY = bytes(range(32))
LONG = 2
"""Histories of so few acts are cut already, so that cuts are made and given up in every schedule."""
FATES = ("pass", "lose request", "lose answer", "double", "delay", "html", "busy", "central dies")


class Violation(AssertionError):
    """A promise was broken."""


class Death(BaseException):
    """The process ends here; nothing may catch it but the scene."""


@dataclass(slots=True)
class Fuse:
    """Dies at the n-th step from now; unlit while None."""

    left: int | None = None

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = None
                raise Death


class Times:
    """True time and what each clock makes of it."""

    def __init__(self, now: datetime) -> None:
        self.true = now
        self.seconds = 1000.0
        self.acts: dict[ActId, datetime] = {}
        """When each act really happened."""

    def __call__(self) -> datetime:
        return self.true

    def go(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass(slots=True)
class KioskClock:
    """A kiosk's clock, wrong by `skew`."""

    times: Times
    skew: timedelta = timedelta()
    boots: int = 0

    def now(self) -> datetime:
        return self.times.true + self.skew

    def monotonic(self) -> float:
        return self.times.seconds

    def boot(self) -> str:
        return f"boot-{self.boots}"


def keep_as_is(folder: Path, close: Callable[[], None]) -> None:
    """Close connections, and put the files back as they were before: as after SIGKILL."""
    held = folder.with_name(folder.name + ".held")
    shutil.copytree(folder, held, ignore=shutil.ignore_patterns("*-shm"))
    close()
    shutil.rmtree(folder)
    held.rename(folder)


class CentralSide:
    """Central as a process that may die and be restored."""

    def __init__(self, settings: CentralSettings, times: Times) -> None:
        self.settings = settings
        self.times = times
        self.fuse = Fuse()
        self.cells: Counter[tuple[Held, Word]] = Counter()
        self.said: dict[tuple[str, str, Word], wire.WireVerdict] = {}
        self.copies: list[tuple[Path, datetime]] = []
        self._desk_ids = (f"desk-{number}" for number in count(1))
        self.central = self._open()

    def _open(self) -> Central:
        central = Central.open(self.settings, clock=self.times)
        central.inbox = Inbox(central.database, self.times, judge=self._judge, long=LONG, opens=central.fleet.opens())
        own = Inbox(central.database, self.times, long=LONG)  # staff wait for their answer; no death comes between
        central.holds = Holds(central.database, own, self.times, new_id=lambda: next(self._desk_ids))
        central.feed = Feed(central.database, page_size=7)
        central.pages = Pages(central.feed, page=7, chunk=5)
        return central

    def _judge(self, spoken: Spoken, known: Known) -> Ruling:
        self.fuse.step()
        return judge(spoken, known)

    def die(self) -> None:
        self.fuse.left = None
        keep_as_is(self.settings.data, self.central.close)
        self.central = self._open()

    def back_up(self) -> None:
        """Keeps a copy of the files as of now."""
        copy = self.settings.data.with_name(f"copy-{len(self.copies)}")
        self.central.close()
        shutil.copytree(self.settings.data, copy, ignore=shutil.ignore_patterns("*-shm"))
        self.copies.append((copy, self.times()))
        self.central = self._open()

    def restore(self, which: int) -> None:
        """An older copy takes the place of the database; none so old that kiosks have forgotten what it lacks."""
        young = [copy for copy, made_at in self.copies if made_at >= self.times() - KEEP_ACTS]
        if not young:
            return
        self.central.close()
        shutil.rmtree(self.settings.data)
        shutil.copytree(young[which % len(young)], self.settings.data)
        self.central = self._open()
        self.central.renew_epoch()

    def take(self, file: Path) -> Path | None:
        """The answer to a parcel; None when central died over it."""
        try:
            return parcels.take(self.central, file, file.parent).answer
        except Death:
            self.die()
            return None

    def answer(self, method: str, path: str, body: bytes, header: str | None) -> httpx2.Response:
        """What the HTTP layer would answer. Raises Death."""
        central, now = self.central, self.times()
        try:
            kiosk = verify(header, wire.request_said(method, path), body, central.fleet.find, now)
        except NotAllowed as error:
            return reply(401, wire.Fault(code=error.code, detail=error.detail, now=now))
        parts = urlsplit(path)
        if parts.path == "/v1/acts":
            return reply(200, self._push(kiosk.id, msgspec.json.decode(body, type=wire.Push)))
        if parts.path == "/v1/feed":
            query = parse_qs(parts.query)
            page = central.pages.page(query.get("cursor", [None])[0], Reader(kiosk.index_key, kiosk.branch))
            held = central.inbox.held_through(kiosk.id, IncarnationId(query["incarnation"][0]))
            return httpx2.Response(200, content=page.part.begun.plain() + page.rest(now, held))
        health = msgspec.json.decode(body, type=wire.Health)
        held = central.inbox.held_through(kiosk.id, IncarnationId(health.incarnation))
        return reply(200, wire.Envelope(epoch=central.epoch(), now=now, held_through=held, unseals=True))

    def push(self, kiosk: KioskId, push: wire.Push) -> wire.Pushed:
        """As `_push`, from somebody without a token: a faulty kiosk."""
        return self._push(kiosk, push)

    def _push(self, kiosk: KioskId, push: wire.Push) -> wire.Pushed:
        held = dict(self.central.holdings.acts())
        self.fuse.step()
        judged = self.central.inbox.judge(kiosk, IncarnationId(push.incarnation), push.words)
        for word, verdict in zip(push.words, judged.verdicts, strict=True):
            self._dated_well(word)
            self.cells[held.get(ActId(word.act), Held.NOTHING), word.word] += 1
            self._judged_once(word, wire.WireVerdict.of(verdict))
        self.fuse.step()
        return wire.Pushed(
            epoch=judged.epoch,
            now=self.times(),
            held_through=judged.held_through,
            unseals=True,
            verdicts=[wire.WireVerdict.of(verdict) for verdict in judged.verdicts],
        )

    def _dated_well(self, word: wire.WireWord) -> None:
        """Whatever became of the kiosk's clock: a corrected time is true, and what had been heard came before."""
        true = self.times.acts.get(ActId(word.act))
        if true is None:
            return
        act = word.spoken().act
        if word.heard_at is not None and word.heard_at > true:
            raise Violation(f"heard before it was said: {word} happened {true}")
        if word.clock_offset_ms is not None and (word.doubtful or abs(act.corrected_at - true) > timedelta(seconds=1)):
            raise Violation(f"dated wrongly: {word} happened {true}")

    def _judged_once(self, word: wire.WireWord, verdict: wire.WireVerdict) -> None:
        if word.word is Word.FACT and verdict.outcome in (Outcome.REFUSED, Outcome.CANCELLED):
            raise Violation(f"a fact was refused: {word} {verdict}")
        before = self.said.setdefault((verdict.epoch, verdict.act, verdict.word), verdict)
        if before != verdict:
            raise Violation(f"a word was judged twice: {before} {verdict}")


def reply(status: int, answer: msgspec.Struct) -> httpx2.Response:
    return httpx2.Response(status, content=msgspec.json.encode(answer))


@dataclass(slots=True)
class Network:
    """Carries calls; each meets the next fate, or what the weather throws."""

    central: CentralSide
    dice: Random
    calm: float = 1.0
    """Share of calls that simply pass."""
    late: list[tuple[str, str, bytes, str | None]] = field(default_factory=list)
    """Requests on a long way."""

    def call(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        path, header = url.removeprefix("https://central.test"), headers.get("Authorization")
        fate = "pass" if self.dice.random() < self.calm else self.dice.choice(FATES)
        match fate:
            case "lose request":
                raise httpx2.ConnectTimeout("lost")
            case "delay":
                self.late.append((method, path, body, header))
                raise httpx2.ReadTimeout("too late")
            case "html":
                return httpx2.Response(200, content=b"<html>Please log in</html>")
            case "busy":
                return httpx2.Response(502, content=b"Bad gateway")
            case "central dies":
                self.central.fuse.left = self.dice.randint(1, 4)
            case "double":
                self._reach(method, path, body, header)
        answer = self._reach(method, path, body, header)
        if fate == "lose answer":
            raise httpx2.ReadTimeout("lost")
        return answer

    def arrive(self) -> None:
        """One of the late requests arrives; nobody waits for its answer."""
        if self.late:
            self.late.sort(key=lambda _: self.dice.random())
            try:
                self._reach(*self.late.pop())
            except httpx2.HTTPError:
                return

    def _reach(self, method: str, path: str, body: bytes, header: str | None) -> httpx2.Response:
        try:
            return self.central.answer(method, path, body, header)
        except Death:
            self.central.die()
            raise httpx2.ReadError("cut") from None


@dataclass(slots=True)
class Line:
    """One client's transport."""

    network: Network
    kiosk: "KioskSide"

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        self.kiosk.fuse.step()
        if self.kiosk.cut:
            raise httpx2.ConnectError("no line")
        answer = self.network.call(method, url, content, headers)
        self.kiosk.fuse.step()
        return answer

    def interrupt(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""


class FusedLog:
    """An acts log whose process may die before and after each write."""

    def __init__(self, log: ActsLog, fuse: Fuse, contents: dict[ActId, Act]) -> None:
        """`contents`: what each act said when it was written; the log itself forgets it once it is sealed."""
        self._log, self._fuse, self._contents = log, fuse, contents

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._log, name)
        if name not in ("record", "settle", "settle_all", "agree", "note_held", "prune", "seal"):
            return found

        def fused(*arguments: Any) -> Any:
            self._fuse.step()
            result = found(*arguments)
            if name == "record":
                self._contents[arguments[1].id] = arguments[1]
            self._fuse.step()
            return result

        return fused


class AwayForStaff:
    """Central when a login is asked for: the verifier that the kiosk knows decides."""

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        raise CentralError(CentralReason.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a patron saw as done."""

    kiosk: str
    incarnation: str
    due_at: datetime | None


class KioskSide:
    """A kiosk as a process that may die, lose its files or its time."""

    def __init__(self, folder: Path, blank: Path, identity: Identity, network: Network, visit: VisitSettings) -> None:
        self.folder, self.blank, self.identity, self.visit = folder, blank, identity, visit
        self.network = network
        self.clock = KioskClock(network.central.times)
        self.fuse = Fuse()
        self.mail: deque[Event] = deque()
        self.knocks: deque[Knock] = deque()
        self.staff_acts: set[ActId] = set()
        """What staff did here, as far as `remember_staff` found it in a log."""
        self.staff_acts_lost: set[ActId] = set()
        """The same of logs that went with their machine."""
        self.promises: dict[ActId, Promise] = {}
        self.contents: dict[ActId, Act] = {}
        """What its acts said when they were written."""
        self.acts_made = 0
        self.cut = False
        self.view: View | None = None
        self.renew()

    # --- life and death ---

    def renew(self) -> None:
        """A new machine: empty files, a new incarnation."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.blank, self.folder)
        acts.prepare(self.folder, KEY)
        self.start()

    def replace(self) -> None:
        """The old machine and what it had not told are lost; its promises cannot be held to."""
        self.remember_staff()
        self.staff_acts_lost |= self.staff_acts
        self.staff_acts.clear()
        self._close()
        self.promises.clear()
        self.renew()

    def remember_staff(self) -> None:
        """Before anything is forgotten: what staff did, by this log."""
        self.staff_acts |= {story.act.id for story in self.stories() if story.act.deed.of_the_kiosk}

    def start(self) -> None:
        """As the composition root does: the past is settled before the first sync."""
        self.fuse.left = None
        self.mail.clear()
        self.knocks.clear()
        self.view = None
        offset = ClockOffset(self.clock)
        self.log = ActsLog(self.folder, KEY)
        self.replica = Replica(self.folder, KEY, self.identity.index_key_bytes())
        self.knowledge = Holdings(self.replica, self.log)
        self._sync_log = ActsLog(self.folder, KEY)
        self._writer = ReplicaWriter(self.folder, KEY)
        incarnation = self.log.incarnation

        def client() -> CentralClient:
            return CentralClient(self.identity, incarnation, self.clock, offset, Line(self.network, self))

        fused: Any = FusedLog(self._sync_log, self.fuse, self.contents)
        self.sync = SyncActs(
            open_log=lambda: fused,
            client=client(),
            offset=offset,
            mailbox=self,
            clock=self.clock,
            health=lambda length, _: wire.Health(incarnation=incarnation, program="sim", queue_length=length),
            rules=LinkRules(probes_needed=2),
            jitter=Random(1),
            seals=self.identity.seals(),
            passed=lambda: self.feed.passed,
        )
        self.feed = SyncFeed(
            open_replica=lambda: self._writer,
            client=client(),
            clock=self.clock,
            suspect=self.sync.suspect,
            wait_s=0,
            jitter=Random(1),
        )
        door_log: Any = FusedLog(ActsLog(self.folder, KEY), self.fuse, self.contents)
        self._door = StaffDoor(
            acts=door_log,
            replica=Replica(self.folder, KEY, self.identity.index_key_bytes()),
            central=AwayForStaff(),
            branch=BranchId(self.identity.branch),
        )
        station_log: Any = FusedLog(self.log, self.fuse, self.contents)
        self.station = Station(
            library=self.knowledge,
            acts=station_log,
            asker=self.sync,
            printer=SilentPrinter(),
            entrance=self,
            screen=self,
            clock=self.clock,
            settings=self.visit,
            new_act_id=self._new_act,
        )
        self.station.handle(Started())

    def die(self) -> None:
        keep_as_is(self.folder, self._close)
        self.start()

    def reboot(self, skew: timedelta) -> None:
        """The machine loses power and starts with a clock that may be wrong; its monotonic clock is another one."""
        self.clock.boots += 1
        self.clock.skew = skew
        self.die()

    def _close(self) -> None:
        for each in (self.log, self._sync_log, self.replica, self._writer, self._door):
            each.close()

    def close(self) -> None:
        self._close()

    def _new_act(self) -> ActId:
        self.acts_made += 1
        made = ActId(f"{self.identity.kiosk}-{self.log.incarnation[:8]}-{self.acts_made}")
        self.network.central.times.acts[made] = self.network.central.times()
        return made

    # --- what happens ---

    def alive(self, work: Callable[[], object]) -> None:
        """Do it; if the fuse burns down on the way, the kiosk dies and starts again."""
        try:
            work()
        except Death:
            self.die()

    def handle(self, *events: Event) -> None:
        for event in events:
            self.station.handle(event)

    def read_mail(self) -> None:
        while self.mail:
            self.station.handle(self.mail.popleft())

    def turn(self) -> None:
        self.sync.turn()

    def pull(self) -> None:
        self.feed.turn()

    def answer_knocks(self) -> None:
        """What the thread at the staff door does."""
        while self.knocks:
            self.post(self._door.enter(self.knocks.popleft()))

    def export(self, stick: Path) -> Path:
        """What waits, on a stick; the kiosk runs meanwhile."""
        health = wire.Health(incarnation=self.log.incarnation, program="sim", queue_length=self.log.queue()[0])
        return parcel.export(stick, self.log, self._writer.cursor(), self.identity, health, self.clock.now())[0]

    def take(self, answer: Path) -> None:
        """Central's answer from a stick: the kiosk is stopped for it. One that is too old says so and changes nothing."""
        self.remember_staff()
        self._close()
        log, writer = ActsLog(self.folder, KEY), ReplicaWriter(self.folder, KEY)
        fused: Any = FusedLog(log, self.fuse, self.contents)
        try:
            parcel.take(answer, answer.parent, fused, writer, self.identity, keep=KEEP_ACTS, now=self.clock.now())
        except BadParcel:
            pass
        finally:
            log.close()
            writer.close()
        self.start()

    def known(self, books: Iterable[str], patrons: Iterable[str]) -> list[object]:
        """Who has what and waits for what, as the kiosk knows it."""
        knowledge = self.knowledge
        loans = [knowledge.open_loans(MembershipId(who)) for who in patrons]
        holds = [knowledge.holds(MembershipId(who)) for who in patrons]
        return [loans, holds, [(knowledge.holder(ItemId(book)), knowledge.item(ItemId(book))) for book in books]]

    def stories(self) -> list["Told"]:
        """Every act in the log, newest first; of a sealed one what it said when it was written."""
        return [
            story if story.act.sealed is None else replace(story, act=self.contents[story.act.id])
            for story in stories(self.log)
        ]

    # --- StaffEntrance ---

    def knock(self, knock: Knock) -> None:
        self.knocks.append(knock)

    # --- Mailbox and Screen ---

    def post(self, event: Event) -> None:
        self.mail.append(event)

    def play(self, sound: Sound) -> None:
        """No sound."""

    def show(self, view: View) -> None:
        """What is shown as done must be on disk, and so must the try that opened the staff page; it is remembered as
        promised."""
        before, self.view = self.view, view
        if view.phase is Phase.STAFF and (before is None or before.phase is not Phase.STAFF):
            self._let_in()
        deed = {Phase.BORROW: Deed.CHECKOUT, Phase.RETURN: Deed.RETURN}.get(view.phase)
        if deed is None:
            return
        for row in view.rows:
            if row.state not in (RowState.DONE, RowState.PROVISIONAL):
                continue
            act = next((said for said in self.stories() if said.act.item == row.item and said.act.deed is deed), None)
            if act is None or not act.stands:
                raise Violation(f"shown as done, but not recorded: {row} {act}")
            self.promises[act.act.id] = Promise(self.identity.kiosk, self.log.incarnation, row.due_at)

    def _let_in(self) -> None:
        if not any(story.stands and story.act.entry is Entry.OK for story in self.stories()):
            raise Violation("somebody sees the staff page, and no try is recorded")


@dataclass(slots=True)
class Told:
    """All words of one act in a kiosk's log."""

    act: Act
    words: dict[Word, Verdict | None]

    @property
    def stands(self) -> bool:
        if Word.WITHDRAWAL in self.words:
            return False
        asked = self.words.get(Word.REQUEST)
        return Word.FACT in self.words or (asked is not None and asked.outcome.stands)


def stories(log: ActsLog) -> list[Told]:
    """Every act in the log, newest first."""
    told: dict[ActId, Told] = {}
    for spoken, verdict in log.words():
        story = told.setdefault(spoken.act.id, Told(spoken.act, {}))
        story.words[spoken.word] = verdict
    return list(reversed(told.values()))


def settle_down(kiosks: Iterable[KioskSide], network: Network, rounds: int = 80) -> None:
    """The network holds: every kiosk drains and catches up. Raises Violation if they never do."""
    times, central = network.central.times, network.central
    network.calm = 1.0
    waiting = list(kiosks)
    for done in range(rounds):
        for kiosk in waiting:
            try:
                kiosk.alive(kiosk.turn)
                kiosk.alive(kiosk.read_mail)
                kiosk.alive(kiosk.pull)
            except LedgerError as error:
                raise Violation(str(error)) from error
        epoch, head = central.central.epoch(), central.central.feed.head()
        places = [kiosk.replica.place() for kiosk in waiting]
        heard = done >= 5  # every kiosk has had a heartbeat
        if (
            heard
            and all((place.epoch, place.position) == (epoch, head) for place in places)
            and not any(kiosk.log.queue()[0] or kiosk.log.open_requests() or kiosk.mail for kiosk in waiting)
        ):
            return
        times.go(2.0)
    raise Violation(f"never converged: {[(kiosk.log.queue(), kiosk.replica.place()) for kiosk in waiting]}")
