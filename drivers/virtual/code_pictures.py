"""Draws codes as they leave a label printer: dark and light modules, sharp, with their quiet zone.

Drawn by other libraries than those that read them (python-barcode and qrcode), so that a mistake of one side is seen.
Pure; any thread. Not modelled: ink spread, wide-to-narrow ratios other than these libraries', labels under foil.
"""

from typing import Any

import barcode  # type: ignore[import-untyped]  # python-barcode 0.16 has no annotations
import numpy as np
from numpy.typing import NDArray
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

Grey = NDArray[np.uint8]
"""Rows of grey pixels, 0 black to 255 white."""

QUIET_MODULES = 10
"""Empty margin left and right of a bar code; with half of it Codabar is hardly read (reference/probe.md 3.2)."""
_QR_QUIET = 4
_PIXELS_A_MODULE = {"codabar": 2}
"""python-barcode draws Codabar with narrow bars of two pixels and wide ones of five."""
_HEIGHT_SHARE = 0.32
_OPTIONS = {"code39": {"add_checksum": False}}


def modules(symbology: str, text: str) -> Grey:
    """One pixel for each module (Codabar: two): one row for a bar code, a square for QR; ValueError for an unknown symbology.

    Codabar between A and B, unless the text brings its own start and stop letters.
    """
    if symbology == "qr":
        code: QRCode[Any] = QRCode(error_correction=ERROR_CORRECT_M, border=_QR_QUIET)
        code.add_data(text)
        code.make(fit=True)
        dark = np.array(code.get_matrix(), dtype=bool)
    elif symbology in ("code39", "code128", "codabar", "ean13"):
        spelled = f"A{text}B" if symbology == "codabar" and not text[:1].isalpha() else text
        drawn = barcode.get_barcode_class(symbology)(spelled, **_OPTIONS.get(symbology, {})).build()[0]
        quiet = [False] * QUIET_MODULES * _PIXELS_A_MODULE.get(symbology, 1)
        bars = quiet + [char == "1" for char in drawn] + quiet
        dark = np.array([bars], dtype=bool)
    else:
        raise ValueError(f"a symbology that is not drawn here: {symbology}")
    return np.where(dark, 0, 255).astype(np.uint8)


def label(symbology: str, text: str, module_px: int) -> Grey:
    """The code as a label of whole pixels; a bar code is about a third as high as wide, with a margin all around."""
    drawn = np.repeat(modules(symbology, text), module_px, axis=1)
    if symbology == "qr":
        return np.repeat(drawn, module_px, axis=0)
    bars = np.repeat(drawn, max(1, int(drawn.shape[1] * _HEIGHT_SHARE)), axis=0)
    return np.pad(bars, ((QUIET_MODULES * module_px // 2,) * 2, (0, 0)), constant_values=255)


def desk(symbology: str, text: str, size: tuple[int, int], share: float = 0.5) -> Grey:
    """A frame of `size` (width, height) with the label in its middle, about `share` of the width wide."""
    width, height = size
    module_px = max(1, int(width * share / modules(symbology, text).shape[1]))
    drawn = label(symbology, text, module_px)[:height, :width]
    frame = np.full((height, width), 120, np.uint8)
    top, left = (height - drawn.shape[0]) // 2, (width - drawn.shape[1]) // 2
    frame[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return frame
