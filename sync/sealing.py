"""Judged words become unreadable here: what they say is sealed to central (promise 6, DESIGN.md one act 6).

Words stay in the acts file for `keep_acts`, so that a central that was put back can be told again; but a stolen kiosk
must not tell two weeks of who had what. Once central has judged a word and the replica has passed it, nothing here asks for
its contents any more: they go into one sealed piece, and of the row only what the outbox counts by stays in clear (number, act
id, word, deed, time, verdict). Sealed is the log's beginning, up to the first word that waits or that the replica has not
passed, so an older act of an item is never in clear behind a newer one.

In small commits on the thread that syncs, never in a scan's; what was in clear is overwritten with zeros (secure_delete).
Acts of the kiosk itself (staff entries) name no patron and stay. Inside `ActsLog`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from kiosk.domain.journal import Deed, Spoken, Word
from sync.act_rows import COLUMNS, as_promised, spoken_of, verdict_of
from sync.encrypted import Connection, transaction, translated

SLICE = 25
"""Words in one commit: a few milliseconds."""
_THROUGH = "SELECT value FROM meta WHERE key = 'sealed_through'"
_FIRST_NEEDED = (
    "SELECT min(sequence) FROM word WHERE sequence > ? AND CASE "
    "WHEN word = 'request' AND EXISTS (SELECT 1 FROM word AS last WHERE last.act = word.act AND last.word <> 'request') THEN 0 "
    "WHEN outcome IS NULL THEN 1 ELSE epoch <> ? OR position > ? END"
)
"""A request that was followed by a last word says nothing of its own any more."""
_NEXT = f"SELECT {COLUMNS} FROM word WHERE sequence > ? AND sequence < ? ORDER BY sequence LIMIT {SLICE}"
_SEAL = (
    "UPDATE word SET sealed = ?, membership = NULL, item = '', branch = '', replica_age_ms = NULL, policy_version = NULL, "
    "due_at = NULL, heard_at = NULL, boot = NULL, ticks_ms = NULL, details = NULL, verdict_due_at = NULL, hold = NULL, card = NULL "
    "WHERE sequence = ?"
)
_NOTE = "INSERT INTO meta VALUES ('sealed_through', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_NO_END = 2**62


def seal_some(db: Connection, path: Path, passed: tuple[str, int], sealed: Callable[[Spoken], bytes]) -> int:
    """Seal the next few words that a replica at `passed` (epoch, position) needs no more; how many rows were looked at.

    `sealed` makes the piece of one word. Raises LedgerError.
    """
    with translated(path):
        noted = db.execute(_THROUGH).fetchone()
        through = 0 if noted is None else int(noted[0])
        (needed,) = db.execute(_FIRST_NEEDED, (through, *passed)).fetchone()
        rows = cast("list[Sequence[object]]", db.execute(_NEXT, (through, needed or _NO_END)).fetchall())
    if not rows:
        return 0
    pieces = [(sealed(spoken), spoken.sequence) for spoken in map(_to_be_sealed, rows) if spoken is not None]
    with translated(path):
        db.execute("PRAGMA secure_delete = ON").fetchall()
    with transaction(db, path):
        db.executemany(_SEAL, pieces)
        db.execute(_NOTE, (str(rows[-1][0]),))
    return len(rows)


def _to_be_sealed(row: Sequence[object]) -> Spoken | None:
    """As it would be told again: of a request what its patron was promised."""
    spoken = spoken_of(row)
    if spoken.act.sealed is not None or Deed(spoken.act.deed).of_the_kiosk:
        return None
    if spoken.word is not Word.REQUEST:
        return spoken
    return Spoken(sequence=spoken.sequence, word=spoken.word, act=as_promised(spoken.act, verdict_of(row)))
