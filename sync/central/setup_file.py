"""The file of `central setup`: TOML that says all a new library consists of, checked whole before anything is done (D6).

Read by the command line only. Promises that every mistake is told at once, each with file, key, what was expected and what was found.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from kiosk.domain.opening import EXPECTED, WEEKDAYS, BadHours, parse_hours
from kiosk.domain.staff import spell_login
from sync.central.places import ALL, CODE, CODE_EXPECTED, LibraryKind
from sync.central.staff import LOGIN, LOGIN_EXPECTED
from sync.central.terms import CODE as TERM_CODE
from sync.central.terms import CODE_EXPECTED as TERM_CODE_EXPECTED


class BadSetup(Exception):
    """The file cannot be used; one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def library_code(text: str) -> str:
    """As it is. Raises ValueError with what is expected, like those below."""
    if CODE.fullmatch(text) is None:
        raise ValueError(CODE_EXPECTED)
    return text


def branch_code(text: str) -> str:
    if text == ALL:
        raise ValueError(f"another code than {ALL}, by which commands call all branches")
    return library_code(text)


def term_code(text: str) -> str:
    if TERM_CODE.fullmatch(text) is None:
        raise ValueError(TERM_CODE_EXPECTED)
    return text


def hours_text(text: str) -> str:
    try:
        parse_hours(text)
    except BadHours as error:
        raise ValueError(EXPECTED) from error
    return text


def login(text: str) -> str:
    if LOGIN.fullmatch(spell_login(text)) is None:
        raise ValueError(LOGIN_EXPECTED)
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters")
    return text


Code = Annotated[str, AfterValidator(library_code)]
BranchCode = Annotated[str, AfterValidator(branch_code)]
TermCode = Annotated[str, AfterValidator(term_code)]
Hours = Annotated[str, AfterValidator(hours_text)]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]
Text = Annotated[str, Field(max_length=200), AfterValidator(_printable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Library(_Part):
    """One library."""

    code: Code
    name: Name
    kind: LibraryKind = LibraryKind.PUBLIC


class Branch(_Part):
    """One branch."""

    code: BranchCode
    name: Name
    library: Code | None = None
    """May be left out where there is one library."""
    address: Text | None = None
    telephone: Text | None = None
    hours: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Hours]
    """All seven weekdays."""


class Word(_Part):
    """A patron category or an item type."""

    code: TermCode
    zh: Name
    en: Name


class Rules(_Part):
    """The lending rules: one of both."""

    preset: Literal["city", "school"] | None = None
    file: Path | None = None
    """Counts from this file's folder."""


class Holidays(_Part):
    """A file of days, for some branches or all."""

    file: Path
    """Counts from this file's folder."""
    encoding: Literal["utf-8", "big5"] | None = None
    branches: tuple[str, ...] = (ALL,)


class SingleDay(_Part):
    """A day that is closed or open otherwise, for some branches or all."""

    day: date
    open: bool = False
    reason: Text = ""
    branches: tuple[str, ...] = (ALL,)


class Administrator(_Part):
    """Who looks after central; the password is asked for, never written."""

    login: Annotated[str, AfterValidator(login)]


class Key(_Part):
    """The recovery copy of the root key."""

    copy_to: Path
    """Counts from this file's folder; best on a stick that then leaves the house."""


class SetupFile(_Part):
    """All that a library consists of."""

    libraries: tuple[Library, ...] = Field(min_length=1)
    branches: tuple[Branch, ...] = Field(min_length=1)
    categories: tuple[Word, ...] = ()
    item_types: tuple[Word, ...] = ()
    policy: Rules | None = None
    holidays: tuple[Holidays, ...] = ()
    days: tuple[SingleDay, ...] = ()
    administrator: Administrator | None = None
    key: Key | None = None


def load_setup(path: Path) -> SetupFile:
    """Read and check one file. Raises BadSetup."""
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetup([f"{path}: expected a readable TOML file in UTF-8, got {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetup([f"{path}: expected TOML, got a syntax error: {error}"]) from error
    return check_setup(path, values)


def check_setup(path: Path, values: Mapping[str, object]) -> SetupFile:
    """The same of values that come from elsewhere; `path` stands in messages, and paths count from its folder."""
    try:
        file = SetupFile.model_validate(values)
    except ValidationError as error:
        raise BadSetup([_problem(path, dict(fault)) for fault in _telling(error)]) from error
    problems = list(_together(path, file))
    if problems:
        raise BadSetup(problems)
    return file


def _telling(error: ValidationError) -> Iterator[ErrorDetails]:
    """A list is not said to be too short because all that stands in it is wrong."""
    faults = error.errors()
    for fault in faults:
        position = fault["loc"]
        within = any(each["loc"][: len(position)] == position and len(each["loc"]) > len(position) for each in faults)
        if fault["type"] != "too_short" or not within:
            yield fault


_EXPECTED = {"missing": "a value", "extra_forbidden": "no such key"}


def _problem(path: Path, fault: Mapping[str, object]) -> str:
    position = fault["loc"]
    key = ".".join(str(part) for part in position if part != "[key]") if isinstance(position, tuple) else str(position)
    got = "nothing" if fault["type"] == "missing" else repr(fault.get("input"))[:80]
    message = str(fault["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{path}: key {key or '(file)'}: expected {_EXPECTED.get(str(fault['type']), message)}, got {got}"


def _together(path: Path, file: SetupFile) -> Iterator[str]:
    """What only the whole file shows."""
    for table in ("libraries", "branches", "categories", "item_types"):
        seen: set[str] = set()
        for position, each in enumerate(getattr(file, table)):
            if each.code in seen:
                yield f"{path}: key {table}.{position}.code: expected each code once, got {each.code!r}"
            seen.add(each.code)
    libraries = {each.code for each in file.libraries}
    for position, branch in enumerate(file.branches):
        key = f"{path}: key branches.{position}"
        if branch.library is None and len(libraries) > 1:
            yield f"{key}.library: expected one of {', '.join(sorted(libraries))}, got nothing"
        if branch.library is not None and branch.library not in libraries:
            yield f"{key}.library: expected one of {', '.join(sorted(libraries))}, got {branch.library!r}"
        if missing := [name for name in WEEKDAYS if name not in branch.hours]:
            yield f"{key}.hours: expected all seven weekdays, got none for {', '.join(missing)}"
    codes = {each.code for each in file.branches} | {ALL}
    for table in ("holidays", "days"):
        for position, entry in enumerate(getattr(file, table)):
            for code in entry.branches:
                if code not in codes:
                    yield f"{path}: key {table}.{position}.branches: expected {', '.join(sorted(codes))}, got {code!r}"
    closed: set[tuple[date, str]] = set()
    for position, each in enumerate(file.days):
        for code in each.branches:
            if (each.day, code) in closed:
                yield f"{path}: key days.{position}.day: expected each day once for a branch, got {each.day} for {code}"
            closed.add((each.day, code))
    if file.policy is not None and (file.policy.preset is None) == (file.policy.file is None):
        yield f"{path}: key policy: expected one of preset and file, got both or neither"
