"""The text of a QR code, Data Matrix or PDF417 out of what zxing-cpp read: bytes in, text or nothing out; pure.

`drivers.barcodes` asks for every such code. Promises: no mojibake and no escapes, and a part of a longer message is no text.

Why
zxing-cpp guesses the charset of bytes without an ECI, and takes Big5 for Japanese or Latin. So its bytes are read here: as
the ECI says, else UTF-8, else Big5 (cp950) if that gives plausible Chinese. Level 2 of Big5 holds rare characters;
what consists of them is text of some other charset. What a QR code itself says of its beginning (`drivers.qr_beginning`) comes first.
"""

import re

_CHARSETS = {
    1: "latin-1", 2: "cp437", 3: "latin-1", 4: "iso8859-2", 5: "iso8859-3", 6: "iso8859-4", 7: "iso8859-5", 8: "iso8859-6",
    9: "iso8859-7", 10: "iso8859-8", 11: "iso8859-9", 13: "iso8859-11", 15: "iso8859-13", 16: "iso8859-14",
    17: "iso8859-15", 18: "iso8859-16", 20: "shift_jis", 21: "cp1250", 22: "cp1251", 23: "cp1252", 24: "cp1256",
    25: "utf-16-be", 26: "utf-8", 27: "ascii", 28: "cp950", 29: "gb18030", 30: "euc-kr", 32: "gb18030", 170: "ascii",
}  # fmt: skip
"""ECI numbers (AIM ITS/04-023)."""
_PROTOCOL = re.compile(rb"\\(\\|[0-9]{6})")
_LEVEL_2 = 0xC9
_RARE_SHARE = 1 / 3


def matrix_text(content: bytes, kanji: bool = False) -> str | None:
    """The text of a code; None where it is in an unknown charset, or is no text.

    `content` is AIM identifier and bytes, with ECI escapes where the identifier announces them; `kanji`: a QR code that
    begins in Kanji mode, whose bytes are Shift JIS.
    """
    identifier, data = content[:3], content[3:]
    if announces_eci(identifier):
        return _by_eci(data)
    return _text(data, "shift_jis") if kanji else _without_eci(data)


def announces_eci(identifier: bytes) -> bool:
    """ISO/IEC 15424: QR 2, 4, 6; Data Matrix 4, 5, 6; PDF417 1."""
    return identifier in (b"]Q2", b"]Q4", b"]Q6", b"]d4", b"]d5", b"]d6", b"]L1")


def _by_eci(data: bytes) -> str | None:
    text, charset, piece, at = "", "utf-8", b"", 0
    for escape in _PROTOCOL.finditer(data):
        piece += data[at : escape.start()]
        at = escape.end()
        if escape[1] == b"\\":
            piece += b"\\"
            continue
        read = _text(piece, charset)
        if read is None or (known := _CHARSETS.get(int(escape[1]))) is None:
            return None
        text, charset, piece = text + read, known, b""
    last = _text(piece + data[at:], charset)
    return None if last is None else text + last


def _without_eci(data: bytes) -> str | None:
    return _text(data, "utf-8") or _big5(data)


def _text(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None


def _big5(data: bytes) -> str | None:
    """Traditional Chinese without ECI."""
    text = _text(data, "cp950")
    if text is None:
        return None
    leads = [letter.encode("cp950")[0] for letter in text if not letter.isascii()]
    rare = sum(lead >= _LEVEL_2 for lead in leads)
    return text if leads and rare <= len(leads) * _RARE_SHARE else None
