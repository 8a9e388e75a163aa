"""Scanners that type, read from the kernel's events: every key, any bytes, and a node that comes and goes (A8, L1, L3)."""

import errno
import os
import re
import string
import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Event_

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Devices, Scanner
from drivers.catalog import scanner as driver_of
from drivers.frames import Frames, Scanned
from drivers.input_scanner import GRAB, InputScanner
from drivers.key_events import DOWN, EVENT, KEY, PLAIN, SHIFTED, SYN, UNREADABLE, UP, Keys
from drivers.supervisor import Supervisor
from drivers.virtual.keyboard_scanner import SHIFT, VirtualKeyboardScanner, event, typed
from kiosk.domain.values import Reason
from kiosk.ports import CodeRead, CodeTrouble, DeviceChanged, DeviceReason, DeviceState, Event

PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))
HEADER = Path("/usr/include/linux/input-event-codes.h")
A, CAPS, CTRL, ALT, F1 = 30, 58, 29, 56, 59


def press(*codes: int) -> bytes:
    return b"".join(event(KEY, code, DOWN) + event(KEY, code, UP) for code in codes)


def test_every_printable_character_can_be_typed_and_ends_with_enter_or_tab() -> None:
    assert Keys().feed(typed(PRINTABLE + "\r\t")) == PRINTABLE.encode() + b"\r\t"


@pytest.mark.skipif(not HEADER.exists(), reason="the kernel's headers are not installed")
def test_the_key_codes_are_the_kernels() -> None:
    kernel = {name: int(code) for name, code in re.findall(r"#define KEY_(\w+)\s+(\d+)\b", HEADER.read_text())}
    for char in string.ascii_uppercase + string.digits:
        assert PLAIN[kernel[char]] == char.lower()
    for name, char in {"KP7": "7", "KP0": "0", "MINUS": "-", "SLASH": "/", "ENTER": "\r", "KPENTER": "\r"}.items():
        assert PLAIN[kernel[name]] == char
    assert SHIFTED[kernel["4"]] == "$"
    assert kernel["LEFTSHIFT"] == SHIFT


def test_the_grab_is_the_kernels_number() -> None:
    assert 1 << 30 | struct.calcsize("i") << 16 | ord("E") << 8 | 0x90 == GRAB


def test_an_event_has_the_kernels_size_on_this_machine() -> None:
    assert EVENT.size == 2 * struct.calcsize("l") + 8


def test_capitals_come_by_shift_or_caps_lock_and_letting_go_types_nothing() -> None:
    assert Keys().feed(typed("Ab")) == b"Ab"
    assert Keys().feed(press(CAPS, A, CAPS, A)) == b"Aa"
    assert Keys().feed(event(KEY, A, 2) + event(KEY, A, UP)) == b""  # held down until it repeats


@pytest.mark.parametrize(
    "half",
    [
        press(F1),
        event(KEY, CTRL, DOWN) + press(A) + event(KEY, CTRL, UP),
        event(KEY, ALT, DOWN) + press(82, 80) + event(KEY, ALT, UP),
        event(SYN, 3, 0),
    ],
    ids=["no character", "under Ctrl", "by Alt and digits", "events were dropped"],
)
def test_what_may_hide_a_character_makes_the_whole_code_unreadable_and_the_next_is_heard(half: bytes) -> None:
    keys, frames = Keys(), Frames()
    text = keys.feed(typed("C00") + half + typed("001\r"))
    assert UNREADABLE in text
    assert frames.feed(text) + frames.pause() == [Reason.CODE_UNREADABLE]
    assert frames.feed(keys.feed(typed("C0000002\r"))) + frames.pause() == [Scanned("C0000002", None)]


@given(st.text(PRINTABLE, max_size=40), st.lists(st.integers(1, 50), max_size=40))
def test_a_code_cut_into_any_pieces_is_the_same_code(code: str, cuts: list[int]) -> None:
    keys, data, heard = Keys(), typed(code + "\r"), b""
    for cut in cuts:
        heard += keys.feed(data[:cut])
        data = data[cut:]
    assert heard + keys.feed(data) == code.encode() + b"\r"


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_crash_the_keys_or_become_what_no_code_is(pieces: list[bytes]) -> None:
    keys, frames = Keys(), Frames()
    for piece in pieces:
        for heard in frames.feed(keys.feed(piece)) + frames.pause():
            assert isinstance(heard, Reason) or heard.text.isprintable()


def ready(told: Event) -> bool:
    return isinstance(told, DeviceChanged) and told.status.state is DeviceState.READY


class Node:
    """The twin's node, and what the kernel would say to the grab."""

    def __init__(self, folder: Path) -> None:
        self.ears = Ears()
        self.twin = VirtualKeyboardScanner(folder / "usb-Scanner-event-kbd")
        self.grabbed = 0
        self.refuse: int | None = None
        self.scanner = InputScanner("gun", str(self.twin.path), self.ears, grab=self.grab)
        self.supervisor = Supervisor([self.scanner], self.ears, back_off_s=(0.02,))

    def grab(self, node: int) -> None:
        self.grabbed += 1
        if self.refuse is not None:
            raise OSError(self.refuse, os.strerror(self.refuse))

    def until(self, state: DeviceState, reason: DeviceReason | None) -> None:
        self.ears.until(
            lambda told: isinstance(told, DeviceChanged) and (told.status.state, told.status.reason) == (state, reason)
        )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.supervisor.stop()
    made.twin.unplug()


def test_a_scanner_that_types_is_grabbed_and_told_like_any_other(node: Node) -> None:
    node.twin.plug()
    node.supervisor.start()
    node.ears.until(ready)
    assert node.grabbed == 1
    node.twin.scan("]C0C0000001")
    assert node.ears.next() == CodeRead("gun", "C0000001", "code128")
    node.twin.scan("C0000002", end="")
    assert node.ears.next() == CodeTrouble("gun", Reason.CODE_UNREADABLE)  # a pause ends no code
    node.twin.noise(press(F1) + typed("\r"))
    assert node.ears.next() == CodeTrouble("gun", Reason.CODE_UNREADABLE)


def test_it_comes_and_goes_by_itself(node: Node) -> None:
    node.supervisor.start()
    node.until(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    node.twin.plug()
    node.ears.until(ready)
    node.twin.unplug()
    node.until(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    node.twin.plug()
    node.ears.until(ready)
    node.twin.scan("C0000003")
    assert node.ears.next() == CodeRead("gun", "C0000003", None)


@pytest.mark.parametrize(
    ("refused", "state", "reason"),
    [
        (errno.EBUSY, DeviceState.FAULT, DeviceReason.HELD_BY_OTHER),
        (errno.EACCES, DeviceState.FAULT, DeviceReason.NO_PERMISSION),
        (errno.ENODEV, DeviceState.ABSENT, DeviceReason.NOT_PLUGGED),
    ],
)
def test_a_node_that_cannot_be_grabbed_says_why_and_is_never_read_ungrabbed(
    node: Node, refused: int, state: DeviceState, reason: DeviceReason
) -> None:
    node.refuse = refused
    node.twin.plug()
    node.twin.scan("C0000004")
    node.supervisor.start()
    node.until(state, reason)
    node.refuse = None
    node.ears.until(lambda told: told == CodeTrouble("gun", Reason.CODE_UNREADABLE))  # perhaps it had begun before
    node.ears.until(ready)
    node.twin.scan("C0000005")
    assert node.ears.next() == CodeRead("gun", "C0000005", None)


def test_the_rest_of_a_code_that_an_unplugged_cable_cut_off_is_no_code(node: Node) -> None:
    node.twin.plug()
    node.supervisor.start()
    node.ears.until(ready)
    node.twin.scan("P123", end="")
    node.twin.unplug()
    assert node.ears.next() == CodeTrouble("gun", Reason.CODE_UNREADABLE)
    node.twin.plug()
    node.ears.until(ready)
    node.twin.scan("4567")
    assert node.ears.next() == CodeTrouble("gun", Reason.CODE_UNREADABLE)


def test_a_scanner_that_types_more_slowly_than_its_setting_is_told_with_what_would_help(node: Node) -> None:
    node.twin.plug()
    node.supervisor.start()
    node.ears.until(ready)
    for char in "P1\r":
        node.twin.scan(char, end="")
        Event_().wait(0.14)
    told = node.ears.until(lambda event: isinstance(event, DeviceChanged))
    assert isinstance(told, DeviceChanged)
    assert told.status.state is DeviceState.READY
    assert "set key_gap_ms = 2" in told.status.detail


def test_the_longest_pause_between_two_keys_is_a_setting(tmp_path: Path) -> None:
    assert Devices(keyboard_scanner=True, key_gap_ms=80).key_gap_ms == 80
    assert Scanner(path="/dev/input/by-id/gun-event-kbd", key_gap_ms=80).key_gap_ms == 80
    with pytest.raises(ValueError, match="no key_gap_ms for a scanner on a serial port"):
        Scanner(path="/dev/ttyACM0", key_gap_ms=80)
    twin, ears = VirtualKeyboardScanner(tmp_path / "gun"), Ears()
    twin.plug()
    supervisor = Supervisor([InputScanner("gun", str(twin.path), ears, key_gap_s=0.25, grab=lambda node: None)], ears)
    supervisor.start()
    ears.until(ready)
    for char in "P123\r":
        twin.scan(char, end="")
        Event_().wait(0.12)
    assert ears.next() == CodeRead("gun", "P123", None)
    supervisor.stop()
    twin.unplug()


def test_a_file_that_is_no_input_device_is_refused_by_the_kernels_own_grab(tmp_path: Path) -> None:
    twin, ears = VirtualKeyboardScanner(tmp_path / "pipe"), Ears()
    twin.plug()
    supervisor = Supervisor([InputScanner("gun", str(twin.path), ears)], ears, back_off_s=(0.02,))
    supervisor.start()
    told = ears.next()
    assert isinstance(told, DeviceChanged)
    assert told.status.reason is DeviceReason.NOT_PLUGGED
    supervisor.stop()
    twin.unplug()


def test_a_path_of_an_input_device_makes_such_a_scanner_and_takes_no_commands() -> None:
    path = "/dev/input/by-id/usb-Scanner-event-kbd"
    assert isinstance(driver_of(Scanner(path=path), Ears()), InputScanner)
    for more in ({"baud": 9600}, {"signals": True}, {"trigger_on": "16 54 0D"}, {"trigger": True}):
        with pytest.raises(ValueError, match="a scanner that types"):
            Scanner(path=path, **more)  # type: ignore[arg-type]
