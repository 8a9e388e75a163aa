"""The bars of each symbology, compared with what python-barcode draws and with what the standards say of all of them (A8)."""

import barcode  # type: ignore[import-untyped]  # python-barcode 0.16 has no annotations
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.barcode_patterns import (
    WIDE,
    Layout,
    Slot,
    code128_alphabet,
    code128_layout,
    code128_spellings,
    code128_text,
    layout,
)

PRINTABLE = "".join(map(chr, range(32, 127)))
CODE39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


def drawn(made: Layout | None, narrow: int, wide: int) -> str:
    assert made is not None
    bars = ""
    for index, width in enumerate(made.widths()):
        bars += "10"[index % 2] * (wide if width == WIDE else width * narrow)
    return bars


def by_python_barcode(symbology: str, text: str) -> str:
    options = {"add_checksum": False} if symbology == "code39" else {}
    return str(barcode.get_barcode_class(symbology)(text, **options).build()[0])


@given(st.text(CODE39, min_size=1, max_size=20))
def test_code_39_is_drawn_as_python_barcode_draws_it(text: str) -> None:
    assert drawn(layout("code39", text), 1, 3) == by_python_barcode("code39", text)


@given(st.text("0123456789-$:/.+", min_size=1, max_size=20), st.sampled_from("ABCD"), st.sampled_from("ABCD"))
def test_codabar_is_drawn_as_python_barcode_draws_it(text: str, start: str, stop: str) -> None:
    whole = f"{start}{text}{stop}"
    assert drawn(layout("codabar", whole), 2, 5) == by_python_barcode("codabar", whole)


@given(st.text("0123456789", min_size=12, max_size=12))
def test_ean_13_is_drawn_as_python_barcode_draws_it(body: str) -> None:
    whole = barcode.get_barcode_class("ean13")(body).get_fullcode()
    assert drawn(layout("ean13", whole), 1, 1) == by_python_barcode("ean13", whole)


def test_the_symbols_of_code_128_differ_are_eleven_modules_wide_and_have_an_even_number_of_them_in_bars() -> None:
    members = code128_alphabet().members
    assert len(set(members)) == 106
    assert {sum(widths) for widths in members} == {11}
    assert {sum(widths[::2]) % 2 for widths in members} == {0}


def test_code_128_is_drawn_as_python_barcode_draws_letters() -> None:
    (values,) = (way for way in code128_spellings("Az-") if way)
    assert drawn(code128_layout(values), 1, 1) == by_python_barcode("code128", "Az-")


def test_every_pair_of_interleaved_2_of_5_has_two_wide_bars_and_two_wide_spaces() -> None:
    made = layout("itf", "".join(f"{pair:02d}" for pair in range(100)))
    assert made is not None
    pairs = [part.alphabet.members[part.pick] for part in made.parts if isinstance(part, Slot)]
    assert len(set(pairs)) == 100
    assert all(pair[::2].count(WIDE) == pair[1::2].count(WIDE) == 2 for pair in pairs)


@given(st.text(PRINTABLE, min_size=1, max_size=20))
def test_every_spelling_of_code_128_says_its_text(text: str) -> None:
    ways = code128_spellings(text)
    assert ways
    assert [code128_text(way) for way in ways] == [text] * len(ways)


def test_code_128_is_spelled_as_the_standard_and_as_label_programs_do() -> None:
    digits = [(104, 34, 16, 99, 0, 15, 23), (104, 34, 99, 0, 1, 52, 100, 19), (104, 34, 16, 16, 16, 17, 21, 18, 19)]
    assert sorted(way[:-1] for way in code128_spellings("B0001523")) == sorted(digits)


@pytest.mark.parametrize(
    "values",
    [(), (104, 33, 0), (33, 33, 66), (104, 106, 0), (104, 100, 33, 1), (105, 12, 34)],
)
def test_symbols_that_break_the_rules_say_nothing(values: tuple[int, ...]) -> None:
    assert code128_text(values) is None


@pytest.mark.parametrize(
    ("symbology", "text"),
    [
        ("code39", "c1"),
        ("code39", "A*B"),
        ("code39", ""),
        ("codabar", "123"),
        ("codabar", "A1B2C"),
        ("codabar", "AXB"),
        ("ean13", "12"),
        ("itf", "123"),
        ("itf", "１２"),
        ("qr", "A"),
    ],
)
def test_what_a_symbology_cannot_say_has_no_bars(symbology: str, text: str) -> None:
    assert layout(symbology, text) is None
