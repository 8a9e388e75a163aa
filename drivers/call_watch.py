"""Looks at the clock while a call into PC/SC lasts, because PC/SC does not: a thread of its own, `<name>:watch`.

The thread that calls cannot say that it waits, and nothing ends the wait: SCardCancel ends SCardGetStatusChange only.
Another program that shares the reader may have begun a transaction (SCardBeginTransaction), until whose end our call
waits, however long; or pcscd hangs, and every call waits. So this thread is told of each call, and says when one is
overdue. It sleeps until a call has lasted too long, and costs a call two locks that nobody else wants.
"""

import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

READ_S = 1.0
"""Reading a card takes some milliseconds, a slow chip some hundred; what takes longer waits for somebody else."""
AGAIN_S = 3.0
"""A call that goes on is looked at again after so long: what keeps it may have changed."""


class CallWatch:
    """Used by the calling thread as a context around each call."""

    def __init__(self, name: str, overdue: Callable[[], object], limit_s: float = READ_S) -> None:
        self._overdue = overdue
        """Called for a call that is overdue, on the watching thread, now and then while it lasts; never after its end."""
        self._limit_s = limit_s
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
        """End the thread; returns at once, or after what `overdue` is just doing."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        looked_at: float | None = None
        again_s = 0.0
        with self._turn:
            while not self._closed:
                begun_s = self._begun_s
                if begun_s is None:
                    self._asleep = True
                    self._turn.wait()
                    self._asleep = False
                    continue
                due_s = again_s if begun_s == looked_at else begun_s + self._limit_s
                if (left_s := due_s - monotonic()) > 0:
                    self._turn.wait(left_s)
                else:
                    looked_at, again_s = begun_s, monotonic() + AGAIN_S
                    self._overdue()
