"""The patron's window: engine, view model, translations and font, made and torn down in the right order. Qt thread.

`run` is the whole life of the kiosk's screen. The composition root calls it without knowing Qt: it hands in a mailbox
and a function that starts the station with the screen, and gets the exit code when the window is closed.

Order matters at the end: the bridge first lets nothing through, then the engine goes, then the view model; a view model
freed before its engine leaves QML with null (reference/aesthetics.md 3.7). The font is chosen by name because Qt takes
Japanese shapes of the Chinese characters otherwise (reference/probe.md 4.2).
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from PySide6.QtCore import QCoreApplication, QSocketNotifier, QTimer, QTranslator, QUrl
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine, QQmlError
from PySide6.QtQuick import QQuickWindow
from shiboken6 import Shiboken

from drivers.viewfinder import Viewfinder
from drivers.wedge import GAP_S
from kiosk.ports import Mailbox, Screen, Sound, View
from kiosk.words import Language
from ui.bridge import ScreenBridge
from ui.patron import books
from ui.patron.keyboard import KeyboardScanner
from ui.patron.pictures import DRAWINGS, QR_CODES, Drawings, QrCodes
from ui.patron.preview import PROVIDER, CameraPictures
from ui.patron.screen import PatronScreen
from ui.patron.sounds import Sounder

FONT = "Noto Sans CJK TC"
QML_FOLDER = Path(__file__).parent / "qml"
TRANSLATION = Path(__file__).parents[1] / "translations" / "shelfpoint_zh_TW.qm"
"""Compiled at set-up from the .ts beside it. English stands in the QML itself."""

QML_TYPES = (books.BookList, PatronScreen)
"""Importing these registers them with QML, by name only: they are made here, never by QML."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How the window stands on this machine."""

    library: str
    """Name in the header."""
    branch: str = ""
    """Name of the branch beside it."""
    size: tuple[int, int] | None = None
    """Width and height in pixels; None fills the screen."""
    moving: bool = True
    """False: nothing moves, pages change at once."""
    sounds: bool = True
    """False: silent."""
    viewfinder: Viewfinder | None = None
    """What the camera sees; None where there is no camera."""
    keyboard_scanner: bool = False
    """A scanner that types like a keyboard is listened to."""
    key_gap_s: float = GAP_S
    """No longer pause is between two of its keys."""


class PatronWindow:
    """Everything that is made with a window and must go with it."""

    def __init__(self, bridge: ScreenBridge, settings: WindowSettings) -> None:
        self._bridge = bridge
        self._language: Language | None = None
        self._on_painted: Callable[[View], None] | None = None
        self._translator = QTranslator()
        if not self._translator.load(str(TRANSLATION)):
            _log.warning("The screen's own texts are not translated", missing=TRANSLATION.name)
        self.screen = PatronScreen(bridge.post, bridge.knock, settings.library, settings.branch)
        self._sounder = Sounder() if settings.sounds else None
        self.engine = QQmlApplicationEngine()
        self.engine.warnings.connect(_log_warnings)
        self.engine.addImageProvider(DRAWINGS, Drawings())
        self.engine.addImageProvider(QR_CODES, QrCodes())
        self.engine.addImageProvider(PROVIDER, CameraPictures(settings.viewfinder or Viewfinder()))
        self._speak(self.screen.view.language)
        self.engine.setInitialProperties({"visit": self.screen, "moving": settings.moving})
        self.engine.load(QUrl.fromLocalFile(str(QML_FOLDER / "Kiosk.qml")))
        roots = self.engine.rootObjects()
        if not roots or not isinstance(roots[0], QQuickWindow):
            raise RuntimeError("Kiosk.qml could not be loaded; its warnings are in the log")
        self.window = roots[0]
        self._keyboard = (
            KeyboardScanner(self.window, bridge.tell, settings.key_gap_s) if settings.keyboard_scanner else None
        )
        if settings.size is None:
            self.window.showFullScreen()
        else:
            self.window.resize(*settings.size)
            self.window.show()
        bridge.connect_screen(self.show, self._play)

    def show(self, view: View) -> None:
        """Show this view now; switches the language of the texts written in QML when the view's language is another."""
        if view.language is not self._language:
            self._speak(view.language)
            self.engine.retranslate()
        changed = view != self.screen.view
        self.screen.show(view)
        if self._on_painted is not None:
            if changed:
                self.window.update()
            else:
                self._on_painted(view)

    def when_painted(self, painted: Callable[[View], None]) -> None:
        """Call this on the Qt thread each time a frame with the newest view has been painted (for measuring)."""
        if self._on_painted is None:
            self.window.frameSwapped.connect(self._painted)
        self._on_painted = painted

    def close(self) -> None:
        """Tear down: bridge, window, engine, view model, in this order; a second call does nothing."""
        self._bridge.close()
        if not Shiboken.isValid(self.engine):
            return
        if self._keyboard is not None:
            self._keyboard.close()
        if self._sounder is not None:
            self._sounder.close()
        self.window.close()
        QCoreApplication.removeTranslator(self._translator)
        Shiboken.delete(self.engine)
        Shiboken.delete(self.screen)

    def _speak(self, language: Language) -> None:
        self._language = language
        if language is Language.ZH_TW:
            QCoreApplication.installTranslator(self._translator)
        else:
            QCoreApplication.removeTranslator(self._translator)

    def _play(self, sound: Sound) -> None:
        if self._sounder is not None:
            self._sounder.play(sound)

    def _painted(self) -> None:
        if self._on_painted is not None:
            self._on_painted(self.screen.view)


def make_application(arguments: list[str] | None = None) -> QGuiApplication:
    """The one QGuiApplication of this process, drawing in software, with the font set by name; blocking, once."""
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    existing = QGuiApplication.instance()
    app = existing if isinstance(existing, QGuiApplication) else QGuiApplication(arguments or ["shelfpoint"])
    app.setApplicationName("shelfpoint")
    app.setFont(QFont(FONT))
    return app


def build_window(bridge: ScreenBridge, settings: WindowSettings) -> PatronWindow:
    """A shown window behind this bridge. Needs `make_application` first; the caller closes it."""
    return PatronWindow(bridge, settings)


def run(
    *,
    mailbox: Mailbox,
    start: Callable[[Screen], Callable[[], None]],
    settings: WindowSettings,
    at_work: Callable[[PatronWindow], None] | None = None,
) -> int:
    """Show the window until it is closed or the process is asked to end (SIGTERM, SIGINT); returns the exit code.

    `start(screen)` starts whatever feeds the screen and returns how to stop it; both are called on this thread.
    `at_work(window)` is called once, when the event loop runs; the headless demo touches the window from there.
    """
    app = make_application()
    bridge = ScreenBridge(mailbox)
    window = build_window(bridge, settings)
    try:
        stop = start(bridge)
        try:
            with ends_on_signals(app):
                if at_work is not None:
                    QTimer.singleShot(0, lambda: at_work(window))
                return app.exec()
        finally:
            bridge.close()
            stop()
    finally:
        window.close()


@contextmanager
def ends_on_signals(app: QCoreApplication) -> Iterator[None]:
    """End the event loop on SIGTERM and SIGINT; Python sees a signal only while Python runs, so a socket wakes it."""
    ours, wakes = socket.socketpair()
    ours.setblocking(False)
    wakes.setblocking(False)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda *_: ours.recv(64))
    before = signal.set_wakeup_fd(wakes.fileno())
    handlers = {number: signal.signal(number, lambda *_: app.quit()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        notifier.setEnabled(False)
        ours.close()
        wakes.close()


def _log_warnings(warnings: list[QQmlError]) -> None:
    for warning in warnings:
        _log.warning("QML warns", text=warning.toString())
