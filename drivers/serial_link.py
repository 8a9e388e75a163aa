"""Bytes over a serial line, every call with a deadline; all failures come out as DeviceError. One thread uses a link.

For printers on RS-232 or a USB-serial adapter, 9600 to 115200 baud. Hardware handshake (RTS/CTS) by default: XON/XOFF
bytes occur in pictures (reference/devices.md C4). What is written waits in the system's buffer until the line has
carried it, so a job's own length is part of every deadline that follows: `bytes_per_s` tells how fast it goes.
"""

import errno
import termios
import time
from dataclasses import dataclass

import serial

from kiosk.ports import DeviceError, DeviceReason

_PIECE = 512
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
            port = serial.Serial(self.path, self.baud, timeout=0, exclusive=True, rtscts=self.handshake)
        except (OSError, termios.error, ValueError) as error:
            raise DeviceError(reason_of_port(error), self.path) from error
        return SerialLink(port, self.path, self.baud / _BITS)


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
        try:
            self._port.timeout = max(deadline_s, 0.001)
            return self._port.read(max(1, self._port.in_waiting))
        except (OSError, termios.error, TypeError) as error:  # TypeError: pyserial, closed by the other end
            raise DeviceError(reason_of_port(error), self._path) from error

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hands all of it to the system; blocks up to `deadline_s`.

        DeviceError SILENT if the other side takes no more, NOT_PLUGGED if it is gone; `sent` counts what had left.
        """
        ends = time.monotonic() + deadline_s
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            try:
                self._port.write_timeout = max(ends - time.monotonic(), 0.001)
                self._port.write(piece)
            except serial.SerialTimeoutException as error:
                self.sent += len(piece)  # some of it may have left
                raise DeviceError(DeviceReason.SILENT, f"{self._path}: takes no data") from error
            except (OSError, termios.error) as error:
                raise DeviceError(reason_of_port(error), self._path) from error
            self.sent += len(piece)

    def fault(self) -> DeviceReason | None:
        """A serial line knows nothing of the device."""
        return None

    def close(self) -> None:
        """Gives the port back."""
        self._port.close()


def reason_of_port(error: Exception) -> DeviceReason:
    """What went wrong with a serial port, for staff."""
    if isinstance(error, OSError):
        if error.errno in (errno.EACCES, errno.EPERM):
            return DeviceReason.NO_PERMISSION
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            return DeviceReason.HELD_BY_OTHER
    return DeviceReason.NOT_PLUGGED
