"""What the contracts of devices are run on: a driver, and whoever uses the device: a twin, or a person who is asked to."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ears import Ears

from config.settings import KioskSettings, load
from drivers.catalog import build_devices
from drivers.device import Device
from drivers.input_scanner import InputScanner
from drivers.link import TcpDoor
from drivers.printer import Patience, SlipPrinter
from drivers.scanner import SerialScanner
from drivers.serial_link import SerialDoor
from drivers.smartcard import CardReader
from drivers.usb_link import UsbDoor
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.keyboard_scanner import VirtualKeyboardScanner
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.serial_printer import VirtualSerialPrinter
from drivers.virtual.usb_printer import VirtualUsbPrinter
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
    """Lay a card, scan a label; nothing for a printer."""
    leave: Callable[[], None]
    """Take the card away."""
    patience_s: float = 10.0
    """How long the person, or the twin, may take."""


def reader(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, pad = Ears(), VirtualReader(pcscd.ports[0])
    device = CardReader("reader", "PICC 0", ears)
    card = VirtualCard(uid=bytes.fromhex("93A131C0"))
    return Bench(device, ears, lambda: pcscd.plug(0), lambda: pcscd.unplug(0), lambda: pad.lay(card), pad.take)


def serial_scanner(folder: Path, pcscd: VirtualPcscd) -> Bench:
    ears, twin = Ears(), VirtualScanner(folder / "scanner")
    twin.plug()
    device = SerialScanner("scanner", str(twin.link), 9600, ears)
    return Bench(device, ears, twin.plug, twin.unplug, lambda: twin.scan("C0000001"), _nothing)


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

    use = please("lay a card on it" if kind is DeviceKind.CARD_READER else "scan a label of a book")
    return Bench(device, ears, please("plug it in"), please("unplug it"), use, please("take the card away"), 60.0)


def _not_grabbed(node: int) -> None:
    """A pipe cannot be."""


def _nothing() -> None:
    """There is nothing to do."""
