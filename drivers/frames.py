"""Codes out of a serial scanner's bytes: bytes in, events out; pure.

A code ends with CR, LF, CRLF, Tab or ETX (with STX in front or without), or, for scanners that send no terminator, after a
pause. An AIM identifier (`]C0`, ISO/IEC 15424) in front tells the symbology. What is too long or not printable is told once
and skipped up to the next terminator.

Why
A label may hold several lines (a visiting card in a QR code), and one of them may look like a patron's code. So lines that
come without a pause are one code, which no library uses; a terminator is believed after `SETTLE_S` of silence. Two scans
that waited in the port together are kept apart where the scanner sends AIM identifiers: each of them then begins with one.

A pause is weak evidence: a line or a loaded machine that falters in the middle of a patron's code gives the beginning of
it, and that may be another patron's code. So where a terminator is due (`Ends.TERMINATOR`), what a pause cuts off is told
as unreadable, and so is its rest. Most scanners are never asked what they send, so the port teaches it
(`Ends.AUTO`): after the first terminator behind readable text, be it the rest of a code that was cut off, a terminator is
due for as long as the port stays open. Until then, what a pause ends is in doubt, and believed when the scanner has read
the same twice in a row; from then on a pause ends a code until a terminator is seen. The doubt costs a scanner without
terminator one scan after each plugging in, which a library can spare its patrons (`Ends.PAUSE`); to believe the first one
would open somebody else's account. A port that was lost in the middle of a code may bring the rest when it is back: that
is no code either.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason

TERMINATORS = frozenset(b"\r\n\t\x03")
FRAME_S = 0.1
"""What is called a pause."""
SETTLE_S = 0.02
"""Silence after a terminator that ends a code: longer than a USB adapter holds bytes back (16 ms), too short to be felt."""
LONGEST = MAX_CODE_LENGTH + 3
"""Bytes of the longest code with its AIM identifier."""
REST_PAUSES = 10
"""After so many pauses in a row (a second) what comes is something new, and not the rest of what was cut off."""
_ANSWER = b"\x02\x010000"
"""Begins a Newland scanner's answer to a command, which ends with ETX as a code may."""
_PADDING = "\0\x02"
"""In front of a code: a scanner that wakes up sends zeros; STX begins what ETX ends."""
_TRAILER = "\0\x04\x1c\x1d\x1e\x1f"
"""Behind a code: RS EOT ends a message of ISO/IEC 15434, GS an element of GS1; some scanners fill up with zeros."""
_ENVELOPE = "[)>\x1e"
"""Begins a message of ISO/IEC 15434: a parcel's or a drug's, read well and no library's."""
_CODABAR = re.compile(r"[A-Da-d]([0-9$:/.+-]+)[A-Da-d]")
"""With its start and stop letters, which most scanners leave out."""
_AIM = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")
_AIM_BYTES = re.compile(rb"\x02?\][A-Za-z][0-9A-Za-z]")
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
    """Codes out of bytes; `Frames` for plain ones, `drivers.ssi.SsiFrames` for packets. Lives as long as the device."""

    @property
    def pending(self) -> bool:
        """Something has begun and not ended."""

    @property
    def patience_s(self) -> float:
        """While something is pending: after so long without a byte `pause` is called."""

    def feed(self, data: bytes) -> list[Scanned | Reason]:
        """What these bytes complete, in order."""

    def answers(self) -> bytes:
        """What to send back now; given once."""

    def pause(self) -> list[Scanned | Reason]:
        """No byte came for `patience_s`; called again for each, as long as something is pending."""

    def lost(self) -> list[Scanned | Reason]:
        """The port is gone, or begins anew; what was whole is still told."""


class Frames:
    """Assembles the codes of one port; feed it bytes as they come, call `pause` when none came for a while."""

    def __init__(self, ends: Ends = Ends.AUTO, settle_s: float = SETTLE_S, pause_s: float = FRAME_S) -> None:
        self._line = bytearray()
        self._too_long = False
        """The line under way is skipped up to its end."""
        self._burst = _Burst()
        self._wanted_ends = ends
        self._ends = ends
        self._settle_s = settle_s
        self._pause_s = pause_s
        self._doubted: Scanned | None = None
        """What a pause ended before anything was learnt."""
        self._torn = False
        """A code was cut off and told: what comes is its rest."""
        self._quiet = 0
        """Pauses in a row."""

    @property
    def pending(self) -> bool:
        """A code has begun and not ended, or the rest of one may come."""
        return self._open or self._burst.ended or self._torn

    @property
    def patience_s(self) -> float:
        """A pause, or less once a terminator came."""
        return self._settle_s if self._burst.ended and not self._open else self._pause_s

    def feed(self, data: bytes) -> list[Scanned | Reason]:
        """What these bytes complete, in order."""
        heard: list[Scanned | Reason] = []
        for byte in data:
            if byte in TERMINATORS:
                heard += self._end_line()
            elif not self._too_long and (byte or self._line):  # zeros in front are padding
                self._line.append(byte)
                if len(self._line) > LONGEST:
                    self._line.clear()
                    self._too_long = True
                    heard += [] if self._burst.complained else [Reason.CODE_TOO_LONG]
                    self._burst.complained = True
        return heard

    def answers(self) -> bytes:
        """Nothing: a scanner that sends plain codes expects no answer."""
        return b""

    def pause(self) -> list[Scanned | Reason]:
        """No byte came for `patience_s`: what was begun is whole, in doubt, or cut off."""
        if not self._open:
            if self._burst.ended:
                return self._whole()
            self._quiet += 1
            self._torn &= self._quiet < REST_PAUSES
            return []
        burst, self._burst, data = self._burst, _Burst(), bytes(self._line)
        self._line.clear()
        self._too_long, self._quiet = False, 1
        if burst.complained:
            heard = list[Scanned | Reason]()
        else:
            heard = [Reason.CODE_UNKNOWN] if burst.lines else _heard_in(data)
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

    def lost(self) -> list[Scanned | Reason]:
        """The port is gone: what had its terminator is told, and after half a code the next opening may bring its rest."""
        cut, heard = self._open or self._torn, list[Scanned | Reason]()
        if self._open:
            heard = [] if self._burst.complained else [Reason.CODE_UNREADABLE]
        elif self._burst.ended:
            heard = self._whole()
        self._line.clear()
        self._burst, self._too_long, self._torn, self._quiet = _Burst(), False, cut, 0
        self._ends, self._doubted = self._wanted_ends, None
        return heard

    @property
    def _open(self) -> bool:
        """A line has begun and not ended."""
        return bool(self._line) or self._too_long

    def _end_line(self) -> list[Scanned | Reason]:
        """A terminator came; what it completes is the code before, where this line begins one of its own."""
        line, too_long = bytes(self._line), self._too_long
        self._line.clear()
        self._too_long = False
        if line.startswith(_ANSWER):
            return []
        heard = list[Scanned | Reason]()
        if self._burst.named and _AIM_BYTES.match(line):
            heard = self._whole()
        if line or too_long:
            self._burst.take(line)
        self._burst.ended |= bool(line) or too_long or self._torn
        return heard

    def _whole(self) -> list[Scanned | Reason]:
        """A terminator came and silence after it, or another code."""
        burst, torn = self._burst, self._torn
        self._burst, self._torn = _Burst(), False
        said = scanned_in(burst.first) if len(burst.lines) == 1 else []
        readable = any(isinstance(code, Scanned) for code in said)
        if self._wanted_ends is Ends.AUTO and (readable or (torn and not burst.lines)):
            self._ends = Ends.TERMINATOR
        if burst.complained or not burst.lines:
            return []
        if torn:
            return [Reason.CODE_UNREADABLE]  # perhaps it was no rest but a code of its own: no scan passes in silence
        return said if len(burst.lines) == 1 else [Reason.CODE_UNKNOWN]


@dataclass(slots=True)
class _Burst:
    """Lines that came without a pause."""

    lines: set[bytes] = field(default_factory=set, repr=False)
    """Up to two that differ: a scanner may send one code twice."""
    first: bytes = field(default=b"", repr=False)
    """The line that it began with."""
    ended: bool = False
    """A terminator came."""
    complained: bool = False
    """A line was too long, and that was told."""

    @property
    def named(self) -> bool:
        """It began with an AIM identifier."""
        return _AIM_BYTES.match(self.first) is not None

    def take(self, line: bytes) -> None:
        if not self.lines:
            self.first = line
        if len(self.lines) < 2:
            self.lines.add(line)


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
    text = text.lstrip(_PADDING)
    if aim := _AIM.match(text):
        symbology = _EAN.get(aim[2]) if aim[1] == "E" else _SYMBOLOGIES.get(aim[1])
        text = text[aim.end() :]
    if text.startswith(_ENVELOPE):
        return [Reason.CODE_UNKNOWN]
    text = text.removeprefix("\x1d").rstrip(_TRAILER)  # GS in front: FNC1, which says GS1
    if not text.isprintable():
        return [Reason.CODE_UNREADABLE]
    text = text.strip()
    if symbology == "codabar" and (between := _CODABAR.fullmatch(text)):
        text = between[1]
    if len(text) > MAX_CODE_LENGTH:
        return [Reason.CODE_TOO_LONG]
    return [Scanned(text, symbology)] if text else []
