"""Bytes with a deadline (`ByteLink`), and the TCP kind of it; all failures come out as DeviceError. One thread uses a link.

Follows what network printers do (raw port 9100): one client at a time, a second one waits or is turned away, an idle
connection is dropped after a while. `sent` tells how far a job got, which decides whether it may be sent again.
"""

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Protocol

from kiosk.ports import DeviceError, DeviceReason

_PIECE = 4096
_LAST_READS = 16


class ByteLink(Protocol):
    """Bytes with a deadline, whatever carries them."""

    sent: int
    """Bytes handed over since the link was opened."""

    @property
    def bytes_per_s(self) -> float | None:
        """How fast the line carries them, where it is slow enough to be waited for; else None."""

    def read(self, deadline_s: float) -> bytes:
        """What has come, at least one byte, or b"" after the deadline. DeviceError when the link is lost."""

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hand all of it over. DeviceError when it cannot be done in time; `sent` tells how far it got."""

    def fault(self) -> DeviceReason | None:
        """What the line itself knows of a device that does not answer, if it knows anything."""

    def close(self, *, lost: bool = False) -> None:
        """Give the link back; twice does no harm. `lost`: nobody waits for what it has not carried yet."""


class Door(Protocol):
    """Where a device is, and how to get in."""

    @property
    def address(self) -> str:
        """For staff: host and port, or path."""

    def open(self, deadline_s: float) -> ByteLink:
        """A new link; blocks up to `deadline_s`. DeviceError when there is none to be had."""


@dataclass(frozen=True, slots=True)
class TcpDoor:
    """A device on the network."""

    host: str
    """Name or address."""
    port: int
    """9100 for most printers."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def open(self, deadline_s: float) -> "TcpLink":
        return TcpLink.connect(self.host, self.port, deadline_s)


class TcpLink:
    """One open connection; `close` when done, more than once does no harm."""

    bytes_per_s = None

    def __init__(self, connection: socket.socket, address: str) -> None:
        self._socket = connection
        self._address = address
        self._heard = False
        self.sent = 0
        """Bytes handed to the system since the connection was made."""

    @classmethod
    def connect(cls, host: str, port: int, deadline_s: float) -> "TcpLink":
        """Blocks up to `deadline_s`; DeviceError NOT_REACHABLE if nobody answers there."""
        address = f"{host}:{port}"
        try:
            connection = socket.create_connection((host, port), timeout=deadline_s)
        except OSError as error:
            raise DeviceError(DeviceReason.NOT_REACHABLE, f"{address}: {error.strerror or error}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection, address)

    def read(self, deadline_s: float) -> bytes:
        """What has come, at least one byte; blocks up to `deadline_s`, then b"".

        DeviceError HELD_BY_OTHER if the other side hangs up before it ever said a byte (how a printer that serves
        somebody else turns one away), NOT_REACHABLE if it does so later.
        """
        try:
            self._socket.settimeout(max(deadline_s, 0.001))
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            return b""
        except OSError as error:
            raise DeviceError(self._lost(), f"{self._address}: {error.strerror or error}") from error
        if not data:
            raise DeviceError(self._lost(), f"{self._address}: closed")
        self._heard = True
        return data

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hands all of it to the system; blocks up to `deadline_s`.

        DeviceError SILENT if the other side takes no more, NOT_REACHABLE if it is gone; `sent` counts what had left.
        """
        ends = time.monotonic() + deadline_s
        rest = memoryview(data)
        while rest:
            try:
                self._socket.settimeout(max(ends - time.monotonic(), 0.001))
                count = self._socket.send(rest[:_PIECE])
            except TimeoutError as error:
                raise DeviceError(DeviceReason.SILENT, f"{self._address}: takes no data") from error
            except OSError as error:
                raise DeviceError(self._lost(), f"{self._address}: {error.strerror or error}") from error
            self.sent += count
            rest = rest[count:]

    def fault(self) -> DeviceReason | None:
        """A network knows nothing of the device."""
        return None

    def close(self, *, lost: bool = False) -> None:
        """Says goodbye first, and takes what still came: a close over unread bytes would be a reset, and a printer may
        then throw away what it has not printed yet."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.setblocking(False)
            for _ in range(_LAST_READS):
                if not self._socket.recv(_PIECE):
                    break
        self._socket.close()

    def _lost(self) -> DeviceReason:
        return DeviceReason.NOT_REACHABLE if self._heard else DeviceReason.HELD_BY_OTHER
