"""Sets a library up from its file, and again when the file has changed: only what differs is done (D6).

Called by `central setup`. Promises: everything is read and checked before anything is changed; records are one transaction; the second
run changes nothing and says so. What the file does not speak of stays: a branch or a category is never removed, since loans,
kiosks and records name it. Any thread; blocking.

Why. A preview is the same work in a transaction that is rolled back, so that it cannot say anything else than what would be done.
"""

import contextlib
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from msgspec import structs
from sqlalchemy import select

from kiosk.domain.staff import EVERYWHERE, Grant, Role
from sync.central import tables
from sync.central.branches import RolledBack, put_branch, put_library, put_term
from sync.central.calendars import SETUP, Day, with_hours, with_list
from sync.central.day_lists import DayList, read_days
from sync.central.import_rows import BadFile
from sync.central.in_folder import refuse_missing
from sync.central.office import Central, CentralSettings
from sync.central.passwords import demand
from sync.central.places import ALL, branches
from sync.central.policies import BadPolicy, changed_rules, load_policy, preset
from sync.central.records import policy_entry
from sync.central.registry import Change
from sync.central.setup_file import BadSetup, SetupFile
from sync.central.terms import TermKind
from sync.wire import CalendarEntry, LibraryEntry, PolicyEntry

ADMINISTRATOR = Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE)
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set-up file with all that it names, read and checked."""

    file: SetupFile
    """The file itself."""
    policy: PolicyEntry | None
    """Its lending rules."""
    lists: tuple[tuple[Collection[str], DayList], ...]
    """Its files of days, and for which branches."""
    folder: Path
    """Its paths count from here."""


def prepare(path: Path, file: SetupFile) -> Prepared:
    """Reads what the file names. Raises BadSetup with every mistake."""
    problems: list[str] = []
    policy: PolicyEntry | None = None
    if file.policy is not None:
        try:
            policy = _rules(path.parent, file)
        except BadPolicy as error:
            problems += error.problems
    lists = []
    for position, holidays in enumerate(file.holidays):
        try:
            listed = read_days(path.parent / holidays.file, holidays.encoding)
        except BadFile as error:
            problems += [f"{path}: key holidays.{position}: {line}" for line in str(error).splitlines()]
        else:
            lists.append((holidays.branches, listed))
    if problems:
        raise BadSetup(problems)
    return Prepared(file, policy, tuple(lists), path.parent)


def needs_password(central: Central, file: SetupFile) -> bool:
    """The file names an administrator who has no login yet."""
    return file.administrator is not None and central.staff.known(file.administrator.login) is None


def set_up(
    central: Central, settings: CentralSettings, prepared: Prepared, *, password: str | None, who: str, preview: bool
) -> list[str]:
    """One line for each thing that is new or different; a preview changes nothing.

    `password`: of an administrator who is new. Raises BadSetup, BadPlace, BadPolicy, BadLogin, BadPassword, KeyFileUnusable,
    MissingFolder.
    """
    if not preview and needs_password(central, prepared.file):
        demand(password or "")
    lines = _would_change(central, prepared, who)  # what cannot be is told before anything else is done
    lines += _key(central, settings, prepared, who=who, preview=preview)
    lines += _administrator(central, prepared.file, password=password, who=who, preview=preview)
    if not preview:
        with central.registry.change(who) as change:
            deque(_records(change, prepared), maxlen=0)
    return lines


def _would_change(central: Central, prepared: Prepared, who: str) -> list[str]:
    lines: list[str] = []
    with contextlib.suppress(RolledBack), central.registry.change(who) as change:
        lines += _records(change, prepared)
        raise RolledBack
    return lines


def _rules(folder: Path, file: SetupFile) -> PolicyEntry | None:
    if file.policy is None:
        return None
    return preset(file.policy.preset) if file.policy.preset is not None else load_policy(folder / str(file.policy.file))


def _records(change: Change, prepared: Prepared) -> Iterator[str]:
    file = prepared.file
    for library in file.libraries:
        entry = LibraryEntry(code=library.code, name=library.name, kind=library.kind.value)
        yield from put_library(change, entry, may_change=True)
    for kind, words in ((TermKind.CATEGORY, file.categories), (TermKind.ITEM_TYPE, file.item_types)):
        for word in words:
            yield from put_term(change, kind, word.code, word.zh, word.en, may_change=True)
    known = branches(change.connection)
    for branch in file.branches:
        before = known.get(branch.code)
        after = structs.replace(
            CalendarEntry(branch=branch.code) if before is None else before,
            name=branch.name,
            library=branch.library or file.libraries[0].code,
            **{key: given for key in ("address", "telephone") if (given := getattr(branch, key)) is not None},
        )
        after = with_hours(after, {str(name): text for name, text in branch.hours.items()})
        for codes, listed in prepared.lists:
            if _for(branch.code, codes):
                after = listed.on(after)
        days = [Day(each.day, each.open, each.reason) for each in file.days if _for(branch.code, each.branches)]
        after = with_list(after, SETUP, days, _FIRST, _LAST)
        yield from put_branch(change, before, after, may_change=True, what="branch set")
    if prepared.policy is not None:
        yield from _policy(change, prepared.policy)


def _policy(change: Change, entry: PolicyEntry) -> Iterator[str]:
    columns = tables.policy.c
    body = change.connection.execute(select(columns.body).where(columns.current == 1)).scalar()
    lines = list(changed_rules(None if body is None else policy_entry(body), entry))
    if lines:
        change.policy(entry)
        yield f"~ lending rules: {entry.policy_version}"
        yield from lines


def _administrator(
    central: Central, file: SetupFile, *, password: str | None, who: str, preview: bool
) -> Iterator[str]:
    if file.administrator is None:
        return
    login = file.administrator.login
    member = central.staff.known(login)
    if member is None:
        if not preview:
            central.staff.add(login, password or "", [ADMINISTRATOR], who=who)
        yield f"+ administrator {login} ({ADMINISTRATOR})"
    elif ADMINISTRATOR not in member.grants:
        if not preview:
            central.staff.grant(login, ADMINISTRATOR, who=who)
        yield f"~ {login}: also {ADMINISTRATOR}"


def _key(central: Central, settings: CentralSettings, prepared: Prepared, *, who: str, preview: bool) -> Iterator[str]:
    """Once a copy of this very key is noted, nothing more is written: the stick may be in the safe."""
    if prepared.file.key is None or central.key_copy.made_at() is not None:
        return
    target = prepared.folder / prepared.file.key.copy_to
    refuse_missing(target)
    if not preview:
        central.key_copy.write(target, settings.data, key_file=settings.root_key_file(), who=who)
    yield f"+ recovery copy of the root key: {target}"


def _for(branch: str, codes: Collection[str]) -> bool:
    return ALL in codes or branch in codes
