"""Codes out of camera frames: grey pixels in, decoded codes out; pure but for the libraries' own memory.

zxing-cpp looks first, at a copy of half the size and then at the frame as it is: it is several times faster than zbar
and reads more, and most codes are read in the small copy at a third of the time. A frame that says nothing is looked
at again in cheap variants, each of which reads what the others do not (measured on ui/benchmarks/code_frames.py):
turned by 45 degrees (zxing-cpp searches rows and columns only), enlarged, smooth (noise), sharp (blur); last zbar, on a
small copy, because it gets slower and worse with more pixels.

No wrong value: only the configured symbologies are looked for; a linear code is printable ASCII; two values of one
symbology in one picture are none; and `Agreement` lets a value through only when two frames of a burst agree and none
contradicts. Code 39 and Codabar have no check digit: length and pattern are the heart's (`kiosk.domain.identity`).

Importing this loads OpenCV and the decoders (a third of a second): the camera's thread does it, never the kiosk's
start. One thread per `CodeReader`. Symbology names are those of `drivers.frames`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar

from kiosk.domain.identity import MAX_CODE_LENGTH

Grey = NDArray[np.uint8]
"""Rows of grey pixels."""

_ZXING = {
    "code39": zxingcpp.BarcodeFormat.Code39,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "codabar": zxingcpp.BarcodeFormat.Codabar,
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "itf": zxingcpp.BarcodeFormat.ITF,
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "datamatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "pdf417": zxingcpp.BarcodeFormat.PDF417,
}
_ZBAR = {
    "code39": pyzbar.ZBarSymbol.CODE39,
    "code128": pyzbar.ZBarSymbol.CODE128,
    "codabar": pyzbar.ZBarSymbol.CODABAR,
    "ean13": pyzbar.ZBarSymbol.EAN13,
    "qr": pyzbar.ZBarSymbol.QRCODE,
}
"""ITF is left out: in noise zbar sees Interleaved 2 of 5 where there is none."""
SYMBOLOGIES = frozenset(_ZXING)
_ANY_TEXT = frozenset({"qr", "datamatrix", "pdf417"})
_TURNED_SCALE = 0.7
_LARGEST_DOUBLED = 1500
_LEAST_HALVED = 1000


@dataclass(frozen=True, slots=True)
class Code:
    """One code that was read."""

    text: str = field(repr=False)
    """Printable; Codabar with its start and stop letters."""
    symbology: str
    """Name as in `drivers.frames`."""


class CodeReader:
    """Reads frames for a set of symbologies; ValueError for a name that is not in `SYMBOLOGIES`."""

    def __init__(self, symbologies: Iterable[str]) -> None:
        wanted = frozenset(symbologies)
        if not wanted or wanted - SYMBOLOGIES:
            known = ", ".join(sorted(SYMBOLOGIES))
            raise ValueError(f"symbologies: expected some of {known}, got {sorted(wanted)}")
        cv2.setNumThreads(1)  # one core at most, whatever the machine has
        self._formats = zxingcpp.BarcodeFormats([_ZXING[name] for name in wanted])
        self._names = {str(_ZXING[name]): name for name in wanted}
        self._zbar = [_ZBAR[name] for name in wanted if name in _ZBAR]
        self._zbar_names = {_ZBAR[name].name: name for name in wanted if name in _ZBAR}
        self._variants: tuple[Callable[[Grey], frozenset[Code]], ...] = (
            lambda frame: self._zxing(_turned(frame)),
            lambda frame: self._zxing(_enlarged(frame)),
            lambda frame: self._zxing(_smoothed(frame)),
            lambda frame: self._zxing(_sharpened(frame)),
            lambda frame: self._by_zbar(_halved(frame) if frame.shape[1] >= _LEAST_HALVED else frame),
        )

    def glance(self, frame: Grey) -> frozenset[Code]:
        """The frame in half its size, then as it is: cheap, and enough for most codes."""
        if frame.shape[1] >= _LEAST_HALVED:
            found = self._zxing(_halved(frame))
            if found:
                return found
        return self._zxing(frame)

    def read(self, frame: Grey) -> frozenset[Code]:
        """A glance, and when it finds nothing every variant in turn, up to the first that says something."""
        found = self.glance(frame)
        for variant in self._variants:
            if found:
                break
            found = variant(frame)
        return found

    def _zxing(self, frame: Grey) -> frozenset[Code]:
        seen = zxingcpp.read_barcodes(frame, formats=self._formats, text_mode=zxingcpp.TextMode.Plain)
        return _unambiguous(Code(code.text, self._names.get(str(code.format), "")) for code in seen)

    def _by_zbar(self, frame: Grey) -> frozenset[Code]:
        if not self._zbar:
            return frozenset()
        return _unambiguous(
            Code(code.data.decode("utf-8", "replace"), self._zbar_names.get(code.type, ""))
            for code in pyzbar.decode(frame, symbols=self._zbar)
        )


class Agreement:
    """Lets a value through once two of the last three frames hold it and none holds another of its symbology.

    A code that stays in view counts once; after `away` long looks without it, it counts again. A glance that misses it
    says nothing: a code that only the long look reads may still lie there.
    """

    FRAMES = 3
    NEEDED = 2

    def __init__(self, away: int = 4) -> None:
        self._away = away
        self._last: deque[frozenset[Code]] = deque(maxlen=self.FRAMES)
        self._counted: dict[Code, int] = {}

    def look(self, codes: frozenset[Code], *, long: bool = True) -> tuple[Code, ...]:
        """One more frame, after a long look or a glance: the codes that count now."""
        self._last.append(codes)
        for code in list(self._counted):
            self._counted[code] = 0 if code in codes else self._counted[code] + long
            if self._counted[code] >= self._away:
                del self._counted[code]
        agreed = [code for code in sorted(codes, key=lambda code: code.text) if self._agreed(code)]
        new = tuple(code for code in agreed if code not in self._counted)
        self._counted.update(dict.fromkeys(new, 0))
        return new

    def _agreed(self, code: Code) -> bool:
        votes = sum(code in codes for codes in self._last)
        rivals = any(
            other.symbology == code.symbology and other.text != code.text for codes in self._last for other in codes
        )
        return votes >= self.NEEDED and not rivals


class Attention:
    """Whether a frame deserves the long look: while the picture is new, and now and then; not a pad that lies empty.

    The picture is compared as a small one, so that the sensor's noise does not count as news.
    """

    LONG_LOOKS = 4
    EVERY = 30
    AGAIN = 3
    _SMALL = (32, 18)
    _NEWS = 2.0

    def __init__(self) -> None:
        self._known: NDArray[np.float32] | None = None
        self._looks = 0

    def deserves(self, frame: Grey) -> bool:
        """True for the first four frames of a new picture, then for three of thirty (two must agree)."""
        small = cv2.resize(frame, self._SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._known is None or float(np.abs(small - self._known).mean()) > self._NEWS:
            self._known = small
            self._looks = 0
        self._looks += 1
        return self._looks <= self.LONG_LOOKS or self._looks % self.EVERY < self.AGAIN


def _unambiguous(codes: Iterable[Code]) -> frozenset[Code]:
    """Plausible values; none of a symbology that says two things at once."""
    plausible = {code for code in codes if _plausible(code)}
    values: dict[str, int] = {}
    for code in plausible:
        values[code.symbology] = values.get(code.symbology, 0) + 1
    return frozenset(code for code in plausible if values[code.symbology] == 1)


def _plausible(code: Code) -> bool:
    fits = (
        0 < len(code.text) <= MAX_CODE_LENGTH
        and code.text.isprintable()
        and "\N{REPLACEMENT CHARACTER}" not in code.text
    )
    return fits and code.symbology != "" and (code.symbology in _ANY_TEXT or code.text.isascii())


def _turned(frame: Grey) -> Grey:
    """By 45 degrees, a little smaller, nothing cut off."""
    height, width = frame.shape
    side = round((width + height) * _TURNED_SCALE * 0.7072)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 45, _TURNED_SCALE)
    turn[0, 2] += side / 2 - width / 2
    turn[1, 2] += side / 2 - height / 2
    turned = cv2.warpAffine(frame, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)


def _enlarged(frame: Grey) -> Grey:
    factor = 2.0 if frame.shape[1] <= _LARGEST_DOUBLED else 1.5
    large = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.uint8)


def _smoothed(frame: Grey) -> Grey:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.2), dtype=np.uint8)


def _sharpened(frame: Grey) -> Grey:
    """Unsharp mask over about a module's width."""
    return np.asarray(cv2.addWeighted(frame, 4.0, cv2.GaussianBlur(frame, (0, 0), 4), -3.0, 0), dtype=np.uint8)


def _halved(frame: Grey) -> Grey:
    return np.asarray(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8)
