"""Files of single days: the government's office calendar (data.gov.tw, data set 14718), its edition for Google, and our own CSV.

Called by `central calendar import` and by central's set-up. Promises that every wrong row is told with its line, and that nobody
guesses in silence how a file is encoded: what is not proven by a mark or by the header must be said.

Why. The yearly file exists in UTF-8 with a byte order mark and, for older years, in Big5. Its header is Chinese, so that its own
bytes prove which of them it is. A holiday that falls on a Saturday or Sunday is no news to an office but may be to a library: such
days change nothing and are returned apart, for a person to decide.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from sync.central.calendars import BY_HAND, OFFICE, SETUP, Day, with_days, with_list
from sync.central.formulas import as_written
from sync.central.import_rows import BadFile
from sync.wire import CalendarEntry

ENCODINGS = MappingProxyType({"utf-8": "utf-8-sig", "big5": "cp950"})
"""As an option names them, and as they are decoded: Big5 with the characters that Windows adds."""
OFFICE_HEADER = ["西元日期", "星期", "是否放假", "備註"]
OWN_HEADER = ["day", "state", "reason"]
LISTED_HEADER = ["branch", *OWN_HEADER, "source"]
"""As `central calendar list --csv` writes them."""
GOOGLE = ["Subject", "Start Date"]
WORK, HOLIDAY = "0", "2"
LONGEST_REASON = 80
_WORKS = ("上班", "補班")
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DayList:
    """What a file says."""

    source: str
    """`office`, or by hand for our own CSV."""
    encoding: str
    """How it was read."""
    days: tuple[Day, ...]
    """That change something: closed weekdays and make-up work days; all of our own CSV."""
    weekend: tuple[Day, ...]
    """Named holidays on a Saturday or Sunday: they change nothing."""
    first: date
    """The list speaks of all days from here …"""
    last: date
    """… to here."""
    by_branch: Mapping[str, tuple[Day, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What it says of each branch, where it names branches; empty: the same of every one."""

    def on(self, entry: CalendarEntry) -> CalendarEntry:
        """This branch's calendar with what the file says of it."""
        if self.by_branch:
            return with_days(entry, self.by_branch.get(entry.branch, ()))
        return with_list(entry, self.source, self.days, self.first, self.last)


def read_days(path: Path, encoding: str | None = None) -> DayList:
    """The whole file. Raises BadFile with every mistake, one line each."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
    name = encoding or _proven(path, raw)
    try:
        rows = list(csv.reader(io.StringIO(raw.decode(ENCODINGS[name])), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path}: expected CSV in {name}, got {error}") from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    if header == OFFICE_HEADER:
        return _list(path, name, OFFICE, rows, _office_row)
    if header == OWN_HEADER:
        return _list(path, name, BY_HAND, rows, _own_row)
    if header == LISTED_HEADER:
        return _listed(path, name, rows)
    if header[:2] == GOOGLE:
        return _list(path, name, OFFICE, rows, _google_row)
    raise BadFile(
        f"{path}: line 1: expected {','.join(OFFICE_HEADER)} or {','.join(OWN_HEADER)} or {','.join(GOOGLE)},…; "
        f"got {','.join(header)[:80]!r}"
    )


def _proven(path: Path, raw: bytes) -> str:
    """The encoding, where the file itself proves it."""
    if raw.startswith(codecs.BOM_UTF8) or raw.isascii():
        return "utf-8"
    first = raw.split(b"\n", 1)[0]
    proven = [name for name, codec in ENCODINGS.items() if OFFICE_HEADER[0].encode(codec.removesuffix("-sig")) in first]
    if len(proven) == 1:
        return proven[0]
    raise BadFile(f"{path}: nothing in it proves its encoding; say --encoding utf-8 or --encoding big5")


class _Wrong(ValueError):
    """What was expected in a row."""


_Row = Callable[[list[str]], Day | None]


def _list(path: Path, encoding: str, source: str, rows: list[list[str]], read: _Row) -> DayList:
    listed: list[Day] = []
    wrong: list[str] = []
    seen: dict[date, bool] = {}
    for number, row in _full(rows):
        try:
            each = read(row)
            if each is not None and len(each.reason) > LONGEST_REASON:
                raise _Wrong(f"a reason of at most {LONGEST_REASON} characters")
            if each is not None and each.day in seen and (source != OFFICE or seen[each.day] != each.open):
                raise _Wrong("each day once")
        except (_Wrong, IndexError) as error:
            wrong.append(_told(path, number, row, error))
            continue
        if each is not None:
            seen[each.day] = each.open
            listed.append(each)
    if not listed and not wrong:
        wrong.append(f"{path}: expected at least one day, got none")
    if wrong:
        raise BadFile("\n".join(wrong))
    first, last = min(seen), max(seen)
    if source == BY_HAND:
        return DayList(source=source, encoding=encoding, days=tuple(listed), weekend=(), first=first, last=last)
    whole = read is _office_row  # names every day of its year; one that was cut off says nothing of the rest
    weekend = [each for each in listed if not each.open and each.day.weekday() >= SATURDAY and _named(each)]
    closed = [each for each in listed if not each.open and each.day.weekday() < SATURDAY]
    makes_up = [each for each in listed if each.open and each.day.weekday() >= SATURDAY]
    return DayList(
        source=source,
        encoding=encoding,
        days=tuple(sorted({each.day: each for each in (*closed, *makes_up)}.values())),
        weekend=tuple(sorted(weekend)),
        first=first if whole else date(first.year, 1, 1),
        last=last if whole else date(last.year, 12, 31),
    )


def _listed(path: Path, encoding: str, rows: list[list[str]]) -> DayList:
    """Our own list of several branches, taken as lists of one branch each."""
    by_branch: dict[str, list[Day]] = {}
    wrong: list[str] = []
    for number, row in _full(rows):
        try:
            branch, source = row[0], row[4]
            if source not in (BY_HAND, SETUP, OFFICE):
                raise _Wrong(f"{SETUP}, {OFFICE} or nothing under source")
            single = replace(_own_row(row[1:4]), source=source)
            if any(each.day == single.day for each in by_branch.get(branch, ())):
                raise _Wrong("each day of a branch once")
        except (_Wrong, IndexError) as error:
            wrong.append(_told(path, number, row, error))
        else:
            by_branch.setdefault(branch, []).append(single)
    if not by_branch and not wrong:
        wrong.append(f"{path}: expected at least one day, got none")
    if wrong:
        raise BadFile("\n".join(wrong))
    every = sorted(each for matches in by_branch.values() for each in matches)
    return DayList(
        source=BY_HAND, encoding=encoding, days=(), weekend=(), first=every[0].day, last=every[-1].day,
        by_branch=MappingProxyType({branch: tuple(matches) for branch, matches in by_branch.items()}),
    )  # fmt: skip


def _told(path: Path, number: int, row: list[str], error: Exception) -> str:
    expected = error if isinstance(error, _Wrong) else "all columns"
    return f"{path}: line {number}: expected {expected}, got {','.join(row)[:80]!r}"


def _named(single: Day) -> bool:
    return single.reason not in ("", "例假日")


def _full(rows: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows behind the header that say anything, with their line."""
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            yield number, [cell.strip() for cell in row]


def _office_row(row: list[str]) -> Day:
    day = _day(row[0], "%Y%m%d", "a day like 20260101")
    weekday = "一二三四五六日"[day.weekday()]
    if row[1].removeprefix("星期") != weekday:
        raise _Wrong(f"{weekday} as weekday of {day}")
    if row[2] not in (WORK, HOLIDAY):
        raise _Wrong("0 (work day) or 2 (holiday) under 是否放假")
    return Day(day, row[2] == WORK, row[3] if len(row) > 3 else "")


def _own_row(row: list[str]) -> Day:
    if row[1] not in ("closed", "open"):
        raise _Wrong("closed or open under state")
    return Day(_day(row[0], "%Y-%m-%d", "a day like 2026-12-31"), row[1] == "open", as_written(row[2]))


def _google_row(row: list[str]) -> Day:
    """Each row is an event: a holiday, or a Saturday on which offices work."""
    day = _day(row[1].replace("-", "/"), "%Y/%m/%d", "a day like 2026/1/1")
    return Day(day, any(word in row[0] for word in _WORKS), row[0])


def _day(text: str, shape: str, expected: str) -> date:
    try:
        return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise _Wrong(expected) from error
