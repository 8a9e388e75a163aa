"""Tapes: the traffic of a byte link as readable text, so that a fault on site travels as a file and becomes a test.

`Recorder` stands around a link and writes every piece as one line; `read_tape` reads them back; `Replayer` is a link that
plays the other side's part: it expects the same bytes to be written, however they are cut, and gives the recorded
answers. Times are kept for people and not replayed: a test does not wait.

    # shelfpoint tape 1: receipt printer, paper out in the middle
    0.000000 > 10 04 02
    0.001204 < 12

`>` is what we sent, `<` what came, both in hexadecimal (`=`: see `drivers.card_tape`); seconds count from the recorder's start. Empty lines and lines
that begin with `#` are remarks. A tape holds whatever was printed or scanned: it is made on purpose only, in a file
that its owner alone may read, and what identifies a person is taken out before it is given away or kept as a test.

Threads: a recorder or replayer belongs to the thread that owns the link.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from drivers.link import ByteLink
from kiosk.ports import DeviceError, DeviceReason

FIRST_LINE = "# shelfpoint tape 1"


class Way(StrEnum):
    """Where a piece went."""

    SENT = ">"
    HEARD = "<"
    CARD = "="
    """A card was laid down; its answer to reset. Only on tapes of card readers (`drivers.card_tape`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of a tape."""

    at_s: float
    """Seconds since the recording began."""
    way: Way
    """Sent by us, or heard."""
    data: bytes = field(repr=False)
    """The bytes; never empty."""

    def __str__(self) -> str:
        return f"{self.at_s:.6f} {self.way.value} {self.data.hex(' ').upper()}"


class BadTape(Exception):
    """A text that is no tape; says the line."""


class TapeMismatch(Exception):
    """What was written is not what the tape holds: the program changed, or it is another tape."""


def open_tape(path: Path, title: str) -> TextIO:
    """A new tape that only its owner may read. FileExistsError rather than overwriting one."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    tape = os.fdopen(opened, "w", encoding="utf-8", buffering=1)
    tape.write(f"{FIRST_LINE}: {' '.join(title.split())}\n")
    return tape


def read_tape(lines: Iterable[str]) -> tuple[Piece, ...]:
    """The pieces of a tape, in order. BadTape for anything else."""
    pieces: list[Piece] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if number == 1 and not (text == FIRST_LINE or text.startswith(f"{FIRST_LINE}:")):
            raise BadTape(f"line 1: expected '{FIRST_LINE}'")
        if not text or text.startswith("#"):
            continue
        try:
            at, way, data = text.split(maxsplit=2)
            piece = Piece(float(at), Way(way), bytes.fromhex(data))
        except ValueError as error:
            raise BadTape(f"line {number}: expected 'seconds >, < or = hexadecimal bytes'") from error
        if not piece.data:
            raise BadTape(f"line {number}: expected at least one byte")
        pieces.append(piece)
    return tuple(pieces)


class Recorder:
    """A link that writes down what passes through another one."""

    def __init__(self, link: ByteLink, tape: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._tape = tape
        self._monotonic = monotonic
        self._began = monotonic()

    @property
    def sent(self) -> int:
        """As the link inside counts."""
        return self._link.sent

    @sent.setter
    def sent(self, count: int) -> None:
        self._link.sent = count

    @property
    def bytes_per_s(self) -> float | None:
        """As the link inside."""
        return self._link.bytes_per_s

    def read(self, deadline_s: float) -> bytes:
        """As the link inside."""
        data = self._link.read(deadline_s)
        self._note(Way.HEARD, data)
        return data

    def write(self, data: bytes, deadline_s: float) -> None:
        """As the link inside; after a failure the tape holds what had left."""
        before = self._link.sent
        try:
            self._link.write(data, deadline_s)
        finally:
            self._note(Way.SENT, data[: self._link.sent - before])

    def fault(self) -> DeviceReason | None:
        """As the link inside; a tape does not keep it."""
        return self._link.fault()

    def close(self, *, lost: bool = False) -> None:
        """Close the link inside; the tape stays open, it belongs to whoever opened it."""
        self._link.close(lost=lost)

    def _note(self, way: Way, data: bytes) -> None:
        if data:
            self._tape.write(f"{Piece(self._monotonic() - self._began, way, data)}\n")


class Replayer:
    """A link whose other side is a tape. `finished` tells whether the tape was played to its end."""

    bytes_per_s = None

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = list(pieces)
        if any(piece.way is Way.CARD for piece in self._pieces):
            raise BadTape("a card reader's tape does not play over a link")
        self.sent = 0

    @property
    def finished(self) -> bool:
        """Nothing is left on the tape."""
        return not self._pieces

    def read(self, deadline_s: float) -> bytes:
        """The next recorded answer; b"" at once while the tape waits for us to write.

        DeviceError(NOT_REACHABLE) at the tape's end: the other side said no more.
        """
        if not self._pieces:
            raise DeviceError(DeviceReason.NOT_REACHABLE, "the tape ends here")
        if self._pieces[0].way is Way.SENT:
            return b""
        return self._pieces.pop(0).data

    def write(self, data: bytes, deadline_s: float) -> None:
        """TapeMismatch unless the tape holds these bytes next, in one piece or in several."""
        rest = data
        while rest:
            if not self._pieces or self._pieces[0].way is Way.HEARD:
                raise TapeMismatch(f"{len(rest)} bytes more were written than the tape holds here")
            piece = self._pieces[0]
            count = min(len(piece.data), len(rest))
            if piece.data[:count] != rest[:count]:
                raise TapeMismatch(f"other bytes were written than at {piece.at_s:.6f} s")
            self._pieces.pop(0)
            if count < len(piece.data):
                self._pieces.insert(0, Piece(piece.at_s, piece.way, piece.data[count:]))
            rest = rest[count:]
            self.sent += count

    def fault(self) -> DeviceReason | None:
        """A tape keeps bytes only."""
        return None

    def close(self, *, lost: bool = False) -> None:
        """Nothing to give back."""
