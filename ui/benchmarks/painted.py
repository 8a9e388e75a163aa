"""Barcode's last byte → the frame that shows the book is painted, offline, on the filled files (goal: p99 ≤ 50 ms).

A process of its own with the real window, drawn without a screen; the station runs on a second thread as in the kiosk,
the next code comes when the frame of the last one was swapped. Drawing in software: a screen with a graphics chip is
not slower.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter

from kiosk.domain.identity import CardRead, Technology
from kiosk.ports import CardArrived, CodeRead, Intent, Screen, Touched, View
from kiosk.station import QueueMailbox
from ui.benchmarks.lending import BASKET, City, Feeding, item_id, offline_station, settings_of, uid
from ui.benchmarks.measure import Figure, median, p99

FRAME_S = 10.0
LIMIT_S = 300
FIRST = 500_009
"""Books from here on, so that none is scanned that another row has lent."""


def barcode_to_painted(folder: Path, city: City, runs: int) -> Figure:
    """`folder` is filled already."""
    code = f"from ui.benchmarks.painted import child; child({str(folder)!r}, {city.memberships}, {city.items}, {runs})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software"},
        timeout=LIMIT_S,
        check=True,
    )
    samples: list[float] = json.loads(done.stdout.splitlines()[-1])
    return Figure(
        work="barcode → painted, offline",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        goal="p99 ≤ 50 ms",
        met=p99(samples) <= 50,
        note="1080×1920 drawn in software, the feed writing meanwhile",
    )


def child(folder: str, memberships: int, items: int, runs: int) -> None:
    """Runs in its own process: the samples in milliseconds, as a line of JSON."""
    from PySide6.QtCore import QMetaObject, Qt

    from ui.bridge import ScreenBridge
    from ui.patron.window import WindowSettings, build_window, make_application

    app = make_application()
    bridge = ScreenBridge(QueueMailbox())
    window = build_window(bridge, WindowSettings(library="bench", size=(1080, 1920), sounds=False))
    frames = Frames()
    window.when_painted(frames.painted)
    samples: list[float] = []

    def work() -> None:
        try:
            samples.extend(_scan(Path(folder), City(memberships, items), runs, bridge, frames))
        finally:
            QMetaObject.invokeMethod(app, "quit", Qt.ConnectionType.QueuedConnection)

    threading.Thread(target=work, name="station", daemon=True).start()
    app.exec()
    window.close()
    if len(samples) != runs:
        raise AssertionError(f"{len(samples)} of {runs} codes were painted")
    sys.stdout.write(json.dumps(samples) + "\n")


class Frames:
    """Tells when the frame with a certain book has been swapped."""

    def __init__(self) -> None:
        self._wanted = ""
        self._seen = threading.Event()

    def expect(self, item: str) -> None:
        """From now on, until it is seen."""
        self._seen.clear()
        self._wanted = item

    def painted(self, view: View) -> None:
        """On the Qt thread, after each frame."""
        if view.rows and view.rows[0].item == self._wanted:
            self._seen.set()

    def wait(self) -> None:
        """Raises AssertionError when it is never painted."""
        if not self._seen.wait(FRAME_S):
            raise AssertionError(f"{self._wanted} was never painted")


def _scan(folder: Path, city: City, runs: int, screen: Screen, frames: Frames) -> list[float]:
    built, log = offline_station(folder, settings_of(folder), screen)
    samples = []
    with Feeding(folder, city):
        for run in range(runs):
            if run % BASKET == 0:
                built.handle(Touched(Intent.END))
                card = CardRead(uid((FIRST + run * 104729) % city.memberships), Technology.ISO14443A)
                built.handle(CardArrived("reader", card))
            item = item_id((FIRST + run * 15485863) % city.items)
            frames.expect(item)
            begun = perf_counter()
            built.handle(CodeRead("scanner", item))
            frames.wait()
            samples.append((perf_counter() - begun) * 1000)
    log.close()
    return samples
