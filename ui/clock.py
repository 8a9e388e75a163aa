"""The machine's clocks, as `kiosk.ports.Clock`."""

from datetime import UTC, datetime
from time import monotonic


class SystemClock:
    """Wall and monotonic clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()
