"""Scanners that pretend to be a keyboard, taken away from everybody else: read from the kernel, not from the screen (A8, L1).

The node is grabbed (EVIOCGRAB), so that a scan never reaches a text field, a PIN or the input method, whatever window
has the focus; the window's filter (`ui.patron.keyboard`) is for where that is not permitted. The kernel's interface is
small and has not changed in twenty years (Linux input.h: one struct, one ioctl), which is why python-evdev, to be
compiled on every machine, is not used for it. Every key of the node is the scanner's: no keyboard for people may hang
on the same node. Nothing can be sent to such a scanner.

A blocking wait in the device's own thread; a code without Enter or Tab is told
as unreadable after a pause, and never taken for a whole one.
"""

import errno
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable

from drivers.device import Report
from drivers.frames import Ends, Frames, Scanned
from drivers.key_events import EVENT, Keys
from drivers.repeats import Repeats
from drivers.scanner import FRAME_S, code_event
from kiosk.ports import DeviceError, DeviceKind, DeviceReason, DeviceState, DeviceStatus, Mailbox

FOLDER = "/dev/input/"
"""Paths that begin so are nodes of such scanners."""
GRAB = 0x40044590
"""EVIOCGRAB: _IOW('E', 0x90, int)."""
_EVENTS_A_READ = 64


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
        grab: Callable[[int], None] = grab,
    ) -> None:
        self.name = name
        self._path = path
        self._mailbox = mailbox
        self._repeats = Repeats(repeat_s)
        self._grab = grab
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
            report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY, detail=self._path))
            self._read(node, bell, stop)
        except OSError as error:
            raise DeviceError(_reason(error), f"{self._path}: {error.strerror}") from error
        finally:
            with self._lock:
                self._bell = None
            os.close(bell)
            os.close(node)

    def wake(self) -> None:
        with self._lock:
            if self._bell is not None:
                os.eventfd_write(self._bell, 1)

    def _read(self, node: int, bell: int, stop: threading.Event) -> None:
        keys, frames = Keys(), Frames(Ends.TERMINATOR)
        while not stop.is_set():
            ready = select.select([node, bell], [], [], FRAME_S if frames.pending else None)[0]
            heard = [] if ready else frames.pause()
            if node in ready:
                data = os.read(node, EVENT.size * _EVENTS_A_READ)
                if not data:
                    raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
                heard = frames.feed(keys.feed(data))
            for code in heard:
                if isinstance(code, Scanned) and self._repeats.again(code.text, time.monotonic()):
                    continue
                self._mailbox.post(code_event(self.name, code))


def _reason(error: OSError) -> DeviceReason:
    """ENOTTY, for a file that is no input device, is nothing plugged in: the path in the settings is another thing's."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceReason.NO_PERMISSION
    return DeviceReason.HELD_BY_OTHER if error.errno == errno.EBUSY else DeviceReason.NOT_PLUGGED
