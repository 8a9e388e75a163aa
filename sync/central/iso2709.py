"""Where one record of a MARC 21 file ends and the next begins (ISO 2709:2008, 4.2 and 4.7), damaged ones among them.

A record ends with 1D, which stands nowhere else, and begins with its own length in five digits. Both must agree. Where they
do not, the record is damaged from its begin to the next 1D, and the one after that is read again: a length alone, if it is
wrong, leads into the middle of another record or past several that nobody would miss. Line ends between records, which the
standard does not know, do no harm. Memory holds one record; pure but for the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

END = b"\x1d"
LONGEST = 99_999
"""Bytes of a record: what five digits can say."""
_BETWEEN = b"\r\n"
_AFTER = b"\r\n \0\x1a"  # what old systems fill the last block with
_BLOCK = 1 << 16


class CutOff(Exception):
    """The file ends inside a record; what follows cannot be found. The message says how far in."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that are no record."""

    why: str
    """In words."""
    passed_over: int
    """How many bytes, with the end."""


def records(file: BinaryIO) -> Iterator[bytes | Damaged]:
    """Each record, whole. Raises CutOff, OSError."""
    kept, dropped, before = b"", 0, 0
    while block := file.read(_BLOCK):
        kept += block
        while (end := kept.find(END)) >= 0:
            found, kept = kept[: end + 1], kept[end + 1 :]
            before += 1
            yield _checked(found, dropped)
            dropped = 0
        if len(kept) > LONGEST:
            kept, dropped = b"", dropped + len(kept)
    if dropped or kept.strip(_AFTER):
        raise CutOff(f"{dropped + len(kept)} bytes after record {before} without the end of a record (1D)")


def _checked(found: bytes, dropped: int) -> bytes | Damaged:
    if dropped:
        return Damaged("no end within the greatest length", dropped + len(found))
    record = found.lstrip(_BETWEEN)
    if record[:5] != b"%05d" % len(record):
        return Damaged(f"its length says {record[:5].decode('ascii', 'replace')!r}", len(found))
    return record
