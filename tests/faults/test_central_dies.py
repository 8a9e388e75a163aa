"""Central dies by SIGKILL under load, on SQLite and on PostgreSQL: every word counts once, and what was shown stands.

Real processes and the kiosk's real client; the moments are drawn from a seed. Whole runs: `SHELFPOINT_KILLS=50`.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres import running
from sqlalchemy import select

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Verdict, Word
from kiosk.domain.reconcile import Held, settle
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.ports import CentralError
from sync import wire
from sync.acts import ActsLog, prepare
from sync.central import stored, tables
from sync.central.office import Central, CentralSettings
from sync.central.policies import preset
from sync.central.records import verdict_of
from sync.central.registry import Patron
from sync.central.terms import TermKind, term
from sync.central_client import CentralClient, ClockOffset, enrol
from ui.clock import SystemClock
from ui.demo.central_process import wait_until_ready

KILLS = int(os.environ.get("SHELFPOINT_KILLS", "3"))
KEY = bytes(range(32))
ITEMS, READERS, KIOSKS = 12, 3, 2
ACTS_PER_KILL = 40
BACKLOG = 60
"""Words that wait at most: each of few items has a long history by then, and the test is about kills, not about size."""


@dataclass
class Served:
    """`central serve` in a process group of its own, so that its workers die with it."""

    settings: CentralSettings
    folder: Path
    workers: int
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [
            sys.executable, "-c", "from ui.cli.central import central; central()", "serve",
            "--data", str(self.settings.data), "--port", str(self.port), "--ready-file", str(ready),
            "--workers", str(self.workers),
        ]  # fmt: skip
        if self.settings.database is not None:
            command += ["--database", self.settings.database]
        log = self.folder / "log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, start_new_session=True, env={**os.environ, **self.environment}
            )
        self.port = wait_until_ready(ready, self.process, log)

    def end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            process.wait(30)


@dataclass
class Kiosk:
    """Lends, returns and renews by its own log and the real client, whether central answers or not."""

    name: str
    folder: Path
    url: str
    code: str
    seed: int
    done: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    shown: dict[tuple[str, Word], Verdict] = field(default_factory=dict)

    def enrol(self) -> None:
        self.identity = enrol(self.url, self.code, self.folder / "keys", SystemClock())
        prepare(self.folder, KEY)

    def run(self) -> None:
        """Until told, and until central holds all of its log; `given_up` ends it in any case, for a test that fails."""
        rng = random.Random(self.seed)
        log = ActsLog(self.folder, KEY)
        clock = SystemClock()
        client = CentralClient(self.identity, log.incarnation, clock, ClockOffset(clock))
        number = 0
        while not self.given_up.is_set() and not (self.done.is_set() and log.queue()[0] == 0):
            if not self.done.is_set() and log.queue()[0] < BACKLOG:
                number += 1
                self._act(log, client, rng, number)
            if words := log.unsent(rng.randrange(1, 30)):
                self._push(log, client, [wire.WireWord.of(word) for word in words], 5.0)
        client.close()
        log.close()

    def _act(self, log: ActsLog, client: CentralClient, rng: random.Random, number: int) -> None:
        deed = rng.choice((Deed.CHECKOUT, Deed.CHECKOUT, Deed.RETURN, Deed.RENEW))
        act = Act(
            id=ActId(f"{self.name}-{number}"),
            deed=deed,
            membership=None if deed is Deed.RETURN else MembershipId(f"m{rng.randrange(READERS)}"),
            item=ItemId(f"C{rng.randrange(ITEMS)}"),
            branch=BranchId("main"),
            happened_at=datetime.now(UTC),
            clock_offset=None,
            mode=Mode.ONLINE,
            replica_age=timedelta(),
            due_at=datetime.now(UTC) + timedelta(days=28) if deed is Deed.CHECKOUT else None,
        )
        if deed is Deed.RETURN or rng.random() < 0.5:
            log.record(Word.FACT, act)
            return
        asked = log.record(Word.REQUEST, act)
        if not self._push(log, client, [wire.WireWord.of(asked)], 1.5):
            log.record(rng.choice((Word.FACT, Word.WITHDRAWAL)), act)

    def _push(self, log: ActsLog, client: CentralClient, words: list[wire.WireWord], deadline_s: float) -> bool:
        try:
            pushed = client.push(words, deadline_s)
        except CentralError:
            threading.Event().wait(0.005)  # a closed port answers at once; the log shall not grow without end
            return False
        verdicts = [said.verdict() for said in pushed.verdicts]
        log.settle_all(verdicts)
        self.shown.update({(one.act_id, one.word): one for one in verdicts})
        self.answered.release()
        return True


@contextlib.contextmanager
def database(kind: str) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    with running(durable=True) as cluster:
        yield cluster.fresh()


NAMED = {
    TermKind.CATEGORY: ("adult", "child", "family", "class"),
    TermKind.ITEM_TYPE: ("reference", "attachment", "audiovisual", "magazine"),
}
"""By the preset's rules."""


def furnish(central: Central) -> None:
    with central.registry.change("test") as change:
        change.branch(wire.CalendarEntry(branch="main", name="總館"))
        for kind, codes in NAMED.items():
            for code in codes:
                change.term(term(kind, code, code, code))
        change.policy(preset("city"))
        change.patrons([Patron(id=f"m{number}", name="王小明", category="adult") for number in range(READERS)])
        change.items([wire.ItemEntry(id=f"C{number}", title="書", branch="main") for number in range(ITEMS)])


@pytest.mark.timeout(120 + 20 * KILLS)
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_killed_central_judges_every_word_once_and_takes_back_no_verdict(tmp_path: Path, kind: str) -> None:
    rng = random.Random(20261121)
    with database(kind) as address:
        settings = CentralSettings(data=tmp_path / "central", database=address)
        central = Central.open(settings)
        furnish(central)
        codes = [central.fleet.make_code("main") for _ in range(KIOSKS)]
        central.close()
        served = Served(settings, tmp_path, workers=1 if kind == "sqlite" else 2)
        served.start()
        url = f"http://127.0.0.1:{served.port}"
        kiosks = [Kiosk(f"k{n}", tmp_path / f"kiosk-{n}", url, code, seed=n) for n, code in enumerate(codes)]
        for kiosk in kiosks:
            kiosk.enrol()
        kill_under_load(served, kiosks, rng)
        check(Central.open(settings), kiosks)


def kill_under_load(
    served: Served, kiosks: list[Kiosk], rng: random.Random, killed: Callable[[], None] = lambda: None
) -> None:
    """The kiosks lend while central dies and starts again; `killed` is called in between. Ends with all of it told."""
    pool = ThreadPoolExecutor(len(kiosks))
    lending = [pool.submit(kiosk.run) for kiosk in kiosks]
    try:
        for _ in range(KILLS):
            for _ in range(rng.randrange(3, ACTS_PER_KILL)):  # so many answers, then somewhere inside the next ones
                assert kiosks[0].answered.acquire(timeout=30), lending
            threading.Event().wait(rng.uniform(0, 0.01))
            served.end(signal.SIGKILL)
            killed()
            served.start()
        for kiosk in kiosks:
            kiosk.done.set()
        for run in lending:
            run.result(60)
    finally:
        for kiosk in kiosks:
            kiosk.given_up.set()
        served.end(signal.SIGTERM)
        pool.shutdown(wait=False)


def check(central: Central, kiosks: list[Kiosk]) -> None:
    try:
        with central.database.read() as connection:
            said = {(row.act, Word(row.word)): verdict_of(row) for row in connection.execute(select(tables.word))}
            items = [f"C{number}" for number in range(ITEMS)]
            events = [stored.held_act(row) for row in connection.execute(stored.EVENTS, {"ids": items})]
        acts = central.holdings.acts()
        expected: dict[str, Held] = {}
        for kiosk in kiosks:
            log = ActsLog(kiosk.folder, KEY)
            for spoken, verdict in log.words():
                act = spoken.act.id
                if spoken.word is not Word.REQUEST or (act, spoken.word) in kiosk.shown:
                    assert verdict == said[act, spoken.word], (act, spoken.word)
                match spoken.word:
                    case Word.FACT:
                        expected[act] = Held.FACT
                    case Word.WITHDRAWAL:
                        expected[act] = Held.CANCELLED
                    case Word.REQUEST if verdict is not None:
                        expected[act] = Held.ACCEPTED if verdict.outcome.stands else Held.REFUSED
            assert kiosk.shown
            for key, verdict in kiosk.shown.items():
                assert said[key] == verdict
                assert key[1] is Word.REQUEST or verdict.outcome is not Outcome.REFUSED
            log.close()
        assert acts == expected
        loans = {loan.item: loan.act_id for loan in central.holdings.open_loans()}
        for item in items:
            holder = settle(event.event() for event in events if event.item == item).holder
            assert loans.get(item) == (None if holder is None else holder.act_id)
    finally:
        central.close()
