"""Codes out of a serial scanner's bytes: bytes in, events out; pure.

A code ends with CR, LF, CRLF, Tab or ETX, or, for scanners that send no terminator, after a pause. An AIM identifier
(`]C0`, ISO/IEC 15424) in front tells the symbology. What is too long or not printable is told once and skipped up to
the next terminator.

A pause is weak evidence: a line or a loaded machine that falters in the middle of a patron's code gives the beginning of
it, and that may be another patron's code. So where a terminator is due (`Ends.TERMINATOR`), what a pause cuts off is told
as unreadable, and so is its rest. Most scanners are never asked what they send, so the port teaches it
(`Ends.AUTO`): after the first whole code with a terminator, a terminator is due for as long as the port stays open. Until
then, what a pause ends is in doubt, and believed when the scanner has read the same twice in a row; from then on a pause
ends a code until a terminator is seen. The doubt costs a scanner without terminator one scan after each plugging in,
which a library can spare its patrons (`Ends.PAUSE`); to believe the first one would open somebody else's account.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason

TERMINATORS = frozenset(b"\r\n\t\x03")
LONGEST = MAX_CODE_LENGTH + 3
"""Bytes of the longest code with its AIM identifier."""
REST_PAUSES = 10
"""After so many pauses in a row (a second) what comes is something new, and not the rest of what was cut off."""
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


class Ends(StrEnum):
    """What ends a plain code."""

    AUTO = "auto"
    """What the port has taught."""
    TERMINATOR = "terminator"
    """A terminator only."""
    PAUSE = "pause"
    """A terminator or a pause."""


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
        """No byte came for the frame time-out; called again for each, as long as something is pending."""


class Frames:
    """Assembles the codes of one port, from its opening; feed it bytes as they come, call `pause` when none came for a while."""

    def __init__(self, ends: Ends = Ends.AUTO) -> None:
        self._bytes = bytearray()
        self._skipping = False
        self._ends = ends
        self._learns = ends is Ends.AUTO
        self._doubted: Scanned | None = None
        """What a pause ended before anything was learnt."""
        self._torn = False
        """A code was cut off and told: what comes is its rest."""
        self._quiet = 0
        """Pauses in a row."""

    @property
    def pending(self) -> bool:
        """A code has begun and not ended, or the rest of one may come."""
        return bool(self._bytes) or self._skipping or self._torn

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
        """No byte came for the frame time-out: what was begun is whole, in doubt, or cut off."""
        data, skipped = bytes(self._bytes), self._skipping
        self._bytes.clear()
        self._skipping = False
        if not data and not skipped:
            self._quiet += 1
            self._torn &= self._quiet < REST_PAUSES
            return []
        self._quiet = 1
        heard = [] if skipped else _heard_in(data)
        if self._ends is Ends.PAUSE:
            return heard
        self._torn = True
        if not heard or not isinstance(heard[0], Scanned):
            return heard
        if self._ends is Ends.AUTO and heard[0] == self._doubted:
            self._ends, self._torn = Ends.PAUSE, False
            return heard
        self._doubted = heard[0]
        return [Reason.CODE_UNREADABLE]

    def _end(self) -> list[Scanned | Reason]:
        """A terminator came."""
        data, skipped, torn = bytes(self._bytes), self._skipping, self._torn
        self._bytes.clear()
        self._skipping = self._torn = False
        if skipped or not data:
            return []
        if torn:
            return [Reason.CODE_UNREADABLE]  # perhaps it was no rest but a code of its own: no scan passes in silence
        heard = _heard_in(data)
        if self._learns and any(isinstance(code, Scanned) for code in heard):
            self._ends = Ends.TERMINATOR
        return heard


def _heard_in(data: bytes) -> list[Scanned | Reason]:
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
