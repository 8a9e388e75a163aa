"""Wakes long polls when something was committed: rung from any thread, awaited on the server's event loop.

Only a hint that saves time. A change made by another process (the command line) rings no bell here; whoever waits
looks again after a while by itself.
"""

import asyncio
import threading
from collections.abc import Iterable


class Bell:
    """Counts commits of this process and wakes those who wait for the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[asyncio.Future[None]] = set()
        self._pausing: set[asyncio.Future[None]] = set()
        self._count = 0
        self._closed = False

    @property
    def count(self) -> int:
        """Take it before looking, hand it to `wait`: nothing that happens in between is missed."""
        return self._count

    @property
    def closed(self) -> bool:
        """Central is going down: nobody should wait any more."""
        return self._closed

    def ring(self) -> None:
        """Something was committed. Any thread, never blocks."""
        with self._lock:
            self._count += 1
            waiting = tuple(self._waiting)
            self._waiting.clear()
        _wake_all(waiting)

    def close(self) -> None:
        """Wakes everybody for good."""
        self._closed = True
        self.ring()
        with self._lock:
            pausing = tuple(self._pausing)
        _wake_all(pausing)

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Until the count is past `seen`, or the time is over; tells not which."""
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._count != seen or self._closed:
                return
            self._waiting.add(future)
        await self._until(future, self._waiting, timeout_s)

    async def pause(self, seconds: float) -> None:
        """So long, whatever is committed; shorter if central goes down."""
        if seconds <= 0:
            return
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._closed:
                return
            self._pausing.add(future)
        await self._until(future, self._pausing, seconds)

    async def _until(self, future: asyncio.Future[None], among: set[asyncio.Future[None]], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            pass
        finally:
            with self._lock:
                among.discard(future)


def _wake_all(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        loop = future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
