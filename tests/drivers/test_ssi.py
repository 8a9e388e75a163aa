"""Zebra's SSI packets: the manual's bytes, any bytes, repeats, and the real serial path (A8, L1)."""

from pathlib import Path

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Scanner
from drivers.catalog import scanner as driver_of
from drivers.frames import Scanned
from drivers.scanner_profiles import SCANNER_PROFILES
from drivers.ssi import ACK, DECODE_DATA, REST_PAUSES, SCANNER, SsiFrames, packet
from drivers.supervisor import Supervisor
from drivers.virtual.scanner import VirtualScanner
from kiosk.domain.values import Reason
from kiosk.ports import CodeRead, DeviceChanged, DeviceState

ACKED, RESEND = bytes.fromhex("04D00400FF28"), bytes.fromhex("05D1040001FF25")
CODE128, QR = b"\x03", b"\x1c"


def scan(text: str, kind: bytes = CODE128, status: int = 0) -> bytes:
    return packet(DECODE_DATA, kind + text.encode(), SCANNER, status)


def test_the_packets_are_those_of_the_manual() -> None:
    assert packet(ACK) == ACKED
    profile = SCANNER_PROFILES["zebra-ssi"]
    assert profile.trigger_on == bytes.fromhex("04E40400FF14")
    assert profile.trigger_off == bytes.fromhex("04E50400FF13")
    assert profile.beep == bytes.fromhex("05E6040000FF11")


def test_a_code_is_told_with_its_symbology_and_answered() -> None:
    frames = SsiFrames()
    assert frames.feed(bytes.fromhex("0DF30000034330303030303031FD69")) == [Scanned("C0000001", "code128")]
    assert frames.answers() == ACKED
    assert frames.answers() == b""


@pytest.mark.parametrize(
    ("kind", "symbology"), [(b"\x01", "code39"), (b"\x0a", "ean8"), (b"\x0b", "ean13"), (QR, "qr"), (b"\x7e", None)]
)
def test_the_code_type_tells_the_symbology_and_an_aim_identifier_outranks_it(
    kind: bytes, symbology: str | None
) -> None:
    assert SsiFrames().feed(scan("9789861234564\r", kind)) == [Scanned("9789861234564", symbology)]
    assert SsiFrames().feed(scan("]A0C0000001", kind)) == [Scanned("C0000001", "code39")]


def test_a_packet_sent_again_is_one_scan_and_a_second_scan_of_the_same_book_is_another() -> None:
    frames = SsiFrames()
    assert len(frames.feed(scan("C0000001"))) == 1
    assert frames.feed(scan("C0000001", status=1)) == []
    assert frames.answers() == ACKED * 2
    assert len(frames.feed(scan("C0000001"))) == 1


def test_a_damaged_packet_is_asked_for_again_and_then_told_even_if_it_is_the_last_code_again() -> None:
    frames = SsiFrames()
    assert len(frames.feed(scan("C0000001"))) == 1
    frames.answers()
    damaged = bytearray(scan("C0000001"))
    damaged[6] ^= 0x10
    assert frames.feed(bytes(damaged)) == []
    assert frames.answers() == RESEND
    assert frames.feed(scan("C0000001", status=1)) == [Scanned("C0000001", "code128")]


def test_half_a_packet_is_told_after_a_pause_and_asked_for_again() -> None:
    frames = SsiFrames()
    assert frames.feed(scan("C0000001")[:7]) == []
    assert frames.pending
    assert frames.pause() == [Reason.CODE_UNREADABLE]
    assert (frames.answers(), frames.pending, frames.pause()) == (RESEND, False, [])


def test_a_code_in_several_packets_is_one_code_and_one_too_long_is_one_complaint() -> None:
    frames = SsiFrames()
    assert frames.feed(scan("LIB-", QR, status=2)) == []
    assert frames.feed(scan("00000001", QR)) == [Scanned("LIB-00000001", "qr")]
    heard = [told for _ in range(40) for told in frames.feed(scan("9" * 200, QR, status=2))]
    assert heard + frames.feed(scan("9", QR)) == [Reason.CODE_TOO_LONG]
    assert frames.feed(scan("C0000001")) == [Scanned("C0000001", "code128")]


@pytest.mark.parametrize("first", ["C0000", "9" * 200])
def test_a_code_whose_rest_never_comes_is_told_and_is_not_put_before_the_next_one(first: str) -> None:
    frames = SsiFrames()
    assert frames.feed(scan(first, QR, status=2)) == []
    for _ in range(REST_PAUSES - 1):
        assert frames.pending
        assert frames.pause() == []
    assert frames.pause() == [Reason.CODE_UNREADABLE]
    assert not frames.pending
    assert frames.feed(scan("C0000777", QR)) == [Scanned("C0000777", "qr")]


def test_a_piece_that_is_sent_again_after_two_seconds_is_waited_for_and_taken_once() -> None:
    frames = SsiFrames()
    heard = [*frames.feed(scan("LIB-", QR, status=2)), *(told for _ in range(20) for told in frames.pause())]
    heard += frames.feed(scan("LIB-", QR, status=3))
    assert heard + frames.feed(scan("00000001", QR)) == [Scanned("LIB-00000001", "qr")]


def test_a_damaged_piece_is_sent_again_and_the_code_is_whole() -> None:
    frames, damaged = SsiFrames(), bytearray(scan("00000001", QR))
    damaged[6] ^= 0x10
    heard = [*frames.feed(scan("LIB-", QR, status=2)), *frames.feed(bytes(damaged))]
    assert heard + frames.feed(scan("00000001", QR, status=1)) == [Scanned("LIB-00000001", "qr")]


def test_a_code_of_another_kind_is_no_rest() -> None:
    frames = SsiFrames()
    assert frames.feed(scan("C0000", QR, status=2)) == []
    assert frames.feed(scan("C0000777")) == [Reason.CODE_UNREADABLE, Scanned("C0000777", "code128")]


def test_answers_to_our_own_commands_are_not_answered_and_zeros_are_passed_over() -> None:
    frames = SsiFrames()
    assert frames.feed(packet(ACK, source=SCANNER) + bytes(5) + scan("C0000001")) == [Scanned("C0000001", "code128")]
    assert frames.answers() == ACKED


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60), st.lists(st.integers(1, 20))
)
def test_a_packet_cut_into_any_pieces_is_the_same_code(text: str, cuts: list[int]) -> None:
    frames, data, heard = SsiFrames(), scan("x" + text), []
    for cut in cuts:
        heard += frames.feed(data[:cut])
        data = data[cut:]
    assert heard + frames.feed(data) == [Scanned("x" + text, "code128")]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_become_an_endless_or_unprintable_code(pieces: list[bytes]) -> None:
    frames = SsiFrames()
    heard = [told for piece in pieces for told in frames.feed(piece)]
    heard += [told for _ in range(REST_PAUSES + 1) for told in frames.pause()]
    assert all(isinstance(told, Reason) or told.text.isprintable() for told in heard)
    assert not frames.pending


@given(st.binary(min_size=1, max_size=250), st.integers(0, 255), st.integers(1, 255))
def test_one_wrong_byte_after_the_length_is_never_told_as_a_code(code: bytes, place: int, change: int) -> None:
    data = bytearray(packet(DECODE_DATA, CODE128 + code[:200], SCANNER))
    data[1 + place % (len(data) - 1)] ^= change
    frames = SsiFrames()
    heard = frames.feed(bytes(data)) + frames.pause()
    assert not any(isinstance(told, Scanned) for told in heard)


def test_a_scanner_set_to_ssi_is_answered_over_the_line_triggered_and_beeps(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    twin.plug()
    scanner = driver_of(Scanner(path=str(twin.link), profile="zebra-ssi", signals=True), ears)
    supervisor = Supervisor([scanner], ears, back_off_s=(0.02,))
    supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    twin.noise(scan("C0000001"))
    assert ears.next() == CodeRead("scanner", "C0000001", "code128")
    assert twin.heard() == ACKED
    twin.noise(scan("C0000001", status=1) + scan("C0000002"))
    assert ears.next() == CodeRead("scanner", "C0000002", "code128")
    assert twin.heard() == ACKED * 2
    supervisor.stop()
    twin.unplug()
