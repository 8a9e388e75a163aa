"""Files of items and patrons, read row by row: CSV, MARC 21 binary (ISO 2709), MARCXML.

Called by the command line for `imports`. Every row comes as a `Line`, good or bad, and no row stops the reading; a file in which
there is nothing is a bad file. Whether a branch exists, a category is known or an id comes twice is asked by `imports`.
Memory holds one row or record at a time; blocking.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sync.central.import_csv import csv_rows
from sync.central.import_marc import MarcPlaces, copy_lines
from sync.central.import_rows import ITEM_COLUMNS, PATRON_COLUMNS, BadFile, Entry, Line, item_line, patron_line
from sync.central.marc_files import binary_records, xml_records
from sync.central.registry import Patron
from sync.wire import ItemEntry


def read_patrons(path: Path, encoding: str | None = None) -> Iterator[Line[Patron]]:
    """A CSV file with a header; `id`, `name` and `category` are needed. Raises BadFile."""
    rows = csv_rows(path, PATRON_COLUMNS, needed=("id", "name", "category"), encoding=encoding)
    lines = (Line(number, None, (wrong,)) if wrong else patron_line(number, row) for number, row, wrong in rows)
    return _some(path, lines)


def read_items(path: Path, places: MarcPlaces, branch: str, encoding: str | None = None) -> Iterator[Line[ItemEntry]]:
    """By the file's name: .csv, .mrc (MARC 21) or .xml (MARCXML). `branch` is for rows that name none: an empty cell, or
    a new item of a file that says nothing of branches. `encoding`: UTF-8 unless said, of MARC 21 what each leader says.

    Raises BadFile.
    """
    match path.suffix.lower():
        case ".csv":
            rows = csv_rows(path, ITEM_COLUMNS, needed=("id", "title"), encoding=encoding)
            lines = (
                Line(number, None, (wrong,)) if wrong else item_line(number, row, branch) for number, row, wrong in rows
            )
            return _some(path, lines)
        case ".mrc" | ".marc":
            return _some(path, copy_lines(binary_records(path, places.tags(), encoding), places, branch))
        case ".xml":
            if encoding is not None:
                raise BadFile(f"{path}: XML says its encoding itself; leave --encoding out")
            return _some(path, copy_lines(xml_records(path, places.tags()), places, branch))
        case other:
            raise BadFile(f"{path}: expected .csv, .mrc or .xml, got {other or 'no ending'}")


def _some(path: Path, lines: Iterable[Line[Entry]]) -> Iterator[Line[Entry]]:
    empty = True
    for line in lines:
        empty = False
        yield line
    if empty:
        raise BadFile(f"{path}: expected at least one row or record, got none; is this the right file?")
