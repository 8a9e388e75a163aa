"""Tapes of what passes between a reader and a card: a card that behaves oddly travels as a file and becomes a test.

The tape's lines are those of `drivers.tape`; a line with `=` is a card that was laid down, with its answer to reset.
The first line says whether the slot is for contact cards, and how their number is read.

    # shelfpoint tape 1: card reader, contactless
    0.000000 = 3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 01 00 00 00 00 6A
    0.000310 > FF CA 00 00 00
    0.002871 < 93 01 01 01 90 00

A card's number identifies a person, so tapes are **masked** unless somebody asks for the numbers: of a UID only the first
byte stays (it tells a number that changes each time), everything else that a card says becomes as many bytes of the
card's place on this tape. One number always becomes the same one on one tape, so two cards are still told apart. Status
words and ATRs stay; the ATR is that of the chip's kind. Recording waits for nobody: it runs on the reader's thread.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

from drivers.apdu import READERS_CLASS, Script, Send
from drivers.card_reading import ask_uid, converse
from drivers.tape import BadTape, Piece, TapeMismatch, Way
from kiosk.domain.identity import CardRead
from kiosk.domain.values import Reason

KIND = "card reader"
"""Begins the title of such a tape."""
_CONTACT = re.compile(r"contact(?: ((?:[0-9A-F]{8,} )+)from (\d+) take (\d+))?")


def title_of(*, contact: bool, script: Script | None) -> str:
    """What the first line says."""
    if not contact:
        return f"{KIND}, contactless"
    if script is None:
        return f"{KIND}, contact"
    commands = " ".join(command.hex().upper() for command in script.commands)
    return f"{KIND}, contact {commands} from {script.start} take {script.length}"


def slot_in(title: str) -> tuple[bool, Script | None]:
    """Whether a title means a contact slot, and its script. BadTape for any other title."""
    how = title.partition(",")[2].strip()
    if how == "contactless":
        return False, None
    found = _CONTACT.fullmatch(how)
    if found is None:
        raise BadTape("line 1: expected 'card reader, contactless' or 'card reader, contact …'")
    if found[1] is None:
        return True, None
    try:
        commands = tuple(bytes.fromhex(command) for command in found[1].split())
    except ValueError as error:
        raise BadTape("line 1: expected commands in hexadecimal digits") from error
    return True, Script(commands=commands, start=int(found[2]), length=int(found[3]))


class CardRecorder:
    """Writes down what passes; for the thread that owns the reader."""

    def __init__(
        self, tape: TextIO, *, contact: bool, masked: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._tape = tape
        self._contact = contact
        self._masked = masked
        self._monotonic = monotonic
        self._began = monotonic()
        self._taping = False
        self._places: dict[bytes, int] = {}
        """What cards said, and its place among all that was said: never written anywhere."""

    def laid(self, atr: bytes, *, contact: bool) -> None:
        """A card was laid down. One tape holds one kind of slot: a card in the other kind is only mentioned."""
        self._taping = contact is self._contact
        if self._taping:
            self._note(Way.CARD, atr)
        else:
            self._tape.write("# a card in a slot of the other kind\n")

    def listening(self, send: Send) -> Send:
        """A `Send` that writes down what passes through this one."""

        def taped(command: bytes) -> bytes | None:
            if not self._taping:
                return send(command)
            self._note(Way.SENT, command)
            answer = send(command)
            if answer is None:
                self._tape.write("# no answer\n")
            else:
                self._note(Way.HEARD, self._mask(command, answer) if self._masked else answer)
            return answer

        return taped

    def _mask(self, command: bytes, answer: bytes) -> bytes:
        data, status = answer[:-2], answer[-2:]
        if not data:
            return answer
        place = self._places.setdefault(data, len(self._places) + 1)
        if command[0] == READERS_CLASS:  # the UID, however it was asked for
            return data[:1] + bytes([place % 256]) * (len(data) - 1) + status
        return bytes([0x30 + place % 10]) * len(data) + status  # as digits: numbers on chips are written so

    def _note(self, way: Way, data: bytes) -> None:
        if data:
            self._tape.write(f"{Piece(self._monotonic() - self._began, way, data)}\n")


@dataclass(slots=True)
class _Card:
    """One card of a tape, as the other end of `Send`."""

    atr: bytes
    pieces: list[Piece] = field(default_factory=list)

    def send(self, command: bytes) -> bytes | None:
        """The recorded answer; None where there was none. TapeMismatch when another command was recorded here."""
        if not self.pieces:
            return None
        asked = self.pieces.pop(0)
        if asked.way is not Way.SENT or asked.data != command:
            raise TapeMismatch(f"other bytes were sent than at {asked.at_s:.6f} s")
        return self.pieces.pop(0).data if self.pieces and self.pieces[0].way is Way.HEARD else None


def retell_cards(title: str, pieces: Iterable[Piece]) -> Iterator[str]:
    """What the card-reading code makes of each card, in order. BadTape, or TapeMismatch when it asks other things now."""
    contact, script = slot_in(title)
    for card in _cards(pieces):
        read = converse(card.send, card.atr, contact=contact, script=script)
        yield _told(read)
        while isinstance(read, CardRead) and card.pieces:  # the second look
            if ask_uid(card.send) not in (read.uid, None):
                yield _told(Reason.CARD_TWO)


def _cards(pieces: Iterable[Piece]) -> Iterator[_Card]:
    card: _Card | None = None
    for piece in pieces:
        if piece.way is Way.CARD:
            if card is not None:
                yield card
            card = _Card(piece.data)
        elif card is None:
            raise BadTape(f"{piece.at_s:.6f} s: expected a card (=) before anything is said")
        else:
            card.pieces.append(piece)
    if card is not None:
        yield card


def _told(read: CardRead | Reason | None) -> str:
    if isinstance(read, CardRead):
        return f"card {read.card_class} {read.uid.hex().upper()}"
    return "no readable answer" if read is None else f"trouble {read.value}"
