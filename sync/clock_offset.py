"""What time it is at central, by its answers and the monotonic clock since. Shared by the clients of one kiosk; any thread.

Central's clock was read somewhere between a question and its answer, so an answer dates it to half a round trip. The
sharpest answer counts: one that came after a slow push does not push aside one that came at once. It grows older with what the
monotonic clock may be wrong (`DRIFT`), until a newer one is as sharp; and one that a newer answer contradicts is of a
clock of central that was set since. It does not matter what becomes of the wall clock meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.domain.clock import Reading
from kiosk.ports import Clock

DRIFT = 1e-4
"""Seconds a second: twice what a plain quartz or a clock that is being put right may differ from another one."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer of central that told its clock."""

    central: datetime
    """What it told."""
    reading: Reading
    """The monotonic clock in the middle of the round trip."""
    spread_s: float
    """Half of the round trip: so far the two may be apart."""

    def at(self, seconds: float) -> datetime:
        """Central's clock at another moment of the same boot."""
        return self.central + timedelta(seconds=seconds - self.reading.seconds)

    def doubt_s(self, seconds: float) -> float:
        """How far `at` may be wrong there."""
        return self.spread_s + DRIFT * abs(seconds - self.reading.seconds)


class ClockOffset:
    """Central's clock. Assignment is atomic: of two answers at the same instant either counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._best: _Answer | None = None
        self._newest: float | None = None

    def hear(self, central: datetime, asked: float, answered: float) -> None:
        """Central's clock said this between these two moments of the monotonic clock."""
        fresh = _Answer(central, Reading(self._clock.boot(), (asked + answered) / 2), (answered - asked) / 2)
        best = self._best
        if best is None or best.reading.boot != fresh.reading.boot or _outdoes(fresh, best):
            self._best = fresh
        self._newest = fresh.reading.seconds

    @property
    def value(self) -> timedelta | None:
        """Central's clock minus the kiosk's wall clock as both are now; None until the first answer."""
        central = self.at(Reading(self._clock.boot(), self._clock.monotonic()))
        return None if central is None else central - self._clock.now()

    @property
    def heard_at(self) -> float | None:
        """Monotonic seconds of the newest answer; None until the first."""
        return self._newest

    def at(self, reading: Reading) -> datetime | None:
        """Central's clock at a moment of this boot; None for another boot's or before the first answer."""
        best = self._best
        return None if best is None or best.reading.boot != reading.boot else best.at(reading.seconds)


def _outdoes(fresh: _Answer, best: _Answer) -> bool:
    """It is as sharp as the best one is by now, or both cannot be true."""
    seconds = fresh.reading.seconds
    doubt_s = best.doubt_s(seconds)
    apart_s = abs((fresh.central - best.at(seconds)).total_seconds())
    return fresh.spread_s <= doubt_s or apart_s > doubt_s + fresh.spread_s
