"""The JSON of the staff API, version 1: bounded on the way in, tolerant like `sync.wire` (fields are only added)."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from kiosk.domain.cases import Advice
from kiosk.domain.holds import HoldState
from kiosk.domain.staff import Grant, Role, grant, parse_scope
from kiosk.domain.values import Reason
from kiosk.words import Language
from sync.central.alerts import Rule, alerts
from sync.central.audit_log import AuditLine
from sync.central.fleet import Kiosk
from sync.central.holds import HoldLine
from sync.central.roster import Member
from sync.central.worklist import Task

Login = Annotated[str, Meta(min_length=1, max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=128)]
Id = Annotated[str, Meta(min_length=1, max_length=400)]
Text = Annotated[str, Meta(max_length=1000)]


class LoginAsked(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/login."""

    login: Login
    password: Password


class GrantShape(Struct, frozen=True, kw_only=True):
    """A role within a scope: `all`, `branch:CODE`, `school:CODE`."""

    role: Role
    scope: Annotated[str, Meta(min_length=1, max_length=60)]

    @classmethod
    def of(cls, one: Grant) -> "GrantShape":
        return cls(role=one.role, scope=str(one.scope))

    def grant(self) -> Grant:
        """Raises BadGrant."""
        return grant(self.role, parse_scope(self.scope))


class UserShape(Struct, frozen=True, kw_only=True):
    """A member of staff."""

    id: str
    login: str
    grants: list[GrantShape]
    disabled: bool
    locked_until: datetime | None

    @classmethod
    def of(cls, member: Member) -> "UserShape":
        return cls(
            id=member.id,
            login=member.login,
            grants=[GrantShape.of(one) for one in member.grants],
            disabled=member.disabled_at is not None,
            locked_until=member.locked_until,
        )


class LoggedIn(Struct, frozen=True, kw_only=True):
    """The token is told once; it goes into `Authorization: Bearer`."""

    token: str
    ends_at: datetime
    user: UserShape


class UserAdded(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/users."""

    login: Login
    password: Password
    grants: Annotated[list[GrantShape], Meta(max_length=50)] = field(default_factory=list)


class GrantChange(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/users/grant and /revoke."""

    user: Login
    role: Role
    scope: Annotated[str, Meta(min_length=1, max_length=60)]

    def grant(self) -> Grant:
        """Raises BadGrant."""
        return Grant(self.role, parse_scope(self.scope))


class UserNamed(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/users/disable, /enable and /unlock."""

    user: Login


class PasswordSet(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/users/password."""

    user: Login
    password: Password


class CaseReaderShape(Struct, frozen=True, kw_only=True):
    """One whom a case is about."""

    membership: str
    name: str | None
    """Masked, and only for who may see it."""
    at: datetime | None
    """When their act happened."""


class CaseShape(Struct, frozen=True, kw_only=True):
    """A case of the work list; `why`, `advise` and `how` in the language asked for."""

    id: str
    reason: Reason
    why: str
    advice: Advice
    advise: str
    branch: str | None
    kiosk: str | None
    act: str
    other_act: str | None
    item: str | None
    membership: str | None
    name: str | None
    opened_at: datetime
    assignee: str | None
    closed_at: datetime | None
    closed_by: str | None
    closed_how: str | None
    title: str | None = None
    branch_name: str | None = None
    readers: list[CaseReaderShape] = field(default_factory=list)
    """Both of a conflict, in the order of their acts."""
    happened_at: datetime | None = None
    how: str | None = None
    """How it was closed."""

    @classmethod
    def of(cls, task: Task, language: Language) -> "CaseShape":
        readers = [CaseReaderShape(membership=one.membership, name=one.name, at=one.at) for one in task.readers]
        return cls(
            title=task.title, branch_name=task.branch_name, readers=readers, happened_at=task.happened_at, how=task.how(language),
            id=task.id, reason=task.reason, why=task.why(language), advice=task.advice, advise=task.advise(language),
            branch=task.branch,
            kiosk=task.kiosk, act=task.act, other_act=task.other_act, item=task.item, membership=task.membership,
            name=task.name, opened_at=task.opened_at, assignee=task.assignee, closed_at=task.closed_at,
            closed_by=task.closed_by, closed_how=task.closed_how,
        )  # fmt: skip


class CaseAssigned(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/cases/assign."""

    case: Id
    assignee: Annotated[str, Meta(max_length=64)] | None = None
    """Staff id; none: nobody has it any more."""


class CaseDone(Struct, frozen=True, kw_only=True):
    """POST /v1/staff/cases/done."""

    case: Id
    how: Text = ""


class HoldShape(Struct, frozen=True, kw_only=True):
    """A line of a list of holds."""

    hold: str
    state: HoldState
    title: str
    item: str | None
    """The copy that the line is about."""
    branch: str
    """Where it is to be picked up."""
    place: int | None
    """In the queue, from 1, while waiting."""
    last_day: date | None
    """For picking it up, once it is ready."""
    membership: str
    name: str | None
    placed_at: datetime

    @classmethod
    def of(cls, line: HoldLine) -> "HoldShape":
        hold = line.hold
        return cls(
            hold=hold.id, state=hold.state, title=line.title, item=line.copy, branch=hold.branch, place=line.place,
            last_day=line.last_day, membership=hold.membership, name=line.name, placed_at=hold.placed_at,
        )  # fmt: skip


class AlertShape(Struct, frozen=True, kw_only=True):
    """What is wrong with a kiosk."""

    rule: Rule
    found: str


class KioskShape(Struct, frozen=True, kw_only=True):
    """A kiosk, without its keys."""

    id: str
    branch: str
    enrolled_at: datetime
    revoked_at: datetime | None
    heard_at: datetime | None
    queue_length: int | None
    program: str | None
    alerts: list[AlertShape]
    queue_age_ms: int | None = None
    """Of the oldest act in it."""
    replica_age_ms: int | None = None
    clock_offset_ms: int | None = None
    disk_free_mb: int | None = None
    trouble: str | None = None
    """Why it serves nobody; empty while it serves."""
    devices: dict[str, str] | None = None
    """Name: `state` or `state: reason`, as the kiosk's staff page says it."""

    @classmethod
    def of(cls, kiosk: Kiosk, now: datetime) -> "KioskShape":
        health = kiosk.health
        return cls(
            id=kiosk.id,
            branch=kiosk.branch,
            enrolled_at=kiosk.enrolled_at,
            revoked_at=kiosk.revoked_at,
            heard_at=kiosk.health_at,
            queue_length=None if health is None else health.queue_length,
            program=None if health is None else health.program,
            alerts=[AlertShape(rule=one.rule, found=one.found) for one in alerts(kiosk, now)],
            queue_age_ms=None if health is None else health.queue_age_ms,
            replica_age_ms=None if health is None else health.replica_age_ms,
            clock_offset_ms=None if health is None else health.clock_offset_ms,
            disk_free_mb=None if health is None else health.disk_free_mb,
            trouble=None if health is None else health.trouble,
            devices=None if health is None else health.devices,
        )


class AuditShape(Struct, frozen=True, kw_only=True):
    """One line of the audit."""

    number: int
    at: datetime
    who: str
    what: str
    subject: str
    details: dict[str, str | int]

    @classmethod
    def of(cls, line: AuditLine) -> "AuditShape":
        return cls(
            number=line.number, at=line.at, who=line.who, what=line.what, subject=line.subject, details=line.details
        )
