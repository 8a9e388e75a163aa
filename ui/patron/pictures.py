"""Pictures for QML: our own SVG drawings in the theme's colours, and QR codes. Image providers; Qt thread, never blocking.

Called by the engine when `Drawing.qml` or `QrPicture.qml` asks; what cannot be drawn is one clear pixel, never an error.

Why: image providers, not painted items. An item that QML makes and Python defines is never freed (PySide6 6.11), which
cost 19 kB each and 1.2 MB a visit. So nothing that QML makes is defined in Python (tests/ui/test_memory.py holds it).
The SVG files carry the colours of the normal theme, so that they can be looked at as they are; each is replaced by the
colour that QML names in the address. A picture is painted at the size it has on the screen, so it is always crisp.
"""

from functools import cache
from importlib import resources
from urllib.parse import unquote

from PySide6.QtCore import QByteArray, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtQuick import QQuickImageProvider
from PySide6.QtSvg import QSvgRenderer
from qrcode.constants import ERROR_CORRECT_L
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

DRAWINGS = "drawing"
"""Addresses: image://drawing/NAME/INK/ACCENT/TINT/SURFACE, colours as six hexadecimal digits."""
QR_CODES = "qr"
"""Addresses: image://qr/TEXT, percent-encoded; Qt hands it over with some of that undone."""

COLOURS = ("#23262f", "#0b5a57", "#d6e8e4", "#ffffff")
"""Ink, accent, tint and surface as they stand in the SVG files."""


class Drawings(QQuickImageProvider):
    """`drawings/*.svg`, as large as fits into the size asked for, centred."""

    def __init__(self) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)

    def requestImage(self, address: str, _size: QSize, requested: QSize) -> QImage:
        if requested.isEmpty():
            return _clear(QSize(1, 1))
        name, *colours = address.split("/")
        renderer = QSvgRenderer(QByteArray(_recoloured(name, colours)))
        picture = _clear(requested)
        box = renderer.viewBoxF()
        scale = min(picture.width() / box.width(), picture.height() / box.height())
        width, height = box.width() * scale, box.height() * scale
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF((picture.width() - width) / 2, (picture.height() - height) / 2, width, height))
        painter.end()
        return picture


class QrCodes(QQuickImageProvider):
    """A QR code, one pixel a module, without its margin; one clear pixel for a text that is empty or does not fit."""

    def __init__(self) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)

    def requestImage(self, address: str, _size: QSize, _requested: QSize) -> QImage:
        rows = qr_modules(unquote(address))
        picture = _clear(QSize(len(rows) or 1, len(rows) or 1))
        for y, row in enumerate(rows):
            for x, dark in enumerate(row):
                picture.setPixel(x, y, 0xFF000000 if dark else 0xFFFFFFFF)
        return picture


def qr_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Rows of dark and light modules without the margin; empty when there is no text or it does not fit."""
    if not text:
        return ()
    code: QRCode = QRCode(error_correction=ERROR_CORRECT_L, border=0)
    code.add_data(text.encode())
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):  # qrcode 8.2 tells a text of more than 40-L by either
        return ()
    return tuple(tuple(bool(module) for module in row) for row in code.get_matrix())


def _clear(size: QSize) -> QImage:
    picture = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    return picture


@cache
def _drawing(name: str) -> str:
    return resources.files("ui.patron").joinpath("drawings", f"{name}.svg").read_text(encoding="utf-8")


def _recoloured(name: str, colours: list[str]) -> bytes:
    text = _drawing(name)
    for before, after in zip(COLOURS, colours, strict=True):
        text = text.replace(before, f"\0{after}")
    return text.replace("\0", "#").encode()
