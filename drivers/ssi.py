"""Codes out of a Zebra scanner that speaks SSI (Simple Serial Interface): packets in, events and answers out; pure.

A packet is length, opcode, source (0 scanner, 4 host), status, data and a checksum: the two's complement of the sum of
all bytes before it, 16 bits, high byte first; the length does not count the checksum. Every packet is answered, by ACK
or, when the sum is wrong, by NAK "resend"; a scanner that hears neither sends it again with bit 0 of the status set.
Such a repeat of what was already told is answered and not told again: one scan stays one scan. Bit 1 of the status says
that more of the same code follows; if it does not, or a code of another kind comes instead, what came of the first is
dropped and told as unreadable, so that it is never put before the next one.

From the manuals, not run on a device: Simple Serial Interface Programmer's Guide 72E-40451 and the scan engines' own
guides (DECODE_DATA, CMD_ACK, CMD_NAK, BEEP, START_SESSION, STOP_SESSION). What Zebra calls packeted decode data must be
switched on in the scanner, with ACK/NAK handshaking.
"""

from dataclasses import dataclass, field

from drivers.frames import FRAME_S, LONGEST, Scanned, scanned_in
from kiosk.domain.values import Reason

HOST, SCANNER = 4, 0
ACK, NAK, DECODE_DATA = 0xD0, 0xD1, 0xF3
START_SESSION, STOP_SESSION, BEEP = 0xE4, 0xE5, 0xE6
ONE_HIGH, TWO_LOW = 0x00, 0x06
"""Beep codes: one short high beep, two short low ones."""
RESEND = 1
REST_PAUSES = 30
"""After so many pauses in a row (three seconds) the rest of a code comes no more: a scanner that waits for an answer sends
again after two, as delivered."""
_REPEATED, _CONTINUED = 1, 2
_HEAD, _SUM = 4, 2
_SYMBOLOGIES = {
    0x01: "code39",
    0x02: "codabar",
    0x03: "code128",
    0x06: "itf",
    0x0A: "ean8",
    0x0B: "ean13",
    0x0F: "code128",
    0x11: "pdf417",
    0x13: "code39",
    0x18: "codabar",
    0x1B: "datamatrix",
    0x1C: "qr",
    0x4B: "ean13",
    0x8B: "ean13",
}
"""By the code type of DECODE_DATA."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One whole packet with a right checksum."""

    opcode: int
    """What it is."""
    status: int
    """Bit 0: sent again; bit 1: more follows."""
    data: bytes = field(repr=False)
    """For DECODE_DATA the code type and the code."""


def packet(opcode: int, data: bytes = b"", source: int = HOST, status: int = 0) -> bytes:
    """The bytes of one packet; ValueError when it is too long to have a length."""
    body = bytes([_HEAD + len(data), opcode, source, status]) + data
    return body + (-sum(body) % 0x10000).to_bytes(_SUM, "big")


class SsiFrames:
    """Assembles codes; feed it bytes as they come, send back `answers`, call `pause` when none came for a while."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._code = bytearray()
        """What came of a code of which more follows."""
        self._kind: int | None = None
        """Its code type; None while no code has begun."""
        self._too_long = False
        self._quiet = 0
        """Pauses in a row."""
        self._told: bytes | None = None
        """What was heard in the newest good packet of a code, while nothing bad came after it."""
        self._answers = bytearray()

    @property
    def pending(self) -> bool:
        """A packet, or a code of several packets, has begun and not ended."""
        return bool(self._bytes) or self._kind is not None

    @property
    def patience_s(self) -> float:
        """A pause."""
        return FRAME_S

    def lost(self) -> list[Scanned | Reason]:
        """The port is gone: what was not acknowledged is sent again, from its beginning."""
        begun = self.pending
        self._bytes.clear()
        self._answers.clear()
        self._told, self._quiet = None, 0
        self._clear()
        return [Reason.CODE_UNREADABLE] if begun else []

    def answers(self) -> bytes:
        """What to send to the scanner now; given once."""
        answers, self._answers = bytes(self._answers), bytearray()
        return answers

    def feed(self, data: bytes) -> list[Scanned | Reason]:
        """What these bytes complete, in order."""
        self._bytes += data
        self._quiet = 0
        heard: list[Scanned | Reason] = []
        while self._bytes:
            size = self._bytes[0] + _SUM
            if size < _HEAD + _SUM:
                del self._bytes[0]  # a scanner that wakes up sends zeros
            elif len(self._bytes) < size:
                break
            elif sum(self._bytes[: size - _SUM]) + int.from_bytes(self._bytes[size - _SUM : size], "big") & 0xFFFF:
                self._refuse()
            else:
                whole = bytes(self._bytes[:size])
                del self._bytes[:size]
                heard += self._took(Packet(whole[1], whole[3], whole[_HEAD:-_SUM]))
        return heard

    def pause(self) -> list[Scanned | Reason]:
        """No byte came for the frame time-out: half a packet will not be whole. It is asked for again, and told.

        A code of which more was to follow is waited for a while, and then told too.
        """
        if self._bytes:
            self._refuse()
            return [Reason.CODE_UNREADABLE]
        self._quiet += 1
        if self._kind is None or self._quiet < REST_PAUSES:
            return []
        self._told = None
        self._clear()
        return [Reason.CODE_UNREADABLE]

    def _clear(self) -> None:
        self._code.clear()
        self._kind, self._too_long = None, False

    def _refuse(self) -> None:
        """Where the next packet begins cannot be known: everything is dropped, and the scanner sends again."""
        self._bytes.clear()
        self._told = None
        self._answers += packet(NAK, bytes([RESEND]))

    def _took(self, heard: Packet) -> list[Scanned | Reason]:
        if heard.opcode in (ACK, NAK):
            return []  # of a beep or trigger; answered by nothing
        self._answers += packet(ACK)
        if heard.opcode != DECODE_DATA or not heard.data:
            return []
        again = heard.status & _REPEATED and heard.data == self._told
        self._told = heard.data
        return [] if again else self._piece(heard)

    def _piece(self, heard: Packet) -> list[Scanned | Reason]:
        kind, lost = heard.data[0], list[Scanned | Reason]()
        if self._kind not in (None, kind):
            lost = [Reason.CODE_UNREADABLE]
            self._clear()
        self._kind = kind
        self._code += heard.data[1:]
        self._too_long |= len(self._code) > LONGEST
        if self._too_long:
            self._code.clear()
        if heard.status & _CONTINUED:
            return lost
        code, too_long = bytes(self._code), self._too_long
        self._clear()
        return lost + ([Reason.CODE_TOO_LONG] if too_long else scanned_in(code, _SYMBOLOGIES.get(kind)))
