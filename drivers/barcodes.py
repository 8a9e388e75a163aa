"""Codes out of camera frames: grey pixels in, decoded codes out; pure but for the libraries' own memory and one log line.

`drivers.camera` calls `CodeReader` on its decoding thread, one reader a thread. Promises: only the configured symbologies;
no value that the picture does not show (`drivers.print_check`); a decoder that fails has read nothing.
Importing this loads OpenCV and the decoders (a third of a second): the camera's thread does it, never the kiosk's start.

Why
zxing-cpp looks first, at a copy of half the size and then at the frame as it is: it is several times faster than zbar
and reads more, and most codes are read in the small copy at a third of the time. A frame that says nothing is looked
at again in cheap variants, each of which reads what the others do not (measured on ui/benchmarks/code_frames.py):
turned by 45 degrees (zxing-cpp searches rows and columns only), enlarged, smooth (noise), sharp (blur), inverted (a
telephone's dark mode; zxing-cpp inverts for QR alone); last zbar, on a small copy, because it gets slower and worse
with more pixels.

Whatever look read it, a linear code counts only if the frame itself, in full size, shows its bars. Two values of one
symbology in one picture are none; but what a decoder read wrongly inside of a code that was confirmed is no second one.
QR codes, Data Matrix and PDF417 correct their own errors and need no such check; zbar recodes their bytes by a guess,
so its word on a QR code counts only in ASCII.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import structlog
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar

from drivers.matrix_text import announces_eci, matrix_text
from drivers.print_check import Claim, shows
from drivers.qr_beginning import Mode, beginning
from kiosk.domain.identity import MAX_CODE_LENGTH

log = structlog.get_logger(__name__)

Grey = NDArray[np.uint8]
"""Rows of grey pixels."""
Floats = NDArray[np.float64]

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
_MATRIX_QUIET = {"qr": 4, "datamatrix": 1, "pdf417": 2}
"""Modules of light paper around; their text may be more than ASCII."""
_FEWEST_MODULES = 21
"""Of a QR code whose size zbar does not tell."""
_LEAST_ITF = 6
"""Digits: any two bars in print are an Interleaved 2 of 5 of two."""
_TURNED_SCALE = 0.7
_NEAR = 24.0
"""Pixels: what a decoder read wrongly in a code may lie a little beside it."""
_LARGEST_DOUBLED = 1500
_LEAST_HALVED = 1000
_UNMOVED = np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))


@dataclass(frozen=True, slots=True)
class Code:
    """One code that was read."""

    text: str = field(repr=False)
    """Printable; Codabar without its start and stop letters, as scanners send it."""
    symbology: str
    """Name as in `drivers.frames`."""


@dataclass(frozen=True, slots=True)
class _View:
    """A frame in another shape."""

    pixels: Grey
    """What the decoder is shown."""
    back: Floats
    """2 x 3: from its pixels to the frame's."""
    inverted: bool = False
    """Dark for light."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a decoder says, before it is believed."""

    code: Code
    """The value."""
    claims: tuple[Claim, ...]
    """Where in the frame its bars must be, each guess; none for a code that corrects its own errors."""
    middle: Floats
    """Its middle in the frame."""


class CodeReader:
    """Reads frames for a set of symbologies; ValueError for a name that is not in `SYMBOLOGIES`.

    `lengths` names, for some, how many characters alone a code may have: for symbologies without check characters, in
    which a part of a code may look like a whole one.
    """

    def __init__(self, symbologies: Iterable[str], lengths: Mapping[str, Iterable[int]] | None = None) -> None:
        wanted = frozenset(symbologies)
        if not wanted or wanted - SYMBOLOGIES:
            known = ", ".join(sorted(SYMBOLOGIES))
            raise ValueError(f"symbologies: expected some of {known}, got {sorted(wanted)}")
        cv2.setNumThreads(1)  # one core at most, whatever the machine has
        self._lengths = {name: frozenset(counts) for name, counts in (lengths or {}).items()}
        self._formats = zxingcpp.BarcodeFormats([_ZXING[name] for name in wanted])
        self._names = {str(_ZXING[name]): name for name in wanted}
        self._zbar = [_ZBAR[name] for name in wanted if name in _ZBAR]
        self._zbar_names = {_ZBAR[name].name: name for name in wanted if name in _ZBAR}
        self._failed: set[str] = set()
        self._variants: tuple[Callable[[Grey], _View], ...] = (_turned, _enlarged, _smoothed, _sharpened)
        if wanted - set(_MATRIX_QUIET):
            self._variants += (_inverted,)

    def glance(self, frame: Grey) -> frozenset[Code]:
        """The frame in half its size, then as it is: cheap, and enough for most codes."""
        return self._glance(frame, set())

    def read(self, frame: Grey) -> frozenset[Code]:
        """A glance, and when it finds nothing every variant in turn, up to the first that says something."""
        disputed: set[str] = set()
        codes = self._glance(frame, disputed)
        for variant in self._variants:
            if codes:
                return codes
            codes = self._zxing(frame, variant(frame), disputed)
        if codes or not self._zbar:
            return codes
        view = _halved(frame) if frame.shape[1] >= _LEAST_HALVED else _View(frame, _UNMOVED)
        return self._believed(frame, view, self._by_zbar(frame, view), disputed)

    def _glance(self, frame: Grey, disputed: set[str]) -> frozenset[Code]:
        if frame.shape[1] >= _LEAST_HALVED and (codes := self._zxing(frame, _halved(frame), disputed)):
            return codes
        return self._zxing(frame, _View(frame, _UNMOVED), disputed)

    def _zxing(self, frame: Grey, view: _View, disputed: set[str]) -> frozenset[Code]:
        return self._believed(frame, view, self._by_zxing(frame, view), disputed)

    def _by_zxing(self, frame: Grey, view: _View) -> list[_Seen]:
        try:
            codes = zxingcpp.read_barcodes(view.pixels, formats=self._formats, text_mode=zxingcpp.TextMode.HexECI)
            return [seen for code in codes if (seen := self._seen_by_zxing(code, frame, view)) is not None]
        except Exception as fault:  # noqa: BLE001 -- a library's bug at one picture must not end the camera
            self._tell("zxing-cpp", fault)
            return []

    def _seen_by_zxing(self, code: zxingcpp.Barcode, frame: Grey, view: _View) -> _Seen | None:
        symbology = self._names.get(str(code.format), "")
        position = code.position
        corners = _moved(
            [
                (at.x, at.y)
                for at in (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
            ],
            view.back,
        )
        if symbology in _MATRIX_QUIET:
            return _matrix(code, symbology, corners, frame)
        content = bytes.fromhex(code.text)[3:]
        return _linear(content.decode("ascii"), symbology, (corners,)) if content.isascii() else None

    def _by_zbar(self, frame: Grey, view: _View) -> list[_Seen]:
        for symbols in (self._zbar, [symbol for symbol in self._zbar if symbol is not pyzbar.ZBarSymbol.QRCODE]):
            try:
                codes = pyzbar.decode(view.pixels, symbols=symbols) if symbols else []
                seen = [self._seen_by_zbar(code, frame, view) for code in codes if code.data.isascii()]
                return [candidate for candidate in seen if candidate is not None]
            except Exception as fault:  # noqa: BLE001 -- pyzbar raises ValueError at parts of a QR message in view
                self._tell("zbar", fault)
        return []

    def _seen_by_zbar(self, code: pyzbar.Decoded, frame: Grey, view: _View) -> _Seen | None:
        symbology = self._zbar_names.get(code.type, "")
        corners = _moved(cv2.boxPoints(cv2.minAreaRect(np.array(code.polygon, dtype=np.float32))), view.back)
        text = code.data.decode("ascii")
        if symbology in _MATRIX_QUIET:
            whole = _lies_whole(corners, _MATRIX_QUIET[symbology] / _FEWEST_MODULES, frame)
            return _Seen(Code(text, symbology), (), corners.mean(axis=0)) if whole else None
        turns = [np.roll(corners, -turn, axis=0) for turn in range(4)]
        turns.sort(key=lambda turn: -float(np.hypot(*(turn[1] - turn[0]))))
        return _linear(text, symbology, tuple(turns))

    def _believed(self, frame: Grey, view: _View, seen: list[_Seen], disputed: set[str]) -> frozenset[Code]:
        """What the frame shows; nothing of a symbology that says two things at once, in this look or in one before.

        Such symbologies are added to `disputed`: another look may well see only one of two labels.
        """
        if not seen:
            return frozenset()
        picture = np.asarray(255 - frame, dtype=np.uint8) if view.inverted else frame
        plausible = [candidate for candidate in seen if self._is_plausible(candidate.code)]
        shown = [
            candidate
            for candidate in plausible
            if not candidate.claims or any(shows(picture, claim) for claim in candidate.claims)
        ]
        values: dict[str, set[str]] = {}
        for candidate in shown:
            values.setdefault(candidate.code.symbology, set()).add(candidate.code.text)
        disputed.update(symbology for symbology, texts in values.items() if len(texts) > 1)
        return frozenset(
            candidate.code
            for candidate in shown
            if candidate.code.symbology not in disputed and not _has_rival(candidate, plausible)
        )

    def _is_plausible(self, code: Code) -> bool:
        lengths = self._lengths.get(code.symbology)
        return (
            code.symbology != ""
            and 0 < len(code.text) <= MAX_CODE_LENGTH
            and code.text.isprintable()
            and "\N{REPLACEMENT CHARACTER}" not in code.text
            and (lengths is None or len(code.text) in lengths)
            and (code.symbology != "itf" or len(code.text) >= _LEAST_ITF)
        )

    def _tell(self, decoder: str, fault: Exception) -> None:
        if decoder not in self._failed:
            self._failed.add(decoder)
            log.warning("a decoder failed at a picture; it counts as nothing read", decoder=decoder, error=repr(fault))


def _linear(text: str, symbology: str, guesses: tuple[Floats, ...]) -> _Seen:
    claims = tuple(Claim(symbology, text, corners) for corners in guesses)
    shown = text[1:-1] if symbology == "codabar" else text
    return _Seen(Code(shown, symbology), claims, guesses[0].mean(axis=0))


def _matrix(code: zxingcpp.Barcode, symbology: str, corners: Floats, frame: Grey) -> _Seen | None:
    """A code of two dimensions that lies in the picture with its quiet zone, and says a text."""
    modules = np.asarray(code.to_image(scale=1, add_quiet_zones=False)) < 128
    if not _lies_whole(corners, _MATRIX_QUIET[symbology] / max(modules.shape), frame):
        return None
    content = bytes.fromhex(code.text)
    mode = None
    extra: dict[str, object] = code.extra if isinstance(code.extra, dict) else {}
    mask, level = extra.get("DataMask"), extra.get("ECLevel")
    if symbology == "qr" and str(extra.get("Version")).isdigit() and isinstance(mask, int):
        mode = beginning(modules, mask, str(level), content[3:])
        if mode is None or (mode is Mode.ECI) > announces_eci(content[:3]):
            return None
    text = matrix_text(content, mode is Mode.KANJI)
    return None if text is None else _Seen(Code(text, symbology), (), corners.mean(axis=0))


def _lies_whole(corners: Floats, quiet: float, frame: Grey) -> bool:
    """The code and a share of its size around it lie in the frame."""
    middle = corners.mean(axis=0)
    edges = middle + (corners - middle) * (1 + 2 * quiet)
    height, width = frame.shape
    return bool((edges >= -1).all() and (edges <= (width, height)).all())


def _has_rival(candidate: _Seen, plausible: list[_Seen]) -> bool:
    """Elsewhere in the picture this symbology seems to say something else, though it was not confirmed."""
    return any(
        other.code.symbology == candidate.code.symbology
        and other.code.text != candidate.code.text
        and not _covers(candidate, other)
        for other in plausible
    )


def _covers(candidate: _Seen, other: _Seen) -> bool:
    """The other one's middle lies inside of this one."""
    return any(
        cv2.pointPolygonTest(claim.corners.astype(np.float32), tuple(map(float, other.middle)), True) >= -_NEAR
        for claim in candidate.claims
    )


def _moved(points: "Iterable[tuple[float, float]] | Floats", how: Floats) -> Floats:
    return np.asarray(np.asarray(points, dtype=np.float64) @ how[:, :2].T + how[:, 2])


def _turned(frame: Grey) -> _View:
    """By 45 degrees, a little smaller, nothing cut off."""
    height, width = frame.shape
    side = round((width + height) * _TURNED_SCALE * 0.7072)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 45, _TURNED_SCALE)
    turn[0, 2] += side / 2 - width / 2
    turn[1, 2] += side / 2 - height / 2
    turned = cv2.warpAffine(frame, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _View(np.asarray(turned, dtype=np.uint8), np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64))


def _enlarged(frame: Grey) -> _View:
    factor = 2.0 if frame.shape[1] <= _LARGEST_DOUBLED else 1.5
    large = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return _View(np.asarray(large, dtype=np.uint8), _UNMOVED / factor)


def _smoothed(frame: Grey) -> _View:
    return _View(np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.2), dtype=np.uint8), _UNMOVED)


def _sharpened(frame: Grey) -> _View:
    """Unsharp mask over about a module's width."""
    sharp = cv2.addWeighted(frame, 4.0, cv2.GaussianBlur(frame, (0, 0), 4), -3.0, 0)
    return _View(np.asarray(sharp, dtype=np.uint8), _UNMOVED)


def _inverted(frame: Grey) -> _View:
    return _View(np.asarray(255 - frame, dtype=np.uint8), _UNMOVED, inverted=True)


def _halved(frame: Grey) -> _View:
    half = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return _View(np.asarray(half, dtype=np.uint8), _UNMOVED * 2)
