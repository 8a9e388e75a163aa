"""Spells a text for Code 128 as ESC/POS takes it (GS k 73): which parts in set B, which in set C. Pure, any thread.

Follows ISO/IEC 15417: a symbol is 11 modules wide, the stop 13; set C says two digits in one symbol. A long number of a
virtual card fits 80 mm of paper only that way.
"""

import re
from typing import Literal

CodeParts = list[tuple[Literal["B", "C"], str]]
"""A text in its sets: B letters, C pairs of digits."""
_SYMBOL, _STOP = 11, 13


def spellings(data: str) -> tuple[CodeParts, ...]:
    """How to say it, best first: letters alone are what every printer obeys, digits alone are said in pairs."""
    short = _in_pairs(data)
    return (short,) if short[0] == ("C", data) else ([("B", data)], short)


def code128(parts: CodeParts) -> tuple[bytes, int]:
    """The data of GS k for Code 128, and how many modules wide it is without quiet zones."""
    code, symbols = b"", 0
    for code_set, text in parts:
        if code_set == "C":
            code += b"{C" + bytes(int(text[place : place + 2]) for place in range(0, len(text), 2))
            symbols += 1 + len(text) // 2
        else:
            code += b"{B" + text.replace("{", "{{").encode("ascii")
            symbols += 1 + len(text)
    return code, _SYMBOL * (symbols + 1) + _STOP


def _in_pairs(data: str) -> CodeParts:
    """The same text in fewer symbols: long runs of digits in set C, two in each (ISO/IEC 15417, annex E)."""
    parts: CodeParts = []
    for run in re.finditer(r"\d+|\D+", data):
        text = run[0]
        pairs = len(text) // 2 * 2
        at_an_end = run.start() == 0 or run.end() == len(data)
        if not text.isdigit() or (pairs < (4 if at_an_end else 6) and text != data) or not pairs:
            pairs = 0
        letters = text[: len(text) - pairs]
        if letters and parts and parts[-1][0] == "B":
            parts[-1] = ("B", parts[-1][1] + letters)
        elif letters:
            parts.append(("B", letters))
        if pairs:
            parts.append(("C", text[-pairs:]))
    return parts
