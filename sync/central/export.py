"""Everything that central holds, as CSV: one file for each table, all of one moment.

Left out is what opens something or is not yet anything: kiosks' index salts, enrolment codes, staff's verifiers and
sessions, the rows of an import under way. The files name patrons, so only their owner may read them. Blocking; memory holds a thousand rows.
"""

import csv
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from sync.central.database import Database
from sync.central.tables import metadata

SECRET_TABLES = frozenset(("enrolment_code", "import_row", "import_key", "staff_session", "knock"))
SECRET_COLUMNS = frozenset(("kiosk.index_salt", "staff.verifier"))
ROWS = 1000


class ExportFailed(Exception):
    """The folder cannot be written or is not empty."""


def export(database: Database, folder: Path, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Writes `folder`/table.csv for every table; rows by table. A failed export leaves no folder of that name.

    Raises ExportFailed, DatabaseUnusable.
    """
    part = folder.with_name(folder.name + ".part")
    counts: dict[str, int] = {}
    try:
        if folder.exists():
            raise ExportFailed(f"{folder}: expected a folder that does not exist yet")
        part.mkdir(parents=True, mode=0o700)
        with database.read() as connection:
            for table in metadata.sorted_tables:
                if table.name in SECRET_TABLES:
                    continue
                columns = [column for column in table.columns if str(column) not in SECRET_COLUMNS]
                handle = os.open(part / f"{table.name.rstrip('_')}.csv", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                    out = csv.writer(file)
                    out.writerow([column.name for column in columns])
                    counts[table.name] = 0
                    query = select(*columns).order_by(*table.primary_key.columns)
                    for rows in connection.execution_options(yield_per=ROWS).execute(query).partitions(ROWS):
                        out.writerows(
                            [value.hex() if isinstance(value, bytes) else value for value in row] for row in rows
                        )
                        counts[table.name] += len(rows)
                        progress(table.name, counts[table.name])
        part.replace(folder)
    except OSError as error:
        raise ExportFailed(f"{folder}: {error.strerror}") from error
    return counts
