"""CSV files of branches and of words: patron categories, item types (D6).

Read by `central branch import`, `category import` and `item-type import`. Promises that every wrong row is told with its line before
anything is changed.
"""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.domain.opening import WEEKDAYS, BadHours, parse_hours
from sync.central.calendars import HOURS_NOT_KNOWN
from sync.central.formulas import as_written
from sync.central.import_csv import delimiter_of
from sync.central.import_rows import BadFile

BRANCH_COLUMNS = ("branch", "name", "library", "address", "telephone", *WEEKDAYS)
_OF_THE_LIST = ("closed_for_good", "kiosks")
"""What `central branch list --csv` tells beside; passed over."""
TERM_COLUMNS = ("code", "zh", "en")


@dataclass(frozen=True, slots=True)
class BranchRow:
    """What a row says of a branch; an empty cell says nothing."""

    code: str
    """Which."""
    given: dict[str, str]
    """Name, library, address, telephone."""
    hours: dict[str, str]
    """By weekday."""


@dataclass(frozen=True, slots=True)
class TermRow:
    """A patron category or an item type."""

    code: str
    zh: str
    en: str


def read_branches(path: Path) -> list[BranchRow]:
    """Code and name are needed columns, the others may be absent. Raises BadFile."""
    matches: list[BranchRow] = []
    wrong: list[str] = []
    for number, row in _rows(path, (*BRANCH_COLUMNS, *_OF_THE_LIST), needed=("branch", "name")):
        hours = {name: row[name] for name in WEEKDAYS if row.get(name, HOURS_NOT_KNOWN) not in ("", HOURS_NOT_KNOWN)}
        for name, text in hours.items():
            try:
                parse_hours(text)
            except BadHours as error:
                wrong.append(f"{path}: line {number}: {name}: {error}")
        given = {key: row[key] for key in BRANCH_COLUMNS[1:5] if row.get(key)}
        matches.append(BranchRow(row["branch"], given, hours))
    if wrong:
        raise BadFile("\n".join(wrong))
    return matches


def read_terms(path: Path) -> list[TermRow]:
    """All three columns are needed. Raises BadFile."""
    rows = _rows(path, TERM_COLUMNS, needed=TERM_COLUMNS)
    return [TermRow(row["code"], row["zh"], row["en"]) for _, row in rows]


def _rows(path: Path, known: Collection[str], *, needed: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; the first column names it and comes once."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True, delimiter=delimiter_of(file))
            header = [name.strip() for name in next(rows, [])]
            if set(header) - set(known) or set(needed) - set(header) or len(set(header)) != len(header):
                raise BadFile(
                    f"{path}: line 1: expected {', '.join(needed)} and, if wanted, others of {', '.join(known)}; got {header}"
                )
            key, seen = next(iter(known)), set[str]()
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(header):
                    raise BadFile(f"{path}: line {rows.line_num}: expected {len(header)} columns, got {len(row)}")
                values = {name: as_written(cell.strip()) for name, cell in zip(header, row, strict=True)}
                if values[key] in seen:
                    raise BadFile(f"{path}: line {rows.line_num}: expected each {key} once, got {values[key]!r} again")
                seen.add(values[key])
                yield rows.line_num, values
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path}: expected a CSV file in UTF-8, got {error}") from error
