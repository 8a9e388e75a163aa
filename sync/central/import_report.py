"""What an import found and did: in figures with the first mistakes, and row by row as a CSV file.

Made by `imports`, shown by the command line. The file may quote patrons, so only its owner may read it; its cells are no formulas.
The first mistakes say line, field and what to do, and quote nothing. Blocking.
"""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sync.central.formulas import harmless
from sync.central.import_rows import Mistake, Note
from sync.central.in_folder import refuse_missing

FIRST = 5
"""Mistakes that are told at once."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import found and did."""

    digest: str
    """Of the file and of how it was read."""
    good: int = 0
    """Rows that can be applied."""
    bad: int = 0
    """Rows with mistakes."""
    noted: int = 0
    """Good rows of which something is kept otherwise than it is written; the row report says what."""
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
    first: list[Mistake] = field(default_factory=list)
    """The first mistakes, at most `FIRST`."""

    def count_bad(self, mistakes: Iterable[Mistake]) -> None:
        """One row more that cannot be applied."""
        self.bad += 1
        self.first = [*self.first, *mistakes][:FIRST]


class RowReport:
    """A CSV file with a line for each row, for each mistake of a bad one, and for what is kept otherwise."""

    def __init__(self, path: Path) -> None:
        """Raises MissingFolder."""
        refuse_missing(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(("line", "result", "field", "expected", "got"))

    def good(self, line: int, notes: Iterable[Note] = ()) -> None:
        """A row that can be applied."""
        self._rows.writerow((line, "good", "", "", ""))
        self._rows.writerows((one.line, "note", one.field, harmless(one.kept), harmless(one.got)) for one in notes)

    def bad(self, mistakes: Iterable[Mistake]) -> None:
        """A row that cannot."""
        self._rows.writerows(
            (one.line, "bad", one.field, harmless(one.expected), harmless(one.got)) for one in mistakes
        )

    def close(self) -> None:
        """Whole on return."""
        self._file.close()
