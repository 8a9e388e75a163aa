"""A window on a bridge, drawn without a screen; one window at a time."""

import os
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication

from kiosk.ports import Intent, Touched
from ui.bridge import ScreenBridge
from ui.patron.finger import Finger
from ui.patron.gallery import Nobody
from ui.patron.window import PatronWindow, WindowSettings, build_window, make_application


@pytest.fixture(scope="session")
def qapp_cls() -> type[QGuiApplication]:
    return QGuiApplication


@pytest.fixture(scope="session")
def app(qapp: QGuiApplication) -> QGuiApplication:
    return make_application()


class Kiosk:
    """A window with its mailbox and a finger."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.mailbox = Nobody()
        self.bridge = ScreenBridge(self.mailbox)
        settings = WindowSettings(library="示範市立圖書館", branch="總館", size=size, moving=False, sounds=False)
        self.patron: PatronWindow = build_window(self.bridge, settings)
        self.finger = Finger(self.patron.window)

    def settle(self) -> None:
        """Let layouts find their places and the frame be drawn."""
        for _ in range(2):
            QCoreApplication.sendPostedEvents()
            QCoreApplication.processEvents()
            list(self.finger.items())  # finishes lines of lists that are still in the making
            self.patron.window.grabWindow()

    def heard(self) -> list[tuple[Intent, str]]:
        events, self.mailbox.heard = self.mailbox.heard, []
        return [(event.intent, event.argument) for event in events if isinstance(event, Touched)]


@pytest.fixture
def open_kiosk(app: QGuiApplication) -> Iterator[Callable[..., Kiosk]]:
    opened: list[Kiosk] = []

    def open_one(size: tuple[int, int] = (1080, 1920)) -> Kiosk:
        opened.append(Kiosk(size))
        return opened[-1]

    yield open_one
    for kiosk in opened:
        kiosk.patron.close()
