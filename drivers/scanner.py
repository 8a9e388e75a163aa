"""Serial and USB-CDC scanners: a blocking read in the device's own thread (A8, L1).

Opened by a stable path (`/dev/serial/by-id/…`), exclusively. A blocking thread sees the last byte of a code in under
0.1 ms and an unplugged cable at once (reference/probe.md 2). `termios.error` is no OSError and is caught by name.
"""

import termios
import threading

import serial

from drivers.device import Report
from drivers.frames import Frames, Scanned
from drivers.serial_link import reason_of_port
from kiosk.domain.values import Reason
from kiosk.ports import (
    CodeRead,
    CodeTrouble,
    DeviceError,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Mailbox,
)

FRAME_S = 0.1
"""A code without a terminator ends after this pause."""
LARGEST_READ = 4096


class SerialScanner:
    """One scanner; a `Device`."""

    kind = DeviceKind.SCANNER

    def __init__(self, name: str, path: str, baud: int, mailbox: Mailbox) -> None:
        self.name = name
        self._path = path
        self._baud = baud
        self._mailbox = mailbox
        self._port: serial.Serial | None = None

    def run(self, stop: threading.Event, report: Report) -> None:
        """Read until stopped; raises DeviceError when the scanner is not there or is unplugged."""
        try:
            with serial.Serial(self._path, self._baud, timeout=None, exclusive=True) as port:
                self._port = port
                report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY, detail=self._path))
                self._read(port, stop)
        except (OSError, termios.error) as error:
            raise DeviceError(reason_of_port(error), self._path) from error
        finally:
            self._port = None

    def wake(self) -> None:
        port = self._port
        if port is not None:
            try:
                port.cancel_read()
            except (OSError, termios.error, AttributeError):
                return  # closed in this very moment: it is awake

    def _read(self, port: serial.Serial, stop: threading.Event) -> None:
        frames = Frames()
        while not stop.is_set():
            port.timeout = FRAME_S if frames.pending else None
            data = port.read(max(1, min(port.in_waiting, LARGEST_READ)))
            heard = frames.feed(data) if data else frames.pause()
            for code in heard:
                self._mailbox.post(_event(self.name, code))


def _event(scanner: str, code: Scanned | Reason) -> CodeRead | CodeTrouble:
    if isinstance(code, Reason):
        return CodeTrouble(scanner, code)
    return CodeRead(scanner, code.text, code.symbology)
