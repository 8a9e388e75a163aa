"""Bytes over a serial line, every call with a deadline; all failures come out as DeviceError. One thread uses a link.

For printers on RS-232 or a USB-serial adapter, 9600 to 115200 baud. Hardware handshake (RTS/CTS) by default: XON/XOFF
bytes occur in pictures (reference/devices.md C4). What is written waits in the system's buffer until the line has
carried it, so a job's own length is part of every deadline that follows: `bytes_per_s` tells how fast it goes.

pyserial only opens the port. A printer that is switched off lets its line fall to break, which the system gives as one
byte 00, the very byte that confirms a slip; so breaks and characters with framing errors are thrown away (termios(3):
IGNBRK, IGNPAR with INPCK), and pyserial sets those flags back whenever it is given another deadline.
"""

import contextlib
import errno
import os
import select
import termios
import time
from dataclasses import dataclass

import serial

from kiosk.ports import DeviceError, DeviceReason

_PIECE = 512
_MOST_READ = 4096
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_BITS = 10
"""Bits on the line for one byte: start, eight, stop."""


@dataclass(frozen=True, slots=True)
class SerialDoor:
    """A device on a serial port."""

    path: str
    """A stable one: /dev/serial/by-id/…"""
    baud: int = 9600
    """As set on the device."""
    handshake: bool = True
    """RTS/CTS."""

    @property
    def address(self) -> str:
        return f"{self.path} at {self.baud}"

    def open(self, deadline_s: float) -> "SerialLink":
        """Does not block; DeviceError NOT_PLUGGED, HELD_BY_OTHER or NO_PERMISSION."""
        try:
            with contextlib.ExitStack() as opened:
                port = serial.Serial(self.path, self.baud, timeout=0, exclusive=True, rtscts=self.handshake)
                opened.callback(port.close)
                _drop_damaged(port.fileno())
                opened.pop_all()
        except (OSError, termios.error, ValueError) as error:
            raise DeviceError(reason_of_port(error), self.path) from error
        return SerialLink(port, self.path, self.baud / _BITS)


def _drop_damaged(node: int) -> None:
    """From now on this port gives no break and no character that came damaged."""
    attributes = termios.tcgetattr(node)
    attributes[0] |= termios.IGNBRK | termios.IGNPAR | termios.INPCK
    termios.tcsetattr(node, termios.TCSANOW, attributes)


class SerialLink:
    """One open port; `close` when done, more than once does no harm."""

    def __init__(self, port: serial.Serial, path: str, bytes_per_s: float) -> None:
        self._port = port
        self._path = path
        self._bytes_per_s = bytes_per_s
        self.sent = 0
        """Bytes handed to the system since the port was opened."""

    @property
    def bytes_per_s(self) -> float | None:
        """Speed of the line."""
        return self._bytes_per_s

    def read(self, deadline_s: float) -> bytes:
        """What has come, at least one byte; blocks up to `deadline_s`, then b"". DeviceError when it is unplugged."""
        if not self._events(select.POLLIN, time.monotonic() + deadline_s):
            return b""
        try:
            data = os.read(self._node(), _MOST_READ)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DeviceError(reason_of_port(error), self._path) from error
        if not data:
            raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
        return data

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hands all of it to the system; blocks up to `deadline_s`.

        DeviceError SILENT if the other side takes no more, NOT_PLUGGED if it is gone; `sent` counts what had left.
        """
        ends = time.monotonic() + deadline_s
        rest = memoryview(data)
        while rest:
            events = self._events(select.POLLOUT, ends)
            if not events:
                raise DeviceError(DeviceReason.SILENT, f"{self._path}: takes no data")
            if events & _GONE:
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
            try:
                count = os.write(self._node(), rest[:_PIECE])
            except BlockingIOError:
                continue
            except OSError as error:
                raise DeviceError(reason_of_port(error), self._path) from error
            self.sent += count
            rest = rest[count:]

    def fault(self) -> DeviceReason | None:
        """A serial line knows nothing of the device."""
        return None

    def close(self, *, lost: bool = False) -> None:
        """Gives the port back once it has carried what was written; if the device is `lost`, that is thrown away.

        Otherwise the system would wait with closing (30 s on Linux) for a printer whose handshake says no for good.
        """
        if lost and self._port.is_open:
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(self._port.fileno(), termios.TCOFLUSH)
        self._port.close()

    def _node(self) -> int:
        if not self._port.is_open:
            raise DeviceError(DeviceReason.NOT_PLUGGED, f"{self._path}: closed")
        node: int = self._port.fileno()
        return node

    def _events(self, wanted: int, ends: float) -> int:
        """What poll tells of the port; 0 after `ends` (monotonic)."""
        poll = select.poll()
        poll.register(self._node(), wanted)
        told = poll.poll(max(0.0, ends - time.monotonic()) * 1000)
        return told[0][1] if told else 0


def reason_of_port(error: Exception) -> DeviceReason:
    """What went wrong with a serial port, for staff."""
    if isinstance(error, OSError):
        if error.errno in (errno.EACCES, errno.EPERM):
            return DeviceReason.NO_PERMISSION
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            return DeviceReason.HELD_BY_OTHER
    return DeviceReason.NOT_PLUGGED
