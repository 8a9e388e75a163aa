"""A scanner in manual-trigger mode is pulled while codes are wanted, and dark otherwise (A8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ears import Ears

from config.settings import BadSettings, Devices, Scanner
from drivers.catalog import build_devices, scanner
from drivers.scanner import SerialScanner
from drivers.supervisor import Supervisor
from drivers.trigger import AGAIN_S, REST_S, Trigger
from drivers.virtual.scanner import VirtualScanner
from kiosk.ports import CodeRead, DeviceChanged, DeviceState

ON, OFF = b"\x16T\r", b"\x16U\r"


def test_it_is_pulled_once_while_wanted_and_let_go_once() -> None:
    trigger = Trigger(ON, OFF)
    assert (trigger.say(wanted=False, now_s=0), trigger.patience_s(0)) == (b"", None)
    assert (trigger.say(wanted=True, now_s=10), trigger.patience_s(10)) == (ON, AGAIN_S)
    assert trigger.say(wanted=True, now_s=10 + AGAIN_S / 2) == b""
    assert (trigger.say(wanted=False, now_s=12), trigger.patience_s(12)) == (OFF, None)
    assert trigger.say(wanted=False, now_s=13) == b""


def test_it_is_pulled_again_when_its_own_time_may_be_up() -> None:
    trigger = Trigger(ON, OFF)
    trigger.say(wanted=True, now_s=0)
    assert trigger.say(wanted=True, now_s=AGAIN_S) == ON


def test_a_code_makes_it_dark_so_it_is_pulled_a_moment_later() -> None:
    trigger = Trigger(ON, OFF)
    trigger.say(wanted=True, now_s=0)
    trigger.fell(1.0)
    assert trigger.patience_s(1.0) == pytest.approx(REST_S)
    assert trigger.say(wanted=True, now_s=1.0 + REST_S / 2) == b""
    assert trigger.say(wanted=True, now_s=1.0 + REST_S) == ON
    trigger.say(wanted=False, now_s=2.0)
    trigger.fell(2.1)
    assert trigger.patience_s(2.1) is None


def test_a_scanner_without_a_trigger_is_never_told_anything() -> None:
    trigger = Trigger()
    assert [trigger.say(wanted=wanted, now_s=0) for wanted in (True, False)] == [b"", b""]
    assert trigger.patience_s(0) is None


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[VirtualScanner]:
    twin = VirtualScanner(tmp_path / "scanner")
    twin.plug()
    yield twin
    twin.unplug()


def test_the_kiosk_pulls_while_codes_are_wanted_after_each_code_and_lets_go(twin: VirtualScanner) -> None:
    ears = Ears()
    device = scanner(Scanner(path=str(twin.link), profile="honeywell", trigger=True), ears)
    supervisor = Supervisor([device], ears, back_off_s=(0.02,))
    assert isinstance(device, SerialScanner)
    supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    device.wanted(True)
    assert twin.heard() == ON
    twin.scan("C0000001")
    assert ears.next() == CodeRead("scanner", "C0000001", None)
    assert twin.heard() == ON
    twin.scan("C0000001")
    assert twin.heard() == ON  # a book that still lies there is read again by the pull, and is one scan
    device.wanted(False)
    assert twin.heard() == OFF
    twin.scan("C0000002")
    assert ears.next() == CodeRead("scanner", "C0000002", None)
    device.wanted(True)
    assert twin.heard() == ON
    supervisor.stop()
    assert twin.heard() == OFF


def test_one_plugged_in_while_codes_are_wanted_is_pulled_at_once(twin: VirtualScanner) -> None:
    ears = Ears()
    twin.unplug()
    entry = Scanner(path=str(twin.link), profile="datalogic", trigger=True)
    built = build_devices(Devices(readers=(), scanners=(entry,)), ears)
    supervisor = Supervisor(built.supervisor.devices, ears, back_off_s=(0.02,))
    for device in built.looking:
        device.wanted(True)
    supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.ABSENT)
    twin.plug()
    assert twin.heard() == b"T"
    supervisor.stop()


def test_half_a_code_is_not_cut_off_by_a_page_that_changes(twin: VirtualScanner) -> None:
    ears = Ears()
    device = scanner(Scanner(path=str(twin.link), profile="honeywell", trigger=True), ears)
    supervisor = Supervisor([device], ears, back_off_s=(0.02,))
    supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.noise(b"C000")
    for _ in range(4):
        device.wake()
    twin.scan("0001")
    assert ears.next() == CodeRead("scanner", "C0000001", None)
    supervisor.stop()


def test_by_default_nothing_is_sent(twin: VirtualScanner) -> None:
    ears = Ears()
    device = build_devices(Devices(readers=(), scanners=(Scanner(path=str(twin.link), profile="honeywell"),)), ears)
    device.supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    for looking in device.looking:
        looking.wanted(True)
    twin.scan("C0000001")
    assert ears.next() == CodeRead("scanner", "C0000001", None)
    device.supervisor.stop()
    assert twin.heard(0.0) == b""


@pytest.mark.parametrize("profile", ["generic", "zebra"])
def test_a_trigger_without_a_command_is_refused_with_the_key(profile: str) -> None:
    entry = Scanner.model_validate({"path": "/dev/ttyS0", "profile": profile, "trigger": True})
    with pytest.raises(
        BadSettings, match=r"key trigger: expected a profile with a trigger \(honeywell, .* or trigger_on"
    ):
        scanner(entry, Ears())
    own = Scanner.model_validate({"path": "/dev/ttyS0", "profile": profile, "trigger": True, "trigger_on": "54"})
    assert scanner(own, Ears()).name == "scanner"
