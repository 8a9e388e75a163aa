"""Keeps devices alive: one thread each, back-off after a loss, news only when something changed (L1).

A lost device is logged once and its return once. A bug of ours in a driver is logged with its traceback, shown as a
fault, and the driver is started again: one device's bug never stops the others.
"""

import threading
from collections.abc import Sequence

import structlog

from drivers.device import Device
from kiosk.ports import (
    DeviceChanged,
    DeviceError,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Mailbox,
)

log = structlog.get_logger(__name__)

BACK_OFF_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
STOP_S = 3.0
WAKE_S = 0.05

_FAULTS = frozenset(
    {
        DeviceReason.PAPER_OUT,
        DeviceReason.COVER_OPEN,
        DeviceReason.CUTTER,
        DeviceReason.HOT_HEAD,
        DeviceReason.PRINTER_ERROR,
        DeviceReason.SILENT,
        DeviceReason.HELD_BY_OTHER,
        DeviceReason.NO_PERMISSION,
    }
)


class Supervisor:
    """Runs devices until `stop`; `start` and `stop` belong to one thread."""

    def __init__(
        self,
        devices: Sequence[Device],
        mailbox: Mailbox,
        back_off_s: Sequence[float] = BACK_OFF_S,
        stop_s: float = STOP_S,
    ) -> None:
        self._devices = tuple(devices)
        self._mailbox = mailbox
        self._back_off_s = tuple(back_off_s)
        self._stop_s = stop_s
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def devices(self) -> tuple[Device, ...]:
        """Those it runs."""
        return self._devices

    def start(self) -> None:
        """Start every device's thread; each tells its state as soon as it knows it."""
        for device in self._devices:
            thread = threading.Thread(target=self._keep, args=(device,), name=f"device:{device.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End every thread; returns when they have ended, or after `stop_s`.

        Woken again and again: a wake-up between two waits of a driver is lost on some of them (SCardCancel). A thread
        that has not ended then waits inside a library for somebody else (a card's read in another program's
        transaction); it is named in the log and left behind. It is a daemon: it does not keep the process.
        """
        self._stop.set()
        for _ in range(max(1, round(self._stop_s / WAKE_S))):
            for device in self._devices:
                device.wake()
            for thread in self._threads:
                thread.join(timeout=WAKE_S / len(self._threads))
            if not any(thread.is_alive() for thread in self._threads):
                return
        for device, thread in zip(self._devices, self._threads, strict=True):
            if thread.is_alive():
                log.warning("a device did not stop in time and its thread is left behind", device=device.name)

    def _keep(self, device: Device) -> None:
        last: DeviceStatus | None = None
        failures = 0
        turn = threading.Lock()

        def report(status: DeviceStatus) -> None:
            nonlocal last, failures
            with turn:
                if status.state is DeviceState.READY:
                    failures = 0
                if status != last:
                    _tell(last, status)
                    last = status
                    self._mailbox.post(DeviceChanged(status))

        while not self._stop.is_set():
            try:
                device.run(self._stop, report)
            except DeviceError as error:
                state = DeviceState.FAULT if error.reason in _FAULTS else DeviceState.ABSENT
                report(
                    DeviceStatus(
                        device=device.name, kind=device.kind, state=state, reason=error.reason, detail=error.detail
                    )
                )
            except Exception:
                log.exception("a device driver has a bug and is started again", device=device.name)
                report(
                    DeviceStatus(
                        device=device.name, kind=device.kind, state=DeviceState.FAULT, detail="bug in the driver"
                    )
                )
            self._stop.wait(self._back_off_s[min(failures, len(self._back_off_s) - 1)])
            failures += 1


def _tell(before: DeviceStatus | None, now: DeviceStatus) -> None:
    """One line when a device is lost, one when it is back."""
    was_ready = before is not None and before.state is DeviceState.READY
    if now.state is DeviceState.READY and not was_ready:
        log.info("device ready", device=now.device, detail=now.detail)
    elif now.state is not DeviceState.READY and (was_ready or before is None):
        log.warning("device lost", device=now.device, reason=now.reason, detail=now.detail)
