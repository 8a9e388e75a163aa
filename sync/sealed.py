"""A parcel: messages in one file, sealed to one reader and signed by one sender, for a USB stick (C7) or for later.

The file, all numbers big-endian:

    "shelfpoint parcel 1\\n"
    u32 length, head           JSON of `Head`, in clear: what it is, from whom, to whom
    u32 length, sealed piece   as often as there are messages, at most `MAX_PIECE` bytes each
    u32 0                      no more pieces
    64 bytes                   Ed25519 (RFC 8032) over "shelfpoint parcel 1 signature" and the SHA-256 of all before

Each piece is HPKE base mode (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305), single shot, with
info = "shelfpoint parcel 1 piece", SHA-256 of the head, u64 number of the piece: so no piece can change its place or its
file; that none is missing at the end, and who sent them, says the signature. Nothing is believed before the whole
signature was checked, on a copy: what lies on a stick may change or vanish while it is read.

A parcel is written under another name, flushed to the disk and then renamed, so that a stick pulled at any byte leaves a
whole parcel or none. Blocking; pieces are made and read one at a time, so memory stays flat.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sync.packed import NotPacked, packed, unpacked

MAGIC = b"shelfpoint parcel 1\n"
MAX_HEAD = 4096
MAX_PIECE = 8 * 1024 * 1024
MAX_FILE = 4 * 1024**3
"""Bytes; a first fill of a million items takes about a quarter of a gigabyte."""
SUFFIX = ".parcel"
LOG_LETTERS = 8
"""So much of a log's name stands in a file's."""
_PIECE = b"shelfpoint parcel 1 piece"
_SIGNATURE = b"shelfpoint parcel 1 signature"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_COPIED = 1024 * 1024


class BadParcel(Exception):
    """The file is no parcel, or torn, forged, or for somebody else; the message says which. Nothing was changed."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know of a parcel, and of the rest nothing but its size; `name_of` tells a log's first letters too."""

    what: str
    """acts, answer, enrolled, left."""
    kiosk: str
    """Which kiosk it comes from or goes to."""
    number: int = 0
    """Which of the kiosk's parcels; an answer has the number of what it answers."""
    made_at: datetime
    """By the sender's clock."""
    packed: bool = False
    """Each piece is packed (`sync.packed`) before it is sealed."""


def write(path: Path, head: Head, pieces: Iterable[bytes], *, to: X25519PublicKey, by: Ed25519PrivateKey) -> None:
    """Makes the file, whole and on the disk, or not at all. Raises OSError, and what `pieces` raises."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file:
            digest = hashlib.sha256()

            def put(data: bytes) -> None:
                digest.update(data)
                file.write(data)

            said = msgspec.json.encode(head)
            put(MAGIC + _length(said) + said)
            for number, piece in enumerate(pieces):
                sealed = SUITE.encrypt(packed(piece) if head.packed else piece, to, _info(said, number))
                if len(sealed) > MAX_PIECE:
                    raise ValueError(f"a piece of {len(sealed)} bytes")
                put(_length(sealed) + sealed)
            put(_length(b""))
            file.write(by.sign(_SIGNATURE + digest.digest()))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def name_of(what: str, kiosk: str, log: str, number: int) -> str:
    """What a parcel of this log, or the answer to it, is called; its file's suffix comes behind.

    A log's name is said by its kiosk, so nothing of it but letters and digits gets into the name of a file.
    """
    plain = "".join(letter for letter in log if letter.isascii() and letter.isalnum())
    return f"{what}-{kiosk}-{plain[:LOG_LETTERS]}-{number}"


class Parcel:
    """A parcel whose form is right; `verify` before anything in it is believed."""

    def __init__(self, name: str, copy: IO[bytes], head: Head, said: bytes, signed: bytes, signature: bytes) -> None:
        self.head = head
        self._name = name
        self._copy = copy
        self._said = said
        self._signed = signed
        self._signature = signature

    def is_signed(self, by: Ed25519PublicKey) -> bool:
        """True if this sender has signed every byte."""
        try:
            by.verify(self._signature, _SIGNATURE + self._signed)
        except InvalidSignature:
            return False
        return True

    def verify(self, by: Ed25519PublicKey) -> None:
        """Raises BadParcel unless this sender has signed every byte."""
        if not self.is_signed(by):
            raise BadParcel(
                f"{self._name}: the signature is not that of its sender; do not use this file, and ask where it comes from"
            )

    def pieces(self, key: X25519PrivateKey) -> Iterator[bytes]:
        """The messages, opened one by one; may be called again. Raises BadParcel if they are sealed to another key."""
        self._copy.seek(len(MAGIC) + 4 + len(self._said))
        number = 0
        while sealed := _piece(self._copy, self._name):
            try:
                plain = SUITE.decrypt(sealed, key, _info(self._said, number))
                yield unpacked(plain, MAX_PIECE) if self.head.packed else plain
            except NotPacked as error:
                raise BadParcel(f"{self._name}: a piece cannot be unpacked: {error}") from error
            except InvalidTag as error:
                raise BadParcel(
                    f"{self._name}: sealed to another machine, or to this one before it was enrolled"
                ) from error
            number += 1


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[Parcel]:
    """A copy of the parcel, made in the folder `scratch`. Raises BadParcel, OSError."""
    with path.open("rb") as source, tempfile.TemporaryFile(dir=scratch) as copy:
        copied = 0
        while block := source.read(_COPIED):
            copied += len(block)
            if copied > MAX_FILE:
                raise BadParcel(f"{path}: larger than any parcel ({MAX_FILE // 1024**3} GiB)")
            copy.write(block)
        yield _looked_at(str(path), copy, copied)


def _looked_at(name: str, copy: IO[bytes], size: int) -> Parcel:
    copy.seek(0)
    magic = copy.read(len(MAGIC))
    if magic != MAGIC:
        raise BadParcel(f"{name}: this is no parcel, or one of a newer program")
    said = _read(copy, int.from_bytes(_read(copy, 4, name), "big"), name, MAX_HEAD)
    try:
        head = msgspec.json.decode(said, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadParcel(f"{name}: its head cannot be read: {error}") from error
    if head.made_at.tzinfo is None:
        raise BadParcel(f"{name}: its head has a time without a zone")
    while _piece(copy, name):
        pass
    signed = copy.tell()
    signature = _read(copy, 64, name)
    if copy.tell() != size:
        raise BadParcel(f"{name}: {size - copy.tell()} bytes follow its end")
    copy.seek(0)
    digest = hashlib.sha256()
    while signed and (block := copy.read(min(_COPIED, signed))):
        digest.update(block)
        signed -= len(block)
    return Parcel(name, copy, head, said, digest.digest(), signature)


def _piece(copy: IO[bytes], name: str) -> bytes:
    """The next sealed piece; empty after the last."""
    return _read(copy, int.from_bytes(_read(copy, 4, name), "big"), name, MAX_PIECE)


def _read(copy: IO[bytes], length: int, name: str, most: int = MAX_PIECE) -> bytes:
    if length > most:
        raise BadParcel(f"{name}: damaged: it says that {length} bytes follow, at most {most} may")
    data = copy.read(length)
    if len(data) < length:
        raise BadParcel(f"{name}: torn: it ends too early; copy it again, or make it again")
    return data


def _length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big")


def _info(said: bytes, number: int) -> bytes:
    return _PIECE + hashlib.sha256(said).digest() + number.to_bytes(8, "big")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
