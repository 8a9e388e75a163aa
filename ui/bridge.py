"""The only crossing between threads and Qt: views and sounds come in from the station, touches go out to its mailbox.

`ScreenBridge` is the heart's `ports.Screen`. `show` and `play` may be called from any thread and never block; what they
bring arrives on the Qt thread by a queued signal. Of views that come faster than the screen can follow only the newest
is kept, and the newest is always shown. Touches go the other way as `Touched` events; a mailbox never blocks.

The bridge is made on the Qt thread and belongs to it. After `close` nothing arrives any more, so that a station that
is still finishing cannot reach a window that is gone.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock

from PySide6.QtCore import QObject, Qt, Signal, Slot

from kiosk.ports import DeviceEvent, Intent, Mailbox, Sound, StaffTried, Touched, View

WAITING_SOUNDS = 4
"""More sounds than this at once say nothing; the oldest are dropped."""


class ScreenBridge(QObject):
    """Where the station shows what it wants shown (`ports.Screen`), and where the window posts what was touched."""

    _woken = Signal()

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__()
        self._mailbox = mailbox
        self._lock = Lock()
        self._newest: View | None = None
        self._sounds: deque[Sound] = deque(maxlen=WAITING_SOUNDS)
        self._waking = False
        self._closed = False
        self._on_view: Callable[[View], None] | None = None
        self._on_sound: Callable[[Sound], None] | None = None
        self._woken.connect(self._arrive, Qt.ConnectionType.QueuedConnection)

    def connect_screen(self, on_view: Callable[[View], None], on_sound: Callable[[Sound], None]) -> None:
        """Give everything that comes to these two, on the Qt thread; a view that came earlier is handed over at once."""
        self._on_view, self._on_sound = on_view, on_sound
        with self._lock:
            waiting = self._newest is not None or bool(self._sounds)
        if waiting:
            self._arrive()

    def show(self, view: View) -> None:
        """Replace what is shown; any thread, never blocks."""
        with self._lock:
            self._newest = view
            self._wake()

    def play(self, sound: Sound) -> None:
        """A short sound, best effort; any thread, never blocks."""
        with self._lock:
            self._sounds.append(sound)
            self._wake()

    def post(self, intent: Intent, argument: str = "") -> None:
        """Tell the station what was touched; Qt thread, never blocks."""
        self._mailbox.post(Touched(intent, argument))

    def knock(self, login: str, password: str) -> None:
        """Tell the station who wants the staff page; Qt thread, never blocks."""
        self._mailbox.post(StaffTried(login, password))

    def tell(self, event: DeviceEvent) -> None:
        """Tell the station what a device heard that lives on the Qt thread: a scanner that types; never blocks."""
        self._mailbox.post(event)

    def close(self) -> None:
        """Let nothing through any more; Qt thread, before the window goes."""
        with self._lock:
            self._closed = True
        self._on_view = self._on_sound = None

    def _wake(self) -> None:
        """One queued signal for everything that waits; the lock is held."""
        if not self._waking and not self._closed:
            self._waking = True
            self._woken.emit()

    @Slot()
    def _arrive(self) -> None:
        with self._lock:
            self._waking = False
            if self._on_view is None or self._on_sound is None:
                return
            view, self._newest = self._newest, None
            sounds = tuple(self._sounds)
            self._sounds.clear()
        if view is not None:
            self._on_view(view)
        for sound in sounds:
            self._on_sound(sound)
