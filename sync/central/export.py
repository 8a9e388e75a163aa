"""Everything that central holds, as CSV: one file for each table, all of one moment.

Left out is what opens something or is not yet anything: kiosks' index salts, enrolment codes, staff's verifiers and
sessions, the rows of an import under way. A cell that a spreadsheet would compute begins with an apostrophe, which an import
takes away again (`formulas`). The files name patrons, so only their owner may read them, and one that failed
leaves none: the tables are written into FOLDER.part, which takes the name when it is whole. What a killed export left there is
cleared away by the next one; whether somebody is still writing into it says a lock (flock) that ends with its process.
Blocking; memory holds a thousand rows.
"""

import csv
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from sync.central.database import Database
from sync.central.formulas import harmless
from sync.central.in_folder import refuse_missing
from sync.central.tables import metadata

SECRET_TABLES = frozenset(("enrolment_code", "import_row", "import_key", "staff_session", "knock"))
SECRET_COLUMNS = frozenset(("kiosk.index_salt", "staff.verifier"))
ROWS = 1000


class ExportFailed(Exception):
    """The folder cannot be written or is not empty."""


def export(database: Database, folder: Path, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Writes `folder`/table.csv for every table; rows by table. A failed export leaves nothing.

    Raises ExportFailed, MissingFolder, DatabaseUnusable.
    """
    try:
        with _part_of(folder) as part:
            counts = _written(database, part, progress)
            part.replace(folder)
    except OSError as error:
        raise ExportFailed(f"{error.filename or folder}: {error.strerror}") from error
    return counts


@contextmanager
def _part_of(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` for this process alone, gone afterwards unless it was given its name."""
    part = folder.with_name(folder.name + ".part")
    if folder.exists():
        raise ExportFailed(f"{folder}: expected a folder that does not exist yet")
    refuse_missing(part)
    part.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportFailed(f"{part}: another export writes into it; wait until that has ended") from error
        if folder.exists():  # that other export has just ended
            raise ExportFailed(f"{folder}: expected a folder that does not exist yet")
        _clear(part)
        try:
            yield part
        finally:
            if part.exists():
                _clear(part)
                part.rmdir()
    finally:
        os.close(handle)


def _clear(part: Path) -> None:
    """Takes away what an export writes. Raises ExportFailed, and touches nothing, where something else stands."""
    found = list(part.iterdir())
    strange = sorted(path.name for path in found if path.name not in _FILES or not path.is_file())
    if strange:
        raise ExportFailed(
            f"{part}: expected nothing or what an export left there, got {', '.join(strange)}; clear it up"
        )
    for path in found:
        path.unlink()


def _written(database: Database, part: Path, progress: Callable[[str, int], None]) -> dict[str, int]:
    counts: dict[str, int] = {}
    with database.read() as connection:
        for table in metadata.sorted_tables:
            if table.name in SECRET_TABLES:
                continue
            columns = [column for column in table.columns if str(column) not in SECRET_COLUMNS]
            handle = os.open(part / _file_of(table), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                out = csv.writer(file)
                out.writerow([column.name for column in columns])
                counts[table.name] = 0
                query = select(*columns).order_by(*table.primary_key.columns)
                with connection.execution_options(yield_per=ROWS).execute(query) as found:
                    for rows in found.partitions(ROWS):
                        out.writerows(map(_cell, row) for row in rows)
                        counts[table.name] += len(rows)
                        progress(table.name, counts[table.name])
    return counts


def _cell(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case str():
            return harmless(value)
        case _:
            return value


def _file_of(table: Table) -> str:
    return f"{table.name.rstrip('_')}.csv"


_FILES = frozenset(_file_of(table) for table in metadata.sorted_tables)
