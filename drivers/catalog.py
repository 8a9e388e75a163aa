"""From configuration to drivers: which class serves which entry. A new kind of device touches one file and this one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.settings import BadSettings
from drivers.camera import Camera
from drivers.device import Device
from drivers.printer import SlipPrinter
from drivers.printer_profiles import PROFILES, Profile
from drivers.scanner import SerialScanner
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.viewfinder import Viewfinder
from kiosk.ports import DeviceReason, Mailbox, PrintEnded, Printer, PrintOutcome
from kiosk.slip import Slip


class ReaderEntry(Protocol):
    """A PC/SC reader in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def pattern(self) -> str: ...


class ScannerEntry(Protocol):
    """A serial scanner in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def baud(self) -> int: ...


class PrinterEntry(Protocol):
    """A network printer in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def profile(self) -> str: ...


class CameraEntry(Protocol):
    """A camera in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def device(self) -> str | int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def symbologies(self) -> Collection[str]: ...


class DeviceEntries(Protocol):
    """`config.settings.Devices`, seen from here."""

    @property
    def readers(self) -> Sequence[ReaderEntry]: ...
    @property
    def scanners(self) -> Sequence[ScannerEntry]: ...
    @property
    def printers(self) -> Sequence[PrinterEntry]: ...
    @property
    def cameras(self) -> Sequence[CameraEntry]: ...


class NoPrinter:
    """A kiosk without a printer: every job fails at once and says why."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def print_slip(self, job: str, slip: Slip) -> None:
        self._mailbox.post(PrintEnded(job, PrintOutcome.FAILED, DeviceReason.NOT_PLUGGED))


@dataclass(frozen=True, slots=True)
class DeviceSet:
    """All devices of a kiosk."""

    supervisor: Supervisor
    """Runs them."""
    printer: Printer
    """The first printer, or `NoPrinter`."""
    cameras: tuple[Camera, ...] = ()
    """Switched on while a screen wants codes (`Camera.wanted`)."""


def build_devices(entries: DeviceEntries, mailbox: Mailbox, viewfinder: Viewfinder | None = None) -> DeviceSet:
    """Drivers for everything configured; nothing is opened yet. Raises BadSettings for an unknown printer profile.

    `viewfinder` is given the first camera's pictures.
    """
    readers = [CardReader(entry.name, entry.pattern, mailbox) for entry in entries.readers]
    scanners = [SerialScanner(entry.name, entry.path, entry.baud, mailbox) for entry in entries.scanners]
    printers = [
        SlipPrinter(entry.name, entry.host, entry.port, _profile(entry), mailbox=mailbox) for entry in entries.printers
    ]
    cameras = tuple(
        Camera(
            entry.name,
            entry.device,
            (entry.width, entry.height),
            entry.symbologies,
            mailbox,
            viewfinder if number == 0 else None,
        )
        for number, entry in enumerate(entries.cameras)
    )
    devices: list[Device] = [*readers, *scanners, *printers, *cameras]
    return DeviceSet(Supervisor(devices, mailbox), printers[0] if printers else NoPrinter(mailbox), cameras)


def _profile(entry: PrinterEntry) -> Profile:
    if entry.profile not in PROFILES:
        known = ", ".join(PROFILES)
        raise BadSettings([f"printer {entry.name}: key profile: expected one of {known}, got {entry.profile!r}"])
    return PROFILES[entry.profile]
