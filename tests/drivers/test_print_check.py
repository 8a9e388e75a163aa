"""A picture shows the text that it shows and no other one, however small its modules are (A8)."""

import numpy as np
import pytest

from drivers.barcode_patterns import code128_layout
from drivers.print_check import Claim, shows
from tests.drivers.printed import bars_px, laid, letters, printed

TEXTS = {
    "code128": "B026001547",
    "code39": "S7727785",
    "codabar": "A30123000B",
    "ean13": "4712345678900",
    "itf": "72139204",
}


def near_misses(symbology: str, text: str) -> list[str]:
    """Texts that differ from it as little as the symbology's check allows."""
    if symbology == "ean13":
        return ["4712345678917", "9717345678900", "4712345687901"]
    digits = [index for index, letter in enumerate(text) if letter.isdigit()]
    changed = [
        text[:index] + str((int(text[index]) + by) % 10) + text[index + 1 :] for index in digits for by in (1, 5)
    ]
    if symbology != "code128":
        return changed
    endings = [wrong_text[:-1] + last for wrong_text in changed for last in "0123456789"]
    return [wrong_text for wrong_text in endings if wrong_text != text and letters(wrong_text)[-1] == letters(text)[-1]]


@pytest.mark.parametrize("module_px", [1.25, 1.6, 2.1, 3.0, 4.5])
@pytest.mark.parametrize("symbology", TEXTS)
def test_the_text_is_shown_and_its_near_misses_are_not(symbology: str, module_px: float) -> None:
    text = TEXTS[symbology]
    frame, corners = printed(laid(symbology, text), module_px)
    assert shows(frame, Claim(symbology, text, corners))
    wrong = near_misses(symbology, text)
    assert len(wrong) >= 3
    assert [wrong_text for wrong_text in wrong if shows(frame, Claim(symbology, wrong_text, corners))] == []


@pytest.mark.parametrize("turn", [0.0, 8.0, 24.0, 90.0, 163.0])
@pytest.mark.parametrize("symbology", TEXTS)
def test_a_turned_code_is_shown_though_a_decoder_crossed_it_along_a_row(symbology: str, turn: float) -> None:
    text = TEXTS[symbology]
    frame, corners = printed(laid(symbology, text), 2.0, (700, 700), turn=turn)
    assert shows(frame, Claim(symbology, text, corners))


def test_ends_that_a_decoder_names_a_pixel_wrong_are_mended() -> None:
    frame, corners = printed(laid("code128", TEXTS["code128"]), 1.5)
    for off in ((1.5, 0), (-1.5, 0), (0, 3)):
        assert shows(frame, Claim("code128", TEXTS["code128"], corners + off))


def test_symbols_in_an_unusual_spelling_are_read_from_the_pixels() -> None:
    unusual = (104, 34, 16, 99, 26, 100, 16, 16, 17, 99, 54, 100, 23)
    whole = (*unusual, sum(max(index, 1) * value for index, value in enumerate(unusual)) % 103)
    for module_px in (2.2, 4.0):
        frame, corners = printed(code128_layout(whole), module_px)
        assert shows(frame, Claim("code128", TEXTS["code128"], corners))
        assert not shows(frame, Claim("code128", "B026001548", corners))


def test_the_beginning_of_a_number_is_not_the_number() -> None:
    whole = laid("itf", "72139204")
    frame, corners = printed(whole, 4.0)
    shorter = bars_px(laid("itf", "721392"), 4.0) / bars_px(whole, 4.0)
    cut = corners.copy()
    cut[1], cut[2] = (
        corners[0] + (corners[1] - corners[0]) * shorter,
        corners[3] + (corners[2] - corners[3]) * shorter,
    )
    assert shows(frame, Claim("itf", "72139204", corners))
    assert not shows(frame, Claim("itf", "721392", cut))


@pytest.mark.parametrize("symbology", TEXTS)
def test_a_code_whose_quiet_zone_reaches_the_edge_of_the_picture_is_none(symbology: str) -> None:
    made, text = laid(symbology, TEXTS[symbology]), TEXTS[symbology]
    half = bars_px(made, 3.0) / 2
    for beside, whole in ((12, True), (5, False), (0, False)):
        for middle in ((half + 3.0 * beside, 150), (900 - half - 3.0 * beside, 150)):
            frame, corners = printed(made, 3.0, middle=middle)
            assert shows(frame, Claim(symbology, text, corners)) is whole


def test_something_dark_close_to_the_bars_is_no_quiet_zone() -> None:
    frame, corners = printed(laid("itf", TEXTS["itf"]), 4.0)
    dark = frame.copy()
    dark[:, int(corners[1][0]) + 6 : int(corners[1][0]) + 12] = 30
    assert shows(frame, Claim("itf", TEXTS["itf"], corners))
    assert not shows(dark, Claim("itf", TEXTS["itf"], corners))


def test_noise_and_flat_paper_show_nothing() -> None:
    corners = np.array([(100.0, 100.0), (500.0, 100.0), (500.0, 160.0), (100.0, 160.0)])
    for frame in (np.random.default_rng(2).integers(0, 256, (300, 700)), np.full((300, 700), 200)):
        for symbology, text in TEXTS.items():
            assert not shows(frame.astype(np.uint8), Claim(symbology, text, corners))


def test_corners_that_make_no_place_show_nothing() -> None:
    frame, _ = printed(laid("code39", "A1"), 3.0)
    for corners in (
        np.zeros((4, 2)),
        np.array([(5.0, 5.0)] * 4),
        np.array([(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0)]),
    ):
        assert not shows(frame, Claim("code39", "A1", corners))


def test_a_text_that_the_symbology_cannot_say_is_not_shown() -> None:
    frame, corners = printed(laid("code39", "A1"), 3.0)
    assert not shows(frame, Claim("code39", "a1", corners))
