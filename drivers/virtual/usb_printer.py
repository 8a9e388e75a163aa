"""The virtual slip printer as a USB printer: the far end of a raw pty stands in for the node /dev/usb/lp0.

The driver opens, polls, reads and writes it as it would the kernel's printer class driver (usblp); a full receive
buffer blocks it as a printer that answers NAK would.

Not modelled: answers of no bytes, transfers that count as written while they are still on the cable, the refusal of a
second opener, a bus reset in the middle of a job. A pty has no port status (LPGETSTATUS) and no place in sysfs: tests give
it both on a made-up bus (umockdev).
"""

from drivers.usb_ports import UsbPort
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.serial_printer import VirtualSerialPrinter


class VirtualUsbPrinter(VirtualSerialPrinter):
    """A USB printer whose node is `link`."""

    def as_port(self) -> UsbPort:
        """How the system would name it."""
        return UsbPort(path=str(self.link), vendor="0416", product="5011", serial="A1B2C3", model="POS80")

    def power_cycle(self) -> None:
        """Off and on again: the node goes and comes back."""
        VirtualPrinter.power_cycle(self)
