"""Slip -> ESC/POS bytes, and status bytes -> reasons; pure, any thread.

Follows the ESC/POS command reference as Epson publishes it, narrowed to what clones obey. Chinese is sent by our own
bytes (FS & + Big5 or GB18030 + FS .): python-escpos 3.1 sends GB18030 without saying so, which a Big5 printer prints as
other characters. Code 128 too, because its barcode() writes to standard output; its native QR is right and is used.
A line with a character that the printer lacks is sent as dots, alone: dots take forty times the bytes.

A printer obeys DLE EOT, DLE ENQ and DLE DC4 at once, wherever they stand: in a picture, a barcode, a length. No job holds
their bytes: text has no control characters, `drivers.code128` pairs digits otherwise, a picture loses a dot.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import qrcode
from PIL import Image, ImageDraw

from drivers.code128 import code128, spellings
from drivers.printer_profiles import CodePage, Profile
from drivers.raster import REAL_TIME, raster
from drivers.typesetting import BarcodeLine, QrLine, RuleLine, TextLine, absent, clean, draw, typeset, wrap
from kiosk.ports import DeviceReason
from kiosk.slip import Slip

RESET = b"\x1b@"
"""ESC @."""
LINE_SPACING = b"\x1b2"
"""ESC 2: the default, the only one whose size agrees among makers."""
CHINESE_ON = b"\x1c&"
CHINESE_OFF = b"\x1c."
BOLD_ON = b"\x1bE\x01"
BOLD_OFF = b"\x1bE\x00"
LARGE_ON = b"\x1d!\x11"
LARGE_OFF = b"\x1d!\x00"
CENTRE = b"\x1ba\x01"
LEFT = b"\x1ba\x00"
AIR = b"\x1bJ\x0a"
"""ESC J 10: a third of a line, or less where the unit is finer."""
CUT = b"\x1dVB\x00"
"""GS V 66 0: feed to the knife, cut leaving one point."""
NEWS_ON = b"\x1da\xff"
"""GS a: tell every change of the state, unasked; holds for this connection."""
MARK = b"\x1dr\x01"
"""GS r 1: answered when everything before it has been processed; not at all at paper end."""

_HARMLESS = {
    "・": "‧·",
    "‧": "·",
    "·": "‧",
    "•": "‧·",
    "〜": "～",
    "−": "－",
    "‑": "-",
    "‐": "-",
    "⋯": "…",
    "―": "—",
    "–": "—-",
}
"""What may stand in for a character that the printer lacks: nobody reads a difference."""
_QR_DOTS = 6
_QR_QUIET = 4
_ENCODINGS = {"big5": "cp950", "gb18030": "gb18030"}
_RULE_HEIGHT = 24
_BARCODE_HEIGHT = 64
_BAR_QUIET, _LEAST_BAR, _LONGEST_CODE = 20, 2, 255
"""Modules of both quiet zones, dots of the narrowest bar, bytes that GS k can count."""


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One slip, ready to be sent whole."""

    data: bytes = field(repr=False)
    """All of it."""
    raster_lines: int
    """Lines of text that were sent as dots."""
    missing: tuple[str, ...] = field(default=(), repr=False)
    """Characters that no font here holds; 〓 stands in their place."""


def build(
    slip: Slip, profile: Profile, *, raster_only: bool = False, echo: bytes = b"0000", marks: int = 1
) -> PrintJob:
    """One whole job: reset, lines, feed, cut, and the completion mark if the printer answers it.

    `raster_only` draws every line, for printers without letters and for measuring. `echo` is what a printer that
    confirms by GS ( H sends back: four printable characters; `marks` is how many GS r stand behind the job of any other
    (`drivers.print_marks`). OSError if no font is installed.
    """
    parts = [RESET, LINE_SPACING, CHINESE_OFF]
    raster_lines = 0
    missing: dict[str, None] = {}
    for line in typeset(slip, profile.columns):
        match line:
            case TextLine():
                typed = None if raster_only else _typed(line, profile)
                if typed is None:
                    raster_lines += 1
                    missing |= dict.fromkeys(absent(line.left + line.right))
                    typed = raster(draw(line, profile.width_dots, profile.line_dots, profile.font_dots))
                parts += [AIR, typed] if line.air else [typed]
            case RuleLine():
                parts.append(_rule(profile, raster_only))
            case BarcodeLine(data=data):
                parts.append(_barcode(data, profile))
            case QrLine(data=data):
                parts.append(_qr(data, profile, raster_only))
    parts.append(b"\x1bd" + bytes([profile.feed_lines]))
    if profile.cutter:
        parts.append(CUT)
    if profile.confirms == "gs_r":
        parts.append(MARK * marks)
    elif profile.confirms == "gs_h":
        parts.append(ask_echo(echo))
    return PrintJob(b"".join(parts), raster_lines, tuple(missing))


def encoded(text: str, cjk: CodePage) -> bytes | None:
    """Text in the printer's own characters, or None where it lacks one; harmless variants are exchanged.

    From GB18030 only the characters of one or two bytes are used: few printers hold those of four.
    """
    if text.isascii():
        return text.encode("ascii")
    if cjk == "none":
        return None
    found = bytearray()
    for char in text:
        code = next(filter(None, (_code(variant, cjk) for variant in char + _HARMLESS.get(char, ""))), None)
        if code is None:
            return None
        found += code
    return bytes(found)


def _code(char: str, cjk: CodePage) -> bytes | None:
    try:
        code = char.encode(_ENCODINGS[cjk])
    except UnicodeEncodeError:
        return None
    return code if len(code) <= 2 else None


def _typed(line: TextLine, profile: Profile) -> bytes | None:
    """The line in the printer's own letters, or None if it lacks one or they do not fit its columns."""
    left, right = encoded(line.left, profile.cjk), encoded(line.right, profile.cjk)
    if left is None or right is None:
        return None
    room = (profile.columns // 2 if line.large else profile.columns) - len(left) - len(right)
    if room < 0:
        return None
    text = left + b" " * room + right if right else left
    if not text.isascii():
        text = CHINESE_ON + text + CHINESE_OFF
    text += b"\n"
    for wanted, start, end in (
        (line.bold, BOLD_ON, BOLD_OFF),
        (line.large, LARGE_ON, LARGE_OFF),
        (line.centred, CENTRE, LEFT),
    ):
        if wanted:
            text = start + text + end
    return text


def _rule(profile: Profile, raster_only: bool) -> bytes:
    dashes = None if raster_only else encoded("─" * (profile.columns // 2), profile.cjk)
    if dashes is not None:
        return CHINESE_ON + dashes + CHINESE_OFF + b"\n"
    picture = Image.new("1", (profile.width_dots, _RULE_HEIGHT), 1)
    ImageDraw.Draw(picture).rectangle((0, _RULE_HEIGHT // 2 - 1, profile.width_dots, _RULE_HEIGHT // 2), fill=0)
    return raster(picture)


def _barcode(data: str, profile: Profile) -> bytes:
    """Code 128 with its text; only the text where the code cannot be said or is wider than the paper."""
    code, width = b"", 0
    if data and data.isascii() and data.isprintable():
        for parts in spellings(data):
            code, modules = code128(parts)
            width = min(3, profile.width_dots // (modules + _BAR_QUIET))
            if width >= _LEAST_BAR:
                break
    if width < _LEAST_BAR or len(code) > _LONGEST_CODE:
        lines = [TextLine(part, centred=True) for part in wrap(clean(data), profile.columns)]
        return b"".join(
            _typed(line, profile) or raster(draw(line, profile.width_dots, profile.line_dots, profile.font_dots))
            for line in lines
        )
    form = b"\x1dh" + bytes([_BARCODE_HEIGHT]) + b"\x1dw" + bytes([width]) + b"\x1df\x00\x1dH\x02"
    return b"\x1bd\x01" + CENTRE + form + b"\x1dkI" + bytes([len(code)]) + code + b"\n" + LEFT


def _qr(data: str, profile: Profile, raster_only: bool) -> bytes:
    """A QR code, level M, with its quiet zone, drawn here where its own bytes would spell a real-time command; nothing
    where there is too much to say in one."""
    if not data:
        return b""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(data.encode("utf-8"))
    try:
        code.make(fit=True)
    except (ValueError, qrcode.exceptions.DataOverflowError):
        return b""
    modules = code.modules_count
    dots = min(_QR_DOTS, profile.width_dots // (modules + 2 * _QR_QUIET))
    if profile.native_qr and not raster_only:
        from escpos.printer import Dummy  # a third of a second, which no start of a kiosk should wait for

        shop = Dummy()
        shop.qr(data, ec=1, size=max(2, dots), native=True)
        code_bytes: bytes = shop.output
        if not REAL_TIME.search(code_bytes):
            return CENTRE + b"\x1bd\x01" + code_bytes + b"\n" + LEFT
    side = max(1, dots)
    small = Image.new("1", (modules, modules))
    small.putdata([not dark for row in code.get_matrix() for dark in row])
    big = small.resize((modules * side, modules * side), Image.Resampling.NEAREST)
    picture = Image.new("1", (profile.width_dots, big.height + 2 * _QR_QUIET * side), 1)
    picture.paste(big, ((profile.width_dots - big.width) // 2, _QR_QUIET * side))
    return raster(picture)


# --- status ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateAnswer:
    """Answer to one DLE EOT n; does not say which n."""

    byte: int
    """As sent."""


@dataclass(frozen=True, slots=True)
class StateNews:
    """Automatic status (ASB): four bytes, unasked, at every change."""

    data: bytes
    """As sent."""


@dataclass(frozen=True, slots=True)
class MarkAnswer:
    """Answer to GS r: everything before it was processed. GS I 1 to 3 is answered alike; noise may look so."""

    byte: int
    """As sent."""

    @property
    def confirms(self) -> bool:
        """GS r 1 may say this while there is paper: nothing, or that the roll is low (bits 0 and 1)."""
        return not self.byte & 0xFC

    @property
    def paper_ended(self) -> bool:
        """GS r 1 may say this: processed, but without paper (bits 2 and 3); some clones run on so."""
        return self.byte & 0xF0 == 0 and bool(self.byte & 0x0C)


@dataclass(frozen=True, slots=True)
class EchoAnswer:
    """Answer to GS ( H: everything before it has been printed."""

    echo: bytes
    """The four characters that were to be sent back; those of an older job are stale."""


@dataclass(frozen=True, slots=True)
class InfoAnswer:
    """Answer to GS I 65 to 69 and more: words about the printer."""

    text: str
    """As sent, in ASCII; what is not ASCII is replaced."""


@dataclass(frozen=True, slots=True)
class SymbolAnswer:
    """Answer to `ask_symbol`: the printer has drawn a QR code in its head."""

    data: bytes
    """Its size in digits, as sent."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A byte that no printer says; the line, its speed or its parity is wrong."""

    byte: int
    """As heard."""


Answer = StateAnswer | StateNews | MarkAnswer | EchoAnswer | InfoAnswer | SymbolAnswer | Noise


_ECHO = b"\x37\x22"
_SYMBOL = b"\x37\x36"
_LONGEST_BLOCK = 80
_XON, _XOFF = 0x11, 0x13


class AnswerReader:
    """Sorts one stream of answers by byte class; bytes may come in any pieces. One owner."""

    def __init__(self) -> None:
        self._news = bytearray()
        self._block: bytearray | None = None

    @property
    def half(self) -> bool:
        """An answer has begun and not ended."""
        return bool(self._news) or self._block is not None

    def forget(self) -> None:
        """What has begun was no answer."""
        self._news.clear()
        self._block = None

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that are complete now. XON/XOFF and other blocks (head ... NUL) are passed over."""
        found: list[Answer] = []
        for byte in data:
            if self._block is not None:
                if byte:
                    self._block.append(byte)
                    del self._block[_LONGEST_BLOCK:]
                    continue
                if len(self._block) == 6 and self._block.startswith(_ECHO):
                    found.append(EchoAnswer(bytes(self._block[2:])))
                elif self._block.startswith(_SYMBOL):
                    found.append(SymbolAnswer(bytes(self._block[2:])))
                elif self._block.startswith(b"_"):
                    found.append(InfoAnswer(self._block[1:].decode("ascii", "replace")))
                self._block = None
            elif self._news and byte & 0x90 == 0:
                self._news.append(byte)
                if len(self._news) == 4:
                    found.append(StateNews(bytes(self._news)))
                    self._news.clear()
            elif byte & 0x93 == 0x12:
                found.append(StateAnswer(byte))
            elif byte & 0x93 == 0x10:
                self._news[:] = bytes([byte])
            elif byte in (0x35, 0x37, 0x3B, 0x3D, 0x5F):
                self._block = bytearray([byte])
            elif byte & 0x90 == 0:
                found.append(MarkAnswer(byte))
            elif byte not in (_XON, _XOFF):
                found.append(Noise(byte))
        return found


def ask_echo(echo: bytes) -> bytes:
    """GS ( H fn 48: send back these four characters (20h to 7Eh) when everything before is printed."""
    return b"\x1d(H\x06\x0000" + echo


def ask_info(number: int) -> bytes:
    """GS I n: one byte for n = 1 to 3 (2: what is built in), words for 65 to 69 (66 maker, 67 model, 69 characters)."""
    return b"\x1dI" + bytes([number])


def ask_symbol(data: bytes) -> bytes:
    """GS ( k: store this as a QR code, and tell (fn 82) how large it is; prints nothing."""
    store = b"1P0" + data
    return b"\x1d(k" + struct.pack("<H", len(store)) + store + b"\x1d(k\x03\x001R0"


def ask_state(number: int) -> bytes:
    """DLE EOT n, answered at once even when offline (n = 1 printer, 2 offline cause, 3 error cause, 4 paper)."""
    return bytes([0x10, 0x04, number])


def reason_of(answers: Sequence[int]) -> DeviceReason | None:
    """What the answers to DLE EOT 1, 2, 3, 4 say: what a person must mend first, else PAPER_LOW, else None.

    PAPER_LOW alone is a warning: the printer prints.
    """
    printer, offline, error, paper = answers
    if offline & 0x04:
        return DeviceReason.COVER_OPEN
    if paper & 0x60 or offline & 0x20:
        return DeviceReason.PAPER_OUT
    if error & 0x08:
        return DeviceReason.CUTTER
    if error & 0x40:
        return DeviceReason.HOT_HEAD
    if error & 0x24 or offline & 0x40 or printer & 0x08:
        return DeviceReason.PRINTER_ERROR
    return DeviceReason.PAPER_LOW if paper & 0x0C else None


def reason_of_news(data: bytes) -> DeviceReason | None:
    """The same for the four bytes of an automatic status."""
    printer, error, paper = data[0], data[1], data[2]
    if printer & 0x20:
        return DeviceReason.COVER_OPEN
    if paper & 0x0C:
        return DeviceReason.PAPER_OUT
    if error & 0x08:
        return DeviceReason.CUTTER
    if error & 0x40:
        return DeviceReason.HOT_HEAD
    if error & 0x20 or printer & 0x08:
        return DeviceReason.PRINTER_ERROR
    return DeviceReason.PAPER_LOW if paper & 0x03 else None
