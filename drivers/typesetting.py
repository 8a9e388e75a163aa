"""Sets a slip in lines that fit the paper, and draws a line as black dots where the printer has no type for it.

Owns the measure (display cells: Latin one, Chinese two, UAX #11 East Asian Width) and the letters (fonts by name:
Noto Sans Mono CJK TC, because without a name Japanese shapes appear). Setting is pure; drawing reads font files, each
once. Any thread may call; `font_for` asks fontconfig once per unknown character and blocks for some milliseconds.

Why
A letter and its marks (Thai, Devanagari, Burmese, Khmer) are one cluster: from one font, never parted by a line break, and one
〓 where no font holds all of it. A mark from another font than its letter stands on a dotted circle, and an engine that
shapes (raqm) draws that circle even for a mark that the font lacks, so whether a font holds a character is asked without it.
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
_NOT_LAST = frozenset("（「『【《〈〔｛([{＃เแโใไເແໂໃໄ")
"""Thai and Lao write some vowels before their consonant."""
_VIRAMA = 9
"""Canonical class of the signs that join the next consonant (Unicode, table 4-3): its half form stands below or before."""
_NUMBERED = re.compile(r"\d{1,3}\. ")
_MONO = "Noto Sans Mono CJK TC"
_KNOWN_FOLDERS = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/share/fonts/google-noto-cjk")
_MONO_TC_INDEX = 8
FONTCONFIG_S = 3.0
_CANDIDATES = 24
_SHAPED = {
    "ARABIC": ("arab",),
    "BENGALI": ("bng2", "beng"),
    "DEVANAGARI": ("dev2", "deva"),
    "GUJARATI": ("gjr2", "gujr"),
    "GURMUKHI": ("gur2", "guru"),
    "KANNADA": ("knd2", "knda"),
    "KHMER": ("khmr",),
    "LAO": ("lao",),
    "MALAYALAM": ("mlm2", "mlym"),
    "MYANMAR": ("mym2", "mymr"),
    "ORIYA": ("ory2", "orya"),
    "SINHALA": ("sinh",),
    "TAMIL": ("tml2", "taml"),
    "TELUGU": ("tel2", "telu"),
    "THAI": ("thai",),
    "TIBETAN": ("tibt",),
}
"""Scripts that must be shaped, by the first word of their characters' names, and the tags of OpenType for them. Fonts with
every character of Unicode hold their letters and draw each apart, with marks on dotted circles."""


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


def clusters(text: str) -> Iterator[str]:
    """What is drawn together: a character, its marks, and the consonant that a joining sign ties to it."""
    cluster = ""
    for char in text:
        joined = cluster and unicodedata.combining(cluster[-1]) == _VIRAMA and unicodedata.category(char) == "Lo"
        if cluster and not joined and not _is_mark(char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


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


def _is_mark(char: str) -> bool:
    return char >= "\x7f" and unicodedata.category(char)[0] == "M"


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
        for cluster in clusters(piece):  # longer than a whole line: broken where it must be
            if cells(line) + cells(cluster) > columns:
                lines.append(line.rstrip(" "))
                line = indent
            line += cluster
    return [*lines, line.rstrip(" ")] if line.strip(" ") or not lines else lines


def _pieces(paragraph: str) -> Iterator[str]:
    """What a line break must not part: a Latin word with its spaces, or a Chinese character with its punctuation."""
    piece = ""
    for cluster in clusters(paragraph):
        before = piece[-1:]
        if before and _may_break(before, cluster[0]):
            yield piece
            piece = ""
        piece += cluster
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after == " " or _is_mark(after) or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before == " " or _cell(before) == 2 or _cell(after) != 1


# --- letters -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def text_font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The text font; OSError when no Chinese font is installed."""
    path, index, _ = next(iter(_matched(f"{_MONO}:bold" if bold else _MONO)), ("", 0, ""))
    if "NotoSans" in path and "CJK" in path:
        return ImageFont.truetype(path, size_px, index)
    name = f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    for folder in _KNOWN_FOLDERS:
        if Path(folder, name).is_file():
            return ImageFont.truetype(str(Path(folder, name)), size_px, _MONO_TC_INDEX)
    return ImageFont.truetype(path or name, size_px, index)


@lru_cache(maxsize=4096)
def font_for(cluster: str, size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont | None:
    """A font that holds a character and all its marks, and shapes its script: the text font, another one, or None."""
    font, tags = text_font(size_px, bold), _SHAPED.get(unicodedata.name(cluster[0], "").partition(" ")[0], ())
    if not tags and _holds(font, cluster):
        return font
    for path, index, shapes in _matched(":charset=" + " ".join(f"{ord(char):x}" for char in sorted(set(cluster)))):
        other = ImageFont.truetype(path, size_px, index)
        if (not tags or any(f"otlayout:{tag}" in shapes for tag in tags)) and _holds(other, cluster):
            return other
    return None


def absent(text: str) -> tuple[str, ...]:
    """Characters of this text, with their marks, that no installed font holds; each is drawn as one 〓."""
    return tuple(cluster for cluster in dict.fromkeys(clusters(text)) if font_for(cluster, 24) is None)


def draw(line: TextLine, width_dots: int, line_dots: int, font_dots: int) -> Image.Image:
    """The line as a picture of 1-bit dots, `width_dots` wide (True = paper); never wider, squeezed if it must be."""
    scale = 2 if line.large else 1
    picture = Image.new("1", (width_dots, line_dots * scale), 1)
    size = font_dots * scale
    left, right = (_lettered(part, size, line.bold, picture.height) for part in (line.left, line.right))
    if left.width + right.width > width_dots:
        shrink = width_dots / (left.width + right.width)
        left, right = (part.resize((max(1, int(part.width * shrink)), part.height)) for part in (left, right))
    picture.paste(left, ((width_dots - left.width) // 2 if line.centred else 0, 0))
    if line.right:
        picture.paste(right, (width_dots - right.width, 0))
    return picture


def runs(text: str, size_px: int, bold: bool = False) -> list[tuple[ImageFont.FreeTypeFont, str]]:
    """The text in pieces of one font each, 〓 for what none holds; neighbours of one font are shaped together."""
    fonts = [(font_for(cluster, size_px, bold), cluster) for cluster in clusters(text)]
    chosen = list[tuple[ImageFont.FreeTypeFont, str]]()
    for font, cluster in fonts:
        if cluster == " " and chosen:
            font = chosen[-1][0]  # words that are written from the right keep their order
        chosen.append((font or text_font(size_px, bold), cluster if font else GETA))
    grouped = groupby(chosen, key=lambda piece: (str(piece[0].path), piece[0].index))
    pieces = [list(group) for _, group in grouped]
    return [(piece[0][0], "".join(cluster for _, cluster in piece)) for piece in pieces]


def _lettered(text: str, size_px: int, bold: bool, height: int) -> Image.Image:
    """Text in 1-bit dots without grey (which would be dithered), on its own width.

    Scripts that reach higher or lower than Chinese move the baseline, and are set smaller where even that is not enough.
    """
    pieces = runs(text, size_px, bold)
    boxes = [font.getbbox(run, anchor="ls") for font, run in pieces]
    up = max((round(-box[1]) for box in boxes), default=0)
    down = max((round(box[3]) for box in boxes), default=0)
    if up + down > height and size_px > 1:
        return _lettered(text, min(size_px - 1, size_px * height // (up + down)), bold, height)
    width = sum(round(font.getlength(run)) for font, run in pieces)
    picture = Image.new("1", (max(width, 1), height), 1)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"
    x = 0
    baseline = max(up, min(round(size_px * 0.88), height - down))
    for font, run in pieces:
        pen.text((x, baseline), run, font=font, fill=0, anchor="ls")
        x += round(font.getlength(run))
    return picture


@lru_cache(maxsize=64)
def _box(path: str, index: int) -> tuple[bytes, tuple[int, int]]:
    """What this font draws for a character it does not hold."""
    mask = _small(path, index).getmask("\U0010fffe", mode="1")
    return bytes(mask), mask.size


def _holds(font: ImageFont.FreeTypeFont, cluster: str) -> bool:
    return all(char < "\x7f" or char.isspace() or _has(str(font.path), font.index, char) for char in cluster)


@lru_cache(maxsize=4096)
def _has(path: str, index: int, char: str) -> bool:
    mask = _small(path, index).getmask(char, mode="1")
    return (bytes(mask), mask.size) != _box(path, index) and mask.getbbox() is not None


@lru_cache(maxsize=64)
def _small(path: str, index: int) -> ImageFont.FreeTypeFont:
    """Without shaping, which draws a dotted circle around what it lacks."""
    return ImageFont.truetype(path, 24, index, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _matched(pattern: str) -> tuple[tuple[str, int, str], ...]:
    """Fontconfig's best fonts for a pattern, which need not fit it, and the scripts they shape; none without fontconfig."""
    command = shutil.which("fc-match")
    if command is None:
        return ()
    try:
        answer = subprocess.run(
            [command, "--all", "--format", "%{file}|%{index}|%{capability}\n", pattern],
            capture_output=True,
            text=True,
            check=True,
            timeout=FONTCONFIG_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    lines = (line.split("|", 2) for line in answer.splitlines()[:_CANDIDATES])
    return tuple((path, int(index) & 0xFFFF, shapes) for path, index, shapes in lines if path and index.isdigit())
