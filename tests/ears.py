"""A mailbox that tests listen to, with deadlines instead of sleeps."""

import queue
from collections.abc import Callable

from kiosk.ports import Event


class Ears:
    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def post(self, event: Event) -> None:
        self._queue.put(event)

    def next(self, seconds: float = 10.0) -> Event:
        return self._queue.get(timeout=seconds)

    def waiting(self) -> bool:
        """Something was said that nobody has heard."""
        return not self._queue.empty()

    def until(self, wanted: Callable[[Event], bool], seconds: float = 10.0) -> Event:
        while not wanted(event := self.next(seconds)):
            pass
        return event
