"""The kiosk's own log, which is also its outbox (DESIGN.md section 2, "One act"; B4, C3, C5).

One row per word, in sequence order without gaps; the verdict is written on the word's row. An act's effect is not
stored: what counts is what the words say. Under one id at most one request, then at most one last word (unique
indexes hold it). `ActsLog` is one connection for one thread: the station has one to write what happens, the sync
thread another to send and to note verdicts; SQLite's write lock orders them.
"""

import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

import structlog

from kiosk.domain.journal import Act, Deed, Spoken, Verdict, Word
from kiosk.domain.staff import Entry
from kiosk.domain.values import ActId, IncarnationId, ItemId, MembershipId
from sync.act_rows import COLUMNS, as_promised, micros, millis, moment, spoken_of, verdict_of
from sync.encrypted import (
    checkpoint,
    connect,
    connect_prepared,
    migrated,
    transaction,
    translated,
)
from sync.sealing import seal_some
from sync.unshown import left_unshown, mark_seen, mark_shown

log = structlog.get_logger(__name__)

HEAD = "acts_0009"
FILE = "acts.db"
PRUNE_SLICE = 250
QUEUE = "SELECT count(*), min(happened_at) FROM word WHERE outcome IS NULL AND word <> 'request'"
_OF_ITEM = (
    f"SELECT {COLUMNS} FROM word WHERE item = ? "
    "ORDER BY coalesce(request_sequence, sequence) DESC, sequence DESC LIMIT 64"
)
"""An item's words, the newest act first: a last word stands where its request stood, also when it was said again later.

In the order of the index `word_of_item`, so that the newest word costs the same however often the item went out."""


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


@dataclass(frozen=True, slots=True)
class OwnActs:
    """What own acts of one item say beyond a replica."""

    standing: tuple[Spoken, Verdict | None] | None
    """The newest checkout or return that counts."""
    due_at: datetime | None
    """The newest due date of the renewals since; None without any."""
    renewals: int
    """How many they are."""


class ActsLog:
    """One thread's view of the log. Every method may raise LedgerError; then nothing was written."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Opens a prepared file. Raises LedgerError."""
        self._path = folder / FILE
        self._db = connect_prepared(self._path, key, durable=True)
        self.incarnation = IncarnationId(self._meta("incarnation") or "")

    def close(self) -> None:
        self._db.close()

    # --- written by the station ---------------------------------------------------------------------------------

    def record(self, word: Word, act: Act) -> Spoken:
        """Write one word; on disk when this returns."""
        with transaction(self._db, self._path):
            return self._insert(word, act, shown=act.deed.of_the_kiosk or word is Word.WITHDRAWAL)

    def settle(self, verdict: Verdict) -> None:
        """Write what central said; on disk when this returns."""
        self.settle_all((verdict,))

    def open_requests(self) -> tuple[Act, ...]:
        """Requests with neither verdict nor last word: the process died while asking."""
        rows = self._read(
            f"SELECT {COLUMNS} FROM word AS asked WHERE outcome IS NULL AND word = 'request' AND NOT EXISTS "
            "(SELECT 1 FROM word AS last WHERE last.act = asked.act AND last.word <> 'request') ORDER BY sequence"
        )
        return tuple(spoken_of(row).act for row in rows)

    def newest(self) -> datetime | None:
        """The latest of the newest word by the kiosk's clock, by central's, and of central's clock as noted; None in an empty log."""
        rows = self._read("SELECT happened_at, clock_offset_ms FROM word ORDER BY sequence DESC LIMIT 1")
        if not rows:
            return None
        happened, offset_ms = cast("tuple[int, int | None]", rows[0])
        ((noted,),) = cast("list[tuple[int | None]]", self._read("SELECT max(at) FROM held"))
        return moment(max(happened, happened + 1000 * (offset_ms or 0), noted or 0))

    def shown(self, acts: Collection[ActId]) -> None:
        """A screen shows what their words say; not on disk yet when this returns."""
        mark_shown(self._db, self._path, acts)

    def unshown(self) -> tuple[Act, ...]:
        """Acts of earlier lives that count and that no screen may have shown; until staff have seen them."""
        return left_unshown(self._db, self._path)

    def seen(self, acts: Collection[ActId]) -> None:
        """Staff have seen that these were not shown."""
        mark_seen(self._db, self._path, acts)

    def check(self) -> None:
        """Prove that the log can be written."""
        with transaction(self._db, self._path) as db:
            db.execute("INSERT INTO meta VALUES ('checked', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1")

    def begin_with(self, words: Iterable[tuple[Word, Act]], rescue: Rescue, kiosk: str | None) -> None:
        """The first words of a new log, rescued from a damaged one, which was this kiosk's."""
        with transaction(self._db, self._path) as db:
            for word, act in words:
                self._insert(word, act)
            note = json.dumps([rescue.at.isoformat(), rescue.said_again, rescue.unclear])
            db.execute("INSERT INTO meta VALUES ('rescue', ?)", (note,))
            if kiosk is not None:
                self._note("kiosk", kiosk)

    def rescue(self) -> Rescue | None:
        """How this log began, if a damaged one was before it."""
        note = self._meta("rescue")
        if note is None:
            return None
        at, said_again, unclear = json.loads(note)
        return Rescue(datetime.fromisoformat(at), said_again, unclear)

    # --- read by the station to lay own acts over the replica ----------------------------------------------------

    def own(self, item: ItemId, epoch: str, position: int) -> OwnActs:
        """What own acts of this item say that a replica at (epoch, position) lacks."""
        due, renewals, moved = None, 0, False
        decided: dict[ActId, Word] = {}
        with closing(self._of_item(item)) as words:
            for spoken, verdict in words:
                act, told_before = spoken.act, spoken.act.id in decided
                stands = _stands(spoken.word, decided.setdefault(act.id, spoken.word), verdict)
                lacked = not _passed(verdict, epoch, position)
                if act.deed in (Deed.CHECKOUT, Deed.RETURN):
                    moved = True
                    if stands:
                        return OwnActs((spoken, verdict) if lacked else None, due, renewals)
                elif act.deed is Deed.RENEW and stands and lacked and not (moved or told_before):
                    due = due or (verdict.due_at if verdict is not None and verdict.due_at else act.due_at)
                    renewals += 1
        return OwnActs(None, due, renewals)

    def standing(self, item: ItemId, epoch: str, position: int) -> tuple[Spoken, Verdict | None] | None:
        """The newest own checkout or return of this item that counts, if a replica at (epoch, position) lacks it."""
        return self.own(item, epoch, position).standing

    def took_back(self, act: ActId, epoch: str, position: int) -> bool:
        """This own act was withdrawn, and a replica at (epoch, position) may not know it yet."""
        rows = self._read(f"SELECT {COLUMNS} FROM word WHERE act = ? ORDER BY sequence DESC LIMIT 1", act)
        return any(
            spoken_of(row).word is Word.WITHDRAWAL and not _passed(verdict_of(row), epoch, position) for row in rows
        )

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

    def holds_served(self, holds: Sequence[ActId], epoch: str, position: int) -> frozenset[ActId]:
        """Those for which own returns set a copy aside that a replica at (epoch, position) may lack."""
        if not holds:
            return frozenset()
        rows = self._read(
            f"SELECT hold FROM word WHERE hold IN ({', '.join('?' * len(holds))}) AND deed = 'return' "
            "AND (outcome IS NULL OR epoch <> ? OR position > ?)",
            *holds,
            epoch,
            position,
        )
        return frozenset(ActId(str(row[0])) for row in rows)

    def ever_set_aside(self, item: ItemId) -> bool:
        """True when an own act of this copy names a hold; one look into a small index."""
        return bool(self._read("SELECT 1 FROM word WHERE hold IS NOT NULL AND item = ? LIMIT 1", item))

    def set_aside(self, item: ItemId, epoch: str, position: int) -> ActId | None:
        """The hold for which the newest own act of this copy set it aside, if such a replica may lack it."""
        own = self.standing(item, epoch, position) if self.ever_set_aside(item) else None
        return None if own is None or own[0].act.deed is not Deed.RETURN else own[0].act.hold

    def hold_deeds(
        self, membership: MembershipId, epoch: str, position: int
    ) -> tuple[tuple[Spoken, Verdict | None], ...]:
        """Own placings and cancellations for this membership that count, and that such a replica may lack."""
        rows = self._read(
            f"SELECT {COLUMNS} FROM word WHERE membership = ? AND deed IN ('place_hold', 'cancel_hold') "
            "ORDER BY sequence DESC",
            membership,
        )
        decided: dict[ActId, Word] = {}
        found = []
        for row in rows:
            spoken, verdict = spoken_of(row), verdict_of(row)
            last = decided.setdefault(spoken.act.id, spoken.word)
            if _stands(spoken.word, last, verdict) and not _passed(verdict, epoch, position):
                found.append((spoken, verdict))
        return tuple(reversed(found))

    # --- tries to open the staff page ------------------------------------------------------------------------------

    def staff_tries(self, since: datetime) -> tuple[tuple[datetime, Entry], ...]:
        """Tries from this kiosk time on, oldest first; what holds the pause over a restart is the log itself."""
        rows = self._read(
            "SELECT happened_at, entry FROM word WHERE deed = 'staff_entry' AND happened_at >= ? ORDER BY sequence",
            micros(since),
        )
        return tuple((moment(cast(int, at)), Entry(str(entry))) for at, entry in rows)

    # --- the outbox, for the sync thread -------------------------------------------------------------------------

    def newest_word(self, act: ActId) -> Spoken | None:
        """The newest word of an act."""
        rows = self._read(f"SELECT {COLUMNS} FROM word WHERE act = ? ORDER BY sequence DESC LIMIT 1", act)
        return spoken_of(rows[0]) if rows else None

    def unsent(self, limit: int, after: int = 0) -> tuple[Spoken, ...]:
        """Facts and withdrawals without a verdict, oldest first, beyond the place `after`."""
        return tuple(
            spoken_of(row)
            for row in self._read(
                f"SELECT {COLUMNS} FROM word WHERE outcome IS NULL AND word <> 'request' AND sequence > ? "
                "ORDER BY sequence LIMIT ?",
                after,
                limit,
            )
        )

    def words(self) -> Iterator[tuple[Spoken, Verdict | None]]:
        """The whole log in its order, each word with what central said of it; for looking and checking."""
        for row in self._read(f"SELECT {COLUMNS} FROM word ORDER BY sequence"):
            yield spoken_of(row), verdict_of(row)

    def queue(self) -> tuple[int, datetime | None]:
        """How many words wait, and since when."""
        rows = self._read(QUEUE)
        count, oldest = cast("tuple[int, int | None]", rows[0])
        return count, None if oldest is None else moment(oldest)

    def waits(self) -> bool:
        """Whether any word does; costs the same however many do."""
        return bool(self._read("SELECT 1 FROM word WHERE outcome IS NULL AND word <> 'request' LIMIT 1"))

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
                        f"SELECT {COLUMNS} FROM word AS asked WHERE act = ? AND NOT EXISTS "
                        "(SELECT 1 FROM word AS last WHERE last.act = asked.act AND last.word <> 'request')",
                        (verdict.act_id,),
                    ).fetchall()
                    self._say_last_words(asked)

    def _write_verdict(self, verdict: Verdict) -> bool:
        """True when this word had none of this epoch."""
        details = json.dumps(dict(verdict.details), ensure_ascii=False) if verdict.details else None
        written = self._db.execute(
            "UPDATE word SET outcome = ?, reason = ?, details = iif(sealed IS NULL, ?, NULL), "
            "verdict_due_at = iif(sealed IS NULL, ?, NULL), epoch = ?, position = ?, "
            "hold = iif(sealed IS NULL, coalesce(hold, ?), NULL), "
            "shown = CASE WHEN word = 'request' THEN 0 ELSE shown END WHERE act = ? AND word = ? AND (outcome IS NULL OR epoch <> ?)",
            (
                verdict.outcome,
                verdict.reason,
                details,
                micros(verdict.due_at),
                verdict.epoch,
                verdict.position,
                verdict.hold,
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
        with transaction(self._db, self._path):
            if known is not None and (known != epoch or held_through < held):
                again = self._say_again(epoch, held_through)
            self._note("epoch", epoch)
            self._note("held_through", str(held_through))
        return again

    def note_held(self, at: datetime) -> None:
        """Central's clock says `at`, and it holds the log as far as `agree` was told last."""
        held = int(self._meta("held_through") or 0)
        with transaction(self._db, self._path) as db:
            db.execute("DELETE FROM held WHERE at > ?", (micros(at),))  # its clock was ahead then, or is behind now
            newest = db.execute("SELECT through FROM held ORDER BY at DESC LIMIT 1").fetchone()
            if newest is None or newest[0] != held:
                db.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (micros(at), held))

    def prune(self, before: datetime) -> int:
        """Forget settled acts that central held by `before` (its clock); the newest row stays, for the sequence.

        What counts is since when central has them, not when they happened: a backup made later has them too, and no
        wrong clock of the kiosk can make an act old. In commits of a few hundred rows, so that a scan never waits long
        for the lock.
        """
        mark = self._read("SELECT at, through FROM held WHERE at <= ? ORDER BY at DESC LIMIT 1", micros(before))
        if not mark:
            return 0
        at, through = mark[0]
        forgotten = 0
        while True:
            with transaction(self._db, self._path) as db:
                gone: int = db.execute(
                    "DELETE FROM word WHERE sequence IN (SELECT sequence FROM word WHERE sequence <= ? "
                    "AND sequence < (SELECT max(sequence) FROM word) "
                    "AND EXISTS (SELECT 1 FROM word AS said WHERE said.act = word.act AND said.outcome IS NOT NULL) "
                    "AND NOT EXISTS (SELECT 1 FROM word AS other WHERE other.act = word.act AND other.outcome IS NULL "
                    f"AND other.word <> 'request') ORDER BY sequence LIMIT {PRUNE_SLICE})",
                    (through,),
                ).rowcount
                if gone < PRUNE_SLICE:
                    db.execute("DELETE FROM held WHERE at < ?", (at,))
            forgotten += gone
            if gone < PRUNE_SLICE:
                return forgotten

    def seal(self, epoch: str, position: int, sealed: Callable[[Spoken], bytes]) -> int:
        """See `sealing.seal_some`; returns how many words were sealed, 0 when none is left to be."""
        return seal_some(self._db, self._path, (epoch, position), sealed)

    # --- whose it is ------------------------------------------------------------------------------------------------

    def kiosk(self) -> str | None:
        """The kiosk under whose name it is told; None until somebody has said so."""
        return self._meta("kiosk")

    def note_kiosk(self, name: str) -> None:
        """It is told under this name."""
        with transaction(self._db, self._path):
            self._note("kiosk", name)

    # --- parcels ---------------------------------------------------------------------------------------------------

    def next_parcel(self) -> int:
        """A number that no parcel of this log has had."""
        with transaction(self._db, self._path):
            number = int(self._meta("parcel") or 0) + 1
            self._note("parcel", str(number))
        return number

    def told_at(self) -> datetime | None:
        """Central's clock in the newest answer that came in a parcel."""
        told = self._meta("told_at")
        return None if told is None else datetime.fromisoformat(told)

    def answered(self) -> int:
        """The newest of this log's parcels to which an answer was taken; 0 before the first."""
        return int(self._meta("answered") or 0)

    def note_told(self, at: datetime, number: int, *, unpacks: bool) -> None:
        """The answer to this parcel was taken to its end; `unpacks`: central reads packed ones."""
        self.note_held(at)
        with transaction(self._db, self._path):
            self._note("told_at", at.isoformat())
            self._note("answered", str(max(number, self.answered())))
            self._note("central_unpacks", str(int(unpacks)))

    def central_unpacks(self) -> bool:
        """Central has said in a parcel that it reads packed ones."""
        return self._meta("central_unpacks") == "1"

    def checkpoint(self) -> None:
        checkpoint(self._db, self._path)

    # --- inside --------------------------------------------------------------------------------------------------

    def _say_again(self, epoch: str, held_through: int) -> int:
        connection = self._db
        connection.execute("DELETE FROM held WHERE through > ?", (held_through,))
        connection.execute(
            "UPDATE word SET epoch = ?, position = 0 WHERE sequence <= ? AND outcome IS NOT NULL", (epoch, held_through)
        )
        settled = connection.execute(
            f"SELECT {COLUMNS} FROM word AS asked WHERE sequence > ? AND word = 'request' AND outcome IS NOT NULL "
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
            spoken, verdict = spoken_of(row), verdict_of(row)
            stands = verdict is not None and verdict.outcome.stands
            self._insert(Word.FACT if stands else Word.WITHDRAWAL, as_promised(spoken.act, verdict))

    def _insert(self, word: Word, act: Act, *, shown: bool = True) -> Spoken:
        asked = self._db.execute("SELECT sequence FROM word WHERE act = ? AND word = 'request'", (act.id,)).fetchone()
        request_sequence = None if asked is None or word is Word.REQUEST else int(asked[0])
        cursor = self._db.execute(
            "INSERT INTO word (act, word, deed, membership, item, branch, happened_at, clock_offset_ms, mode, "
            "replica_age_ms, policy_version, due_at, request_sequence, hold, heard_at, doubtful, boot, ticks_ms, staff, entry, card, sealed, shown) "
            f"VALUES ({', '.join('?' * 23)})",
            (
                act.id,
                word,
                act.deed,
                act.membership,
                act.item,
                act.branch,
                micros(act.happened_at),
                millis(act.clock_offset),
                act.mode,
                millis(act.replica_age),
                act.policy_version,
                micros(act.due_at),
                request_sequence,
                act.hold,
                micros(act.heard_at),
                int(act.doubtful),
                None if act.reading is None else act.reading.boot,
                None if act.reading is None else round(act.reading.seconds * 1000),
                act.staff,
                act.entry,
                act.card,
                act.sealed,
                int(shown),
            ),
        )
        return Spoken(sequence=int(cursor.lastrowid), word=word, act=act, request_sequence=request_sequence)

    def _note(self, key: str, value: str) -> None:
        """Inside a transaction."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def _meta(self, key: str) -> str | None:
        rows = self._read("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def _of_item(self, item: ItemId) -> Generator[tuple[Spoken, Verdict | None]]:
        """Read as far as somebody asks; to be closed, since an open look holds the checkpoint up."""
        with translated(self._path), closing(self._db.execute(_OF_ITEM, (item,))) as rows:
            for row in rows:
                yield spoken_of(row), verdict_of(row)

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
