"""Sets a slip in lines that fit the paper, and draws a line as black dots where the printer has no type for it.

Owns the measure (display cells: Latin one, Chinese two, UAX #11 East Asian Width) and the letters (fonts by name:
Noto Sans Mono CJK TC, because without a name Japanese shapes appear). Setting is pure; drawing reads font files, each
once. Any thread may call; `font_for` asks fontconfig once per unknown character and blocks for some milliseconds.
"""

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kiosk.slip import Barcode, Block, Line, Pair, QrCode, Rule, Slip, Weight

GETA = "〓"
"""Stands for a character that no font here holds, as Chinese and Japanese compositors always did."""
_NOT_FIRST = frozenset("、。，．：；！？）」』】》〉〕｝…‧・·％,.:;!?)]}％～")
_NOT_LAST = frozenset("（「『【《〈〔｛([{＃")
_NUMBERED = re.compile(r"\d{1,3}\. ")
_MONO = "Noto Sans Mono CJK TC"
_KNOWN_FOLDERS = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/share/fonts/google-noto-cjk")
_MONO_TC_INDEX = 8
FONTCONFIG_S = 3.0


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of type; `left` and `right` together with a space between them fit the paper."""

    left: str
    """From the left edge, or in the middle when centred."""
    right: str = ""
    """Up to the right edge; empty when centred."""
    bold: bool = False
    """Heavier."""
    large: bool = False
    """Twice as wide and as high: half as many cells in a line."""
    centred: bool = False
    """In the middle of the paper."""
    air: bool = False
    """A little space above: a title, or the first line of a numbered entry."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line across the whole paper."""


@dataclass(frozen=True, slots=True)
class BarcodeLine:
    """Code 128, centred, with its text below."""

    data: str
    """Printable ASCII."""


@dataclass(frozen=True, slots=True)
class QrLine:
    """A QR code, centred."""

    data: str
    """Any text."""


SetLine = TextLine | RuleLine | BarcodeLine | QrLine


def clean(text: str) -> str:
    """Text that may be printed: composed (NFC), without control characters, which a printer would obey."""
    kept = (" " if char in "\t\u00a0\u3000" else char for char in text)
    plain = "".join(
        GETA if unicodedata.category(char) == "Cs" else char
        for char in kept
        if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp")
    )
    return unicodedata.normalize("NFC", plain)


def cells(text: str) -> int:
    """How many cells this text takes: ambiguous characters count two, as on Chinese printers."""
    return sum(_cell(char) for char in text)


def typeset(slip: Slip, columns: int) -> tuple[SetLine, ...]:
    """The slip as lines for a paper of `columns` cells (at least 8); no line is wider, no character is lost."""
    if columns < 8:
        raise ValueError(f"a paper of {columns} columns is too narrow to set")
    return tuple(line for block in slip.blocks for line in _set(block, columns))


def wrap(text: str, columns: int) -> list[str]:
    """Breaks clean text into lines of at most `columns` cells: Latin words whole where they fit, no character split.

    Chinese punctuation does not begin a line; a numbered entry hangs its further lines under its first word.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        number = _NUMBERED.match(paragraph)
        indent = " " * len(number.group()) if number and columns >= 16 else ""
        lines += _fill(paragraph, columns, indent)
    return lines


def _cell(char: str) -> int:
    if char < "\x7f":
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1


def _set(block: Block, columns: int) -> Iterator[SetLine]:
    match block:
        case Line(text=text, weight=weight, centred=centred):
            large = weight is Weight.TITLE
            text = clean(text)
            air = large or _NUMBERED.match(text) is not None
            for number, line in enumerate(wrap(text, columns // 2 if large else columns)):
                yield TextLine(
                    line,
                    bold=weight is not Weight.PLAIN,
                    large=large,
                    centred=centred or large,
                    air=air and number == 0,
                )
        case Pair(label=label, value=value, weight=weight):
            yield from _set_pair(clean(label), clean(value), weight, columns)
        case Rule():
            yield RuleLine()
        case Barcode(data=data):
            yield BarcodeLine(data)
        case QrCode(data=data):
            yield QrLine(data)


def _set_pair(label: str, value: str, weight: Weight, columns: int) -> Iterator[TextLine]:
    """Both in one line if they fit; otherwise the value stands below, still at the right edge."""
    large = weight is Weight.TITLE
    bold = weight is not Weight.PLAIN
    width = columns // 2 if large else columns
    if "\n" not in label + value and cells(label) + 1 + cells(value) <= width:
        yield TextLine(label, value, bold=bold, large=large)
        return
    for line in wrap(label, width):
        yield TextLine(line, bold=bold, large=large)
    for line in wrap(value, width):
        yield TextLine("", line, bold=bold, large=large)


def _fill(paragraph: str, columns: int, indent: str) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _pieces(paragraph):
        if cells(line) + cells(piece.rstrip(" ")) <= columns:
            line += piece
            continue
        if line.strip(" "):
            lines.append(line.rstrip(" "))
            line = indent
        piece = piece.lstrip(" ")
        if cells(line) + cells(piece.rstrip(" ")) <= columns:
            line += piece
            continue
        for char in piece:  # longer than a whole line: broken where it must be
            if cells(line) + _cell(char) > columns:
                lines.append(line.rstrip(" "))
                line = indent
            line += char
    return [*lines, line.rstrip(" ")] if line.strip(" ") or not lines else lines


def _pieces(paragraph: str) -> Iterator[str]:
    """What a line break must not part: a Latin word with its spaces, or a Chinese character with its punctuation."""
    piece = ""
    for char in paragraph:
        before = piece[-1:]
        if before and _may_break(before, char):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after == " " or _cell(after) == 0 or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before == " " or _cell(before) != 1 or _cell(after) != 1


# --- letters -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def text_font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The text font; OSError when no Chinese font is installed."""
    path, index = _matched(f"{_MONO}:bold" if bold else _MONO) or ("", 0)
    if "NotoSans" in path and "CJK" in path:
        return ImageFont.truetype(path, size_px, index)
    name = f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    for folder in _KNOWN_FOLDERS:
        if Path(folder, name).is_file():
            return ImageFont.truetype(str(Path(folder, name)), size_px, _MONO_TC_INDEX)
    return ImageFont.truetype(path or name, size_px, index)


@lru_cache(maxsize=4096)
def font_for(char: str, size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont | None:
    """A font that holds this character: the text font if it can, another installed one, or None."""
    font = text_font(size_px, bold)
    if _holds(font, char):
        return font
    found = _matched(f":charset={ord(char):x}")
    if found is None:
        return None
    other = ImageFont.truetype(found[0], size_px, found[1])
    return other if _holds(other, char) else None


def absent(text: str) -> tuple[str, ...]:
    """Characters of this text that no installed font holds; they are drawn as 〓."""
    return tuple(char for char in dict.fromkeys(text) if font_for(char, 24) is None)


def draw(line: TextLine, width_dots: int, line_dots: int, font_dots: int) -> Image.Image:
    """The line as a picture of 1-bit dots, `width_dots` wide (True = paper); never wider, squeezed if it must be."""
    scale = 2 if line.large else 1
    picture = Image.new("1", (width_dots, line_dots * scale), 1)
    size = font_dots * scale
    left, right = _lettered(line.left, size, line.bold), _lettered(line.right, size, line.bold)
    if left.width + right.width > width_dots:
        shrink = width_dots / (left.width + right.width)
        left, right = (part.resize((max(1, int(part.width * shrink)), part.height)) for part in (left, right))
    picture.paste(left, ((width_dots - left.width) // 2 if line.centred else 0, 0))
    if line.right:
        picture.paste(right, (width_dots - right.width, 0))
    return picture


def _lettered(text: str, size_px: int, bold: bool) -> Image.Image:
    """Text in 1-bit dots without grey (which would be dithered), on its own width."""
    shown = "".join(char if font_for(char, size_px, bold) else GETA for char in text)
    runs = [
        (font, "".join(chars))
        for font, chars in groupby(shown, key=lambda char: font_for(char, size_px, bold) or text_font(size_px, bold))
    ]
    width = sum(round(font.getlength(run)) for font, run in runs)
    picture = Image.new("1", (max(width, 1), size_px + size_px // 8), 1)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"
    x = 0
    baseline = round(size_px * 0.88)
    for font, run in runs:
        pen.text((x, baseline), run, font=font, fill=0, anchor="ls")
        x += round(font.getlength(run))
    return picture


@lru_cache(maxsize=64)
def _box(path: str, index: int) -> tuple[bytes, tuple[int, int]]:
    """What this font draws for a character it does not hold."""
    mask = ImageFont.truetype(path, 24, index).getmask("\U0010fffe", mode="1")
    return bytes(mask), mask.size


def _holds(font: ImageFont.FreeTypeFont, char: str) -> bool:
    if char.isspace() or char < "\x7f":
        return True
    small = _small(str(font.path), font.index)
    mask = small.getmask(char, mode="1")
    return (bytes(mask), mask.size) != _box(str(font.path), font.index) and mask.getbbox() is not None


@lru_cache(maxsize=64)
def _small(path: str, index: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, 24, index)


@lru_cache(maxsize=4096)
def _matched(pattern: str) -> tuple[str, int] | None:
    """Fontconfig's best font for a pattern, which need not fit it; None without fontconfig."""
    command = shutil.which("fc-match")
    if command is None:
        return None
    try:
        answer = subprocess.run(
            [command, "--format", "%{file}|%{index}", pattern],
            capture_output=True,
            text=True,
            check=True,
            timeout=FONTCONFIG_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    path, _, index = answer.partition("|")
    return (path, int(index) & 0xFFFF) if path and index.isdigit() else None
