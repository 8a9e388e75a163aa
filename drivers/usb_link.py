"""Bytes to a printer of the USB printer class through the kernel's usblp driver, every call with a deadline.

usblp and not libusb (pyusb): the kernel's driver reads and writes, says who holds the printer, and needs no detaching,
no reset at every opening and no rule of our own for permissions (the group `lp` has them). libusb would add nothing but
printers whose firmware hides its class. All failures come out as DeviceError; one thread uses a link.

What is special (Linux drivers/usb/class/usblp.c; USB printer class 1.1): a write returns when the transfer is under
way, and the next one waits for it, so up to one piece of what counts as sent may still be on the cable, and is lost if
the link is closed. The printer may answer a read with nothing at all, which is no end. While it takes no data because
it is out of paper it does not hear DLE EOT either; its port status (LPGETSTATUS) comes another way and is asked then
(`fault`).
"""

import contextlib
import errno
import fcntl
import os
import select
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.link import ByteLink
from drivers.serial_link import SerialDoor, reason_of_port
from drivers.usb_ports import UsbPort, is_usb_name, port_of, usb_ports
from drivers.usb_printers import usb_printers
from kiosk.ports import DeviceError, DeviceReason

_PIECE = 4096
_PAUSE_S = 0.01
"""After an empty answer, which a printer may give as often as it is asked."""
_LPGETSTATUS = 0x060B
_PAPER_OUT, _NO_FAULT = 0x20, 0x08
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


@dataclass(frozen=True, slots=True)
class UsbDoor:
    """A printer on USB: its node, or its name wherever it is plugged in."""

    path: str
    """/dev/usb/lp0, or usb:VENDOR:PRODUCT[:SERIAL]."""
    baud: int = 9600
    """For a printer that turns out to be a serial port on USB."""
    handshake: bool = True
    """The same."""
    printers: Callable[[], Iterable[UsbPort]] = usb_printers
    """Who knows the printers that are plugged in."""
    ports: Callable[[], Iterable[UsbPort]] = usb_ports
    """Who knows the serial ports."""

    @property
    def address(self) -> str:
        return self.path

    def open(self, deadline_s: float) -> ByteLink:
        """Does not block; DeviceError NOT_PLUGGED, HELD_BY_OTHER or NO_PERMISSION."""
        if not is_usb_name(self.path):
            return UsbLink.open(self.path)
        printers = tuple(self.printers())
        path = port_of(self.path, (*printers, *self.ports()))
        if any(printer.path == path for printer in printers):
            return UsbLink.open(path)
        return SerialDoor(path, self.baud, self.handshake).open(deadline_s)


class UsbLink:
    """One open printer node; `close` when done, more than once does no harm."""

    bytes_per_s = None

    def __init__(self, node: int, path: str, status: Callable[[int], int | None]) -> None:
        self._node: int | None = node
        self._path = path
        self._status = status
        self.sent = 0
        """Bytes handed to the system since the node was opened."""

    @classmethod
    def open(cls, path: str, status: Callable[[int], int | None] | None = None) -> "UsbLink":
        """Does not block; DeviceError NOT_PLUGGED, HELD_BY_OTHER or NO_PERMISSION. `status` asks an open node."""
        try:
            node = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(reason_of_port(error), f"{path}: {error.strerror}") from error
        return cls(node, path, status or port_status)

    def read(self, deadline_s: float) -> bytes:
        """What has come, at least one byte; blocks up to `deadline_s`, then b"". DeviceError when it is unplugged."""
        ends = time.monotonic() + deadline_s
        while (events := self._events(select.POLLIN, ends)) & (select.POLLIN | _GONE):
            try:
                data = os.read(self._open(), _PIECE)
            except BlockingIOError:
                data = b""
            except OSError as error:
                raise self._failed(error) from error
            if data:
                return data
            if events & _GONE:
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
            time.sleep(_PAUSE_S)
        return b""

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hands all of it to the system; blocks up to `deadline_s`.

        DeviceError PAPER_OUT, PRINTER_ERROR or SILENT if the printer takes no more, NOT_PLUGGED if it is gone; `sent`
        counts what had left.
        """
        ends = time.monotonic() + deadline_s
        rest = memoryview(data)
        while rest:
            events = self._events(select.POLLOUT, ends)
            if events & _GONE:
                raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
            if not events:
                raise DeviceError(self.fault() or DeviceReason.SILENT, f"{self._path}: takes no data")
            try:
                count = os.write(self._open(), rest[:_PIECE])
            except BlockingIOError:
                time.sleep(_PAUSE_S)
                continue
            except OSError as error:
                raise self._failed(error) from error
            self.sent += count
            rest = rest[count:]

    def fault(self) -> DeviceReason | None:
        """What the port's status says; blocks up to the kernel's 5 seconds."""
        return reason_of_port_status(self._status(self._open()))

    def close(self, *, lost: bool = False) -> None:
        """Gives the node back; what is still on its way to the printer is lost."""
        node, self._node = self._node, None
        if node is not None:
            with contextlib.suppress(OSError):
                os.close(node)

    def _open(self) -> int:
        if self._node is None:
            raise DeviceError(DeviceReason.NOT_PLUGGED, f"{self._path}: closed")
        return self._node

    def _events(self, wanted: int, ends: float) -> int:
        """What poll tells of the node; 0 after `ends` (monotonic)."""
        poll = select.poll()
        poll.register(self._open(), wanted)
        told = poll.poll(max(0.0, ends - time.monotonic()) * 1000)
        return told[0][1] if told else 0

    def _failed(self, error: OSError) -> DeviceError:
        if error.errno == errno.EINVAL:
            return DeviceError(DeviceReason.SILENT, f"{self._path}: a printer of one way only, use a print queue")
        return DeviceError(reason_of_port(error), f"{self._path}: {error.strerror}")


def port_status(node: int) -> int | None:
    """LPGETSTATUS: the byte of a printer port, or None where the node has none. Blocks up to the kernel's 5 seconds."""
    try:
        answer = fcntl.ioctl(node, _LPGETSTATUS, bytes(4))
    except OSError:
        return None
    status: int = struct.unpack("=i", answer)[0]
    return status & 0xFF


def reason_of_port_status(status: int | None) -> DeviceReason | None:
    """What the byte of a printer port says; nothing where it is 0, as from printers that do not keep one."""
    if not status:
        return None
    if status & _PAPER_OUT:
        return DeviceReason.PAPER_OUT
    return None if status & _NO_FAULT else DeviceReason.PRINTER_ERROR
