"""Which printers of this machine stand behind the kernel's printer class driver (usblp), and on which USB device.

For settings that name a device and not a port, as `drivers.usb_ports` does for serial ports: /dev/usb/lp0 changes with
the order of plugging. udev notes no ids at these nodes, so they are read from the USB device above. No thread of its
own, blocks for milliseconds.
"""

from drivers.usb_ports import UsbPort

NODES = "/dev/usb/lp"
"""Where udev puts them."""


def usb_printers() -> tuple[UsbPort, ...]:
    """All printers of the USB printer class now, as sysfs knows them; those that are leaving are left out."""
    import pyudev

    found = []
    for device in pyudev.Context().list_devices(subsystem="usbmisc", sys_name="lp*"):
        above = device.find_parent("usb", "usb_device")
        if above is None or not device.device_node:
            continue

        def told(attribute: str, usb: pyudev.Device = above) -> str:
            value: bytes | None = usb.attributes.get(attribute)
            return (value or b"").decode("utf-8", errors="replace").strip()

        if told("idVendor") and told("idProduct"):
            port = UsbPort(
                path=str(device.device_node),
                vendor=told("idVendor").lower(),
                product=told("idProduct").lower(),
                serial=told("serial"),
                model=" ".join(filter(None, (told("manufacturer"), told("product")))),
                links=tuple(sorted(str(link) for link in device.device_links)),
            )
            found.append(port)
    return tuple(found)
