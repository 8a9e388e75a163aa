"""Which keys were a scan and which were typed; a repeated code is told once; a scanner is found by its device (A8)."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import Scanned
from drivers.repeats import Repeats
from drivers.usb_ports import UsbPort, is_usb_name, port_of, usb_ports
from drivers.wedge import GAP_S, LEAST_KEYS, REST_S, Burst, SlowKeys, Typed, Wedge, advice
from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason
from kiosk.ports import DeviceError


def test_a_burst_with_its_end_is_one_code() -> None:
    wedge = Wedge()
    assert [wedge.press(char, 1 + place * 0.01) for place, char in enumerate("C0000001")] == [None] * 8
    assert wedge.end(1.08) is None
    assert wedge.quiet(1.09) is None
    assert wedge.quiet(1.12) == Burst([Scanned("C0000001", None)])
    assert not wedge.holding


def typed_at(wedge: Wedge, text: str, at_s: float, gap_s: float = 0.002) -> list[Typed | Burst]:
    """What becomes of these keys and the silence after them."""
    found = []
    for place, char in enumerate(text):
        press = wedge.end if char == "\r" else partial(wedge.press, char)
        found.append(press(at_s + place * gap_s))
    found.append(wedge.quiet(at_s + len(text) * gap_s + 1))
    return [what for what in found if what is not None]


@pytest.mark.parametrize("gap_s", [0.002, 0.03, 0.045, 0.06])
def test_a_slow_scanner_is_heard_where_the_settings_name_its_gap(gap_s: float) -> None:
    assert typed_at(Wedge(0.07), "C0000001\r", 1.0, gap_s) == [Burst([Scanned("C0000001", None)])]


@pytest.mark.parametrize("label", ["BEGIN:VCARD\rP0000001\rEND:VCARD\r", "Hi\rP0000001\r", "P0000001\rP0000002\r"])
def test_the_lines_that_are_typed_without_a_pause_are_one_code_that_nobody_uses(label: str) -> None:
    assert typed_at(Wedge(), label, 1.0) == [Burst([Reason.CODE_UNKNOWN])]


def test_a_few_keys_and_enter_in_one_burst_are_given_back_whole() -> None:
    assert typed_at(Wedge(), "12\r", 1.0) == [Typed(3)]


@pytest.mark.parametrize("rest", ["123\r", "C000123\r", "\r"])
def test_the_rest_of_a_burst_that_was_cut_off_is_neither_typed_nor_a_code(rest: str) -> None:
    wedge = Wedge()
    assert typed_at(wedge, "C0000", 1.0) == [Burst((Reason.CODE_UNREADABLE,))]
    assert typed_at(wedge, rest, 1.3) == [Burst(())]
    assert typed_at(wedge, "C0000001\r", 1.5) == [Burst([Scanned("C0000001", None)])]
    typed_at(wedge, "C0000", 10.0)
    assert typed_at(wedge, "C0000001\r", 10.0 + REST_S + 0.1) == [Burst([Scanned("C0000001", None)])]


def slow_line(text: str, gap_s: float) -> float | None:
    keys = SlowKeys()
    for place, char in enumerate(text):
        keys.press(char, 5 + place * gap_s)
    return keys.end(5 + len(text) * gap_s)


def test_a_code_that_was_typed_too_slowly_for_a_scan_is_noticed_with_its_longest_pause() -> None:
    assert slow_line("C0000001", 0.05) == pytest.approx(0.05)
    assert "50 ms apart: set key_gap_ms = 80" in advice(0.0502)
    assert slow_line("C0000001", 0.002) is None  # a burst: the wedge told it
    assert slow_line("C0000001", 0.4) is None  # a person who looks for each key
    assert slow_line("Hello world", 0.05) is None
    assert slow_line("abcdefgh", 0.05) is None
    assert slow_line("123", 0.05) is None


def test_enter_after_a_pause_belongs_to_nobodys_burst() -> None:
    wedge = Wedge()
    for char in "C0000001":
        wedge.press(char, 1.0)
    assert wedge.end(1.0 + 2 * GAP_S) == Burst((Reason.CODE_UNREADABLE,))
    assert not wedge.holding
    assert wedge.end(1.0 + 2 * REST_S) is None


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
    wedge.end(1.0)
    found = wedge.quiet(2.0)
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
