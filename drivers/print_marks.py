"""Which answers to GS r confirm a job: as many in a row as the job has marks at its end. Pure; of the printer's thread.

An answer to GS r is one byte without a name. Noise, a break on the line, or the mark of an older slip that still stood in
the printer's buffer look the same. So a job ends with several marks, how many differs from job to job, and only exactly as
many answers, close together and with silence behind them, confirm it.

Why
To ask anew when the count is wrong would confirm a slip that a power cut took from the buffer: an idle printer answers
every question. The marks stand in the job and are lost with it. Counting what a printer owes from older jobs would be
spoilt by one stray byte.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate, combinations

FEWEST, MOST = 5, 12
"""Marks at the end of a job: more than noise makes by chance, in too few bytes to matter."""
RUN_S = 0.2
"""Answers that come closer together belong to one row; a printer works marks off within milliseconds."""
_OWED = 3
"""Of so many jobs; fewer than would take all numbers of marks."""


class Marks:
    """One printer's, over all its connections. Times are monotonic seconds."""

    def __init__(self, choose: Callable[[Sequence[int]], int] = secrets.choice) -> None:
        self._choose = choose
        self._wanted = 0
        """Marks of the job under way."""
        self._owed: deque[int] = deque(maxlen=_OWED)
        """Marks of jobs that ended without their answers, which may still come."""
        self._row = 0
        self._last_s = float("-inf")

    def begin(self) -> int:
        """How many marks the next job has: not as many as older jobs whose answers may still come."""
        owed = list(self._owed)
        taken = {sum(owed[first:last]) for first, last in combinations(range(len(owed) + 1), 2)}
        self._wanted = self._choose([count for count in range(FEWEST, MOST + 1) if count not in taken])
        self._row = 0
        return self._wanted

    def answered(self, now_s: float) -> None:
        """A byte that GS r may say of a printer with paper."""
        self._row = self._row + 1 if now_s - self._last_s < RUN_S else 1
        self._last_s = now_s

    def disturbed(self) -> None:
        """A byte that nothing explains: the answers before it are no row."""
        self._row = 0

    def confirm(self, now_s: float) -> bool:
        """The row is the job's, alone or behind those of the jobs right before it, and nothing came after it."""
        return self._fits() and now_s - self._last_s >= RUN_S

    def rest_s(self, now_s: float) -> float:
        """How long silence must still last; 0 where there is no row of the right length."""
        return max(0.0, self._last_s + RUN_S - now_s) if self._fits() else 0.0

    def ended(self, *, owes: bool) -> None:
        """The job is over; `owes`: its bytes left, and its answers may still come."""
        if owes:
            self._owed.append(self._wanted)
        else:
            self._owed.clear()  # older ones came before it, or never will
        self._wanted = self._row = 0

    def _fits(self) -> bool:
        rows = accumulate(reversed(self._owed), initial=self._wanted)
        return self._wanted > 0 and self._row in rows
