"""The kiosk's own log, which is also its outbox (DESIGN.md section 2, "One act"; B4, C3, C5).

One row per word, in sequence order without gaps; the verdict is written on the word's row. An act's effect is not
stored: what counts is what the words say. Under one id at most one request, then at most one last word (unique
indexes hold it). `ActsLog` is one connection for one thread: the station has one to write what happens, the sync
thread another to send and to note verdicts; SQLite's write lock orders them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import cast
from uuid import uuid4

import structlog

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Verdict, Word
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, MembershipId, Reason
from kiosk.ports import LedgerError, LedgerReason
from sync.encrypted import (
    Connection,
    checkpoint,
    connect,
    integrity,
    migrated,
    set_aside,
    transaction,
    translated,
)

log = structlog.get_logger(__name__)

HEAD = "acts_0001"
FILE = "acts.db"
PRUNE_SLICE = 250
BLIND = 5000
"""Numbers tried beyond the last readable row when nobody can say where a damaged log ends."""

_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = (
    "sequence, act, word, deed, membership, item, branch, happened_at, clock_offset_ms, mode, replica_age_ms, "
    "policy_version, due_at, request_sequence, outcome, reason, details, verdict_due_at, epoch, position"
)
_OF_ITEM = (
    f"SELECT {_COLUMNS} FROM word WHERE item = ? "
    "ORDER BY coalesce(request_sequence, sequence) DESC, sequence DESC LIMIT 64"
)
"""An item's words, the newest act first: a last word stands where its request stood, also when it was said again later."""


def prepare(folder: Path, key: bytes) -> None:
    """Make or migrate the file; the first one gets a new incarnation. Raises LedgerError."""
    path = folder / FILE
    migrated(path, key, "acts", HEAD)
    connection = connect(path, key, durable=True)
    try:
        with transaction(connection, path):
            connection.execute("INSERT INTO meta VALUES ('incarnation', ?) ON CONFLICT DO NOTHING", (uuid4().hex,))
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Rescue:
    """What became of a damaged log."""

    at: datetime
    """When it was put aside (aware UTC)."""
    said_again: int
    """Acts whose last word stands in the new log and will be sent (again)."""
    unclear: int
    """Requests of which it cannot be read whether they happened; a person must compare with the file kept aside."""


def prepare_or_rescue(folder: Path, key: bytes, now: datetime) -> Rescue | None:
    """At start: the file is whole, or what can be read of it begins a new one. Raises LedgerError.

    The damaged file is kept beside it. The new one is a new incarnation and tells every act again by its last word,
    which central judges once: what it knew stays, what it had not heard arrives.
    """
    path = folder / FILE
    try:
        prepare(folder, key)
        connection = connect(path, key, durable=True)
        try:
            integrity(connection, path)
        finally:
            connection.close()
    except LedgerError as error:
        if error.reason is not LedgerReason.DAMAGED:
            raise
        log.error("the acts file is damaged; what can be read begins a new one", detail=error.detail)
    else:
        return None
    aside = set_aside(path, f"damaged-{now:%Y%m%dT%H%M%S}")
    words, unclear = _readable(aside, key)
    prepare(folder, key)
    new = ActsLog(folder, key)
    try:
        rescue = Rescue(now, len(words), unclear)
        new.begin_with(words, rescue)
    finally:
        new.close()
    log.error("acts were rescued", said_again=rescue.said_again, unclear=unclear, kept_aside=aside.name)
    return rescue


def _readable(path: Path, key: bytes) -> tuple[list[tuple[Word, Act]], int]:
    """The last word of every act that can be read, in order, and how many requests stay unclear."""
    told: dict[ActId, dict[Word, tuple[Spoken, Verdict | None]]] = {}
    source = _Source(path, key)
    newest = source.one("SELECT max(sequence) FROM word")
    first = source.one("SELECT min(sequence) FROM word")
    number = 1 if first is None else cast(int, first[0] or 1)
    last = None if newest is None else cast(int, newest[0] or 0)
    found = number
    while number <= (found + BLIND if last is None else last):
        row = source.one(f"SELECT {_COLUMNS} FROM word WHERE sequence = ?", number)
        if row is not None:
            spoken, found = _spoken(row), number
            told.setdefault(spoken.act.id, {})[spoken.word] = (spoken, _verdict(row))
        number += 1
    words, unclear = [], 0
    for act_id, said in told.items():
        asked = said.get(Word.REQUEST)
        final = said.get(Word.FACT) or said.get(Word.WITHDRAWAL)
        if final is not None:
            words.append((final[0].word, final[0].act))
        elif asked is not None and asked[1] is not None:
            stands = asked[1].outcome.stands
            words.append((Word.FACT if stands else Word.WITHDRAWAL, _as_promised(asked[0].act, asked[1])))
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


class ActsLog:
    """One thread's view of the log. Every method may raise LedgerError; then nothing was written."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Opens a prepared file. Raises LedgerError."""
        self._path = folder / FILE
        self._db = connect(self._path, key, durable=True)
        self.incarnation = IncarnationId(self._meta("incarnation") or "")

    def close(self) -> None:
        self._db.close()

    # --- written by the station ---------------------------------------------------------------------------------

    def record(self, word: Word, act: Act) -> Spoken:
        """Write one word; on disk when this returns."""
        with transaction(self._db, self._path):
            return self._insert(word, act)

    def settle(self, verdict: Verdict) -> None:
        """Write what central said; on disk when this returns."""
        self.settle_all((verdict,))

    def open_requests(self) -> tuple[Act, ...]:
        """Requests with neither verdict nor last word: the process died while asking."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM word AS asked WHERE outcome IS NULL AND word = 'request' AND NOT EXISTS "
            "(SELECT 1 FROM word AS last WHERE last.act = asked.act AND last.word <> 'request') ORDER BY sequence"
        )
        return tuple(_spoken(row).act for row in rows)

    def newest(self) -> datetime | None:
        """Kiosk time of the newest word; None in an empty log."""
        rows = self._read("SELECT happened_at FROM word ORDER BY sequence DESC LIMIT 1")
        return _moment(cast(int, rows[0][0])) if rows else None

    def check(self) -> None:
        """Prove that the log can be written."""
        with transaction(self._db, self._path) as db:
            db.execute("INSERT INTO meta VALUES ('checked', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1")

    def begin_with(self, words: Iterable[tuple[Word, Act]], rescue: Rescue) -> None:
        """The first words of a new log, rescued from a damaged one."""
        with transaction(self._db, self._path) as db:
            for word, act in words:
                self._insert(word, act)
            note = json.dumps([rescue.at.isoformat(), rescue.said_again, rescue.unclear])
            db.execute("INSERT INTO meta VALUES ('rescue', ?)", (note,))

    def rescue(self) -> Rescue | None:
        """How this log began, if a damaged one was before it."""
        note = self._meta("rescue")
        if note is None:
            return None
        at, said_again, unclear = json.loads(note)
        return Rescue(datetime.fromisoformat(at), said_again, unclear)

    # --- read by the station to lay own acts over the replica ----------------------------------------------------

    def standing(self, item: ItemId, epoch: str, position: int) -> tuple[Spoken, Verdict | None] | None:
        """The newest own checkout or return of this item that counts, if a replica at (epoch, position) lacks it."""
        decided: dict[str, Word] = {}
        for row in self._read(_OF_ITEM, item):
            spoken, verdict = _spoken(row), _verdict(row)
            last = decided.setdefault(spoken.act.id, spoken.word)
            if spoken.act.deed is not Deed.RENEW and _stands(spoken.word, last, verdict):
                return None if _passed(verdict, epoch, position) else (spoken, verdict)
        return None

    def renewed(self, item: ItemId, epoch: str, position: int) -> tuple[datetime, int] | None:
        """Newest due date and number of own renewals of this item since its checkout that the replica lacks."""
        due, count = None, 0
        decided: set[ActId] = set()
        for row in self._read(_OF_ITEM, item):
            spoken, verdict = _spoken(row), _verdict(row)
            if spoken.act.deed is not Deed.RENEW:
                break
            if spoken.act.id in decided:
                continue
            decided.add(spoken.act.id)
            if _stands(spoken.word, spoken.word, verdict) and not _passed(verdict, epoch, position):
                due = due or (verdict.due_at if verdict is not None and verdict.due_at else spoken.act.due_at)
                count += 1
        return None if due is None else (due, count)

    def items_lent_to(self, membership: MembershipId, epoch: str, position: int) -> tuple[ItemId, ...]:
        """Items of own checkouts for this membership that a replica at (epoch, position) may lack.

        Who has them now is `standing`'s business. What the replica has passed it tells by itself, so a reader of many
        books costs no more than a new one.
        """
        rows = self._read(
            "SELECT DISTINCT item FROM word WHERE membership = ? AND deed = 'checkout' "
            "AND (outcome IS NULL OR epoch <> ? OR position > ?)",
            membership,
            epoch,
            position,
        )
        return tuple(ItemId(str(row[0])) for row in rows)

    # --- the outbox, for the sync thread -------------------------------------------------------------------------

    def newest_word(self, act: ActId) -> Spoken | None:
        """The newest word of an act."""
        rows = self._read(f"SELECT {_COLUMNS} FROM word WHERE act = ? ORDER BY sequence DESC LIMIT 1", act)
        return _spoken(rows[0]) if rows else None

    def unsent(self, limit: int) -> tuple[Spoken, ...]:
        """Facts and withdrawals without a verdict, oldest first."""
        return tuple(
            _spoken(row)
            for row in self._read(
                f"SELECT {_COLUMNS} FROM word WHERE outcome IS NULL AND word <> 'request' ORDER BY sequence LIMIT ?",
                limit,
            )
        )

    def words(self) -> Iterator[tuple[Spoken, Verdict | None]]:
        """The whole log in its order, each word with what central said of it; for looking and checking."""
        for row in self._read(f"SELECT {_COLUMNS} FROM word ORDER BY sequence"):
            yield _spoken(row), _verdict(row)

    def queue(self) -> tuple[int, datetime | None]:
        """How many words wait, and since when."""
        rows = self._read("SELECT count(*), min(happened_at) FROM word WHERE outcome IS NULL AND word <> 'request'")
        count, oldest = cast("tuple[int, int | None]", rows[0])
        return count, None if oldest is None else _moment(oldest)

    def settle_all(self, verdicts: Iterable[Verdict]) -> None:
        """Write verdicts in one commit; a word that has one of this epoch keeps it.

        A verdict of another epoch than the one agreed on comes from a central that was restored since, and may be lost
        there: a last word stays in the outbox, and what a patron is told on a request is said again as a last word.
        """
        with transaction(self._db, self._path) as db:
            known = self._meta("epoch")
            for verdict in verdicts:
                if known is None or verdict.epoch == known:
                    self._write_verdict(verdict)
                elif verdict.word is Word.REQUEST and self._write_verdict(verdict):
                    asked = db.execute(
                        f"SELECT {_COLUMNS} FROM word AS asked WHERE act = ? AND NOT EXISTS "
                        "(SELECT 1 FROM word AS last WHERE last.act = asked.act AND last.word <> 'request')",
                        (verdict.act_id,),
                    ).fetchall()
                    self._say_last_words(asked)

    def _write_verdict(self, verdict: Verdict) -> bool:
        """True when this word had none of this epoch."""
        details = json.dumps(dict(verdict.details), ensure_ascii=False) if verdict.details else None
        written = self._db.execute(
            "UPDATE word SET outcome = ?, reason = ?, details = ?, verdict_due_at = ?, epoch = ?, position = ? "
            "WHERE act = ? AND word = ? AND (outcome IS NULL OR epoch <> ?)",
            (
                verdict.outcome,
                verdict.reason,
                details,
                _micros(verdict.due_at),
                verdict.epoch,
                verdict.position,
                verdict.act_id,
                verdict.word,
                verdict.epoch,
            ),
        )
        return bool(written.rowcount)

    def agree(self, epoch: str, held_through: int) -> int:
        """Hear central's epoch and how much of this log it holds; returns how many words must be sent again.

        A new epoch or a lower sequence (central was restored from a backup): what was settled beyond `held_through`
        is said again as last words (an accepted request as a fact, a refused one as a withdrawal); what central
        holds counts as passed by any feed of the new epoch.
        """
        known, held = self._meta("epoch"), int(self._meta("held_through") or 0)
        if known == epoch and held_through == held:
            return 0
        again = 0
        with transaction(self._db, self._path) as db:
            if known is not None and (known != epoch or held_through < held):
                again = self._say_again(epoch, held_through)
            for key, value in (("epoch", epoch), ("held_through", str(held_through))):
                db.execute(
                    "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, value),
                )
        return again

    def prune(self, before: datetime) -> int:
        """Forget settled acts older than `before` that central holds; the newest row stays, for the sequence.

        In commits of a few hundred rows, so that a scan never waits long for the lock.
        """
        forgotten = 0
        while True:
            with transaction(self._db, self._path) as db:
                gone: int = db.execute(
                    "DELETE FROM word WHERE sequence IN (SELECT sequence FROM word WHERE happened_at < ? "
                    "AND sequence <= ? AND sequence < (SELECT max(sequence) FROM word) "
                    "AND EXISTS (SELECT 1 FROM word AS said WHERE said.act = word.act AND said.outcome IS NOT NULL) "
                    "AND NOT EXISTS (SELECT 1 FROM word AS other WHERE other.act = word.act AND other.outcome IS NULL "
                    f"AND other.word <> 'request') ORDER BY sequence LIMIT {PRUNE_SLICE})",
                    (_micros(before), int(self._meta("held_through") or 0)),
                ).rowcount
            forgotten += gone
            if gone < PRUNE_SLICE:
                return forgotten

    def checkpoint(self) -> None:
        checkpoint(self._db, self._path)

    # --- inside --------------------------------------------------------------------------------------------------

    def _say_again(self, epoch: str, held_through: int) -> int:
        connection = self._db
        connection.execute(
            "UPDATE word SET epoch = ?, position = 0 WHERE sequence <= ? AND outcome IS NOT NULL", (epoch, held_through)
        )
        settled = connection.execute(
            f"SELECT {_COLUMNS} FROM word AS asked WHERE sequence > ? AND word = 'request' AND outcome IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM word AS last WHERE last.act = asked.act AND last.word <> 'request') "
            "ORDER BY sequence",
            (held_through,),
        ).fetchall()
        connection.execute(
            "UPDATE word SET outcome = NULL, position = NULL WHERE sequence > ? AND word <> 'request'", (held_through,)
        )
        self._say_last_words(settled)
        return int(
            connection.execute("SELECT count(*) FROM word WHERE outcome IS NULL AND word <> 'request'").fetchone()[0]
        )

    def _say_last_words(self, settled: Iterable[Sequence[object]]) -> None:
        """Of requests with a verdict: what stands is a fact now, what does not is withdrawn."""
        for row in settled:
            spoken, verdict = _spoken(row), _verdict(row)
            stands = verdict is not None and verdict.outcome.stands
            self._insert(Word.FACT if stands else Word.WITHDRAWAL, _as_promised(spoken.act, verdict))

    def _insert(self, word: Word, act: Act) -> Spoken:
        asked = self._db.execute("SELECT sequence FROM word WHERE act = ? AND word = 'request'", (act.id,)).fetchone()
        request_sequence = None if asked is None or word is Word.REQUEST else int(asked[0])
        cursor = self._db.execute(
            "INSERT INTO word (act, word, deed, membership, item, branch, happened_at, clock_offset_ms, mode, "
            "replica_age_ms, policy_version, due_at, request_sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                act.id,
                word,
                act.deed,
                act.membership,
                act.item,
                act.branch,
                _micros(act.happened_at),
                _millis(act.clock_offset),
                act.mode,
                _millis(act.replica_age),
                act.policy_version,
                _micros(act.due_at),
                request_sequence,
            ),
        )
        return Spoken(sequence=int(cursor.lastrowid), word=word, act=act, request_sequence=request_sequence)

    def _meta(self, key: str) -> str | None:
        rows = self._read("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def _read(self, query: str, *parameters: object) -> Sequence[tuple[object, ...]]:
        with translated(self._path):
            return cast("list[tuple[object, ...]]", self._db.execute(query, parameters).fetchall())


def _stands(word: Word, last: Word, verdict: Verdict | None) -> bool:
    """Does this word say that its act counts? `last` is the newest word of the same act."""
    if last is Word.WITHDRAWAL or word is Word.WITHDRAWAL:
        return False
    if word is Word.FACT:
        return verdict is None or verdict.outcome.stands
    return last is Word.REQUEST and verdict is not None and verdict.outcome.stands


def _passed(verdict: Verdict | None, epoch: str, position: int) -> bool:
    """Position 0: central held it before its epoch began, so any feed of that epoch has it; an older feed may not."""
    return verdict is not None and verdict.epoch == epoch and verdict.position <= position


def _as_promised(act: Act, verdict: Verdict | None) -> Act:
    """The act with the due date that the patron was told."""
    if verdict is None or verdict.due_at is None:
        return act
    return replace(act, due_at=verdict.due_at)


def _spoken(row: Sequence[object]) -> Spoken:
    (sequence, act, word, deed, membership, item, branch, happened, offset, mode, age, policy, due, request) = cast(
        "tuple[int, str, str, str, str | None, str, str, int, int | None, str, int | None, str | None, int | None, "
        "int | None]",
        tuple(row[:14]),
    )
    return Spoken(
        sequence=sequence,
        word=Word(word),
        request_sequence=request,
        act=Act(
            id=ActId(act),
            deed=Deed(deed),
            membership=None if membership is None else MembershipId(membership),
            item=ItemId(item),
            branch=BranchId(branch),
            happened_at=_moment(happened),
            clock_offset=None if offset is None else timedelta(milliseconds=offset),
            mode=Mode(mode),
            replica_age=None if age is None else timedelta(milliseconds=age),
            policy_version=policy,
            due_at=None if due is None else _moment(due),
        ),
    )


def _verdict(row: Sequence[object]) -> Verdict | None:
    act, word = str(row[1]), str(row[2])
    outcome, reason, details, due, epoch, position = cast(
        "tuple[str | None, str | None, str | None, int | None, str | None, int | None]", tuple(row[14:])
    )
    if outcome is None:
        return None
    return Verdict(
        act_id=ActId(act),
        word=Word(word),
        outcome=Outcome(outcome),
        reason=None if reason is None else Reason(reason),
        details=MappingProxyType(json.loads(details) if details else {}),
        due_at=None if due is None else _moment(due),
        epoch=epoch or "",
        position=position or 0,
    )


def _moment(micros: int) -> datetime:
    return _EPOCH_START + timedelta(microseconds=micros)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH_START) // _MICROSECOND


def _millis(span: timedelta | None) -> int | None:
    return None if span is None else round(span / timedelta(milliseconds=1))
