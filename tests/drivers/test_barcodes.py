"""Codes in camera frames: what is read, what must not be, and that the pipeline earns its keep (A8, DESIGN.md 7)."""

from typing import Any

import cv2
import numpy as np
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, QRData

from drivers.barcodes import Code, CodeReader
from drivers.camera_looks import Agreement, Attention
from drivers.virtual.code_pictures import desk, label
from tests.drivers import qr_symbols
from tests.drivers.printed import laid, printed
from ui.benchmarks.cameras import read_all
from ui.benchmarks.code_frames import SYMBOLOGIES, empty, phone_samples, samples

CODES = {
    "code39": "C0000001",
    "code128": "C0000001",
    "codabar": "1234567890",
    "ean13": "9789861234564",
    "qr": "館藏-C0000001",
}
BOOK, OTHER = Code("C0000001", "code128"), Code("C0000002", "code128")
SEEN, OTHERS, NOTHING = frozenset({BOOK}), frozenset({OTHER}), frozenset[Code]()


@pytest.mark.parametrize(("symbology", "text"), CODES.items())
def test_every_symbology_is_read_and_named(symbology: str, text: str) -> None:
    assert CodeReader(SYMBOLOGIES).glance(desk(symbology, text, (1280, 720))) == {Code(text, symbology)}


@pytest.mark.parametrize(("symbology", "text"), CODES.items())
def test_a_symbology_that_is_not_configured_is_not_read(symbology: str, text: str) -> None:
    reader = CodeReader(set(SYMBOLOGIES) - {symbology})
    assert reader.read(desk(symbology, text, (1280, 720))) == NOTHING


def test_a_code_turned_by_45_degrees_needs_the_long_look() -> None:
    bursts = [sample for sample in samples(3, sizes=((640, 480),)) if sample.condition == "tilt"]
    reader = CodeReader(SYMBOLOGIES)
    glanced = sum(bool(reader.glance(sample.frames[0])) for sample in bursts)
    read = sum(Code(sample.text, sample.symbology) in reader.read(sample.frames[0]) for sample in bursts)
    assert read > glanced


def test_the_pipeline_reads_more_than_both_libraries_in_turn_and_nothing_wrong() -> None:
    _, scores = read_all(samples(1, seed=7, sizes=((640, 480),)))
    assert scores["ours"].total["all"] == 40
    assert scores["ours"].wrong == []
    assert scores["ours"].read["all"] >= scores["both in turn"].read["all"] + 2


def test_a_card_on_a_telephone_is_read_bright_or_dim_and_mostly_through_moire_and_glare() -> None:
    whole, _ = read_all(phone_samples(2, seed=7), compared=0)
    ours = whole["ours"]
    assert ours.wrong == []
    assert ours.read["screen"] == ours.total["screen"] == 6
    assert ours.read["screen dim"] == ours.total["screen dim"] == 6
    assert ours.read["screen moiré"] + ours.read["screen glare"] >= 8


def test_unknown_symbologies_are_refused() -> None:
    with pytest.raises(ValueError, match="expected some of"):
        CodeReader({"code39", "runes"})


def test_two_values_of_one_symbology_in_a_picture_are_none_but_an_isbn_beside_the_label_is_read() -> None:
    def side_by_side(left: tuple[str, str], right: tuple[str, str]) -> frozenset[Code]:
        halves = [desk(symbology, text, (640, 480), 0.8) for symbology, text in (left, right)]
        return CodeReader(SYMBOLOGIES).glance(np.hstack(halves))

    assert side_by_side(("code128", "C0000001"), ("code128", "C0000002")) == NOTHING
    isbn = ("ean13", "9789861234564")
    assert side_by_side(("code128", "C0000001"), isbn) == {BOOK, Code("9789861234564", "ean13")}


@pytest.mark.parametrize("symbology", ["code128", "code39", "codabar"])
def test_light_bars_on_a_dark_screen_are_read(symbology: str) -> None:
    frame = np.asarray(255 - desk(symbology, CODES[symbology], (1280, 720)), dtype=np.uint8)
    assert CodeReader(SYMBOLOGIES).read(frame) == {Code(CODES[symbology], symbology)}


def test_a_codabar_label_says_the_same_with_every_start_and_stop_letter() -> None:
    for ends in ("AA", "AB", "CD", "DB"):
        whole = f"{ends[0]}30123000{ends[1]}"
        assert CodeReader({"codabar"}).read(printed(laid("codabar", whole), 3.0)[0]) == {Code("30123000", "codabar")}


@pytest.mark.parametrize("symbology", ["code128", "code39", "codabar", "ean13", "itf", "qr"])
def test_what_reaches_the_edge_of_the_picture_is_none(symbology: str) -> None:
    if symbology == "qr":
        whole = qr_symbols.picture((qr_symbols.KANJI,), (400, 400))
        cut = whole[105:, 85:]  # of four modules of quiet zone a little is missing
    else:
        text = {"itf": "72139204", "codabar": "A1234567890B"}.get(symbology, CODES.get(symbology, ""))
        whole, corners = printed(laid(symbology, text), 3.0)
        cut = whole[:, round(float(corners[0][0])) - 20 :]
    reader = CodeReader({symbology})
    assert len(reader.read(whole)) == 1
    assert reader.read(np.ascontiguousarray(cut)) == NOTHING


def test_a_number_of_the_wrong_length_is_none_where_lengths_are_named() -> None:
    frame, _ = printed(laid("itf", "72139204"), 3.0)
    assert CodeReader({"itf"}, {"itf": (8, 14)}).read(frame) == {Code("72139204", "itf")}
    assert CodeReader({"itf"}, {"itf": (14,)}).read(frame) == NOTHING
    assert CodeReader({"itf"}, {"codabar": (14,)}).read(frame) == {Code("72139204", "itf")}


def test_an_interleaved_code_of_two_digits_is_none() -> None:
    assert CodeReader({"itf"}).read(printed(laid("itf", "1234"), 4.0)[0]) == NOTHING


def test_a_price_beside_the_isbn_does_not_change_it() -> None:
    frame = desk("ean13", "9789861234564", (1280, 720), 0.4)
    isbn = label("ean13", "9789861234564", 4)
    add_on = "1011" + "01".join(("0110001", "0001001", "0100111", "0001101", "0110111"))
    bars = np.repeat(np.array([[0 if module == "1" else 255 for module in add_on]], np.uint8), 4, axis=1)
    right = (1280 + isbn.shape[1]) // 2
    frame[260:440, right - 4 : right - 4 + bars.shape[1]] = bars
    frame[260:440, right - 4 + bars.shape[1] : right + 60 + bars.shape[1]] = 255
    assert CodeReader(SYMBOLOGIES).read(frame) == {Code("9789861234564", "ean13")}


def test_the_symbols_of_two_charsets_and_no_text_are_told_apart() -> None:
    for text, data in (("館藏證號-12", "館藏證號-12".encode("big5")), (None, "café-12".encode("latin-1"))):
        drawn = np.array(_qr(data))
        frame = np.full((400, 400), 150, np.uint8)
        frame[40 : 40 + len(drawn), 40 : 40 + len(drawn)] = drawn
        assert {code.text for code in CodeReader({"qr"}).read(frame)} == ({text} if text else set())


def _qr(data: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    code: QRCode[Any] = QRCode(border=4)
    code.add_data(QRData(data, mode=MODE_8BIT_BYTE))
    code.make(fit=True)
    light = np.array([[not dark for dark in row] for row in code.get_matrix()])
    return np.kron(light, np.ones((6, 6), np.uint8)).astype(np.uint8) * 255


def test_a_decoder_that_fails_has_read_nothing_and_the_log_says_so_once() -> None:
    reader = CodeReader({"code39", "qr"})
    parts = qr_symbols.picture(qr_symbols.PARTS)
    with structlog.testing.capture_logs() as logged:
        assert [reader.read(parts) for _ in range(3)] == [NOTHING] * 3
    assert [line["decoder"] for line in logged] == ["zbar"]


def test_a_label_beside_the_parts_of_a_message_is_read() -> None:
    frame = qr_symbols.picture(qr_symbols.PARTS)
    frame[400:700] = desk("code39", "C0000001", (1280, 300))
    assert CodeReader(SYMBOLOGIES).read(frame) == {Code("C0000001", "code39")}


def test_the_same_label_twice_beside_another_says_two_things_and_twice_alone_one() -> None:
    left, right = (desk("code128", text, (640, 480), 0.8) for text in ("C0000001", "C0000002"))
    reader = CodeReader(SYMBOLOGIES)
    assert reader.read(np.hstack((left, left))) == {BOOK}
    assert reader.read(np.hstack((left, right, left))) == NOTHING


@pytest.mark.parametrize("turn", [0, 45])
def test_a_qr_code_at_the_edge_is_none_however_the_frame_is_turned_for_a_look(turn: int) -> None:
    whole = qr_symbols.picture((qr_symbols.KANJI,), (420, 420))
    spun = cv2.warpAffine(
        whole,
        cv2.getRotationMatrix2D((165, 187), turn, 1.0),
        (420, 420),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=150,
    )
    left = 165 - round(63 * (2**0.5 if turn else 1)) - 10
    reader = CodeReader({"qr"})
    assert len(reader.read(np.asarray(spun, dtype=np.uint8))) == 1
    assert reader.read(np.ascontiguousarray(spun[:, left:].astype(np.uint8))) == NOTHING


def test_one_frame_is_not_enough_and_two_of_three_are() -> None:
    agreement = Agreement()
    assert agreement.look(SEEN) == ()
    assert agreement.look(NOTHING) == ()
    assert agreement.look(SEEN) == (BOOK,)


def test_a_rival_value_among_the_last_frames_stops_both() -> None:
    agreement = Agreement()
    assert [agreement.look(codes) for codes in (SEEN, OTHERS, SEEN)] == [(), (), ()]
    assert agreement.look(SEEN) == ()
    assert agreement.look(SEEN) == (BOOK,)


def test_a_code_that_stays_counts_once_and_after_it_was_away_again() -> None:
    agreement = Agreement(away=3)
    assert [agreement.look(SEEN) for _ in range(9)].count((BOOK,)) == 1
    for _ in range(3):
        agreement.look(NOTHING)
    assert [agreement.look(SEEN) for _ in range(2)] == [(), (BOOK,)]


def test_a_glance_that_misses_a_code_does_not_make_it_count_again() -> None:
    agreement = Agreement(away=3)
    assert [agreement.look(SEEN) for _ in range(2)] == [(), (BOOK,)]
    for _ in range(20):
        assert agreement.look(NOTHING, long=False) == ()
    assert [agreement.look(SEEN) for _ in range(3)] == [(), (), ()]


def test_what_lies_still_gets_three_long_looks_in_a_row_now_and_then() -> None:
    attention = Attention()
    pad = empty((1280, 720))[0]
    assert sum(attention.deserves(pad) for _ in range(29)) == 4
    assert [attention.deserves(pad) for _ in range(4)] == [True, True, True, False]


def test_an_empty_pad_is_soon_only_glanced_at_and_a_book_gets_the_long_look_again() -> None:
    attention = Attention()
    pad = empty((1280, 720))
    long_looks = [attention.deserves(pad[look % len(pad)]) for look in range(25)]
    assert long_looks == [True] * 4 + [False] * 21
    assert attention.deserves(desk("code39", "C0000001", (1280, 720)))


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90))))
def test_no_pixels_crash_the_reader_or_become_an_unprintable_code(
    frame: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]",
) -> None:
    for code in CodeReader(SYMBOLOGIES).read(frame):
        assert code.text.isprintable()
        assert code.symbology in SYMBOLOGIES
