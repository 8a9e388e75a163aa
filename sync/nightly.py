"""When the replica is read to its last page: every night, or soon after a start where the machine is off at night. Pure.

When it was last read stands in the file itself, so a kiosk that is switched off every evening is checked all the same. The
first few minutes after a start belong to the patrons.
"""

from datetime import datetime, time, timedelta

from kiosk.domain.values import LIBRARY_TIME

NIGHT = (time(1), time(5))
"""Of the library's clock."""
EVERY = timedelta(hours=20)
"""A night's reading is due when the last one is older: once a night, whatever minute it begins."""
LATEST = timedelta(hours=48)
"""Older than this, the night is not waited for."""
SETTLED_S = 600.0
"""After the start."""


def due(checked_at: datetime | None, now: datetime, up_s: float) -> bool:
    """Read every page now? `checked_at`, `now`: kiosk's clock (aware UTC); `up_s`: seconds since the start.

    A reading in the future (the clock was put back) says nothing.
    """
    if up_s < SETTLED_S:
        return False
    age = None if checked_at is None or checked_at > now else now - checked_at
    if age is None or age > LATEST:
        return True
    begins, ends = NIGHT
    return age > EVERY and begins <= now.astimezone(LIBRARY_TIME).time() < ends
