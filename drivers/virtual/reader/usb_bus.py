"""A made-up USB bus for a real pcscd: card readers that are plugged in and pulled out (umockdev).

Not a module of the program: run by the system's Python (its `gi` comes from the distribution) under umockdev-wrapper,
which lets pcscd's libudev see this bus instead of the machine's. Arguments: the command of pcscd. Lines on the standard
input: `plug N` and `unplug N`, N from 1 to 15; each is answered by `ok` once the bus has told it. Ends with its input.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import gi  # type: ignore[import-not-found]  # of the distribution, not of the project

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # type: ignore[import-not-found]  # noqa: E402 -- after its version was chosen

VENDOR, PRODUCT = "072f", "2200"
"""The ACR122U: the virtual driver claims it, so the reader has its name."""


class Bus:
    """Devices by their number."""

    def __init__(self) -> None:
        self._bed = UMockdev.Testbed.new()
        self._there: dict[int, tuple[Any, Any]] = {}

    def plug(self, number: int) -> None:
        """A reader appears; nothing happens when it is there."""
        if number in self._there:
            return
        device = self._bed.add_device(
            "usb",
            f"usb1-{number}",
            None,
            [
                "idVendor",
                VENDOR,
                "idProduct",
                PRODUCT,
                "busnum",
                "1",
                "devnum",
                str(number),
                "serial",
                f"SN{number:04}",
            ],
            [
                *("DEVTYPE", "usb_device", "DEVNAME", f"/dev/bus/usb/001/{number:03}"),
                *("BUSNUM", "001", "DEVNUM", f"{number:03}", "PRODUCT", "72f/2200/100"),
            ],
        )
        interface = self._bed.add_device(
            "usb",
            f"1-{number}:1.0",
            device,
            ["bInterfaceClass", "0b", "bInterfaceNumber", "00"],
            ["DEVTYPE", "usb_interface", "INTERFACE", "11/0/0"],
        )
        self._bed.uevent(interface, "add")
        self._there[number] = device, interface

    def unplug(self, number: int) -> None:
        """It is pulled out; nothing happens when it is not there."""
        device, interface = self._there.pop(number, (None, None))
        if device is not None:
            self._bed.uevent(interface, "remove")
            self._bed.remove_device(interface)
            self._bed.remove_device(device)


def main(command: Sequence[str]) -> int:
    """Serve until the input ends or pcscd does not start; its words go to our standard error."""
    bus = Bus()
    daemon = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], stdout=sys.stderr)  # it ends with us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for line in sys.stdin:
            order, number = line.split()
            {"plug": bus.plug, "unplug": bus.unplug}[order](int(number))
            sys.stdout.write("ok\n")
            sys.stdout.flush()
    finally:
        daemon.terminate()
        daemon.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
