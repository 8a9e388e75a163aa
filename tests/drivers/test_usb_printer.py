"""A printer on USB: found on a made-up bus by the real udev library, spoken to over a pty in the place of its node (L1)."""

import contextlib
import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st
from print_room import QUICK, SLIP, ended, is_now, running

from drivers.printer_probe import probe
from drivers.usb_link import UsbDoor, UsbLink, port_status, reason_of_port_status
from drivers.virtual.usb_printer import VirtualUsbPrinter
from kiosk.ports import DeviceError, DeviceReason, DeviceState, PrintEnded, PrintOutcome
from kiosk.slip import Line, Slip, SlipKind
from kiosk.words import Language

Called = subprocess.CompletedProcess[str]
BED = Path(__file__).resolve().parents[1] / "usb_printer_bed.py"
SHELFPOINT = Path(sys.executable).parent / "shelfpoint"
NAME = "usb:0416:5011:A1B2C3"
LONG = Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=tuple(Line("堃" * 24) for _ in range(40)))
"""All dots: some 70 kB, more than the buffers of printer and pty hold."""
BUS = """\
P: /devices/pci0000:00/0000:00:14.0/usb1
E: SUBSYSTEM=usb
E: DEVTYPE=usb_device
A: idVendor=1d6b
A: idProduct=0002

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2
E: SUBSYSTEM=usb
E: DEVTYPE=usb_device
A: idVendor=0416
A: idProduct=5011
A: serial=A1B2C3
A: manufacturer=STMicroelectronics
A: product=POS80 Printer USB

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0
E: SUBSYSTEM=usb
E: DEVTYPE=usb_interface
A: bInterfaceClass=07

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/usbmisc/lp0
N: usb/lp0
E: SUBSYSTEM=usbmisc
E: DEVNAME=/dev/usb/lp0
"""


def door_to(twin: VirtualUsbPrinter, path: str = NAME) -> UsbDoor:
    return UsbDoor(path, printers=lambda: [twin.as_port()] if twin.link.exists() else [], ports=list)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[VirtualUsbPrinter]:
    with VirtualUsbPrinter(tmp_path / "lp0") as printer:
        yield printer


def test_a_slip_is_printed_on_usb_and_confirmed(twin: VirtualUsbPrinter) -> None:
    with running(door_to(twin)) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)
    assert "第5行" in twin.wait_for_slip().text


def test_a_usb_printer_that_is_unplugged_is_told_and_comes_back(twin: VirtualUsbPrinter) -> None:
    with running(door_to(twin)) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        twin.unplug()
        ears.until(is_now(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_PLUGGED)
        twin.plug()
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


def test_switching_it_off_and_on_makes_the_node_anew_and_the_next_slip_prints(twin: VirtualUsbPrinter) -> None:
    with running(door_to(twin)) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        twin.power_cycle()
        ears.until(is_now(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED))
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)


def test_a_full_receive_buffer_holds_the_rest_back_until_paper_has_run(tmp_path: Path) -> None:
    with VirtualUsbPrinter(tmp_path / "lp0", buffer_bytes=4096, dots_per_s=1200.0) as twin:
        with running(door_to(twin), patience=replace(QUICK, send_s=30.0, job_s=60.0)) as (printer, ears):
            printer.print_slip("long", LONG)
            twin.wait_until(lambda: len(twin.waiting()) == 4096)
            while not twin.slips():
                twin.pass_time(0.5)
                assert len(twin.waiting()) <= 4096
            assert ended_while_paper_runs(twin, ears) == PrintEnded("long", PrintOutcome.PRINTED)
        assert twin.slips()[0].rasters == 40


def ended_while_paper_runs(twin: VirtualUsbPrinter, ears: Ears) -> PrintEnded:
    while True:
        twin.pass_time(1.0)
        with contextlib.suppress(queue.Empty):
            event = ears.until(lambda event: isinstance(event, PrintEnded), 0.02)
            assert isinstance(event, PrintEnded)
            return event


def test_a_printer_that_takes_no_more_is_given_up_at_the_deadline_and_prints_again_later(tmp_path: Path) -> None:
    with VirtualUsbPrinter(tmp_path / "lp0", buffer_bytes=4096) as twin:
        twin.paper_out_after(1)
        with running(door_to(twin), patience=replace(QUICK, send_s=0.2)) as (printer, ears):
            printer.print_slip("long", LONG)
            assert ended(ears) == PrintEnded("long", PrintOutcome.FAILED, DeviceReason.SILENT)
            twin.load_paper()
            ears.until(is_now(DeviceState.READY))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0x38, DeviceReason.PAPER_OUT),
        (0x10, DeviceReason.PRINTER_ERROR),
        (0x18, DeviceReason.SILENT),
        (0, DeviceReason.SILENT),
        (None, DeviceReason.SILENT),
    ],
)
def test_what_holds_it_up_is_asked_at_the_port(tmp_path: Path, status: int | None, reason: DeviceReason) -> None:
    with VirtualUsbPrinter(tmp_path / "lp0", buffer_bytes=4096) as twin:
        twin.open_cover()
        link = UsbLink.open(str(twin.link), lambda _: status)
        with pytest.raises(DeviceError) as told:
            link.write(bytes(100_000), 0.1)
        assert told.value.reason is reason
        assert 4096 <= link.sent < 100_000
        link.close()


def test_a_printer_out_of_paper_that_answers_nothing_is_called_out_of_paper(tmp_path: Path) -> None:
    with VirtualUsbPrinter(tmp_path / "lp0") as twin:
        twin.go_silent()
        door = StatusDoor(str(twin.link), 0x38)
        with running(door, patience=replace(QUICK, answer_s=0.1)) as (printer, ears):
            ears.until(is_now(DeviceState.FAULT, DeviceReason.PAPER_OUT))
            printer.print_slip("one", SLIP)
            assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)


@dataclass(frozen=True, slots=True)
class StatusDoor:
    """The twin's node, with a port whose status is this."""

    address: str
    status: int

    def open(self, deadline_s: float) -> UsbLink:
        return UsbLink.open(self.address, lambda _: self.status)


def test_a_pty_has_no_port_status(twin: VirtualUsbPrinter) -> None:
    node = os.open(twin.link, os.O_RDWR | os.O_NOCTTY)
    assert port_status(node) is None
    os.close(node)


@given(st.none() | st.integers(0, 255))
def test_every_port_status_is_read_as_a_fault_of_the_printer_or_none(status: int | None) -> None:
    assert reason_of_port_status(status) in (None, DeviceReason.PAPER_OUT, DeviceReason.PRINTER_ERROR)


def test_a_closed_or_missing_node_is_not_plugged(tmp_path: Path, twin: VirtualUsbPrinter) -> None:
    link = UsbLink.open(str(twin.link))
    link.close()
    link.close()
    for attempt in (lambda: link.read(0.1), lambda: link.write(b"1", 0.1), lambda: UsbLink.open(str(tmp_path / "lp9"))):
        with pytest.raises(DeviceError, match="not_plugged"):
            attempt()


def test_a_name_leads_to_a_printer_node_or_to_a_serial_port(twin: VirtualUsbPrinter) -> None:
    for door in (door_to(twin), replace(door_to(twin), printers=list, ports=lambda: [twin.as_port()])):
        link = door.open(1.0)
        assert isinstance(link, UsbLink) == (door.printers is not list)
        assert (probe(link, 1.0).confirms, link.sent > 0) == ("gs_h", True)
        link.close()
    with pytest.raises(DeviceError, match="not_plugged"):
        door_to(twin, "usb:ffff:0001").open(1.0)


HAS_BUS = (
    shutil.which("umockdev-wrapper")
    and not subprocess.run(
        ["/usr/bin/python3", "-c", "import gi; gi.require_version('UMockdev', '1.0')"], capture_output=True, check=False
    ).returncode
)
on_a_bus = pytest.mark.skipif(not HAS_BUS, reason="Debian: apt install umockdev gir1.2-umockdev-1.0 python3-gi")


def call(folder: Path, twin: VirtualUsbPrinter, *program: str | Path, status: int = 0x18) -> Called:
    """Runs a program on a machine with one USB printer: its node is the twin, its port says this status."""
    (folder / "bus").write_text(BUS)
    bed = ["umockdev-wrapper", "/usr/bin/python3", BED, folder / "bus", twin.link.resolve(), str(status)]
    return subprocess.run([*bed, *program], capture_output=True, text=True, check=False, timeout=60, env=os.environ)


@on_a_bus
def test_udev_finds_the_printer_behind_its_node(tmp_path: Path, twin: VirtualUsbPrinter) -> None:
    look = "from drivers.usb_printers import usb_printers; print(*usb_printers())"
    done = call(tmp_path, twin, sys.executable, "-c", look)
    assert "path='/dev/usb/lp0', vendor='0416', product='5011', serial='A1B2C3'" in done.stdout, done.stderr
    assert "model='STMicroelectronics POS80 Printer USB'" in done.stdout


SETTINGS = """
library_name = "青田市立圖書館"
branch = "main"
branch_name = "Main"
data = "data"
keys = "keys"
codes = [{ type = "item", pattern = "C[0-9]{7}" }]
devices = { readers = [], printers = [{ path = "usb:0416:5011" }] }
"""


@on_a_bus
def test_the_commands_find_probe_and_try_a_printer_on_usb(tmp_path: Path, twin: VirtualUsbPrinter) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    suggested = call(tmp_path, twin, SHELFPOINT, "devices", "suggest")
    assert 'path = "usb:0416:5011:A1B2C3"' in suggested.stdout, suggested.stderr
    probed = call(tmp_path, twin, SHELFPOINT, "devices", "probe", "printer", "--config", config)
    assert probed.stdout.splitlines()[-1:] == ['confirms = "gs_h"'], probed.stderr
    tested = call(tmp_path, twin, SHELFPOINT, "devices", "test", "printer", "--config", config)
    assert (tested.returncode, tested.stdout) == (0, "Printed.\n"), tested.stderr
    assert twin.wait_for_slip().codes == ("C0000123", "青田市立圖書館 C0000123")


STUFF = """
from drivers.usb_link import UsbDoor
from kiosk.ports import DeviceError

link = UsbDoor("usb:0416:5011").open(1.0)
try:
    link.write(bytes(100_000), 0.2)
except DeviceError as error:
    print(error.reason)
"""


@on_a_bus
@pytest.mark.parametrize(("status", "reason"), [(0x38, "paper_out"), (0x10, "printer_error"), (0x18, "silent")])
def test_a_printer_that_takes_no_more_is_asked_for_its_port_status(tmp_path: Path, status: int, reason: str) -> None:
    with VirtualUsbPrinter(tmp_path / "lp0", buffer_bytes=4096) as twin:
        twin.open_cover()
        done = call(tmp_path, twin, sys.executable, "-c", STUFF, status=status)
    assert done.stdout == f"{reason}\n", done.stderr
