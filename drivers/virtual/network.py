"""The network between a kiosk and central, as a cable that can be cut: a TCP forwarder on loopback.

Cut: open connections break at once and new ones are refused, as when a switch loses power. Swallow: connections are
accepted and bytes vanish, as behind a firewall that drops; only a deadline notices. Not modelled: latency, loss of
single packets, DNS.
"""

import contextlib
import select
import socket
import threading
from enum import StrEnum


class Cable(StrEnum):
    """How the cable is."""

    WHOLE = "whole"
    CUT = "cut"
    SWALLOWS = "swallows"


class VirtualNetwork:
    """Forwards 127.0.0.1:port to a target on loopback. Any thread may call its methods."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target = ("127.0.0.1", target_port)
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener: socket.socket | None = None
        self.cable = Cable.CUT
        self.port = port
        self.restore()

    @property
    def url(self) -> str:
        """Where the kiosk finds central."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self.cable = Cable.CUT
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        """Accept connections and let nothing through."""
        self.cable = Cable.SWALLOWS

    def restore(self) -> None:
        """The cable is whole again."""
        self.cable = Cable.WHOLE
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="virtual-network", daemon=True).start()

    def close(self) -> None:
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target, timeout=2.0)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.add((near, far))
            threading.Thread(target=self._forward, args=(near, far), name="virtual-network-line", daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if self.cable is Cable.WHOLE:
                        other[source].sendall(data)
        except OSError:
            return
        finally:
            with self._lock:
                self._pairs.discard((near, far))
            near.close()
            far.close()
