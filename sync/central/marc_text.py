"""The characters of a MARC 21 record: UTF-8 or MARC-8, as its leader says (position 09), or what the caller says.

Asked by `marc_files` for the fields that are wanted. Bytes that are not what the leader says are told with what they may be,
never read as something else by guess. Pure (MARC 21 Specifications: Character Sets and Encoding Options).

Why
Many systems of this region write a leader that says MARC-8 in front of UTF-8 or Big5. UTF-8 is known by its shape; Big5 is only
suspected, where MARC-8 makes nothing of the bytes: then the record is refused. MARC-8 itself is read by pymarc, with
the Chinese characters of EACC; pymarc says what it cannot read only by asking its own `quiet`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pymarc import marc8

from config.encodings import ENCODINGS, decode, reads_as

MARC_8 = "marc-8"
MARC_ENCODINGS = (*(one for one in ENCODINGS if one != "utf-16"), MARC_8)
"""What a caller may say of MARC 21: UTF-16 would hold bytes that end fields."""
_UTF_8 = ENCODINGS[0]


class OtherCharacters(Exception):
    """The bytes are not in the encoding that the leader or the caller says."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got


@dataclass(frozen=True, slots=True)
class Decoded:
    """One text of a record."""

    text: str
    """What it says."""
    unknown: int = 0
    """Characters that MARC-8 does not know; a space stands for each."""


class _Converter(marc8.MARC8ToUnicode):
    """Counts what it cannot read."""

    unknown = 0

    @property
    def quiet(self) -> bool:
        self.unknown += 1
        return True

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        """Counting is quiet anyhow."""


def decoder(record: bytes, encoding: str | None) -> Callable[[bytes], Decoded]:
    """What reads the texts of this record. `encoding` outranks the leader. Raises OtherCharacters, as the decoder does."""
    if encoding is None:
        encoding = _UTF_8 if record[9:10] == b"a" else MARC_8
        claim = f"{encoding.upper()}, as its leader says"
        if encoding == MARC_8 and _is_utf_8(record):
            raise OtherCharacters(claim, f"{_UTF_8.upper()}: say --encoding {_UTF_8}")
    else:
        claim = f"{encoding}, as --encoding says"
    if encoding == MARC_8:
        return lambda text: _marc_8(text, record, claim)
    return lambda text: _decoded(text, encoding, record, claim)


def _marc_8(text: bytes, record: bytes, claim: str) -> Decoded:
    if text.isascii() and b"\x1b" not in text:
        return Decoded(text.decode("ascii"))
    converter = _Converter()
    try:
        read = str(converter.translate(text))  # type: ignore[no-untyped-call]  # pymarc has no annotation here
    except (IndexError, TypeError, ValueError) as error:
        raise OtherCharacters(claim, _suspected(record)) from error
    if converter.unknown and reads_as(record):
        raise OtherCharacters(claim, _suspected(record))
    return Decoded(read, converter.unknown)


def _decoded(text: bytes, encoding: str, record: bytes, claim: str) -> Decoded:
    try:
        return Decoded(decode(text, encoding))
    except UnicodeDecodeError as error:
        raise OtherCharacters(claim, _suspected(record, encoding)) from error


def _is_utf_8(record: bytes) -> bool:
    """Bytes above 7F that follow each other as UTF-8 wants are UTF-8: MARC-8 puts an accent before a plain letter."""
    if record.isascii():
        return False
    try:
        record.decode(_UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def _suspected(record: bytes, encoding: str = _UTF_8) -> str:
    other = reads_as(record, encoding)
    return f"other bytes; they read as {other}: say --encoding {other}" if other else "other bytes"
