"""Last byte of a barcode → `CodeRead` in the mailbox, over a pty; against a bare blocking read of the same pty.

A pty takes no time for a byte: what is measured is the driver, not the line. The silence that it waits for after a
terminator (`SETTLE_S`) is no work and is taken off.
"""

import threading
from pathlib import Path
from time import perf_counter

from drivers.frames import SETTLE_S
from drivers.scanner import SerialScanner
from drivers.supervisor import Supervisor
from drivers.virtual.scanner import VirtualScanner
from kiosk.ports import CodeRead, DeviceChanged, DeviceState
from kiosk.station import QueueMailbox
from ui.benchmarks.measure import Figure, median, p99

WAIT_S = 10.0


def byte_to_event(folder: Path, runs: int) -> Figure:
    """For the driver and for the bare loop."""
    twin = VirtualScanner(folder / "scanner")
    twin.plug()
    try:
        samples = _driver(twin, runs)
    finally:
        twin.unplug()
    twin.plug()
    try:
        floors = _bare(twin, runs)
    finally:
        twin.unplug()
    return Figure(
        work="last byte of a barcode and 20 ms of silence → event in the mailbox",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        floor="bare blocking read of the same pty",
        floor_ms=median(floors),
    )


def _driver(twin: VirtualScanner, runs: int) -> list[float]:
    mailbox = QueueMailbox()
    supervisor = Supervisor([SerialScanner("scanner", str(twin.link), 9600, mailbox)], mailbox)
    supervisor.start()
    samples: list[float] = []
    try:
        while True:
            event = mailbox.take(WAIT_S)
            if isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY:
                break
        for run in range(runs):
            twin.noise(f"C{run:07}".encode())
            begun = perf_counter()
            twin.noise(b"\r")
            heard = mailbox.take(WAIT_S)
            samples.append((perf_counter() - begun - SETTLE_S) * 1000)
            if heard != CodeRead("scanner", f"C{run:07}", None):
                raise AssertionError(f"the scanner said {heard!r}")
    finally:
        supervisor.stop()
    return samples


def _bare(twin: VirtualScanner, runs: int) -> list[float]:
    samples: list[float] = []
    heard = threading.Semaphore(0)

    def read() -> None:
        with twin.link.open("rb", buffering=0) as port:
            for _ in range(runs):
                port.read(1)
                heard.release()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    for _ in range(runs):
        begun = perf_counter()
        twin.noise(b"\r")
        if not heard.acquire(timeout=WAIT_S):
            raise AssertionError("the bare loop heard nothing")
        samples.append((perf_counter() - begun) * 1000)
    thread.join(WAIT_S)
    return samples
