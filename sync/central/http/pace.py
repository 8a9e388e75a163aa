"""Long polls take turns: hundreds of kiosks do not all come for every single commit.

With n polls open, a kiosk that was told all there was is told again after n × EACH at the soonest, and those that one
commit wakes are dealt out over that time. One kiosk waits 20 ms, 220 at rush hour hear of each other within 4.4 s, and
however many there are, one process answers about fifty polls a second and has the rest of its time for acts.
Within that time they come in groups: kiosks of one group are told at one moment and so stand at one place of the feed, and
their next page is made once.
Lives on the event loop; no locks.
"""

import math
import random
from collections.abc import Callable

EACH_S = 0.02
GROUPS = 20
"""In so many groups the polls of one interval come."""
LONGEST_S = 10.0
"""A void card must be known everywhere within 30 s."""


class Pace:
    """Who was answered when, and how many wait."""

    def __init__(self, clock: Callable[[], float], dice: random.Random) -> None:
        """`clock`: seconds that only go forward."""
        self._clock = clock
        self._dice = dice
        self._open = 0
        self._told: dict[str, float] = {}

    def __enter__(self) -> "Pace":
        self._open += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._open -= 1

    @property
    def interval_s(self) -> float:
        """Between two answers to one kiosk."""
        return min(self._open * EACH_S, LONGEST_S)

    def told(self, kiosk: str) -> None:
        """It knows all there is as of now."""
        self._told[kiosk] = self._clock()

    def before_looking_s(self, kiosk: str) -> float:
        """Seconds until it is this kiosk's turn again."""
        wait_s = self._told.get(kiosk, float("-inf")) + self.interval_s - self._clock()
        return 0.0 if wait_s <= 0 else self._with_its_group(wait_s)

    def after_waking_s(self) -> float:
        """One commit woke many; this one looks after so many seconds."""
        return self._with_its_group(self._dice.uniform(0, self.interval_s))

    def _with_its_group(self, wait_s: float) -> float:
        """A little longer, until the next group comes."""
        if self._open < GROUPS:
            return wait_s
        step, now = self.interval_s / GROUPS, self._clock()
        return math.ceil((now + wait_s) / step) * step - now
