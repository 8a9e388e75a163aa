"""May the kiosk's own clock be believed? (DESIGN.md section 2, one act 7)

It may not when it stands before what is already written, or when it jumps against the monotonic clock by more than a
minute. An answer of central that came after that confirms the time again: what it is at central is known by the monotonic
clock from then on, whatever the wall clock says. Where central is away, staff confirm it, unless central's own word proves
the clock wrong. Returns go on meanwhile; lending offline waits.

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
    """A pair of readings to compare with, and the jump that nobody has confirmed yet."""

    wall: datetime
    """Wall clock when last looked at."""
    monotonic: float
    """Monotonic clock at the same moment, seconds."""
    jumped_at: float | None = None
    """Monotonic clock when a jump was noticed, or that the clock started before what is written; None: the time is believed."""

    @property
    def jumped(self) -> bool:
        """The clock cannot be believed."""
        return self.jumped_at is not None

    def look(self, wall: datetime, monotonic: float, newest: datetime | None) -> "ClockWatch":
        """Compare with the last look; `newest` is the latest time in what was written before."""
        expected = self.wall + timedelta(seconds=monotonic - self.monotonic)
        jumped = abs(wall - expected) > JUMP or (newest is not None and wall < newest - JUMP)
        return replace(self, wall=wall, monotonic=monotonic, jumped_at=monotonic if jumped else self.jumped_at)

    def confirmed(self) -> "ClockWatch":
        """Staff looked at the wall clock and said that it is right."""
        return replace(self, jumped_at=None)

    def answered(self, heard: float | None) -> "ClockWatch":
        """Central's newest answer was heard at this moment of the monotonic clock; None: not since the start.

        An answer from before the jump was noticed confirms nothing: it may have been asked for before it.
        """
        confirmed = self.jumped_at is not None and heard is not None and heard > self.jumped_at
        return replace(self, jumped_at=None) if confirmed else self
