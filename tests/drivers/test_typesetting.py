"""Set lines fit the paper and lose no character."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.typesetting import (
    GETA,
    BarcodeLine,
    QrLine,
    RuleLine,
    TextLine,
    absent,
    cells,
    clean,
    clusters,
    draw,
    runs,
    typeset,
    wrap,
)
from kiosk.slip import Barcode, Block, Line, Pair, QrCode, Rule, Slip, SlipKind, Weight
from kiosk.words import Language

TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="圖書館借閱證堃𣳝ab12 .,、。（）「」・é\u0301\n\x1b\x10", max_size=80),
)


def slip(*blocks: Block) -> Slip:
    return Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=blocks)


def bare(text: str) -> str:
    return "".join(clean(text).split())


@given(TEXT, TEXT, st.sampled_from(Weight), st.integers(8, 64))
def test_no_line_is_wider_than_the_paper_and_no_character_is_lost(
    text: str, value: str, weight: Weight, columns: int
) -> None:
    for block, said in ((Line(text, weight), text), (Pair(text, value, weight), text + value)):
        lines = [line for line in typeset(slip(block), columns) if isinstance(line, TextLine)]
        for line in lines:
            gap = 1 if line.left and line.right else 0
            assert (cells(line.left) + cells(line.right) + gap) * (2 if line.large else 1) <= columns
        assert bare("".join(line.left + line.right for line in lines)) == bare(said)


@given(TEXT)
def test_clean_text_holds_nothing_that_a_printer_would_obey(text: str) -> None:
    assert not any(char < " " and char != "\n" for char in clean(text))
    assert clean(clean(text)) == clean(text)


def test_what_a_control_character_kept_apart_is_composed() -> None:
    assert clean("Caf" + "e\x1f\u0301") == "Café"


def test_latin_words_stay_whole_and_chinese_breaks_anywhere() -> None:
    assert wrap("圖書館 Library Card", 16) == ["圖書館 Library", "Card"]
    assert wrap("虛擬跨館借閱證", 8) == ["虛擬跨館", "借閱證"]


def test_a_word_longer_than_the_line_is_broken_where_it_must_be() -> None:
    assert wrap("abcdefghijkl", 8) == ["abcdefgh", "ijkl"]


def test_punctuation_does_not_begin_a_line_nor_an_opening_bracket_end_one() -> None:
    assert wrap("一二三四，五", 8) == ["一二三", "四，五"]
    assert wrap("一二三「四」", 8) == ["一二三", "「四」"]


def test_a_numbered_entry_hangs_under_its_first_word() -> None:
    assert wrap("1. 一二三四五六七八九", 16) == ["1. 一二三四五六", "   七八九"]


def test_a_pair_that_does_not_fit_puts_its_value_below_at_the_right() -> None:
    assert typeset(slip(Pair("C0000001", "應還日期 2026-12-21")), 20) == (
        TextLine("C0000001"),
        TextLine("", "應還日期 2026-12-21"),
    )
    assert typeset(slip(Pair("冊數", "3")), 20) == (TextLine("冊數", "3"),)


def test_a_title_is_large_and_has_half_the_columns() -> None:
    lines = typeset(slip(Line("借閱清單", Weight.TITLE)), 12)
    assert [line.left for line in lines if isinstance(line, TextLine)] == ["借閱清", "單"]
    assert all(isinstance(line, TextLine) and line.large and line.centred for line in lines)


def test_rules_and_codes_are_lines_of_their_own() -> None:
    assert typeset(slip(Rule(), Barcode("C1"), QrCode("證")), 32) == (RuleLine(), BarcodeLine("C1"), QrLine("證"))


def test_a_paper_too_narrow_is_refused() -> None:
    with pytest.raises(ValueError, match="too narrow"):
        typeset(slip(Rule()), 7)


def test_rare_name_characters_have_a_font_and_one_that_exists_nowhere_is_told() -> None:
    assert absent("堃喆峯珉綉煊") == ()
    assert absent("王\U0003fffd") == ("\U0003fffd",)


SCRIPTS = {
    "Thai": "ภาษาไทยพื้นฐานสำหรับผู้เริ่มต้น",
    "Lao": "ພາສາລາວ ຂັ້ນຕົ້ນ",
    "Hindi": "हिन्दी की किताब क्षत्रिय",
    "Burmese": "မြန်မာစာအုပ် ကျွန်ုပ်",
    "Khmer": "សៀវភៅភាសាខ្មែរ ស្ត្រី",
    "Tamil": "தமிழ் புத்தகம்",
    "Arabic": "كتاب تعليم اللغة",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_letter_and_its_marks_are_drawn_from_one_font_that_shapes_them(text: str) -> None:
    assert absent(text) == ()
    (drawn,) = runs(text, 24)
    font, run = drawn
    assert run == text
    bases = "".join(char for char in text if unicodedata.category(char) != "Mn")
    assert font.getlength(text) <= font.getlength(bases) + 6  # a mark on a dotted circle would take room of its own


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_no_line_break_parts_a_letter_from_its_marks(text: str) -> None:
    lines = wrap(text, 8)
    assert all(not unicodedata.category(line.lstrip(" ")[0]).startswith("M") for line in lines)
    assert [part for line in lines for part in clusters(line) if part != " "] == [
        part for part in clusters(text) if part != " "
    ]


def test_a_letter_whose_marks_no_font_holds_is_one_sign_and_is_told() -> None:
    lonely = "ก\u1039\u0fff"  # a Thai letter with a Burmese mark: in no font together
    assert absent(f"王{lonely}") == ("ก\u1039", "\u0fff")
    assert [run for _, run in runs(f"王{lonely}", 24)] == [f"王{GETA}{GETA}"]


def test_words_from_the_right_stand_in_their_order() -> None:
    assert len(runs("עברית שפה יפה", 24)) == 1


@pytest.mark.parametrize("text", [*SCRIPTS.values(), "ស្ត្រី", "ปู่ญี่ปุ่น"])
@pytest.mark.parametrize("large", [False, True])
def test_no_script_is_cut_off_above_or_below(text: str, large: bool) -> None:
    line = draw(TextLine(text, large=large), 1200, 30, 24)
    tall = draw(TextLine(text, large=large), 1200, 60, 24)
    ink, whole = (picture.point(lambda dot: not dot, mode="1").getbbox() for picture in (line, tall))
    assert ink is not None
    assert whole is not None
    smaller = (ink[2] - ink[0]) / (whole[2] - whole[0])
    assert ink[3] - ink[1] >= (whole[3] - whole[1]) * smaller - 2


@settings(deadline=None)
@given(TEXT.filter(lambda text: "\n" not in text), st.booleans())
def test_a_drawn_line_is_as_wide_as_the_paper(text: str, large: bool) -> None:
    picture = draw(TextLine(clean(text), "值", large=large), 384, 30, 24)
    assert picture.size == (384, 60 if large else 30)
    assert picture.mode == "1"


def test_ink_reaches_neither_the_upper_nor_the_lower_edge_of_a_line() -> None:
    picture = draw(TextLine("gjpqy圖書館堃ÂÇ"), 576, 30, 24)
    box = picture.point(lambda dot: not dot, mode="1").getbbox()
    assert box is not None
    assert box[1] >= 0
    assert box[3] < 30
