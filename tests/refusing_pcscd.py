"""Between a program and a real pcscd: refuses as pcsc-lite does where polkit says no (Debian 12's is built without it).

Speaks the messages of winscard_msg.h: size and number of a command, then its body.
"""

import contextlib
import socket
import struct
import threading
from pathlib import Path

_CONNECT = 0x04
_TRANSMIT = 0x09
_CONNECT_ANSWER = struct.Struct("=I128sIIiII")
_VIOLATION = 0x8010006A


class RefusingPcscd:
    """A service of its own at `socket_path`; each connection of a program is handed on to the one at `behind`."""

    def __init__(self, folder: Path, behind: Path) -> None:
        self.socket_path = folder / "refusing.comm"
        self.refuses_service = False
        """A connection is reset before anything was read from it (action access_pcsc)."""
        self.refuses_cards = False
        """SCardConnect is answered by a violation (action access_card)."""
        self._behind = behind
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self.socket_path))
        self._door.listen()
        threading.Thread(target=self._open, name="refusing-pcscd", daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                program, _ = self._door.accept()
                threading.Thread(target=self._serve, args=(program,), daemon=True).start()

    def _serve(self, program: socket.socket) -> None:
        with program, socket.socket(socket.AF_UNIX) as service, contextlib.suppress(OSError, EOFError):
            if self.refuses_service:
                _exactly(program, 8)
                program.recv(1, socket.MSG_PEEK)
                return  # with the rest of what was said unread: to the program the connection was reset
            service.connect(str(self._behind))
            threading.Thread(target=_pour, args=(service, program), daemon=True).start()
            while True:
                head = _exactly(program, 8)
                size, command = struct.unpack("=II", head)
                body = _exactly(program, size)
                if command == _CONNECT and self.refuses_cards:
                    *asked, _ = _CONNECT_ANSWER.unpack(body)
                    program.sendall(_CONNECT_ANSWER.pack(*asked, _VIOLATION))
                else:
                    service.sendall(head + body + _exactly(program, _sent_after(command, body)))


def _sent_after(command: int, body: bytes) -> int:
    """Bytes of a card's command, which follow the message that announces them."""
    return struct.unpack_from("=I", body, 12)[0] if command == _TRANSMIT else 0


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
