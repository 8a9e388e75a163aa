"""Painted items for QML: our own SVG drawings in the theme's colours, and a QR code of the slip. Qt thread.

The SVG files carry the colours of the normal theme, so that they can be looked at as they are; here each of these is
replaced by the colour that QML asks for. A picture is painted at the size it has on the screen, so it is always crisp.
Painted items, not an image provider: QML binds the colours like any property, and the software renderer draws them.
"""

from functools import cache
from importlib import resources

from PySide6.QtCore import Property, QByteArray, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtQml import QmlElement
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem
from PySide6.QtSvg import QSvgRenderer
from qrcode.constants import ERROR_CORRECT_L
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

QML_IMPORT_NAME = "Shelfpoint"
QML_IMPORT_MAJOR_VERSION = 1

INK, ACCENT, TINT, SURFACE = "#23262f", "#0b5a57", "#d6e8e4", "#ffffff"
"""The colours that stand in the SVG files."""

QUIET_MODULES = 4
"""Width of the empty margin that a QR code needs (ISO/IEC 18004)."""


@cache
def _drawing(name: str) -> str:
    return resources.files("ui.patron").joinpath("drawings", f"{name}.svg").read_text(encoding="utf-8")


@QmlElement
class Drawing(QQuickPaintedItem):
    """One of `drawings/*.svg`, as large as fits, centred. Purely decorative: texts beside it say the same."""

    changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self._colours = {INK: QColor(INK), ACCENT: QColor(ACCENT), TINT: QColor(TINT), SURFACE: QColor(SURFACE)}
        self._renderer: QSvgRenderer | None = None
        self.setAntialiasing(True)

    def paint(self, painter: QPainter) -> None:
        if not self._name:
            return
        if self._renderer is None:
            text = _drawing(self._name)
            for colour, wanted in self._colours.items():
                text = text.replace(colour, f"\0{wanted.name()[1:]}")
            self._renderer = QSvgRenderer(QByteArray(text.replace("\0", "#").encode()))
        box = self._renderer.viewBoxF()
        scale = min(self.width() / box.width(), self.height() / box.height())
        width, height = box.width() * scale, box.height() * scale
        self._renderer.render(painter, QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height))

    def _redraw(self) -> None:
        self._renderer = None
        self.update()
        self.changed.emit()

    def _set_colour(self, key: str, colour: QColor) -> None:
        if self._colours[key] != colour:
            self._colours[key] = colour
            self._redraw()

    @Property(str, notify=changed)
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self._redraw()

    @Property(QColor, notify=changed)
    def ink(self) -> QColor:
        return self._colours[INK]

    @ink.setter
    def ink(self, colour: QColor) -> None:
        self._set_colour(INK, colour)

    @Property(QColor, notify=changed)
    def accent(self) -> QColor:
        return self._colours[ACCENT]

    @accent.setter
    def accent(self, colour: QColor) -> None:
        self._set_colour(ACCENT, colour)

    @Property(QColor, notify=changed)
    def tint(self) -> QColor:
        return self._colours[TINT]

    @tint.setter
    def tint(self, colour: QColor) -> None:
        self._set_colour(TINT, colour)

    @Property(QColor, notify=changed)
    def surface(self) -> QColor:
        return self._colours[SURFACE]

    @surface.setter
    def surface(self, colour: QColor) -> None:
        self._set_colour(SURFACE, colour)


@QmlElement
class QrPicture(QQuickPaintedItem):
    """A QR code of `text`, black on white with its quiet margin, in whole pixels so that a telephone reads it."""

    changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._rows: tuple[tuple[bool, ...], ...] = ()

    @Property(str, notify=changed)
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._rows = qr_modules(text)
            self.update()
            self.changed.emit()

    @Property(bool, notify=changed)
    def readable(self) -> bool:
        """False when the text is empty or too long for a QR code."""
        return bool(self._rows)

    def paint(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, self.width(), self.height()), Qt.GlobalColor.white)
        if not self._rows:
            return
        side = int(min(self.width(), self.height()))
        module = max(1, side // (len(self._rows) + 2 * QUIET_MODULES))
        left = int(self.width() - module * len(self._rows)) // 2
        top = int(self.height() - module * len(self._rows)) // 2
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(left + x * module, top + y * module, module, module, Qt.GlobalColor.black)


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
