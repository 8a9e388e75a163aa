"""How the kiosk is, for whoever asks: the heartbeat on its own thread, and a scrape on any other."""

from collections.abc import Callable
from datetime import datetime

from sync.wire import Health

HealthNow = Callable[[int, datetime | None], Health]


class Vitals:
    """How the kiosk is: for the heartbeat, with the outbox as just counted, and for a scrape, as last counted."""

    def __init__(self, health: HealthNow) -> None:
        self._health = health
        self._queue: tuple[int, datetime | None] | None = None

    def counted(self, waiting: int, oldest: datetime | None) -> Health:
        """On `sync-acts`, at each heartbeat and probe."""
        self._queue = waiting, oldest
        return self._health(waiting, oldest)

    def now(self) -> Health | None:
        """Any thread; None before the first count."""
        queue = self._queue
        return None if queue is None else self._health(*queue)
