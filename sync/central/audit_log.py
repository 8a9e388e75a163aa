"""The audit, to be read: who changed what, newest first. Rows are written by `registry.Change` and never change.

Any thread; blocking.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from sync.central import tables
from sync.central.database import Database
from sync.central.records import details_of, microseconds, moment

MOST = 1000
"""Lines in one answer; whoever wants more goes on before the last one's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change."""

    number: int
    """In the order of writing."""
    at: datetime
    who: str
    """Staff id, kiosk, `command line` or `central`."""
    what: str
    """Constant words."""
    subject: str
    """Id of what was changed."""
    details: dict[str, str | int]


class AuditLog:
    """Reads the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(
        self, *, who: str | None = None, what: str | None = None, subject: str | None = None,
        since: datetime | None = None, until: datetime | None = None, before: int | None = None, limit: int = MOST,
    ) -> list[AuditLine]:  # fmt: skip
        """Newest first: from `since` on, earlier than `until`, with a number below `before`."""
        own = tables.audit.c
        query = select(tables.audit).order_by(own.id.desc()).limit(max(1, min(limit, MOST)))
        for column, value in ((own.who, who), (own.what, what), (own.subject, subject)):
            if value is not None and not value.isprintable():
                return []  # no database takes it, so none holds it
            if value is not None:
                query = query.where(column == value)
        if since is not None:
            query = query.where(own.at >= microseconds(since))
        if until is not None:
            query = query.where(own.at < microseconds(until))
        if before is not None:
            query = query.where(own.id < before)
        with self._database.read() as connection:
            return [
                AuditLine(
                    number=row.id, at=moment(row.at), who=row.who, what=row.what, subject=row.subject,
                    details=details_of(row.details),
                )
                for row in connection.execute(query)
            ]  # fmt: skip
