"""A printer with a small receive buffer and slow paper, stopped in the middle of a job: which mark speaks for which job."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st
from print_room import SLIP, ended, is_now, running

from drivers.escpos import CUT, MARK
from drivers.link import Door, TcpDoor
from drivers.print_marks import FEWEST, RUN_S, Marks
from drivers.printer import Patience, SlipPrinter
from drivers.printer_profiles import DEFAULT_PROFILE
from drivers.serial_link import SerialDoor
from drivers.usb_link import UsbDoor
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.serial_printer import VirtualSerialPrinter
from drivers.virtual.usb_printer import VirtualUsbPrinter
from kiosk.ports import DeviceReason, DeviceState, PrintEnded, PrintOutcome

SHORT = Patience(answer_s=1.0, send_s=0.3, job_s=0.4, watch_s=0.01, poll_s=0.02)
LONG = replace(SHORT, job_s=20.0)
SPEED = 1200.0
"""Dots per second: 150 mm."""


def taken(twin: VirtualPrinter, jobs: int) -> None:
    """Blocks until so many whole jobs stand in its buffer."""
    twin.wait_until(lambda: twin.waiting().count(CUT + MARK) == jobs and twin.waiting().endswith(MARK))


def print_one(twin: VirtualPrinter) -> None:
    """Lets its paper run until one more slip has fallen."""
    before = len(twin.slips())
    while len(twin.slips()) == before:
        twin.pass_time(0.01)


@contextmanager
def slow_printer(patience: Patience) -> Iterator[tuple[VirtualPrinter, SlipPrinter, Ears]]:
    with (
        VirtualPrinter(dots_per_s=SPEED) as twin,
        running(TcpDoor("127.0.0.1", twin.port), patience=patience) as (
            printer,
            ears,
        ),
    ):
        yield twin, printer, ears


def test_the_mark_is_answered_only_when_the_paper_has_come_so_far() -> None:
    with slow_printer(LONG) as (twin, printer, ears):
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        while MARK in twin.waiting():
            assert not ears.waiting()
            twin.pass_time(0.01)
        assert ended(ears) == PrintEnded("one", PrintOutcome.PRINTED)


def test_every_job_is_confirmed_when_its_own_paper_has_come() -> None:
    with slow_printer(LONG) as (twin, printer, ears):
        for job in ("one", "two"):
            printer.print_slip(job, SLIP)
            taken(twin, 1)
            print_one(twin)
            twin.pass_time(1.0)
            assert ended(ears) == PrintEnded(job, PrintOutcome.PRINTED)


def test_the_mark_of_a_lost_job_does_not_confirm_the_next_one() -> None:
    with slow_printer(LONG) as (twin, printer, ears):
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        twin.drop_connection()
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        printer.print_slip("two", SLIP)
        taken(twin, 2)
        print_one(twin)
        twin.pass_time(0.01)  # the first mark is answered, to the new connection
        taken(twin, 1)
        twin.open_cover()
        assert ended(ears) == PrintEnded("two", PrintOutcome.FAILED, DeviceReason.COVER_OPEN)


def test_the_mark_of_a_lost_job_and_then_its_own_confirm_the_next_one() -> None:
    with slow_printer(LONG) as (twin, printer, ears):
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        twin.drop_connection()
        assert ended(ears).outcome is PrintOutcome.UNCONFIRMED
        printer.print_slip("two", SLIP)
        taken(twin, 2)
        twin.pass_time(60.0)
        assert ended(ears) == PrintEnded("two", PrintOutcome.PRINTED)


def test_paper_out_with_the_rest_still_in_the_buffer_fails_and_the_rest_comes_once() -> None:
    with slow_printer(LONG) as (twin, printer, ears):
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        twin.paper_out_after(3)
        twin.pass_time(60.0)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)
        assert "第5行".encode("cp950") in twin.waiting()
        twin.load_paper()
        print_one(twin)
        assert [slip.text.count("第5行") for slip in twin.slips()] == [1]


@pytest.mark.parametrize("news", [False, True])
def test_a_head_that_gets_too_hot_fails_the_slip_and_the_rest_comes_once_when_it_has_cooled_down(news: bool) -> None:
    profile = replace(DEFAULT_PROFILE, news=news)
    with (
        VirtualPrinter(dots_per_s=SPEED) as twin,
        running(TcpDoor("127.0.0.1", twin.port), profile, LONG) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        twin.pass_time(0.1)
        twin.overheat()
        twin.pass_time(60.0)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.HOT_HEAD)
        assert twin.slips() == []
        twin.overheat(False)
        print_one(twin)
        ears.until(is_now(DeviceState.READY))
        assert [slip.text.count("第5行") for slip in twin.slips()] == [1]


@pytest.mark.parametrize("make", [VirtualSerialPrinter, VirtualUsbPrinter])
def test_a_power_cut_empties_the_buffer_and_confirms_nothing(make: type[VirtualSerialPrinter], tmp_path: Path) -> None:
    with (
        make(tmp_path / "printer", dots_per_s=SPEED) as twin,
        running(door_to(twin), patience=SHORT) as (printer, ears),
    ):
        printer.print_slip("one", SLIP)
        taken(twin, 1)
        twin.power_cycle()
        assert twin.waiting().count(MARK) == 0
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        twin.pass_time(60.0)
        assert twin.slips() == []


def test_the_slip_after_a_power_cut_is_confirmed_by_its_own_marks(tmp_path: Path) -> None:
    with (
        VirtualSerialPrinter(tmp_path / "printer", dots_per_s=SPEED) as twin,
        running(door_to(twin), patience=SHORT) as (printer, ears),
    ):
        printer.print_slip("lost", SLIP)
        taken(twin, 1)
        twin.power_cycle()
        assert ended(ears) == PrintEnded("lost", PrintOutcome.UNCONFIRMED)
        printer.print_slip("next", SLIP)
        taken(twin, 1)
        twin.pass_time(60.0)
        assert ended(ears) == PrintEnded("next", PrintOutcome.PRINTED)


EVENTS = ["sent", "printed", "cut", "power", "break", "noise", "silence"]


@given(st.lists(st.sampled_from(EVENTS), max_size=40), st.randoms(use_true_random=False))
def test_no_order_of_events_takes_other_bytes_for_a_jobs_marks(events: list[str], chance: Random) -> None:
    marks, buffer, now, job, printed = Marks(chance.choice), list[tuple[int, int]](), 0.0, 0, 0
    owes = False
    for event in events:
        now += 0.01
        match event:
            case "sent":
                marks.ended(owes=owes)
                job, owes = job + 1, True
                buffer.append((job, marks.begin()))
            case "printed" if buffer:
                printed, count = buffer.pop(0)
                for _ in range(count):
                    marks.answered(now)
            case "power":
                buffer.clear()
            case "break":
                for _ in range(chance.randint(1, FEWEST - 1)):
                    marks.answered(now)
                now += 2 * RUN_S
            case "noise":
                marks.disturbed()
            case "silence":
                now += 2 * RUN_S
            case _:
                pass
        assert not marks.confirm(now + RUN_S) or printed == job


def door_to(twin: VirtualSerialPrinter) -> Door:
    """As the settings would say."""
    if isinstance(twin, VirtualUsbPrinter):
        return UsbDoor(
            "usb:0416:5011:A1B2C3", printers=lambda: [twin.as_port()] if twin.link.exists() else [], ports=list
        )
    return SerialDoor(str(twin.link))
