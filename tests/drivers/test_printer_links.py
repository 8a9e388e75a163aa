"""A slip printer on a serial line, its own echo as confirmation, its news, and what a probe finds out (A8, L1, L3)."""

import contextlib
import os
import pty
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from ears import Ears
from print_room import QUICK, SLIP, ended, is_now, running

from config.settings import Printer
from drivers.catalog import slip_printer
from drivers.escpos import MARK
from drivers.link import TcpDoor
from drivers.printer_probe import probe
from drivers.printer_profiles import DEFAULT_PROFILE
from drivers.serial_link import SerialDoor
from drivers.supervisor import Supervisor
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.serial_printer import VirtualSerialPrinter
from kiosk.ports import DeviceChanged, DeviceError, DeviceReason, DeviceState, PrintEnded, PrintOutcome
from kiosk.slip import Line, Slip, SlipKind
from kiosk.words import Language

ECHOES = replace(DEFAULT_PROFILE, confirms="gs_h")


@pytest.fixture
def serial_twin(tmp_path: Path) -> Iterator[VirtualSerialPrinter]:
    with VirtualSerialPrinter(tmp_path / "printer") as twin:
        yield twin


def test_a_slip_is_printed_over_a_serial_line_and_confirmed(serial_twin: VirtualSerialPrinter) -> None:
    with running(SerialDoor(str(serial_twin.link))) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)
    assert "第5行" in serial_twin.wait_for_slip().text


def test_a_slow_line_is_waited_for_longer_than_the_printer_would_be(tmp_path: Path) -> None:
    slip = Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=tuple(Line("閱" * 24) for _ in range(24)))
    hasty = replace(QUICK, answer_s=0.8, job_s=1.0)
    with (
        VirtualSerialPrinter(tmp_path / "printer", baud=9600) as twin,
        running(SerialDoor(str(twin.link), 9600), patience=hasty) as (printer, ears),
    ):
        ears.until(is_now(DeviceState.READY))
        began = time.monotonic()
        printer.print_slip("one", slip)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)
        took = time.monotonic() - began
        assert took > 0.9 * len(twin.wait_for_slip().raw) / 960 > hasty.job_s


def test_a_serial_printer_that_is_unplugged_is_told_and_comes_back(serial_twin: VirtualSerialPrinter) -> None:
    with running(SerialDoor(str(serial_twin.link))) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        serial_twin.unplug()
        ears.until(is_now(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_PLUGGED)
        serial_twin.plug()
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


def test_one_port_has_one_owner(serial_twin: VirtualSerialPrinter) -> None:
    door = SerialDoor(str(serial_twin.link))
    first = door.open(1.0)
    with pytest.raises(DeviceError, match="held_by_other"):
        door.open(1.0)
    first.close()


def test_a_jobs_own_echo_confirms_it_and_the_late_echo_of_another_does_not() -> None:
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port), ECHOES) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)
        twin.paper_out_after(2)
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)
        twin.load_paper(8)  # job two ends and echoes now; not enough for job three
        ears.until(is_now(DeviceState.READY))
        twin.echo_late(b"OLD0")
        printer.print_slip("three", SLIP)
        assert ended(ears) == PrintEnded("three", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)


def test_a_stale_echo_alone_confirms_nothing() -> None:
    hasty = replace(QUICK, job_s=0.3)
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port), ECHOES, hasty) as (printer, ears):
        twin.ignore_marks()
        twin.echo_late(b"OLD!")
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)


def test_a_printer_that_tells_its_news_is_believed_in_the_middle_of_a_job() -> None:
    with (
        VirtualPrinter() as twin,
        running(TcpDoor("127.0.0.1", twin.port), replace(ECHOES, news=True)) as (printer, ears),
    ):
        ears.until(is_now(DeviceState.READY))
        twin.jam_cutter()
        ears.until(is_now(DeviceState.FAULT, DeviceReason.CUTTER))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.CUTTER)
        twin.jam_cutter(False)
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


def test_a_printer_without_a_sensor_for_the_end_of_the_roll_is_not_believed_to_be_low(
    serial_twin: VirtualSerialPrinter,
) -> None:
    serial_twin.near_end(True)
    for sensor, reason in ((True, DeviceReason.PAPER_LOW), (False, None)):
        with running(SerialDoor(str(serial_twin.link)), replace(ECHOES, near_end=sensor)) as (_, ears):
            told = ears.until(lambda event: isinstance(event, DeviceChanged))
            assert isinstance(told, DeviceChanged)
            assert (told.status.state, told.status.reason) == (DeviceState.READY, reason)


def test_automatic_status_is_switched_on_by_the_settings() -> None:
    with VirtualPrinter() as twin:
        entry = Printer(host="127.0.0.1", port=twin.port, news=True)
        ears = Ears()
        supervisor = Supervisor([slip_printer(entry, ears)], ears)
        supervisor.start()
        ears.until(is_now(DeviceState.READY))
        twin.wait_until(lambda: twin.tells_news)
        supervisor.stop()


def test_a_probe_finds_the_best_confirmation_that_works() -> None:
    with VirtualPrinter() as twin:
        link = TcpDoor("127.0.0.1", twin.port).open(1.0)
        found = probe(link, 1.0)
        assert (found.state, found.fault, found.confirms, found.news) == (True, None, "gs_h", True)
        twin.ignore_marks()
        assert probe(link, 0.1).confirms == "none"
        twin.paper_out_now()
        assert probe(link, 0.1).fault is DeviceReason.PAPER_OUT
        twin.go_silent()
        assert not probe(link, 0.1).state
        link.close()
        assert twin.slips() == []


SETTINGS = """
library_name = "青田市立圖書館"
branch = "main"
branch_name = "Main"
data = "data"
keys = "keys"
codes = [{{ type = "item", pattern = "C[0-9]{{7}}" }}]
devices = {{ readers = [], printers = [{{ {where} }}] }}
"""


@pytest.mark.parametrize("serial", [False, True])
def test_the_commands_probe_a_printer_and_print_its_test_page(tmp_path: Path, serial: bool) -> None:
    config = tmp_path / "kiosk.toml"
    with VirtualSerialPrinter(tmp_path / "printer") if serial else VirtualPrinter() as twin:
        where = f'path = "{tmp_path / "printer"}"' if serial else f'host = "127.0.0.1", port = {twin.port}'
        config.write_text(SETTINGS.format(where=where), encoding="utf-8")

        def call(*words: str) -> "subprocess.CompletedProcess[str]":
            command = [Path(sys.executable).parent / "shelfpoint", "devices", *words, "--config", config]
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)

        assert call("probe", "printer").stdout.splitlines()[-1] == 'confirms = "gs_h"'
        tested = call("test", "printer")
        assert (tested.returncode, tested.stdout) == (0, "Printed.\n"), tested.stderr
        page = twin.wait_for_slip()
        assert "123456789012345678901234567890123456789012345678" in page.text
        assert page.codes == ("C0000123", "青田市立圖書館 C0000123")
        assert page.rasters == 1  # the rare characters
        twin.open_cover()
        failed = call("test", "printer")
        assert failed.returncode == 1
        assert "cover is open" in failed.stderr


@pytest.mark.parametrize("harm", [VirtualSerialPrinter.power_cycle, lambda twin: twin.garble(0x00)])
def test_a_break_or_a_damaged_character_on_the_line_confirms_no_slip(
    tmp_path: Path, harm: Callable[[VirtualSerialPrinter], None]
) -> None:
    with (
        VirtualSerialPrinter(tmp_path / "printer", dots_per_s=1.0) as twin,
        running(SerialDoor(str(twin.link)), patience=replace(QUICK, job_s=0.5)) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        twin.wait_until(lambda: MARK in twin.waiting())
        harm(twin)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        assert twin.slips() == []


@pytest.mark.parametrize(
    ("flags", "heard"),
    [
        (0, b"\x00A"),
        (termios.INPCK, b"\x00\x00"),
        (termios.INPCK | termios.IGNPAR, b"\x00"),
        (termios.IGNBRK, b"A"),
        (termios.IGNBRK | termios.INPCK | termios.IGNPAR, b""),
    ],
)
def test_the_twin_gives_a_break_and_a_damaged_character_as_the_host_has_set_its_port(
    serial_twin: VirtualSerialPrinter, flags: int, heard: bytes
) -> None:
    with serial.Serial(str(serial_twin.link), timeout=5.0) as port:
        attributes = termios.tcgetattr(port.fileno())
        attributes[0] = flags
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
        serial_twin.fall_to_break()
        serial_twin.garble(ord("A"))
        serial_twin.noise(b"!")
        assert port.read_until(b"!") == heard + b"!"


@pytest.mark.parametrize("lost", [False, True])
def test_closing_after_a_loss_throws_away_what_the_printer_had_not_taken(lost: bool) -> None:
    far, near = pty.openpty()
    try:
        tty.setraw(near)
        link = SerialDoor(os.ttyname(near)).open(1.0)
        with pytest.raises(DeviceError, match="silent"):
            link.write(bytes(200_000), 0.05)
        link.close(lost=lost)
        link.close(lost=lost)
        os.set_blocking(far, False)
        carried = 0
        with contextlib.suppress(BlockingIOError):
            while part := os.read(far, 65536):
                carried += len(part)
        assert (carried < link.sent) == lost
    finally:
        os.close(near)
        os.close(far)


def test_a_closed_port_is_not_plugged(serial_twin: VirtualSerialPrinter) -> None:
    link = SerialDoor(str(serial_twin.link)).open(1.0)
    link.close()
    for attempt in (lambda: link.read(0.1), lambda: link.write(b"1", 0.1)):
        with pytest.raises(DeviceError, match="not_plugged"):
            attempt()


def test_a_serial_twin_without_a_line_sends_no_break(serial_twin: VirtualSerialPrinter) -> None:
    serial_twin.unplug()
    serial_twin.power_cycle()
    serial_twin.garble(0x41)
    assert not serial_twin.serves
