"""Parcels from kiosks that have no network (C7): judged like any push, answered with a parcel for the way back.

Taking the same parcel again changes nothing: its words have their verdicts, and the answer tells them again, with the
feed as it is then. In what order parcels come does not matter. Of a stolen kiosk every word becomes a case, and the answer says
nothing but the order to wipe itself. Runs on the caller's thread (the command line), beside a central that serves;
blocking, pieces one at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from kiosk.domain.values import IncarnationId
from sync import sealed
from sync.central.fleet import BadPublicKey, Kiosk, OtherRecords
from sync.central.inbox import BadPush
from sync.central.office import Central
from sync.sealed import SUFFIX, BadParcel, Head, Parcel, name_of
from sync.stick import (
    StickActs,
    StickEnd,
    StickEnrolled,
    StickPage,
    StickPiece,
    StickRequest,
    StickVerdicts,
    StickWords,
    stick_proof,
)
from sync.tolerant import decode_piece
from sync.wire import (
    MAX_WORDS,
    Envelope,
    Farewell,
    Pushed,
    WireVerdict,
    padded,
)

MAX_REQUEST = 4096


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a parcel."""

    kiosk: str
    """Whose it was."""
    number: int
    """Which of its parcels."""
    words: int
    """Judged or told again."""
    answer: Path | None
    """The parcel for the way back; None for what a kiosk or an earlier enrolment left behind: nobody waits for it."""
    stolen: bool = False
    """The kiosk was stolen: its words are cases, and the answer wipes it."""


def take(
    central: Central, file: Path, folder: Path, advance: Callable[[str, int], None] = lambda _what, _done: None
) -> Taken:
    """Judge what a kiosk says and write the answer into `folder`.

    `advance` is told how many words were judged and pages written. Raises BadParcel, DatabaseUnusable, OSError.
    """
    with sealed.opened(file, folder) as parcel:
        if parcel.head.what not in ("acts", "left"):
            raise BadParcel(f"{file}: a parcel of kind {parcel.head.what!r} is not for central")
        kiosk = central.fleet.find(parcel.head.kiosk)
        if kiosk is None:
            raise BadParcel(f"{file}: from {parcel.head.kiosk}, a kiosk that was never enrolled here")
        named, kiosk = kiosk, _signer(central, kiosk, parcel)
        if kiosk.revoked_at is not None and kiosk.farewell is None:
            raise BadParcel(f"{file}: {kiosk.id} is revoked; enrol it anew, then make the parcel again")
        reading = _Reading(central, kiosk, parcel, str(file), advance)
        if parcel.head.what == "left" or kiosk is not named:
            words = sum(len(pushed.verdicts) for pushed in reading.judged())
            return Taken(kiosk.id, parcel.head.number, words, None)
        answer = folder / f"{name_of('answer', kiosk.id, reading.log, parcel.head.number)}{SUFFIX}"
        _answer(central, kiosk, answer, parcel.head.number, reading.answer(), pack=reading.unpacks)
    return Taken(kiosk.id, parcel.head.number, reading.words, answer, kiosk.farewell is Farewell.STOLEN)


def enrol(
    central: Central,
    file: Path,
    code: str,
    folder: Path,
    advance: Callable[[str, int], None] = lambda _what, _done: None,
) -> Taken:
    """Enrol the kiosk whose request lies in `file`, and write its first parcel. Works once for each code.

    Raises BadParcel, CodeRefused, DatabaseUnusable, OSError.
    """
    try:
        with file.open("rb") as opened:
            asked = msgspec.json.decode(opened.read(MAX_REQUEST), type=StickRequest)
        public_key, sealing_key = padded(asked.public_key), padded(asked.sealing_key)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadParcel(f"{file}: this is no request of a kiosk: {error}") from error
    if asked.proof != stick_proof(code, asked.public_key, asked.sealing_key):
        raise BadParcel(f"{file}: it was not made with this code; check the code, or make the request again")
    try:
        kiosk = central.fleet.enrol(code, public_key, sealing_key, asked.records_of)
    except (BadPublicKey, OtherRecords) as error:
        raise BadParcel(f"{file}: {error}") from error
    told = central.fleet.enrolled(kiosk, central.epoch())
    proof = stick_proof(code, asked.public_key, asked.sealing_key, told.signing_key, told.sealing_key)

    def pieces() -> Iterator[StickPiece]:
        yield StickEnrolled(enrolled=told, proof=proof)
        yield from _pages(central, kiosk, "", None, advance)
        yield _end(central, kiosk, None)

    answer = folder / f"enrolled-{kiosk.id}{SUFFIX}"
    _answer(central, kiosk, answer, 0, pieces(), what="enrolled", pack=asked.unpacks)
    return Taken(kiosk.id, 0, 0, answer)


def _signer(central: Central, kiosk: Kiosk, parcel: Parcel) -> Kiosk:
    """The enrolment of this kiosk that signed the parcel. Raises BadParcel."""
    for enrolment in central.fleet.enrolments(kiosk):
        if parcel.is_signed(Ed25519PublicKey.from_public_bytes(enrolment.public_key)):
            return enrolment
    parcel.verify(Ed25519PublicKey.from_public_bytes(kiosk.public_key))
    return kiosk


class _Reading:
    """One kiosk's parcel while it is judged."""

    def __init__(
        self, central: Central, kiosk: Kiosk, parcel: Parcel, name: str, advance: Callable[[str, int], None]
    ) -> None:
        self._central, self._kiosk, self._name, self._advance = central, kiosk, name, advance
        self._pieces = (self._piece(plain) for plain in parcel.pieces(central.fleet.opens()))
        first = next(self._pieces, None)
        if not isinstance(first, StickActs):
            raise BadParcel(f"{name}: it does not begin with a kiosk's state")
        self._state = first
        self.unpacks = first.unpacks
        self.log = first.health.incarnation
        self.words = 0

    def _piece(self, plain: bytes) -> StickPiece:
        try:
            return decode_piece(plain)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadParcel(f"{self._name}: a piece cannot be read: {error}") from error

    def judged(self) -> Iterator[Pushed]:
        """The answer to each push, in order; durable when it is yielded."""
        as_cases = self._kiosk.farewell is Farewell.STOLEN
        for piece in self._pieces:
            if not isinstance(piece, StickWords) or len(piece.push.words) > MAX_WORDS:
                raise BadParcel(f"{self._name}: not made by a kiosk: no push of at most {MAX_WORDS} words")
            incarnation = IncarnationId(piece.push.incarnation)
            try:
                judged = self._central.inbox.judge(self._kiosk.id, incarnation, piece.push.words, as_cases=as_cases)
            except BadPush as error:
                raise BadParcel(f"{self._name}: {error}") from error
            self.words += len(piece.push.words)
            self._advance("words", self.words)
            yield Pushed(
                epoch=judged.epoch,
                now=self._central.clock(),
                held_through=judged.held_through,
                verdicts=[WireVerdict.of(verdict) for verdict in judged.verdicts],
            )

    def answer(self) -> Iterator[StickPiece]:
        """Verdicts, the feed after the kiosk's cursor, and central's state with its order; a stolen kiosk is told that only."""
        stolen = self._kiosk.farewell is Farewell.STOLEN
        for pushed in self.judged():
            if not stolen:
                yield StickVerdicts(pushed=pushed)
        incarnation = self._state.health.incarnation
        if self._kiosk.revoked_at is None:
            self._central.fleet.note_health(self._kiosk.id, self._state.health)
            yield from _pages(self._central, self._kiosk, self._state.cursor, incarnation, self._advance)
        yield _end(self._central, self._kiosk, incarnation)


def _pages(
    central: Central, kiosk: Kiosk, cursor: str, incarnation: str | None, advance: Callable[[str, int], None]
) -> Iterator[StickPiece]:
    """The feed from here to its head."""
    more, told = True, 0
    held = 0 if incarnation is None else central.inbox.held_through(kiosk.id, IncarnationId(incarnation))
    while more:
        page = central.feed.page(cursor, kiosk.index_key, kiosk.branch)
        yield StickPage(after=cursor, page=page.told(central.clock(), held))
        cursor, more, told = page.cursor, page.more, told + 1
        advance("pages", told)


def _end(central: Central, kiosk: Kiosk, incarnation: str | None) -> StickEnd:
    held = 0 if incarnation is None else central.inbox.held_through(kiosk.id, IncarnationId(incarnation))
    order = central.fleet.order(kiosk)
    envelope = Envelope(epoch=central.epoch(), now=central.clock(), held_through=held, order=order, unseals=True)
    return StickEnd(envelope=envelope, incarnation=incarnation or "", unpacks=True)


def _answer(
    central: Central, kiosk: Kiosk, path: Path, number: int, pieces: Iterator[StickPiece],
    what: Literal["answer", "enrolled"] = "answer", *, pack: bool,
) -> None:  # fmt: skip
    if kiosk.sealing_key is None:
        raise BadParcel(f"{kiosk.id} was enrolled by a program that knew no parcels; enrol it anew")
    sealed.write(
        path,
        Head(what=what, kiosk=kiosk.id, number=number, made_at=central.clock(), packed=pack),
        (msgspec.json.encode(piece) for piece in pieces),
        to=X25519PublicKey.from_public_bytes(kiosk.sealing_key),
        by=central.fleet.signs(),
    )
