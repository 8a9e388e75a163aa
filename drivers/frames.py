"""Codes out of a serial scanner's bytes: bytes in, events out; pure.

A code ends with CR, LF, CRLF, Tab or ETX, or, for scanners that send no terminator, after a pause. An AIM identifier
(`]C0`, ISO/IEC 15424) in front tells the symbology. What is too long or not printable is told once and skipped up to
the next terminator: no bytes become half a code.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason

TERMINATORS = frozenset(b"\r\n\t\x03")
LONGEST = MAX_CODE_LENGTH + 3
"""Bytes of the longest code with its AIM identifier."""
_ANSWER = b"\x02\x010000"
"""Begins a Newland scanner's answer to a command, which ends with ETX as a code may."""
_AIM = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")
_SYMBOLOGIES = {
    "A": "code39",
    "C": "code128",
    "F": "codabar",
    "I": "itf",
    "Q": "qr",
    "d": "datamatrix",
    "L": "pdf417",
}
_EAN = {"0": "ean13", "1": "ean2", "2": "ean5", "3": "ean13", "4": "ean8"}
"""`]E` stands for the whole family; its modifier says which (3: with an add-on; 1 and 2: the add-on alone)."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A whole code."""

    text: str = field(repr=False)
    """Printable ASCII or UTF-8, without terminator and AIM identifier."""
    symbology: str | None
    """From the AIM identifier, if the scanner sends one."""


class Decoder(Protocol):
    """Codes out of bytes; `Frames` for plain ones, `drivers.ssi.SsiFrames` for packets."""

    @property
    def pending(self) -> bool:
        """Something has begun and not ended."""

    def feed(self, data: bytes) -> list[Scanned | Reason]:
        """What these bytes complete, in order."""

    def answers(self) -> bytes:
        """What to send back now; given once."""

    def pause(self) -> list[Scanned | Reason]:
        """No byte came for the frame time-out."""


class Frames:
    """Assembles codes; feed it bytes as they come, call `pause` when none came for a while."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._skipping = False

    @property
    def pending(self) -> bool:
        """A code has begun and not ended."""
        return bool(self._bytes) or self._skipping

    def feed(self, data: bytes) -> list[Scanned | Reason]:
        """What these bytes complete, in order."""
        heard: list[Scanned | Reason] = []
        for byte in data:
            if byte in TERMINATORS:
                heard += self._end()
            elif not self._skipping:
                self._bytes.append(byte)
                if len(self._bytes) > LONGEST:
                    self._bytes.clear()
                    self._skipping = True
                    heard.append(Reason.CODE_TOO_LONG)
        return heard

    def answers(self) -> bytes:
        """Nothing: a scanner that sends plain codes expects no answer."""
        return b""

    def pause(self) -> list[Scanned | Reason]:
        """No byte came for the frame time-out: what was begun is whole."""
        return self._end()

    def _end(self) -> list[Scanned | Reason]:
        data, skipped = bytes(self._bytes), self._skipping
        self._bytes.clear()
        self._skipping = False
        if skipped or not data:
            return []
        return [] if data.startswith(_ANSWER) else scanned_in(data)


def scanned_in(data: bytes, symbology: str | None = None) -> list[Scanned | Reason]:
    """The one code in these bytes, or what is wrong with them; none where there is only a terminator.

    An AIM identifier in front outranks the symbology that is known otherwise.
    """
    try:
        text = data.rstrip(bytes(TERMINATORS)).decode("utf-8")
    except UnicodeDecodeError:
        return [Reason.CODE_UNREADABLE]
    if not text.isprintable():
        return [Reason.CODE_UNREADABLE]
    if aim := _AIM.match(text):
        symbology = _EAN.get(aim[2]) if aim[1] == "E" else _SYMBOLOGIES.get(aim[1])
        text = text[aim.end() :]
    text = text.strip()
    if len(text) > MAX_CODE_LENGTH:
        return [Reason.CODE_TOO_LONG]
    return [Scanned(text, symbology)] if text else []
