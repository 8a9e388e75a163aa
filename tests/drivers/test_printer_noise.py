"""What may pass for a confirmation and is none: stray bytes, paper bits, a printer that says nothing more (L2)."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from print_room import QUICK, SLIP, ended, is_now, running

from drivers.escpos import MARK, AnswerReader, MarkAnswer
from drivers.link import ByteLink, TcpDoor
from drivers.printer_probe import probe
from drivers.printer_profiles import DEFAULT_PROFILE
from drivers.serial_link import SerialDoor
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.serial_printer import VirtualSerialPrinter
from kiosk.ports import DeviceError, DeviceReason, DeviceState, PrintEnded, PrintOutcome

HASTY = replace(QUICK, answer_s=0.5, job_s=1.5)


@given(st.integers(0, 255))
def test_only_what_gs_r_can_say_confirms(byte: int) -> None:
    answer = MarkAnswer(byte)
    assert answer.confirms == (byte in (0, 1, 2, 3))
    assert answer.paper_ended == (byte in range(4, 16))


@pytest.mark.parametrize("noise", [b"\x20", b"A", b"\x0c", b"\x7f"])
def test_a_stray_byte_confirms_no_slip(noise: bytes) -> None:
    with (
        VirtualPrinter(dots_per_s=1.0) as twin,
        running(TcpDoor("127.0.0.1", twin.port), patience=HASTY) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        twin.wait_until(lambda: MARK in twin.waiting())
        twin.noise(noise)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        assert twin.slips() == []


def test_a_stray_byte_does_not_hide_the_real_answer() -> None:
    with (
        VirtualPrinter(dots_per_s=1.0) as twin,
        running(TcpDoor("127.0.0.1", twin.port)) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        twin.wait_until(lambda: MARK in twin.waiting())
        twin.noise(b"\x0c")
        twin.pass_time(10_000.0)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)


def test_a_clone_that_confirms_without_paper_is_out_of_paper_and_owes_nothing_afterwards() -> None:
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port)) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        twin.run_dry()
        twin.paper_out_after(2)
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)
        twin.load_paper()
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


def test_a_clone_that_confirms_at_once_is_asked_again_before_it_is_believed() -> None:
    with (
        VirtualPrinter(dots_per_s=1.0) as twin,
        running(TcpDoor("127.0.0.1", twin.port)) as (printer, ears),
    ):
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("one", SLIP)
        twin.wait_until(lambda: MARK in twin.waiting())
        twin.paper_out_now()
        twin.noise(b"\x00")
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)


def test_an_answer_to_an_older_slips_mark_stands_for_that_slip_only() -> None:
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port), patience=HASTY) as (printer, ears):
        twin.ignore_marks()
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        twin.mark_late()  # the one that slip one waited for
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.UNCONFIRMED)
        twin.ignore_marks(False)
        twin.mark_late()
        printer.print_slip("three", SLIP)
        assert ended(ears) == PrintEnded("three", PrintOutcome.PRINTED)


def test_answers_that_come_late_but_in_time_are_heard() -> None:
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port)) as (printer, ears):
        twin.answer_late(0.02)
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)


def test_a_printer_whose_answers_come_too_late_gets_no_slip_and_is_well_when_they_are_in_time(tmp_path: Path) -> None:
    with (
        VirtualSerialPrinter(tmp_path / "printer") as twin,  # a line on which late answers reach the next asker
        running(SerialDoor(str(twin.link)), patience=HASTY) as (printer, ears),
    ):
        ears.until(is_now(DeviceState.READY))
        twin.answer_late(0.3)
        ears.until(is_now(DeviceState.FAULT, DeviceReason.SILENT))
        twin.answer_late(60.0)
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.SILENT)
        twin.answer_late(0.0)
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)
        assert len(twin.slips()) == 1


def test_a_pulled_network_cable_is_a_silent_printer_and_no_slip_is_sent_into_it() -> None:
    with VirtualPrinter() as twin, running(TcpDoor("127.0.0.1", twin.port), patience=HASTY) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        twin.swallow()
        ears.until(is_now(DeviceState.FAULT, DeviceReason.SILENT))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.SILENT)
        twin.swallow(False)
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)
        assert len(twin.slips()) == 1


def test_a_cable_pulled_under_way_leaves_the_slip_unconfirmed_and_it_comes_once() -> None:
    with (
        VirtualPrinter(dots_per_s=1.0) as twin,
        running(TcpDoor("127.0.0.1", twin.port), patience=HASTY) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        twin.wait_until(lambda: MARK in twin.waiting())
        twin.swallow()
        twin.pass_time(10_000.0)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        twin.swallow(False)
        ears.until(is_now(DeviceState.READY))
        assert len(twin.slips()) == 1


def test_an_address_from_which_nothing_comes_back_is_not_reachable() -> None:
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)  # one may wait, and nobody accepts: the system passes over every further call
        port = listener.getsockname()[1]
        held.enter_context(socket.create_connection(("127.0.0.1", port)))
        with pytest.raises(DeviceError) as told:
            TcpDoor("127.0.0.1", port).open(0.2)
        assert told.value.reason is DeviceReason.NOT_REACHABLE


@dataclass(slots=True)
class FallsSilent:
    """A link on which nothing more comes once a byte has come that this fits."""

    link: ByteLink
    last: Callable[[bytes], bool]
    silent: bool = False
    sent: int = 0
    bytes_per_s: float | None = None

    def read(self, deadline_s: float) -> bytes:
        data = self.link.read(min(deadline_s, 0.01) if self.silent else deadline_s)
        if self.silent:
            return b""
        self.silent = self.last(data)
        return data

    def write(self, data: bytes, deadline_s: float) -> None:
        self.link.write(data, deadline_s)
        self.sent = self.link.sent

    def fault(self) -> DeviceReason | None:
        return None

    def close(self, *, lost: bool = False) -> None:
        self.link.close(lost=lost)


@dataclass(slots=True)
class FallsSilentDoor:
    """The twin's door; the first link through it falls silent."""

    door: TcpDoor
    last: Callable[[bytes], bool]
    address: str = "twin"
    opened: list[ByteLink] = field(default_factory=list)

    def open(self, deadline_s: float) -> ByteLink:
        link = self.door.open(deadline_s)
        self.opened.append(link)
        return link if len(self.opened) > 1 else FallsSilent(link, self.last)


@pytest.mark.parametrize("confirms", ["gs_r", "gs_h"])
def test_a_printer_that_is_silent_after_its_confirmation_leaves_the_slip_unconfirmed_and_it_comes_once(
    confirms: str,
) -> None:
    profile = replace(DEFAULT_PROFILE, confirms="gs_h" if confirms == "gs_h" else "gs_r")
    with VirtualPrinter() as twin:
        door = FallsSilentDoor(TcpDoor("127.0.0.1", twin.port), lambda data: data.endswith(b"\x00"))
        with running(door, profile, HASTY) as (printer, ears):
            printer.print_slip("one", SLIP)
            assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
            ears.until(is_now(DeviceState.READY))
            printer.print_slip("two", SLIP)
            assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)
        assert len(twin.slips()) == 2


def test_a_probe_takes_no_stray_byte_for_a_confirmation() -> None:
    with VirtualPrinter() as twin:
        twin.ignore_marks()
        link = NoisyLink(TcpDoor("127.0.0.1", twin.port).open(1.0), twin)
        assert probe(link, 0.1).confirms == "none"
        link.close()


class NoisyLink:
    """A link to a twin that answers GS r with a byte that GS r cannot say."""

    bytes_per_s = None

    def __init__(self, link: ByteLink, twin: VirtualPrinter) -> None:
        self._link = link
        self._twin = twin
        self.sent = 0

    def read(self, deadline_s: float) -> bytes:
        return self._link.read(deadline_s)

    def write(self, data: bytes, deadline_s: float) -> None:
        self._link.write(data, deadline_s)
        if data == MARK:
            self._twin.noise(b"\x20")

    def fault(self) -> DeviceReason | None:
        return None

    def close(self, *, lost: bool = False) -> None:
        self._link.close(lost=lost)


def test_the_bytes_of_gs_i_are_still_heard() -> None:
    assert AnswerReader().feed(b"\x63") == [MarkAnswer(0x63)]
