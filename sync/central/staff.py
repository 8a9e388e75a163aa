"""Staff of the library: logins, grants, and passwords with a lock (D2). Every change is audited and reaches the kiosks.

A try is counted before the password is looked at, in its own transaction: so any number of processes, and a process
that dies in between, let nobody try more often than the rule says. The lock stands in the row and holds over restarts.
Nobody can tell from answer or time whether a login exists. A login is spelled in one way: NFKC, case folded, no blanks
around it. Any thread; blocking.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from kiosk.domain.staff import TRY_RULE, Grant, TryRule, spell_login
from kiosk.domain.staff import grant as checked_grant
from sync.central import tables
from sync.central.database import Database, lock
from sync.central.passwords import Passwords
from sync.central.places import UnknownRecord, need_scope
from sync.central.records import microseconds, moment
from sync.central.registry import Change
from sync.central.roster import Member, members

LOGIN = re.compile(r"[^\s\x00-\x1f\x7f]{2,64}")


LOGIN_EXPECTED = "2 to 64 characters without blanks"


class BadLogin(ValueError):
    """Not a login name, or one that is taken."""


class LoginRefused(Exception):
    """Unknown, wrong or disabled; which of them is not told."""


class LoginLocked(Exception):
    """Too many wrong tries; the password was not looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too many wrong tries")
        self.until = until


class Staff:
    """Who works here and what they may do."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        passwords: Passwords | None = None,
        rule: TryRule = TRY_RULE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._rule = rule

    # --- looking ---

    def all(self) -> list[Member]:
        """Everybody who ever had a login, by login."""
        with self._database.read() as connection:
            return members(connection)

    def find(self, login_or_id: str) -> Member:
        """By what is typed, or by id. Raises UnknownRecord."""
        with self._database.read() as connection:
            return _found(connection, login_or_id)

    def known(self, login: str) -> Member | None:
        """By what is typed; None if nobody has this login."""
        try:
            return self.find(login)
        except UnknownRecord:
            return None

    # --- changing; `who` stands in the audit ---

    def add(self, login: str, password: str, grants: Iterable[Grant] = (), *, who: str) -> Member:
        """A new member of staff. Raises BadLogin, BadPassword, BadGrant."""
        spelled = spell_login(login)
        if LOGIN.fullmatch(spelled) is None:
            raise BadLogin(f"login: expected {LOGIN_EXPECTED}")
        verifier = self._passwords.verifier(password)
        id_ = f"s-{secrets.token_hex(6)}"
        now = self._clock()
        with self._database.write() as connection:
            lock(connection, ["staff"])
            own = tables.staff.c
            if connection.execute(select(own.id).where(own.login == spelled)).scalar() is not None:
                raise BadLogin(f"login: {spelled} is taken")
            row = {"id": id_, "login": spelled, "verifier": verifier, "tries": 0, "created_at": microseconds(now)}
            connection.execute(insert(tables.staff).values(**row))
            change = Change(connection, who, now)
            change.audit("staff added", id_)
            for one in grants:
                _give(change, id_, one)
            _tell(change, id_)
            return _found(connection, id_)

    def grant(self, login_or_id: str, one: Grant, *, who: str) -> Member:
        """One more grant; one that is held already changes nothing. Raises UnknownRecord, BadGrant."""
        with self._database.write() as connection:
            change, member = self._open(connection, login_or_id, who)
            if one not in member.grants:
                _give(change, member.id, one)
                _tell(change, member.id)
            return _found(connection, member.id)

    def revoke(self, login_or_id: str, one: Grant, *, who: str) -> Member:
        """One grant less, from the next request on. Raises UnknownRecord."""
        with self._database.write() as connection:
            change, member = self._open(connection, login_or_id, who)
            table = tables.staff_grant
            own = (table.c.staff == member.id, table.c.role == one.role.value, table.c.scope == str(one.scope))
            if not connection.execute(delete(table).where(*own)).rowcount:
                raise UnknownRecord(f"grant {one} of {member.login}")
            change.audit("grant revoked", member.id, {"role": one.role.value, "scope": str(one.scope)})
            _tell(change, member.id)
            return _found(connection, member.id)

    def set_password(self, login_or_id: str, password: str, *, who: str) -> None:
        """A new password; sessions that stand on the old one end. Raises UnknownRecord, BadPassword."""
        verifier = self._passwords.verifier(password)
        with self._database.write() as connection:
            change, member = self._open(connection, login_or_id, who)
            _set(connection, member.id, verifier=verifier, tries=0, locked_until=None)
            end_sessions(connection, member.id, self._clock())
            change.audit("password set", member.id)
            _tell(change, member.id)

    def disable(self, login_or_id: str, *, who: str, enable: bool = False) -> Member:
        """The login opens nothing any more, open sessions end; `enable` lets it in again. Raises UnknownRecord."""
        with self._database.write() as connection:
            change, member = self._open(connection, login_or_id, who)
            now = self._clock()
            _set(connection, member.id, disabled_at=None if enable else microseconds(now))
            if not enable:
                end_sessions(connection, member.id, now)
            change.audit("staff enabled" if enable else "staff disabled", member.id)
            _tell(change, member.id)
            return _found(connection, member.id)

    def unlock(self, login_or_id: str, *, who: str) -> Member:
        """Ends the pause after too many wrong tries. Raises UnknownRecord."""
        with self._database.write() as connection:
            change, member = self._open(connection, login_or_id, who)
            _set(connection, member.id, tries=0, locked_until=None)
            change.audit("staff unlocked", member.id)
            return _found(connection, member.id)

    # --- the password ---

    def check(self, login: str, password: str) -> Member:
        """Who this is. Raises LoginRefused, LoginLocked."""
        spelled = spell_login(login)
        verifier = self._take_try(spelled)
        if not self._passwords.fits(verifier, password) or verifier is None:
            raise LoginRefused
        changes: dict[str, object] = {"tries": 0, "locked_until": None}
        if self._passwords.outdated(verifier):
            changes["verifier"] = self._passwords.verifier(password)
        with self._database.write() as connection:
            member = _found(connection, spelled)
            if member.disabled_at is not None:  # meanwhile
                raise LoginRefused
            _set(connection, member.id, **changes)
            return _found(connection, member.id)

    def _take_try(self, spelled: str) -> str | None:
        """The verifier to compare with, and one try less; None for a login that opens nothing. Raises LoginLocked."""
        if LOGIN.fullmatch(spelled) is None:
            return None  # and a text that no database takes is nobody's
        now = self._clock()
        own = tables.staff
        with self._database.write() as connection:
            row = connection.execute(select(own).where(own.c.login == spelled).with_for_update()).one_or_none()
            if row is None or row.disabled_at is not None:
                return None
            until = None if row.locked_until is None else moment(row.locked_until)
            if until is not None and until > now:
                raise LoginLocked(until)
            tries = (0 if until is not None else row.tries) + 1
            locks = tries >= self._rule.tries
            end = microseconds(now + self._rule.pause) if locks else None
            connection.execute(update(own).where(own.c.id == row.id).values(tries=tries, locked_until=end))
            return str(row.verifier)

    def _open(self, connection: Connection, login_or_id: str, who: str) -> tuple[Change, Member]:
        lock(connection, ["staff"])
        return Change(connection, who, self._clock()), _found(connection, login_or_id)


def end_sessions(connection: Connection, id_: str, now: datetime) -> None:
    """All of one member of staff."""
    own = tables.staff_session
    still = update(own).where(own.c.staff == id_, own.c.ended_at.is_(None))
    connection.execute(still.values(ended_at=microseconds(now)))


def _found(connection: Connection, login_or_id: str) -> Member:
    own = tables.staff.c
    if len(login_or_id) <= 128 and login_or_id.isprintable():
        spelled = spell_login(login_or_id)
        by_login = connection.execute(select(own.id).where(own.login == spelled)).scalar()
        for member in members(connection, [by_login or login_or_id]):
            return member
    raise UnknownRecord(f"member of staff {login_or_id[:64]!r}")


def _set(connection: Connection, id_: str, **values: object) -> None:
    connection.execute(update(tables.staff).where(tables.staff.c.id == id_).values(**values))


def _give(change: Change, id_: str, one: Grant) -> None:
    checked_grant(one.role, one.scope)
    need_scope(change.connection, one.scope)
    row = {"staff": id_, "role": one.role.value, "scope": str(one.scope)}
    change.connection.execute(insert(tables.staff_grant).values(**row))
    change.audit("grant given", id_, {"role": one.role.value, "scope": str(one.scope)})


def _tell(change: Change, id_: str) -> None:
    """The kiosks hear of it: the last thing in a transaction, because positions are given here."""
    change.marks.add("staff", id_)
    change.marks.write()
