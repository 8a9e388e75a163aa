"""The page that a person reads when a printer is set up: what no command can ask; bytes, pure.

It must come out on any printer, so it uses no profile: ASCII, pictures (GS v 0), Chinese characters sent in both codes,
a QR code drawn by the printer, and the order to cut. On paper too narrow for it the end of a bar is missing.
"""

import struct

WIDTHS = (384, 432, 512, 576, 640)
"""Printable widths in dots that are sold: 58 mm (384, 432), 80 mm (512, 576, 640)."""
_RULER = b"".join(b"123456789" + bytes([ord("A") + tens]) for tens in range(7))
"""One line of 70 letters, wider than any paper: A stands at 10, B at 20."""
_BAR_HEIGHT = 20
_TICK = b"\xff\xff"
_WORDS = "圖書館借閱證"
"""The same word in both codes; the wrong one shows other characters."""


def probe_page() -> bytes:
    """One whole page; feeds it out and orders the knife."""
    parts = [b"\x1b@\x1b2\x1c.", b"SHELFPOINT PROBE PAGE\n\n", b"1 WIDTH: the last bar with both ends\n"]
    parts += [f"  {width}\n".encode("ascii") + _bar(width) for width in WIDTHS]
    parts += [b"\n2 COLUMNS: where does the first line of this break off?\n", _RULER, b"\n"]
    parts += [b"\n3 CHINESE: the line that can be read\n"]
    for name, encoding in (("big5", "cp950"), ("gb18030", "gb18030")):
        parts += [f"  {name}: ".encode("ascii"), b"\x1c&", _WORDS.encode(encoding), b"\x1c.\n"]
    parts += [b"\n4 QR: is there a QR code below?\n", _qr(b"SHELFPOINT"), b"\n5 KNIFE: is this page cut off?\n"]
    parts += [b"\x1bd\x06", b"\x1dVB\x00"]
    return b"".join(parts)


def _bar(width: int) -> bytes:
    """A thin line with a thick tick of 16 dots at either end."""
    across = width // 8
    tick = _TICK + bytes(across - 4) + _TICK
    rows = [tick] * 8 + [b"\xff" * across] * 4 + [tick] * 8
    return b"\x1dv0\x00" + struct.pack("<HH", across, _BAR_HEIGHT) + b"".join(rows)


def _qr(data: bytes) -> bytes:
    """GS ( k: model 2, five dots a module, level M, stored, printed."""
    orders = (b"1A2\x00", b"1C\x05", b"1E1", b"1P0" + data, b"1Q0")
    return b"".join(b"\x1d(k" + struct.pack("<H", len(order)) + order for order in orders)
