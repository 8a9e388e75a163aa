"""What the contracts of devices are run on: a driver, and whoever uses the device: a twin, or a person who is asked to."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import print_scheduler
import pytest
from contracts.camera_next_door import CameraNextDoor
from ears import Ears

from config.settings import KioskSettings, load
from drivers.apdu import Script
from drivers.camera import Camera
from drivers.card_reading import Slots
from drivers.catalog import build_devices
from drivers.device import Device
from drivers.input_scanner import InputScanner
from drivers.link import TcpDoor
from drivers.printer import Patience, SlipPrinter
from drivers.queue_printer import QueuePatience, QueuePrinter
from drivers.scanner import SerialScanner
from drivers.serial_link import SerialDoor
from drivers.slot_kind import SlotKind
from drivers.smartcard import CardReader
from drivers.ssi import DECODE_DATA, SCANNER, SsiFrames, packet
from drivers.usb_link import UsbDoor
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.keyboard_scanner import VirtualKeyboardScanner
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.serial_printer import VirtualSerialPrinter
from drivers.virtual.usb_printer import VirtualUsbPrinter
from drivers.virtual.video import CameraMissing, VirtualCamera, build
from kiosk.ports import DeviceKind

CONFIG = "SHELFPOINT_TEST_CONFIG"
"""Names the settings of the machine whose real devices are tried: pytest -m hardware -s tests/contracts."""


@dataclass(slots=True)
class Bench:
    """One device on the bench."""

    device: Device
    ears: Ears
    plug: Callable[[], None]
    unplug: Callable[[], None]
    use: Callable[[], None]
    """Lay a card, scan a label, hold one before the camera; nothing for a printer."""
    leave: Callable[[], None]
    """Take the card away."""
    patience_s: float = 10.0
    """How long the person, or the twin, may take."""
    close: Callable[[], None] = lambda: None
    """Clear the bench away."""


def reader(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, pad = Ears(), VirtualReader(pcscd.ports[0])
    device = CardReader("reader", "PICC 0", ears)
    card = VirtualCard(uid=bytes.fromhex("93A131C0"))
    return Bench(device, ears, lambda: pcscd.plug(0), lambda: pcscd.unplug(0), lambda: pad.lay(card), pad.take)


def contact_slot(folder: Path, pcscd: VirtualPcscd) -> Bench:
    """A slot for chips, with a library's script; the chip is a stranger to every other command."""
    ears, pad = Ears(), VirtualReader(pcscd.ports[0])
    choose, read = bytes.fromhex("00A4040005F000000001"), bytes.fromhex("00B0000008")
    script = Script(commands=(choose, read), length=8)
    device = CardReader("reader", "PICC 0", ears, Slots(SlotKind.CONTACT, script))
    answers = {choose: b"\x90\x00", read: b"00001234\x90\x00"}
    chip = VirtualCard(uid=b"", atr=bytes.fromhex("3B6800000073C84000009000"), answers=answers)
    return Bench(device, ears, lambda: pcscd.plug(0), lambda: pcscd.unplug(0), lambda: pad.lay(chip), pad.take)


def serial_scanner(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualScanner(folder / "scanner")
    twin.plug()
    device = SerialScanner("scanner", str(twin.link), 9600, ears)
    return Bench(device, ears, twin.plug, twin.unplug, lambda: twin.scan("C0000001"), _nothing)


def ssi_scanner(folder: Path, pcscd: VirtualPcscd) -> Bench:
    """The same line, with packets on it."""
    ears, twin = Ears(), VirtualScanner(folder / "scanner")
    twin.plug()
    device = SerialScanner("scanner", str(twin.link), 9600, ears, decoder=SsiFrames)
    code = packet(DECODE_DATA, b"\x03C0000001", SCANNER)
    return Bench(device, ears, twin.plug, twin.unplug, lambda: twin.noise(code), _nothing)


def keyboard_scanner(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualKeyboardScanner(folder / "keyboard")
    twin.plug()
    device = InputScanner("scanner", str(twin.path), ears, grab=_not_grabbed)
    return Bench(device, ears, twin.plug, twin.unplug, lambda: twin.scan("C0000001"), _nothing)


def network_printer(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualPrinter()
    device = SlipPrinter("printer", TcpDoor("127.0.0.1", twin.port), mailbox=ears, patience=Patience(poll_s=0.05))
    return Bench(device, ears, twin.plug, twin.unplug, _nothing, _nothing)


def serial_printer(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualSerialPrinter(folder / "printer")
    device = SlipPrinter("printer", SerialDoor(str(twin.link)), mailbox=ears, patience=Patience(poll_s=0.05))
    return Bench(device, ears, twin.plug, twin.unplug, _nothing, _nothing)


def usb_printer(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualUsbPrinter(folder / "lp0")
    door = UsbDoor("usb:0416:5011", printers=lambda: [twin.as_port()] if twin.link.exists() else [], ports=list)
    device = SlipPrinter("printer", door, mailbox=ears, patience=Patience(poll_s=0.05))
    return Bench(device, ears, twin.plug, twin.unplug, _nothing, _nothing)


def queue_printer(folder: Path, pcscd: VirtualPcscd) -> Bench:
    """A raw queue of a real CUPS scheduler; what can be plugged in and out here is the queue."""
    rest, ears = ExitStack(), Ears()
    cups, twin = rest.enter_context(print_scheduler.running()), rest.enter_context(VirtualPrinter())
    patch = rest.enter_context(pytest.MonkeyPatch.context())
    patch.setenv("CUPS_SERVER", cups.environment["CUPS_SERVER"])
    cups.add_queue("slips", twin.port)
    there = [True]

    def plug() -> None:
        if not there[0]:
            cups.add_queue("slips", twin.port)
            there[0] = True

    def unplug() -> None:
        if there[0]:
            cups.admin("lpadmin", "-x", "slips")
            there[0] = False

    patience = QueuePatience(watch_s=0.02, poll_s=0.05)
    device = QueuePrinter("printer", "slips", mailbox=ears, patience=patience)
    return Bench(device, ears, plug, unplug, _nothing, _nothing, 30.0, rest.close)


def camera(folder: Path, pcscd: VirtualPcscd) -> Bench:
    """The driver works in a process of its own, whose OpenCV sees the twin."""
    try:
        build()
    except CameraMissing as missing:
        pytest.skip(str(missing))
    ears, twin = Ears(), VirtualCamera(folder / "camera.sock")
    twin.plug()
    device = CameraNextDoor(twin, ears)
    show = partial(twin.show_code, "code128", "C0000001")
    return Bench(device, ears, twin.plug, twin.unplug, show, twin.show_nothing, 30.0)


def real(kind: DeviceKind) -> Bench:
    """The first real device of this kind in the named settings; a person is told what to do."""
    if CONFIG not in os.environ:
        pytest.skip(f"{CONFIG} names no settings")
    settings: KioskSettings = load(Path(os.environ[CONFIG]))
    ears = Ears()
    found = [device for device in build_devices(settings.devices, ears).supervisor.devices if device.kind is kind]
    if not found:
        pytest.skip(f"no {kind} in the settings")
    device = found[0]

    def please(what: str) -> Callable[[], None]:
        return lambda: print(f"\n>>> {device.name}: please {what}", flush=True)

    if isinstance(device, Camera):
        device.wanted(True)
    use = please(
        {
            DeviceKind.CARD_READER: "lay a card on it",
            DeviceKind.SCANNER: "scan a label of a book",
            DeviceKind.CAMERA: "hold a label of a book before it",
        }.get(kind, "wait")
    )
    return Bench(device, ears, please("plug it in"), please("unplug it"), use, please("take the card away"), 60.0)


def _not_grabbed(node: int) -> None:
    """A pipe cannot be."""


def _nothing() -> None:
    """There is nothing to do."""
