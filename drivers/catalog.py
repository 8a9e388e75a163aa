"""From configuration to drivers: which class serves which entry. A new kind of device touches one file and this one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from config.settings import BadSettings
from drivers.apdu import Script
from drivers.camera import Camera
from drivers.card_reading import Slots
from drivers.device import Device
from drivers.frames import Ends, Frames
from drivers.input_scanner import FOLDER, InputScanner
from drivers.link import Door, TcpDoor
from drivers.printer import SlipPrinter
from drivers.printer_models import CELL_DOTS
from drivers.printer_profiles import PROFILES, CodePage, Confirms, Profile, near_names, profile_called
from drivers.queue_printer import QueuePrinter
from drivers.scanner import SerialScanner
from drivers.scanner_profiles import SCANNER_PROFILES, ScannerProfile
from drivers.serial_link import SerialDoor
from drivers.signals import DeviceSignals
from drivers.slot_kind import SlotKind
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.usb_link import UsbDoor
from drivers.usb_ports import USB, is_usb_name
from drivers.usb_printers import NODES
from drivers.viewfinder import Viewfinder
from drivers.wedge import GAP_S
from kiosk.ports import DeviceReason, Mailbox, PrintEnded, Printer, PrintOutcome
from kiosk.slip import Slip


class ScriptEntry(Protocol):
    """How a contact card is read, in the settings."""

    @property
    def commands(self) -> Sequence[str]: ...
    @property
    def start(self) -> int: ...
    @property
    def length(self) -> int: ...


class ReaderEntry(Protocol):
    """A PC/SC reader in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def slot(self) -> str: ...
    @property
    def contact(self) -> ScriptEntry | None: ...
    @property
    def signals(self) -> str: ...


class ScannerEntry(Protocol):
    """A serial scanner in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def baud(self) -> int | None: ...
    @property
    def profile(self) -> str: ...
    @property
    def ends(self) -> str: ...
    @property
    def key_gap_ms(self) -> int | None: ...
    @property
    def repeats(self) -> bool: ...
    @property
    def repeat_s(self) -> float: ...
    @property
    def trigger(self) -> bool: ...
    @property
    def trigger_on(self) -> str | None: ...
    @property
    def trigger_off(self) -> str | None: ...
    @property
    def signals(self) -> bool: ...
    @property
    def beep(self) -> str | None: ...
    @property
    def beep_refused(self) -> str | None: ...


class PrinterEntry(Protocol):
    """A printer in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def baud(self) -> int: ...
    @property
    def handshake(self) -> bool: ...
    @property
    def profile(self) -> str: ...
    @property
    def confirms(self) -> Confirms | None: ...
    @property
    def width_dots(self) -> int | None: ...
    @property
    def columns(self) -> int | None: ...
    @property
    def cjk(self) -> CodePage | None: ...
    @property
    def cutter(self) -> bool | None: ...
    @property
    def native_qr(self) -> bool | None: ...
    @property
    def near_end(self) -> bool | None: ...
    @property
    def news(self) -> bool | None: ...


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
    @property
    def lengths(self) -> Mapping[str, Collection[int]]: ...


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
    signals: DeviceSignals
    """Lights and beepers of readers and scanners."""
    looking: tuple[Camera | SerialScanner, ...] = ()
    """Cameras, and scanners whose trigger the kiosk pulls: switched on while a screen wants codes (`wanted`)."""


def build_devices(entries: DeviceEntries, mailbox: Mailbox, viewfinder: Viewfinder | None = None) -> DeviceSet:
    """Drivers for everything configured; nothing is opened yet. Raises BadSettings for an unknown printer profile.

    `viewfinder` is given the first camera's pictures.
    """
    readers = [
        CardReader(entry.name, entry.pattern, mailbox, slots_of(entry), entry.signals) for entry in entries.readers
    ]
    scanners = [scanner(entry, mailbox) for entry in entries.scanners]
    serial = [device for device in scanners if isinstance(device, SerialScanner)]
    printers = [slip_printer(entry, mailbox) for entry in entries.printers]
    cameras = tuple(
        Camera(
            entry.name,
            entry.device,
            (entry.width, entry.height),
            entry.symbologies,
            mailbox,
            viewfinder if number == 0 else None,
            entry.lengths,
        )
        for number, entry in enumerate(entries.cameras)
    )
    devices: list[Device] = [*readers, *scanners, *printers, *cameras]
    return DeviceSet(
        Supervisor(devices, mailbox),
        printers[0] if printers else NoPrinter(mailbox),
        DeviceSignals([*readers, *serial]),
        (*cameras, *serial),
    )


def slots_of(entry: ReaderEntry) -> Slots:
    """How this reader's slots are used."""
    script = entry.contact
    return Slots(
        None if entry.slot == "auto" else SlotKind(entry.slot),
        None
        if script is None
        else Script(
            commands=tuple(bytes.fromhex(command) for command in script.commands),
            start=script.start,
            length=script.length,
        ),
    )


def printer_profile(entry: PrinterEntry) -> Profile:
    """The family or model with what the settings say otherwise. BadSettings for a name nobody knows, or too many columns."""
    profile = profile_called(entry.profile)
    if profile is None:
        known = " or ".join(near_names(entry.profile)) or f"one of {', '.join(PROFILES)}"
        raise _bad_printer(
            entry, "profile", f"{known} ('shelfpoint devices printers' lists all names)", repr(entry.profile)
        )
    width = profile.width_dots if entry.width_dots is None else entry.width_dots
    columns = entry.columns
    if columns is None and entry.width_dots is not None:
        columns = width // CELL_DOTS
    if columns is not None and columns * CELL_DOTS > width:
        raise _bad_printer(entry, "columns", f"at most {width // CELL_DOTS} on {width} dots", str(columns))
    told: dict[str, Any] = {
        "width_dots": width,
        "columns": columns,
        "cjk": entry.cjk,
        "cutter": entry.cutter,
        "native_qr": entry.native_qr,
        "confirms": entry.confirms,
        "near_end": entry.near_end,
        "news": entry.news,
    }
    return replace(profile, **{key: value for key, value in told.items() if value is not None})


def _bad_printer(entry: PrinterEntry, key: str, expected: str, got: str) -> BadSettings:
    return BadSettings([f"printer {entry.name}: key {key}: expected {expected}, got {got}"])


def scanner_profile(entry: ScannerEntry) -> ScannerProfile:
    """The maker's habits with what the settings say otherwise."""
    profile = SCANNER_PROFILES[entry.profile]

    def or_own(text: str | None, own: bytes) -> bytes:
        return own if text is None else bytes.fromhex(text)

    return replace(
        profile,
        baud=profile.baud if entry.baud is None else entry.baud,
        trigger_on=or_own(entry.trigger_on, profile.trigger_on),
        trigger_off=or_own(entry.trigger_off, profile.trigger_off),
        beep=or_own(entry.beep, profile.beep),
        beep_refused=or_own(entry.beep_refused, profile.beep_refused),
        decoder=partial(Frames, Ends(entry.ends)) if profile.decoder is Frames else profile.decoder,
    )


def scanner(entry: ScannerEntry, mailbox: Mailbox) -> SerialScanner | InputScanner:
    """The driver of this scanner: on a serial port, or one that types. BadSettings for a trigger that has no command."""
    repeat_s = entry.repeat_s if entry.repeats or entry.trigger else 0.0
    if entry.path.startswith(FOLDER):
        key_gap_s = GAP_S if entry.key_gap_ms is None else entry.key_gap_ms / 1000
        return InputScanner(entry.name, entry.path, mailbox, repeat_s=repeat_s, key_gap_s=key_gap_s)
    profile = scanner_profile(entry)
    if entry.trigger and not profile.trigger_on:
        able = ", ".join(name for name, known in SCANNER_PROFILES.items() if known.trigger_on)
        raise BadSettings(
            [
                f"scanner {entry.name}: key trigger: expected a profile with a trigger ({able}) or trigger_on, got {entry.profile!r}"
            ]
        )
    return SerialScanner(
        entry.name,
        entry.path,
        profile.baud,
        mailbox,
        repeat_s=repeat_s,
        taken=profile.beep if entry.signals else b"",
        refused=profile.beep_refused if entry.signals else b"",
        trigger=(profile.trigger_on, profile.trigger_off) if entry.trigger else (b"", b""),
        decoder=profile.decoder,
    )


def slip_printer(entry: PrinterEntry, mailbox: Mailbox) -> SlipPrinter | QueuePrinter:
    """The driver of this printer; raises BadSettings for an unknown profile."""
    if entry.queue:
        return QueuePrinter(entry.name, entry.queue, printer_profile(entry), mailbox=mailbox)
    return SlipPrinter(entry.name, door_of(entry), printer_profile(entry), mailbox=mailbox)


def door_of(entry: PrinterEntry) -> Door:
    """Where this printer is; one behind a queue has no door. Raises BadSettings for a name that is none."""
    if entry.path.startswith(USB) and not is_usb_name(entry.path):
        form = "usb:VENDOR:PRODUCT or usb:VENDOR:PRODUCT:SERIAL, ids of four hexadecimal digits"
        raise BadSettings([f"printer {entry.name}: key path: expected {form}, got {entry.path!r}"])
    if entry.path.startswith(NODES) or is_usb_name(entry.path):
        return UsbDoor(entry.path, entry.baud, entry.handshake)
    return SerialDoor(entry.path, entry.baud, entry.handshake) if entry.path else TcpDoor(entry.host, entry.port)
