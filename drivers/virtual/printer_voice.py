"""The virtual printer's voice: what it says reaches its client at once, or so much later, in the same order.

Belongs to the printer and uses its lock. What is late waits in one row; a timer for each answer lets out what is due.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from drivers.virtual.printer_client import Client


class Voice:
    """Says things to whoever is connected; all methods with the printer's lock held."""

    def __init__(self, lock: threading.Condition, connected: Callable[[], Client | None]) -> None:
        self._lock = lock
        self._connected = connected
        self._waiting: deque[tuple[float, Client, bytes]] = deque()
        self._late_s = 0.0

    def be_late(self, seconds: float) -> None:
        """From now on; what was waiting is said now."""
        self._late_s = seconds
        while self._waiting:
            self._say_oldest()

    def say(self, data: bytes) -> None:
        """To the client of now, and to no later one."""
        client = self._connected()
        if client is None:
            return
        if not self._late_s:
            client.say(data)
            return
        self._waiting.append((time.monotonic() + self._late_s, client, data))
        timer = threading.Timer(self._late_s, self._let_out)
        timer.daemon = True
        timer.start()

    def forget(self) -> None:
        """The power is gone: what was not said is never said."""
        self._waiting.clear()

    def _let_out(self) -> None:
        with self._lock:
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                self._say_oldest()

    def _say_oldest(self) -> None:
        _, client, data = self._waiting.popleft()
        if self._connected() is client:
            client.say(data)
