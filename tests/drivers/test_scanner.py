"""Scanners: any bytes into frames; and the real serial path over a pty (A8, L1, L3)."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Scanner
from drivers.catalog import scanner as build_scanner
from drivers.catalog import scanner_profile
from drivers.frames import FRAME_S, REST_PAUSES, SETTLE_S, Ends, Frames, Scanned
from drivers.scanner import SerialScanner
from drivers.supervisor import Supervisor
from drivers.usb_ports import UsbPort
from drivers.virtual.scanner import VirtualScanner
from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason
from kiosk.ports import CodeRead, CodeTrouble, DeviceChanged, DeviceError, DeviceReason, DeviceState


def scanned(frames: Frames, data: bytes) -> list[Scanned | Reason]:
    """What comes of these bytes and the silence after them."""
    return frames.feed(data) + frames.pause()


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\t", b"\x03"])
def test_every_terminator_ends_a_code_once_and_soon(end: bytes) -> None:
    frames = Frames()
    for code in ("C0000001", "C0000002"):
        assert frames.feed(code.encode()) == []
        assert frames.patience_s == FRAME_S
        assert frames.feed(end) == []
        assert frames.patience_s == SETTLE_S
        assert frames.pause() == [Scanned(code, None)]
        assert not frames.pending


@pytest.mark.parametrize(
    "label",
    [
        b"BEGIN:VCARD\r\nP0000001\r\nEND:VCARD\r\n",
        b"P0000001\rP0000002\r",
        b"P0000001\n\nA library card\n",
        b"C0000001\tC0000002\r",
        b"]Q1BEGIN:VCARD\r\nP0000001\r\nEND:VCARD\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 999])
@pytest.mark.parametrize("ends", list(Ends))
def test_the_lines_of_one_label_are_one_code_that_nobody_uses(label: bytes, size: int, ends: Ends) -> None:
    frames = Frames(ends)
    heard = [event for at in range(0, len(label), size) for event in frames.feed(label[at : at + size])]
    assert heard + frames.pause() == [Reason.CODE_UNKNOWN]
    assert scanned(frames, b"C0000001\r") == [Scanned("C0000001", None)]


def test_a_label_of_several_lines_from_a_scanner_without_terminator_is_no_code_either() -> None:
    frames = Frames(Ends.PAUSE)
    assert scanned(frames, b"BEGIN:VCARD\r\nP0000001\r\nEND:VCARD") == [Reason.CODE_UNKNOWN]
    assert scanned(frames, b"C0000001") == [Scanned("C0000001", None)]


def test_two_scans_that_waited_together_are_two_where_each_names_its_kind_and_one_where_both_are_the_same() -> None:
    assert scanned(Frames(), b"]C0C0000001\r]A0C0000002\r") == [
        Scanned("C0000001", "code128"),
        Scanned("C0000002", "code39"),
    ]
    assert scanned(Frames(), b"C0000001\rC0000001\r") == [Scanned("C0000001", None)]


@pytest.mark.parametrize(
    "sent",
    [b"\x02C0000123\x03", b"\x02C0000123\x03\r\n", b"C0000123\x1e\x04\r", b"\0\0C0000123\r", b"C0000123\0\r\0",
     b"\x02]C0C0000123\x03", b"]C1\x1dC0000123\r"],
)  # fmt: skip
def test_what_frames_or_fills_up_a_code_is_no_part_of_it(sent: bytes) -> None:
    heard = scanned(Frames(), sent)
    assert [code.text if isinstance(code, Scanned) else code for code in heard] == ["C0000123"]


def test_a_message_of_iso_15434_is_no_librarys_code() -> None:
    assert scanned(Frames(), b"[)>\x1e06\x1d1PC0000123\x1e\x04\r") == [Reason.CODE_UNKNOWN]


@pytest.mark.parametrize("sent", [b"C000\x000123\r", b"C0000\x1d123\r", b"C000\x020123\r"])
def test_what_stands_inside_a_code_and_is_no_character_makes_it_unreadable(sent: bytes) -> None:
    assert scanned(Frames(), sent) == [Reason.CODE_UNREADABLE]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"]F0A30001000123456B", "30001000123456"),
        (b"]F0a3000d", "3000"),
        (b"]A0A3000B", "A3000B"),
        (b"A3000B", "A3000B"),
    ],
)
def test_a_codabar_label_is_one_text_with_and_without_its_start_and_stop_letters(sent: bytes, text: str) -> None:
    (heard,) = scanned(Frames(), sent + b"\r")
    assert isinstance(heard, Scanned)
    assert heard.text == text


def test_a_code_that_is_cut_off_twice_alike_is_no_code_once_a_terminator_was_seen() -> None:
    frames = Frames()
    for _ in range(3):
        assert scanned(frames, b"P123") == [Reason.CODE_UNREADABLE]
        assert scanned(frames, b"4567\r") == [Reason.CODE_UNREADABLE]
    frames = Frames()
    for _ in range(3):
        assert scanned(frames, b"P1234567") == [Reason.CODE_UNREADABLE]
        assert scanned(frames, b"\r") == []
    assert scanned(frames, b"P1234567\r") == [Scanned("P1234567", None)]


def test_the_rest_of_a_code_after_a_replug_is_no_code_and_the_port_learns_anew() -> None:
    frames = Frames()
    frames.feed(b"P123")
    assert frames.lost() == [Reason.CODE_UNREADABLE]
    assert scanned(frames, b"4567\r") == [Reason.CODE_UNREADABLE]
    frames.feed(b"P1234567\r")
    assert frames.lost() == [Scanned("P1234567", None)]
    assert frames.lost() == []
    assert [scanned(frames, b"C0000001") for _ in range(2)] == [[Reason.CODE_UNREADABLE], [Scanned("C0000001", None)]]


def test_a_pause_ends_a_code_where_the_settings_say_so() -> None:
    frames = Frames(Ends.PAUSE)
    assert frames.feed(b"C0000001") == []
    assert frames.pending
    assert frames.pause() == [Scanned("C0000001", None)]
    assert not frames.pending


@pytest.mark.parametrize("ends", [Ends.AUTO, Ends.TERMINATOR])
@pytest.mark.parametrize("cut", range(1, 12))
def test_a_pause_in_a_patrons_code_makes_no_other_patrons_code_of_it(ends: Ends, cut: int) -> None:
    frames, code = Frames(ends), b"P1234567890\r"
    assert frames.feed(code[:cut]) == []
    assert frames.pause() == [Reason.CODE_UNREADABLE]
    assert scanned(frames, code[cut:]) == ([Reason.CODE_UNREADABLE] if code[cut:] != b"\r" else [])
    assert scanned(frames, code) == [Scanned("P1234567890", None)]


def test_after_one_code_with_a_terminator_a_pause_ends_none_while_the_port_is_open() -> None:
    frames = Frames()
    assert scanned(frames, b"C0000001\r") == [Scanned("C0000001", None)]
    for _ in range(3):
        assert frames.feed(b"P12345678") == []
        assert frames.pause() == [Reason.CODE_UNREADABLE]
        assert [frames.pause() for _ in range(REST_PAUSES)] == [[]] * REST_PAUSES
        assert not frames.pending


def test_a_code_whose_rest_was_lost_swallows_no_code_that_is_scanned_a_second_later() -> None:
    frames = Frames(Ends.TERMINATOR)
    frames.feed(b"P12345678")
    assert frames.pause() == [Reason.CODE_UNREADABLE]
    for _ in range(REST_PAUSES - 1):
        assert frames.pending
        frames.pause()
    assert scanned(frames, b"C0000001\r") == [Scanned("C0000001", None)]


def test_a_scanner_without_terminator_is_believed_when_it_has_read_the_same_twice() -> None:
    frames, heard = Frames(), list[Scanned | Reason]()
    for code in (b"C0000001", b"C0000002", b"C0000002", b"C0000003"):
        heard += [*frames.feed(code), *frames.pause()]
    unclear = Reason.CODE_UNREADABLE
    assert heard == [unclear, unclear, Scanned("C0000002", None), Scanned("C0000003", None)]
    assert scanned(frames, b"C0000004\r") == [Scanned("C0000004", None)]
    assert [*frames.feed(b"C000"), *frames.pause()] == [unclear]


def test_a_terminator_in_noise_or_in_a_scanners_answer_teaches_nothing() -> None:
    frames = Frames()
    assert scanned(frames, b"\xff\x00\r\r\x02\x010000#SCNTRG1;\x06\x03") == [Reason.CODE_UNREADABLE]
    for _ in range(2):
        frames.feed(b"C0000001")
        heard = frames.pause()
    assert heard == [Scanned("C0000001", None)]


@pytest.mark.parametrize(
    ("sent", "symbology"), [(b"]C0C0000001", "code128"), (b"]A0C0000001", "code39"), (b"]F0C0000001", "codabar")]
)
def test_an_aim_identifier_tells_the_symbology_and_is_no_part_of_the_code(sent: bytes, symbology: str) -> None:
    assert scanned(Frames(), sent + b"\r") == [Scanned("C0000001", symbology)]


@pytest.mark.parametrize(
    ("sent", "symbology"),
    [
        (b"]E09789571234564", "ean13"),
        (b"]E3978957123456412", "ean13"),
        (b"]E112", "ean2"),
        (b"]E251299", "ean5"),
        (b"]E496385074", "ean8"),
        (b"]E796385074", None),
    ],
)
def test_the_modifier_tells_the_members_of_the_ean_family_apart(sent: bytes, symbology: str | None) -> None:
    assert scanned(Frames(), sent + b"\r") == [Scanned(sent[3:].decode(), symbology)]


def test_ten_thousand_characters_are_one_complaint_and_the_next_code_is_heard() -> None:
    frames = Frames()
    assert scanned(frames, b"9" * 10_000 + b"\r") == [Reason.CODE_TOO_LONG]
    assert scanned(frames, b"C0000001\r") == [Scanned("C0000001", None)]


def test_noise_is_a_complaint_and_no_code() -> None:
    assert scanned(Frames(), b"\xff\x00\x8f\r") == [Reason.CODE_UNREADABLE]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_become_an_endless_or_unprintable_code(chunks: list[bytes]) -> None:
    frames = Frames()
    heard = [event for chunk in chunks for event in frames.feed(chunk)] + frames.pause()
    for event in heard:
        if isinstance(event, Scanned):
            assert 0 < len(event.text) <= MAX_CODE_LENGTH
            assert event.text.isprintable()


@given(st.binary(max_size=400), st.integers(1, 50))
def test_how_bytes_are_cut_does_not_matter(data: bytes, size: int) -> None:
    whole, cut = Frames(), Frames()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert whole.feed(data) + whole.pause() == [e for piece in pieces for e in cut.feed(piece)] + cut.pause()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[tuple[VirtualScanner, Ears]]:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    supervisor = Supervisor([SerialScanner("scanner", str(twin.link), 9600, ears)], ears, back_off_s=(0.02,))
    supervisor.start()
    yield twin, ears
    supervisor.stop()
    twin.unplug()


def test_a_scanner_that_appears_later_is_found_and_heard(bench: tuple[VirtualScanner, Ears]) -> None:
    twin, ears = bench
    lost = ears.next()
    assert isinstance(lost, DeviceChanged)
    assert (lost.status.state, lost.status.reason) == (DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    twin.plug()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.scan("C0000001")
    assert ears.next() == CodeRead("scanner", "C0000001", None)


def test_an_unplugged_scanner_is_told_once_and_comes_back(bench: tuple[VirtualScanner, Ears]) -> None:
    twin, ears = bench
    twin.plug()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.unplug()
    lost = ears.next()
    assert isinstance(lost, DeviceChanged)
    assert lost.status.state is DeviceState.ABSENT
    twin.plug()
    back = ears.next()
    assert isinstance(back, DeviceChanged)
    assert back.status.state is DeviceState.READY
    twin.scan("", end="")
    twin.noise(b"\xfe\xfe\r")
    assert ears.next() == CodeTrouble("scanner", Reason.CODE_UNREADABLE)
    twin.scan("P1234567")
    assert ears.next() == CodeRead("scanner", "P1234567", None)


def test_the_rest_of_a_code_that_an_unplugged_cable_cut_off_is_no_code(bench: tuple[VirtualScanner, Ears]) -> None:
    twin, ears = bench
    twin.plug()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.scan("P123", end="")
    assert ears.next() == CodeTrouble("scanner", Reason.CODE_UNREADABLE)
    twin.unplug()
    twin.plug()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.scan("4567")
    assert ears.next() == CodeTrouble("scanner", Reason.CODE_UNREADABLE)
    twin.scan("P1234567")
    assert ears.next() == CodeRead("scanner", "P1234567", None)


def test_what_is_on_its_way_while_the_port_opens_is_no_code(tmp_path: Path) -> None:
    twin, ears, turn = VirtualScanner(tmp_path / "scanner"), Ears(), threading.Event()
    twin.plug()
    supervisor = Supervisor([SerialScanner("scanner", str(twin.link), 9600, ears)], ears)
    supervisor.start()
    while not ears.waiting():
        twin.noise(b"7")
        turn.wait(0.01)
    assert ears.next() == CodeTrouble("scanner", Reason.CODE_UNREADABLE)
    ready = ears.next()
    assert isinstance(ready, DeviceChanged)
    assert ready.status.state is DeviceState.READY
    supervisor.stop()
    twin.unplug()


def test_a_scanner_of_which_the_settings_say_it_ends_codes_with_a_pause(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    twin.plug()
    device = build_scanner(Scanner(path=str(twin.link), ends="pause"), ears)
    supervisor = Supervisor([device], ears, back_off_s=(0.02,))
    supervisor.start()
    ears.next()
    for code in ("P1234567", "C0000001"):
        twin.scan(code, end="")
        assert ears.next() == CodeRead("scanner", code, None)
    supervisor.stop()
    twin.unplug()


def test_what_ends_a_code_cannot_be_said_of_packets_and_of_scanners_that_type() -> None:
    for entry in ({"path": "/dev/ttyACM0", "profile": "zebra-ssi"}, {"path": "/dev/input/by-id/gun-event-kbd"}):
        with pytest.raises(ValueError, match="no ends for packets"):
            Scanner(**entry, ends="pause")  # type: ignore[arg-type]


def test_a_scanner_that_reads_on_by_itself_tells_a_code_once_and_another_at_once(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    twin.plug()
    scanner = SerialScanner("scanner", str(twin.link), 9600, ears, repeat_s=30.0)
    supervisor = Supervisor([scanner], ears, back_off_s=(0.02,))
    supervisor.start()
    ears.next()
    for code in ("C0000001", "C0000001", "C0000001", "C0000002"):
        twin.scan(code)
    assert [ears.next(), ears.next()] == [CodeRead("scanner", f"C000000{n}", None) for n in (1, 2)]
    supervisor.stop()
    twin.unplug()


def test_a_scanner_is_found_by_its_usb_id_and_hears_its_makers_commands(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "ttyACM7"), Ears()
    there = UsbPort(path=str(twin.link), vendor="0c2e", product="0b61", serial="S1")
    entry = Scanner(path="usb:0c2e:0b61:S1", profile="honeywell", beep="07 07")
    profile = scanner_profile(entry)
    scanner = SerialScanner("scanner", entry.path, profile.baud, ears, ports=lambda: (there,) if twin.plugged else ())
    supervisor = Supervisor([scanner], ears, back_off_s=(0.02,))
    supervisor.start()
    lost = ears.next()
    assert isinstance(lost, DeviceChanged)
    assert lost.status.reason is DeviceReason.NOT_PLUGGED
    with pytest.raises(DeviceError, match="not_plugged"):
        scanner.send(profile.beep)
    twin.plug()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    scanner.send(profile.trigger_on)
    assert (profile.baud, twin.heard()) == (115200, b"\x16T\r")
    scanner.send(profile.beep)
    assert twin.heard() == b"\x07\x07"
    supervisor.stop()
    twin.unplug()


def test_a_newland_scanners_answer_to_the_trigger_is_no_code() -> None:
    frames = Frames()
    assert frames.feed(b"\x02\x010000#SCNTRG1\x06;\x03") == []
    assert scanned(frames, b"C0000001\r") == [Scanned("C0000001", None)]
