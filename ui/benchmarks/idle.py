"""What the device layer costs while nobody is there: processor time of its threads, as a share of one core.

Two virtual card readers behind a real pcscd, a scanner on a pty, a printer over TCP, a camera that is switched off;
all ready. Only the threads named `device:…` are counted: pcscd and the twins are no part of the kiosk. Measured in a
process of its own, because libpcsclite keeps to the first service that a process has found.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from drivers.camera import Camera
from drivers.device import Device
from drivers.link import TcpDoor
from drivers.printer import SlipPrinter
from drivers.scanner import SerialScanner
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from kiosk.ports import DeviceChanged, DeviceState
from kiosk.station import QueueMailbox
from ui.benchmarks.measure import Figure

SECONDS = 20
GOAL = 0.01
WAIT_S = 10.0


def idle_devices(folder: Path) -> Figure:
    """Blocks for some twenty seconds."""
    told = subprocess.run(
        [sys.executable, "-m", "ui.benchmarks.idle", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    a_second_ms = float(told.splitlines()[-1])
    return Figure(
        work="idle device layer, processor time a second",
        median_ms=a_second_ms,
        p99_ms=a_second_ms,
        runs=1,
        goal=f"< {GOAL:.0%} of one core",
        met=a_second_ms < GOAL * 1000,
        note=f"{a_second_ms / 1000:.3%} of one core over {SECONDS} s: two readers, scanner, printer, camera off",
    )


def measure_here(folder: Path) -> float:
    """Milliseconds of processor time a second, of the device threads of this process."""
    pcscd = VirtualPcscd(folder / "idle-pcscd", readers=2)
    pcscd.start()
    os.environ.update(pcscd.environment)
    scanner = VirtualScanner(folder / "idle-scanner")
    scanner.plug()
    mailbox = QueueMailbox()
    with VirtualPrinter() as printer:
        devices: list[Device] = [
            CardReader("reader", "Shelfpoint", mailbox),
            SerialScanner("scanner", str(scanner.link), 9600, mailbox),
            SlipPrinter("printer", TcpDoor("127.0.0.1", printer.port), mailbox=mailbox),
            Camera("camera", os.devnull, (1280, 720), {"code39"}, mailbox),  # off: only asked whether it is there
        ]
        supervisor = Supervisor(devices, mailbox)
        supervisor.start()
        try:
            _all_ready(mailbox, {device.name for device in devices})
            before = _spent()
            time.sleep(SECONDS)
            return (_spent() - before) * 1000 / SECONDS
        finally:
            supervisor.stop()
            scanner.unplug()
            pcscd.stop()


def _all_ready(mailbox: QueueMailbox, missing: set[str]) -> None:
    while missing:
        event = mailbox.take(WAIT_S)
        if event is None:
            raise AssertionError(f"not ready: {sorted(missing)}")
        if isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY:
            missing.discard(event.status.device)


def _spent() -> float:
    """Seconds of processor time of all device threads so far."""
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.name.startswith("device:") and thread.ident is not None
    )


if __name__ == "__main__":
    sys.stdout.write(f"{measure_here(Path(sys.argv[1]))}\n")
