"""Staff as they are read: who there is, and what each may do today. Any thread; blocking."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from kiosk.domain.staff import Grant, Role, StaffId, parse_scope
from sync.central import tables
from sync.central.records import AnyRow, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff."""

    id: StaffId
    """Opaque; stands in the audit."""
    login: str
    """What is typed."""
    grants: tuple[Grant, ...]
    """In order of role and scope."""
    created_at: datetime
    disabled_at: datetime | None
    """None while the login opens anything."""
    locked_until: datetime | None
    """After too many wrong tries."""


def members(connection: Connection, ids: Iterable[str] | None = None) -> list[Member]:
    """By login; all, or those with these ids."""
    query = select(tables.staff).order_by(tables.staff.c.login)
    grants = select(tables.staff_grant)
    if ids is not None:
        wanted = sorted(set(ids))
        query = query.where(tables.staff.c.id.in_(wanted))
        grants = grants.where(tables.staff_grant.c.staff.in_(wanted))
    held: dict[str, list[Grant]] = {}
    for row in connection.execute(grants):
        held.setdefault(row.staff, []).append(Grant(Role(row.role), parse_scope(row.scope)))
    return [_member(row, tuple(sorted(held.get(row.id, ())))) for row in connection.execute(query)]


def _member(row: AnyRow, grants: tuple[Grant, ...]) -> Member:
    return Member(
        id=StaffId(row.id),
        login=row.login,
        grants=grants,
        created_at=moment(row.created_at),
        disabled_at=None if row.disabled_at is None else moment(row.disabled_at),
        locked_until=None if row.locked_until is None else moment(row.locked_until),
    )
