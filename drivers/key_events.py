"""Characters out of the kernel's key events: bytes in, bytes of text out; pure.

What /dev/input/event… gives is a row of `struct input_event` (Linux input.h): time, type, code, value, in the machine's
own sizes. A scanner presses keys of a US keyboard, which is how they leave the factory; with another layout set in the
scanner its letters come out wrong here, so it must be set back to US. Enter and Tab end a code, as in `drivers.frames`,
which assembles it. A key that stands for no character, a key under Ctrl or Alt (scanners that type by Alt and digits)
and events that the kernel dropped become a byte that no text has: half a code must never look like a whole one.
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType

EVENT = struct.Struct("@llHHi")
"""Seconds, microseconds, type, code, value."""
UNREADABLE = b"\xff"
"""No text has this byte, so `drivers.frames` takes what holds it for unreadable."""

SYN, KEY = 0, 1
DROPPED = 3
"""Code of a SYN event: the kernel's buffer ran over."""
UP, DOWN = 0, 1
_SHIFTS, _CAPS_LOCK = frozenset({42, 54}), 58
_COMMANDS = frozenset({29, 97, 56, 100, 125, 126})
"""Ctrl, Alt and Meta, left and right."""
_LOCKS = frozenset({_CAPS_LOCK, 69, 70})

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
_KEYPAD = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3", 82: "0",
           83: ".", 98: "/", 55: "*", 117: "="}  # fmt: skip
_ALWAYS = {28: "\r", 96: "\r", 15: "\t", 57: " ", **_KEYPAD}


def _keys(shifted: bool) -> Mapping[int, str]:
    row = {first + place: char for first, *rows in _ROWS for place, char in enumerate(rows[shifted])}
    return MappingProxyType({**row, **_ALWAYS})


PLAIN, SHIFTED = _keys(shifted=False), _keys(shifted=True)
"""Characters by key code, US layout."""


class Keys:
    """One keyboard's keys; feed it bytes as they come, in pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""
        self._held: set[int] = set()
        self._capitals = False

    def feed(self, data: bytes) -> bytes:
        """The characters that these events type, as UTF-8; `UNREADABLE` where one cannot be known."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        return b"".join(self._typed(kind, code, value) for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]))

    def _typed(self, kind: int, code: int, value: int) -> bytes:
        if kind == SYN and code == DROPPED:
            self._held.clear()
            return UNREADABLE
        if kind != KEY:
            return b""
        if code in _SHIFTS or code in _COMMANDS:
            (self._held.discard if value == UP else self._held.add)(code)
            return b""
        if value != DOWN:
            return b""  # let go, or held down until it repeats: no scanner does that
        if code in _LOCKS:
            self._capitals ^= code == _CAPS_LOCK
            return b""
        if self._held & _COMMANDS:
            return UNREADABLE
        char = (SHIFTED if self._held & _SHIFTS else PLAIN).get(code)
        if char is None:
            return UNREADABLE
        return (char.swapcase() if self._capitals else char).encode()
