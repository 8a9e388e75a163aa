"""A parcel is whole, from its sender and for its reader, or it is refused and says why."""

import errno
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import sealed
from sync.sealed import BadParcel, Head

SENDER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
READER = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
HEAD = Head(what="acts", kiosk="main-1", number=7, made_at=datetime(2026, 11, 24, 4, tzinfo=UTC))
PIECES = [b"first", b"", b"x" * 2_000, "還書".encode()]
KEPT = Path(__file__).parent / "parcels" / "version-1.parcel"


def made(folder: Path, pieces: list[bytes] | None = None) -> Path:
    path = folder / "a.parcel"
    sealed.write(path, HEAD, PIECES if pieces is None else pieces, to=READER.public_key(), by=SENDER)
    return path


def read(path: Path, key: X25519PrivateKey = READER) -> list[bytes]:
    with sealed.opened(path, path.parent) as parcel:
        parcel.verify(SENDER.public_key())
        assert parcel.head == HEAD
        return list(parcel.pieces(key))


def test_what_was_sealed_comes_out_and_can_be_read_twice(tmp_path: Path) -> None:
    path = made(tmp_path)
    assert read(path) == PIECES
    with sealed.opened(path, tmp_path) as parcel:
        assert list(parcel.pieces(READER)) == list(parcel.pieces(READER)) == PIECES
    assert [each.name for each in tmp_path.iterdir()] == ["a.parcel"]


def test_nothing_of_the_contents_can_be_seen(tmp_path: Path) -> None:
    raw = made(tmp_path, [b"membership m-ann borrowed C1" * 10]).read_bytes()
    assert b"m-ann" not in raw


def test_a_parcel_of_version_1_is_read_for_ever() -> None:
    assert read(KEPT) == PIECES


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_or_missing_byte_is_believed(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(made(tmp_path, [b"one", b"two"]).read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        del raw[place:]
    else:
        raw[place] ^= 1 << data.draw(st.integers(0, 7))
    broken = tmp_path / "broken.parcel"
    broken.write_bytes(raw)
    with pytest.raises(BadParcel):
        read(broken)


def test_pieces_cannot_be_left_out_or_change_places_even_by_the_sender(tmp_path: Path) -> None:
    """A signature made anew over exchanged pieces does not help: each piece knows its place."""
    raw = made(tmp_path, [b"one", b"two"]).read_bytes()
    start = len(sealed.MAGIC)
    head = raw[start : start + 4 + int.from_bytes(raw[start : start + 4], "big")]
    body = raw[start + len(head) : -68]
    half = len(body) // 2
    other = sealed.MAGIC + head + body[half:] + body[:half] + bytes(4)
    signature = SENDER.sign(b"shelfpoint parcel 1 signature" + hashlib.sha256(other).digest())
    path = tmp_path / "other.parcel"
    path.write_bytes(other + signature)
    with pytest.raises(BadParcel, match="sealed to another machine"):
        read(path)


def test_another_reader_and_another_sender_are_told_apart(tmp_path: Path) -> None:
    path = made(tmp_path)
    with pytest.raises(BadParcel, match="sealed to another machine"):
        read(path, X25519PrivateKey.generate())
    with (
        sealed.opened(path, tmp_path) as parcel,
        pytest.raises(BadParcel, match="signature is not that of its sender"),
    ):
        parcel.verify(Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no parcel"),
        (b"PK\3\4 something else", "no parcel"),
        (b"shelfpoint parcel 2\n", "newer program"),
        (sealed.MAGIC + b"\xff\xff\xff\xff", "damaged"),
        (sealed.MAGIC + b"\0\0\0\2{}", "head cannot be read"),
        (sealed.MAGIC + b"\0\0\0\1\xed", "head cannot be read"),
        (sealed.MAGIC + b"\0\0\0\2", "torn"),
    ],
)
def test_what_is_no_parcel_says_so(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "odd.parcel"
    path.write_bytes(raw)
    with pytest.raises(BadParcel, match=says):
        read(path)


def test_a_stick_that_fails_in_the_middle_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    path = made(tmp_path)
    before = path.read_bytes()

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        sealed.write(path, HEAD, pieces(), to=READER.public_key(), by=SENDER)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.parcel"]
