"""Lanes: a few threads of their own for one kind of work, so that it can be late without making other work late.

Used by the handlers of central's API: `Lane.do` is awaited on the event loop and blocks nothing. A lane with a bound says
at once that it is full, and no asker ever has more than its share of the places. Any number of event loops and threads.

Why: a login costs a tenth of a second of every core (argon2id), a page of a snapshot a few hundredths. Among the threads
that judge acts, a hundred of either would keep every act waiting. The threads of a lane also stand back in the system's
own queue (`nice`; Linux keeps it for each thread, and threads that they start inherit it).
"""

import asyncio
import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class LaneFull(Exception):
    """Too many wait already; come back in a moment."""


class Lane:
    """Threads for one kind of work."""

    def __init__(
        self, name: str, *, threads: int, places: int | None = None, each: int | None = None, nice: int = 0
    ) -> None:
        """`places`: under way or waiting at a time, at most `each` of them for one asker; None: without a bound."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=_stand_back, initargs=(nice,))
        self._places = places
        self._each = each
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    async def do(self, work: Callable[[], T], asker: str = "") -> T:
        """What `work` returns or raises, once a thread of the lane has done it. Raises LaneFull: it was not begun."""
        self._enter(asker)
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: self._leave(asker))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Gives up what was not begun; work under way ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _enter(self, asker: str) -> None:
        with self._lock:
            full = self._places is not None and self._taken.total() >= self._places
            if full or (self._each is not None and self._taken[asker] >= self._each):
                raise LaneFull
            self._taken[asker] += 1

    def _leave(self, asker: str) -> None:
        with self._lock:
            self._taken[asker] -= 1
            if not self._taken[asker]:
                del self._taken[asker]


def _stand_back(nice: int) -> None:
    if nice:
        with contextlib.suppress(OSError):  # not to be had here: only the order in the system's queue is lost
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
