"""Looks at the clock while a card is read, because PC/SC does not: a thread of its own, `<name>:watch`, for each run.

Another program that shares the reader may have begun a transaction (SCardBeginTransaction). pcsc-lite then makes our
call wait inside its library until that transaction ends, however long, and nothing ends the wait: SCardCancel ends
SCardGetStatusChange only. So the thread that reads cannot say that it waits; this one says it. It is asleep unless a
card was read within the last second, and costs a read two locks that nobody else wants.
"""

import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

READ_S = 1.0
"""Reading a card takes some milliseconds, a slow chip some hundred; what takes longer waits for somebody else."""


class ReadWatch:
    """Used by the reading thread as a context around each read."""

    def __init__(self, name: str, overdue: Callable[[], None], read_s: float = READ_S) -> None:
        self._overdue = overdue
        """Called once for a read that is overdue, on the watching thread; never after that read has ended."""
        self._read_s = read_s
        self._turn = threading.Condition()
        self._begun_s: float | None = None
        self._asleep = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"device:{name}:watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        with self._turn:
            self._begun_s = monotonic()
            if self._asleep:
                self._turn.notify()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._turn:
            self._begun_s = None

    def close(self) -> None:
        """End the thread; returns at once."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        told: float | None = None
        with self._turn:
            while not self._closed:
                begun_s = self._begun_s
                if begun_s is None or begun_s == told:
                    self._asleep = True
                    self._turn.wait()
                    self._asleep = False
                elif (left_s := begun_s + self._read_s - monotonic()) > 0:
                    self._turn.wait(left_s)
                else:
                    told = begun_s
                    self._overdue()
