"""Keyboard scanners on the patron's screen: a filter in front of all keys, so that a scan never lands in a text field.

Qt thread. `drivers.wedge` decides; this holds the key events back and lets typed ones through afterwards. While a PIN
is being typed (a field whose letters are hidden has the focus) a scan is swallowed and not told: what was scanned there
was no answer to anything.
"""

import time
from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QInputMethodQueryEvent, QKeyEvent, QWindow

from drivers.frames import Scanned
from drivers.wedge import GAP_S, Burst, Typed, Wedge
from kiosk.ports import CodeRead, CodeTrouble, DeviceChanged, DeviceEvent, DeviceKind, DeviceState, DeviceStatus

NAME = "keyboard"
"""Device name in what it posts."""
_ENDS = ("\r", "\n", "\t", "\x03")


class KeyboardScanner(QObject):
    """In front of one window's keys until `close`."""

    def __init__(
        self, window: QWindow, post: Callable[[DeviceEvent], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(window)
        self._window = window
        self._post = post
        self._monotonic = monotonic
        self._wedge = Wedge()
        self._held: list[tuple[QObject, QKeyEvent]] = []
        self._letting_through = False
        self._pause = QTimer(self, singleShot=True, interval=int(GAP_S * 1000) + 1)
        self._pause.timeout.connect(self.look)
        window.installEventFilter(self)
        # Qt cannot tell one keyboard from another: that it is plugged in is what the settings say.
        post(DeviceChanged(DeviceStatus(device=NAME, kind=DeviceKind.SCANNER, state=DeviceState.READY)))

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
        if text in _ENDS and text:
            ended = self._wedge.end(now)
            self._sort(ended)
            return isinstance(ended, Burst)
        if not text or not text.isprintable():
            return False
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
                self._post(
                    CodeRead(NAME, code.text, code.symbology) if isinstance(code, Scanned) else CodeTrouble(NAME, code)
                )


def hidden_letters_have_the_focus() -> bool:
    """A password or PIN field is being typed into; asked as an input method asks, which QML and Widgets answer alike."""
    focus = cast("QObject | None", QGuiApplication.focusObject())
    if focus is None:
        return False
    question = QInputMethodQueryEvent(Qt.InputMethodQuery.ImHints)
    QCoreApplication.sendEvent(focus, question)
    hints = question.value(Qt.InputMethodQuery.ImHints)
    secret = Qt.InputMethodHint.ImhHiddenText | Qt.InputMethodHint.ImhSensitiveData
    return hints is not None and bool(Qt.InputMethodHint(hints) & secret)
