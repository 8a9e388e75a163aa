"""The patron's screen keeps nothing of the pages it has shown, so a kiosk's memory is flat over any number of visits."""

import gc
import re
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from shiboken6 import Shiboken

from ui.patron.gallery import VIEWS
from ui.patron.window import QML_FOLDER, QML_TYPES

PAGES = ("start", "identify", "borrow", "done_qr", "return", "account", "done")


def _objects(kiosk: Any) -> tuple[int, int]:
    """Qt objects below the window, and Python objects that stand for a C++ one."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        kiosk.patron.engine.collectGarbage()
        gc.collect()
    return len(kiosk.patron.window.findChildren(QObject)), len(Shiboken.getAllValidWrappers())


def test_a_hundred_page_changes_leave_no_object_behind(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    pages = [VIEWS[name] for name in PAGES]

    def turn(changes: int) -> None:
        for number in range(changes):
            kiosk.patron.show(pages[number % len(pages)])
            kiosk.settle()

    turn(len(pages))
    before = _objects(kiosk)
    turn(15 * len(pages))
    assert _objects(kiosk) == before


def test_qml_makes_nothing_that_python_defines() -> None:
    made = re.compile(rf"\b({'|'.join(one.__name__ for one in QML_TYPES)})\s*\{{")
    assert [path.name for path in QML_FOLDER.glob("*.qml") if made.search(path.read_text(encoding="utf-8"))] == []
