"""Stray bytes at any moment of a slip, over TCP: no slip that did not come out is called printed, and none is out of paper (L2)."""

from dataclasses import dataclass, replace
from random import Random
from threading import Event as Pause

import pytest
from hypothesis import given
from hypothesis import strategies as st
from print_room import QUICK, SLIP, ended, is_now, running

from drivers.escpos import MARK, AnswerReader, Noise, StateAnswer
from drivers.link import ByteLink, TcpDoor
from drivers.print_marks import FEWEST, RUN_S
from drivers.virtual.printer import VirtualPrinter
from kiosk.ports import DeviceReason, DeviceState, Event, PrintEnded, PrintOutcome

TRIALS = 12
HASTY = replace(QUICK, answer_s=0.4, job_s=0.8)
LIKE_ANSWERS = b"\x00\x01\x02\x03\x0c\x10\x12\x16\x1a\x32\x35\x37\x5f\x72\xff"
"""Bytes that pass for answers, or begin one."""


def strays(chance: Random) -> bytes:
    """A few: of those that hurt most, or of all."""
    count = chance.randint(1, 4)
    return bytes(chance.choice(LIKE_ANSWERS) if chance.random() < 0.7 else chance.randrange(256) for _ in range(count))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_no_slip_that_did_not_come_out_is_called_printed(seed: int) -> None:
    chance, pause = Random(seed), Pause()
    with (
        VirtualPrinter(dots_per_s=1200.0) as twin,
        running(TcpDoor("127.0.0.1", twin.port), patience=HASTY) as (printer, ears),
    ):
        for _ in range(chance.randint(0, 3)):
            twin.noise(strays(chance))
        printer.print_slip("one", SLIP)
        comes_out = chance.random() < 0.3
        event: Event | None = None
        while not isinstance(event, PrintEnded):
            event = ears.next() if ears.waiting() else None
            if chance.random() < 0.4:
                twin.noise(strays(chance))
            if comes_out:
                twin.pass_time(0.02)
            pause.wait(chance.random() * 0.02)
        if event.outcome is PrintOutcome.PRINTED:
            assert len(twin.slips()) == 1
        if event.outcome is PrintOutcome.FAILED:
            assert event.reason in (DeviceReason.LINE_NOISE, DeviceReason.SILENT)
        twin.pass_time(1000.0)
        pause.wait(2 * RUN_S)
        printer.print_slip("two", SLIP)
        twin.wait_until(lambda: twin.waiting().endswith(MARK * FEWEST))
        twin.pass_time(1000.0)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


@dataclass(slots=True)
class Humming:
    """A line on which a byte that no printer says comes with every other."""

    link: ByteLink
    sent: int = 0
    bytes_per_s: float | None = None

    def read(self, deadline_s: float) -> bytes:
        data = self.link.read(deadline_s)
        return data + b"\xf5" if data else b""

    def write(self, data: bytes, deadline_s: float) -> None:
        self.link.write(data, deadline_s)
        self.sent = self.link.sent

    def fault(self) -> DeviceReason | None:
        return None

    def close(self, *, lost: bool = False) -> None:
        self.link.close(lost=lost)


@dataclass(slots=True)
class HummingDoor:
    """The twin's door, while the line hums."""

    door: TcpDoor
    hums: bool = True
    address: str = "twin"

    def open(self, deadline_s: float) -> ByteLink:
        link = self.door.open(deadline_s)
        return Humming(link) if self.hums else link


def test_a_line_that_is_never_quiet_has_a_reason_of_its_own_and_gets_no_slip() -> None:
    with VirtualPrinter() as twin:
        door = HummingDoor(TcpDoor("127.0.0.1", twin.port))
        with running(door, patience=HASTY) as (printer, ears):
            ears.until(is_now(DeviceState.FAULT, DeviceReason.LINE_NOISE))
            printer.print_slip("one", SLIP)
            assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.LINE_NOISE)
            door.hums = False
            ears.until(is_now(DeviceState.READY))
        assert twin.slips() == []


@given(st.binary(max_size=40))
def test_every_byte_is_an_answer_or_part_of_one_or_noise(data: bytes) -> None:
    reader = AnswerReader()
    reader.feed(data)
    reader.forget()
    assert not reader.half
    assert reader.feed(b"\x12\xf5\x11\x13") == [StateAnswer(0x12), Noise(0xF5)]
