"""What is plugged in and not yet in the settings, as settings to paste (labgrid's `suggest` in spirit).

Asks PC/SC for readers, udev for serial ports, printers and keyboards on USB, CUPS for its queues; blocks for milliseconds.
What it cannot know it leaves to the person: whether a serial port is a scanner or a printer, a scanner's maker beyond what
its USB vendor id says, which printer prints slips, and how wide. A keyboard is suggested only when its maker or its name
says scanner: a grabbed keyboard types no more.
"""

import re
from collections.abc import Sequence

from smartcard import scard

from config.toml_text import quoted
from drivers.input_nodes import InputNode
from drivers.pcsc_service import establish
from drivers.reader_names import PhysicalReader, physical_readers
from drivers.usb_ports import UsbPort
from kiosk.ports import DeviceError

_MAKERS = {"0c2e": "honeywell", "05e0": "zebra", "05f9": "datalogic", "1eab": "newland"}
"""USB vendors of scanners."""
_SCANNER = re.compile(r"scan|bar ?code", re.IGNORECASE)


def pcsc_readers() -> tuple[str, ...]:
    """Names of all PC/SC readers now; none when the service is down, hangs, or does not let us in."""
    try:
        context = establish()
    except DeviceError:
        return ()
    try:
        code, names = scard.SCardListReaders(context, [])
        return tuple(names) if code == scard.SCARD_S_SUCCESS else ()
    finally:
        scard.SCardReleaseContext(context)


def suggestions(
    readers: Sequence[str], ports: Sequence[UsbPort], keyboards: Sequence[InputNode] = ()
) -> tuple[str, ...]:
    """One table of settings for each device, with what it is in a remark."""
    return (
        *map(_reader, physical_readers(readers)),
        *map(_port, ports),
        *map(_typing, (node for node in keyboards if node.vendor in _MAKERS or _SCANNER.search(node.model))),
    )


def printer_suggestions(printers: Sequence[UsbPort], queues: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The same for printers on USB and for queues, each queue with its device's address."""
    return (*map(_usb_printer, printers), *(_queue(name, address) for name, address in queues))


def _reader(reader: PhysicalReader) -> str:
    lines = [f"# card reader: {_remark(', '.join(reader.names))}"]
    if reader.by_number:
        lines += [
            "# one of several of its model without a serial number: only the order of plugging tells them apart, and it",
            '# changes. One entry whose pattern ends with "[0-9A-F]{2} [0-9A-F]{2}$" reads them all, each card once.',
        ]
    table = ["[[devices.readers]]", f"pattern = {quoted(reader.pattern)}"]
    if reader.spare:
        lines.append("# its slot for contact cards; only for a library's own chip cards (docs/devices.md):")
        return "\n".join([*lines, *(f"# {line}" for line in [*table, 'slot = "contact"'])])
    if reader.kind is None:
        table.append('slot = "contactless"  # or "contact": this reader\'s name does not say')
        if len(reader.names) > 1:
            lines.append(
                f"# {len(reader.names)} slots; for one of them alone end the pattern with its number, as in 00$"
            )
    return "\n".join([*lines, *table])


def _port(port: UsbPort) -> str:
    maker = _MAKERS.get(port.vendor)
    what = f"scanner, {maker}" if maker else "serial port: if it is a scanner"
    lines = [f"# {what}: {_remark(port.model)} ({port.path})", "[[devices.scanners]]", f"path = {quoted(port.stable)}"]
    if maker:
        lines.append(f'profile = "{maker}"')
    return "\n".join(lines)


def _usb_printer(printer: UsbPort) -> str:
    remark = f"# printer, if it prints slips: {_remark(printer.model)} ({printer.path})"
    return "\n".join([remark, "[[devices.printers]]", f"path = {quoted(printer.stable)}"])


def _queue(name: str, address: str) -> str:
    remark = f"# print queue, only where its printer cannot be reached itself: {_remark(_place(address))}"
    return "\n".join([remark, "[[devices.printers]]", f"queue = {quoted(name)}"])


def _place(address: str) -> str:
    """A device address without the user and password that it may hold."""
    return re.sub(r"(?<=://)[^/]*@", "", address)


def _typing(node: InputNode) -> str:
    lines = [f"# scanner that types: {_remark(node.model)}", "[[devices.scanners]]", f"path = {quoted(node.path)}"]
    return "\n".join(lines)


def _remark(text: str) -> str:
    return "".join(char for char in text if char.isprintable())
