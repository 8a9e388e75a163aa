"""Documents as PDF: everything on the slip is on the page, and codes on it can be scanned (B5)."""

import io
import re
import struct
from datetime import UTC, datetime

import numpy as np
from PIL import Image
from pyzbar import pyzbar

from drivers.barcodes import Code, CodeReader
from drivers.pdf import DPI, FONT, PAGE, pages, pdf, text_face
from kiosk.slip import Barcode, Entry, Line, QrCode, Slip, SlipKind, Weight, book_slip
from kiosk.words import Language

NOW = datetime(2026, 12, 21, tzinfo=UTC)


def loan_slip(books: int) -> Slip:
    return book_slip(
        SlipKind.LOAN,
        entries=[Entry(title="堃爺爺的木工坊", item=f"C{number:07}", due_at=NOW) for number in range(books)],
        language=Language.ZH_TW,
        library_name="示範市立圖書館",
        branch_name="總館",
        name="王○明",
        now=NOW,
    )


def card() -> Slip:
    return Slip(
        kind=SlipKind.TEST,
        language=Language.ZH_TW,
        blocks=(*loan_slip(1).blocks, Barcode("P1234567"), QrCode("館藏 LIB-1")),
    )


def page_in(file: bytes) -> Image.Image:
    """The first page's picture, out of the file: its CCITT Group 4 data in a TIFF, which Pillow reads."""
    width, height = (
        int(found[1]) for found in (re.search(rb"/Width (\d+)", file), re.search(rb"/Height (\d+)", file)) if found
    )
    begin = file.index(b"stream\n", file.index(b"/CCITTFaxDecode")) + len(b"stream\n")
    data = file[begin : file.index(b"\nendstream", begin)]
    black_is_zero = 1 if re.search(rb"/BlackIs1 true", file) else 0
    tags = [
        (256, width),
        (257, height),
        (258, 1),
        (259, 4),
        (262, black_is_zero),
        (273, 110),
        (278, height),
        (279, len(data)),
    ]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + fields + b"\0" * 4
    return Image.open(io.BytesIO(head + data)).convert("L")


def test_barcode_and_qr_of_the_file_can_be_scanned() -> None:
    page = page_in(pdf(card(), "借閱單"))
    assert page.size == PAGE
    wanted = {Code("P1234567", "code128"), Code("館藏 LIB-1", "qr")}
    assert CodeReader({"code128", "qr"}).read(np.asarray(page)) == wanted
    assert {seen.data.decode() for seen in pyzbar.decode(page)} == {code.text for code in wanted}


def test_the_page_is_a4_at_300_dots_and_the_file_is_small() -> None:
    file = pdf(card(), "借閱單")
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", file)
    assert box is not None
    assert [round(float(points) / 72 * 25.4) for points in box.groups()] == [210, 297]
    assert PAGE[0] / DPI * 25.4 > 209
    assert len(file) < 60_000


def test_it_is_set_in_the_traditional_chinese_face() -> None:
    assert text_face(56, bold=False).getname() == (FONT, "Regular")
    assert text_face(56, bold=True).getname() == (FONT, "Bold")


def test_a_long_slip_goes_on_on_further_pages_and_loses_nothing() -> None:
    wanted = {f"C{number:07}" for number in range(20)}
    blocks = tuple(Barcode(text) for text in sorted(wanted))
    sheets = pages(Slip(kind=SlipKind.TEST, language=Language.EN, blocks=blocks))
    assert len(sheets) == 3
    assert {seen.data.decode() for sheet in sheets for seen in pyzbar.decode(sheet.convert("L"))} == wanted
    assert len(pages(loan_slip(3))) == 1


def test_a_line_of_the_widest_letters_stays_on_the_paper() -> None:
    page = np.asarray(pages(Slip(kind=SlipKind.TEST, language=Language.EN, blocks=(Line("W" * 48, Weight.STRONG),)))[0])
    dark = np.flatnonzero(~page.all(axis=0))
    assert dark.min() > 400
    assert dark.max() < PAGE[0] - 400


def test_every_character_is_drawn_and_none_as_the_fonts_empty_box() -> None:
    def drawn(text: str) -> bytes:
        return pages(Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=(Line(text),)))[0].tobytes()

    assert len({drawn(char) for char in ("堃", "𠮷", "〓", "龘")}) == 4
