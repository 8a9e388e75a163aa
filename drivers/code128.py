"""Spells a text for Code 128 as ESC/POS takes it (GS k 73): which parts in set B, which in set C. Pure, any thread.

Follows ISO/IEC 15417: a symbol is 11 modules wide, the stop 13; set C says two digits in one symbol. A long number of a
virtual card fits 80 mm of paper only that way.

Why
In set C the pair 16 is a byte 10h, and a pair 04, 05 or 20 behind it makes DLE EOT, DLE ENQ or DLE DC4: a printer obeys
these at once, wherever they stand. So no two such pairs follow each other; the digits are paired from another one on.
"""

from itertools import groupby
from typing import Literal

_Part = tuple[Literal["B", "C"], str]
CodeParts = list[_Part]
"""A text in its sets: B letters, C pairs of digits."""
_State = tuple[Literal["B", "C"] | None, bool]
"""The set at some place, and whether the byte before it is a DLE."""
_Said = tuple[int, tuple[_Part, ...]]
"""How many symbols, and which."""
_DLE, _OBEYED_AFTER_DLE = "16", frozenset({"04", "05", "20"})
_SYMBOL, _STOP = 11, 13


def spellings(data: str) -> tuple[CodeParts, ...]:
    """How to say it, best first: letters alone are what every printer obeys, digits alone are said in pairs."""
    short = _in_pairs(data)
    return (short,) if short == [("C", data)] else ([("B", data)], short)


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
    """The same text in the fewest symbols (ISO/IEC 15417, annex E), in letters rather than pairs where both take as many."""
    best: list[dict[_State, _Said]] = [{} for _ in range(len(data) + 2)]
    best[0][None, False] = (0, ())
    for place, char in enumerate(data):
        pair = data[place : place + 2]
        for (code_set, after_dle), (symbols, said) in best[place].items():
            _keep(best[place + 1], ("B", False), symbols + 1 + (code_set != "B"), (*said, ("B", char)))
            spells = code_set == "C" and after_dle and pair in _OBEYED_AFTER_DLE
            if len(pair) == 2 and pair.isdigit() and not spells:
                _keep(best[place + 2], ("C", pair == _DLE), symbols + 1 + (code_set != "C"), (*said, ("C", pair)))
    _, said = min(best[len(data)].values(), key=lambda way: way[0])
    return [(code_set, "".join(text for _, text in run)) for code_set, run in groupby(said, key=lambda part: part[0])]


def _keep(ways: dict[_State, _Said], state: _State, symbols: int, said: tuple[_Part, ...]) -> None:
    if state not in ways or symbols < ways[state][0]:
        ways[state] = (symbols, said)
