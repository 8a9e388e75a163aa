"""Libraries and their branches as central knows them; whoever names an unknown or a closed one is told so here (D6).

Called inside a transaction by whatever takes a branch from a person: enrolment, imports, scopes of staff, holds, calendars.
Promises one sentence: which are known, and the command that adds one. Any thread; blocking.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import Connection, select

from kiosk.domain.staff import Scope, ScopeKind
from sync.central import tables
from sync.central.records import calendar_entry, library_entry
from sync.wire import CalendarEntry, LibraryEntry

ALL = "all"
"""In a command: every branch that is not closed for good. No branch may be called so."""
ADD_BRANCH = "shelfpoint central branch add CODE --library LIBRARY --name NAME"
ADD_LIBRARY = "shelfpoint central library add CODE --name NAME --kind KIND"
SHOWN = 12
"""Codes in a sentence; of more the first ones."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
CODE_EXPECTED = "a code of 1 to 40 letters, digits, -, _ and . that begins with a letter or digit"


class LibraryKind(StrEnum):
    """What a library is."""

    PUBLIC = "public"
    SCHOOL = "school"
    AGENCY = "agency"


class UnknownRecord(Exception):
    """There is no such branch, membership, item or kiosk."""


class ClosedBranch(Exception):
    """The branch is closed for good."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"branch {code} is closed for good; `shelfpoint central branch add {code} --reopen` opens it again"
        )


def branches(connection: Connection) -> dict[str, CalendarEntry]:
    """Every branch, also a closed one, by code."""
    rows = connection.execute(select(tables.branch).order_by(tables.branch.c.id))
    return {row.id: calendar_entry(row.calendar) for row in rows}


def libraries(connection: Connection) -> dict[str, LibraryEntry]:
    """Every library, by code."""
    rows = connection.execute(select(tables.library).order_by(tables.library.c.code))
    return {row.code: library_entry(row) for row in rows}


def known_branch(connection: Connection, code: str) -> CalendarEntry:
    """The branch, also a closed one. Raises UnknownRecord."""
    known = branches(connection)
    if code not in known:
        raise UnknownRecord(f"branch {code[:60]!r}: {choice(known, ADD_BRANCH, code)}")
    return known[code]


def need_branch(connection: Connection, code: str) -> CalendarEntry:
    """The branch, which is open for something new. Raises UnknownRecord, ClosedBranch."""
    entry = known_branch(connection, code)
    if entry.given_up:
        raise ClosedBranch(code)
    return entry


def need_scope(connection: Connection, scope: Scope) -> None:
    """That a place in a grant is one. Raises UnknownRecord, ClosedBranch."""
    if scope.kind is ScopeKind.BRANCH:
        need_branch(connection, scope.place)
    if scope.kind is ScopeKind.SCHOOL:
        schools = {code: each for code, each in libraries(connection).items() if each.kind == LibraryKind.SCHOOL}
        if scope.place not in schools:
            raise UnknownRecord(f"school {scope.place[:60]!r}: {choice(schools, ADD_LIBRARY, scope.place)}")


def need_library(connection: Connection, code: str) -> LibraryEntry:
    """The library. Raises UnknownRecord."""
    known = libraries(connection)
    if code not in known:
        raise UnknownRecord(f"library {code[:60]!r}: {choice(known, ADD_LIBRARY, code)}")
    return known[code]


def choice(known: Mapping[str, object] | Collection[str], command: str, wanted: str = "CODE") -> str:
    """Which are known and how `wanted` is added, for the end of a sentence."""
    if CODE.fullmatch(wanted) is not None:
        command = command.replace(" CODE ", f" {wanted} ")
    codes = sorted(known)
    listed = ", ".join(codes[:SHOWN]) + (f" and {len(codes) - SHOWN} more" if len(codes) > SHOWN else "")
    return f"known are {listed}; add one: {command}" if codes else f"none is known yet; add one: {command}"
