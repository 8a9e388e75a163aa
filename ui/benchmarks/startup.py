"""Start → start page painted, and memory, of the whole kiosk; the floor is an empty QML window, in the same run.

Each run is a process of its own, timed from outside: from its start to the line that it writes when the frame with
the start page was swapped. `child` is what those processes run.
"""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from sync.central_client import enrol
from ui.benchmarks.measure import Figure, median, p99
from ui.clock import SystemClock
from ui.demo.central_process import CentralProcess

PAINTED = "painted"
LIMIT_S = 60


def start_up(folder: Path, runs: int) -> list[Figure]:
    """Time and memory; the floor and the kiosk take turns."""
    central = CentralProcess(folder / "town-of-start")
    central.start()
    try:
        settings = _settings(folder / "start", central)
        _run("kiosk", settings)  # the first one makes its files
        pairs = [(_run("empty", settings), _run("kiosk", settings)) for _ in range(runs)]
    finally:
        central.stop()
    empty, kiosk = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    times, floors = [run[0] for run in kiosk], [run[0] for run in empty]
    memory = [run[1] for run in kiosk]
    return [
        Figure(
            work="start → start page painted",
            median_ms=median(times),
            p99_ms=p99(times),
            runs=runs,
            floor="an empty QML window",
            floor_ms=median(floors),
            goal="≤ 3 × floor",
            met=median(times) <= 3 * median(floors),
        ),
        Figure(
            work="memory of the whole kiosk, idle (MB in place of ms)",
            median_ms=median(memory),
            p99_ms=p99(memory),
            runs=runs,
            floor="an empty QML window",
            floor_ms=median([run[1] for run in empty]),
            goal="≤ 250 MB",
            met=median(memory) <= 250,
        ),
    ]


def _run(kind: str, settings: Path) -> tuple[float, float]:
    """Milliseconds until painted, and resident megabytes a moment later."""
    code = f"from ui.benchmarks.startup import child; child({kind!r}, {str(settings)!r})"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software"}
    begun = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment
    )
    try:
        if process.stdout is None or process.stdin is None:
            raise AssertionError("no pipes")
        for line in process.stdout:
            if line.strip() == PAINTED:
                break
        spent = (perf_counter() - begun) * 1000
        for line in process.stdout:
            if line.startswith("rss "):
                return spent, float(line.split()[1]) / 1024
    finally:
        process.kill()
        process.wait(LIMIT_S)
    raise AssertionError(f"the {kind} window was never painted")


def child(kind: str, settings: str) -> None:
    """Runs in its own process: say when painted, a second later how large."""
    if kind == "empty":
        _empty()
    else:
        _kiosk(Path(settings))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _say_painted() -> None:
    from PySide6.QtCore import QTimer

    _tell(PAINTED)
    QTimer.singleShot(1500, lambda: _tell(f"rss {_rss_kb()}"))


def _empty() -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtQml import QQmlApplicationEngine
    from PySide6.QtQuick import QQuickWindow

    app = QGuiApplication([])
    engine = QQmlApplicationEngine()
    engine.loadData(b"import QtQuick\nWindow { visible: true; width: 1080; height: 1920 }")
    window = engine.rootObjects()[0]
    if not isinstance(window, QQuickWindow):
        raise TypeError("no window")
    window.frameSwapped.connect(_say_painted, Qt.ConnectionType.SingleShotConnection)
    app.exec()


def _kiosk(settings: Path) -> None:
    from config.settings import load
    from kiosk.ports import Phase, View
    from ui.patron.app import run_kiosk
    from ui.patron.window import PatronWindow

    said: list[bool] = []

    def painted(view: View) -> None:
        if view.phase is Phase.START and not said:
            said.append(True)
            _say_painted()

    def at_work(window: PatronWindow) -> None:
        window.when_painted(painted)
        window.window.update()

    run_kiosk(load(settings), full_screen=False, at_work=at_work)


def _rss_kb() -> str:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))


def _settings(folder: Path, central: CentralProcess) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kiosk.toml"
    path.write_text(
        'library_name = "示範市立圖書館"\nbranch = "main"\nbranch_name = "總館"\ndata = "data"\nkeys = "keys"\n'
        '[[codes]]\ntype = "item"\npattern = "C[0-9]{7}"\n[devices]\nreaders = []\n[screen]\nfull_screen = false\n',
        encoding="utf-8",
    )
    enrol(central.url, central.enrolment_code(), folder / "keys", SystemClock())
    return path
