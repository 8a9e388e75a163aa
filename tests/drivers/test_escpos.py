"""Slips become the right bytes, few of them, and status bytes the right reasons."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.escpos import (
    CUT,
    MARK,
    AnswerReader,
    EchoAnswer,
    MarkAnswer,
    StateAnswer,
    StateNews,
    build,
    encoded,
    reason_of,
    reason_of_news,
)
from drivers.printer_profiles import DEFAULT_PROFILE, PROFILES
from drivers.raster import raster
from drivers.typesetting import absent
from drivers.virtual.press import command_length
from kiosk.ports import DeviceReason
from kiosk.slip import Barcode, Block, Entry, Line, QrCode, Slip, SlipKind, book_slip
from kiosk.words import Language

FINE = (0x16, 0x12, 0x12, 0x12)
DUE = datetime(2026, 12, 21, 4, tzinfo=UTC)


def slip(*blocks: Block) -> Slip:
    return Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=blocks)


def loan_slip(*titles: str) -> Slip:
    return book_slip(
        SlipKind.LOAN,
        entries=[Entry(title=title, item=f"C{number:07}", due_at=DUE) for number, title in enumerate(titles, 1)],
        language=Language.ZH_TW,
        library_name="青田市立圖書館",
        branch_name="總館",
        name="王○",
        now=DUE,
    )


@pytest.mark.parametrize("name", ["generic-80-big5", "generic-58-big5", "generic-80-gb18030"])
def test_a_slip_of_common_characters_takes_a_twentieth_of_its_dots(name: str) -> None:
    common = loan_slip("被討厭的勇氣：自我啟發之父「阿德勒」的教導", "大英博物館藏中國書畫", "種樹的男人")
    typed, drawn = build(common, PROFILES[name]), build(common, PROFILES[name], raster_only=True)
    assert typed.raster_lines == 0
    assert len(typed.data) * 20 <= len(drawn.data)


@pytest.mark.parametrize("char", "堃喆峯珉綉煊𣳝")
def test_a_line_with_a_rare_character_goes_as_dots_and_the_others_as_big5(char: str) -> None:
    job = build(slip(Line("許功蓋"), Line(f"王{char}"), Line("謝謝")), DEFAULT_PROFILE)
    assert job.raster_lines == 1
    assert job.data.count(b"\x1dv0\x00") == 1
    for text in ("許功蓋", "謝謝"):
        assert b"\x1c&" + text.encode("cp950") + b"\x1c.\n" in job.data
    assert job.missing == absent(char)


def test_a_character_in_no_font_is_told_to_the_caller() -> None:
    assert build(slip(Line("王\U0003fffd")), DEFAULT_PROFILE).missing == ("\U0003fffd",)


def test_variants_that_nobody_can_tell_apart_need_no_dots() -> None:
    assert encoded("詩・散文", "big5") == "詩‧散文".encode("cp950")
    assert encoded("詩・散文", "gb18030") == "詩·散文".encode("gb18030")


def test_a_gb18030_printer_gets_only_characters_of_two_bytes() -> None:
    assert encoded("堃", "gb18030") == "堃".encode("gbk")
    assert encoded("𣳝", "gb18030") is None
    assert encoded("館", "none") is None


@given(st.one_of(st.text(max_size=40), st.text(alphabet="\x1b\x1d\x10\x04\x01@Ep許", max_size=12)))
@settings(deadline=None)
def test_no_text_can_give_the_printer_an_order(text: str) -> None:
    data = build(slip(Line(text)), DEFAULT_PROFILE).data
    orders, chinese = set(), False
    while data:
        length = command_length(data, chinese)
        if data[0] < 0x20:
            orders.add(data[:2] if length > 1 else data[:1])
            chinese = data[:2] == b"\x1c&" or (chinese and data[:2] != b"\x1c.")
        data = data[length:]
    assert orders <= {b"\x1b@", b"\x1b2", b"\x1c&", b"\x1c.", b"\x1bJ", b"\x1bd", b"\x1dv", b"\x1dV", b"\x1dr", b"\n"}


def test_a_job_ends_with_feed_cut_and_mark_as_the_profile_says() -> None:
    assert build(slip(Line("a")), DEFAULT_PROFILE).data.endswith(b"a\n\x1bd\x04" + CUT + MARK)
    bare = replace(DEFAULT_PROFILE, cutter=False, confirms="none")
    assert build(slip(Line("a")), bare).data.endswith(b"a\n\x1bd\x04")


def test_barcodes_say_their_set_and_too_long_ones_become_text() -> None:
    assert b"\x1dkI\x0a{BC0000123" in build(slip(Barcode("C0000123")), DEFAULT_PROFILE).data
    assert b"\x1dkI\x04{C\x0c\x22" in build(slip(Barcode("1234")), DEFAULT_PROFILE).data
    for data in ("X" * 60, "館", ""):
        assert b"\x1dk" not in build(slip(Barcode(data)), DEFAULT_PROFILE).data


def test_a_long_number_is_said_in_pairs_of_digits_where_letters_alone_would_be_too_wide() -> None:
    card = build(slip(Barcode("NTUST-1-20261121112900")), DEFAULT_PROFILE).data
    assert b"\x1dw\x02" in card
    assert b"{BNTUST-1-{C" + bytes([20, 26, 11, 21, 11, 29, 0]) in card


def test_a_qr_code_is_native_or_dots_and_one_too_long_is_left_out() -> None:
    assert "證 1".encode() in build(slip(QrCode("證 1")), DEFAULT_PROFILE).data
    assert b"\x1dv0" in build(slip(QrCode("證 1")), PROFILES["generic-58-big5"]).data
    assert b"\x1d(k" not in build(slip(QrCode("證" * 2000)), DEFAULT_PROFILE).data


@given(st.binary(min_size=72 * 4, max_size=72 * 4))
def test_a_picture_never_spells_a_real_time_order(dots: bytes) -> None:
    sent = raster(Image.frombytes("1", (576, 4), bytes(byte ^ 0xFF for byte in b"\x10\x04\x01\x10\x14\x14" + dots[6:])))
    assert len(sent) == 8 + 72 * 4
    assert not any(order in sent[8:] for order in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))


# --- status


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (FINE, None),
        ((0x1A, 0x16, 0x12, 0x12), DeviceReason.COVER_OPEN),
        ((0x1A, 0x32, 0x12, 0x72), DeviceReason.PAPER_OUT),
        ((0x1A, 0x52, 0x1A, 0x12), DeviceReason.CUTTER),
        ((0x1A, 0x52, 0x52, 0x12), DeviceReason.HOT_HEAD),
        ((0x1A, 0x52, 0x32, 0x12), DeviceReason.PRINTER_ERROR),
        ((0x1A, 0x12, 0x12, 0x12), DeviceReason.PRINTER_ERROR),
        ((0x12, 0x12, 0x12, 0x1E), DeviceReason.PAPER_LOW),
    ],
)
def test_answers_become_what_a_person_must_mend_first(
    answers: tuple[int, int, int, int], reason: DeviceReason | None
) -> None:
    assert reason_of(answers) is reason


def test_automatic_status_says_the_same() -> None:
    assert reason_of_news(b"\x10\x00\x00\x00") is None
    assert reason_of_news(b"\x38\x00\x00\x00") is DeviceReason.COVER_OPEN
    assert reason_of_news(b"\x18\x00\x0c\x00") is DeviceReason.PAPER_OUT
    assert reason_of_news(b"\x18\x08\x00\x00") is DeviceReason.CUTTER
    assert reason_of_news(b"\x10\x00\x03\x00") is DeviceReason.PAPER_LOW


def test_one_stream_is_told_apart_by_byte_class() -> None:
    stream = b"\x16\x10\x00\x0c\x00\x00\x11\x37\x22abcd\x00\x12"
    assert AnswerReader().feed(stream) == [
        StateAnswer(0x16),
        StateNews(b"\x10\x00\x0c\x00"),
        MarkAnswer(0x00),
        EchoAnswer(b"abcd"),
        StateAnswer(0x12),
    ]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_in_any_pieces_give_the_same_answers(stream: bytes, cuts: list[int]) -> None:
    whole = AnswerReader().feed(stream)
    reader = AnswerReader()
    places = [0, *sorted(cuts), len(stream)]
    pieces = [reader.feed(stream[start:end]) for start, end in pairwise(places) if start <= end]
    assert [answer for piece in pieces for answer in piece] == whole
    for answer in whole:
        if isinstance(answer, StateNews):
            assert len(answer.data) == 4


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_any_four_answers_have_a_meaning(answers: list[int]) -> None:
    assert reason_of(answers) is None or isinstance(reason_of(answers), DeviceReason)
