"""Plain classes that stand in for the world.

The acts file, on whose answers the heart builds, passes the same contract as the real one (contracts/test_acts.py). The
others answer what a test puts into them, and remember what they were told.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold
from kiosk.domain.identity import (
    CardClass,
    CardKind,
    CardRead,
    CodePattern,
    CodeType,
    SpellingRule,
    Technology,
)
from kiosk.domain.journal import Act, Spoken, Verdict, Word
from kiosk.domain.lending import Item, Loan, LoanRule, Membership, PatronRule, Policy
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.ports import CardHit, Event, Knock, LedgerError, Sound, View
from kiosk.slip import Slip
from kiosk.station import Station
from kiosk.visit.state import VisitSettings

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
BRANCH = BranchId("main")
POLICY = Policy(
    version="test-1",
    patron_rules=(PatronRule(category="adult", quota=3), PatronRule(category="child", quota=1)),
    loan_rules=(LoanRule(item_type="reference", loan_days=0, for_loan=False), LoanRule(loan_days=28, renewals=1)),
)
ANN = Membership(id=MembershipId("m-ann"), category="adult", display_name="王○")
BOB = Membership(id=MembershipId("m-bob"), category="adult", display_name="李○")


def book(number: int, **changes: object) -> Item:
    values: dict[str, object] = {"id": ItemId(f"C{number:07}"), "title": f"測試書 {number}", "branch": BRANCH}
    return Item(**{**values, **changes})  # type: ignore[arg-type]


class FakeClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.wall = now
        self.seconds = 100.0
        self.run = "boot-1"

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def boot(self) -> str:
        return self.run

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


class FakeLibrary:
    def __init__(self) -> None:
        self.cards: dict[str, CardHit] = {
            "93A131C0": CardHit(ANN.id, CardKind.EASYCARD),
            "P1234567": CardHit(BOB.id, CardKind.BARCODE),
        }
        self.memberships = {ANN.id: ANN, BOB.id: BOB}
        self.items = {book(n).id: book(n) for n in range(1, 10)}
        self.loans: dict[ItemId, Loan] = {}
        self.reserved: list[Hold] = []
        self.rules: Policy | None = POLICY
        self.known_for: timedelta | None = timedelta(minutes=2)
        self.heard: datetime | None = None
        self.damaged: set[str] = set()
        """What stands on damaged pages: names of methods."""
        self.failed = 0
        self.percent: int | None = None
        self.names = {BRANCH: "總館"}
        self.of_library = ""

    def unread(self) -> int:
        return self.failed

    def _lost(self, what: str) -> bool:
        self.failed += what in self.damaged
        return what in self.damaged

    def card(self, number: str) -> CardHit | None:
        return None if self._lost("card") else self.cards.get(number)

    def membership(self, membership: MembershipId) -> Membership | None:
        return self.memberships.get(membership)

    def item(self, item: ItemId) -> Item | None:
        return self.items.get(item)

    def holder(self, item: ItemId) -> Loan | None:
        return None if self._lost("holder") else self.loans.get(item)

    def open_loans(self, membership: MembershipId) -> tuple[Loan, ...]:
        if self._lost("open_loans"):
            return ()
        return tuple(loan for loan in self.loans.values() if loan.membership == membership)

    def holds(self, membership: MembershipId) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.reserved if hold.membership == membership)

    def holds_on(self, item: ItemId) -> tuple[Hold, ...]:
        if self._lost("holds_on"):
            return ()
        works = {known.id: known.work_id for known in self.items.values()}
        return tuple(hold for hold in self.reserved if works.get(hold.asked) == works.get(item))

    def branch_name(self, branch: BranchId) -> str:
        return self.names.get(branch, branch)

    def library_name(self, branch: BranchId) -> str:
        return self.of_library

    def policy(self) -> Policy | None:
        return self.rules

    def calendar(self, branch: BranchId) -> Calendar:
        return Calendar(closed_weekdays=frozenset({0}))

    def filling(self) -> int | None:
        return self.percent

    def heard_at(self) -> datetime | None:
        return self.heard

    def age(self, now: datetime) -> timedelta | None:
        return self.known_for


class FakeActs:
    def __init__(self) -> None:
        self.words: list[Spoken] = []
        self.verdicts: list[Verdict] = []
        self.fails: LedgerError | None = None

    def record(self, word: Word, act: Act) -> Spoken:
        if self.fails is not None:
            raise self.fails
        spoken = Spoken(sequence=len(self.words) + 1, word=word, act=act)
        self.words.append(spoken)
        return spoken

    def settle(self, verdict: Verdict) -> None:
        if self.fails is not None:
            raise self.fails
        self.verdicts.append(verdict)

    def open_requests(self) -> tuple[Act, ...]:
        last = {spoken.act.id: spoken for spoken in self.words}
        judged = {(verdict.act_id, verdict.word) for verdict in self.verdicts}
        return tuple(
            spoken.act
            for spoken in last.values()
            if spoken.word is Word.REQUEST and (spoken.act.id, spoken.word) not in judged
        )

    def newest(self) -> datetime | None:
        return self.words[-1].act.happened_at if self.words else None

    def queue(self) -> tuple[int, datetime | None]:
        judged = {(verdict.act_id, verdict.word) for verdict in self.verdicts}
        waiting = [
            spoken.act.happened_at
            for spoken in self.words
            if spoken.word is not Word.REQUEST and (spoken.act.id, spoken.word) not in judged
        ]
        return len(waiting), min(waiting, default=None)

    def check(self) -> None:
        if self.fails is not None:
            raise self.fails


class FakeAsker:
    def __init__(self) -> None:
        self.asked: list[ActId] = []
        self.heard: float | None = None

    def ask(self, act_id: ActId) -> None:
        self.asked.append(act_id)

    def clock_heard(self) -> float | None:
        return self.heard

    def clock_offset(self) -> timedelta | None:
        return timedelta(seconds=2)


class FakeEntrance:
    def __init__(self) -> None:
        self.knocks: list[Knock] = []

    def knock(self, knock: Knock) -> None:
        self.knocks.append(knock)


class FakePrinter:
    def __init__(self) -> None:
        self.jobs: list[tuple[str, Slip]] = []

    def print_slip(self, job: str, slip: Slip) -> None:
        self.jobs.append((job, slip))


class FakeScreen:
    def __init__(self) -> None:
        self.views: list[View] = []
        self.sounds: list[Sound] = []

    def show(self, view: View) -> None:
        self.views.append(view)

    def play(self, sound: Sound) -> None:
        self.sounds.append(sound)

    @property
    def view(self) -> View:
        return self.views[-1]


class FakeSignals:
    def __init__(self) -> None:
        self.told: list[tuple[str, Sound]] = []

    def signal(self, device: str, sound: Sound) -> None:
        self.told.append((device, sound))


def act_ids() -> Iterator[ActId]:
    return (ActId(f"00000000-0000-7000-8000-{number:012}") for number in count(1))


SETTINGS = VisitSettings(
    branch=BRANCH,
    branch_name="總館",
    library_name="測試市立圖書館",
    code_patterns=(
        CodePattern(type=CodeType.PATRON, pattern=re.compile(r"P\d{7}")),
        CodePattern(type=CodeType.ITEM, pattern=re.compile(r"C\d{7}")),
        CodePattern(type=CodeType.VOUCHER, pattern=re.compile(r"V\d{7}")),
        CodePattern(type=CodeType.EVENT, pattern=re.compile(r"E\d{7}")),
        CodePattern(type=CodeType.VIRTUAL_CARD, pattern=re.compile(r"[A-Z]+-1-\d{14}")),
    ),
    spelling={CardClass(Technology.ISO14443A, 4): SpellingRule()},
)
EASYCARD = CardRead(bytes.fromhex("93A131C0"), Technology.ISO14443A)


class Kiosk:
    """A station with fakes all round."""

    def __init__(self) -> None:
        self.library = FakeLibrary()
        self.acts = FakeActs()
        self.asker = FakeAsker()
        self.printer = FakePrinter()
        self.entrance = FakeEntrance()
        self.screen = FakeScreen()
        self.signals = FakeSignals()
        self.clock = FakeClock()
        ids = act_ids()
        self.station = Station(
            library=self.library,
            acts=self.acts,
            asker=self.asker,
            printer=self.printer,
            entrance=self.entrance,
            screen=self.screen,
            clock=self.clock,
            settings=SETTINGS,
            new_act_id=lambda: next(ids),
            signals=self.signals,
        )

    def hear(self, *events: Event) -> View:
        for event in events:
            self.station.handle(event)
        return self.screen.view
