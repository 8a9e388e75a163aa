"""Work that arrives while a transaction is under way goes together into the next one.

Two hundred kiosks that ask at once would pay for two hundred transactions, one behind the other. Here whoever comes
while `leaders` transactions are running waits, and the first that may go takes along what waits by then: alone nobody
waits, and in a rush, where the next group waits a moment for those who come again, a transaction holds as many words
as there are askers. Called from the threads that serve requests;
blocks until the caller's own part is done.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Part = TypeVar("Part")
Answer = TypeVar("Answer")
GATHER_S = 0.005
"""How long the next group waits for as many as the last one had: kiosks whose answers are under way ask again."""


class LeaderGone(Exception):
    """The group was given up half-way, as the process is ending."""


@dataclass(slots=True, eq=False)
class _Ticket(Generic[Part, Answer]):
    part: Part
    size: int
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: Exception | None = None


class Together(Generic[Part, Answer]):
    """Gathers parts and does them in groups of at most `most` (by their sizes; a larger part goes alone)."""

    def __init__(
        self, do: Callable[[Sequence[Part]], Sequence[Answer]], *, leaders: int, most: int, gather_s: float = GATHER_S
    ) -> None:
        """`do` gives one answer for each part, or raises: then every part of the group fails with that error.

        `gather_s`: see `GATHER_S`.
        """
        self._do = do
        self._most = most
        self._gather_s = gather_s
        self._leaders = threading.Semaphore(leaders)
        self._came = threading.Condition()
        self._waiting: deque[_Ticket[Part, Answer]] = deque()
        self._last = 1
        """Parts in the newest group."""

    def __call__(self, part: Part, size: int) -> Answer:
        """The answer to this part. Raises what `do` raised for its group."""
        ticket = _Ticket[Part, Answer](part, size)
        with self._came:
            self._waiting.append(ticket)
            self._came.notify_all()
        while not ticket.done.is_set():
            with self._leaders:
                group = self._next()
                if group:
                    self._lead(group)
            if not group:
                ticket.done.wait()  # another leader has taken it along
        if ticket.answer is None:
            raise ticket.error or LeaderGone("the thread that had taken this part along has ended")
        return ticket.answer

    def _next(self) -> list[_Ticket[Part, Answer]]:
        """In the order in which they came; in a rush after a moment for those who come again."""
        with self._came:
            if self._waiting and self._last > 1:
                self._came.wait_for(lambda: len(self._waiting) >= self._last, self._gather_s)
            group: list[_Ticket[Part, Answer]] = []
            size = 0
            while self._waiting and (not group or size + self._waiting[0].size <= self._most):
                group.append(self._waiting.popleft())
                size += group[-1].size
            self._last = len(group) or self._last
            return group

    def _lead(self, group: list[_Ticket[Part, Answer]]) -> None:
        try:
            for ticket, answer in zip(group, self._do([ticket.part for ticket in group]), strict=True):
                ticket.answer = answer
        except Exception as error:  # noqa: BLE001 (it goes to everyone who asked)
            for ticket in group:
                ticket.error = error
        finally:
            for ticket in group:
                ticket.done.set()
