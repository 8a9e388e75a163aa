"""SIGKILL and power cut at every step of a loan, online and offline: nothing shown is missing, nothing happens twice.

The kiosk is a real process built by the composition root against a real central; it dies inside the named step. Then
it starts again from what is on disk (SIGKILL: the files as they are; power cut: as of their last fsync). B4, C5.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from central_server import CentralServer, quiet_environment

from drivers.virtual.network import VirtualNetwork
from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.reconcile import Held
from sync.acts import FILE, ActsLog
from sync.central.demo import demo_cast, lendable_books
from sync.encrypted import connect, key_file
from ui.assembly import DATABASE_KEY

HERE = Path(__file__).parent
PATRON = demo_cast().ipass
books = iter(lendable_books())

ONLINE = ("before-write-request", "after-write-request", "before-send", "after-send", "after-answer", "after-settle")
OFFLINE = ("before-write-fact", "after-write-fact")
SHOW = ("before-show", "after-show")

STORIES = [
    *(("online", step) for step in (*ONLINE, *SHOW)),
    *(("offline", step) for step in (*OFFLINE, *SHOW)),
    *(("silence", step) for step in (*OFFLINE, *SHOW)),
    *(("return", step) for step in (*OFFLINE, "before-send", "after-send", "after-answer", "after-settle", *SHOW)),
]


def python_path() -> str:
    """For a kiosk in a process of its own: this folder, and wherever this process finds the program."""
    return os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))


@dataclass
class Story:
    """One kiosk, one book, one cable."""

    central: CentralServer
    network: VirtualNetwork
    settings: Path
    book: str
    shadow: Path | None = None
    told: list[str] = field(default_factory=list)

    def run(self, scenario: str, kill_at: str) -> int:
        """Play the scenario until the kiosk dies or has finished; returns its exit code."""
        more = {"PYTHONPATH": python_path()}
        if self.shadow is not None:
            library = shadow_library(self.settings.parent)
            data = self.settings.parent / "data"
            more |= {"LD_PRELOAD": str(library), "SHADOW_OF": str(data), "SHADOW_TO": str(self.shadow)}
        command = [sys.executable, str(HERE / "kiosk_process.py"), str(self.settings), scenario, kill_at, self.book]
        process = subprocess.Popen(
            [*command, PATRON.number],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=quiet_environment(**more),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            for line in process.stdout:
                if line == "ready\n" and scenario == "silence":
                    self.network.swallow()
                if line in ("ready\n", "finished\n"):
                    process.stdin.write("\n")
                    process.stdin.flush()
                self.told.append(line.strip())
        return process.wait(20)

    @property
    def shown(self) -> bool:
        """The patron saw it done."""
        return any(line.startswith("shown") and line.split()[2] in ("done", "provisional") for line in self.told)

    @property
    def on_screen(self) -> bool:
        """The patron saw the book at all."""
        return any(line.startswith("shown") for line in self.told)

    def log(self) -> ActsLog:
        settings = self.central.settings(self.settings)
        return ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))


@pytest.fixture
def story(central: CentralServer, tmp_path: Path, scenario: str) -> Story:
    network = VirtualNetwork(central.port)
    settings = central.enrolled_kiosk(
        tmp_path, network.url, deadline_s=0.3 if scenario == "silence" else 10.0, probe_s=0.05, longest_probe_s=0.2
    )
    return Story(central, network, settings, next(books))


def prepare(story: Story, scenario: str) -> None:
    """Fill the replica; lend the book first where it is to be returned; then set the network as the scenario needs."""
    if scenario == "return":
        assert story.run("online", "never") == 0
    else:
        assert story.run("sync", "never") == 0
    story.told.clear()
    if scenario == "offline":
        story.network.cut()


def holdings(story: Story) -> list[str]:
    """Ids of open loans of the book at central."""
    central = story.central.open()
    loans = [loan.act_id for loan in central.holdings.open_loans(item=story.book)]
    central.close()
    return loans


def check(story: Story, scenario: str) -> None:
    """After the death: what is on disk decides; after the next start central has it exactly once, or not at all."""
    log = story.log()
    standing = stood(log, story.book, Deed.RETURN if scenario == "return" else Deed.CHECKOUT)
    open_before = [act.id for act in log.open_requests()]
    unshown = [act.id for act in log.unshown()]
    log.close()
    if story.shown:
        assert standing, "shown as done, but not on disk"
    elif scenario == "return" and story.on_screen:
        assert unshown == [], "the book lay on the screen, though without central's answer"
    else:
        assert unshown == standing, "staff are told of what no screen showed"
    lent_before = holdings(story)
    story.network.restore()
    assert story.run("sync", "never") == 0
    in_account = f"account {story.book}" in story.told
    if scenario == "return":
        assert holdings(story) == ([] if standing else lent_before), (standing, lent_before, story.told)
    else:
        assert holdings(story) == standing
    assert in_account is bool(holdings(story)), "my account tells the same as central"
    central = story.central.open()
    held = central.holdings.acts()
    assert [case for case in central.holdings.cases() if case.item == story.book] == []
    central.close()
    assert all(held[act] is Held.CANCELLED for act in open_before)
    log = story.log()
    assert log.queue()[0] == 0
    assert log.open_requests() == ()
    log.close()


def stood(log: ActsLog, book: str, deed: Deed) -> list[str]:
    """Acts of this deed and book on this disk that are facts or accepted requests and not withdrawn."""
    connection = connect(log._path, log_key(log), durable=True)
    rows = connection.execute(
        "SELECT act, deed, word, outcome FROM word WHERE item = ? ORDER BY sequence", (book,)
    ).fetchall()
    connection.close()
    counts: dict[str, bool] = {}
    deeds: dict[str, str] = {}
    for act, done, word, outcome in rows:
        deeds[act] = done
        if word == Word.FACT:
            counts[act] = True
        elif word == Word.WITHDRAWAL:
            counts[act] = False
        elif outcome is not None and Outcome(outcome).stands:
            counts[act] = True
    return [act for act, stands in counts.items() if stands and deeds[act] == deed]


def log_key(log: ActsLog) -> bytes:
    return key_file(log._path.parents[1] / "keys" / DATABASE_KEY)


@pytest.mark.parametrize(("scenario", "step"), STORIES)
def test_a_kiosk_killed_at_any_step_neither_loses_nor_doubles_a_loan(story: Story, scenario: str, step: str) -> None:
    prepare(story, scenario)
    assert story.run(scenario, step) == -9, f"the step {step} was never reached: {story.told}"
    check(story, scenario)


@pytest.mark.parametrize(
    ("scenario", "step"),
    [("online", "after-show"), ("offline", "after-show"), ("return", "after-show"), ("offline", "after-write-fact")],
)
def test_a_power_cut_keeps_what_was_shown(story: Story, tmp_path: Path, scenario: str, step: str) -> None:
    prepare(story, scenario)
    story.shadow = tmp_path / "shadow"
    shutil.copytree(tmp_path / "data", story.shadow, ignore=shutil.ignore_patterns("*-shm"))
    assert story.run(scenario, step) == -9
    shutil.rmtree(tmp_path / "data")
    story.shadow.rename(tmp_path / "data")
    story.shadow = None
    assert (tmp_path / "data" / FILE).exists()
    if step == "after-show":
        assert story.shown
    check(story, scenario)


def shadow_library(folder: Path) -> Path:
    """The shim that keeps what a power cut would leave; compiled once for each folder."""
    library = folder / "libfsync_shadow.so"
    if not library.exists():
        source = HERE / "fsync_shadow.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library
