"""Messages made smaller for the line and the stick: gzip (RFC 1952), with a bound on what comes out (no zip bombs).

Level 1: JSON of acts and feed entries falls to a tenth or less, and the higher levels take three times as long for a few
per cent more. What fits into one packet anyway is left alone. Who may be sent what is agreed upon by the two sides:
HTTP's own `Accept-Encoding`, in requests for answers and in answers for requests (RFC 9110 12.5.3); in parcels
`StickActs.unpacks` and `StickEnd.unpacks`. So an older program on either side is never sent what it cannot read. Pure.
"""

import struct
import zlib
from dataclasses import dataclass

CODING = "gzip"
WORTH = 1400
"""Bytes; less fits into one packet as it is."""
_LEVEL = 1
_GZIP = 31
"""zlib's window bits for gzip's own header and checksum."""


class NotPacked(Exception):
    """What came is torn, or was not packed in this way."""


class TooLarge(NotPacked):
    """More would come out than such a message may have."""


def packed(plain: bytes) -> bytes:
    """Smaller, as a rule."""
    return zlib.compress(plain, _LEVEL, wbits=_GZIP)


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of many messages, packed once."""

    deflated: bytes
    """Whole bytes, and nothing after them refers back to them (RFC 1951, an empty stored block)."""
    check: int
    """CRC-32 of what is packed here."""
    size: int
    """Of it, in bytes."""

    @classmethod
    def of(cls, plain: bytes) -> "Begun":
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH), zlib.crc32(plain), len(plain))

    def plain(self) -> bytes:
        """As it was."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)

    def ended(self, rest: bytes) -> bytes:
        """One message: this beginning and its own rest, packed; `unpacked` reads it like any other."""
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        end = packer.compress(rest) + packer.flush()
        tail = struct.pack("<II", zlib.crc32(rest, self.check), (self.size + len(rest)) & 0xFFFFFFFF)
        return _HEAD + self.deflated + end + tail


_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Of a gzip member: deflate, no name, no time, packed fast, on no system in particular."""


def unpacked(data: bytes, most: int) -> bytes:
    """And back; at most `most` bytes, and not more memory than that. Raises NotPacked, TooLarge."""
    reader = zlib.decompressobj(wbits=_GZIP)
    try:
        plain = reader.decompress(data, most + 1)
    except zlib.error as error:
        raise NotPacked(f"this is no {CODING}: {error}") from error
    if len(plain) > most:
        raise TooLarge(f"unpacked it would be larger than {most} bytes")
    if not reader.eof or reader.unused_data:
        raise NotPacked("it ends too early, or something follows its end")
    return plain


def accepts(header: str | None) -> bool:
    """Whether an `Accept-Encoding` names this coding."""
    named = (part.partition(";") for part in (header or "").lower().split(","))
    return any(name.strip() == CODING and quality.strip() not in ("q=0", "q=0.0") for name, _, quality in named)
