"""SlipPrinter against the virtual printer, over real TCP: every ending of a job, and what the state watch reports."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.escpos import ask_state
from drivers.link import ByteLink, Door, TcpDoor
from drivers.printer import Patience, SlipPrinter
from drivers.printer_profiles import DEFAULT_PROFILE, PROFILES, Profile
from drivers.virtual.press import PaperSlip, Press, command_length
from drivers.virtual.printer import VirtualPrinter
from kiosk.ports import DeviceError, DeviceReason, DeviceState, DeviceStatus, Event, PrintEnded, PrintOutcome
from kiosk.slip import Barcode, Entry, Line, Pair, QrCode, Rule, Slip, SlipKind, Weight, book_slip
from kiosk.words import Language

QUICK = Patience(connect_s=2.0, answer_s=2.0, send_s=2.0, job_s=5.0, watch_s=0.01, poll_s=0.02)
IMPATIENT = replace(QUICK, answer_s=0.15, job_s=0.4)
DUE = datetime(2026, 12, 21, 4, tzinfo=UTC)


def loan_slip(*titles: str) -> Slip:
    entries = [Entry(title=title, item=f"C{number:07}", due_at=DUE) for number, title in enumerate(titles, 1)]
    return book_slip(
        SlipKind.LOAN,
        entries=entries,
        language=Language.ZH_TW,
        library_name="青田市立圖書館",
        branch_name="總館",
        name="王○",
        now=DUE,
    )


SLIP = loan_slip("被討厭的勇氣", "大英博物館藏中國古代書畫精粹：Masterpieces of Chinese Painting、第二版（增訂本）")


class Box:
    """Keeps what was posted and reported; waits for what should come."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.events: list[Event] = []
        self.statuses: list[DeviceStatus] = []

    def post(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def report(self, status: DeviceStatus) -> None:
        with self.changed:
            if self.statuses[-1:] != [status]:
                self.statuses.append(status)
            self.changed.notify_all()

    def until(self, claim: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(claim, 10), (self.events, self.statuses)

    def ended(self, job: str) -> PrintEnded:
        def found() -> list[PrintEnded]:
            return [event for event in self.events if isinstance(event, PrintEnded) and event.job == job]

        self.until(lambda: bool(found()))
        assert len(found()) == 1
        return found()[0]

    def sees(self, state: DeviceState, reason: DeviceReason | None = None) -> None:
        self.until(
            lambda: bool(self.statuses) and (self.statuses[-1].state, self.statuses[-1].reason) == (state, reason)
        )


@contextmanager
def running(
    port: int, profile: Profile = DEFAULT_PROFILE, patience: Patience = QUICK
) -> Iterator[tuple[SlipPrinter, Box]]:
    with going(TcpDoor("127.0.0.1", port), profile, patience) as both:
        yield both


@contextmanager
def going(door: Door, profile: Profile, patience: Patience) -> Iterator[tuple[SlipPrinter, Box]]:
    box = Box()
    printer = SlipPrinter("slips", door, profile, mailbox=box, patience=patience)
    stop = threading.Event()
    thread = threading.Thread(target=printer.run, args=(stop, box.report))
    thread.start()
    try:
        yield printer, box
    finally:
        stop.set()
        printer.wake()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def twin() -> Iterator[VirtualPrinter]:
    with VirtualPrinter() as printer:
        yield printer


def shown(slip: PaperSlip) -> str:
    return "".join("".join(slip.text).split())


def test_a_slip_is_printed_and_the_printer_confirms_it(twin: VirtualPrinter) -> None:
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.READY)
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.PRINTED)
    slip = twin.wait_for_slip()
    assert "借閱單" in slip.text
    assert "被討厭的勇氣" in shown(slip)
    assert "應還日期2026-12-21（一）" in shown(slip)
    assert twin.strange() == []


def test_jobs_come_out_one_after_the_other(twin: VirtualPrinter) -> None:
    with running(twin.port) as (printer, box):
        for number in range(3):
            printer.print_slip(f"job {number}", loan_slip(f"第{number}本"))
        assert {box.ended(f"job {number}").outcome for number in range(3)} == {PrintOutcome.PRINTED}
    assert [f"第{number}本" in shown(slip) for number, slip in enumerate(twin.slips())] == [True] * 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(VirtualPrinter.paper_out_now, DeviceReason.PAPER_OUT), (VirtualPrinter.open_cover, DeviceReason.COVER_OPEN)],
)
def test_a_known_fault_fails_the_job_before_any_of_its_bytes_left(
    twin: VirtualPrinter, fault: Callable[[VirtualPrinter], None], reason: DeviceReason
) -> None:
    fault(twin)
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.FAULT, reason)
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, reason)
        assert set(twin.waiting()) <= {0x10, 1, 2, 3, 4}  # state questions only
        twin.load_paper()
        twin.close_cover()
        box.sees(DeviceState.READY)
    assert twin.slips() == []


def test_paper_out_in_the_middle_fails_and_the_rest_comes_once_when_paper_is_loaded(twin: VirtualPrinter) -> None:
    twin.paper_out_after(4)
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.READY)
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)
        box.sees(DeviceState.FAULT, DeviceReason.PAPER_OUT)
        twin.load_paper()
        box.sees(DeviceState.READY)
        assert len(twin.slips()) == 1
        printer.print_slip("two", loan_slip("第二張"))
        assert box.ended("two").outcome is PrintOutcome.PRINTED
    first, second = twin.slips()
    assert shown(first).count("C0000001") == 1
    assert "第二張" in shown(second)


def test_the_late_end_of_a_failed_job_does_not_confirm_the_next_one(twin: VirtualPrinter) -> None:
    twin.paper_out_after(4)
    with running(twin.port) as (printer, box):
        printer.print_slip("one", SLIP)
        assert box.ended("one").outcome is PrintOutcome.FAILED
        twin.load_paper(20)  # enough for the rest of the first, not for the second
        box.sees(DeviceState.READY)
        printer.print_slip("two", SLIP)
        assert box.ended("two") == PrintEnded("two", PrintOutcome.FAILED, DeviceReason.PAPER_OUT)


def test_the_cover_opened_in_the_middle_fails_the_job(twin: VirtualPrinter) -> None:
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.READY)
        twin.open_cover(after_lines=3)
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.COVER_OPEN)


def test_low_paper_is_a_warning_and_prints(twin: VirtualPrinter) -> None:
    twin.near_end(True)
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.READY, DeviceReason.PAPER_LOW)
        printer.print_slip("one", SLIP)
        assert box.ended("one").outcome is PrintOutcome.PRINTED


def test_a_printer_that_falls_silent_in_the_middle_leaves_the_job_unconfirmed(twin: VirtualPrinter) -> None:
    twin.go_silent(after_lines=5)
    with running(twin.port, patience=IMPATIENT) as (printer, box):
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        box.sees(DeviceState.FAULT, DeviceReason.SILENT)
        twin.speak()
        box.sees(DeviceState.READY)
    assert len(twin.slips()) == 1


def test_a_silent_printer_gets_no_byte_of_the_job(twin: VirtualPrinter) -> None:
    twin.go_silent()
    with running(twin.port, patience=IMPATIENT) as (printer, box):
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.SILENT)
    assert twin.slips() == []


def test_a_printer_that_cannot_confirm_leaves_the_job_unconfirmed() -> None:
    profile = replace(DEFAULT_PROFILE, confirms="none")
    with VirtualPrinter(profile=profile) as twin, running(twin.port, profile) as (printer, box):
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        assert len(twin.slips()) == 1


@pytest.mark.parametrize("confirms", ["gs_h", "gs_r"])
def test_a_connection_lost_in_the_middle_is_not_sent_again_and_the_next_job_prints_whole(
    twin: VirtualPrinter, confirms: Literal["gs_h", "gs_r"]
) -> None:
    rare = loan_slip("陶堃與喆", "峯與珉")
    with running(twin.port, replace(DEFAULT_PROFILE, confirms=confirms), replace(QUICK, job_s=1.0)) as (printer, box):
        box.sees(DeviceState.READY)
        twin.drop_connection(after_bytes=1500)  # inside the dots of a line
        printer.print_slip("one", rare)
        ended = box.ended("one")
        assert ended.outcome is PrintOutcome.UNCONFIRMED or ended.reason is DeviceReason.NOT_REACHABLE
        printer.print_slip("two", loan_slip("第二張"))
        assert box.ended("two").outcome is PrintOutcome.PRINTED
    assert len(twin.slips()) == 1
    assert "第二張" in shown(twin.slips()[0])
    assert shown(twin.slips()[0]).count("C0000001") == 1


@dataclass(slots=True)
class StubbornLink:
    """A link that takes state questions, and of a job not one byte while its door is `shut`."""

    door: "StubbornDoor"
    link: ByteLink
    sent: int = 0
    bytes_per_s: float | None = None

    def read(self, deadline_s: float) -> bytes:
        return self.link.read(deadline_s)

    def write(self, data: bytes, deadline_s: float) -> None:
        if self.door.shut and len(data) > len(ask_state(1)):
            raise DeviceError(DeviceReason.SILENT, "takes no data")
        try:
            self.link.write(data, deadline_s)
        finally:
            self.sent = self.link.sent

    def fault(self) -> DeviceReason | None:
        return self.link.fault()

    def close(self, *, lost: bool = False) -> None:
        self.link.close(lost=lost)


@dataclass(slots=True)
class StubbornDoor:
    """The way to a twin."""

    door: Door
    shut: bool = False
    address: str = "stubborn"

    def open(self, deadline_s: float) -> StubbornLink:
        return StubbornLink(self, self.door.open(deadline_s))


def test_a_job_of_which_nothing_left_does_not_forget_the_picture_that_an_older_one_left_open(
    twin: VirtualPrinter,
) -> None:
    door = StubbornDoor(TcpDoor("127.0.0.1", twin.port))
    patience = replace(QUICK, job_s=1.0)
    with going(door, replace(DEFAULT_PROFILE, confirms="gs_h"), patience) as (printer, box):
        box.sees(DeviceState.READY)
        twin.drop_connection(after_bytes=1500)  # inside the dots of a line
        printer.print_slip("one", loan_slip(*["陶堃與喆" * 5] * 4))
        assert box.ended("one").outcome is not PrintOutcome.PRINTED
        door.shut = True
        printer.print_slip("two", loan_slip("短"))
        assert box.ended("two") == PrintEnded("two", PrintOutcome.FAILED, DeviceReason.SILENT)
        door.shut = False
        printer.print_slip("three", loan_slip("短"))
        assert box.ended("three").outcome is PrintOutcome.PRINTED
    assert ["短" in shown(slip) for slip in twin.slips()] == [True]


def test_a_connection_that_died_while_idle_is_made_again_for_the_job(twin: VirtualPrinter) -> None:
    with running(twin.port, patience=replace(QUICK, poll_s=30.0)) as (printer, box):
        box.sees(DeviceState.READY)
        twin.drop_connection()
        printer.print_slip("one", SLIP)
        assert box.ended("one").outcome is PrintOutcome.PRINTED


def test_an_absent_printer_fails_the_job_and_comes_back(twin: VirtualPrinter) -> None:
    with running(twin.port) as (printer, box):
        box.sees(DeviceState.READY)
        twin.unplug()
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_REACHABLE)
        box.sees(DeviceState.ABSENT, DeviceReason.NOT_REACHABLE)
        twin.plug()
        box.sees(DeviceState.READY)
        printer.print_slip("two", SLIP)
        assert box.ended("two").outcome is PrintOutcome.PRINTED


def test_a_printer_that_was_never_there_fails_quickly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with running(port) as (printer, box):
        printer.print_slip("one", SLIP)
        assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_REACHABLE)


@pytest.mark.parametrize(("turns_away", "reason"), [(True, DeviceReason.HELD_BY_OTHER), (False, DeviceReason.SILENT)])
def test_a_printer_that_serves_another_computer_turns_us_away_or_lets_us_wait_and_is_ours_when_that_one_goes(
    turns_away: bool, reason: DeviceReason
) -> None:
    with VirtualPrinter(turns_away=turns_away) as twin, socket.create_connection(("127.0.0.1", twin.port)) as other:
        other.sendall(b"\x10\x04\x01")
        assert other.recv(1) == b"\x12"  # it is served
        with running(twin.port, patience=IMPATIENT) as (printer, box):
            printer.print_slip("one", SLIP)
            assert box.ended("one") == PrintEnded("one", PrintOutcome.FAILED, reason)
            box.sees(DeviceState.FAULT, reason)
            assert turns_away or "another computer" in box.statuses[-1].detail
            other.close()
            box.sees(DeviceState.READY)
            printer.print_slip("two", SLIP)
            assert box.ended("two") == PrintEnded("two", PrintOutcome.PRINTED)
    assert len(twin.slips()) == 1


def test_jobs_that_wait_when_it_stops_and_jobs_after_that_end_as_failed(twin: VirtualPrinter) -> None:
    box = Box()
    printer = SlipPrinter("slips", TcpDoor("127.0.0.1", twin.port), mailbox=box, patience=QUICK)
    stop = threading.Event()
    stop.set()
    printer.print_slip("waits", SLIP)
    printer.run(stop, box.report)
    printer.print_slip("late", SLIP)
    assert [box.ended(job).outcome for job in ("waits", "late")] == [PrintOutcome.FAILED] * 2


def test_rare_characters_come_out_as_dots_and_the_other_lines_as_type(twin: VirtualPrinter) -> None:
    with running(twin.port) as (printer, box):
        printer.print_slip("one", loan_slip("堃喆峯珉綉煊𣳝", "許功蓋的閱讀"))
        assert box.ended("one").outcome is PrintOutcome.PRINTED
    slip = twin.wait_for_slip()
    assert slip.rasters == 1
    assert "許功蓋的閱讀" in shown(slip)
    assert b"\x1c&" + "借閱單".encode("cp950") + b"\x1c." in slip.raw


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_prints_barcode_and_qr_inside_its_paper(name: str) -> None:
    profile = PROFILES[name]
    blocks = (Line("列印測試", Weight.TITLE), Rule(), Pair("印表機", name), Barcode("C0000123"), QrCode("借閱證 1"))
    with VirtualPrinter(profile=profile) as twin, running(twin.port, profile) as (printer, box):
        printer.print_slip("one", Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=blocks))
        assert box.ended("one").outcome is PrintOutcome.PRINTED
        slip = twin.wait_for_slip()
        assert slip.image.width == profile.width_dots
        assert slip.codes == (("C0000123", "借閱證 1") if profile.native_qr else ("C0000123",))
        assert twin.strange() == []


STREAM = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"\x1b@", b"\x1c&", b"\x1c.", b"\x1d!\x11", b"\x1dkI\x04{C\x01\x02", b"\x1dVB\x00", b"\n"]),
        st.sampled_from([b"\x1d(k\x03\x001Q0", b"\x1d(k\x05\x001P0ab", b"\x1d(k\x03\x001C\x05", b"\x1b@\x10\x04\x01"]),
        st.sampled_from([b"\x1dv0\x00\x02\x00\x01\x00\xff\x00", b"\x1dk\x04AB\x00", b"\x1ba\x02", b"\x1b!\x30"]),
    ),
    max_size=30,
).map(b"".join)


@given(STREAM)
@settings(deadline=None, max_examples=150)
def test_no_bytes_stop_the_twin(stream: bytes) -> None:
    press = Press(DEFAULT_PROFILE)
    while stream and 0 < (length := command_length(stream[:300], press.chinese)) <= len(stream):
        press.obey(stream[:length])
        stream = stream[length:]
    press.cut()
    assert press.finished[-1].image.width == DEFAULT_PROFILE.width_dots
