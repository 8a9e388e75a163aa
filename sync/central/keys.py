"""Central's root key, and what is derived from it: the database key, each kiosk's index key, the keys for parcels.

The root key is 32 random bytes in a 0600 file outside the data folder, made at first start; a backup of the data
without it opens nothing. Derived keys (HKDF, RFC 5869, SHA-256) stand in no database: a copy of the data folder alone
tells neither names nor the index of any kiosk. Used at start-up and when a kiosk enrols or reads its feed; any thread.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.hand_written import Unreadable, hand_written

KEY_BYTES = 32


class KeyFileUnusable(Exception):
    """The key file is missing, open to others, or not a key; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """The one secret of central that must be kept apart from its data."""

    root: bytes = field(repr=False)
    """32 random bytes."""

    def database_key(self) -> bytes:
        """32 bytes, given raw to SQLCipher."""
        return self._derive(b"shelfpoint central database", salt=b"")

    def index_key(self, kiosk: str, salt: bytes) -> bytes:
        """32 bytes for one enrolment of one kiosk; a stolen one opens no other kiosk's index."""
        return self._derive(b"shelfpoint kiosk index " + kiosk.encode(), salt=salt)

    def signing_key(self) -> Ed25519PrivateKey:
        """Signs parcels and orders to wipe; every kiosk learns its public half when it enrols."""
        return Ed25519PrivateKey.from_private_bytes(self._derive(b"shelfpoint central signs", salt=b""))

    def sealing_key(self) -> X25519PrivateKey:
        """Opens what kiosks seal to central."""
        return X25519PrivateKey.from_private_bytes(self._derive(b"shelfpoint central opens", salt=b""))

    def fingerprint(self) -> str:
        """Tells two keys apart and nothing else; may stand in a database."""
        return self._derive(b"shelfpoint root key fingerprint", salt=b"").hex()[:32]

    def _derive(self, purpose: bytes, salt: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(self.root)


def card_index(index_key: bytes, number: str) -> str:
    """HMAC-SHA256 of a spelled card number, hex: all that a kiosk ever holds of it."""
    return hmac.digest(index_key, number.encode(), "sha256").hex()


def login_index(index_key: bytes, login: str) -> str:
    """The same of a staff login; the word before keeps logins and card numbers apart."""
    return card_index(index_key, f"staff {login}")


def load_or_make(path: Path, *, make: bool) -> RootKey:
    """The root key of `path` (64 hex digits); made there durably when `make` and it is missing. Blocking."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyFileUnusable(f"{path}: others may read this key; run chmod 600 on it")
        text = hand_written(path).strip()
    except FileNotFoundError:
        if make:
            return _make(path)
        raise KeyFileUnusable(f"{path}: no key here, but there is a database; bring the recovery copy back") from None
    except (OSError, Unreadable) as error:
        raise KeyFileUnusable(f"{path}: {error}") from error
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != KEY_BYTES:
        raise KeyFileUnusable(f"{path}: expected {2 * KEY_BYTES} hex digits")
    return RootKey(root)


def _make(path: Path) -> RootKey:
    root_key = RootKey(secrets.token_bytes(KEY_BYTES))
    write_key(path, root_key)
    return root_key


def write_key(path: Path, root_key: RootKey) -> None:
    """Into a new file, so that it survives a power cut before the first row is encrypted with it.

    Raises KeyFileUnusable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(root_key.root.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)  # half a key would stand in the way of the next try
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyFileUnusable(f"{path}: {error}") from error
