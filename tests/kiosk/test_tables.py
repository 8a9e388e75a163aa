"""Whatever is heard, in whatever order: the tables hold, nothing is green that is not on disk, and START knows nobody."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import ANN, BOB, EASYCARD, NOON, POLICY, Kiosk, book
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Outcome, Verdict, Word
from kiosk.domain.lending import Loan
from kiosk.domain.staff import Entry
from kiosk.domain.values import ActId, Reason
from kiosk.ports import (
    AnswerMissing,
    CardArrived,
    CardLeft,
    CardTrouble,
    CentralReason,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Event,
    Intent,
    LedgerError,
    LedgerReason,
    Link,
    LinkChanged,
    Phase,
    PrintEnded,
    PrintOutcome,
    RowState,
    StaffAnswered,
    StaffTried,
    Started,
    Ticked,
    Touched,
    VerdictCame,
)
from kiosk.visit.shell import PHASES, SHELL, TABLES, rule_for
from kiosk.visit.state import Key

CARDS = [
    EASYCARD,
    EASYCARD,
    CardRead(bytes.fromhex("11223344"), Technology.ISO14443A),
    CardRead(bytes.fromhex("08112233"), Technology.ISO14443A),
    CardRead(bytes.fromhex("0411223344AABB"), Technology.ISO14443A),
    CardRead(b"", Technology.UNKNOWN),
]
CODES = [*[book(number).id for number in range(1, 7)], "C9999999", "P1234567", "P7654321", "9789571234564"]
CODES += ["V0000001", "E0000001", "NTUT-1-20131107112900", "/ABC+123", "hello", "", "\x00\xff", "9" * 10_000]
LINKS = [LinkChanged(Link.ONLINE), LinkChanged(Link.ONLINE), LinkChanged(Link.OFFLINE, CentralReason.TOO_SLOW)]
OUTCOMES = [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.NOTED, Outcome.REFUSED, Outcome.CASE, Outcome.CANCELLED]
WORK = [
    Intent.STAFF,
    Intent.STAFF_PRINT,
    Intent.BORROW,
    Intent.RETURN,
    Intent.ACCOUNT,
    Intent.RENEW,
    Intent.FINISH,
    Intent.SLIP_PRINT,
    Intent.PRINT_AGAIN,
]
INTENTS = [*Intent, *WORK, *WORK, *WORK]
FINISHING = (RowState.DONE, RowState.PROVISIONAL)


class Drive:
    """A kiosk to which anything may happen; each event is chosen by two numbers."""

    def __init__(self) -> None:
        self.kiosk = Kiosk()
        self.acts = self.kiosk.acts
        self.seen: set[tuple[Phase, Key, Phase]] = set()
        self.asked: list[ActId] = []
        self.hear(Started())

    @property
    def phase(self) -> Phase:
        return PHASES[type(self.kiosk.station.visit.task)]

    def hear(self, event: Event) -> None:
        before, task = self.phase, self.kiosk.station.visit.task
        self.kiosk.station.handle(event)
        self.asked += self.kiosk.asker.asked
        self.kiosk.asker.asked.clear()
        key = event.intent if isinstance(event, Touched) else type(event)
        rule = rule_for(task, event)
        broke = self.phase is Phase.OUT_OF_SERVICE and rule is not None and self.phase not in rule.leads_to
        mended = before is Phase.OUT_OF_SERVICE and isinstance(event, Ticked)
        if rule is not None and not broke and not mended:
            self.seen.add((before, key, self.phase))
            assert self.phase in (*rule.leads_to, before)
        self.check()

    def happen(self, kind: int, which: int) -> None:
        """One thing of the world."""
        happenings = self.HAPPENINGS
        happenings[kind % len(happenings)](self, which)

    # --- what may happen; the commoner things stand more than once ---

    def _card(self, which: int) -> None:
        self.hear(CardArrived("reader", CARDS[which % len(CARDS)]))

    def _code(self, which: int) -> None:
        self.hear(CodeRead("scanner", CODES[which % len(CODES)], None if which % 3 else "code39"))

    def _touch(self, which: int) -> None:
        intent = INTENTS[which % len(INTENTS)]
        rows = self.kiosk.screen.view.rows
        argument = ""
        if intent is Intent.RENEW:
            argument = rows[which % len(rows)].item if rows and which % 7 else book(9).id
        elif intent is Intent.LANGUAGE:
            argument = ["", "en", "zh_TW"][which % 3]
        self.hear(Touched(intent, argument))
        if intent is Intent.RENEW and which % 3 == 0:
            self.hear(Touched(Intent.FINISH))  # by somebody who does not wait for the answer

    def _answer(self, which: int) -> None:
        """Each ask gets one answer; now and then one comes that nobody asked for."""
        if not self.asked or which % 13 == 0:
            stranger = ActId(f"stranger-{which}")
            self.hear(VerdictCame(self._verdict(stranger, Word.FACT, which)))
            self.hear(AnswerMissing(stranger, CentralReason.TOO_SLOW))
            return
        act_id = self.asked.pop(0)
        if which % 3 == 0:
            self.hear(AnswerMissing(act_id, CentralReason.TOO_SLOW))
            return
        said = [spoken for spoken in self.acts.words if spoken.act.id == act_id]
        self.hear(VerdictCame(self._verdict(act_id, said[0].word, which)))

    def _verdict(self, act_id: ActId, word: Word, which: int) -> Verdict:
        outcome = OUTCOMES[which % len(OUTCOMES)]
        if word is Word.FACT and not outcome.stands:
            outcome = Outcome.CASE
        reason = None if outcome is Outcome.ACCEPTED else Reason.ITEM_RESERVED
        due_at = NOON + timedelta(days=9) if outcome.stands and which % 2 else None
        return Verdict(
            act_id=act_id, word=word, outcome=outcome, reason=reason, due_at=due_at, epoch="e1", position=which
        )

    def _link(self, which: int) -> None:
        self.hear(LINKS[which % len(LINKS)])

    def _time(self, which: int) -> None:
        self.kiosk.clock.pass_time([0.25, 1, 6, 31, 61, 301][which % 6])
        self.hear(Ticked())

    def _printed(self, which: int) -> None:
        jobs = self.kiosk.printer.jobs
        job = jobs[-1][0] if jobs and which % 5 else "0-0"
        self.hear(PrintEnded(job, list(PrintOutcome)[which % len(PrintOutcome)], DeviceReason.PAPER_OUT))

    def _device(self, which: int) -> None:
        kind = list(DeviceKind)[which % len(DeviceKind)]
        state = list(DeviceState)[which % len(DeviceState)]
        self.hear(DeviceChanged(DeviceStatus(device=kind, kind=kind, state=state)))

    def _trouble(self, which: int) -> None:
        events: list[Event] = [
            CardLeft("reader"),
            CardTrouble("reader", Reason.CARD_TAKEN_EARLY),
            CodeTrouble("scanner", Reason.CODE_TOO_LONG),
            CardTrouble("reader", Reason.CARD_TWO),
        ]
        self.hear(events[which % 4])

    def _staff(self, which: int) -> None:
        """Somebody knocks, or an answer comes: to the newest knock, to an older one, or to nobody's."""
        knocks = self.kiosk.entrance.knocks
        if which % 3:
            self.hear(Touched(Intent.STAFF))
            self.hear(StaffTried("chen", "" if which % 5 == 0 else "secret"))
            if which % 2 and knocks:
                self.hear(StaffAnswered(knocks[-1].act.id, Entry.OK))
            return
        act_id = knocks[-(which % 2) - 1].act.id if len(knocks) > 1 else ActId(f"stranger-{which}")
        entry = [Entry.OK, Entry.WRONG, Entry.LOCKED, None][which % 4]
        self.hear(StaffAnswered(act_id, entry))

    def _disk(self, which: int) -> None:
        self.acts.fails = None if which % 9 else LedgerError(LedgerReason.DISK_FULL)

    def _knowledge(self, which: int) -> None:
        """The feed changes what is known, also in the middle of a visit."""
        library = self.kiosk.library
        library.rules = None if which % 31 == 0 else POLICY
        library.known_for = None if which % 7 == 0 else timedelta(days=which % 9)
        library.memberships = {ANN.id: replace(ANN, owed=0 if which % 6 else 5)}
        if which % 5:
            library.memberships[BOB.id] = BOB
        item = book(which % 4 + 1).id
        if which % 2:
            library.loans.pop(item, None)
        else:
            who = ANN.id if which % 4 else BOB.id
            due = NOON + timedelta(days=which % 12 - 1)
            library.loans[item] = Loan(act_id=ActId(f"l{item}"), membership=who, item=item, lent_at=NOON, due_at=due)

    def _jump(self, which: int) -> None:
        self.kiosk.clock.wall += timedelta(minutes=which % 300 - 150)

    HAPPENINGS: tuple[Callable[["Drive", int], None], ...] = (
        *[_code] * 5,
        *[_touch] * 6,
        *[_card] * 3,
        *[_answer] * 4,
        *[_printed] * 2,
        *[_time] * 2,
        *[_link] * 2,
        *[_staff] * 2,
        _device,
        _trouble,
        _disk,
        _disk,
        _knowledge,
        _knowledge,
        _jump,
    )

    # --- what must hold after each ---

    def check(self) -> None:
        view = self.kiosk.screen.view
        assert view.phase is self.phase
        if view.phase in (Phase.START, Phase.OUT_OF_SERVICE, Phase.STAFF_LOGIN, Phase.STAFF):
            assert (view.name, view.rows, view.quota_left, view.slip_text) == ("", (), None, "")
            assert self.kiosk.station.visit.membership is None
        words = Counter((spoken.act.id, spoken.word is Word.REQUEST) for spoken in self.acts.words)
        assert max(words.values(), default=0) <= 1
        ids = {spoken.act.id for spoken in self.acts.words}
        assert set(self.asked) <= ids
        if view.phase in (Phase.BORROW, Phase.RETURN):
            for row in view.rows:
                if row.state in FINISHING:
                    self.check_on_disk(row.item, row.state)

    def check_on_disk(self, item: str, state: RowState) -> None:
        said = [spoken for spoken in self.acts.words if spoken.act.item == item]
        if state is RowState.PROVISIONAL:
            assert said
            assert any(spoken.word is Word.FACT for spoken in said)
            return
        standing = {(verdict.act_id, verdict.word) for verdict in self.acts.verdicts if verdict.outcome.stands}
        assert any((spoken.act.id, spoken.word) in standing for spoken in said)


events = st.lists(st.tuples(st.integers(0, 63), st.integers(0, 1 << 16)), max_size=60)


@given(happenings=events)
@example(happenings=[])
@settings(max_examples=100, deadline=None)
def test_whatever_happens_the_station_keeps_its_promises(happenings: list[tuple[int, int]]) -> None:
    drive = Drive()
    for kind, which in happenings:
        drive.happen(kind, which)


def test_after_any_history_a_start_leaves_no_request_open() -> None:
    chance = random.Random(7)
    for _ in range(20):
        drive = Drive()
        for _ in range(40):
            drive.happen(chance.randrange(64), chance.randrange(1 << 16))
        reborn = Kiosk()
        reborn.acts.words, reborn.acts.verdicts = drive.acts.words, drive.acts.verdicts
        reborn.hear(Started())
        assert reborn.acts.open_requests() == ()


@pytest.fixture(scope="module")
def long_drive() -> set[tuple[Phase, Key, Phase]]:
    """Everything that happened in some thousand events of a fixed drive."""
    chance = random.Random(20261120)
    seen: set[tuple[Phase, Key, Phase]] = set()
    for _ in range(400):
        drive = Drive()
        for _ in range(200):
            drive.happen(chance.randrange(1 << 10), chance.randrange(1 << 16))
        seen |= drive.seen
    return seen


PAIRS = [(PHASES[task], key) for task, table in TABLES.items() for key in table]


@pytest.mark.parametrize(
    ("phase", "key"), PAIRS, ids=[f"{phase}-{getattr(key, '__name__', key)}" for phase, key in PAIRS]
)
def test_every_row_is_reached_and_leads_everywhere_it_says(
    phase: Phase, key: Key, long_drive: set[tuple[Phase, Key, Phase]]
) -> None:
    rule = next(table[key] for task, table in TABLES.items() if PHASES[task] is phase)
    reached = {target for source, heard, target in long_drive if (source, heard) == (phase, key)}
    assert reached >= set(rule.leads_to)
    assert reached <= {*rule.leads_to, phase}


def test_every_row_of_the_shell_is_reached(long_drive: set[tuple[Phase, Key, Phase]]) -> None:
    assert set(SHELL) <= {key for _, key, _ in long_drive}


def test_nobody_touches_a_kiosk_back_into_service() -> None:
    drive = Drive()
    for event in (*LINKS[2:], CardArrived("reader", EASYCARD)):
        drive.hear(event)
    drive.acts.fails = LedgerError(LedgerReason.DISK_FULL)
    drive.hear(CodeRead("scanner", book(1).id))
    assert drive.phase is Phase.OUT_OF_SERVICE
    for intent in Intent:
        drive.hear(Touched(intent))
        drive.hear(Touched(Intent.BACK))  # staff who looked why leave it as it was
        assert drive.phase is Phase.OUT_OF_SERVICE
