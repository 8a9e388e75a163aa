"""A branch that never has a network: acts out and verdicts, feed and enrolment in, on a USB stick (C7).

The same messages as online, and the same code that applies them. `export` may run beside the kiosk; `take` needs the
kiosk's files for itself (`owner`), because the feed has one writer. Nothing here is started by plugging a stick in:
a person runs `shelfpoint queue export` and `queue import`.

- A parcel out holds every last word without a verdict, so a lost parcel is made good by the next one. Its file is named after the
  kiosk, its log and the number in that log, and takes no other file's place: a log that was rescued, or begun after a wipe, counts
  from 1 again, and what the log before it told may be nowhere but in its parcels.
- An answer that is neither to a newer parcel than any before nor younger by central's clock is refused: what was taken has everything
  that it says. The number alone would refuse a second answer to one parcel, the clock alone all answers after one that a central gave
  whose clock ran ahead.
- The feed goes on exactly where the replica is; an answer that was taken half (power cut) is taken up in the middle. One that ends
  before the place where the replica is leaves it alone.

Whether the replica is fresh counts from central's clock in the parcel. Blocking; the command line's thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from kiosk.domain.journal import Spoken
from sync import sealed, stick, wire
from sync.acts import ActsLog
from sync.central_client import Identity, OwnKeys, is_centrals
from sync.encrypted import write_secret
from sync.enrolment import take_name
from sync.replica import ReplicaWriter
from sync.sealed import SUFFIX, BadParcel, Head, Parcel, name_of
from sync.tolerant import decode_piece

PENDING = "enrolling.json"
REQUEST = "enrol-request.json"
Advance = Callable[[str, int], None]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """Between the request and its answer; in the keys folder (0600)."""

    keys: OwnKeys
    code: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an answer brought."""

    words: int
    """Verdicts heard."""
    pages: int
    """Feed pages applied."""
    feed_fits: bool
    """False: the replica is somewhere else than when the parcel was made; the next export puts that right."""
    told_at: datetime
    """Central's clock."""
    farewell: wire.Farewell | None = None
    """Central, and nobody else, has ordered this kiosk to take leave."""


def export(
    folder: Path, log: ActsLog, cursor: str, identity: Identity, health: wire.Health, made_at: datetime,
    *, what: str = "acts", advance: Advance = lambda _what, _done: None,
) -> tuple[Path, int]:  # fmt: skip
    """Write what waits into a new parcel in `folder`; returns its path and how many words it holds.

    No file there is replaced. Raises BadParcel if this kiosk knows no key of central, LedgerError, OSError.
    """
    if not identity.central_opens:
        raise BadParcel(f"{identity.kiosk} was enrolled by a program that knew no parcels; enrol it anew")
    number = log.next_parcel()
    while (path := folder / f"{name_of(what, identity.kiosk, log.incarnation, number)}{SUFFIX}").exists():
        number = log.next_parcel()  # of a log that was put back as it was before: its numbers come again
    told = 0

    def pieces() -> Iterator[stick.StickPiece]:
        nonlocal told
        yield stick.StickActs(cursor=cursor, health=health, unpacks=True)
        for words in waiting(log):
            said = [wire.WireWord.of(spoken) for spoken in words]
            yield stick.StickWords(push=wire.Push(incarnation=log.incarnation, words=said))
            told += len(words)
            advance("words", told)

    sealed.write(
        path,
        Head(what=what, kiosk=identity.kiosk, number=number, made_at=made_at, packed=log.central_unpacks()),
        (msgspec.json.encode(piece) for piece in pieces()),
        to=X25519PublicKey.from_public_bytes(wire.padded(identity.central_opens)),
        by=identity.signs(),
    )
    return path, told


def waiting(log: ActsLog) -> Iterator[tuple[Spoken, ...]]:
    """Every last word without a verdict, oldest first, a push at a time."""
    after = 0
    while words := log.unsent(wire.MAX_WORDS, after):
        yield words
        after = words[-1].sequence


def take(
    file: Path, scratch: Path, log: ActsLog, replica: ReplicaWriter, identity: Identity,
    advance: Advance = lambda _what, _done: None, *, keep: timedelta, now: datetime,
) -> Imported:  # fmt: skip
    """Apply central's answer; of one to a stolen kiosk nothing but the order is heard.

    Acts that central has had for longer than `keep` are forgotten, by its clock, but not by one that runs ahead of the kiosk's
    own (`now`).
    Raises BadParcel (then nothing was changed), LedgerError, OSError.
    Everything is read and checked once before the first change.
    """
    with sealed.opened(file, scratch) as parcel:
        if parcel.head.what != "answer":
            raise BadParcel(f"{file}: a parcel of kind {parcel.head.what!r} is no answer of central")
        if parcel.head.kiosk != identity.kiosk:
            raise BadParcel(f"{file}: it is for {parcel.head.kiosk}, this kiosk is {identity.kiosk}")
        if not identity.central_signs:
            raise BadParcel(f"{identity.kiosk} was enrolled by a program that knew no parcels; enrol it anew")
        parcel.verify(Ed25519PublicKey.from_public_bytes(wire.padded(identity.central_signs)))
        answer = _Answer(parcel, identity.sealing_key, str(file))
        end = answer.end
        order = end.envelope.order
        farewell = order.farewell if order is not None and is_centrals(identity, order) else None
        if farewell is wire.Farewell.STOLEN:  # whatever the answer is to, and however old: a stolen kiosk stays so
            return Imported(0, 0, feed_fits=True, told_at=end.envelope.now, farewell=farewell)
        if end.incarnation != log.incarnation:
            raise BadParcel(f"{file}: it answers a log that this kiosk has no more; export again")
        newest = max((at for at in (log.told_at(), replica.place().heard_at) if at is not None), default=None)
        if newest is not None and end.envelope.now < newest and parcel.head.number <= log.answered():
            raise BadParcel(
                f"{file}: older than what central has told before ({newest:%Y-%m-%d %H:%M} UTC, in the answer to parcel "
                f"{log.answered()}); nothing to do. If central's clock ran ahead then, export again and take the answer to that"
            )
        log.agree(end.envelope.epoch, end.envelope.held_through)
        words = 0
        for pushed in answer.verdicts():
            log.settle_all(pushed.said())
            words += len(pushed.verdicts)
            advance("words", words)
        pages, fits = answer.feed(replica, advance)
        log.note_told(end.envelope.now, parcel.head.number, unpacks=end.unpacks)
        if fits:  # else the replica may lack what they say
            log.prune(min(end.envelope.now, now) - keep)
            _seal(log, replica, identity, end.envelope)
        log.checkpoint()
    return Imported(words, pages, fits, end.envelope.now, farewell)


def _seal(log: ActsLog, replica: ReplicaWriter, identity: Identity, told: wire.Envelope) -> None:
    """What nothing here asks for any more; as `sync-acts` does where there is a network."""
    seals, place = identity.seals(), replica.place()
    if seals is not None and told.unseals:
        while log.seal(place.epoch, place.position, lambda spoken: seals(wire.WireWord.of(spoken))):
            pass


def request_enrolment(folder: Path, keys: Path, code: str, records_of: str = "") -> Path:
    """Make this kiosk's keys and write its request for central; the code was given by central. Raises OSError.

    `records_of`: see `wire.Enrol`.
    """
    own = OwnKeys.make()
    write_secret(keys / PENDING, msgspec.json.encode(Pending(keys=own, code=code)))
    public_key, sealing_key = own.public_halves()
    proof = stick.stick_proof(code, public_key, sealing_key)
    asked = stick.StickRequest(
        public_key=public_key, sealing_key=sealing_key, proof=proof, unpacks=True, records_of=records_of
    )
    path = folder / REQUEST
    write_secret(path, msgspec.json.encode(asked))
    return path


def finish_enrolment(file: Path, data: Path, keys: Path, records_of: str = "") -> Identity:
    """Take central's answer to the request; the feed in it is taken by `first_feed`.

    The replica of an enrolment before it goes. Raises BadParcel, CentralError, OSError.
    """
    if not (keys / PENDING).exists():
        raise BadParcel(f"{keys / PENDING}: no request was made here; run 'shelfpoint kiosk enrol --request' first")
    pending = msgspec.json.decode((keys / PENDING).read_bytes(), type=Pending)
    with sealed.opened(file, data) as parcel:
        told = _enrolled(parcel, pending, str(file))
        identity = pending.keys.enrolled("", told)
        take_name(data, keys, identity, records_of)
    (keys / PENDING).unlink()
    return identity


def first_feed(file: Path, scratch: Path, replica: ReplicaWriter, identity: Identity, advance: Advance) -> int:
    """The feed that came with the enrolment; returns its pages. May be taken again. Raises as `take`."""
    with sealed.opened(file, scratch) as parcel:
        parcel.verify(Ed25519PublicKey.from_public_bytes(wire.padded(identity.central_signs)))
        return _Answer(parcel, identity.sealing_key, str(file)).feed(replica, advance)[0]


def _enrolled(parcel: Parcel, pending: Pending, name: str) -> wire.Enrolled:
    """What central says; whoever signed the parcel must have known the code."""
    if parcel.head.what != "enrolled":
        raise BadParcel(f"{name}: a parcel of kind {parcel.head.what!r} is no answer to a request")
    first = _decoded(next(parcel.pieces(_private(pending.keys.sealing_key)), b""), name)
    if not isinstance(first, stick.StickEnrolled):
        raise BadParcel(f"{name}: it does not begin with an enrolment")
    told = first.enrolled
    if first.proof != stick.stick_proof(
        pending.code, *pending.keys.public_halves(), told.signing_key, told.sealing_key
    ):
        raise BadParcel(f"{name}: not from the central that gave the code; do not use this file")
    parcel.verify(Ed25519PublicKey.from_public_bytes(wire.padded(told.signing_key)))
    return told


class _Answer:
    """A parcel of central that was verified and read to its end once."""

    def __init__(self, parcel: Parcel, key: str, name: str) -> None:
        self._parcel, self._key, self._name = parcel, _private(key), name
        self._cursors: list[str] = []
        self._begins = False
        self._ends_at = ("", 0)
        end = None
        for piece in self._pieces():
            if isinstance(piece, stick.StickPage):
                self._begins = self._begins or (not self._cursors and piece.page.snapshot_begins)
                self._cursors.append(piece.after)
                self._ends_at = (piece.page.epoch, piece.page.position)
            elif isinstance(piece, stick.StickEnd):
                end = piece
        if end is None or end.envelope.now.tzinfo is None:
            raise BadParcel(f"{name}: it has no end")
        self.end = end

    def verdicts(self) -> Iterator[wire.Pushed]:
        return (piece.pushed for piece in self._pieces() if isinstance(piece, stick.StickVerdicts))

    def feed(self, replica: ReplicaWriter, advance: Advance) -> tuple[int, bool]:
        """Pages applied, and whether they went on where the replica is (or began anew)."""
        here, place, applied = replica.cursor(), replica.place(), 0
        epoch, position = self._ends_at
        if here and place.whole and place.epoch == epoch and place.position > position:
            return 0, True  # the replica is further than all of it
        going = here not in self._cursors and self._begins
        reached = going
        for piece in self._pieces():
            if not isinstance(piece, stick.StickPage):
                continue
            if going or piece.after == here:
                going = reached = True
                replica.apply(piece.page, piece.page.now)
                applied += 1
                advance("pages", applied)
            reached = reached or piece.page.cursor == here
        return applied, reached or not self._cursors

    def _pieces(self) -> Iterator[stick.StickPiece]:
        return (_decoded(plain, self._name) for plain in self._parcel.pieces(self._key))


def _decoded(plain: bytes, name: str) -> stick.StickPiece:
    try:
        return decode_piece(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadParcel(f"{name}: a piece cannot be read; it may come from a newer program: {error}") from error


def _private(key: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(wire.padded(key))
