"""Slip -> PDF (A4), for sending by mail and for offices without a slip printer; pure but for reading fonts, any thread.

Set by the same rules as on paper (`drivers.typesetting`), 48 cells wide in the middle of the page, in Noto Sans CJK TC.
A page is a picture of 300 dots per inch, black on white without grey: every character that this machine can draw is in
the file, and it looks the same everywhere. What that costs: text cannot be marked or read aloud. ISO 32000, by Pillow.
"""

import io
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from drivers.typesetting import (
    BarcodeLine,
    QrLine,
    RuleLine,
    SetLine,
    TextLine,
    clean,
    runs,
    text_font,
    typeset,
)
from kiosk.slip import Slip

DPI = 300
PAGE = (2480, 3508)
"""A4 in dots."""
FONT = "Noto Sans CJK TC"
COLUMNS = 48
"""Cells in a line."""
_SIZE = 56
_WIDTH = COLUMNS * _SIZE // 2
_LEFT = (PAGE[0] - _WIDTH) // 2
_MARGIN = 236
_LEADING = 1.5
_MODULE = 5
"""Dots of a barcode's narrow bar: 0.42 mm."""
_QR_MODULE = 10
_BAR_HEIGHT = 180
_FACES = 10


def pages(slip: Slip) -> list[Image.Image]:
    """The slip as A4 pictures of 1-bit dots; blocks for some tens of milliseconds. OSError if no font is installed."""
    drawn: list[Image.Image] = []
    page, y = _page(), _MARGIN
    for line in typeset(slip, COLUMNS):
        for part, air in _parts(line):
            if y + air + part.height > PAGE[1] - _MARGIN and y > _MARGIN:
                drawn.append(page)
                page, y = _page(), _MARGIN
            y += air if y > _MARGIN else 0
            page.paste(part, (_LEFT, y))
            y += part.height
    drawn.append(page)
    if len(drawn) > 1:
        for number, sheet in enumerate(drawn, 1):
            foot = _text(TextLine(f"{number} / {len(drawn)}", centred=True))
            sheet.paste(foot, (_LEFT, PAGE[1] - _MARGIN + _SIZE))
    return [sheet.point(lambda grey: 255 if grey > 127 else 0, mode="1") for sheet in drawn]


def pdf(slip: Slip, title: str) -> bytes:
    """The pages as one PDF file. `title` is shown in the reader's window; it must name nobody."""
    first, *more = pages(slip)
    file = io.BytesIO()
    first.save(file, "PDF", save_all=True, append_images=more, resolution=DPI, title=title)
    return file.getvalue()


def _page() -> Image.Image:
    return Image.new("L", PAGE, 255)


def _parts(line: SetLine) -> Iterator[tuple[Image.Image, int]]:
    """What stands on the page for this line, full column width, with the space above it."""
    match line:
        case TextLine(air=air):
            yield _text(line), _SIZE // 2 if air else 0
        case RuleLine():
            rule = Image.new("L", (_WIDTH, _SIZE), 255)
            ImageDraw.Draw(rule).line((0, _SIZE // 2, _WIDTH, _SIZE // 2), fill=0, width=4)
            yield rule, 0
        case BarcodeLine(data=data):
            yield _barcode(data), _SIZE
            yield _text(TextLine(data, centred=True)), 0
        case QrLine(data=data):
            yield _centred(_qr(data)), _SIZE


def _text(line: TextLine) -> Image.Image:
    """A line of text; squeezed when proportional letters make it wider than its cells."""
    size = _SIZE * (2 if line.large else 1)
    strip = Image.new("L", (_WIDTH, round(size * _LEADING)), 255)
    left, right = _lettered(line.left, size, line.bold), _lettered(line.right, size, line.bold)
    room = _WIDTH - (size // 2 if line.right else 0)
    if left.width + right.width > room:
        shrink = room / (left.width + right.width)
        left, right = (part.resize((max(1, int(part.width * shrink)), part.height)) for part in (left, right))
    strip.paste(left, ((_WIDTH - left.width) // 2 if line.centred else 0, 0))
    if line.right:
        strip.paste(right, (_WIDTH - right.width, 0))
    return strip


def _lettered(text: str, size: int, bold: bool) -> Image.Image:
    """In the page's face where it holds the characters (the monospaced one beside it holds the same), or in another's."""
    mono, face = text_font(size, bold), text_face(size, bold)
    shown = [(face if font is mono else font, run) for font, run in runs(text, size, bold)]
    widths = [round(font.getlength(run)) for font, run in shown]
    picture = Image.new("L", (max(1, sum(widths)), round(size * _LEADING)), 255)
    pen = ImageDraw.Draw(picture)
    x = 0
    for (font, run), width in zip(shown, widths, strict=True):
        pen.text((x, round(size * 1.1)), run, font=font, fill=0, anchor="ls")
        x += width
    return picture


@lru_cache(maxsize=8)
def text_face(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK TC out of the collection that typesetting found; that one's own face where it is another font."""
    mono = text_font(size, bold)
    for index in range(_FACES):
        try:
            face = ImageFont.truetype(str(mono.path), size, index)
        except OSError:
            break
        if face.getname()[0] == FONT:
            return face
    return mono


def _barcode(data: str) -> Image.Image:
    """Code 128 with its quiet zones, as wide as fits in whole dots; as text alone where it does not fit at all."""
    bars = np.asarray(zxingcpp.create_barcode(clean(data), zxingcpp.BarcodeFormat.Code128).to_image(scale=1))[:1]
    dots = min(_MODULE, _WIDTH // (bars.shape[1] + 20))
    if dots < 1:
        return Image.new("L", (_WIDTH, 1), 255)
    wide = np.repeat(np.repeat(bars, dots, axis=1), _BAR_HEIGHT, axis=0)
    return _centred(Image.fromarray(wide.astype(np.uint8)))


def _qr(data: str) -> Image.Image:
    code: QRCode = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(data.encode())
    code.make(fit=True)
    dark = np.array(code.get_matrix(), dtype=bool)
    dots = max(1, min(_QR_MODULE, _WIDTH // dark.shape[0]))
    return Image.fromarray(np.repeat(np.repeat(np.where(dark, 0, 255).astype(np.uint8), dots, 0), dots, 1))


def _centred(picture: Image.Image) -> Image.Image:
    strip = Image.new("L", (_WIDTH, picture.height), 255)
    strip.paste(picture, ((_WIDTH - picture.width) // 2, 0))
    return strip
