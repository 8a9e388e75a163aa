"""Cards for the virtual reader: contactless storage cards that can be pulled, stay mute, answer nonsense or be swapped.

A `VirtualReader` is the surface of one reader of `VirtualPcscd`: laying a card on it opens a TCP connection to the
reader's loopback port, taking it away closes that connection (protocol: drivers/virtual/reader/ifdshelf.c). The card
answers ATR (PC/SC part 3) and GET DATA FF CA 00 00 00.

Not modelled: the radio field (range, tilt, two cards at once other than `alternating`), MIFARE sectors and keys, FeliCa
services, files and T=0 timing of contact cards (each command has one fixed answer), the reader's own commands (LED,
buzzer).

Threads: each card that lies on a reader has one daemon thread that serves it. Methods may be called from any thread.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, cycle, repeat

GET_UID = bytes.fromhex("FFCA0000")
_OK = b"\x90\x00"
_FAILED = b"\x63\x00"
DESFIRE_ATR = bytes.fromhex("3B8180018080")
_STORAGE = bytes.fromhex("3B8F8001804F0CA000000306")


def storage_atr(standard: int = 0x03, name: int = 0x0001) -> bytes:
    """The ATR of a storage card (PC/SC part 3): standard 03 is ISO 14443 A, 11 FeliCa; name 0001 is MIFARE Classic 1K."""
    atr = _STORAGE + bytes([standard]) + name.to_bytes(2, "big") + bytes(4)
    return atr + bytes([_xor(atr[1:])])


def _xor(data: bytes) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


class Fault(StrEnum):
    """How a card misbehaves."""

    NONE = "none"
    TORN = "torn"
    """Leaves the field after a command was sent to it, before its answer."""
    BRUSHED = "brushed"
    """Only brushes the field: leaves it when it is powered, before its ATR."""
    MUTE = "mute"
    """Has an ATR, then answers nothing; the reader reports its time-out."""
    DEAD = "dead"
    """Not even an ATR."""
    NONSENSE = "nonsense"
    """Answers every command with bytes that mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualCard:
    """One contactless card."""

    uid: bytes = field(repr=False)
    """UID in on-air order."""
    atr: bytes = storage_atr()
    """Answer to reset."""
    fault: Fault = Fault.NONE
    """How it misbehaves."""
    alternating: bytes | None = field(default=None, repr=False)
    """UID of a second card that lies below: every other GET DATA answers it."""
    alone_for: int = 1
    """So many GET DATA are answered by the upper card before the lower one is heard."""
    fails_first: int = 0
    """So many GET DATA end with 6300 before one is answered: a card that is still being laid down."""
    answers: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """Commands of a chip and its answers with status word, instead of the built-in ones: a contact card."""

    def uids(self) -> Iterator[bytes]:
        """What each GET DATA in turn answers, with its status word."""
        upper, lower = self.uid + _OK, (self.alternating or self.uid) + _OK
        return chain(repeat(_FAILED, self.fails_first), repeat(upper, self.alone_for), cycle((lower, upper)))


def card_with(
    uid: bytes, *, fault: Fault = Fault.NONE, alternating: bytes | None = None, alone_for: int = 1
) -> VirtualCard:
    """A card as libraries have them: four bytes are a storage card's, more are a DESFire's."""
    atr = storage_atr() if len(uid) == 4 else DESFIRE_ATR
    return VirtualCard(uid=uid, atr=atr, fault=fault, alternating=alternating, alone_for=alone_for)


class VirtualReader:
    """The surface of one virtual reader; holds at most one card."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._line: socket.socket | None = None

    def lay(self, card: VirtualCard) -> None:
        """Lay a card on the reader, taking away what lay there. Raises OSError when no reader listens."""
        with self._lock:
            self._take_away()
            line = socket.create_connection(("127.0.0.1", self._port), timeout=5.0)
            line.settimeout(None)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._line = line
            threading.Thread(target=_serve, args=(line, card), name="virtual-card", daemon=True).start()

    def take(self) -> None:
        """Take the card away; nothing happens when none is there."""
        with self._lock:
            self._take_away()

    def _take_away(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            _hang_up(line)


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _serve(line: socket.socket, card: VirtualCard) -> None:
    """Answer one reader until it or we hang up."""
    uids = card.uids()
    with contextlib.suppress(OSError, EOFError):
        while True:
            message = _receive(line, struct.unpack(">H", _receive(line, 2))[0])
            if len(message) == 1 and message != b"\x04":
                continue
            if message == b"\x04" and card.fault is Fault.BRUSHED:
                break
            if message == b"\x04":
                answer = b"" if card.fault is Fault.DEAD else card.atr
            elif card.fault is Fault.TORN:
                break
            else:
                answer = _answer(card, message, uids)
            line.sendall(struct.pack(">H", len(answer)) + answer)
    _hang_up(line)


def _answer(card: VirtualCard, apdu: bytes, uids: Iterator[bytes]) -> bytes:
    if card.fault is Fault.MUTE:
        return b""
    if card.fault is Fault.NONSENSE:
        return bytes.fromhex("0BADCAFE17")
    if card.answers:
        return card.answers.get(apdu, b"\x6d\x00")
    if apdu[:4] == GET_UID:
        return next(uids)
    if apdu[:2] == GET_UID[:2]:
        return b"\x6a\x81"
    return b"\x6d\x00" if apdu[:1] == b"\xff" else b"\x6e\x00"


def _receive(line: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes; EOFError when the reader hangs up.

    TCP_QUICKACK falls back by itself, so it is set before every read: a peer that writes in two parts would otherwise
    wait 40 ms for a delayed acknowledgement.
    """
    data = b""
    while len(data) < count:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = line.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
