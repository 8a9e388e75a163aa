"""The machine's clocks, as `kiosk.ports.Clock`."""

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """Wall and monotonic clock of this machine (Linux: the one that goes on while the machine sleeps)."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        return _boot()


@cache
def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()
