"""What `shelfpoint doctor` looks at on the machine itself, besides this program: other services, rights, the way to central.

Owns the findings that need no Shelfpoint database: programs that take serial ports away, whether this account may open
the devices and talk to pcscd, readers that two entries match, how a kiosk reaches central, and what seals its keys. Called
by `ui.cli.doctor`. Reads /proc, sysfs and the settings; asks PC/SC once; blocks for milliseconds.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosk.ports import DeviceError, DeviceReason

if TYPE_CHECKING:
    from config.settings import KioskSettings, Reader

_GRABBERS = {
    "ModemManager": "it tries every new serial port as a modem and garbles scanners: apt-get purge modemmanager",
    "brltty": "it takes many USB serial adapters for Braille displays: apt-get purge brltty",
}
_PROGRAMS = ("usr/sbin", "usr/bin", "bin", "sbin")
_GROUPS = {
    "/dev/tty": "dialout",
    "/dev/serial/": "dialout",
    "/dev/input/": "input",
    "/dev/video": "video",
    "/dev/v4l/": "video",
    "/dev/usb/lp": "lp",
}
"""Whose devices begin so, on Debian and Ubuntu."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """In a few words."""
    well: bool
    """No need to act."""
    detail: str
    """What was found, and what to do when it is not well."""


def grabbers(root: Path = Path("/")) -> Iterator[Finding]:
    """Programs that take serial ports away from scanners, running or only installed."""
    running = {name for name in map(_process_name, (root / "proc").glob("[0-9]*/comm")) if name}
    for name, why in _GRABBERS.items():
        if name in running:
            yield Finding(name, False, f"it runs; {why}")
        elif any((root / folder / name).exists() for folder in _PROGRAMS):
            yield Finding(name, False, f"it is installed and starts with the next device; {why}")
        else:
            yield Finding(name, True, "not here")


def _process_name(comm: Path) -> str:
    try:
        return comm.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it ended between the list and the look
        return ""


def card_service() -> Finding:
    """Whether this account reaches pcscd."""
    what = "card reader service"
    try:
        from drivers.pcsc_service import ask
    except ModuleNotFoundError:
        return Finding(what, True, "not asked: this installation has no part for devices")
    try:
        ask()
    except DeviceError as error:
        if error.reason is DeviceReason.NO_PERMISSION:
            rule = "install deploy/polkit-pcscd.rules as /etc/polkit-1/rules.d/50-shelfpoint-pcscd.rules"
            return Finding(what, False, f"pcscd does not let this account in ({error.detail}; 8010006A): {rule}")
        return Finding(what, False, f"{error.detail}; start pcscd, or the kiosk runs without a card reader")
    return Finding(what, True, "pcscd answers")


def seal(chip: Path = Path("/dev/tpmrm0")) -> Finding:
    """What a stolen disk tells, said once and plainly."""
    if chip.exists():
        return Finding("security chip", True, "a TPM can seal the keys (deploy/README.md)")
    return Finding(
        "security chip",
        True,
        "no TPM here: whoever has a copy of this disk has the index key beside the records, and finds the barcodes of all held cards "
        "within a second by trying the numbers. Take a machine with a TPM first; else encrypt the disk",
    )


def way_to_central(url: str) -> Finding:
    """Plain HTTP may only stay on this machine."""
    parts = urlsplit(url)
    well = parts.scheme == "https" or _is_here(parts.hostname or "")
    advice = "" if well else (
        ": plain http leaves this machine; who listens on the line reads patrons' numbers. Put nginx with TLS before central "
        "(deploy/nginx-central.conf) and enrol with the https address"
    )  # fmt: skip
    return Finding("way to central", well, f"{url}{advice}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _opens(path: str) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def may_open(settings: "KioskSettings", opens: Callable[[str], bool] = _opens) -> Iterator[Finding]:
    """Configured devices that are there and that this account may not open."""
    devices = settings.devices
    places = [
        *((entry.name, entry.path) for entry in devices.scanners),
        *((entry.name, entry.path) for entry in devices.printers if entry.path),
        *(
            (entry.name, f"/dev/video{entry.device}" if isinstance(entry.device, int) else entry.device)
            for entry in devices.cameras
        ),
    ]
    for name, path in places:
        if path.startswith("/") and Path(path).exists() and not opens(path):
            group = next((group for start, group in _GROUPS.items() if path.startswith(start)), "of that file")
            yield Finding(
                f"rights on {name}",
                False,
                f"this account may not open {path}: usermod -a -G {group} kiosk, and start the kiosk anew",
            )


def doubled_readers(entries: Sequence["Reader"], names: Iterable[str]) -> Iterator[Finding]:
    """Readers that several entries match: each card would count as often."""
    for name in names:
        matching = [entry.name for entry in entries if re.search(entry.pattern, name)]
        if len(matching) > 1:
            yield Finding(
                f"card reader {name}", False,
                f"{' and '.join(matching)} match it, so each card counts {len(matching)} times; 'shelfpoint devices suggest' prints "
                "patterns that fit one reader each",
            )  # fmt: skip
