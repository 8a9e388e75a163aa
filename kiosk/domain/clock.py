"""May the kiosk's own clock be believed? (DESIGN.md section 2, one act 7)

It may not when it stands before what is already written, or when it jumps against the monotonic clock by more than a
minute. Central's answer, or staff, confirm the time again. Returns go on meanwhile; lending offline waits.

The monotonic clock is what dates an act: a `Reading` of it can be told in central's time by any answer of central within
the same boot, before or after the act, whatever somebody does to the wall clock in between.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

JUMP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the monotonic clock said at some moment."""

    boot: str
    """Which run of the machine; seconds of two boots cannot be compared."""
    seconds: float
    """Since some moment of that boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWatch:
    """A pair of readings to compare with, and whether a jump was seen since the time was last confirmed."""

    wall: datetime
    """Wall clock when last looked at."""
    monotonic: float
    """Monotonic clock at the same moment, seconds."""
    jumped: bool = False
    """A jump was seen, or the clock started before what is written."""

    def look(self, wall: datetime, monotonic: float, newest: datetime | None) -> "ClockWatch":
        """Compare with the last look; `newest` is the time of the newest act or feed, by the kiosk's clock."""
        expected = self.wall + timedelta(seconds=monotonic - self.monotonic)
        jumped = self.jumped or abs(wall - expected) > JUMP or (newest is not None and wall < newest - JUMP)
        return replace(self, wall=wall, monotonic=monotonic, jumped=jumped)

    def confirmed(self) -> "ClockWatch":
        """Central or staff confirmed the time."""
        return replace(self, jumped=False)
