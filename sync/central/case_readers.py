"""What a case is about in words: its title, its branch, and whose loans they are, each with a masked name where one may be seen.

Read by `worklist`. A case of two acts names both readers, in the order of the acts; one whose acts were unlinked (C9) names nobody.
Inside the caller's transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from kiosk.domain.reconcile import is_unlinked
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.bulk import among
from sync.central.records import AnyRow, calendar_entry, details_of, moment, surname_only

_PERSONS = select(tables.person).where(among(tables.person.c.membership))
_BRANCHES = select(tables.branch).where(among(tables.branch.c.id))
_TITLES = select(tables.item.c.id, tables.item.c.title).where(among(tables.item.c.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReader:
    """One whom a case is about."""

    membership: str
    """Opaque id."""
    name: str | None
    """Masked, and only for who may see it."""
    at: datetime | None
    """When their act happened; None where the case is about no act of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What one case is about."""

    title: str | None
    """Of the item; None for one that nobody has catalogued."""
    branch_name: str | None
    """Name of the branch, or its code where it has none."""
    readers: tuple[CaseReader, ...]
    """Both of a conflict."""


def about(connection: Connection, rows: Sequence[AnyRow], sees_names: Callable[[AnyRow], bool]) -> list[About]:
    """Of each of these cases, in three queries. `sees_names`: may names of this case be seen?"""

    def fetched(query: Select[Any], keys: set[str | None]) -> Mapping[str, AnyRow]:
        wanted = {"ids": sorted(key for key in keys if key)}
        return {row[0]: row for row in connection.execute(query, wanted)}

    whose = [_whose(row) for row in rows]
    persons = fetched(_PERSONS, {membership for one in whose for membership in one})
    branches = fetched(_BRANCHES, {row.branch for row in rows})
    titles = fetched(_TITLES, {row.item for row in rows})
    described = []
    for row, readers in zip(rows, whose, strict=True):
        seen = sees_names(row)
        branch = branches.get(row.branch or "")
        title = titles.get(row.item or "")
        described.append(
            About(
                title=None if title is None else title.title,
                branch_name=row.branch if branch is None else calendar_entry(branch.calendar).name or row.branch,
                readers=tuple(
                    CaseReader(
                        membership=membership,
                        name=surname_only(persons[membership].name) if seen and membership in persons else None,
                        at=at,
                    )
                    for membership, at in readers.items()
                ),
            )
        )
    return described


def _whose(row: AnyRow) -> dict[str, datetime | None]:
    """Memberships in the order of the acts, each with the time of its first one."""
    whose: dict[str, datetime | None] = {}
    for membership, at in (
        (row.act_membership, row.act_at),
        (row.other_membership, row.other_at),
        (row.membership, None),
        (details_of(row.details).get("other") if row.reason == Reason.CARD_BOUND_TO_ANOTHER else None, None),
    ):
        if membership and not is_unlinked(str(membership)):
            whose.setdefault(str(membership), None if at is None else moment(at))
    return whose
