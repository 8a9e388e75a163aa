"""Counts the marks that a printer owes, so that the answer to one job's mark is never taken for another's. Pure.

A mark (GS r) has no name: answers come in the order of the jobs, and that is all that tells them apart. A job that ended
without its answer (paper out, deadline, lost connection) may still stand in the printer's buffer and be answered later,
on a new connection too. Until then the next job's answer is not the first that comes. A printer that lost its buffer
(power) never answers; when it has been ready for long enough to have printed everything, such answers are given up.
Belongs to the printer's thread.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Marks:
    """What the printer still has to answer. Times are monotonic seconds."""

    give_up_s: float
    """A printer that was ready for so long after the newest mark owes nothing for jobs that have ended."""
    own: int = 0
    """Of the job under way: 0 or 1."""
    old: int = 0
    """Of jobs that have ended."""
    _ready_since: float | None = None

    def sent(self, arrives: float) -> None:
        """The mark of the job under way is leaving; how much of a job that fails has left, nobody knows."""
        self.own = 1
        self._ready_since = arrives

    def answered(self) -> None:
        """An answer came: it belongs to the oldest job."""
        if self.old:
            self.old -= 1
        else:
            self.own = 0

    def job_ended(self) -> None:
        """Nobody waits for the job under way any more."""
        self.old, self.own = self.old + self.own, 0

    def standing_still(self) -> None:
        """The printer cannot print now, so it cannot answer either."""
        self._ready_since = None

    def ready(self, now: float) -> None:
        """The printer is ready, and no job is under way."""
        if self._ready_since is None:
            self._ready_since = now
        if now - self._ready_since >= self.give_up_s:
            self.old = 0
