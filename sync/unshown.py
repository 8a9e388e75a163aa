"""What was recorded and no screen showed: the process ended between the commit and the picture (promise 1, the other way round).

A word is on disk before anybody sees it, so a death in between leaves a loan that its reader does not know of. The row of each
word says whether a screen has been given what it says: not yet when it is written, and not yet again when central's answer to a
request is. The station says so after it has shown, in a commit that does not wait for the disk: so it costs a scan nothing, and a
power cut may at worst bring up an act that was shown. At the next start what counts and was not shown is told in the log and
kept for the staff page, until staff have seen it there. Inside `ActsLog`; station's thread.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import cast

import structlog

from kiosk.domain.journal import Act, Deed, Mode, Outcome
from kiosk.domain.values import ActId, BranchId, ItemId
from sync.act_rows import COLUMNS, micros, moment, spoken_of
from sync.encrypted import Connection, transaction, translated

log = structlog.get_logger(__name__)

TAIL = 500
"""Words in which an act of the last life may stand that was not shown: no basket is so large."""
_STANDING = ", ".join(f"'{outcome.value}'" for outcome in Outcome if outcome.stands)
_NEW = (
    f"SELECT {COLUMNS} FROM word WHERE sequence > (SELECT max(sequence) FROM word) - ? AND shown = 0 AND sealed IS NULL "
    f"AND (word = 'fact' OR (word = 'request' AND outcome IN ({_STANDING}))) "
    "AND NOT EXISTS (SELECT 1 FROM word AS last WHERE last.act = word.act AND last.word = 'withdrawal') ORDER BY sequence"
)
_KEPT = "SELECT act, deed, item, branch, mode, at FROM unshown ORDER BY at, act"


def mark_shown(db: Connection, path: Path, acts: Collection[str]) -> None:
    """A screen shows what the words of these acts say. Raises LedgerError."""
    with translated(path):
        db.execute("PRAGMA synchronous = NORMAL")
        try:
            with transaction(db, path):
                db.executemany("UPDATE word SET shown = 1 WHERE act = ? AND shown = 0", [(act,) for act in acts])
        finally:
            db.execute("PRAGMA synchronous = FULL")


def mark_seen(db: Connection, path: Path, acts: Collection[str]) -> None:
    """Staff have seen these on their page. Raises LedgerError."""
    with transaction(db, path):
        db.executemany("DELETE FROM unshown WHERE act = ?", [(act,) for act in acts])


def left_unshown(db: Connection, path: Path) -> tuple[Act, ...]:
    """At start: acts of earlier lives that count and that no screen may have shown, oldest first. Raises LedgerError."""
    with translated(path):
        rows = cast("list[Sequence[object]]", db.execute(_NEW, (TAIL,)).fetchall())
    for act in {spoken.act.id: spoken.act for spoken in map(spoken_of, rows)}.values():
        at = act.corrected_at
        with transaction(db, path):  # apart from the word, which may be sealed before staff come
            said = (act.id, act.deed, act.item, act.branch, act.mode, micros(at))
            db.execute("INSERT OR IGNORE INTO unshown VALUES (?, ?, ?, ?, ?, ?)", said)
            db.execute("UPDATE word SET shown = 1 WHERE act = ?", (act.id,))
        log.warning(
            "an act was recorded and may not have been shown",
            act=act.id,
            deed=act.deed,
            item=act.item,
            at=at.isoformat(),
        )
    with translated(path):
        return tuple(_act(*row) for row in db.execute(_KEPT).fetchall())


def _act(act: str, deed: str, item: str, branch: str, mode: str, at: int) -> Act:
    """Without whose it was."""
    return Act(
        id=ActId(act),
        deed=Deed(deed),
        membership=None,
        item=ItemId(item),
        branch=BranchId(branch),
        happened_at=moment(at),
        clock_offset=None,
        mode=Mode(mode),
        replica_age=None,
    )
