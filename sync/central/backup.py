"""Copies of central's database, and the way back.

A copy is made through SQLite's backup API while central works, stays encrypted with the same key, and is complete or
absent. `restore_from` puts it in place whole and renews the epoch before anything can be served from it, so that every
kiosk tells again what the copy does not hold. Without the root key neither works, so no backup is made before a recovery
copy of the key is noted (`key_copy`). Blocking, from the command line.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher
import structlog
from sqlalchemy import select

from sync.central import tables
from sync.central.database import BUSY_TIMEOUT_MS, FILE_NAME, Database, connect_sqlcipher, upsert
from sync.central.in_folder import refuse_missing
from sync.central.in_use import alone, use
from sync.central.key_copy import ADVICE, NOTE, copied_at
from sync.central.keys import KeyFileUnusable, RootKey, load_or_make
from sync.central.office import Central, CentralSettings
from sync.central.records import microseconds, moment

log = structlog.get_logger(__name__)


MADE = "backup made"
"""Where the time of the newest copy stands in `meta`."""


class BackupFailed(Exception):
    """The copy could not be made or used; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore left."""

    epoch: str
    """The new one."""
    kept: Path | None
    """The database that was replaced; None where there was none."""


def back_up(settings: CentralSettings, target: Path, at: datetime) -> None:
    """A copy of the database as of now, which is noted in it.

    Raises BackupFailed, KeyFileUnusable, InUse, OwnFiles, MissingFolder.
    """
    refuse_missing(settings.outside(target))
    _only_sqlite(settings)
    source = settings.data / FILE_NAME
    if not source.exists():
        raise BackupFailed(f"{source}: there is no database here")
    root_key = load_or_make(settings.root_key_file(), make=False)
    used = use(settings.data)
    try:
        _demand_copy_of_key(source, root_key)
        _copy(source, target, root_key)
        _note(source, root_key, at)
    finally:
        used.end()


def note_made(database: Database, at: datetime) -> None:
    """That PostgreSQL's own tools have made a copy."""
    with database.write() as connection:
        upsert(connection, tables.meta, [{"key": MADE, "value": str(microseconds(at))}])


def made_at(database: Database) -> datetime | None:
    """When the newest copy was made; None if none ever was."""
    with database.read() as connection:
        value = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == MADE)).scalar()
    return None if value is None else moment(int(value))


def restore_from(settings: CentralSettings, copy: Path) -> Restored:
    """Replaces the database by `copy` and renews the epoch; the replaced one stays beside it. Nobody may have it open meanwhile.

    Raises BackupFailed, KeyFileUnusable, DatabaseUnusable, InUse.
    """
    _only_sqlite(settings)
    root_key = load_or_make(settings.root_key_file(), make=False)
    with alone(settings.data):
        return _replace(settings, copy, root_key)


def _replace(settings: CentralSettings, copy: Path, root_key: RootKey) -> Restored:
    fresh = settings.data / "restoring" / FILE_NAME
    fresh.parent.mkdir(exist_ok=True)
    _copy(copy, fresh, root_key)
    try:
        beside = CentralSettings(data=fresh.parent, key_file=settings.root_key_file())
        central = Central.open(beside)
    except KeyFileUnusable as error:
        raise BackupFailed(str(error)) from error
    try:
        epoch = central.renew_epoch()
    finally:
        central.close()
    kept = _keep(settings.data / FILE_NAME, root_key)
    for suffix in ("-wal", "-shm"):
        (settings.data / (FILE_NAME + suffix)).unlink(missing_ok=True)
    fresh.replace(settings.data / FILE_NAME)
    for left in fresh.parent.iterdir():
        left.unlink()
    fresh.parent.rmdir()
    _sync_folder(settings.data)
    return Restored(epoch, kept)


def _keep(database: Path, root_key: RootKey) -> Path | None:
    """A second name for the database that is about to be replaced; its log is folded in, or kept beside it unfolded."""
    if not database.exists():
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = database.with_name(f"{database.name}.replaced-{stamp}")
    wal, kept_wal = (path.with_name(f"{path.name}-wal") for path in (database, kept))
    os.link(database, kept)
    if wal.exists():
        os.link(wal, kept_wal)  # before SQLite looks: it throws away a log that does not fit a damaged file
    _fold(database, root_key)
    if kept_wal.exists() and not kept_wal.stat().st_size:
        kept_wal.unlink()
    return kept


def _fold(database: Path, root_key: RootKey) -> None:
    """What stands in the log beside the old database goes into it: a power cut before the exchange leaves it whole."""
    try:
        connection = connect_sqlcipher(database, root_key.database_key())
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            connection.close()
    except sqlcipher.Error as error:
        log.warning("the database that is replaced cannot be read any more", file=str(database), why=str(error))


def _demand_copy_of_key(database: Path, root_key: RootKey) -> None:
    """Raises BackupFailed where no recovery copy of the key is noted: the backup would die with this machine."""
    try:
        connection = connect_sqlcipher(database, root_key.database_key())
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (NOTE,)).fetchone()
        finally:
            connection.close()
    except sqlcipher.Error as error:
        raise BackupFailed(f"{database}: {error}") from error
    if copied_at(None if row is None else row[0], root_key) is None:
        raise BackupFailed(
            f"no recovery copy of the root key is noted, and without the key a backup opens nothing; {ADVICE}"
        )


def _note(database: Path, root_key: RootKey, at: datetime) -> None:
    """For `central doctor`. Raises BackupFailed: the copy itself is complete."""
    try:
        connection = connect_sqlcipher(database, root_key.database_key())
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}").close()
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (MADE, str(microseconds(at))),
            ).close()
        finally:
            connection.close()
    except sqlcipher.Error as error:
        raise BackupFailed(f"the copy is complete, but that it was made cannot be noted: {error}") from error


def _only_sqlite(settings: CentralSettings) -> None:
    if settings.database is not None:
        raise BackupFailed("PostgreSQL has its own tools: pg_dump and pg_restore, then `central renew-epoch`")


def _copy(source: Path, target: Path, root_key: RootKey) -> None:
    """Page by page into a new file that takes the target's name only when it is whole, checked and on disk."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    key = root_key.database_key()
    try:
        reading = connect_sqlcipher(source, key)
        try:
            writing = connect_sqlcipher(part, key)
            try:
                part.chmod(0o600)
                reading.backup(writing)
                writing.execute("PRAGMA journal_mode=DELETE").close()
                verdict = writing.execute("PRAGMA quick_check").fetchone()[0]
            finally:
                writing.close()
        finally:
            reading.close()
    except sqlcipher.Error as error:
        part.unlink(missing_ok=True)
        if _readable(source, key):
            raise BackupFailed(
                f"{target}: the copy cannot be written there ({error}); is there room, and may this account write? "
                "Nothing was changed"
            ) from error
        raise BackupFailed(
            f"{source}: it cannot be read with this root key ({error}): damaged, no copy of central, or of another central. "
            "Nothing was changed"
        ) from error
    if verdict != "ok":
        part.unlink(missing_ok=True)
        raise BackupFailed(f"{source}: damaged ({verdict}); take an older copy. Nothing was changed")
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    _sync_folder(target.parent)


def _readable(database: Path, key: bytes) -> bool:
    """Every page of it, so that a copy failed where it was written."""
    try:
        connection = connect_sqlcipher(database, key)
        try:
            return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
        finally:
            connection.close()
    except sqlcipher.Error:
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
