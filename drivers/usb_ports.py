"""Which serial ports of this machine belong to which USB device: for settings that name a device and not a port.

A port's name (/dev/ttyACM0) changes with the order of plugging; vendor, product and serial number of the device do not.
Where a scanner has no serial number, two of one model cannot be told apart: then the port has to be named by its place
(/dev/serial/by-path/…). Reads udev's records (sysfs); no thread of its own, blocks for milliseconds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.ports import DeviceError, DeviceReason

USB = "usb:"
"""Begins a path that names a device instead of a port: usb:VENDOR:PRODUCT or usb:VENDOR:PRODUCT:SERIAL."""
_ID = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbPort:
    """A serial port on USB."""

    path: str
    """Device node of today."""
    vendor: str
    """Four lower-case hexadecimal digits."""
    product: str
    """The same."""
    serial: str = ""
    """Empty where the device has none."""
    model: str = ""
    """What it calls itself."""
    links: tuple[str, ...] = ()
    """Stable names that udev made."""

    @property
    def stable(self) -> str:
        """What to write into the settings."""
        by_id = [link for link in self.links if link.startswith("/dev/serial/by-id/")]
        if by_id:
            return by_id[0]
        return f"{USB}{self.vendor}:{self.product}" + (f":{self.serial}" if self.serial else "")


def usb_ports() -> tuple[UsbPort, ...]:
    """All serial ports on USB now, as udev knows them."""
    import pyudev

    found = []
    for device in pyudev.Context().list_devices(subsystem="tty"):
        about = device.properties
        if device.device_node and about.get("ID_VENDOR_ID") and about.get("ID_MODEL_ID"):
            port = UsbPort(
                path=str(device.device_node),
                vendor=str(about["ID_VENDOR_ID"]).lower(),
                product=str(about["ID_MODEL_ID"]).lower(),
                serial=str(about.get("ID_SERIAL_SHORT", "")),
                model=str(about.get("ID_MODEL", "")).replace("_", " "),
                links=tuple(sorted(str(link) for link in device.device_links)),
            )
            found.append(port)
    return tuple(found)


def is_usb_name(path: str) -> bool:
    """A well-formed name of a device."""
    return _ID.fullmatch(path) is not None


def port_of(path: str, ports: Iterable[UsbPort]) -> str:
    """The port to open. DeviceError NOT_PLUGGED while not exactly one such device is there."""
    name = _ID.fullmatch(path)
    if name is None:
        return path
    vendor, product, serial = name[1].lower(), name[2].lower(), name[3]
    found = [
        port.path
        for port in ports
        if (port.vendor, port.product) == (vendor, product) and serial in (None, port.serial)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceError(
            DeviceReason.NOT_PLUGGED, f"{path}: {len(found)} devices answer to it; name its serial number"
        )
    raise DeviceError(DeviceReason.NOT_PLUGGED, path)
