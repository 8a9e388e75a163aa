"""Staff: which role may do what, and where (D2); how often a password may be tried (C2). Pure; the table is one value.

A grant is a role within a scope. Scopes do not contain each other except that `all` contains everything: a school is no
branch, so a school's administrator sees nothing of a branch. Central, its command line and the kiosk ask the same
function `may`; the kiosk, because it must answer for central while central is away.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

StaffId = NewType("StaffId", str)
"""Opaque id of a member of staff; never the login name."""


class Role(StrEnum):
    """What somebody is employed for."""

    CIRCULATION = "circulation"
    BRANCH_HEAD = "branch_head"
    PRIZES_AND_EVENTS = "prizes_and_events"
    HEADQUARTERS = "headquarters"
    SCHOOL_ADMINISTRATOR = "school_administrator"
    ROLL_IMPORTER = "roll_importer"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that may be done."""

    CASES_SEE = "cases_see"
    """The work list, by opaque ids."""
    CASES_WORK = "cases_work"
    """Take a case, hand it to somebody, mark it done."""
    NAMES_SEE = "names_see"
    """The masked name beside a membership's id."""
    HOLDS_SEE = "holds_see"
    """Who waits for what, and what stands on the ready shelf, by opaque ids."""
    FLEET_SEE = "fleet_see"
    """Kiosks, their health and alerts."""
    AUDIT_SEE = "audit_see"
    """Who changed what."""
    USERS_MANAGE = "users_manage"
    """Staff, their grants and passwords."""
    KIOSK_OPEN = "kiosk_open"
    """The staff page of a kiosk."""


class ScopeKind(StrEnum):
    """How far a grant reaches."""

    ALL = "all"
    BRANCH = "branch"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """A place, as far as a grant is concerned; also the place at which something is to be done."""

    kind: ScopeKind
    """How far."""
    place: str = ""
    """Code of the branch or school; empty for all."""

    def __str__(self) -> str:
        """As it is typed: `all`, `branch:main`, `school:A01`."""
        return self.kind.value if self.kind is ScopeKind.ALL else f"{self.kind}:{self.place}"

    def covers(self, at: "Scope") -> bool:
        """All covers everything; a branch or school only itself."""
        return self.kind is ScopeKind.ALL or self == at


EVERYWHERE = Scope(ScopeKind.ALL)


def branch_scope(branch: str) -> Scope:
    """One branch as a place."""
    return Scope(ScopeKind.BRANCH, branch)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role within a scope."""

    role: Role
    """Which role."""
    scope: Scope
    """Where."""

    def __str__(self) -> str:
        return f"{self.role}@{self.scope}"


class BadGrant(ValueError):
    """No such scope, or a role that cannot be had in it; the message says what is expected."""


_SEE_AND_WORK = frozenset({Permission.CASES_SEE, Permission.CASES_WORK, Permission.HOLDS_SEE, Permission.NAMES_SEE})
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.CIRCULATION: _SEE_AND_WORK | {Permission.KIOSK_OPEN},
        Role.BRANCH_HEAD: _SEE_AND_WORK | {Permission.FLEET_SEE, Permission.KIOSK_OPEN},
        Role.PRIZES_AND_EVENTS: frozenset(),
        Role.HEADQUARTERS: _SEE_AND_WORK | {Permission.FLEET_SEE, Permission.KIOSK_OPEN},
        Role.SCHOOL_ADMINISTRATOR: frozenset(),
        Role.ROLL_IMPORTER: frozenset(),
        Role.SYSTEM_ADMINISTRATOR: frozenset(
            {Permission.FLEET_SEE, Permission.AUDIT_SEE, Permission.USERS_MANAGE, Permission.KIOSK_OPEN}
        ),
        Role.AUDITOR: frozenset(
            {Permission.CASES_SEE, Permission.HOLDS_SEE, Permission.FLEET_SEE, Permission.AUDIT_SEE}
        ),
    }
)
"""What each role may do. An auditor only reads, and sees no name; an administrator of the system sees no reader."""

SCOPES: Mapping[Role, frozenset[ScopeKind]] = MappingProxyType(
    {
        Role.CIRCULATION: frozenset({ScopeKind.ALL, ScopeKind.BRANCH}),
        Role.BRANCH_HEAD: frozenset({ScopeKind.BRANCH}),
        Role.PRIZES_AND_EVENTS: frozenset({ScopeKind.ALL, ScopeKind.BRANCH}),
        Role.HEADQUARTERS: frozenset({ScopeKind.ALL}),
        Role.SCHOOL_ADMINISTRATOR: frozenset({ScopeKind.SCHOOL}),
        Role.ROLL_IMPORTER: frozenset({ScopeKind.ALL, ScopeKind.SCHOOL}),
        Role.SYSTEM_ADMINISTRATOR: frozenset({ScopeKind.ALL}),
        Role.AUDITOR: frozenset({ScopeKind.ALL, ScopeKind.BRANCH}),
    }
)
"""How far each role may reach."""


def may(grants: Iterable[Grant], permission: Permission, at: Scope = EVERYWHERE) -> bool:
    """Do these grants allow this at this place? Without a place: everywhere."""
    return any(permission in PERMISSIONS[grant.role] and grant.scope.covers(at) for grant in grants)


def places(grants: Iterable[Grant], permission: Permission) -> frozenset[Scope]:
    """Where these grants allow it; empty for nowhere."""
    return frozenset(grant.scope for grant in grants if permission in PERMISSIONS[grant.role])


def parse_scope(text: str) -> Scope:
    """`all`, `branch:CODE` or `school:CODE`. Raises BadGrant."""
    kind, colon, place = text.partition(":")
    if text == ScopeKind.ALL:
        return EVERYWHERE
    if kind not in (ScopeKind.BRANCH, ScopeKind.SCHOOL) or not colon or not place or len(place) > 40:
        raise BadGrant(f"scope: expected all, branch:CODE or school:CODE, got {text[:60]!r}")
    return Scope(ScopeKind(kind), place)


def grant(role: Role, scope: Scope) -> Grant:
    """A grant that may be given. Raises BadGrant."""
    if scope.kind not in SCOPES[role]:
        possible = ", ".join(sorted(SCOPES[role]))
        raise BadGrant(f"role {role}: expected a scope of {possible}, got {scope}")
    return Grant(role, scope)


def spell_login(text: str) -> str:
    """The one way in which a login is written."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def spell_password(text: str) -> str:
    """The one way in which a password is hashed (RFC 8265, OpaqueString): NFC, and every kind of space is the plain one."""
    return unicodedata.normalize("NFC", "".join(" " if unicodedata.category(one) == "Zs" else one for one in text))


def password_spellings(text: str) -> tuple[str, ...]:
    """What to compare a typed password as: as it is spelled, then, if that differs, as it was typed, which is what verifiers
    of older programs were made from."""
    spelled = spell_password(text)
    return (spelled,) if spelled == text else (spelled, text)


# --- a try to open a kiosk's staff page ---------------------------------------------------------------------------


class Entry(StrEnum):
    """How one try ended."""

    OK = "ok"
    WRONG = "wrong"
    """Unknown login, wrong password, disabled, or no grant at this branch: which of them is not told."""
    LOCKED = "locked"
    """Not looked at: too many wrong tries just before."""


@dataclass(frozen=True, slots=True)
class TryRule:
    """How often one may be wrong."""

    tries: int = 5
    """Wrong tries in a row before the pause."""
    pause: timedelta = timedelta(minutes=15)
    """From the last wrong one."""


TRY_RULE = TryRule()


def locked_until(tries: Sequence[tuple[datetime, Entry]], now: datetime, rule: TryRule = TRY_RULE) -> datetime | None:
    """End of the pause, or None if one may try. `tries`: oldest first; only wrong ones in a row since the last good
    one count, and one is in a row with the next if no more than a pause lies between them. A clock set back makes the
    pause longer, never shorter.
    """
    wrong: list[datetime] = []
    for at, entry in tries:
        if entry is Entry.OK:
            wrong.clear()
        elif entry is Entry.WRONG:
            if wrong and at - wrong[-1] > rule.pause:
                wrong.clear()
            wrong.append(at)
    if len(wrong) < rule.tries:
        return None
    end = wrong[-1] + rule.pause
    return end if end > now else None
