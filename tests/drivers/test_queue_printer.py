"""A slip printer behind a print queue, with the real scheduler and commands of CUPS: spooled is never called printed."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import print_scheduler
import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st
from print_room import SLIP, ended, is_now
from print_scheduler import Cups

from drivers import cups
from drivers.cups import QueueState, Working, read_queue, read_queues, reason_of_alerts
from drivers.queue_printer import QueuePatience, QueuePrinter
from drivers.supervisor import Supervisor
from drivers.virtual.printer import VirtualPrinter
from kiosk.ports import DeviceReason, DeviceState, PrintEnded, PrintOutcome

Fault = Callable[[VirtualPrinter], None]
SHORT = QueuePatience(wait_s=0.6, watch_s=0.02, poll_s=0.05)
LONG = QueuePatience(wait_s=20.0, watch_s=0.02, poll_s=0.05)

SETTINGS = """
library_name = "青田市立圖書館"
branch = "main"
branch_name = "Main"
data = "data"
keys = "keys"
codes = [{ type = "item", pattern = "C[0-9]{7}" }]
devices = { readers = [], printers = [{ queue = "slips" }] }
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Cups]:
    with print_scheduler.running() as running:
        yield running


@pytest.fixture
def twin() -> Iterator[VirtualPrinter]:
    with VirtualPrinter() as printer:
        yield printer


@pytest.fixture
def queue(scheduler: Cups, twin: VirtualPrinter, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a queue that prints on the twin."""
    monkeypatch.setenv("CUPS_SERVER", scheduler.environment["CUPS_SERVER"])
    scheduler.add_queue("slips", twin.port)
    yield "slips"
    scheduler.admin("lpadmin", "-x", "slips")


@contextmanager
def running(queue: str, patience: QueuePatience = LONG) -> Iterator[tuple[QueuePrinter, Ears]]:
    ears = Ears()
    printer = QueuePrinter("slips", queue, mailbox=ears, patience=patience)
    supervisor = Supervisor([printer], ears, back_off_s=(0.02,))
    supervisor.start()
    try:
        yield printer, ears
    finally:
        supervisor.stop()


def test_a_slip_goes_through_the_queue_unchanged_and_is_called_spooled(queue: str, twin: VirtualPrinter) -> None:
    with running(queue) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.SPOOLED)
    slip = twin.wait_for_slip()
    assert slip.text[:6] == tuple(f"第{number}行" for number in range(6))
    assert twin.strange() == []


def test_a_slip_that_waits_for_its_printer_is_taken_back_and_never_comes_out(queue: str, twin: VirtualPrinter) -> None:
    with running(queue, SHORT) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        twin.unplug()
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_REACHABLE)
        twin.plug()
    with running(queue) as (printer, ears):
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.SPOOLED)
        twin.wait_for_slip()
    assert len(twin.slips()) == 1


@pytest.mark.parametrize(
    ("fault", "mended", "reason"),
    [
        (VirtualPrinter.paper_out_now, VirtualPrinter.load_paper, DeviceReason.PAPER_OUT),
        (VirtualPrinter.open_cover, VirtualPrinter.close_cover, DeviceReason.COVER_OPEN),
    ],
)
def test_what_the_queue_heard_of_the_printer_is_told_and_an_old_fault_stops_no_later_slip(
    queue: str, twin: VirtualPrinter, fault: Fault, mended: Fault, reason: DeviceReason
) -> None:
    with running(queue, SHORT) as (printer, ears):
        fault(twin)
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, reason)
        ears.until(is_now(DeviceState.READY, reason))
        mended(twin)
        printer.print_slip("two", SLIP)
        ears.until(is_now(DeviceState.READY))
        assert ended(ears) == PrintEnded("two", PrintOutcome.SPOOLED)


@pytest.mark.parametrize(("stop", "start"), [("cupsdisable", "cupsenable"), ("cupsreject", "cupsaccept")])
def test_a_stopped_queue_gets_no_slip_and_comes_back(
    scheduler: Cups, queue: str, twin: VirtualPrinter, stop: str, start: str
) -> None:
    with running(queue) as (printer, ears):
        ears.until(is_now(DeviceState.READY))
        scheduler.admin(stop, queue)
        ears.until(is_now(DeviceState.FAULT, DeviceReason.QUEUE_STOPPED))
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.QUEUE_STOPPED)
        scheduler.admin(start, queue)
        ears.until(is_now(DeviceState.READY))
        printer.print_slip("two", SLIP)
        assert ended(ears) == PrintEnded("two", PrintOutcome.SPOOLED)


def test_a_queue_that_is_not_there_is_not_plugged(queue: str) -> None:
    with running("nowhere") as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.NOT_PLUGGED)


def test_without_a_scheduler_the_service_is_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, queue: str) -> None:
    monkeypatch.setenv("CUPS_SERVER", str(tmp_path / "nobody"))
    with running(queue) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.SERVICE_DOWN)
    assert cups.queues() == ()


def test_without_the_commands_it_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with running("slips") as (_, ears):
        told = ears.until(is_now(DeviceState.ABSENT, DeviceReason.SERVICE_DOWN))
    assert "cups-client" in str(told)


def commands(monkeypatch: pytest.MonkeyPatch, folder: Path, **says: str) -> Path:
    """Commands of CUPS that say this; the file that tells which jobs were cancelled. `$HERE` is their folder."""
    for name, text in {"cancel": 'echo "$*" >> $HERE/cancelled', **says}.items():
        command = folder / name
        command.write_text(f"#!/bin/sh\nHERE={folder}\n{text}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "cancelled"


IDLE_QUEUE = "echo 'printer slips is idle.'; echo 'slips accepting requests'"
TAKES = "cat >/dev/null; echo 'request id is slips-7 (1 file(s))'"
STANDS = f'echo "slips-6 somebody 1024 now"; echo "slips-7 {pwd.getpwuid(os.getuid()).pw_name} 1024 now"'
HASTY = replace(SHORT, wait_s=0.3, command_s=1.5)


def test_a_command_that_hangs_ends_at_its_deadline_and_the_slip_is_in_doubt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands(monkeypatch, tmp_path, lpstat=f'[ "$1" = -o ] || {{ {IDLE_QUEUE}; }}', lp="exec sleep 60")
    with running("slips", replace(LONG, command_s=0.2)) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        ears.until(is_now(DeviceState.READY))


def test_a_job_that_was_handed_over_by_a_command_that_hangs_is_found_and_never_comes_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, queue: str, twin: VirtualPrinter
) -> None:
    twin.unplug()
    lp = shutil.which("lp")
    commands(monkeypatch, tmp_path, lp=f'{lp} "$@"; exec sleep 60', cancel=f'exec {shutil.which("cancel")} "$@"')
    with running(queue, replace(LONG, command_s=1.5)) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, DeviceReason.SILENT)
        ears.until(is_now(DeviceState.READY))
    assert cups.Queue(queue).own_jobs() == ()
    assert twin.slips() == []


@pytest.mark.parametrize(
    ("broken", "reason"), [("exec sleep 60", DeviceReason.SILENT), ("exit 1", DeviceReason.SERVICE_DOWN)]
)
def test_a_job_that_stands_in_the_queue_is_taken_back_even_if_the_queue_does_not_tell_its_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str, reason: DeviceReason
) -> None:
    state = f"[ ! -f $HERE/given ] || {broken}; {IDLE_QUEUE}"
    lpstat = f'case "$1" in -o) {STANDS};; -r) exit 1;; *) {state};; esac'
    cancelled = commands(monkeypatch, tmp_path, lp=f"touch $HERE/given; {TAKES}", lpstat=lpstat)
    with running("slips", HASTY) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.FAILED, reason)
    assert cancelled.read_text() == "slips-7\n"


def test_a_scheduler_that_does_not_say_how_a_job_stands_is_asked_until_the_job_has_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = f"echo x >> $HERE/asked; case $(wc -l < $HERE/asked) in 1|2) exit 1;; 3) {STANDS};; esac"
    lpstat = f'if [ "$1" = -o ]; then {asked}; else {IDLE_QUEUE}; fi'
    cancelled = commands(monkeypatch, tmp_path, lp=TAKES, lpstat=lpstat)
    with running("slips", LONG) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.SPOOLED)
    assert (tmp_path / "asked").read_text().count("x") == 4
    assert not cancelled.exists()


def test_a_job_that_could_not_be_taken_back_is_in_doubt_and_cancelled_once_the_scheduler_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    lpstat = f'if [ "$1" = -o ]; then [ -f $HERE/back ] || exit 1; [ -f $HERE/cancelled ] || {{ {STANDS}; }}; else {IDLE_QUEUE}; fi'
    cancelled = commands(
        monkeypatch,
        tmp_path,
        lp=TAKES,
        lpstat=lpstat,
        cancel='[ -f $HERE/back ] || exit 1; echo "$*" >> $HERE/cancelled',
    )
    with running("slips", HASTY) as (printer, ears):
        printer.print_slip("one", SLIP)
        assert ended(ears) == PrintEnded("one", PrintOutcome.UNCONFIRMED)
        back.touch()
        ears.until(is_now(DeviceState.READY))
    assert cancelled.read_text() == "slips-7\n"


def test_the_queues_of_this_machine_are_named_with_their_devices(queue: str, twin: VirtualPrinter) -> None:
    assert cups.queues() == (("slips", f"twin://127.0.0.1:{twin.port}"),)


def test_the_commands_name_ask_and_try_a_queue(tmp_path: Path, queue: str, twin: VirtualPrinter) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS, encoding="utf-8")

    def call(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [Path(sys.executable).parent / "shelfpoint", "devices", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)

    assert 'queue = "slips"' in call("suggest").stdout
    probed = call("probe", "printer", "--config", config)
    assert probed.stdout.splitlines() == [
        "# queue slips: idle, takes jobs",
        "# heard of the printer with the last job: nothing wrong",
        'confirms = "none"',
    ], probed.stderr
    tested = call("test", "printer", "--config", config)
    assert tested.returncode == 1
    assert "nobody says whether it was printed" in tested.stderr
    assert twin.wait_for_slip().codes == ("C0000123", "青田市立圖書館 C0000123")
    recorded = call("record", tmp_path / "tape", "--name", "printer", "--config", config)
    assert "behind a print queue" in recorded.stderr


PRINTING = """\
printer slips now printing slips-4.  enabled since Sat Nov 21 12:40:08 2026
	Alerts: media-low-report com.example-thing
slips accepting requests since Sat Nov 21 12:40:08 2026
"""
IDLE = "printer slips is idle.  enabled since Sat Nov 21 12:40:08 2026\n"


@pytest.mark.parametrize(
    ("told", "state", "reason"),
    [
        (f"{IDLE}\tAlerts: none\nslips accepting requests since Sat", QueueState(Working.IDLE, True, ()), None),
        (
            PRINTING,
            QueueState(Working.PRINTING, True, ("media-low-report", "com.example-thing")),
            DeviceReason.PAPER_LOW,
        ),
        (
            "printer slips disabled since Sat -\n\tPaused\n\tAlerts: paused\nslips accepting requests since Sat",
            QueueState(Working.STOPPED, True, ("paused",)),
            DeviceReason.QUEUE_STOPPED,
        ),
        (
            f"{IDLE}slips not accepting requests since Sat -\n\tclosed",
            QueueState(Working.IDLE, False, ()),
            DeviceReason.QUEUE_STOPPED,
        ),
    ],
)
def test_the_words_of_lpstat_are_understood(told: str, state: QueueState, reason: DeviceReason | None) -> None:
    assert read_queue(told, "slips") == state
    assert state.reason is reason


def test_the_gravest_alert_is_told() -> None:
    assert reason_of_alerts(("media-low-warning", "media-empty-error", "door-open")) is DeviceReason.COVER_OPEN
    assert reason_of_alerts(("marker-supply-low-warning", "spool-area-full-report")) is None
    assert reason_of_alerts(("media-jam-error", "media-low")) is DeviceReason.PRINTER_ERROR


PIECES = st.sampled_from(
    [
        "printer slips ",
        "is idle",
        "disabled",
        "slips accepting requests",
        "\tAlerts:",
        " none",
        "\n",
        "device for ",
        ": ",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_no_answer_of_cups_stops_the_reading(told: str) -> None:
    state = read_queue(told, "slips")
    assert state is None or state.working in Working
    assert all(name and address for name, address in read_queues(told))
