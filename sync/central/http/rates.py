"""How often one kiosk may call: a bound on what a faulty or stolen one can cost the others.

A token bucket for each kiosk and kind of call, in the memory of this process: no database, a few microseconds. With N
processes a kiosk may have up to N times as much, which is still a bound. Counted after the signature was found right, so that
nobody spends another's share. The bounds are far from what a kiosk does (a rush hour is five acts a minute): a backlog
of 100,000 acts goes through in one go (a thousand pushes), and so does the first fill of a million and a half entries. A long poll
counts once, when it comes, and how many a kiosk has open is bounded apart: each one open slows the turns of all (`pace`).
Whoever is over a bound hears 429 with Retry-After; a kiosk takes that for no answer and comes back later. Lives on the
event loop; no locks.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sync.central.limits import TooOften


class Call(StrEnum):
    """What a kiosk may ask."""

    ACTS = "acts"
    FEED = "feed"
    HEALTH = "health"
    STAFF_ENTRY = "staff_entry"


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket."""

    at_once: int
    """So many when none was made for long."""
    each_second: float
    """And then so many."""


RATES: Mapping[Call, Rate] = MappingProxyType(
    {
        Call.ACTS: Rate(2000, 20),
        Call.FEED: Rate(4000, 20),
        Call.HEALTH: Rate(300, 5),
        Call.STAFF_ENTRY: Rate(30, 0.5),
    }
)
POLLS = 12
"""Open at a time: a kiosk has one, and on a bad line some that it has given up and central has not."""
POLL_AGAIN = timedelta(seconds=5)
"""When one of too many may be tried again."""


def costs(call: Call) -> dict[str, Any]:
    """For a handler: `**costs(Call.ACTS)`; one that names none (OPTIONS) counts as a heartbeat."""
    return {"opt": {"call": call}}


class Rates:
    """Counts calls."""

    def __init__(
        self, clock: Callable[[], float], rates: Mapping[Call, Rate] = RATES, polls: int = POLLS
    ) -> None:  # fmt: skip
        """`clock`: seconds that only go forward."""
        self._clock = clock
        self._rates = rates
        self._polls = polls
        self._left: dict[tuple[str, Call], tuple[float, float]] = {}
        self._open: dict[str, int] = {}

    def take(self, kiosk: str, call: Call) -> None:
        """One call more. Raises TooOften; such a call takes nothing."""
        rate, now = self._rates[call], self._clock()
        left, then = self._left.get((kiosk, call), (float(rate.at_once), now))
        left = min(float(rate.at_once), left + (now - then) * rate.each_second)
        if left < 1:
            raise TooOften(timedelta(seconds=(1 - left) / rate.each_second))
        self._left[kiosk, call] = (left - 1, now)

    def open(self, kiosk: str) -> int:
        """How many polls of this kiosk wait now."""
        return self._open.get(kiosk, 0)

    @contextmanager
    def poll(self, kiosk: str) -> Iterator[None]:
        """Around one that may wait. Raises TooOften if this kiosk has too many open."""
        count = self.open(kiosk)
        if count >= self._polls:
            raise TooOften(POLL_AGAIN)
        self._open[kiosk] = count + 1
        try:
            yield
        finally:
            self._open[kiosk] -= 1
