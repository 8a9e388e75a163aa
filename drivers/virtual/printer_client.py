"""Whoever sends to the virtual printer now, as the printer sees it; and the TCP kind of it."""

import contextlib
import socket
import struct
from typing import Protocol


class Client(Protocol):
    """Whoever sends to the printer now."""

    def say(self, data: bytes) -> None:
        """Answer; nothing happens when it has gone."""

    def hang_up(self) -> None:
        """Break the line without a goodbye."""


class TcpClient:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.shutdown(socket.SHUT_RDWR)
