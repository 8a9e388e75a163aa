"""The paper side of the virtual slip printer: obeys ESC/POS command by command and keeps what falls as a slip.

Obeys the ESC/POS command reference as far as `drivers.escpos` and python-escpos use it. Letters come from the same
installed fonts as the kiosk's, drawn 24 dots high. Pure but for the fonts; the printer that owns it holds a lock.

Not modelled: one-byte code tables (all but ASCII outside FS & is a box), printer fonts B and C, ESC * and GS ( L
pictures, page mode, drawer, the way from head to knife, and paper torn at its end: a slip goes on after new paper.
"""

import contextlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import qrcode
from barcode.charsets import code128  # type: ignore[import-untyped]
from PIL import Image, ImageDraw

from drivers.printer_profiles import Profile
from drivers.typesetting import font_for, text_font

BOX = "□"
_PAPER = (253, 250, 243)
_INK = (32, 30, 34)
_TOP = 40
_FIXED = {
    **dict.fromkeys((b"\x1b@", b"\x1b2", b"\x1c&", b"\x1c."), 2),
    **dict.fromkeys((b"\x1b3", b"\x1bE", b"\x1bG", b"\x1ba", b"\x1bd", b"\x1bJ", b"\x1b!", b"\x1b-", b"\x1bt"), 3),
    **dict.fromkeys((b"\x1bR", b"\x1bM", b"\x1b{", b"\x1bV", b"\x1c!", b"\x1c-", b"\x1cC", b"\x1cW"), 3),
    **dict.fromkeys((b"\x1d!", b"\x1dr", b"\x1da", b"\x1dh", b"\x1dw", b"\x1dH", b"\x1df", b"\x1dB", b"\x1db"), 3),
    **dict.fromkeys((b"\x1dI", b"\x10\x04", b"\x10\x05"), 3),
    **dict.fromkeys((b"\x1b$", b"\x1b\\", b"\x1cS", b"\x1dL", b"\x1dW", b"\x1dP"), 4),
    **dict.fromkeys((b"\x1bp", b"\x10\x14"), 5),
}
"""Length of the commands that have one length."""
LONGEST_START = 300
"""No command's length stands later than this."""
_LEAST_LINE = 12
_WORDS = {65: b"1.00", 66: b"SHELFPOINT", 67: b"TWIN"}
_LANGUAGES = {"big5": b"TAIWAN BIG-5", "gb18030": b"CHINA GB18030"}
"""Answers to GS I: firmware, maker, model; and 69, in the words of Epson's printers."""
_CUTS_WITH_FEED = frozenset({65, 66, 97, 98, 103, 104})


@dataclass(frozen=True, slots=True)
class PaperSlip:
    """One slip as it fell from the printer."""

    image: Image.Image
    """Its paper, as wide as the printable part."""
    text: tuple[str, ...]
    """Its lines of type; lines that came as dots are not among them."""
    codes: tuple[str, ...]
    """What its barcodes and native QR codes say."""
    rasters: int
    """How many pictures it holds."""
    raw: bytes = field(repr=False)
    """The bytes it was made from."""

    def framed(self, margin_dots: int = 32) -> Image.Image:
        """With the margins that no printer reaches: 576 dots become the 640 of paper 80 mm wide."""
        paper = Image.new("RGB", (self.image.width + 2 * margin_dots, self.image.height), _PAPER)
        paper.paste(self.image, (margin_dots, 0))
        return paper


def command_length(start: bytes, chinese: bool) -> int:
    """How many bytes the first command or character takes, seen from its start; 0 = too little of it to tell."""
    first = start[0]
    if first not in (0x10, 0x1B, 0x1C, 0x1D):
        return 2 if chinese and first >= 0x81 else 1
    head = start[:2]
    match head:
        case _ if len(head) < 2:
            return 0
        case b"\x1dV" if len(start) >= 3:
            return 4 if start[2] in _CUTS_WITH_FEED else 3
        case b"\x1d(" if len(start) >= 5:
            return 5 + int.from_bytes(start[3:5], "little")
        case b"\x1dv" if len(start) >= 8:
            return 8 + int.from_bytes(start[4:6], "little") * int.from_bytes(start[6:8], "little")
        case b"\x1dk" if len(start) >= 4:
            return 4 + start[3] if start[2] >= 65 else start.find(b"\0", 3) + 1
        case b"\x1dV" | b"\x1d(" | b"\x1dv" | b"\x1dk":
            return 0
        case _:
            return _FIXED.get(head, 1)  # unknown: passed over


class Press:
    """Obeys one command after the other and keeps the paper. Not thread-safe: `VirtualPrinter` holds the lock."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.finished: list[PaperSlip] = []
        self.strange: list[str] = []
        """Commands that it does not know, as hex digits."""
        self._strips: list[Image.Image] = []
        self._text: list[str] = []
        self._codes: list[str] = []
        self._rasters = 0
        self._raw = bytearray()
        self.fed_dots = 0
        """Paper that has passed the head since the beginning."""
        self._reset()

    def obey(self, command: bytes) -> int:
        """One whole command or character; returns how many lines of paper it took."""
        self._raw += command
        before = len(self._strips)
        head = command[:2]
        match head:
            case b"\x1b@":
                self._reset()
            case b"\x1c&" | b"\x1c.":
                self.chinese = head == b"\x1c&"
            case b"\x1d!":
                self._size = (command[2] >> 4 & 7) + 1, (command[2] & 7) + 1
            case b"\x1bE":
                self._bold = bool(command[2] & 1)
            case b"\x1ba":
                self._align = command[2] % 48 if command[2] % 48 < 3 else 0
            case b"\x1bd":
                self._print_line()
                self._feed(command[2] * self._profile.line_dots)
            case b"\x1bJ":
                self._print_line()
                self._feed(command[2])
            case b"\x1dv":
                self._picture(command)
            case b"\x1dh":
                self._bar_height = max(1, command[2])
            case b"\x1dw":
                self._bar_width = min(max(command[2], 2), 6)
            case b"\x1dk":
                self._barcode(command)
            case b"\x1d(":
                self._symbol(command)
            case b"\x1dV":
                self.cut()
            case _ if len(command) == 1 or command[0] >= 0x81:
                self._letter(command)
            case _:
                pass
        self.fed_dots += sum(strip.height for strip in self._strips[before:])
        return sum(strip.height >= _LEAST_LINE for strip in self._strips[before:])

    def about(self, command: bytes) -> bytes:
        """What a question about the printer makes it say; nothing for any other command."""
        able = self._profile
        match command[:2], command[2:]:
            case b"\x1dI", b"\x02":
                return bytes([(0x01 if able.cjk != "none" else 0) | (0x02 if able.cutter else 0)])
            case b"\x1dI", rest if rest[0] in _WORDS:
                return b"_" + _WORDS[rest[0]] + b"\0"
            case b"\x1dI", b"\x45" if able.cjk != "none":
                return b"_" + _LANGUAGES[able.cjk] + b"\0"
            case b"\x1d(", b"k\x03\x001R0" if able.native_qr and self._stored:
                code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
                code.add_data(self._stored)
                code.make(fit=True)
                side = str(code.modules_count * self._symbol_dots).encode()
                return b"\x37\x36" + side + b"\x1f" + side + b"\x1f1\x1f0\0"
        return b""

    @property
    def begun(self) -> bool:
        """Something is on the paper that was not cut off yet."""
        return bool(self._strips or self._line)

    def switch_off(self) -> None:
        """The modes and an unprinted line are lost; what is on the paper stays there."""
        self._reset()

    def cut(self) -> None:
        """The slip falls."""
        self._print_line()
        height = _TOP + sum(strip.height for strip in self._strips)
        image = Image.new("RGB", (self._profile.width_dots, height), _PAPER)
        y = _TOP
        for strip in self._strips:
            image.paste(_INK, (0, y), strip)
            y += strip.height
        self.finished.append(PaperSlip(image, tuple(self._text), tuple(self._codes), self._rasters, bytes(self._raw)))
        self._strips, self._text, self._codes, self._rasters = [], [], [], 0
        self._raw.clear()

    def _reset(self) -> None:
        self.chinese = False
        self._size = (1, 1)
        self._bold = False
        self._align = 0
        self._bar_height, self._bar_width = 64, 3
        self._symbol_dots = 3
        self._stored = b""
        self._line: list[tuple[str, int, tuple[int, int], bool]] = []

    def _letter(self, code: bytes) -> None:
        if code == b"\n":
            if not self._line:
                self._text.append("")
                self._feed(self._profile.line_dots)
            self._print_line()
            return
        if code[0] < 0x20:
            if code[0] not in (0x00, 0x0D):
                self.strange.append(code.hex())
            return
        char = BOX
        if len(code) == 2 and self._profile.cjk != "none":
            with contextlib.suppress(UnicodeDecodeError):
                char = code.decode("cp950" if self._profile.cjk == "big5" else "gb18030")
        elif code.isascii():
            char = code.decode("ascii")
        width = len(code) * self._profile.font_dots // 2 * self._size[0]
        if sum(cell[1] for cell in self._line) + width > self._profile.width_dots:
            self._print_line()
        self._line.append((char, width, self._size, self._bold))

    def _print_line(self) -> None:
        """Prints what stands in the line, if anything; large letters push the paper further than the spacing."""
        if not self._line:
            return
        size = self._profile.font_dots
        tall = max(cell[2][1] for cell in self._line) * size
        strip = Image.new("1", (self._profile.width_dots, max(tall + tall // 8, self._profile.line_dots)), 0)
        x = self._from_left(sum(cell[1] for cell in self._line))
        for char, width, scale, bold in self._line:
            strip.paste(1, (x, tall - size * scale[1]), _glyph(char, size, scale, bold))
            x += width
        self._text.append("".join(cell[0] for cell in self._line).rstrip())
        self._strips.append(strip)
        self._line = []

    def _from_left(self, width: int) -> int:
        return max(0, self._profile.width_dots - width) * self._align // 2

    def _feed(self, dots: int) -> None:
        if dots:
            self._strips.append(Image.new("1", (self._profile.width_dots, dots), 0))

    def _place(self, picture: Image.Image) -> None:
        self._print_line()
        if picture.width and picture.height:
            strip = Image.new("1", (self._profile.width_dots, picture.height), 0)
            strip.paste(picture, (self._from_left(picture.width), 0))
            self._strips.append(strip)

    def _picture(self, command: bytes) -> None:
        width, height = struct.unpack_from("<HH", command, 4)
        self._rasters += 1
        if width and height:
            self._place(Image.frombytes("1", (width * 8, height), command[8:]))

    def _barcode(self, command: bytes) -> None:
        """Code 128 in form B; others leave only a note among the strange commands. What is too wide stays unprinted."""
        read = read_code128(command[4:]) if command[2] == 73 else None
        if read is None:
            self.strange.append(command[:3].hex())
            return
        text, symbols = read
        modules = _bars(symbols)
        if len(modules) * self._bar_width > self._profile.width_dots:
            return
        bars = Image.new("1", (len(modules), 1))
        bars.putdata([module == "1" for module in modules])
        self._place(bars.resize((len(modules) * self._bar_width, self._bar_height), Image.Resampling.NEAREST))
        for char in text:
            self._letter(char.encode("ascii"))
        self._print_line()
        self._text.pop()
        self._codes.append(text)

    def _symbol(self, command: bytes) -> None:
        """GS ( k for QR codes: size, store, print."""
        if not self._profile.native_qr:
            return
        match command[2:3], command[5:7]:
            case b"k", b"1C":
                self._symbol_dots = min(max(command[7], 1), 16) if len(command) > 7 else 3
            case b"k", b"1P":
                self._stored = command[8:]
            case b"k", b"1Q" if self._stored:
                code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
                code.add_data(self._stored)
                with contextlib.suppress(ValueError, qrcode.exceptions.DataOverflowError):
                    code.make(fit=True)
                    side = code.modules_count * self._symbol_dots
                    small = Image.new("1", (code.modules_count, code.modules_count))
                    small.putdata([dark for row in code.get_matrix() for dark in row])
                    self._place(small.resize((side, side), Image.Resampling.NEAREST))
                    self._codes.append(self._stored.decode("utf-8", errors="replace"))


def read_code128(code: bytes) -> tuple[str, list[int]] | None:
    """Text and symbols of the data of GS k, from its own choice of sets; None where they say nothing."""
    text, symbols, code_set = "", list[int](), b""
    place = 0
    while place < len(code):
        pair = code[place : place + 2]
        if pair in (b"{B", b"{C"):
            start, change = (104, 100) if pair == b"{B" else (105, 99)
            symbols += [change if symbols else start] if pair != code_set else []
            code_set = pair
            place += 2
        elif code_set == b"{C" and code[place] < 100:
            symbols.append(code[place])
            text += f"{code[place]:02}"
            place += 1
        elif code_set == b"{B" and 0x20 <= code[place] < 0x7F and (pair == b"{{" or code[place] != 0x7B):
            symbols.append(code[place] - 0x20)
            text += chr(code[place])
            place += len(pair) if pair == b"{{" else 1
        else:
            return None
    return (text, symbols) if text else None


def _bars(symbols: Sequence[int]) -> str:
    """The modules of a Code 128 with check and stop, "1" = black."""
    check = (symbols[0] + sum(place * symbol for place, symbol in enumerate(symbols))) % 103
    signs: list[str] = [code128.CODES[symbol] for symbol in (*symbols, check)]
    return "".join([*signs, code128.STOP, "11"])


@lru_cache(maxsize=2048)
def _glyph(char: str, size: int, scale: tuple[int, int], bold: bool) -> Image.Image:
    """One letter as black (True) dots in its cell, drawn large where it is large (GS b smoothing)."""
    tall = size * min(scale)
    wide = tall // 2 if char.isascii() else tall
    cell = Image.new("1", (wide, tall + tall // 8), 0)
    pen = ImageDraw.Draw(cell)
    pen.fontmode = "1"
    font = font_for(char, tall, bold)
    pen.text((0, round(tall * 0.88)), char if font else BOX, font=font or text_font(tall, bold), fill=1, anchor="ls")
    across, down = size * scale[0] // tall, size * scale[1] // tall
    return cell.resize((cell.width * across, cell.height * down), Image.Resampling.NEAREST)
