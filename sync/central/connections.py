"""How many connections one process of central takes, and whose are cut when they run short.

`server` asks for the bound and lets `watch` run beside the web server; `http.reading` says which connections have a request
that is being worked on. Promises that whoever opens connections and then says little cannot keep the others out for long.
Linux (`/proc/self`); one event loop, with the looking on a worker thread.

Why: the web server bounds the reading of a request's head and the number of connections, but not whose they are: a
thousand that say nothing would keep every kiosk waiting until their time is over, again and again. So while most places
are taken, an address with more than its share of them loses the connections on which no request is being worked on. A
kiosk whose idle connection is cut opens another with its next call. A whole city may come from one address (a proxy, a
common gateway): nobody loses a connection while there are places for all.
"""

import asyncio
import contextlib
import ipaddress
import os
import resource
import socket
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from sync.central.limits import address_key

MOST = 16384
"""Held open by one process. Each kiosk keeps two, one of them its long poll."""
OTHER_FILES = 192
"""Open beside connections: databases with their logs, listeners, libraries."""
LOOK_S = 0.5
"""Between two looks while central listens."""
CROWDED = 0.75
"""Of the places, taken: from here on connections are cut."""
SHARE = 0.25
"""Of the places, that one address may keep without a request while it is crowded."""

log = structlog.get_logger(__name__)

Peer = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One connection of this process."""

    peer: Peer
    """Address and port of the other end."""
    descriptor: int
    """Ours."""
    inode: str
    """As the system names the socket: tells whether the descriptor is still this connection."""


def places() -> int:
    """Connections for which there are descriptors under this process's limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(32, min(MOST, soft - OTHER_FILES))


def raise_limit() -> None:
    """To as many open files as the system allows this process; the usual soft limit is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Connections:
    """Which connections are being worked on, and who loses the others."""

    def __init__(self) -> None:
        self._busy: Counter[Peer] = Counter()

    @contextlib.contextmanager
    def working(self, peer: Peer | None) -> Iterator[None]:
        """While a whole request of this connection is being worked on."""
        if peer is None:
            yield
            return
        self._busy[peer] += 1
        try:
            yield
        finally:
            self._busy[peer] -= 1
            if not self._busy[peer]:
                del self._busy[peer]

    def at_work(self, peer: Peer) -> bool:
        """Whether a whole request of this connection is being worked on."""
        return peer in self._busy

    async def watch(self, port: int, resting: asyncio.Event) -> None:
        """Cuts when it is crowded, until `resting`."""
        if sys.platform != "linux":
            return
        allowed, cutting = places(), False
        while not resting.is_set():
            lines = await asyncio.to_thread(lambda: open_lines(port) if crowded(allowed) else [])
            gone = [line.peer[0] for line in surplus(lines, self._busy.keys(), allowed) if cut(line)]
            if gone and not cutting:
                log.warning("Few connections are left: those of greedy addresses are cut", addresses=sorted(set(gone)))
            cutting = bool(gone)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(resting.wait(), LOOK_S)


def crowded(allowed: int) -> bool:
    """Cheap, and before anything is looked at closely."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) >= CROWDED * allowed


def surplus(lines: Sequence[Line], busy: Collection[Peer], allowed: int) -> list[Line]:
    """What is to be cut of these: of each address with more than its share, those without a request, down to the share."""
    if len(lines) < CROWDED * allowed:
        return []
    share = max(1, int(SHARE * allowed))
    of: dict[str, list[Line]] = {}
    for line in lines:
        of.setdefault(address_key(line.peer[0]), []).append(line)
    cutting: list[Line] = []
    for own in of.values():
        quiet = [line for line in own if line.peer not in busy]
        too_many = min(len(own) - share, len(quiet))
        if too_many > 0:
            cutting += quiet[:too_many]
    return cutting


def open_lines(port: int, proc: Path = Path("/proc/self")) -> list[Line]:
    """Connections of this process to its port, as the kernel lists them."""
    peers = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), (proc / "net" / name).open(encoding="ascii") as table:
            next(table)
            for row in table:
                _, local, remote, state, _ = row.split(maxsplit=4)
                if state in _OPEN and int(local.rpartition(":")[2], 16) == port:
                    peers[row.split()[9]] = _peer(remote)
    lines = []
    for descriptor in (proc / "fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            socket_name = str(descriptor.readlink())
            inode = socket_name.removeprefix("socket:[").removesuffix("]")
            if inode in peers:
                lines.append(Line(peers[inode], int(descriptor.name), socket_name))
    return lines


def cut(line: Line) -> bool:
    """Ends the connection, if it is still this one."""
    with contextlib.suppress(OSError):
        same = os.dup(line.descriptor)  # while this is open, it cannot become another
        try:
            if str(Path(f"/proc/self/fd/{same}").readlink()) == line.inode:
                end = socket.socket(fileno=same)
                try:
                    end.shutdown(socket.SHUT_RDWR)
                finally:
                    end.detach()
                return True
        finally:
            os.close(same)
    return False


_OPEN = frozenset(("01", "08"))  # ESTABLISHED, CLOSE_WAIT


def _peer(text: str) -> Peer:
    """As the kernel writes it: words of the address in the machine's own byte order, port in hexadecimal."""
    address, _, port = text.partition(":")
    words = (int.from_bytes(bytes.fromhex(address[at : at + 8]), sys.byteorder) for at in range(0, len(address), 8))
    parsed = ipaddress.ip_address(b"".join(word.to_bytes(4) for word in words))
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed), int(port, 16)
