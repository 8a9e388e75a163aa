"""A kiosk as `shelfpoint kiosk run` starts it, with a hand that does what standard input says: a process for journeys.

    python tests/kiosk_hand.py kiosk.toml
    until borrow 1      wait for a phase, with so many lines done      touch btn_finish      end

Each line is answered by `ok` or by what the screen shows instead.
"""

import sys
import threading
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtQuick import QQuickWindow

from config import logs
from config.settings import load
from kiosk.ports import Link, Phase, RowState, SlipState, View
from ui.demo.play import Hand
from ui.patron.app import run_kiosk
from ui.patron.finger import Finger, NoSuchTargetError
from ui.patron.window import PatronWindow

PATIENCE_S = 40.0


def reached(view: View, phase: str, rows: int) -> bool:
    """The phase, with as many lines well; `ready` is the start page with link, knowledge and devices, `printed` a slip."""
    if phase == "ready":
        devices = view.card_reader_ready and view.scanner_ready and view.printer_ready
        return view.phase is Phase.START and view.unready is None and view.link is Link.ONLINE and devices
    if phase == "printed":
        return view.slip is SlipState.PRINTED
    return view.phase is Phase(phase) and sum(row.state is RowState.DONE for row in view.rows) >= rows


def obey(window: PatronWindow, hand: Hand, finger: Finger, words: list[str]) -> str:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if words[0] == "touch":
            try:
                hand.ask(lambda: finger.touch(words[1]))
            except NoSuchTargetError as missing:
                shown = str(missing)
            else:
                return "ok"
        else:
            view: View = hand.ask(lambda: window.screen.view)
            if reached(view, words[1], int(words[2]) if words[2:] else 0):
                return "ok"
            shown = repr(view)
        threading.Event().wait(0.05)
    return shown.replace("\n", " ")


def begin(window: PatronWindow) -> None:
    hand = Hand()
    assert isinstance(window.window, QQuickWindow)
    finger = Finger(window.window)

    def work() -> None:
        for line in sys.stdin:
            if line.strip() == "end":
                break
            print(obey(window, hand, finger, line.split()), flush=True)
        hand.ask(QCoreApplication.quit)

    threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    logs.configure()
    sys.exit(run_kiosk(load(Path(sys.argv[1])), full_screen=False, moving=False, at_work=begin))
