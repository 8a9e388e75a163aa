"""Lights and beepers of the devices that cards and codes come from: one thread that asks them, and nobody who waits.

The station says how it went (`kiosk.ports.Signals`); the device that heard the card or code shows it, if it can. A
signal that is still waiting when the next one comes is dropped: a late beep would be taken for the next book's. A
failure is logged once for each device, until that device has signalled again; a beep is never worth a loan.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

import structlog

from drivers.reader_signals import NoSignal
from kiosk.ports import DeviceError, Sound

log = structlog.get_logger(__name__)

STOP_S = 2.0


class Signalling(Protocol):
    """A device that can show something, seen from here."""

    name: str
    """Its name in the configuration."""

    def show(self, source: str, *, taken: bool, stop: threading.Event) -> None:
        """Show that what came from `source` was taken, or that it was not; nothing when that is another device.

        May block for half a second. Raises NoSignal or DeviceError.
        """


class DeviceSignals:
    """The station's `Signals`; `start` and `stop` belong to one thread."""

    def __init__(self, devices: Sequence[Signalling]) -> None:
        self._devices = tuple(devices)
        self._failed: set[str] = set()
        self._turn = threading.Condition()
        self._next: tuple[str, bool] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="device-signals", daemon=True)

    def signal(self, device: str, sound: Sound) -> None:
        """Returns at once. A sound that asks for attention has no light: the screen says what to look at."""
        if sound is not Sound.ATTENTION:
            with self._turn:
                self._next = (device, sound is Sound.OK)
                self._turn.notify()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the signal under way is done, or after two seconds."""
        with self._turn:
            self._stop.set()
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)

    def _run(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._next is not None or self._stop.is_set())
                if self._next is None or self._stop.is_set():
                    return
                (source, taken), self._next = self._next, None
            for device in self._devices:
                self._show(device, source, taken)

    def _show(self, device: Signalling, source: str, taken: bool) -> None:
        try:
            device.show(source, taken=taken, stop=self._stop)
        except (NoSignal, DeviceError) as error:
            if device.name not in self._failed:
                self._failed.add(device.name)
                log.warning("a device cannot show its signals", device=device.name, detail=str(error))
        else:
            self._failed.discard(device.name)
