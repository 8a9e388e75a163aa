"""Scanners that pretend to be a keyboard, taken away from everybody else: read from the kernel, not from the screen (A8, L1).

The node is grabbed (EVIOCGRAB), so that a scan never reaches a text field, a PIN or the input method, whatever window
has the focus; the window's filter (`ui.patron.keyboard`) is for where that is not permitted. The kernel's interface is
small and has not changed in twenty years (Linux input.h: one struct, one ioctl), which is why python-evdev, to be
compiled on every machine, is not used for it. Every key of the node is the scanner's: no keyboard for people may hang
on the same node. Nothing can be sent to such a scanner.

A blocking wait in the device's own thread; a code without Enter or Tab is told
as unreadable after a pause, and never taken for a whole one. Where its keys come more slowly than that pause, the log and
the device's status say which setting would help.
"""

import errno
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable, Iterable

import structlog

from drivers.device import Report
from drivers.frames import FRAME_S, Ends, Frames, Scanned
from drivers.key_events import EVENT, Keys
from drivers.repeats import Repeats
from drivers.scanner import code_event
from drivers.wedge import GAP_S, REST_S, SLOWEST_S, advice
from kiosk.domain.values import Reason
from kiosk.ports import DeviceError, DeviceKind, DeviceReason, DeviceState, DeviceStatus, Mailbox

log = structlog.get_logger(__name__)

FOLDER = "/dev/input/"
"""Paths that begin so are nodes of such scanners."""
GRAB = 0x40044590
"""EVIOCGRAB: _IOW('E', 0x90, int)."""
_EVENTS_A_READ = 64
_RHYTHM = 1.5
"""A key that is so much later than the latest one of its code belongs to no code."""


def grab(node: int) -> None:
    """Take this input device away from everybody else. OSError: EBUSY when somebody else has, ENOTTY when it is none."""
    fcntl.ioctl(node, GRAB, 1)


class InputScanner:
    """One keyboard scanner; a `Device`."""

    kind = DeviceKind.SCANNER

    def __init__(
        self,
        name: str,
        path: str,
        mailbox: Mailbox,
        *,
        repeat_s: float = 0.0,
        key_gap_s: float = GAP_S,
        grab: Callable[[int], None] = grab,
    ) -> None:
        self.name = name
        self._path = path
        self._mailbox = mailbox
        self._repeats = Repeats(repeat_s)
        self._grab = grab
        self._pause_s = max(FRAME_S, key_gap_s)
        self._frames = Frames(Ends.TERMINATOR, settle_s=key_gap_s, pause_s=self._pause_s)
        """Outlives a lost node: it knows that a code was cut off."""
        self._slow = False
        """It was told that its keys come too slowly."""
        self._lock = threading.Lock()
        self._bell: int | None = None
        """An eventfd while it runs: ends the wait."""

    def run(self, stop: threading.Event, report: Report) -> None:
        """Read until stopped; raises DeviceError when the scanner is not there, not permitted, or is unplugged."""
        try:
            node = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(_reason(error), f"{self._path}: {error.strerror}") from error
        bell = os.eventfd(0, os.EFD_CLOEXEC)
        with self._lock:
            self._bell = bell
        try:
            self._grab(node)
            self._slow = False
            self._drop_rest(node, stop)
            report(self._ready())
            self._read(node, bell, stop, report)
        except OSError as error:
            raise DeviceError(_reason(error), f"{self._path}: {error.strerror}") from error
        finally:
            with self._lock:
                self._bell = None
            os.close(bell)
            os.close(node)
            self._post(self._frames.lost())

    def wake(self) -> None:
        with self._lock:
            if self._bell is not None:
                os.eventfd_write(self._bell, 1)

    def _drop_rest(self, node: int, stop: threading.Event) -> None:
        """What is being typed while the node opens may have lost its beginning; blocks for a pause, at most a second."""
        ends, dropped = time.monotonic() + REST_S, False
        while not stop.is_set() and time.monotonic() < ends and select.select([node], [], [], self._pause_s)[0]:
            dropped = True
            if not os.read(node, EVENT.size * _EVENTS_A_READ):
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
        if dropped:
            self._post([Reason.CODE_UNREADABLE])

    def _read(self, node: int, bell: int, stop: threading.Event, report: Report) -> None:
        keys, frames = Keys(), self._frames
        last_s = slowest_s = 0.0
        late = 0
        while not stop.is_set():
            wait_s = max(frames.patience_s, _RHYTHM * slowest_s) if frames.pending else None
            ready = select.select([node, bell], [], [], wait_s)[0]
            if node not in ready:
                self._post([] if ready else frames.pause())
                continue
            data = os.read(node, EVENT.size * _EVENTS_A_READ)
            if not data:
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
            text, now_s = keys.feed(data), time.monotonic()
            if not text:
                continue
            gap_s, last_s = now_s - last_s, now_s
            slowest_s = max(slowest_s, gap_s) if frames.pending and gap_s <= SLOWEST_S else 0.0
            late = late + (gap_s > self._pause_s) if slowest_s else 0
            if late > 1:
                self._tell_slow(slowest_s, report)
            self._post(frames.feed(text))

    def _tell_slow(self, slowest_s: float, report: Report) -> None:
        """Its codes are cut off: once in the log, and in its status until it is plugged in anew."""
        if not self._slow:
            log.warning("a scanner types too slowly", device=self.name, slowest_ms=round(slowest_s * 1000))
            self._slow = True
            report(self._ready(f"; {advice(slowest_s)}"))

    def _ready(self, more: str = "") -> DeviceStatus:
        return DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY, detail=self._path + more)

    def _post(self, heard: Iterable[Scanned | Reason]) -> None:
        for code in heard:
            if not (isinstance(code, Scanned) and self._repeats.again(code.text, time.monotonic())):
                self._mailbox.post(code_event(self.name, code))


def _reason(error: OSError) -> DeviceReason:
    """ENOTTY, for a file that is no input device, is nothing plugged in: the path in the settings is another thing's."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceReason.NO_PERMISSION
    return DeviceReason.HELD_BY_OTHER if error.errno == errno.EBUSY else DeviceReason.NOT_PLUGGED
