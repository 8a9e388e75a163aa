"""Schedules of everything that may go wrong between kiosks and central, and what must hold all the same (docs/sync.md).

A schedule is a list of steps with dice, so that a failing one can be printed, repeated and shortened: the same list
always plays the same scene. `play` runs one against a fresh copy of a small library (two kiosks at two branches, three
patrons, four books, two of them copies of one work) and checks the promises while it runs and when the network holds again. Raises Violation.
"""

import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType

import structlog.testing
from argon2 import PasswordHasher
from sqlalchemy import func, select

from kiosk.domain.calendar import library_day
from kiosk.domain.cards import misused
from kiosk.domain.holds import Hold, reserved, settle_holds
from kiosk.domain.identity import CardClass, CardKind, CardRead, CodePattern, CodeType, SpellingRule, Technology
from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.lending import ItemState, Loan, Standing
from kiosk.domain.reconcile import Held, settle
from kiosk.domain.staff import EVERYWHERE, Grant, Role
from kiosk.domain.values import BranchId, ItemId, KioskId, MembershipId, Reason
from kiosk.ports import CardArrived, CardLeft, CodeRead, Intent, Phase, StaffTried, Ticked, Touched
from kiosk.visit.state import VisitSettings
from sync import acts, replica, wire
from sync.agent import KEEP_ACTS, SEAL_S
from sync.central import tables
from sync.central.calendars import Day, with_day
from sync.central.cards import bindings
from sync.central.ledger import OF_THE_KIOSK
from sync.central.office import Central, CentralSettings
from sync.central.passwords import Passwords
from sync.central.places import need_branch
from sync.central.records import AnyRow, hold_of, moment
from sync.central.registry import Patron
from sync.central.stored import held_act
from sync.central.works import conflict_id
from sync.central_client import Identity, OwnKeys
from sync.encrypted import migrated
from ui.benchmarks.branch import (
    KEY,
    CentralSide,
    KioskSide,
    Network,
    Times,
    Told,
    Violation,
    settle_down,
)
from ui.benchmarks.desk_book import NEAR, NOBODY_KNOWS, DeskBook

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
CARDS = ("1A2B3C4D", "2B3C4D5E", "3C4D5E6F")
PATRONS = ("ann", "ben", "eve")
BOOKS = tuple(f"C{number:07}" for number in range(1, 5))
WORKS = {book: "two copies" if book in BOOKS[:2] else book for book in BOOKS}
BRANCHES = ("main", "east")
STEPS = (
    *("borrow",) * 6, *("return",) * 5, *("renew",) * 2, *("wish",) * 3, *("desk wish",) * 3, "unwish",
    *("expire",) * 2, *("turn",) * 8, *("pull",) * 3, *("mail",) * 3, *("pass time",) * 3, *("arrive",) * 5,
    *("weather",) * 3, *("kiosk dies",) * 2, *("fuse",) * 3, "central dies", "back up", "restore", "clock", "reboot", "block",
    "rebind", "rebind", "lose card", "records", "replace", "faulty kiosk", "staff", "long pause", "stick trip",
)  # fmt: skip
SKEWS = (timedelta(), timedelta(days=1), timedelta(days=-1), timedelta(minutes=4), timedelta(), timedelta(days=-400))
PASSWORD, CHEAP = "correct horse", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Of staff; a verifier that costs nothing, for many schedules ask it."""
Schedule = Sequence[tuple[str, int]]

VISIT = VisitSettings(
    branch=BranchId("main"),
    branch_name="總館",
    library_name="測試市立圖書館",
    code_patterns=(CodePattern(type=CodeType.ITEM, pattern=re.compile(r"C\d{7}")),),
    spelling=MappingProxyType({CardClass(Technology.ISO14443A, 4): SpellingRule()}),
)


@dataclass(frozen=True, slots=True)
class Template:
    """Files to start each schedule from; making them anew costs a hundred times more than copying."""

    folder: Path
    identities: tuple[Identity, ...]

    @staticmethod
    def make(folder: Path) -> "Template":
        """Central with the small library, and blank files of a kiosk."""
        times = Times(START)
        settings = CentralSettings(data=folder / "central")
        central = Central.open(settings, clock=times, passwords=Passwords(CHEAP))
        central.staff.add("chen", PASSWORD, [Grant(Role.CIRCULATION, EVERYWHERE)], who="test")
        with central.registry.change("test") as change:
            change.branch(wire.CalendarEntry(branch="main", closed_weekdays=[0]))
            change.branch(wire.CalendarEntry(branch="east"))
            change.policy(
                wire.PolicyEntry(
                    policy_version="p1",
                    patron_rules=[wire.WirePatronRule(category="*", quota=3, holds=2)],
                    loan_rules=[wire.WireLoanRule(loan_days=28, renewals=2)],
                    hold_days=0,
                    hold_on_shelf=True,
                )
            )
            change.patrons(
                [
                    Patron(id=who, name="王小明", category="adult", cards={CardKind.EASYCARD: number})
                    for who, number in zip(PATRONS, CARDS, strict=True)
                ]
            )
            change.items([wire.ItemEntry(id=book, title="書", branch="main", work=WORKS[book]) for book in BOOKS])
        identities = tuple(_enrol(central, branch) for branch in BRANCHES)
        central.close()
        blank = folder / "blank"
        for name, scripts, head in ((acts.FILE, "acts", acts.HEAD), (replica.FILE, "replica", replica.HEAD)):
            migrated(blank / name, KEY, scripts, head)
        return Template(folder, identities)


def _enrol(central: Central, branch: str) -> Identity:
    keys = OwnKeys.make()
    public_key, sealing_key = (wire.padded(key) for key in keys.public_halves())
    kiosk = central.fleet.enrol(central.fleet.make_code(branch), public_key, sealing_key)
    return keys.enrolled("https://central.test", central.fleet.enrolled(kiosk, central.epoch()))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A temporary folder, in memory where there is such a place: deaths here are of processes, not of power."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="shelfpoint-faults-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def draw(seed: int, length: int) -> list[tuple[str, int]]:
    """The schedule of a seed."""
    dice = Random(seed)
    return [(dice.choice(STEPS), dice.randrange(1 << 30)) for _ in range(length)]


def play(template: Template, folder: Path, schedule: Schedule) -> Counter[tuple[Held, Word]]:
    """One schedule, from opening to the last check; returns the cells of the words table that it reached."""
    scene = Scene(template, folder)
    try:
        for step, dice in schedule:
            scene.step(step, Random(dice))
        scene.end()
    finally:
        scene.close()
        shutil.rmtree(folder, ignore_errors=True)
    return scene.central.cells


class Scene:
    """Two kiosks and central while everything goes wrong."""

    def __init__(self, template: Template, folder: Path) -> None:
        shutil.copytree(template.folder / "central", folder / "central")
        key_file = CentralSettings(data=template.folder / "central").root_key_file()
        self.times = Times(START)
        self.central = CentralSide(CentralSettings(data=folder / "central", key_file=key_file), self.times)
        self.network = Network(self.central, Random(0))
        self.kiosks = [
            KioskSide(
                folder / f"kiosk-{number}",
                template.folder / "blank",
                identity,
                self.network,
                replace(VISIT, branch=BranchId(identity.branch)),
            )
            for number, identity in enumerate(template.identities)
        ]
        self.forged: set[str] = set()
        self.cards = DeskBook(zip(CARDS, PATRONS, strict=True), START)
        self.sticks = folder / "sticks"
        self.sticks.mkdir()
        for kiosk in self.kiosks:  # the first fill and the first contact
            kiosk.turn()
            while kiosk.replica.place().fresh_at is None:
                kiosk.pull()
            kiosk.turn()
            kiosk.read_mail()

    def close(self) -> None:
        for kiosk in self.kiosks:
            kiosk.close()
        self.central.central.close()

    def step(self, step: str, dice: Random) -> None:
        """One thing happens."""
        self.network.dice = dice
        kiosk = dice.choice(self.kiosks)
        match step:
            case "borrow" | "return" | "renew" | "wish" | "unwish":
                kiosk.alive(lambda: visit(kiosk, step, dice))
            case "turn":
                kiosk.alive(kiosk.turn)
                if dice.random() < 0.8:
                    kiosk.alive(kiosk.read_mail)
            case "pull":
                kiosk.alive(kiosk.pull)
            case "mail":
                kiosk.alive(kiosk.read_mail)
            case "pass time":
                self.times.go(dice.choice((0.5, 3, 10, 30, 70, 600, 7200)))
                kiosk.alive(lambda: kiosk.handle(Ticked()))
            case "desk wish":
                self.central.central.holds.place(
                    membership=dice.choice(PATRONS), item=dice.choice(BOOKS), branch=dice.choice(BRANCHES)
                )
            case "expire":
                self.times.go(dice.choice((0, 90_000)))
                self.central.central.holds.expire()
            case "arrive":
                self.network.arrive()
            case "staff":
                if (
                    dice.random() < 0.3
                ):  # they are there when the clock runs ahead, and when a power cut has put it right
                    kiosk.clock.skew = timedelta(days=1)
                    kiosk.alive(lambda: staff(kiosk, dice))
                    kiosk.reboot(timedelta())
                kiosk.alive(lambda: staff(kiosk, dice))
            case "long pause":
                self._pause()
            case "stick trip":
                kiosk.alive(lambda: self._trip(kiosk, dice))
            case "weather":
                self.network.calm = dice.choice((1.0, 1.0, 0.7, 0.3))
            case "kiosk dies":
                kiosk.die()
            case "fuse":
                kiosk.fuse.left = dice.randint(1, 6)
            case "replace":
                kiosk.replace()
            case "clock":
                kiosk.clock.skew = dice.choice(SKEWS)
                kiosk.alive(lambda: kiosk.handle(Ticked()))
            case "reboot":
                kiosk.reboot(dice.choice(SKEWS))
            case "central dies":
                self.central.die()
            case "back up":
                self.central.back_up()
            case "restore":
                self.central.restore(dice.randrange(100))
                self.cards.forget()
            case _:
                self._office(step, dice, kiosk)

    def _pause(self) -> None:
        """The library is closed, and the machines are off, so long that kiosks forget what central held before."""
        self.times.go(7200)
        for kiosk in self.kiosks:
            kiosk.alive(kiosk.turn)
            kiosk.remember_staff()
            kiosk.reboot(kiosk.clock.skew)
        self.times.go((KEEP_ACTS + timedelta(days=1)).total_seconds())
        for kiosk in self.kiosks:
            kiosk.alive(kiosk.turn)

    def _trip(self, kiosk: KioskSide, dice: Random) -> None:
        """A stick goes to central and back; or stays in a pocket, and an earlier answer comes instead."""
        parcel = kiosk.export(self.sticks)
        self.times.go(dice.choice((30, 7200)))
        for _ in range(dice.choice((1, 1, 2))):
            self.central.take(parcel)
        answers = sorted(self.sticks.glob(f"answer-{kiosk.identity.kiosk}-*"))
        if answers and dice.random() < 0.8:
            kiosk.take(answers[-1] if dice.random() < 0.8 else dice.choice(answers))

    def _office(self, step: str, dice: Random, kiosk: KioskSide) -> None:
        """What people do at central, and what a broken kiosk says."""
        if step in ("rebind", "lose card"):
            self.times.go(3)  # it takes a while, so what happened before it is older
        with self.central.central.registry.change("desk") as change:
            match step:
                case "block":
                    change.stand(dice.choice(PATRONS), dice.choice((Standing.BLOCKED, Standing.ACTIVE)))
                case "rebind":
                    who, number = dice.choice(PATRONS), dice.choice(CARDS)
                    change.bind_card(who, CardKind.EASYCARD, number, take=True)
                    self.cards.bound(number, who, self.times())
                case "lose card":  # somebody gets a new one, which no reader here knows
                    who = dice.choice(PATRONS)
                    change.bind_card(who, CardKind.EASYCARD, f"NEW{dice.randrange(1 << 30):08X}", take=True)
                    self.cards.bound("", who, self.times())
                case "records":
                    book, state = dice.choice(BOOKS), dice.choice((ItemState.IN_SERVICE, *[ItemState.MISSING] * 2))
                    change.items([wire.ItemEntry(id=book, title="æ¸", branch="main", work=WORKS[book], state=state)])
                    entry = need_branch(change.connection, dice.choice(BRANCHES))
                    day = library_day(self.times()) + timedelta(days=dice.randrange(40))
                    change.branch(with_day(entry, Day(day, open=False, reason="typhoon")))
        if step in ("rebind", "lose card"):
            self.times.go(3)
        if step == "faulty kiosk":
            told = [story for story in kiosk.stories() if story.act.deed is Deed.CHECKOUT]
            if told:
                self._forge(kiosk, dice.choice(told), dice)

    def _forge(self, kiosk: KioskSide, story: Told, dice: Random) -> None:
        """Another last word of an act than the one its log holds."""
        said = next((word for word in story.words if word is not Word.REQUEST), None)
        word = Word.FACT if said is Word.WITHDRAWAL else Word.WITHDRAWAL
        self.forged.add(story.act.id)
        forged = wire.WireWord(
            sequence=1_000_000 + dice.randrange(1_000_000),
            word=word,
            act=story.act.id,
            deed=story.act.deed,
            membership=story.act.membership,
            item=story.act.item,
            branch=story.act.branch,
            happened_at=story.act.happened_at,
            mode=story.act.mode,
            due_at=story.act.due_at,
            hold=story.act.hold,
        )
        name = KioskId(kiosk.identity.kiosk)
        self.central.fuse.left = None
        self.central.push(name, wire.Push(incarnation=kiosk.log.incarnation, words=[forged]))

    # --- the end ---

    def end(self) -> None:
        """The network holds; what was late arrives; then everything must agree."""
        for kiosk in self.kiosks:
            kiosk.fuse.left = None
        self.central.fuse.left = None
        settle_down(self.kiosks, self.network)
        while self.network.late:
            self.network.arrive()
        settle_down(self.kiosks, self.network)
        held = self.central.central.holdings.acts()
        loans = {loan.item: loan for loan in self.central.central.holdings.open_loans()}
        self._check_central()
        for kiosk in self.kiosks:
            self._check_log(kiosk, held)
            self._check_knowledge(kiosk, loans)
            self._check_staff(kiosk)
        self._check_sealed()

    def _check_staff(self, kiosk: KioskSide) -> None:
        """Each thing that staff did at a kiosk is one line of the audit, except what only a lost machine may have known."""
        kiosk.remember_staff()
        audit = tables.audit.c
        ours = (audit.subject == kiosk.identity.kiosk, audit.what.in_(OF_THE_KIOSK.values()))
        with self.central.central.database.read() as connection:
            lines = connection.execute(select(func.count()).select_from(tables.audit).where(*ours)).scalar_one()
        least, most = len(kiosk.staff_acts), len(kiosk.staff_acts | kiosk.staff_acts_lost)
        if not least <= lines <= most:
            raise Violation(f"audit of {kiosk.identity.kiosk}: {lines} lines, expected {least} to {most}")

    def _check_sealed(self) -> None:
        """A while later no kiosk can read any more what central has judged; nothing of what it knows has changed."""
        before = [kiosk.known(BOOKS, PATRONS) for kiosk in self.kiosks]
        self.times.go(SEAL_S + 60)
        for kiosk in self.kiosks:
            kiosk.turn()
            clear = [spoken.act for spoken, _ in kiosk.log.words() if spoken.act.sealed is None]
            if any(not act.deed.of_the_kiosk for act in clear):
                raise Violation(f"judged, and still to be read: {clear}")
        _same("knowledge once all is sealed", [kiosk.known(BOOKS, PATRONS) for kiosk in self.kiosks], before)

    def _check_central(self) -> None:
        """Loans and open conflicts are what the standing acts of each item amount to, whatever came first."""
        database = self.central.central.database
        act, loan = tables.act, tables.loan
        with database.read() as connection:
            log = tables.incarnation
            rows = connection.execute(
                select(act, log.c.kiosk, log.c.name.label("log"))
                .join(log, act.c.incarnation == log.c.id)
                .where(act.c.counts == 1, act.c.item.in_(BOOKS))
            ).all()
            found = {row.act: (row.membership, row.ended_by, row.due_at) for row in connection.execute(select(loan))}
        conflicts = set()
        wanted = {}
        for book in BOOKS:
            settlement = settle(held_act(row).event() for row in rows if row.item == book)
            conflicts |= {
                f"{one.reason.value}:{one.earlier}:{one.later}" for one in settlement.conflicts - settlement.came_back
            }
            for span in settlement.spans:
                due = span.due_at or span.lent_at
                wanted[span.act_id] = (span.membership, span.ended_by, _micros(due))
        _same("loans at central", found, wanted)
        self._check_holds(rows, conflicts)
        self._check_cards(rows)
        cases = self.central.central.holdings.cases()
        _same(
            "conflicts", {case.id for case in cases if case.other_act is not None and case.reason in _OF_TWO}, conflicts
        )

    def _check_cards(self, rows: Sequence[AnyRow]) -> None:
        """A fact that was opened with a card that meant somebody else by then, or nobody, is a case; no other fact is."""
        cases = {case.act for case in self.central.central.holdings.cases() if case.reason in _OF_CARDS}
        opened_with = {
            story.act.id: story.act.card
            for kiosk in self.kiosks
            for story in kiosk.stories()
            if Word.FACT in story.words and story.act.id not in self.forged
        }
        with self.central.central.database.read() as connection:
            known = bindings(connection, (ref for ref in opened_with.values() if ref is not None))
            card = tables.card.c
            numbers = {row.ref: row.number for row in connection.execute(select(card.ref, card.number))}
        for row in rows:
            ref = opened_with.get(row.id)
            if ref is None or row.held != Held.FACT or row.membership is None:
                continue
            at = moment(row.doubtful_until or row.at)
            wanted = misused(ref, MembershipId(row.membership), at, known.get(ref, ())) is not None
            _same(f"a case about the card of {row.id}", row.id in cases, wanted)
            true = self.times.acts[row.id]
            if row.doubtful_until is None and abs(moment(row.at) - true) < NEAR and ref in numbers:
                meant = self.cards.meant(numbers[ref], true)
                if meant is not NOBODY_KNOWS:
                    _same(f"whom the card of {row.id} meant", row.id in cases, meant != row.membership)

    def _check_holds(self, rows: Sequence[AnyRow], conflicts: set[str]) -> None:
        """Holds, copies set aside and conflicts about them are what the standing acts of each work amount to."""
        wanted: dict[str, Hold] = {}
        aside: dict[ItemId, MembershipId] = {}
        for work in set(WORKS.values()):
            settlement = settle_holds(held_act(row).event() for row in rows if WORKS[row.item] == work)
            wanted |= {hold.id: hold for hold in settlement.holds}
            aside |= reserved(settlement)
            conflicts |= {conflict_id(one) for one in settlement.conflicts}
        item = tables.item.c
        with self.central.central.database.read() as connection:
            found = {row.id: hold_of(row) for row in connection.execute(select(tables.hold))}
            held = {row.id: row.reserved_for for row in connection.execute(select(item.id, item.reserved_for))}
        _same("holds at central", found, wanted)
        _same("set aside", {book: held[book] for book in BOOKS}, {book: aside.get(ItemId(book)) for book in BOOKS})

    def _check_log(self, kiosk: KioskSide, held: dict[str, Held]) -> None:
        """Every act of a log that still exists counts at central exactly as the log says."""
        counted = self.central.central.holdings
        for story in kiosk.stories():
            act = story.act
            if act.id in self.forged:
                continue
            asked = story.words.get(Word.REQUEST)
            if Word.WITHDRAWAL in story.words:
                allowed: tuple[Held, ...] = (Held.CANCELLED,)
            elif Word.FACT in story.words:
                allowed = (Held.FACT,)
            elif asked is not None and asked.outcome.stands:
                allowed = (Held.ACCEPTED, Held.FACT)
            else:
                allowed = (Held.REFUSED, Held.CANCELLED)
            if held.get(act.id) not in allowed:
                raise Violation(f"{story} is {held.get(act.id)} at central")
            if act.deed is Deed.CHECKOUT and (act.id in counted.loan_acts(item=act.item)) is not story.stands:
                raise Violation(f"{story} has a loan it should not have, or none")
            for word, verdict in story.words.items():
                if word is Word.FACT and (verdict is None or verdict.outcome in (Outcome.REFUSED, Outcome.CANCELLED)):
                    raise Violation(f"a fact was refused: {story}")
        self._check_promises(kiosk, held)

    def _check_promises(self, kiosk: KioskSide, held: dict[str, Held]) -> None:
        loan = tables.loan.c
        with self.central.central.database.read() as connection:
            due = {row.act: row.due_at for row in connection.execute(select(loan.act, loan.due_at))}
        for act, promise in kiosk.promises.items():
            if act in self.forged:
                continue
            if held.get(act) not in (Held.ACCEPTED, Held.FACT):
                raise Violation(f"shown as done, but {held.get(act)} at central: {act}")
            if promise.due_at is not None and due[act] < _micros(promise.due_at):
                raise Violation(f"a promised due date was shortened: {act}")

    def _check_knowledge(self, kiosk: KioskSide, loans: dict[ItemId, Loan]) -> None:
        """The kiosk ends with central's knowledge, its own acts included."""
        for book in map(ItemId, BOOKS):
            mine, centrals = kiosk.knowledge.holder(book), loans.get(book)
            _same(
                f"holder of {book}",
                None if mine is None else (mine.act_id, mine.membership, mine.due_at, mine.renewals),
                None
                if centrals is None
                else (centrals.act_id, centrals.membership, centrals.due_at, centrals.renewals),
            )
        for who in map(MembershipId, PATRONS):
            lines = self.central.central.holds.list(membership=who)
            _same(
                f"holds of {who}",
                {(hold.id, hold.state, hold.item) for hold in kiosk.knowledge.holds(who)},
                {(line.hold.id, line.hold.state, line.hold.item) for line in lines},
            )
        card = tables.card.c
        with self.central.central.database.read() as connection:
            query = select(card.number, card.membership).where(card.active == 1)
            bound = {row.number: row.membership for row in connection.execute(query) if row.number in CARDS}
        mine_bound = {number: kiosk.replica.card(number) for number in CARDS}
        _same("cards", {number: hit.membership for number, hit in mine_bound.items() if hit is not None}, bound)


def visit(kiosk: KioskSide, step: str, dice: Random) -> None:
    """A patron does one thing, waits for the answer or not, and goes or stays."""
    wants = dice.sample(BOOKS, dice.choice((1, 1, 2)))
    if dice.random() < 0.7:
        kiosk.handle(Touched(Intent.DISMISS), Touched(Intent.END))
    if step == "return":
        kiosk.handle(Touched(Intent.RETURN))
    else:
        if step in ("renew", "unwish"):
            kiosk.handle(Touched(Intent.ACCOUNT))
        kiosk.handle(CardArrived("reader", CardRead(bytes.fromhex(dice.choice(CARDS)), Technology.ISO14443A)))
        kiosk.handle(CardLeft("reader"))
    for book in wants:
        if step == "renew":
            kiosk.handle(Touched(Intent.RENEW, book))
        elif step == "unwish":
            hold = next((row.hold for row in (kiosk.view.rows if kiosk.view else ()) if row.hold is not None), None)
            kiosk.handle(*[Touched(Intent.CANCEL_HOLD, hold or "")] * 2)
        else:
            kiosk.handle(CodeRead("scanner", book))
        if dice.random() < 0.8:
            kiosk.turn()
        if dice.random() < 0.8:
            kiosk.read_mail()
        if step == "wish":
            kiosk.turn()
            kiosk.read_mail()
            kiosk.handle(Touched(Intent.RESERVE, book))
            if dice.random() < 0.8:
                kiosk.turn()
            if dice.random() < 0.8:
                kiosk.read_mail()
    if dice.random() < 0.5:
        kiosk.handle(Touched(Intent.FINISH))


def staff(kiosk: KioskSide, dice: Random) -> None:
    """A member of staff opens the page with the right password or a wrong one, confirms the time where it is asked, and goes."""
    kiosk.handle(Touched(Intent.DISMISS), Touched(Intent.END), Touched(Intent.STAFF))
    kiosk.handle(StaffTried("Chen", dice.choice((PASSWORD, PASSWORD, "wrong"))))
    if dice.random() < 0.9:
        kiosk.answer_knocks()
        kiosk.read_mail()
    if kiosk.view is not None and kiosk.view.phase is Phase.STAFF:
        kiosk.handle(Touched(Intent.STAFF_CLOCK), Touched(Intent.BACK))


_OF_CARDS = (Reason.CARD_MEANT_ANOTHER, Reason.CARD_WAS_VOID)
_OF_TWO = (Reason.LENT_TO_TWO, Reason.ORDER_UNKNOWN, Reason.ITEM_RESERVED, Reason.HOLD_COPY_STRAY)
"""Conflicts of two acts; a case of one act alone says why the rules are against it."""


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Violation(f"{what}: found {found}, expected {wanted}")


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(slots=True)
class Campaign:
    """What many schedules came to."""

    played: int = 0
    cells: Counter[tuple[Held, Word]] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    """Seed and what was broken."""
    seconds: float = 0.0


def campaign(seeds: range, length: int = 60, advance: Callable[[], object] = lambda: None) -> Campaign:
    """Plays the schedules of these seeds; goes on after a violation. `advance` is called after each."""
    result, began = Campaign(), time.perf_counter()
    with quick_folder() as folder, structlog.testing.capture_logs():
        template = Template.make(folder / "template")
        for seed in seeds:
            try:
                result.cells += play(template, folder / "play", draw(seed, length))
            except Violation as broken:
                result.violations.append((seed, str(broken)))
            result.played += 1
            advance()
    result.seconds = time.perf_counter() - began
    return result
