"""Codes in camera frames: what is read, what must not be, and that the pipeline earns its keep (A8, DESIGN.md 7)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from drivers.barcodes import Code, CodeReader
from drivers.camera_looks import Agreement, Attention
from drivers.virtual.code_pictures import desk
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
