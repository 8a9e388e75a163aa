"""Files of items and patrons, read row by row: CSV (RFC 4180, UTF-8), MARC 21 binary (ISO 2709), MARCXML.

A row becomes an entry or a list of mistakes, each with line, field, what was expected and what was found; no row stops
the reading. A damaged MARC record is passed over to its end (`iso2709`); a file whose rest cannot be found again is a bad
file. Memory holds one row at a time (MARCXML: one record, while the parser runs on its own thread). Whether a
branch exists or an id comes twice is asked by `imports`. A row says something of the columns that its file has, of an
empty cell too; what it does not speak of stays as it is. Pure but for the file; blocking.
"""

import csv
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

import pymarc

from kiosk.domain.identity import CardKind
from kiosk.domain.lending import ItemState, Standing
from sync.central import iso2709
from sync.central.registry import Patron
from sync.wire import ItemEntry

MAX_ID = 128
MAX_TEXT = 1000
Entry = TypeVar("Entry")
_TRUE = {"1": True, "true": True, "yes": True, "": False, "0": False, "false": False, "no": False}
ITEM_COLUMNS = frozenset(("id", "title", "author", "item_type", "branch", "state", "desk_only", "desensitise", "work"))
PATRON_COLUMNS = frozenset(
    (
        *("id", "name", "category", "standing", "expires_on", "suspended_until", "holds_suspended_until", "owed"),
        *(kind.value for kind in CardKind),
    )
)


class BadFile(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field of one row."""

    line: int
    """Line of a CSV file, number of the record in MARC."""
    field: str
    """Column, or MARC field and subfield."""
    expected: str
    """In words."""
    got: str
    """As found, cut."""


@dataclass(frozen=True, slots=True)
class Line(Generic[Entry]):
    """One row of a file."""

    number: int
    """See Mistake.line."""
    entry: Entry | None
    """None with mistakes."""
    mistakes: tuple[Mistake, ...] = ()
    said: frozenset[str] = frozenset()
    """Columns of which the row says something; the others of the entry have their defaults, for a new record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarcPlaces:
    """Where a library writes its copies in MARC; the defaults are Koha's."""

    barcode: str = "952p"
    """Field and subfield; each occurrence is one item."""
    branch: str = "952b"
    """Of the same occurrence."""
    item_type: str = "952y"
    """Of the same occurrence."""


@dataclass(slots=True)
class _Reader:
    """Takes fields out of one row and collects what is wrong with them."""

    line: int
    row: Mapping[str, str]
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, name: str, expected: str) -> None:
        self.mistakes.append(Mistake(self.line, name, expected, self.row.get(name, "")[:60]))

    def text(self, name: str, *, limit: int = MAX_TEXT, needed: bool = False) -> str:
        value = self.row.get(name, "").strip()
        if needed and not value:
            self.wrong(name, "something")
        elif len(value) > limit or not value.isprintable():
            self.wrong(name, f"at most {limit} printable characters")
        return value

    def flag(self, name: str) -> bool:
        value = _TRUE.get(self.row.get(name, "").strip().lower())
        if value is None:
            self.wrong(name, "1, 0, true, false, yes, no or nothing")
        return bool(value)

    def day(self, name: str) -> date | None:
        value = self.row.get(name, "").strip()
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.wrong(name, "a day like 2026-12-31, or nothing")
            return None

    def money(self, name: str) -> int:
        value = self.row.get(name, "").strip()
        if value and not (value.isascii() and value.isdigit() and len(value) <= 8):
            self.wrong(name, "whole NT$")
            return 0
        return int(value or 0)

    def state(self) -> ItemState:
        value = self.row.get("state", "").strip()
        if value and value not in {one.value for one in ItemState}:
            self.wrong("state", " or ".join(ItemState))
            return ItemState.IN_SERVICE
        return ItemState(value or ItemState.IN_SERVICE)

    def standing(self) -> Standing:
        value = self.row.get("standing", "").strip()
        if value and value not in {one.value for one in Standing}:
            self.wrong("standing", " or ".join(Standing))
            return Standing.ACTIVE
        return Standing(value or Standing.ACTIVE)


def _item(line: int, row: Mapping[str, str], branch: str) -> Line[ItemEntry]:
    take = _Reader(line, {**row, "branch": row.get("branch", "").strip() or branch})
    said = frozenset(row)
    entry = ItemEntry(
        id=take.text("id", limit=MAX_ID, needed=True),
        title=take.text("title", needed=True),
        author=take.text("author"),
        item_type=take.text("item_type", limit=40) or "book",
        branch=take.text("branch", limit=MAX_ID, needed="branch" in said),
        state=take.state(),
        desk_only=take.flag("desk_only"),
        desensitise=take.flag("desensitise"),
        work=take.text("work", limit=MAX_ID),
    )
    return Line(line, None if take.mistakes else entry, tuple(take.mistakes), said)


def _patron(line: int, row: Mapping[str, str]) -> Line[Patron]:
    take = _Reader(line, row)
    cards = {kind: take.text(kind.value, limit=MAX_ID) for kind in CardKind}
    patron = Patron(
        id=take.text("id", limit=MAX_ID, needed=True),
        name=take.text("name", limit=200, needed=True),
        category=take.text("category", limit=40, needed=True),
        standing=take.standing(),
        expires_on=take.day("expires_on"),
        suspended_until=take.day("suspended_until"),
        holds_suspended_until=take.day("holds_suspended_until"),
        owed=take.money("owed"),
        cards={kind: number for kind, number in cards.items() if number},
    )
    return Line(line, None if take.mistakes else patron, tuple(take.mistakes), frozenset(row))


def read_patrons(path: Path) -> Iterator[Line[Patron]]:
    """A CSV file with a header; `id`, `name` and `category` are needed. Raises BadFile."""
    for number, row, wrong in _csv(path, PATRON_COLUMNS, needed=("id", "name", "category")):
        yield Line(number, None, (wrong,)) if wrong is not None else _patron(number, row)


def read_items(path: Path, places: MarcPlaces, branch: str) -> Iterator[Line[ItemEntry]]:
    """By the file's name: .csv, .mrc (MARC 21) or .xml (MARCXML). `branch` is for rows that name none: an empty cell, or
    a new item of a file that says nothing of branches.

    Raises BadFile.
    """
    match path.suffix.lower():
        case ".csv":
            for number, row, wrong in _csv(path, ITEM_COLUMNS, needed=("id", "title")):
                yield Line(number, None, (wrong,)) if wrong is not None else _item(number, row, branch)
        case ".mrc" | ".marc":
            yield from _marc(_binary_records(path), places, branch)
        case ".xml":
            yield from _marc(_xml_records(path), places, branch)
        case other:
            raise BadFile(f"{path}: expected .csv, .mrc or .xml, got {other or 'no ending'}")


def _csv(
    path: Path, known: frozenset[str], *, needed: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str], Mistake | None]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip() for name in next(rows, [])]
            strange = [name for name in header if name not in known]
            missing = [name for name in needed if name not in header]
            if strange or missing or len(set(header)) != len(header):
                raise BadFile(f"{path}: header: expected {', '.join(sorted(known))}, each once; got {header}")
            for row in rows:
                if len(row) != len(header):
                    got = f"{len(row)} columns"
                    yield rows.line_num, {}, Mistake(rows.line_num, "(row)", f"{len(header)} columns", got)
                else:
                    yield rows.line_num, dict(zip(header, row, strict=True)), None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path}: {error}") from error


def _marc(
    records: Iterator[pymarc.Record | iso2709.Damaged], places: MarcPlaces, branch: str
) -> Iterator[Line[ItemEntry]]:
    """One line for each copy; a record without copies is a mistake."""
    tag, code = places.barcode[:3], places.barcode[3:]
    for number, record in enumerate(records, start=1):
        if isinstance(record, iso2709.Damaged):
            got = f"{record.why}; {record.passed_over} bytes passed over"
            yield Line(number, None, (Mistake(number, "(record)", "a whole MARC record", got),))
            continue
        title = _said(record, ("245",), "ab")
        author = _said(record, ("100", "110", "111", "700"), "a")
        work = _work(record)
        copies = [copy for copy in record.get_fields(tag) if copy.get_subfields(code)]
        if not copies:
            yield Line(number, None, (Mistake(number, places.barcode, "a copy's barcode", ""),))
        for copy in copies:
            row = {"id": copy.get_subfields(code)[0], "title": title, "author": author}
            for name, place in (("branch", places.branch), ("item_type", places.item_type)):
                if place[:3] == tag and (found := copy.get_subfields(place[3:])):
                    row[name] = found[0]
            if work:
                row["work"] = work
            yield _item(number, row, branch)


def _work(record: pymarc.Record) -> str:
    """The control number (001) with the agency it is of (003): what the copies of this record share. Without: nothing."""
    number, agency = (
        next((found.data.strip() for found in record.get_fields(tag) if found.data), "") for tag in ("001", "003")
    )
    return f"{agency}:{number}" if number and agency else number


def _said(record: pymarc.Record, tags: tuple[str, ...], codes: str) -> str:
    """Subfields of the first of these fields, without the punctuation that ISBD puts between them."""
    for one in record.get_fields(*tags):
        text = " ".join(part.strip() for part in one.get_subfields(*codes))
        if text:
            return text.rstrip(" /:;,.=")[:MAX_TEXT]
    return ""


def _binary_records(path: Path) -> Iterator[pymarc.Record | iso2709.Damaged]:
    try:
        with path.open("rb") as file:
            for found in iso2709.records(file):
                yield found if isinstance(found, iso2709.Damaged) else _record(found)
    except iso2709.CutOff as error:
        raise BadFile(f"{path}: expected MARC 21 to its end, got {error}; is the file whole?") from error
    except OSError as error:
        raise BadFile(f"{path}: {error}") from error


def _record(found: bytes) -> pymarc.Record | iso2709.Damaged:
    try:
        return pymarc.Record(found, to_unicode=True, force_utf8=True, hide_utf8_warnings=True)
    except Exception as error:  # noqa: BLE001 - whatever pymarc says of its inside, the report tells
        return iso2709.Damaged(f"unreadable inside: {type(error).__name__}", len(found))


def _xml_records(path: Path) -> Iterator[pymarc.Record]:
    """pymarc's parser pushes; a queue of a few records makes it wait for whoever reads."""
    waiting: queue.Queue[pymarc.Record | Exception | None] = queue.Queue(16)
    stopped = threading.Event()

    def put(one: pymarc.Record | Exception | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put(one, timeout=0.2)
            except queue.Full:
                continue
            return
        raise _Stopped

    def parse() -> None:
        try:
            try:
                pymarc.map_xml(put, str(path))  # type: ignore[no-untyped-call]
            except _Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the parser says of the file, the reader tells
                put(error)
            put(None)
        except _Stopped:
            return

    thread = threading.Thread(target=parse, name="marcxml", daemon=True)
    thread.start()
    try:
        while (one := waiting.get()) is not None:
            if isinstance(one, Exception):
                raise BadFile(f"{path}: expected MARCXML: {one}") from one
            yield one
    finally:
        stopped.set()
        thread.join()


class _Stopped(Exception):
    """Nobody reads any more."""
