"""How names and titles are kept: what people and catalogues write, without what only a computer sees.

Asked by central where records and remarks come in. Every run of spaces, tabs and line ends becomes one space; controls and
format characters go, except where a script is written with them; everything else stays, also what this program does not know.
Not for numbers and ids: one that must be mended is a mistake there. Pure; Unicode Standard, chapters 9, 12 and 23.

Why
`str.isprintable` is false for the ideographic space, for a library's own characters (造字, private use) and for everything
that Unicode has added since this Python was made (CJK extensions I and J): ordinary names and titles here.
"""

import unicodedata
from dataclasses import dataclass

_JOINERS = frozenset("\u200c\u200d")
"""Zero width non-joiner and joiner: spelling in Persian and in the scripts of India, glue in emoji."""
_JOINED = (
    (0x0600, 0x08FF),  # Arabic, Syriac, Thaana, N'Ko
    (0x0900, 0x0DFF),  # Devanagari to Sinhala
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0x1B00, 0x1BFF),  # Balinese to Batak
    (0xA840, 0xABFF),  # Phags-pa to Meetei Mayek
    (0xFB50, 0xFEFC),  # Arabic presentation forms and variation selectors, of which emoji are made
    (0x11000, 0x11FFF),  # older scripts of India
    (0x1F300, 0x1FAFF),  # emoji
)
_WRITTEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\u180e")
"""Format characters that are seen (numbers and verses in Arabic), and the Mongolian vowel separator."""
_GONE = frozenset(("Cc", "Cf", "Cs"))


@dataclass(frozen=True, slots=True)
class Tidied:
    """A name or title as it is kept."""

    text: str
    """What is kept."""
    folded: bool = False
    """Spaces, tabs or line ends became one space, or went from an end."""
    dropped: tuple[str, ...] = ()
    """Characters that went, each once, in order."""


def tidy(text: str) -> Tidied:
    """A name, a title or a remark as it is kept; tidying it again changes nothing."""
    if text.isprintable() and "  " not in text and text == text.strip():
        return Tidied(text)  # nearly all: the rest takes ten times as long
    kept: list[str] = []
    dropped: dict[str, None] = {}
    for char in text:
        if char.isspace():
            if kept and kept[-1] != " ":
                kept.append(" ")
        elif _stays(char, kept[-1] if kept else ""):
            kept.append(char)
        else:
            dropped[char] = None
    tidied = "".join(kept).rstrip()
    seen = "".join(char for char in text if char not in dropped)
    return Tidied(tidied, folded=tidied != seen, dropped=tuple(dropped))


def _stays(char: str, before: str) -> bool:
    if char in _JOINERS:
        return bool(before) and any(first <= ord(before) <= last for first, last in _JOINED)
    if char in _WRITTEN or 0x13430 <= ord(char) <= 0x13440:  # hieroglyphs are stacked by them
        return True
    return unicodedata.category(char) not in _GONE and not _is_no_character(ord(char))


def _is_no_character(code: int) -> bool:
    """Never a character (Unicode 23.7)."""
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def is_plain(text: str) -> bool:
    """Tidying would change nothing; what a database takes and a screen shows."""
    return tidy(text).text == text


def in_words(text: str) -> str:
    """The text with everything invisible spelled, for a report: a<U+200F>b."""
    return "".join(char if char == " " or _is_seen(char) else f"<U+{ord(char):04X}>" for char in text)


def _is_seen(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) not in _GONE
