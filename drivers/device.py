"""The narrow waist: what every device driver offers its supervisor (python-can's Bus, labgrid's drivers in spirit).

A driver is a plain object, not a thread: the supervisor gives it one, named `device:<name>`, which owns the handle.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from kiosk.ports import DeviceKind, DeviceStatus

Report = Callable[[DeviceStatus], None]
"""Tells how the device is now; any thread. The supervisor passes on only what changed."""


class Device(Protocol):
    """A device that comes and goes."""

    name: str
    """Its name in the configuration."""
    kind: DeviceKind
    """What it is."""

    def run(self, stop: threading.Event, report: Report) -> None:
        """Find, open and serve the device until `stop` is set (return) or it is lost (raise DeviceError).

        Reports READY when it works. The supervisor waits a little after a DeviceError and calls again.
        """

    def wake(self) -> None:
        """Make a blocked `run` look at `stop` at once; any thread."""
