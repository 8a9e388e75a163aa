"""A script for the twins: one line a step, `after SECONDS DEVICE WORD …`; text in, steps out; pure, and then played.

    # a comment
    after 2 reader lay easycard
    after 1.5 scanner scan C0000001

The seconds count from the step before. Every bad line is told, with its number and what was expected there.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from drivers.virtual.words import SYMBOLOGIES, WORDS, Takes
from kiosk.domain.identity import UID_LENGTHS

LONGEST_WAIT_S = 3600.0
_LARGEST_NUMBER = 1_000_000
_LONGEST_CODE = 7089
"""Digits in the largest QR code (ISO/IEC 18004)."""
_REST = frozenset({Takes.CODE, Takes.TEXT, Takes.HEX})
"""Takes the line to its end."""


class BadScript(Exception):
    """The script cannot be played; one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Step:
    """One line."""

    line: int
    """Its number, from 1."""
    after_s: float
    """Since the step before."""
    device: str
    """Which twin."""
    word: str
    """What it does; a word of `WORDS`."""
    arguments: tuple[str, ...] = ()
    """What stands behind the word; missing ones are left out."""

    def __str__(self) -> str:
        return " ".join((self.device, self.word, *self.arguments))


class _Bad(Exception):
    """What was expected, and what stands there."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got[:60] or 'nothing'}")


def read_script(text: str, name: str, cards: Collection[str], devices: Collection[str] = tuple(WORDS)) -> list[Step]:
    """The steps of a script. `cards` are the names on the table, `devices` the twins that are there.

    Raises BadScript, which names `name`, the line and what was expected.
    """
    steps, problems = list[Step](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                steps.append(_step(number, line.strip(), cards, devices))
            except _Bad as bad:
                problems.append(f"{name}:{number}: {bad}")
    if problems:
        raise BadScript(problems)
    return steps


def play(steps: Iterable[Step], do: Callable[[Step], None], wait: Callable[[float], bool]) -> bool:
    """Do every step in its time; blocks. `wait` sleeps so many seconds and says whether to stop. False when stopped."""
    for step in steps:
        if wait(step.after_s):
            return False
        do(step)
    return True


def _step(number: int, line: str, cards: Collection[str], devices: Collection[str]) -> Step:
    after, _, rest = line.partition(" ")
    if after != "after":
        raise _Bad("after SECONDS DEVICE WORD", line)
    seconds, device, word, rest = _split(rest, 3)
    if device not in devices:
        raise _Bad(f"a device, one of {', '.join(devices)}", device)
    if word not in WORDS[device]:
        raise _Bad(f"what the {device} does, one of {', '.join(WORDS[device])}", word)
    arguments = []
    for takes in WORDS[device][word].takes:
        given, rest = (rest, "") if takes in _REST else _split(rest, 1)
        if given or takes is not Takes.MAYBE_NUMBER:
            _check(takes, given, cards)
            arguments.append(given)
    if (device, word) == ("camera", "show"):
        _check_drawn(*arguments)
    if rest:
        form = " ".join((device, word, *WORDS[device][word].takes))
        raise _Bad(f"nothing more after {form}", rest)
    return Step(number, _seconds(seconds), device, word, tuple(arguments))


def _split(text: str, count: int) -> tuple[str, ...]:
    """So many words, empty where there are fewer, and the rest."""
    parts = text.split(maxsplit=count)
    return tuple((parts + [""] * (count + 1))[: count + 1])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise _Bad(f"seconds from 0 to {LONGEST_WAIT_S:.0f}", text)
    return seconds


def _check(takes: Takes, given: str, cards: Collection[str]) -> None:
    match takes:
        case Takes.CARD:
            if given not in cards and uid_in(given) is None:
                raise _Bad(f"a card ({', '.join(cards)}) or a UID in hexadecimal digits", given)
        case Takes.CODE | Takes.TEXT:
            if not given:
                raise _Bad(f"{takes}, the rest of the line", given)
        case Takes.HEX:
            if not given or not _is_hex(given):
                raise _Bad("bytes in hexadecimal digits", given)
        case Takes.NUMBER | Takes.MAYBE_NUMBER:
            _check_number(given, _LARGEST_NUMBER)
        case Takes.LENGTH:
            _check_number(given, _LONGEST_CODE)
        case Takes.SECONDS:
            _seconds(given)
        case Takes.ECHO:
            if not re.fullmatch(r"[0-9A-Za-z]{4}", given):
                raise _Bad("four letters or digits", given)
        case Takes.SYMBOLOGY:
            if given not in SYMBOLOGIES:
                raise _Bad(f"a kind of code, one of {', '.join(SYMBOLOGIES)}", given)


def _check_number(given: str, most: int) -> None:
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= most):
        raise _Bad(f"a whole number from 1 to {most}", given)


def _check_drawn(symbology: str, text: str) -> None:
    """Whether such a code can say this."""
    from barcode.errors import BarcodeError  # type: ignore[import-untyped]  # with numpy and Pillow: only for who draws

    from drivers.virtual.code_pictures import modules

    try:
        modules(symbology, text)
    except (BarcodeError, KeyError, ValueError) as error:
        raise _Bad(f"what {symbology} can say", text) from error


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def uid_in(text: str) -> bytes | None:
    """The UID that is written so, or None."""
    uid = bytes.fromhex(text) if _is_hex(text) else b""
    return uid if len(uid) in UID_LENGTHS else None
