"""A printer obeys DLE EOT, DLE ENQ and DLE DC4 wherever they stand: no job holds their bytes by accident (L2, E4)."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.escpos import build
from drivers.printer_profiles import DEFAULT_PROFILE, PROFILES, Profile
from drivers.probe_page import probe_page
from drivers.raster import raster
from drivers.virtual.press import Press, command_length
from kiosk.slip import Barcode, Block, Line, Pair, QrCode, Slip, SlipKind
from kiosk.words import Language
from scripts.slip_pictures import documents


def obeyed_at_once(data: bytes) -> Iterator[bytes]:
    """What a printer's receiver picks out of the stream while the rest still waits: two bytes and what stands behind."""
    for place in range(len(data) - 1):
        if data[place] == 0x10 and data[place + 1] in (0x04, 0x05, 0x14):
            yield data[place : place + 4]


def slip(*blocks: Block) -> Slip:
    return Slip(kind=SlipKind.CARD, language=Language.ZH_TW, blocks=blocks)


def codes_on(data: bytes) -> list[str]:
    """Barcodes that the press reads out of a job, command by command."""
    press, rest = Press(DEFAULT_PROFILE), data
    while rest and (length := command_length(rest, press.chinese)):
        press.obey(rest[:length])
        rest = rest[length:]
    press.cut()
    return list(press.finished[0].codes)


@pytest.mark.parametrize(
    "number",
    ["AB-1-20261128160401", "AB-1-20261128160501", "AB-1-20261128162008", "20261128160401", "1604", "16051620"],
)
def test_the_number_of_a_card_that_is_issued_at_four_minutes_past_four_is_no_command(number: str) -> None:
    data = build(slip(Barcode(number)), DEFAULT_PROFILE).data
    assert list(obeyed_at_once(data)) == []
    assert codes_on(data) == [number]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("raster_only", [False, True])
def test_no_document_holds_a_real_time_command(profile: Profile, raster_only: bool) -> None:
    for document in documents().values():
        assert list(obeyed_at_once(build(document, profile, raster_only=raster_only).data)) == []
    assert list(obeyed_at_once(probe_page())) == []


_NUMBERS = st.lists(st.sampled_from(["16", "04", "05", "20", "1", "0", "AB-"]), min_size=1, max_size=10).map("".join)
_TEXTS = st.text(st.sampled_from("\x10\x04\x05\x14許館閱0a"), max_size=20)


@given(st.lists(_NUMBERS.map(Barcode) | _TEXTS.map(QrCode) | _TEXTS.map(Line) | _TEXTS.map(Barcode), max_size=4))
def test_no_text_barcode_or_qr_code_spells_a_real_time_command(blocks: list[Block]) -> None:
    for profile in (DEFAULT_PROFILE, PROFILES["generic-80-gb18030"]):
        job = build(slip(*blocks, Pair("\x10", "\x04")), profile)
        assert list(obeyed_at_once(job.data)) == []


@pytest.mark.parametrize("characters", [13, 1037, 1293])
def test_the_length_of_a_qr_code_spells_none(characters: int) -> None:
    data = build(slip(QrCode("x" * characters)), DEFAULT_PROFILE).data
    assert list(obeyed_at_once(data)) == []
    assert b"\x1d(k" in data or b"\x1dv0" in data


@pytest.mark.parametrize("height", [16, 255, 1023, 1024, 1040, 1296, 2300, 5140])
def test_the_height_of_a_picture_spells_none_and_no_row_is_lost(height: int) -> None:
    sent = raster(Image.frombytes("1", (128, height), b"\x5a" * 16 * height))
    assert list(obeyed_at_once(sent)) == []
    assert sent.count(b"\xa5") == 16 * height
