"""The recovery copy of the root key: written on request, noted in the database, demanded before any backup.

Without the root key a backup opens nothing, so a backup is only worth making when the key lies somewhere else as well.
That somebody carried the copy away from this machine no program can see; that one was made, and of this very key, it
can: the note holds the key's fingerprint and the date, and goes into every backup. Any thread; blocking.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from sync.central import tables
from sync.central.database import Database, upsert
from sync.central.in_folder import refuse_missing
from sync.central.keys import KeyFileUnusable, RootKey, load_or_make, write_key
from sync.central.records import microseconds, moment
from sync.central.registry import Change

NOTE = "key copy"
"""Where the note stands in `meta`: fingerprint, a space, microseconds since 1970."""
ADVICE = "run `shelfpoint central key copy FILE` and keep FILE apart from this machine"


class KeyCopy:
    """Whether the key can be lost with its machine."""

    def __init__(self, database: Database, root_key: RootKey, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._root_key = root_key
        self._clock = clock

    def write(self, path: Path, data: Path, *, key_file: Path, who: str) -> str:
        """A copy at `path`, readable by its owner only, outside `data`; noted, and its fingerprint returned.

        A file that is there already is never overwritten: if it holds this key it counts as the copy. Raises
        KeyFileUnusable, MissingFolder.
        """
        if path.absolute().resolve().is_relative_to(data.absolute().resolve()):
            raise KeyFileUnusable(f"{path}: the copy must lie outside the data folder {data}")
        if path.exists() and path.samefile(key_file):
            raise KeyFileUnusable(f"{path}: this is the key itself; the copy must be another file")
        if not path.exists():
            refuse_missing(path)
            write_key(path, self._root_key)
        if load_or_make(path, make=False) != self._root_key:
            raise KeyFileUnusable(f"{path}: there is another file here already; name a new one")
        own, now = self._root_key.fingerprint(), self._clock()
        with self._database.write() as connection:
            upsert(connection, tables.meta, [{"key": NOTE, "value": f"{own} {microseconds(now)}"}])
            Change(connection, who, now).audit("recovery copy of the key made", own)
        return own

    def made_at(self) -> datetime | None:
        """When the newest copy of this key was noted; None if there is none."""
        with self._database.read() as connection:
            value = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == NOTE)).scalar()
        return copied_at(value, self._root_key)


def copied_at(note: str | None, root_key: RootKey) -> datetime | None:
    """What a note says of this key; one of another key says nothing."""
    fingerprint, _, at = (note or "").partition(" ")
    return moment(int(at)) if fingerprint == root_key.fingerprint() else None
