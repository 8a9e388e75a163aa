"""A damaged acts file is kept aside, and what can be read of it goes on as a new incarnation, and says so (C3).

Run once at start, before any other connection is open.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

import structlog

from kiosk.domain.journal import Act, Spoken, Verdict, Word
from kiosk.domain.values import ActId
from kiosk.ports import LedgerError, LedgerReason
from sync.act_rows import COLUMNS, as_promised, spoken_of, verdict_of
from sync.acts import FILE, HEAD, ActsLog, Rescue, prepare
from sync.encrypted import Connection, connect, integrity, set_aside, translated

log = structlog.get_logger(__name__)

BLIND = 5000
"""Numbers tried beyond the last readable row when nobody can say where a damaged log ends."""


def prepare_or_rescue(folder: Path, key: bytes, now: datetime) -> Rescue | None:
    """At start: the file is whole, or what can be read of it begins a new one. Raises LedgerError.

    The damaged file is kept beside it. The new one is a new incarnation and tells every act again by its last word,
    which central judges once: what it knew stays, what it had not heard arrives.
    """
    path = folder / FILE
    try:
        if path.exists():
            _read_through(path, key)  # before a new program changes anything in it
        prepare(folder, key)
    except LedgerError as error:
        if error.reason is not LedgerReason.DAMAGED:
            raise
        log.error("the acts file is damaged; what can be read begins a new one", detail=error.detail)
    else:
        return None
    aside = set_aside(path, f"damaged-{now:%Y%m%dT%H%M%S}")
    words, unclear = _readable(aside, key)
    whose = _Source(aside, key).one("SELECT value FROM meta WHERE key = 'kiosk'")
    prepare(folder, key)
    new = ActsLog(folder, key)
    try:
        rescue = Rescue(now, len(words), unclear)
        new.begin_with(words, rescue, None if whose is None else str(whose[0]))
    finally:
        new.close()
    log.error("acts were rescued", said_again=rescue.said_again, unclear=unclear, kept_aside=aside.name)
    return rescue


def _read_through(path: Path, key: bytes) -> None:
    """Every page is what was written. Raises LedgerError; NEWER_SCHEMA for a damaged file that a newer program wrote."""
    connection = connect(path, key, durable=True)
    try:
        integrity(connection, path)
    except LedgerError as error:
        newer = _Source(path, key).one("SELECT version_num FROM alembic_version WHERE version_num > ?", HEAD)
        if newer is not None:
            detail = f"{error.detail}; it has revision {newer[0]}, only that newer program can rescue it"
            raise LedgerError(LedgerReason.NEWER_SCHEMA, detail) from error
        raise
    finally:
        connection.close()


def _readable(path: Path, key: bytes) -> tuple[list[tuple[Word, Act]], int]:
    """The last word of every act that can be read, in order, and how many requests stay unclear."""
    told: dict[ActId, dict[Word, tuple[Spoken, Verdict | None]]] = {}
    source = _Source(path, key)
    newest = source.one("SELECT max(sequence) FROM word")
    first = source.one("SELECT min(sequence) FROM word")
    named = source.one("SELECT group_concat(name) FROM pragma_table_info('word')")
    known = set(str(named[0]).split(",") if named is not None else ())
    columns = ", ".join(  # damaged before it could be migrated: what an older program did not write is not known
        name if name in known else "NULL" for name in COLUMNS.split(", ")
    )
    number = 1 if first is None else cast(int, first[0] or 1)
    last = None if newest is None else cast(int, newest[0] or 0)
    found = number
    while number <= (found + BLIND if last is None else last):
        row = source.one(f"SELECT {columns} FROM word WHERE sequence = ?", number)
        if row is not None:
            spoken, found = spoken_of(row), number
            told.setdefault(spoken.act.id, {})[spoken.word] = (spoken, verdict_of(row))
        number += 1
    words, unclear = [], 0
    for act_id, said in told.items():
        asked = said.get(Word.REQUEST)
        final = said.get(Word.FACT) or said.get(Word.WITHDRAWAL)
        if final is not None:
            words.append((final[0].word, final[0].act))
        elif asked is not None and asked[1] is not None:
            stands = asked[1].outcome.stands
            words.append((Word.FACT if stands else Word.WITHDRAWAL, as_promised(asked[0].act, asked[1])))
        elif asked is not None:
            settled = source.one("SELECT count(*) FROM word WHERE act = ? AND word <> 'request'", act_id)
            if settled is not None and settled[0] == 0:
                words.append((Word.WITHDRAWAL, asked[0].act))  # it was open: as after any other death
            else:
                unclear += 1
    source.close()
    return words, unclear


class _Source:
    """A damaged file, read row by row; each error costs a new connection, for it spoils the old one."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key
        self._db: Connection | None = None

    def one(self, query: str, *parameters: object) -> Sequence[object] | None:
        """The first row, or None when there is none or it cannot be read."""
        try:
            self._db = self._db or connect(self._path, self._key, durable=False)
            with translated(self._path):
                return cast("Sequence[object] | None", self._db.execute(query, parameters).fetchone())
        except LedgerError:
            self.close()
            return None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
