"""A kiosk without screen and devices that dies at a named step: run as a process of its own by `test_crash`.

Everything is built by the composition root; only the station's ports are wrapped here. Steps are lines on stdout
(`shown <item> <state>`, `step <name>`), so that the test knows what a patron saw before the end.

    kiosk_process.py SETTINGS SCENARIO KILL_AT BOOK UID        KILL_AT: a step name, or "never"
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from config import logs
from config.settings import KioskSettings, load
from kiosk.domain.identity import CardRead, Technology
from kiosk.ports import CardArrived, CodeRead, Intent, Link, Phase, RowState, Sound, Touched, View
from kiosk.station import QueueMailbox, Station
from sync.encrypted import key_file
from sync.replica import Replica
from ui.assembly import DATABASE_KEY, start_kiosk


def say(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


class Killer:
    """Dies with SIGKILL at one step, in the middle of whatever the process does."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.armed = False

    def step(self, name: str) -> None:
        if not self.armed:
            return
        say("step", name)
        if name == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingActs:
    def __init__(self, acts: Any, killer: Killer) -> None:
        self._acts, self._killer = acts, killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._acts, name)

    def record(self, word: Any, act: Any) -> Any:
        self._killer.step(f"before-write-{word}")
        spoken = self._acts.record(word, act)
        self._killer.step(f"after-write-{word}")
        return spoken

    def settle(self, verdict: Any) -> None:
        self._killer.step("after-answer")
        self._acts.settle(verdict)
        self._killer.step("after-settle")


class DyingAsker:
    def __init__(self, asker: Any, killer: Killer) -> None:
        self._asker, self._killer = asker, killer

    def ask(self, act_id: Any) -> None:
        self._killer.step("before-send")
        self._asker.ask(act_id)
        self._killer.step("after-send")

    def clock_offset(self) -> Any:
        return self._asker.clock_offset()

    def clock_heard(self) -> Any:
        return self._asker.clock_heard()


class TellingScreen:
    """Tells what is shown, as soon as it is shown; lets the test's script wait for it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.view: View | None = None
        self.killer: Killer | None = None

    def show(self, view: View) -> None:
        if self.killer is not None and any(row.state is not RowState.WORKING for row in view.rows):
            self.killer.step("before-show")
        for row in view.rows:
            say("shown", row.item, row.state, row.reason)
        with self.changed:
            self.view = view
            self.changed.notify_all()
        if self.killer is not None and any(row.state is not RowState.WORKING for row in view.rows):
            self.killer.step("after-show")

    def play(self, sound: Sound) -> None:
        pass

    def until(self, wanted: Any, seconds: float = 20.0) -> View:
        with self.changed:
            if not self.changed.wait_for(lambda: self.view is not None and wanted(self.view), seconds):
                say("stuck", self.view)
                os._exit(3)
            assert self.view is not None
            return self.view


def identify(mailbox: QueueMailbox, screen: TellingScreen, uid: str) -> None:
    """Tap until the replica knows the card: the first feed may still be on its way."""
    card = CardArrived("reader", CardRead(bytes.fromhex(uid), Technology.ISO14443A))
    for _ in range(200):
        mailbox.post(Touched(Intent.DISMISS))
        screen.until(lambda view: view.message is None)
        mailbox.post(card)
        view = screen.until(lambda view: view.phase is Phase.BORROW or view.message is not None)
        if view.phase is Phase.BORROW:
            return
        threading.Event().wait(0.05)
    say("stuck: the card stayed unknown")
    os._exit(3)


def whole_replica(settings: KioskSettings) -> None:
    """Waits until the first fill is whole, so that the kiosk may lend offline later."""
    replica = Replica(settings.data, key_file(settings.keys / DATABASE_KEY), b"")
    for _ in range(400):
        if replica.place().fresh_at is not None:
            replica.close()
            return
        threading.Event().wait(0.05)
    say("stuck: the replica stayed incomplete")
    os._exit(3)


def full_disk(mailbox: QueueMailbox, screen: TellingScreen, book: str) -> None:
    """A return while the disk is full, and again when there is room; the test fills and frees it between the lines."""
    say("ready")
    sys.stdin.readline()
    mailbox.post(CodeRead("scanner", book))
    view = screen.until(lambda view: view.phase is Phase.OUT_OF_SERVICE)
    say("out", view.out_of_service)
    sys.stdin.readline()
    screen.until(lambda view: view.phase is Phase.START)
    say("back")
    mailbox.post(Touched(Intent.RETURN))
    screen.until(lambda view: view.phase is Phase.RETURN)
    mailbox.post(CodeRead("scanner", book))
    screen.until(lambda view: bool(view.rows) and view.rows[0].state is RowState.DONE)


def main() -> None:
    """SETTINGS SCENARIO KILL_AT BOOK UID"""
    path, scenario, kill_at, book, uid = sys.argv[1:]
    logs.configure()  # standard output belongs to the steps
    killer, screen, mailbox = Killer(kill_at), TellingScreen(), QueueMailbox()

    def make_station(**ports: Any) -> Station:
        ports["acts"] = DyingActs(ports["acts"], killer)
        ports["asker"] = DyingAsker(ports["asker"], killer)
        return Station(**ports)

    settings = load(Path(path))
    kiosk = start_kiosk(settings, mailbox, screen, make_station=make_station)
    wanted = Link.OFFLINE if scenario == "offline" else Link.ONLINE
    screen.until(lambda view: view.link is wanted)
    if scenario in ("return", "full"):
        mailbox.post(Touched(Intent.RETURN))
        screen.until(lambda view: view.phase is Phase.RETURN)
    else:
        identify(mailbox, screen, uid)
    if scenario == "sync":
        whole_replica(settings)
        mailbox.post(Touched(Intent.ACCOUNT))
        for row in screen.until(lambda view: view.phase is Phase.ACCOUNT).rows:
            say("account", row.item)
    elif scenario == "full":
        full_disk(mailbox, screen, book)
    else:
        say("ready")
        sys.stdin.readline()
        killer.armed = True
        screen.killer = killer
        mailbox.post(CodeRead("scanner", book))
        screen.until(lambda view: bool(view.rows) and view.rows[0].state is not RowState.WORKING)
    say("finished")
    sys.stdin.readline()
    kiosk.stop()


if __name__ == "__main__":
    main()
