"""Sessions of staff who logged in: a random token that only its bearer holds, its hash here, an idle and an absolute end.

Grants are read anew with every request, so what is revoked ends at once, in every process. Any thread; blocking.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from sync.central import tables
from sync.central.database import Database
from sync.central.records import microseconds, moment
from sync.central.registry import Change
from sync.central.roster import Member, members
from sync.central.staff import Staff

IDLE = timedelta(minutes=30)
LIFE = timedelta(hours=12)
NOTE_EVERY = timedelta(minutes=1)
"""A session in use is noted so often at most: reading pages must not wear the disk."""
MARK = "shelfpoint-"
"""Begins every token, so that one left lying about is known for what it is."""


class NoSession(Exception):
    """No such token, or its time is over."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that succeeded."""

    token: str
    """256 random bits; told once."""
    member: Member
    ends_at: datetime
    """However busy it is."""


class Sessions:
    """Who is logged in."""

    def __init__(self, database: Database, staff: Staff, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._staff = staff
        self._clock = clock

    def begin(self, login: str, password: str) -> Begun:
        """Raises LoginRefused, LoginLocked."""
        member = self._staff.check(login, password)
        token = MARK + secrets.token_urlsafe(32)
        now = self._clock()
        at = microseconds(now)
        with self._database.write() as connection:
            row = {"digest": _digest(token), "staff": member.id, "begun_at": at, "seen_at": at}
            connection.execute(insert(tables.staff_session).values(**row))
            Change(connection, member.id, now).audit("staff logged in", member.id)
        return Begun(token, member, now + LIFE)

    def find(self, token: str) -> Member:
        """Whose session this is, with today's grants. Raises NoSession."""
        now = self._clock()
        own = tables.staff_session
        with self._database.read() as connection:
            row = connection.execute(select(own).where(own.c.digest == _digest(token))).one_or_none()
            if row is None or row.ended_at is not None:
                raise NoSession
            seen = moment(row.seen_at)
            if now - seen > IDLE or now - moment(row.begun_at) > LIFE:
                raise NoSession
            member = next(iter(members(connection, [row.staff])), None)
        if member is None or member.disabled_at is not None:
            raise NoSession
        if now - seen > NOTE_EVERY:
            with self._database.write() as connection:
                connection.execute(
                    update(own).where(own.c.digest == row.digest, own.c.seen_at < microseconds(now))
                    .values(seen_at=microseconds(now))
                )  # fmt: skip
        return member

    def end(self, token: str) -> None:
        """Logged out; a second time changes nothing."""
        now = self._clock()
        own = tables.staff_session
        with self._database.write() as connection:
            ends = update(own).where(own.c.digest == _digest(token), own.c.ended_at.is_(None))
            connection.execute(ends.values(ended_at=microseconds(now)))

    def forget_old(self) -> int:
        """Deletes sessions that are over anyway; how many."""
        now = self._clock()
        own = tables.staff_session
        over = own.c.ended_at.is_not(None) | (own.c.seen_at < microseconds(now - IDLE))
        with self._database.write() as connection:
            gone = delete(own).where(over | (own.c.begun_at < microseconds(now - LIFE)))
            return int(connection.execute(gone).rowcount)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
