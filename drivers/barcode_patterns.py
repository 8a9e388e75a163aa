"""Which bars a text has: the linear symbologies as their standards draw them; pure, standard library only.

`drivers.print_check` compares a picture with what stands here, `drivers.virtual.code_scenes` draws it. Widths count from the
first bar, in modules; a wide element of Code 39, Codabar and Interleaved 2 of 5 is `WIDE`, because printers choose its
width (two to three modules). ISO/IEC 15417 (Code 128), 16388 (Code 39), 15420 (EAN), 16390 (Interleaved 2 of 5),
ANSI/AIM BC3 (Codabar).

Why
The decoders' own writers are not used: what draws with the tables of what reads can show no mistake of theirs.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from types import MappingProxyType


def _words(table: str) -> tuple[str, ...]:
    return tuple(table.split())


WIDE = 0
"""Stands for the width of a wide element; all others are whole modules."""
Widths = tuple[int, ...]
"""Bar, space, bar ...; or space first, where a `Slot` says so."""

_CODE128 = _words("""
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122
123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323
131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131
213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122
141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112
124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141
411131 211412 211214 211232
""")
_CODE128_STOP: Widths = (2, 3, 3, 1, 1, 1, 2)
_CODE39_NAMES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
_CODE39 = _words("""
nnnwwnwnn wnnwnnnnw nnwwnnnnw wnwwnnnnn nnnwwnnnw wnnwwnnnn nnwwwnnnn nnnwnnwnw wnnwnnwnn nnwwnnwnn wnnnnwnnw nnwnnwnnw
wnwnnwnnn nnnnwwnnw wnnnwwnnn nnwnwwnnn nnnnnwwnw wnnnnwwnn nnwnnwwnn nnnnwwwnn wnnnnnnww nnwnnnnww wnwnnnnwn nnnnwnnww
wnnnwnnwn nnwnwnnwn nnnnnnwww wnnnnnwwn nnwnnnwwn nnnnwnwwn wwnnnnnnw nwwnnnnnw wwwnnnnnn nwnnwnnnw wwnnwnnnn nwwnwnnnn
nwnnnnwnw wwnnnnwnn nwwnnnwnn nwnwnwnnn nwnwnnnwn nwnnnwnwn nnnwnwnwn nwnnwnwnn
""")
_CODABAR_NAMES = "0123456789-$:/.+ABCD"
_CODABAR = _words("""
nnnnnww nnnnwwn nnnwnnw wwnnnnn nnwnnwn wnnnnwn nwnnnnw nwnnwnn nwwnnnn wnnwnnn nnnwwnn nnwwnnn wnnnwnw wnwnnnw wnwnwnn
nnwnwnw nnwwnwn nwnwnnw nnnwnww nnnwwwn
""")
_ITF = _words("nnwwn wnnnw nwnnw wwnnn nnwnw wnwnn nwwnn nnnww wnnwn nwnwn")
_EAN = _words("3211 2221 2122 1411 1132 1231 1114 1312 1213 3112")
_EAN_PARITIES = _words("LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL")
START_A, START_B, START_C = 103, 104, 105
_CODE_C, _CODE_B, _CODE_A, _SHIFT, _FNC1, _FNC2, _FNC3 = 99, 100, 101, 98, 102, 97, 96


@dataclass(frozen=True, slots=True, eq=False)
class Alphabet:
    """What can stand in one place of a code: all equally wide. There is one object of each, so that it can be a key."""

    members: tuple[Widths, ...]
    """Each with the same number of elements."""
    bar_first: bool = True
    """The first element is a bar."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One character of a code: it could as well have been any other of its alphabet."""

    alphabet: Alphabet
    """What can stand here."""
    pick: int
    """Which one does."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole code without quiet zones: slots, and between them what never changes."""

    parts: tuple[Slot | Widths, ...]
    """From the first bar to the last; bare widths go on with a bar after a space, and the other way."""

    def widths(self) -> Widths:
        """Every element, bar first; a part that begins in the colour that the part before it ended in is a fault."""
        return tuple(
            width
            for part in self.parts
            for width in (part.alphabet.members[part.pick] if isinstance(part, Slot) else part)
        )


def layout(symbology: str, text: str, gap: int = 1) -> Layout | None:
    """How this text is drawn, with so many modules between characters that stand apart.

    None where the symbology cannot say it, or is not drawn here. Code 128: see `code128_layout`.
    """
    match symbology:
        case "code39":
            return _code39(text, gap)
        case "codabar":
            whole = len(text) >= 3 and text[0] in "ABCD" and text[-1] in "ABCD" and not set(text[1:-1]) & set("ABCD")
            return _codabar(text, gap) if whole else None
        case "ean13":
            return _ean13(text) if len(text) == 13 and _is_digits(text) else None
        case "itf":
            return _itf(text) if len(text) % 2 == 0 and text and _is_digits(text) else None
        case _:
            return None


def code128_layout(values: tuple[int, ...]) -> Layout:
    """Symbol values from the start symbol to the check symbol, as drawn."""
    alphabet = code128_alphabet()
    return Layout((*(Slot(alphabet, value) for value in values), _CODE128_STOP))


def code128_check(values: tuple[int, ...]) -> int:
    """The check symbol after these: start symbol, then data."""
    return (values[0] + sum(index * value for index, value in enumerate(values))) % 103


def code128_spellings(text: str) -> tuple[tuple[int, ...], ...]:
    """The usual ways to say a text, with start and check symbol.

    Digits in pairs with the odd one first (as the standard's annex says) or last (as many programs do), and no pairs.
    """
    ways = [_in_pairs(text), _in_late_pairs(text), _in_one_set(text)]
    return tuple({(*way, code128_check(way)): None for way in ways if way is not None})


def code128_text(values: tuple[int, ...]) -> str | None:
    """What these symbols say, from the start to the check symbol; None where they break the rules or say a function alone."""
    if len(values) < 3 or values[0] not in (START_A, START_B, START_C) or code128_check(values[:-1]) != values[-1]:
        return None
    code_set, shifted, text = "ABC"[values[0] - START_A], False, ""
    for value in values[1:-1]:
        now = {"A": "B", "B": "A"}[code_set] if shifted else code_set
        shifted = False
        if value > _FNC1:
            return None
        if now == "C":
            if value < 100:
                text += f"{value:02d}"
            elif value != _FNC1:
                code_set = "B" if value == _CODE_B else "A"
        elif value < 96:
            text += chr(value + 32 if now == "B" or value < 64 else value - 64)
        elif value == _SHIFT:
            shifted = True
        elif value == _CODE_C:
            code_set = "C"
        elif value == _CODE_B and now == "A":
            code_set = "B"
        elif value == _CODE_A and now == "B":
            code_set = "A"
        elif value not in (_FNC1, _FNC2, _FNC3):
            return None  # FNC4: no ASCII
    return text


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _two_widths(pattern: str) -> Widths:
    return tuple(WIDE if letter == "w" else 1 for letter in pattern)


@cache
def code128_alphabet() -> Alphabet:
    """The symbols by their values, start symbols included."""
    return Alphabet(tuple(tuple(map(int, pattern)) for pattern in _CODE128))


@cache
def _code39_alphabet() -> Alphabet:
    return Alphabet(tuple(map(_two_widths, _CODE39)))


def _code39(text: str, gap: int) -> Layout | None:
    """Between its stars."""
    if not text or set(text) - set(_CODE39_NAMES[:-1]):
        return None
    return _apart([Slot(_code39_alphabet(), _CODE39_NAMES.index(letter)) for letter in f"*{text}*"], gap)


def _apart(slots: list[Slot], gap: int) -> Layout:
    """Characters with a space between every two."""
    return Layout(tuple(part for slot in slots for part in (slot, (gap,)))[:-1])


@cache
def _codabar_slots() -> MappingProxyType[str, Slot]:
    """Each character among those of its width."""
    letters = dict(zip(_CODABAR_NAMES, map(_two_widths, _CODABAR), strict=True))
    alike: dict[int, list[str]] = {}
    for letter, widths in letters.items():
        alike.setdefault(widths.count(WIDE), []).append(letter)
    groups = [(group, Alphabet(tuple(letters[letter] for letter in group))) for group in alike.values()]
    return MappingProxyType(
        {letter: Slot(alphabet, index) for group, alphabet in groups for index, letter in enumerate(group)}
    )


def _codabar(text: str, gap: int) -> Layout | None:
    slots = _codabar_slots()
    return None if set(text) - set(slots) else _apart([slots[letter] for letter in text], gap)


@cache
def _itf_alphabet() -> Alphabet:
    """The hundred pairs: the first digit in the bars, the second in the spaces between them."""
    digits = [_two_widths(pattern) for pattern in _ITF]
    return Alphabet(
        tuple(tuple(width for pair in zip(*both, strict=True) for width in pair) for both in product(digits, digits))
    )


def _itf(text: str) -> Layout:
    pairs = tuple(Slot(_itf_alphabet(), int(text[index : index + 2])) for index in range(0, len(text), 2))
    return Layout(((1, 1, 1, 1), *pairs, (WIDE, 1, 1)))


@cache
def _ean_alphabets() -> tuple[Alphabet, Alphabet]:
    """Left: ten of set A, ten of set B; right: set C."""
    odd = tuple(tuple(map(int, pattern)) for pattern in _EAN)
    return Alphabet((*odd, *(widths[::-1] for widths in odd)), bar_first=False), Alphabet(odd)


def _ean13(text: str) -> Layout:
    left, right = _ean_alphabets()
    halves = [
        Slot(left, int(digit) + (10 if parity == "G" else 0))
        for digit, parity in zip(text[1:7], _EAN_PARITIES[int(text[0])], strict=True)
    ]
    return Layout(((1, 1, 1), *halves, (1, 1, 1, 1, 1), *(Slot(right, int(digit)) for digit in text[7:]), (1, 1, 1)))


def _in_one_set(text: str) -> tuple[int, ...] | None:
    if text and all(32 <= ord(letter) < 128 for letter in text):
        return (START_B, *(ord(letter) - 32 for letter in text))
    if text and all(ord(letter) < 96 for letter in text):
        return (START_A, *((ord(letter) - 32) % 96 if ord(letter) >= 32 else ord(letter) + 64 for letter in text))
    return None


def _in_pairs(text: str) -> tuple[int, ...] | None:
    """Runs of digits in set C where that is shorter (ISO/IEC 15417, annex E)."""
    if not text or not all(32 <= ord(letter) < 128 for letter in text):
        return None
    values: list[int] = []
    code_set, index = "", 0
    while index < len(text):
        run = index
        while run < len(text) and text[run].isdigit():
            run += 1
        digits = run - index
        least = 4 if index == 0 or run == len(text) else 6
        whole = index == 0 and run == len(text)
        if (digits >= least or (whole and digits >= 2)) and (digits % 2 == 0 or code_set == "B"):
            if digits % 2:
                values.append(ord(text[index]) - 32)
                index += 1
            values.append(_CODE_C if code_set else START_C)
            code_set = "C"
        if code_set == "C" and index < run - 1:
            values += [int(text[at : at + 2]) for at in range(index, run - 1, 2)]
            index += (run - index) // 2 * 2
        elif digits >= least and code_set == "":
            values.append(START_C)
            code_set = "C"
        else:
            if code_set != "B":
                values.append(_CODE_B if code_set else START_B)
                code_set = "B"
            values.append(ord(text[index]) - 32)
            index += 1
    return tuple(values)


def _in_late_pairs(text: str) -> tuple[int, ...] | None:
    """Letters, then pairs of all digits at the end, then the odd one."""
    head = text.rstrip("0123456789")
    tail = text[len(head) :]
    if len(tail) < 2 or not all(32 <= ord(letter) < 128 for letter in text):
        return None
    values = [START_B, *(ord(letter) - 32 for letter in head), _CODE_C] if head else [START_C]
    values += [int(tail[index : index + 2]) for index in range(0, len(tail) - 1, 2)]
    return (*values, _CODE_B, ord(tail[-1]) - 32) if len(tail) % 2 else tuple(values)
