"""How text is written down as bytes: what may be named, what an unreadable file may be in, and Big5 with characters of one's own.

Read by `config.hand_written` and by central's imports. An encoding is never guessed and used: it is told by name, so that a
person says it. `decode` and files opened with `ERRORS` read cp950's user-defined areas (造字) as Windows does. Pure.

Why
Python's cp950 knows no user-defined characters; Windows maps its four areas of them to U+E000..U+F848, and library systems
that grew up on Big5 have names and titles in them.
"""

import codecs

ENCODINGS = ("utf-8", "utf-16", "cp950", "big5hkscs", "gb18030")
"""What a file of records may be in; the first is the usual one."""
ERRORS = "shelfpoint-own-characters"
"""For `errors` of `bytes.decode` and `open`: strict but for user-defined characters of cp950."""

_ROW = 157
"""Characters of one lead byte: trail bytes 40 to 7E and A1 to FE."""
_AREAS = ((0xFA, 0xFE, 0xE000), (0x8E, 0xA0, 0xE311), (0x81, 0x8D, 0xEEB8), (0xC6, 0xC8, 0xF6B1 - 63))
"""First and last lead byte, and the character of the first lead byte's 40; of C6 only A1 to FE are user-defined."""


def decode(data: bytes, encoding: str) -> str:
    """All of it, without the byte order mark. Raises UnicodeDecodeError."""
    return data.decode(encoding, ERRORS).removeprefix("\ufeff")


def file_encoding(encoding: str) -> str:
    """For `open`: UTF-8 with or without a byte order mark."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def reads_as(data: bytes, but: str = ENCODINGS[0]) -> str:
    """Which of the other encodings these bytes, which are not in `but`, may be in; empty if in none."""
    if but != "utf-16" and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ENCODINGS:
        if encoding in (but, "utf-16"):
            continue
        try:
            text = decode(data, encoding)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4 or len(data) < 8:  # else it was only cut off inside a character
                continue
            text = ""
        if "\0" not in text:
            return encoding
    return ""


def _own_character(error: UnicodeError) -> tuple[str, int]:
    """A user-defined character of cp950; anything else is an error as ever."""
    if isinstance(error, UnicodeDecodeError) and error.encoding == "cp950":
        pair = error.object[error.start : error.start + 2]
        if len(pair) == 2:
            lead, trail = pair
            index = trail - 0x40 if 0x40 <= trail <= 0x7E else trail - 0x62 if 0xA1 <= trail <= 0xFE else None
            for first, last, base in _AREAS:
                if first <= lead <= last and index is not None and (lead != 0xC6 or trail >= 0xA1):
                    return chr(base + (lead - first) * _ROW + index), error.start + 2
    raise error


codecs.register_error(ERRORS, _own_character)
