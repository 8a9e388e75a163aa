"""Serial and USB-CDC scanners: a blocking read in the device's own thread (A8, L1).

Opened by a stable path (`/dev/serial/by-id/…`) or by the device's USB id (`usb:0c2e:0b61:SERIAL`), exclusively. A
blocking thread sees the last byte of a code in under 0.1 ms and an unplugged cable at once (reference/probe.md 2).
`termios.error` is no OSError and is caught by name. A scanner in manual-trigger mode is pulled while a page wants codes
(`wanted`), by the thread that reads, so nobody else ever waits for a port that takes no bytes. What is on its way while the
port opens may have lost its beginning: it is told as unreadable, and the scanner is ready after a pause.
"""

import termios
import threading
import time
from collections.abc import Callable, Iterable

import serial

from drivers.device import Report
from drivers.frames import FRAME_S, Decoder, Frames, Scanned
from drivers.repeats import Repeats
from drivers.serial_link import reason_of_port
from drivers.trigger import Trigger
from drivers.usb_ports import UsbPort, is_usb_name, port_of, usb_ports
from kiosk.domain.values import Reason
from kiosk.ports import (
    CodeRead,
    CodeTrouble,
    DeviceError,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Mailbox,
)

LARGEST_READ = 4096
OPENING_S = 1.0
"""A port that is not quiet so long after its opening is read all the same."""
SEND_S = 0.5
"""A trigger or beep that the port does not take within this time is given up."""


class SerialScanner:
    """One scanner; a `Device`."""

    kind = DeviceKind.SCANNER

    def __init__(
        self,
        name: str,
        path: str,
        baud: int,
        mailbox: Mailbox,
        *,
        repeat_s: float = 0.0,
        taken: bytes = b"",
        refused: bytes = b"",
        trigger: tuple[bytes, bytes] = (b"", b""),
        decoder: Callable[[], Decoder] = Frames,
        ports: Callable[[], Iterable[UsbPort]] = usb_ports,
    ) -> None:
        self.name = name
        self._repeats = Repeats(repeat_s)
        self._ports = ports
        self._frames = decoder()
        """Outlives a lost port: it knows that a code was cut off."""
        self._signals = {True: taken, False: refused}
        """What makes it beep for a code that was taken, and for one that was not; empty: it stays silent."""
        self._trigger = trigger
        """What pulls its trigger and lets it go; empty: it is not pulled."""
        self._wanted = False
        self._path = path
        self._baud = baud
        self._mailbox = mailbox
        self._port: serial.Serial | None = None

    def run(self, stop: threading.Event, report: Report) -> None:
        """Read until stopped; raises DeviceError when the scanner is not there or is unplugged."""
        path = port_of(self._path, self._ports()) if is_usb_name(self._path) else self._path
        try:
            with serial.Serial(path, self._baud, timeout=None, write_timeout=SEND_S, exclusive=True) as port:
                self._port = port
                self._await_quiet(port, stop)
                report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY, detail=self._path))
                self._read(port, stop)
        except (OSError, termios.error) as error:
            raise DeviceError(reason_of_port(error), self._path) from error
        finally:
            self._port = None
            self._post(self._frames.lost())

    def wanted(self, wanted: bool) -> None:
        """Codes are wanted, or not: its trigger is pulled or let go; any thread, never blocks."""
        if wanted != self._wanted:
            self._wanted = wanted
            self.wake()

    def send(self, command: bytes) -> None:
        """Trigger or beep; any thread. DeviceError NOT_PLUGGED while the scanner is away; a beep is never worth a loan."""
        port = self._port
        try:
            if port is None:
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
            port.write(command)
        except (OSError, termios.error) as error:
            raise DeviceError(reason_of_port(error), self._path) from error

    def show(self, source: str, *, taken: bool, stop: threading.Event) -> None:
        """Beep for one of its own codes; see `drivers.signals.Signalling`."""
        command = self._signals[taken]
        if source == self.name and command:
            self.send(command)

    def wake(self) -> None:
        port = self._port
        if port is not None:
            try:
                port.cancel_read()
            except (OSError, termios.error, AttributeError):
                return  # closed in this very moment: it is awake

    def _read(self, port: serial.Serial, stop: threading.Event) -> None:
        frames, trigger = self._frames, Trigger(*self._trigger)
        while not stop.is_set():
            begun = time.monotonic()
            if not frames.pending:
                port.write(trigger.say(wanted=self._wanted, now_s=begun))
            patience_s = frames.patience_s if frames.pending else None
            port.timeout = trigger.patience_s(begun) if patience_s is None else patience_s
            data = port.read(max(1, min(port.in_waiting, LARGEST_READ)))
            if not data and (patience_s is None or time.monotonic() - begun < patience_s):
                continue  # woken, or the trigger is due: half a code may still come
            heard = frames.feed(data) if data else frames.pause()
            if heard:
                trigger.fell(time.monotonic())
            self._post(heard)
            answers = frames.answers()
            if answers:
                port.write(answers)
        port.write(trigger.say(wanted=False, now_s=time.monotonic()))

    def _await_quiet(self, port: serial.Serial, stop: threading.Event) -> None:
        """Drops what comes before the first pause; blocks for a pause, or for as long as `OPENING_S`."""
        port.timeout = FRAME_S
        ends, dropped = time.monotonic() + OPENING_S, False
        while not stop.is_set() and time.monotonic() < ends:
            begun = time.monotonic()
            if port.read(max(1, min(port.in_waiting, LARGEST_READ))):
                dropped = True
            elif time.monotonic() - begun >= FRAME_S:
                break
        if dropped:
            self._post([Reason.CODE_UNREADABLE])

    def _post(self, heard: Iterable[Scanned | Reason]) -> None:
        for code in heard:
            if not (isinstance(code, Scanned) and self._repeats.again(code.text, time.monotonic())):
                self._mailbox.post(code_event(self.name, code))


def code_event(scanner: str, code: Scanned | Reason) -> CodeRead | CodeTrouble:
    """What the mailbox is told of a code or a complaint."""
    if isinstance(code, Reason):
        return CodeTrouble(scanner, code)
    return CodeRead(scanner, code.text, code.symbology)
