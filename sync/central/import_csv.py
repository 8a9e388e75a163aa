"""Rows of a CSV file with a header (RFC 4180), as spreadsheets save it: by comma, semicolon or tab, with empty lines anywhere.

Read by `import_sources`. The encoding is what the caller says, UTF-8 unless otherwise; text in another one is refused with its
likely name, never read by guess. A row with another number of cells than the header is a mistake of its own. Memory holds one
row; blocking.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from config.encodings import ENCODINGS, ERRORS, decode, file_encoding, reads_as
from config.hand_written import without_mark
from sync.central.import_rows import BadFile, Mistake

_LONGEST_HEADER = 10_000
_LOOKED_AT = 1 << 24
"""Bytes of a file in another encoding that are looked at, to name it."""


def csv_rows(
    path: Path, known: frozenset[str], *, needed: tuple[str, ...], encoding: str | None = None
) -> Iterator[tuple[int, dict[str, str], Mistake | None]]:
    """Line at which each row begins, its cells by column, and what is wrong with the row as a whole. Raises BadFile."""
    encoding = encoding or ENCODINGS[0]
    if encoding not in ENCODINGS:
        raise BadFile(f"{path}: a CSV file is in {', '.join(ENCODINGS)}; {encoding} is for MARC 21")
    try:
        with path.open(encoding=file_encoding(encoding), errors=ERRORS, newline="") as file:
            rows = csv.reader(file, strict=True, delimiter=delimiter_of(file))
            header: list[str] = []
            while True:
                line = rows.line_num + 1
                try:
                    row = next(rows, None)
                except csv.Error as error:
                    raise BadFile(f"{path}: the row that begins at line {line}: {error}") from error
                if row is None:
                    return
                if not any(cell.strip() for cell in row):
                    continue
                if not header:
                    header = _checked_header(path, row, known, needed)
                elif len(row) != len(header):
                    yield line, {}, Mistake(line, "(row)", f"{len(header)} columns", f"{len(row)} columns")
                else:
                    yield line, dict(zip(header, row, strict=True)), None
    except UnicodeError as error:
        raise BadFile(f"{path}: {_other_encoding(path, encoding)}") from error
    except OSError as error:
        raise BadFile(f"{path}: {error}") from error


def delimiter_of(file: TextIO) -> str:
    """What stands between the names of the header, none of which holds any of these."""
    header = "\n"
    while header and not header.strip():
        header = file.readline(_LONGEST_HEADER)
    file.seek(0)
    return next((mark for mark in ",\t;" if mark in header), ",")


def _checked_header(path: Path, row: list[str], known: frozenset[str], needed: tuple[str, ...]) -> list[str]:
    header = [without_mark(name.strip()) for name in row]  # any encoding may begin with one
    strange = [name for name in header if name not in known]
    missing = [name for name in needed if name not in header]
    if strange or missing or len(set(header)) != len(header):
        raise BadFile(
            f"{path}: header: expected {', '.join(sorted(known))}, each once and {', '.join(needed)} among them; got {header}"
        )
    return header


def _other_encoding(path: Path, encoding: str) -> str:
    """What the file is not, where, and what it may be."""
    with path.open("rb") as file:
        data = file.read(_LOOKED_AT)
    try:
        decode(data, encoding)
    except UnicodeError as error:
        line = data.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
    else:
        return f"this is no {encoding}"
    other = reads_as(data, encoding)
    advice = f"it reads as {other}: say --encoding {other}" if other else "save it as UTF-8"
    return f"this is no {encoding} at line {line}; {advice}"
