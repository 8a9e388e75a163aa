"""Imports: a file is staged and checked whole, then applied in short transactions that can be taken up again.

Staging writes every good row into `import_row` (in the database, so that it is as safe as the rest) and changes nothing
else; a second id or card number within the file, or an unknown branch, is found there too. With one bad row nothing is
applied unless the caller says so. Applying takes the rows away in the same transaction that makes them count, so a
dead process goes on where it stopped, and kiosks' acts and other changes get their turn in between. A file that was
applied is known by its digest and changes nothing again, until another of its kind has; whose turn it is says
`import_runs`. A column that a file does not have changes nothing in records
that are known; an empty cell empties. Only rows that differ reach the feed. Any thread; blocking.
"""

import csv
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, func, select, update

from kiosk.domain.identity import CardKind
from sync.central import tables
from sync.central.bulk import among, write
from sync.central.cards import Claim
from sync.central.database import Database, survey
from sync.central.import_doubts import Doubt, refused_claimers
from sync.central.import_kinds import Items, Patrons
from sync.central.import_runs import APPLYING, DONE, PREVIEW, ImportRuns, Turn
from sync.central.import_sources import Entry, Line, Mistake
from sync.central.places import choice
from sync.central.records import microseconds
from sync.central.registry import Patron, Registry
from sync.central.terms import ADD, known_names
from sync.wire import ItemEntry

STAGE = 1000
"""Rows in one staging transaction."""
APPLY = 500
"""Rows in one applying transaction: a few tens of milliseconds on either database."""

Thing = TypeVar("Thing")
Progress = Callable[[str, int, int | None], None]
"""Phase (checking, applying), rows done, rows in all where they are known. Called between transactions."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import found and did."""

    digest: str
    """Of the file and of how it was read."""
    good: int = 0
    """Rows that can be applied."""
    bad: int = 0
    """Rows with mistakes."""
    changed: int = 0
    """Records that were new or different."""
    applied: bool = False
    """Now, or by an earlier run."""
    before: bool = False
    """This file had been applied before, and no other of its kind since; nothing was done."""
    cases: int = 0
    """Cards of the file that open another membership: each is a case for a person (none of a preview)."""
    waiting: int = 0
    """Rows that an earlier run staged and had not applied when it stopped; told by a preview, which leaves them."""


_READING = "absent columns change nothing"
"""What a file means; another meaning, and it is another file."""


_OWN = tables.import_key.c
_NAMED = select(_OWN.key).where(_OWN.run == bindparam("own_run"), among(_OWN.key))
"""A list spelled out here once made PostgreSQL read every key of the file for each part of it."""
_KNOWN_ITEMS = select(tables.item.c.id).where(among(tables.item.c.id))


class _Staged(msgspec.Struct, frozen=True):
    """A row that waits to be applied."""

    entry: msgspec.Raw
    said: list[str]
    """Columns of the file."""


class RowReport:
    """A CSV file with one line for each row; open to its owner only, because it may quote patrons."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(("line", "result", "field", "expected", "got"))

    def good(self, line: int) -> None:
        """A row that can be applied."""
        self._rows.writerow((line, "good", "", "", ""))

    def bad(self, mistakes: Iterable[Mistake]) -> None:
        """A row that cannot."""
        self._rows.writerows((one.line, "bad", one.field, one.expected, one.got) for one in mistakes)

    def close(self) -> None:
        """Whole on return."""
        self._file.close()


def digest_of(path: Path, *how: str) -> str:
    """SHA-256 over the file and the way it is read."""
    digest = hashlib.sha256("\0".join((_READING, *how)).encode() + b"\0\0")
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


class Imports:
    """Where files of records come in."""

    def __init__(self, database: Database, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._runs = ImportRuns(database, clock)

    def items(
        self, digest: str, lines: Iterable[Line[ItemEntry]], report: RowReport, progress: Progress,
        *, preview: bool = False, skip_bad: bool = False,
    ) -> Report:  # fmt: skip
        """Items; who has reserved one stays as it is."""
        return self._run(Items(), digest, lines, report, progress, preview, skip_bad)

    def patrons(
        self, digest: str, lines: Iterable[Line[Patron]], report: RowReport, progress: Progress,
        *, preview: bool = False, skip_bad: bool = False,
    ) -> Report:  # fmt: skip
        """Memberships with their cards; a card that the row does not name stays bound."""
        return self._run(Patrons(), digest, lines, report, progress, preview, skip_bad)

    def _run(
        self, kind: Items | Patrons, digest: str, lines: Iterable[Line[Any]], report: RowReport,
        progress: Progress, preview: bool, skip_bad: bool,
    ) -> Report:  # fmt: skip
        told = Report(digest=digest)
        turn = self._runs.begin(kind.name, digest, preview=preview)
        told.good = turn.staged
        if turn.state == DONE:
            told.applied = told.before = True
        elif turn.state == APPLYING and preview:
            told.waiting = self._left(turn)
        else:
            try:
                if turn.state == APPLYING or self._checked_whole(kind, turn, told, lines, report, progress, skip_bad):
                    self._apply(kind, turn, told, progress)
            finally:
                self._runs.end(turn)
        return told

    # --- staging ---

    def _checked_whole(
        self, kind: Items | Patrons, turn: Turn, told: Report, lines: Iterable[Line[Any]], report: RowReport,
        progress: Progress, skip_bad: bool,
    ) -> bool:  # fmt: skip
        """Whether the file is to be applied."""
        refused = self._stage(kind, turn, told, lines, report, progress)
        if turn.state == PREVIEW:
            return False
        told.cases = len(refused)
        for part in _parts(refused, APPLY):
            with self._registry.change("import") as change:
                self._runs.renew(change.connection, turn)
                change.card_cases(part)
        return not told.bad or skip_bad

    def _stage(
        self, kind: Items | Patrons, turn: Turn, told: Report, lines: Iterable[Line[Any]], report: RowReport,
        progress: Progress,
    ) -> list[Claim]:  # fmt: skip
        with self._database.read() as connection:
            names = known_names(connection)
        doubts: list[Doubt] = []
        for part in _parts(lines, STAGE):
            with self._database.write() as connection:
                self._runs.renew(connection, turn)
                good = list(self._checked(kind, connection, turn, told, part, names, report))
                numbered = {
                    line.entry.id: (number, line)
                    for number, line in enumerate(good, start=told.good + 1)
                    if line.entry is not None
                }
                if good:
                    rows = [
                        {"run": turn.id, "number": number, "body": _body(line)} for number, line in numbered.values()
                    ]
                    write(connection, tables.import_row, rows, overwrite=False)
                claimed = kind.claims(connection, [line.entry for line in good if line.entry is not None])
            doubts += [Doubt(*numbered[claim.claimer], claim) for claim in claimed]
            unsure = {claim.claimer for claim in claimed}
            for id_, (_, line) in numbered.items():
                if id_ not in unsure:
                    report.good(line.number)
            if told.good == 0:  # a run that PostgreSQL has never seen is one without rows to it
                self._survey(tables.import_row, tables.import_key)
            told.good += len(good)
            progress("checking", told.good + told.bad, None)
        self._survey(tables.import_row, tables.import_key)
        return self._settle(turn, told, doubts, report) if doubts else []

    def _settle(self, turn: Turn, told: Report, doubts: list[Doubt], report: RowReport) -> list[Claim]:
        """Now that the whole file is known: a row may take a card that its holder's row replaces; other rows are refused."""
        claimed = [doubt.claim for doubt in doubts]
        refused = refused_claimers(claimed, self._given(turn, {claim.holder for claim in claimed}))
        rows: dict[str, list[Doubt]] = defaultdict(list)
        for doubt in doubts:
            rows[doubt.claim.claimer].append(doubt)
        row = tables.import_row
        for part in _parts(rows.items(), STAGE):
            gone = [own[0].row for claimer, own in part if claimer in refused]
            moved = [
                {"run": turn.id, "number": own[0].row, "body": _body(_moved(own))}
                for claimer, own in part
                if claimer not in refused
            ]
            with self._database.write() as connection:
                self._runs.renew(connection, turn)
                connection.execute(delete(row).where(row.c.run == turn.id, among(row.c.number)), {"ids": gone})
                write(connection, row, moved, overwrite=True)
        for claimer, own in rows.items():
            if claimer not in refused:
                report.good(own[0].line.number)
        told.good -= len(refused)
        told.bad += len(refused)
        wrong = [doubt for doubt in doubts if doubt.claim.claimer in refused]
        report.bad(
            Mistake(doubt.line.number, doubt.claim.kind.value, "a card of no other membership", doubt.claim.number)
            for doubt in wrong
        )
        return [doubt.claim for doubt in wrong]

    def _given(self, turn: Turn, holders: set[str]) -> dict[str, Mapping[CardKind, str]]:
        """What cards the file gives to these memberships."""
        row = tables.import_row.c
        found: dict[str, Mapping[CardKind, str]] = {}
        number = 0
        while True:
            query = select(row.number, row.body).where(row.run == turn.id, row.number > number)
            with self._database.read() as connection:
                part = connection.execute(query.order_by(row.number).limit(STAGE)).all()
            if not part:
                return found
            entries = [_line(one.body, Patron)[0] for one in part]
            found.update({entry.id: entry.cards for entry in entries if entry.id in holders})
            number = part[-1].number

    def _checked(
        self, kind: Items | Patrons, connection: Connection, turn: Turn, told: Report, part: list[Line[Any]],
        names: Mapping[str, Collection[str]], report: RowReport,
    ) -> Iterator[Line[Any]]:  # fmt: skip
        named = sorted({key for line in part if line.entry is not None for _, key in kind.keys(line.entry)})
        taken = set(connection.execute(_NAMED, {"own_run": turn.id, "ids": named}).scalars())
        homeless = [line.entry.id for line in part if isinstance(line.entry, ItemEntry) and not line.entry.branch]
        known = set(connection.execute(_KNOWN_ITEMS, {"ids": homeless}).scalars())
        fresh: list[str] = []
        for line in part:
            mistakes = list(line.mistakes)
            if line.entry is not None:
                keys = kind.keys(line.entry)
                mistakes += [
                    Mistake(line.number, name, "each only once in a file", key) for name, key in keys if key in taken
                ]
                at_home = isinstance(line.entry, ItemEntry) and line.entry.id in known  # it stays where it is
                mistakes += [
                    Mistake(line.number, key, f"a known one; {choice(names[key], ADD[key], code)}", code)
                    for key, code in kind.names(line.entry)
                    if code not in names[key] and not (key == "branch" and at_home)
                ]
                if not mistakes:
                    taken.update(key for _, key in keys)
                    fresh += [key for _, key in keys]
            if mistakes:
                told.bad += 1
                report.bad(mistakes)
            else:
                yield line
        keys_of_part = [{"run": turn.id, "key": key} for key in fresh]
        write(connection, tables.import_key, keys_of_part, overwrite=False)

    # --- applying ---

    def _apply(self, kind: Items | Patrons, turn: Turn, told: Report, progress: Progress) -> None:
        row, run = tables.import_row, tables.import_run
        with self._database.write() as connection:
            self._runs.renew(connection, turn, state=APPLYING, staged=told.good)
            self._runs.counts_now(connection, turn, kind.name)
        self._runs.sweep()
        done = told.good - self._left(turn)
        last = 0
        while True:
            with self._registry.change("import") as change:
                self._runs.renew(change.connection, turn)
                own = (row.c.run == turn.id, row.c.number > last)  # rows before are gone, but not from the index
                query = select(row.c.number, row.c.body).where(*own).order_by(row.c.number).limit(APPLY)
                rows = change.connection.execute(query).all()
                if not rows:
                    total = change.connection.execute(select(run.c.changed).where(run.c.id == turn.id)).scalar_one()
                    self._runs.renew(change.connection, turn, state=DONE, finished_at=microseconds(self._clock()))
                    change.audit(f"{kind.name} imported", told.digest, {"rows": told.good, "changed": total})
                    break
                changed = kind.apply(change, [_line(one.body, kind.entry) for one in rows])
                first, last = last == 0, rows[-1].number
                change.connection.execute(delete(row).where(*own, row.c.number <= last))
                change.connection.execute(
                    update(run).where(run.c.id == turn.id).values(changed=run.c.changed + changed)
                )
            if first:
                self._survey(*kind.tables)
            done += len(rows)
            progress("applying", done, told.good)
        told.changed, told.applied = total, True

    def _survey(self, *grown: Table) -> None:
        if self._database.dialect == "postgresql":
            with self._database.write() as connection:
                survey(connection, *grown)

    def _left(self, turn: Turn) -> int:
        """Rows still to be applied."""
        with self._database.read() as connection:
            left = select(func.count()).select_from(tables.import_row).where(tables.import_row.c.run == turn.id)
            return int(connection.execute(left).scalar_one())


def _moved(doubts: list[Doubt]) -> Line[Patron]:
    """The row of these doubts, which may take the cards that it claims."""
    line = doubts[0].line
    assert line.entry is not None
    taken = {doubt.claim.number: doubt.claim.holder for doubt in doubts}
    return replace(line, entry=replace(line.entry, moved_from=taken))


def _body(line: Line[Any]) -> str:
    staged = _Staged(msgspec.Raw(msgspec.json.encode(line.entry)), sorted(line.said))
    return msgspec.json.encode(staged).decode()


def _line(body: str, entry: type[Entry]) -> tuple[Entry, frozenset[str]]:
    """What a staged row says, and of which columns."""
    staged = msgspec.json.decode(body, type=_Staged)
    return msgspec.json.decode(staged.entry, type=entry), frozenset(staged.said)


def _parts(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    part: list[Thing] = []
    for thing in things:
        part.append(thing)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
