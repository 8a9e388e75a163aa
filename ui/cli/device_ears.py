"""What the commands under `shelfpoint devices` share: the configured devices at work, and an ear for what they say."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import KioskSettings
from kiosk.ports import DeviceEvent, Event


class Heard:
    """A mailbox that keeps what devices say."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def post(self, event: Event) -> None:
        self._events.put(event)

    def next(self, seconds: float) -> DeviceEvent | None:
        """The next event of a device, or None after so many seconds."""
        try:
            event = self._events.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None
        return event if isinstance(event, DeviceEvent) else None


@contextmanager
def running(settings: KioskSettings) -> Iterator[Heard]:
    """All configured devices at work."""
    from drivers.catalog import build_devices

    heard = Heard()
    supervisor = build_devices(settings.devices, heard).supervisor
    supervisor.start()
    try:
        yield heard
    finally:
        supervisor.stop()
