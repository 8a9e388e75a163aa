"""Which keyboards on USB may be scanners, by their stable names: for settings that are suggested, not for the kiosk.

Asks udev's records (sysfs) and opens nothing; no thread of its own, blocks for milliseconds.
"""

from dataclasses import dataclass

FOLDER = "/dev/input/by-id/"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputNode:
    """One keyboard."""

    path: str
    """A stable name that udev made."""
    vendor: str
    """Four lower-case hexadecimal digits."""
    model: str = ""
    """What it calls itself."""


def keyboards() -> tuple[InputNode, ...]:
    """All keyboards now that have a stable name."""
    import pyudev

    found = []
    for device in pyudev.Context().list_devices(subsystem="input", ID_INPUT_KEYBOARD="1"):
        about = device.properties
        links = sorted(link for link in map(str, device.device_links) if link.startswith(FOLDER))
        if links and str(device.device_node or "").startswith("/dev/input/event"):
            found.append(
                InputNode(
                    path=links[0],
                    vendor=str(about.get("ID_VENDOR_ID", "")).lower(),
                    model=str(about.get("ID_MODEL", "")).replace("_", " "),
                )
            )
    return tuple(found)
