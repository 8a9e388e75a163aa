"""How a QR code begins, looked up in its own modules: the mode, and whether it is a part of a longer message; pure.

`drivers.barcodes` asks for every QR code that zxing-cpp read. Promises: a part (structured append, ISO/IEC 18004 section 8) is never
taken for a whole code, a damaged one neither.

Why
zxing-cpp's Python binding does not tell parts from whole codes; zbar joins the parts that it sees and keeps silent about
those that it does not. The modules are as the camera saw them, with errors that zxing-cpp has corrected in the bytes alone. One
wrong module makes another mode of a part's, so the first characters must stand there too; a whole code that is
damaged just there is not read in this picture.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from qrcode.base import rs_blocks
from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_L, ERROR_CORRECT_M, ERROR_CORRECT_Q

Modules = NDArray[np.bool_]
"""Dark ones, as they stand upright; QR codes only, not Micro QR, which has no parts."""
_LEVELS = {"L": ERROR_CORRECT_L, "M": ERROR_CORRECT_M, "Q": ERROR_CORRECT_Q, "H": ERROR_CORRECT_H}
_ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_TOP = 9
"""Rows of the two rightmost columns that hold no data."""


class Mode(IntEnum):
    """What the first four bits say."""

    NUMERIC = 1
    ALPHANUMERIC = 2
    PART = 3
    BYTES = 4
    FNC1_FIRST = 5
    ECI = 7
    KANJI = 8
    FNC1_SECOND = 9


_COUNT_BITS = {
    Mode.NUMERIC: (10, 12, 14),
    Mode.ALPHANUMERIC: (9, 11, 13),
    Mode.BYTES: (8, 16, 16),
    Mode.KANJI: (8, 10, 12),
}
"""Of versions 1 to 9, to 26, to 40."""


def beginning(modules: Modules, mask: int, level: str, data: bytes) -> Mode | None:
    """The mode in which this code begins; None for a part, and where the modules do not begin as `data` does.

    `mask` and `level` (L, M, Q, H) as zxing-cpp tells them; `data` with ECI escapes, if there are any.
    """
    version = (len(modules) - 17) // 4
    bits = _of_first_block(_first_bits(modules, mask), len(rs_blocks(version, _LEVELS[level])))
    try:
        mode = Mode(int(bits[:4], 2))
    except ValueError:
        return None
    return mode if mode is not Mode.PART and _begins(mode, bits[4:], version, data) else None


def _first_bits(modules: Modules, mask: int) -> str:
    """The two rightmost columns from below, unmasked."""
    size = len(modules)
    places = [(row, column) for row in range(size - 1, _TOP - 1, -1) for column in (size - 1, size - 2)]
    return "".join(str(int(modules[index]) ^ _is_masked(mask, *index)) for index in places)


def _of_first_block(bits: str, blocks: int) -> str:
    """The codewords of the blocks take turns."""
    return "".join(bits[index : index + 8] for index in range(0, len(bits) - 7, 8 * blocks))


def _begins(mode: Mode, bits: str, version: int, data: bytes) -> bool:
    """After the mode: how many characters follow, no more than there are, and the first of them; as far as the bits go."""
    if mode in (Mode.FNC1_FIRST, Mode.FNC1_SECOND):
        return True
    if mode is Mode.ECI:
        escape = data[1:7]
        number = int(escape) if data[:1] == b"\\" and escape.isdigit() else 128
        return number >= 128 or _agree(bits, format(number, "08b"))
    width = _COUNT_BITS[mode][(version >= 10) + (version >= 27)]
    if len(bits) < width:
        return True
    count = int(bits[:width], 2)
    return 1 <= count <= len(data) and _agree(bits[width:], _first_character(mode, count, data))


def _first_character(mode: Mode, count: int, data: bytes) -> str:
    """The bits of the first character or group; more than a symbol holds where these bytes cannot stand in this mode."""
    match mode:
        case Mode.NUMERIC:
            group = data[: min(count, 3)]
            return format(int(group), f"0{(0, 4, 7, 10)[len(group)]}b") if group.isdigit() else _NEVER
        case Mode.ALPHANUMERIC:
            group = data[: min(count, 2)]
            if set(group) - set(_ALPHANUMERIC):
                return _NEVER
            value = sum(_ALPHANUMERIC.index(letter) * 45**index for index, letter in enumerate(reversed(group)))
            return format(value, f"0{(0, 6, 11)[len(group)]}b")
        case Mode.KANJI if len(data) >= 2:
            pair = (data[0] << 8) + data[1]
            pair -= 0x8140 if pair < 0xE040 else 0xC140
            return format((pair >> 8) * 0xC0 + (pair & 0xFF), "013b") if pair >= 0 else _NEVER
        case _:
            return format(data[0], "08b")


_NEVER = "-"


def _agree(bits: str, wanted: str) -> bool:
    shorter = min(len(bits), len(wanted))
    return bits[:shorter] == wanted[:shorter]


def _is_masked(mask: int, row: int, column: int) -> bool:
    product = row * column
    return (
        (row + column) % 2,
        row % 2,
        column % 3,
        (row + column) % 3,
        (row // 2 + column // 3) % 2,
        product % 2 + product % 3,
        (product % 2 + product % 3) % 2,
        ((row + column) % 2 + product % 3) % 2,
    )[mask] == 0
