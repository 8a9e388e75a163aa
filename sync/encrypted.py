"""Encrypted SQLite files: open, check, migrate (DESIGN.md sections 1.6, 2 "Keys"; reference/stack.md 0.2, 5).

SQLCipher with a raw 32-byte key, so opening costs no key derivation. SQLite below 3.51.3 is refused (WAL-reset bug).
The hot paths talk to `sqlcipher3` directly: one prepared statement less than the disk costs more than a mapper brings.
Alembic is imported only when a file's revision is not the newest, so a start does not pay for it.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

from kiosk.ports import LedgerError, LedgerReason

OLDEST_SQLITE = (3, 51, 3)
KEY_BYTES = 32
CACHE_KB = 16384
"""Pages kept in memory by each connection: every page read anew is decrypted and checked again."""

Connection = Any
"""A `sqlcipher3` connection; the library ships no types."""


def key_file(path: Path) -> bytes:
    """The 32-byte key in this file.

    A systemd credential of the same name outranks the file: it is sealed by the TPM where there is one. Raises
    LedgerError(NO_KEY) that says where the key was looked for.
    """
    key = existing_key(path)
    if key is None:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        beside = "CREDENTIALS_DIRECTORY is not set" if folder is None else f"{Path(folder) / path.name} is not there"
        raise LedgerError(
            LedgerReason.NO_KEY,
            f"{path} is not there, nor a credential of this name ({beside}). If the key is sealed, run this command "
            f"as the kiosk's user with the credential: systemd-run --pipe --wait --collect --uid=kiosk "
            f"-p LoadCredentialEncrypted={path.name}:/etc/credstore.encrypted/{path.name} shelfpoint ...",
        )
    return key


def first_key(path: Path, data: Path) -> bytes:
    """As `key_file`, but made (mode 0600, folder 0700) while there is nothing in `data` that another key would open.

    For enrolment and the kiosk's start; every other command reads what they made.
    """
    if existing_key(path) is None and not any(data.glob("*.db")):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(path, secrets.token_bytes(KEY_BYTES))
    return key_file(path)


def existing_key(path: Path) -> bytes | None:
    """The key, or None where there is none. Raises LedgerError."""
    found = _credential(path) or path
    return _checked(found.read_bytes(), found) if found.exists() else None


class Kept(StrEnum):
    """Where a secret is, as far as this process sees."""

    SEALED = "sealed"
    """A systemd credential only."""
    FILE = "file"
    """A file that whoever has the disk can read."""
    BOTH = "both"
    """A credential, and a file beside it."""
    NOWHERE = "nowhere"
    """Neither; it may be sealed for another process."""


def kept(path: Path) -> Kept:
    """Where the secret of this name is."""
    if _credential(path) is None:
        return Kept.FILE if path.exists() else Kept.NOWHERE
    return Kept.BOTH if path.exists() else Kept.SEALED


def is_sealed(path: Path) -> bool:
    """Whether a credential takes this file's place, and no plain copy lies beside it."""
    return kept(path) is Kept.SEALED


def sealed_secret(path: Path) -> bytes | None:
    """The credential of this name; None where there is none."""
    found = _credential(path)
    return None if found is None else found.read_bytes()


def _credential(path: Path) -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    found = Path(folder) / path.name if folder else None
    return found if found is not None and found.exists() else None


def write_secret(path: Path, content: bytes) -> None:
    """Write a secret so that it is whole or not there, on disk, and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = draft_of(path)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            left = content
            while left:  # a disk that gets full takes a part and says so
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
    except OSError:
        with suppress(OSError):  # the first error is the one to tell
            draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def draft_of(path: Path) -> Path:
    """Where a secret lies until it is whole."""
    return path.with_name(f".{path.name}.new")


def sync_folder(folder: Path) -> None:
    """What was renamed or removed in it is so on the disk when this returns. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path, key: bytes, *, durable: bool) -> Connection:
    """A connection for the calling thread, autocommit (transactions are spelled out), WAL.

    `durable`: synchronous=FULL (each commit is on disk when it returns), else NORMAL (a power cut may lose the last
    commits, never the file). Raises LedgerError.
    """
    if sqlcipher.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerError(LedgerReason.NEWER_SCHEMA, f"SQLite {sqlcipher.sqlite_version} is older than 3.51.3")
    with translated(path):
        connection = sqlcipher.connect(str(path), isolation_level=None, timeout=5.0, cached_statements=256)
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    return connection


def connect_prepared(path: Path, key: bytes, *, durable: bool) -> Connection:
    """As `connect`, to a file that is there: nobody makes an empty one where a wipe has just taken it away."""
    with translated(path):
        if not path.exists():
            raise LedgerError(LedgerReason.NOT_WRITABLE, f"{path} is not there")
    return connect(path, key, durable=durable)


@contextmanager
def transaction(connection: Connection, path: Path) -> Iterator[Connection]:
    """BEGIN IMMEDIATE … COMMIT; rolled back on any error. Raises LedgerError for the disk's faults."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's faults of the world as LedgerError; our own bugs (wrong SQL, broken constraints) go through."""
    try:
        yield
    except sqlcipher.IntegrityError:
        raise
    except (sqlcipher.DatabaseError, OSError) as error:
        reason = _reason(str(error))
        if reason is None:
            raise
        raise LedgerError(reason, f"{path.name}: {error}") from error


def checkpoint(connection: Connection, path: Path) -> None:
    """Move the WAL into the file; called by sync threads, never in a scan's commit. Busy readers are left alone."""
    with translated(path):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def fold(path: Path, key: bytes) -> None:
    """Move the whole WAL into the file, so that it can be moved alone; nobody else may have it open. Raises LedgerError."""
    connection = connect(path, key, durable=True)
    try:
        with translated(path):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def integrity(connection: Connection, path: Path) -> None:
    """Read every page and prove that it is what was written. Raises LedgerError(DAMAGED)."""
    with translated(path):
        wrong = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    if wrong:
        raise LedgerError(LedgerReason.DAMAGED, f"{path.name}: {len(wrong)} pages, first: {wrong[0][0]}")


def set_aside(path: Path, mark: str) -> Path:
    """Move a database out of the way with its companions, as `<name>.<mark>`; nobody may have it open to write."""
    for suffix in ("-shm", "-wal", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(path.with_name(f"{path.name}.{mark}{suffix}"))
    return path.with_name(f"{path.name}.{mark}")


def drop(path: Path) -> None:
    """Remove a database with its companions; nobody may have it open to write."""
    for suffix in ("-shm", "-wal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def revision_of(connection: Connection) -> str | None:
    """The schema revision that alembic wrote, or None in an empty file."""
    named = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    if named is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def migrated(path: Path, key: bytes, scripts: str, head: str) -> None:
    """Bring a file to revision `head` with the alembic scripts in package folder `scripts`.

    Raises LedgerError(NEWER_SCHEMA) for a file that a newer program wrote.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = connect(path, key, durable=True)
    try:
        with translated(path):
            found = revision_of(connection)
    finally:
        connection.close()
    if found == head:
        return
    from sync.migrations import runner

    with translated(path):
        runner.upgrade(lambda: connect(path, key, durable=True), path.name, scripts, found)


def _checked(key: bytes, where: Path) -> bytes:
    if len(key) != KEY_BYTES:
        raise LedgerError(LedgerReason.WRONG_KEY, f"{where}: expected {KEY_BYTES} bytes, found {len(key)}")
    return key


def _reason(text: str) -> LedgerReason | None:
    lowered = text.lower()
    for sign, reason in (
        ("disk is full", LedgerReason.DISK_FULL),
        ("no space left", LedgerReason.DISK_FULL),
        ("locked", LedgerReason.LOCKED),
        ("not a database", LedgerReason.WRONG_KEY),
        ("malformed", LedgerReason.DAMAGED),
        ("hmac check failed", LedgerReason.DAMAGED),
        ("disk i/o", LedgerReason.DISK_FULL),
        ("readonly", LedgerReason.NOT_WRITABLE),
        ("unable to open", LedgerReason.NOT_WRITABLE),
        ("permission denied", LedgerReason.NOT_WRITABLE),
    ):
        if sign in lowered:
            return reason
    return None
