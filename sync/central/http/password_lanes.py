"""Where passwords are looked at: two lanes of one thread each, never among the threads that judge acts.

Used by every handler that makes or checks a password. One lane is for whoever has shown who they are (a kiosk's signature,
a session of staff), the other for strangers, so that a flood of logins neither slows acts nor keeps staff from a kiosk.

Why one thread: argon2id (64 MiB, four lanes) takes every core it can have, so a second check at a time would end no sooner.
Eight in the queue are about a second; who comes then hears 503 with Retry-After, and a kiosk asks its own verifiers.
"""

from collections.abc import Callable
from typing import TypeVar

from sync.central.http.lanes import Lane

PLACES = 16
"""Under way or waiting in one lane."""
EACH = 8
"""Of them for one address."""
NICE = 5

T = TypeVar("T")


class PasswordLanes:
    """Work with a password in it."""

    def __init__(self) -> None:
        self._known = Lane("passwords-known", threads=1, places=PLACES, each=EACH, nice=NICE)
        self._strangers = Lane("passwords-strangers", threads=1, places=PLACES, each=EACH, nice=NICE)

    async def known(self, work: Callable[[], T], asker: str) -> T:
        """For a caller whose credential was right. Raises LaneFull, and what `work` raises."""
        return await self._known.do(work, asker)

    async def stranger(self, work: Callable[[], T], asker: str) -> T:
        """For a caller who may be anybody, by address. Raises LaneFull, and what `work` raises."""
        return await self._strangers.do(work, asker)

    def close(self) -> None:
        """Gives up what waits."""
        self._known.close()
        self._strangers.close()
