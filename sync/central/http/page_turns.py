"""Who goes before whom at the door of the feed: acts before pages, and pages of snapshots at most half of the time.

Used by the handlers of `app`. All pages are made on one thread of their own, so the threads that judge acts never do it; before
a page of a snapshot, which may be some thousand cards' hashes, it waits a moment for acts that are under way. Lives on
the event loop, but for `acts`, which is entered on the threads of acts.

Why: after a restore every kiosk reads a snapshot at once. The work of it cannot be less than a page for each kiosk, but it can
be done in the gaps, and a kiosk that waits for its next page has the old knowledge and central's own word meanwhile.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from sync.central.http.lanes import Lane, LaneFull

REST = 1.0
"""After a page of a snapshot none is made for so many times as long as it took."""
REST_S = 0.005
"""And for so long besides: what a call costs before and after its page."""
WAITING = 1000
"""Kiosks that wait for a page of a snapshot: more would not be served before they give up."""
GIVE_WAY_S = 0.05

T = TypeVar("T")


class PageTurns:
    """The threads and the order of feed pages."""

    def __init__(self) -> None:
        self._lane = Lane("pages", threads=1)
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._acts = 0
        self._quiet = threading.Condition()

    @contextmanager
    def acts(self) -> Iterator[None]:
        """Around acts that are judged. Any thread."""
        with self._quiet:
            self._acts += 1
        try:
            yield
        finally:
            with self._quiet:
                self._acts -= 1
                self._quiet.notify_all()

    async def make(self, work: Callable[[], T]) -> T:
        """A small page, or a part of one."""
        return await self._lane.do(work)

    async def make_large(self, work: Callable[[], T]) -> T:
        """A page of a snapshot, in a gap between acts; inside `large`."""

        def in_a_gap() -> T:
            with self._quiet:
                self._quiet.wait_for(lambda: self._acts == 0, GIVE_WAY_S)
            return work()

        return await self._lane.do(in_a_gap)

    @asynccontextmanager
    async def large(self) -> AsyncIterator[None]:
        """Around the making of a page of a snapshot: one at a time, with a rest behind it. Raises LaneFull."""
        if self._waiting >= WAITING:
            raise LaneFull
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            yield
        finally:
            loop.call_later(REST * (loop.time() - begun) + REST_S, self._turn.release)

    def close(self) -> None:
        """Gives up what waits."""
        self._lane.close()
