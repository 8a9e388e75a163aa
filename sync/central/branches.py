"""Libraries, branches, their calendars and the library's words, as people set them up and change them (D6).

Called by the command line; each method is one use case and one transaction, audited, and told to the kiosks by the feed. Promises:
the same thing said twice changes nothing and says so; a change is a list of lines, which a preview returns without making it.
Promised due dates stand with their loans: no change of a calendar touches one. Any thread; blocking.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime

from msgspec import structs
from sqlalchemy import Connection, func, select, update

from kiosk.domain.holds import HoldState
from sync.central import tables
from sync.central.calendars import Day, differences, with_day, with_hours, without_day
from sync.central.database import Database, lock
from sync.central.day_lists import DayList
from sync.central.place_lists import BranchRow, TermRow
from sync.central.places import (
    ADD_BRANCH,
    ALL,
    CODE,
    CODE_EXPECTED,
    LibraryKind,
    branches,
    choice,
    known_branch,
    libraries,
    need_branch,
    need_library,
)
from sync.central.records import microseconds
from sync.central.registry import Change
from sync.central.terms import CODE as TERM_CODE
from sync.central.terms import CODE_EXPECTED as TERM_CODE_EXPECTED
from sync.central.terms import TermKind, term, terms
from sync.wire import CalendarEntry, LibraryEntry, TermEntry

LONGEST_NAME = 80


class RolledBack(Exception):
    """The end of a preview."""


class BadPlace(ValueError):
    """A code, a name or a kind that cannot be; the message says what is expected."""


class Differs(Exception):
    """It is known already, and otherwise: nothing was changed."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__("it is known already, and otherwise; --change makes it so:\n" + "\n".join(lines))


class StillServed(Exception):
    """Kiosks are enrolled at the branch."""

    def __init__(self, branch: str, kiosks: Collection[str]) -> None:
        names = ", ".join(kiosks)
        super().__init__(
            f"at {branch} kiosks are still enrolled: {names}; revoke each first (`shelfpoint central revoke KIOSK`), so that it "
            "tells what it has not told yet"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchLine:
    """A branch, for a list."""

    entry: CalendarEntry
    """All that is known of it."""
    kiosks: tuple[str, ...]
    """Enrolled there and not revoked."""


class Branches:
    """Where libraries, branches and calendars are changed."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    # --- looking ---

    def libraries(self) -> list[LibraryEntry]:
        """By code."""
        with self._database.read() as connection:
            return list(libraries(connection).values())

    def all(self) -> list[BranchLine]:
        """By code, with those that are closed for good."""
        with self._database.read() as connection:
            return [
                BranchLine(entry=entry, kiosks=_enrolled_at(connection, code))
                for code, entry in branches(connection).items()
            ]

    def named(self, code: str) -> CalendarEntry:
        """One branch, also a closed one. Raises UnknownRecord."""
        with self._database.read() as connection:
            return known_branch(connection, code)

    def terms(self, kind: TermKind) -> list[TermEntry]:
        """Patron categories or item types, by code."""
        with self._database.read() as connection:
            return list(terms(connection, kind).values())

    # --- libraries, branches, words ---

    def add_library(self, entry: LibraryEntry, *, who: str, change: bool = False) -> list[str]:
        """A library; what is new or different, one line each. Raises BadPlace, Differs."""
        with self._changing(who) as batch:
            return put_library(batch, entry, may_change=change)

    def add_branch(
        self, code: str, *, name: str, library: str, address: str | None = None, telephone: str | None = None, who: str,
        change: bool = False, reopen: bool = False,
    ) -> list[str]:  # fmt: skip
        """A branch of a library; what is new or different, one line each. `reopen`: it was closed for good.

        Raises BadPlace, Differs, UnknownRecord.
        """
        with self._changing(who) as batch:
            known = branches(batch.connection)
            before = known.get(code)
            if reopen and before is None:
                need_branch(batch.connection, code)
            if before is None and not library:
                library = next(iter(of)) if len(of := libraries(batch.connection)) == 1 else ""
            need_library(batch.connection, library or ("" if before is None else before.library))
            entry = CalendarEntry(branch=code, name=name or code) if before is None else before
            given = {"name": name, "library": library, "address": address, "telephone": telephone}
            changes = {key: value for key, value in given.items() if value}
            entry = structs.replace(entry, **changes, given_up=entry.given_up and not reopen)
            may_change = change or (reopen and not changes)
            return put_branch(batch, before, entry, may_change=may_change, what="branch set")

    def close_branch(self, code: str, *, who: str) -> list[str]:
        """For good: no kiosk enrols there any more, nothing new is to be picked up there; loans stay.

        Raises UnknownRecord, ClosedBranch, StillServed.
        """
        with self._changing(who) as batch:
            lock(batch.connection, ["enrolment"])
            before = need_branch(batch.connection, code)
            kiosks = _enrolled_at(batch.connection, code)
            if kiosks:
                raise StillServed(code, kiosks)
            codes = tables.enrolment_code
            now = microseconds(self._clock())
            batch.connection.execute(
                update(codes).where(codes.c.branch == code, codes.c.used_at.is_(None)).values(used_at=now)
            )
            closed = structs.replace(before, given_up=True)
            lines = put_branch(batch, before, closed, may_change=True, what="branch closed")
            waiting = _to_pick_up(batch.connection, code)
        if waiting:
            lines.append(
                f"! {waiting} holds are still to be picked up there: `shelfpoint central hold list --branch {code}`"
            )
        return lines

    def add_term(self, kind: TermKind, code: str, *, zh: str, en: str, who: str, change: bool = False) -> list[str]:
        """A patron category or an item type; what is new or different. Raises BadPlace, Differs."""
        with self._changing(who) as batch:
            return put_term(batch, kind, code, zh, en, may_change=change)

    def take_branches(self, rows: Iterable[BranchRow], *, who: str, preview: bool = False) -> list[str]:
        """Branches of a file: what is new or different. Raises BadPlace, BadHours, UnknownRecord."""
        lines: list[str] = []
        with self._changing(who, preview=preview) as batch:
            known, of = branches(batch.connection), libraries(batch.connection)
            for row in rows:
                before = known.get(row.code)
                entry = CalendarEntry(branch=row.code) if before is None else before
                entry = structs.replace(entry, **row.given)
                need_library(batch.connection, entry.library or (next(iter(of)) if len(of) == 1 else ""))
                entry = structs.replace(entry, library=entry.library or next(iter(of)))
                entry = with_hours(entry, row.hours) if row.hours else entry
                lines += put_branch(batch, before, entry, may_change=True, what="branch set")
        return lines

    def take_terms(self, kind: TermKind, rows: Iterable[TermRow], *, who: str, preview: bool = False) -> list[str]:
        """Words of a file: what is new or different. Raises BadPlace."""
        with self._changing(who, preview=preview) as batch:
            return [line for row in rows for line in put_term(batch, kind, row.code, row.zh, row.en, may_change=True)]

    # --- calendars ---

    def set_hours(
        self, codes: Collection[str], hours: Mapping[str, str], *, who: str, preview: bool = False
    ) -> list[str]:
        """Weekly hours by weekday (mon … sun) of these branches. Raises BadHours, UnknownRecord, ClosedBranch."""
        return self._each(codes, lambda entry: with_hours(entry, hours), "hours set", who=who, preview=preview)

    def set_day(self, codes: Collection[str], day: Day, *, who: str, preview: bool = False) -> list[str]:
        """This day is closed or open there, whatever lists say. Raises UnknownRecord, ClosedBranch."""
        what = "day opened" if day.open else "day closed"
        return self._each(codes, lambda entry: with_day(entry, day), what, day.day, who=who, preview=preview)

    def clear_day(self, codes: Collection[str], day: date, *, who: str, preview: bool = False) -> list[str]:
        """This day goes by the weekly hours again. Raises UnknownRecord, ClosedBranch."""
        return self._each(codes, lambda entry: without_day(entry, day), "day cleared", day, who=who, preview=preview)

    def take_list(self, codes: Collection[str], listed: DayList, *, who: str, preview: bool = False) -> list[str]:
        """What a file says of its days, in the place of what its source said before. Raises UnknownRecord, ClosedBranch."""

        named = listed.by_branch
        if named and ALL not in codes:
            for code in codes:
                if code not in named:
                    raise BadPlace(f"the file says nothing of branch {code}; it names {', '.join(sorted(named))}")
        elif named:
            with self._database.read() as connection:
                for code in named:
                    need_branch(connection, code)
        return self._each(codes, listed.on, "days imported", who=who, preview=preview)

    def _each(
        self, codes: Collection[str], make: Callable[[CalendarEntry], CalendarEntry], what: str, day: date | None = None,
        *, who: str, preview: bool,
    ) -> list[str]:  # fmt: skip
        """The same change at several branches; `all` names every one that is not closed for good."""
        lines: list[str] = []
        with self._changing(who, preview=preview) as batch:
            for before in _named(batch.connection, codes):
                after = make(before)
                lines += differences(before, after)
                if after != before:
                    batch.branch(after, what, {} if day is None else {"day": day.isoformat()})
        return lines

    @contextmanager
    def _changing(self, who: str, *, preview: bool = False) -> Iterator[Change]:
        """One transaction; a preview does the same and is rolled back, so that it can say nothing else."""
        with suppress(RolledBack), self._database.write() as connection:
            lock(connection, ["registry"])
            change = Change(connection, who, self._clock())
            yield change
            if preview:
                raise RolledBack
            change.marks.write()


def put_library(batch: Change, entry: LibraryEntry, *, may_change: bool) -> list[str]:
    """Within a transaction. Raises BadPlace, Differs."""
    if entry.kind not in list(LibraryKind):
        raise BadPlace(f"kind of library {entry.code}: expected {', '.join(LibraryKind)}; got {entry.kind!r}")
    _check(f"library {entry.code}", entry.code, entry.name)
    before = libraries(batch.connection).get(entry.code)
    lines = library_differences(before, entry)
    if before is not None and lines and not may_change:
        raise Differs(lines)
    if lines:
        batch.library(entry)
    return lines


def library_differences(before: LibraryEntry | None, entry: LibraryEntry) -> list[str]:
    """One line for what is new or different."""
    if before is None:
        return [f"+ library {entry.code} ({entry.name}), {entry.kind}"]
    return [
        f"~ library {entry.code}: {key}: {getattr(before, key)} -> {getattr(entry, key)}"
        for key in ("name", "kind")
        if getattr(before, key) != getattr(entry, key)
    ]


def put_branch(
    batch: Change, before: CalendarEntry | None, entry: CalendarEntry, *, may_change: bool, what: str
) -> list[str]:
    """Within a transaction. Raises BadPlace, Differs."""
    _check(f"branch {entry.branch}", entry.branch, entry.name)
    if entry.branch == ALL:
        raise BadPlace(f"branch {ALL}: expected another code, because commands call all branches so")
    for key in ("address", "telephone"):
        _printable(f"{key} of branch {entry.branch}", getattr(entry, key), 200)
    lines = list(differences(before, entry))
    if before is not None and lines and not may_change:
        raise Differs(lines)
    if lines:
        batch.branch(entry, what)
    return lines


def put_term(batch: Change, kind: TermKind, code: str, zh: str, en: str, *, may_change: bool) -> list[str]:
    """Within a transaction. Raises BadPlace, Differs."""
    if TERM_CODE.fullmatch(code) is None:
        raise BadPlace(f"{_called(kind)} {code[:60]!r}: expected {TERM_CODE_EXPECTED}")
    for language, name in (("zh", zh), ("en", en)):
        _printable(f"{language} of {_called(kind)} {code}", name, LONGEST_NAME, needed=True)
    entry = term(kind, code, zh, en)
    before = terms(batch.connection, kind).get(code)
    lines = term_differences(before, entry)
    if before is not None and lines and not may_change:
        raise Differs(lines)
    if lines:
        batch.term(entry)
    return lines


def term_differences(before: TermEntry | None, entry: TermEntry) -> list[str]:
    """One line for what is new or different."""
    kind, _, code = entry.key.partition(":")
    named = f"{_called(TermKind(kind))} {code}"
    if before is None:
        return [f"+ {named} ({entry.zh}, {entry.en})"]
    return [
        f"~ {named}: {key}: {getattr(before, key)} -> {getattr(entry, key)}"
        for key in ("zh", "en")
        if getattr(before, key) != getattr(entry, key)
    ]


def _called(kind: TermKind) -> str:
    return kind.value.replace("_", " ")


def _check(what: str, code: str, name: str) -> None:
    if CODE.fullmatch(code) is None:
        raise BadPlace(f"{what[:80]}: expected {CODE_EXPECTED}")
    _printable(f"name of {what}", name, LONGEST_NAME, needed=True)


def _printable(what: str, text: str, longest: int, *, needed: bool = False) -> None:
    if len(text) > longest or not text.isprintable() or (needed and not text.strip()):
        raise BadPlace(
            f"{what}: expected {'1' if needed else '0'} to {longest} printable characters, got {text[:60]!r}"
        )


def _enrolled_at(connection: Connection, code: str) -> tuple[str, ...]:
    kiosk = tables.kiosk.c
    return tuple(
        connection.execute(
            select(kiosk.id).where(kiosk.branch == code, kiosk.revoked_at.is_(None)).order_by(kiosk.id)
        ).scalars()
    )


def _to_pick_up(connection: Connection, code: str) -> int:
    hold = tables.hold.c
    still = hold.state.in_([each.value for each in HoldState if each.open])
    return int(connection.execute(select(func.count()).where(hold.branch == code, still)).scalar_one())


def _named(connection: Connection, codes: Collection[str]) -> list[CalendarEntry]:
    if ALL in codes:
        matches = [entry for entry in branches(connection).values() if not entry.given_up]
        if not matches:
            raise BadPlace(f"all branches: {choice({}, ADD_BRANCH)}")
        return matches
    return [need_branch(connection, code) for code in dict.fromkeys(codes)]
