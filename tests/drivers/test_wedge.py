"""Which keys were a scan and which were typed; a repeated code is told once; a scanner is found by its device (A8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import Scanned
from drivers.repeats import Repeats
from drivers.usb_ports import UsbPort, is_usb_name, port_of, usb_ports
from drivers.wedge import GAP_S, LEAST_KEYS, Burst, Typed, Wedge
from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason
from kiosk.ports import DeviceError


def test_a_burst_with_its_end_is_one_code() -> None:
    wedge = Wedge()
    assert [wedge.press(char, 1 + place * 0.01) for place, char in enumerate("C0000001")] == [None] * 8
    assert wedge.end(1.08) == Burst([Scanned("C0000001", None)])
    assert not wedge.holding


def test_enter_after_a_pause_belongs_to_nobodys_burst() -> None:
    wedge = Wedge()
    for char in "C0000001":
        wedge.press(char, 1.0)
    assert wedge.end(1.0 + 2 * GAP_S) == Burst((Reason.CODE_UNREADABLE,))
    assert wedge.end(1.2) is None


@given(st.lists(st.tuples(st.characters(categories=["L", "N", "P"]), st.floats(0, 0.1)), max_size=40))
def test_every_key_comes_back_as_typed_or_was_part_of_a_burst(keys: list[tuple[str, float]]) -> None:
    wedge, now, typed, held = Wedge(), 0.0, 0, 0
    for char, gap in [*keys, ("", 1.0)]:
        now += gap
        found = wedge.press(char, now) if char else wedge.quiet(now)
        if isinstance(found, Typed):
            assert found.count == held < LEAST_KEYS
            typed += found.count
        held = held + 1 if found is None else 1
    assert typed <= len(keys)
    assert not wedge.holding


@given(st.text(max_size=300))
def test_no_burst_becomes_an_endless_or_unprintable_code(text: str) -> None:
    wedge = Wedge()
    for char in text:
        wedge.press(char, 1.0)
    found = wedge.end(1.0)
    for code in found.heard if isinstance(found, Burst) else ():
        if isinstance(code, Scanned):
            assert 0 < len(code.text) <= MAX_CODE_LENGTH
            assert code.text.isprintable()


def test_a_code_in_sight_is_told_once_until_it_was_away_for_the_window() -> None:
    repeats = Repeats(1.0)
    told = [at for at in (0.0, 0.4, 0.9, 1.5, 2.4, 3.5) if not repeats.again("C1", at)]
    assert told == [0.0, 3.5]
    assert not repeats.again("C2", 3.6)
    assert not repeats.again("C1", 3.7)
    assert not Repeats(0.0).again("C1", 0.0)


A = UsbPort(path="/dev/ttyACM0", vendor="0c2e", product="0b61", serial="A1")
B = UsbPort(path="/dev/ttyACM1", vendor="0c2e", product="0b61", serial="B2", links=("/dev/serial/by-id/usb-H-if00",))


def test_a_device_is_found_wherever_it_is_plugged_in() -> None:
    assert port_of("usb:0C2E:0B61:B2", [A, B]) == "/dev/ttyACM1"
    assert port_of("usb:0c2e:0b61", [A]) == "/dev/ttyACM0"
    assert port_of("/dev/ttyS0", [A, B]) == "/dev/ttyS0"
    assert [port.stable for port in (A, B)] == ["usb:0c2e:0b61:A1", "/dev/serial/by-id/usb-H-if00"]
    assert is_usb_name(A.stable)
    for missing in ("usb:0c2e:0b61:C3", "usb:ffff:0b61", "usb:0c2e:0b61"):
        with pytest.raises(DeviceError, match="not_plugged"):
            port_of(missing, [A, B])


def test_udev_can_be_asked_on_any_machine() -> None:
    assert all(port.path.startswith("/dev/") for port in usb_ports())
