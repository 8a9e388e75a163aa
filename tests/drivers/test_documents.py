"""Every document as it falls from the printer and on A4: all of it is there, and its codes can be scanned (B5, E5, F4)."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.code128 import code128, spellings
from drivers.pdf import pages
from drivers.printer_profiles import DEFAULT_PROFILE, PROFILES, Profile
from drivers.typesetting import cells, clean
from drivers.virtual.press import Press, read_code128
from kiosk.slip import Barcode, Line, Pair, QrCode, Served, Slip, card_slip
from kiosk.words import Language
from scripts.slip_pictures import CARD, FOLDER, SIGNED, card, documents, pictures, printed, voucher

NOW = datetime(2026, 11, 21, 2, 5, tzinfo=UTC)


def scanned(picture: Image.Image) -> set[tuple[str, str]]:
    return {(code.format.name, code.text) for code in zxingcpp.read_barcodes(picture)}


def codes_of(slip: Slip) -> set[tuple[str, str]]:
    names = {Barcode: "Code128", QrCode: "QRCode"}
    return {(names[type(block)], block.data) for block in slip.blocks if isinstance(block, Barcode | QrCode)}


@pytest.mark.parametrize("name", documents())
def test_the_codes_of_every_document_can_be_scanned_from_the_paper_and_from_the_page(name: str) -> None:
    slip = documents()[name]
    assert scanned(printed(slip).framed()) == codes_of(slip)
    assert {code for page in pages(slip) for code in scanned(page)} == codes_of(slip)


@pytest.mark.parametrize("name", documents())
def test_every_word_of_every_document_is_on_the_paper(name: str) -> None:
    slip = documents()[name]
    paper = printed(slip, PROFILES["generic-80-gb18030"])
    told = "".join("".join(paper.text).split())
    for block in slip.blocks:
        words = block.text if isinstance(block, Line) else block.label + block.value if isinstance(block, Pair) else ""
        assert "".join(clean(words).split()) in told, words


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_card_can_be_scanned_from_every_paper_by_its_qr_code_at_least(profile: Profile) -> None:
    assert ("QRCode", SIGNED) in scanned(printed(card(NOW), profile).framed())


def test_bars_keep_their_quiet_zones_on_the_paper() -> None:
    paper = printed(card(NOW)).image.convert("L").point(lambda grey: 255 if grey > 127 else 0, mode="1")
    rows = [paper.crop((0, y, paper.width, y + 1)).tobytes() for y in range(paper.height)]
    bars = next(row for y, row in enumerate(rows) if rows[y : y + 60] == [row] * 60 and set(row) != {0xFF})
    assert bars[:4] == bars[-4:] == b"\xff" * 4  # ten bars of two dots at each side, with the paper's own margin more


def test_a_card_says_what_it_is_good_for_until_its_last_day_and_then_for_returning_only() -> None:
    last_minute = datetime(2026, 11, 24, 15, 59, tzinfo=UTC)  # 23:59 in Taipei
    assert "僅供歸還" not in card(last_minute).plain_text()
    over = card(last_minute + timedelta(minutes=1)).plain_text()
    assert "僅供歸還" in over
    for text in (card(NOW).plain_text(), over):
        for words in (CARD, SIGNED, "使用期限至 2026-11-24（二）", "王○", "國立臺灣科技大學", "虛擬館際借書證"):
            assert words in text
    assert "（補印）" in card(NOW, reprint=True).plain_text()


def test_a_card_tells_closures_as_the_consortium_does() -> None:
    text = card(NOW).plain_text()
    assert "國立臺灣科技大學圖書館 11/23 為休館日" in text
    assert "國立臺北科技大學圖書館 11/21 ~ 11/28 皆有開館" in text
    assert "國立雲林科技大學圖書館 11/22、11/25 為休館日" in text
    assert "Closed on 11/22, 11/25" in card(NOW, language=Language.EN).plain_text()


def test_a_card_for_all_39_schools_still_fits_its_lines_and_pages() -> None:
    many = card_slip(
        number=CARD,
        signed=SIGNED,
        name="王○",
        home_school="國立臺灣科技大學",
        served=[Served(name=f"國立高雄科技大學第{n}校區圖書館", closed_on=(date(2026, 11, 21),)) for n in range(39)],
        shown=(date(2026, 11, 21), date(2026, 11, 28)),
        last_day=date(2026, 11, 24),
        rules=["哪一館借的書，請還到哪一館的服務台。" * 9],
        language=Language.ZH_TW,
        consortium="技專校院圖書館聯盟",
        now=NOW,
    )
    for profile in (DEFAULT_PROFILE, PROFILES["generic-58-big5"]):
        paper = printed(many, profile)
        assert all(cells(line) <= profile.columns for line in paper.text)
        assert sum("11/21 為休館日" in line for line in paper.text) == 39
    assert len(pages(many)) == 3


def test_a_voucher_says_prize_branch_and_the_second_it_ends_and_names_nobody() -> None:
    text = voucher().plain_text()
    for words in ("帆布書袋（青田綠）", "領獎館別 總館", "有效至 2026-11-21 10:10:00", "點數 30", "V261121100500739"):
        assert words in text
    assert "王" not in text


PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


@given(PRINTABLE | st.from_regex(r"[A-Z]{0,5}-?[0-9]{0,16}[A-Z]?[0-9]{0,9}", fullmatch=True).filter(bool))
def test_every_spelling_of_a_code_says_the_same_and_the_last_is_the_narrowest(text: str) -> None:
    said = [code128(parts) for parts in spellings(text)]
    for code, modules in said:
        read = read_code128(code)
        assert read is not None
        assert read[0] == text
        assert modules == 11 * (len(read[1]) + 1) + 13
    assert said[-1][1] == min(modules for _, modules in said)


@given(st.binary(max_size=30))
def test_no_data_of_a_barcode_stops_the_press(data: bytes) -> None:
    press = Press(DEFAULT_PROFILE)
    press.obey(b"\x1dkI" + bytes([len(data)]) + data)
    press.cut()
    assert press.finished[0].image.width == DEFAULT_PROFILE.width_dots


def test_there_is_a_picture_of_every_document_and_the_manual_shows_it() -> None:
    manual = Path("docs/devices.md").read_text(encoding="utf-8")
    files = {file.stem for file in FOLDER.glob("*.png")}
    assert files == set(pictures())
    assert all(f"(pictures/slips/{name}.png)" in manual for name in files)
