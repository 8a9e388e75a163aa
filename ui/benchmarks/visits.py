"""Memory over many visits: the real window and station, offline; every visit scans, finishes, shows its QR slip and ends.

Called by `shelfpoint bench ui`. A process of its own; each frame is awaited, so that every page is really drawn. Books are
borrowed by one visit and returned by the next, so loans stay few while the log grows as it does at a kiosk.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter

from rich.progress import Progress

from kiosk.domain.identity import CardRead, Technology
from kiosk.ports import CardArrived, CardLeft, CodeRead, Event, Intent, Phase, Touched, View
from kiosk.station import QueueMailbox, Station
from ui.benchmarks.lending import City, fill, item_id, offline_station, settings_of, uid
from ui.benchmarks.measure import Figure, median, p99

CITY = City(2_000, 4_000)
BOOKS = 3
GROWTH_MB = 10.0
"""Allowed from a tenth of the visits on: the log's own pages and caches, not a page of the screen (1.2 MB each)."""
FRAME_S = 20.0


def memory_over_visits(folder: Path, visits: int, progress: Progress) -> Figure:
    """Blocks for about a tenth of a second a visit."""
    fill(folder, CITY, progress)
    task = progress.add_task("visits", total=visits)
    code = f"from ui.benchmarks.visits import child; child({str(folder)!r}, {visits})"
    samples: list[float] = []
    sizes: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            report = json.loads(line)
            samples += report["ms"]
            sizes.append(report["mb"])
            progress.update(task, completed=len(samples))
    if process.returncode or len(samples) != visits:
        raise AssertionError(f"{len(samples)} of {visits} visits came to their end")
    settled = sizes[len(sizes) // 10]
    growth = sizes[-1] - settled
    return Figure(
        work="a visit, borrowing or returning, offline",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=visits,
        goal=f"memory grows ≤ {GROWTH_MB:.0f} MB",
        met=growth <= GROWTH_MB,
        note=f"memory {settled:.0f} MB after a tenth of the visits, {sizes[-1]:.0f} MB at the end, at most {max(sizes):.0f} MB",
    )


def child(folder: str, visits: int) -> None:
    """Runs in its own process: after every fiftieth part of the visits a line of JSON with times and memory."""
    from PySide6.QtCore import QMetaObject, Qt

    from ui.bridge import ScreenBridge
    from ui.patron.window import WindowSettings, build_window, make_application

    app = make_application()
    bridge = ScreenBridge(QueueMailbox())
    window = build_window(bridge, WindowSettings(library="bench", size=(1080, 1920), moving=False, sounds=False))
    frames = Frames()
    window.when_painted(frames.painted)

    def work() -> None:
        try:
            built, log = offline_station(Path(folder), settings_of(Path(folder)), bridge)
            _visit_all(built, frames, visits)
            log.close()
        finally:
            QMetaObject.invokeMethod(app, "quit", Qt.ConnectionType.QueuedConnection)

    threading.Thread(target=work, name="station", daemon=True).start()
    app.exec()
    window.close()


class Frames:
    """Tells when a frame that shows a certain phase has been swapped."""

    def __init__(self) -> None:
        self._phase: Phase | None = None
        self._seen = threading.Event()

    def expect(self, phase: Phase) -> None:
        """From now on, until it is seen."""
        self._seen.clear()
        self._phase = phase

    def painted(self, view: View) -> None:
        """On the Qt thread, after each frame."""
        if view.phase is self._phase:
            self._seen.set()

    def wait(self) -> None:
        """Raises AssertionError when it is never painted."""
        if not self._seen.wait(FRAME_S):
            raise AssertionError(f"the page {self._phase} was never painted")


def _visit_all(built: Station, frames: Frames, visits: int) -> None:
    samples: list[float] = []
    for visit in range(visits):
        begun = perf_counter()
        for event, phase in _visit(visit):
            if phase is not None:
                frames.expect(phase)
            built.handle(event)
            if phase is not None:
                frames.wait()
        samples.append((perf_counter() - begun) * 1000)
        if len(samples) >= max(1, visits // 50) or visit == visits - 1:
            sys.stdout.write(json.dumps({"ms": samples, "mb": _resident_mb()}) + "\n")
            sys.stdout.flush()
            samples = []


def _visit(number: int) -> list[tuple[Event, Phase | None]]:
    """What happens, and which page is then painted (None: nothing changes on it).

    Every second visit returns what the one before has borrowed.
    """
    codes = [CodeRead("scanner", item_id((number // 2 * BOOKS + book) % CITY.items)) for book in range(BOOKS)]
    if number % 2 == 0:
        card = CardRead(uid(number % CITY.memberships), Technology.ISO14443A)
        steps: list[tuple[Event, Phase | None]] = [(CardArrived("reader", card), Phase.BORROW)]
        steps += [(code, Phase.BORROW) for code in codes]
    else:
        steps = [(Touched(Intent.RETURN), Phase.RETURN), *((code, Phase.RETURN) for code in codes)]
    steps += [(Touched(Intent.FINISH), Phase.DONE), (Touched(Intent.SLIP_QR), Phase.DONE)]
    if number % 2 == 0:
        steps.append((CardLeft("reader"), None))
    return [*steps, (Touched(Intent.END), Phase.START)]


def _resident_mb() -> float:
    """Of this process, after what is free was given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
