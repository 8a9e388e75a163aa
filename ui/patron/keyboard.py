"""Keyboard scanners on the patron's screen: a filter in front of all keys, so that a scan never lands in a text field.

Qt thread. `drivers.wedge` decides; this holds the key events back and lets typed ones through afterwards. While a PIN
is being typed (a field whose letters are hidden has the focus) a scan is swallowed and not told: what was scanned there
was no answer to anything. A code that came too slowly to be told from typing, and that no text field took, is said to be
unclear, and the staff page and the log say which setting would help.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import structlog
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QInputMethodQueryEvent, QKeyEvent, QWindow

from drivers.scanner import code_event
from drivers.wedge import GAP_S, Burst, SlowKeys, Typed, Wedge, advice
from kiosk.domain.values import Reason
from kiosk.ports import DeviceChanged, DeviceEvent, DeviceKind, DeviceState, DeviceStatus

log = structlog.get_logger(__name__)

NAME = "keyboard"
"""Device name in what it posts."""
_ENDS = ("\r", "\n", "\t", "\x03")


class KeyboardScanner(QObject):
    """In front of one window's keys until `close`."""

    def __init__(
        self,
        window: QWindow,
        post: Callable[[DeviceEvent], None],
        gap_s: float = GAP_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._post = post
        self._monotonic = monotonic
        self._wedge = Wedge(gap_s)
        self._slow_keys = SlowKeys(gap_s)
        self._told_slow = False
        self._held: list[tuple[QObject, QKeyEvent]] = []
        self._letting_through = False
        self._pause = QTimer(self, singleShot=True, interval=int(gap_s * 1000) + 1)
        self._pause.timeout.connect(self.look)
        window.installEventFilter(self)
        # Qt cannot tell one keyboard from another: that it is plugged in is what the settings say.
        self._tell("")

    def close(self) -> None:
        """Keys go straight to where they were meant to go again."""
        self._window.removeEventFilter(self)
        self._pause.stop()

    def look(self) -> None:
        """The pause after a key is over: what was it?"""
        self._sort(self._wedge.quiet(self._monotonic()))
        if self._wedge.holding:
            self._pause.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._letting_through or not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return False
        text, now = event.text(), self._monotonic()
        if not text or not (text.isprintable() or text in _ENDS):
            return False
        if text in _ENDS:
            slowest_s, before = self._slow_keys.end(now), self._wedge.end(now)
            self._sort(before)
            if slowest_s is not None and not takes_text():
                self._complain(slowest_s)
            if not self._wedge.holding:
                return isinstance(before, Burst)
        else:
            self._slow_keys.press(text, now)
            self._sort(self._wedge.press(text, now))
        self._held.append((watched, event.clone()))
        self._pause.start()
        return True

    def _sort(self, found: Typed | Burst | None) -> None:
        if found is None:
            return
        held, self._held = self._held, []
        if isinstance(found, Typed):
            self._letting_through = True
            for watched, event in held:
                QCoreApplication.sendEvent(watched, event)
            self._letting_through = False
        elif not hidden_letters_have_the_focus():
            for code in found.heard:
                self._post(code_event(NAME, code))

    def _complain(self, slowest_s: float) -> None:
        """A code passed as typing, into nothing."""
        self._post(code_event(NAME, Reason.CODE_UNREADABLE))
        if not self._told_slow:
            self._told_slow = True
            log.warning("a scanner types too slowly", device=NAME, slowest_ms=round(slowest_s * 1000))
            self._tell(advice(slowest_s))

    def _tell(self, detail: str) -> None:
        self._post(
            DeviceChanged(DeviceStatus(device=NAME, kind=DeviceKind.SCANNER, state=DeviceState.READY, detail=detail))
        )


def takes_text() -> bool:
    """What has the focus is typed into."""
    return bool(_asked_of_the_focus(Qt.InputMethodQuery.ImEnabled))


def hidden_letters_have_the_focus() -> bool:
    """A password or PIN field is being typed into."""
    hints = _asked_of_the_focus(Qt.InputMethodQuery.ImHints)
    secret = Qt.InputMethodHint.ImhHiddenText | Qt.InputMethodHint.ImhSensitiveData
    return hints is not None and bool(Qt.InputMethodHint(hints) & secret)


def _asked_of_the_focus(what: Qt.InputMethodQuery) -> Any:
    """As an input method asks, which QML and Widgets answer alike; None where nothing has the focus."""
    focus = cast("QObject | None", QGuiApplication.focusObject())
    if focus is None:
        return None
    question = QInputMethodQueryEvent(what)
    QCoreApplication.sendEvent(focus, question)
    return question.value(what)
