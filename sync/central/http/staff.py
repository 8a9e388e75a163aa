"""The staff API under /v1/staff: log in, the users, the work list, the fleet, the audit (D2, C4, K1);
lists of holds are in `staff_holds`.

Handlers are thin: each names its permission to the gate, hands the caller's places to one capability of `Central` on a
worker thread, and dresses the answer. What is changed is written under the caller's staff id.
"""

from datetime import datetime
from typing import Annotated

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, JSONBody, QueryParameter

from kiosk.domain.staff import EVERYWHERE, Permission, branch_scope, spell_login
from kiosk.domain.values import Reason
from kiosk.words import Language
from sync.central.http import staff_shapes as shapes
from sync.central.http.gate import Forbidden, StaffGate, StaffRequest, allows, allows_any_staff, client_address
from sync.central.http.password_lanes import PasswordLanes
from sync.central.limits import Door
from sync.central.office import Central
from sync.central.sessions import Begun
from sync.central.sheets import audit_sheet, cases_sheet
from sync.central.staff import LoginLocked, LoginRefused
from sync.central.worklist import MOST, Order, Task, Wanted
from sync.wire import Fault

FAULTS = {
    400: ResponseSpec(Fault, description="The request makes no sense"),
    401: ResponseSpec(Fault, description="Not let in; code tells why"),
    403: ResponseSpec(Fault, description="The caller's roles do not allow this"),
    404: ResponseSpec(Fault, description="There is no such thing"),
    408: ResponseSpec(Fault, description="The body was not whole in time"),
    413: ResponseSpec(Fault, description="Too large"),
    429: ResponseSpec(Fault, description="Too often; Retry-After says when"),
    503: ResponseSpec(Fault, description="Central cannot use its database now, or too many passwords wait"),
}
CSV = "text/csv; charset=utf-8"


@post("/v1/staff/login", status_code=200, responses=FAULTS, summary="Begin a session")
async def login(
    data: JSONBody[shapes.LoginAsked], request: Request[None, None, State], state: State
) -> shapes.LoggedIn:
    """A token for the other calls; it ends after 30 idle minutes, and after 12 hours in any case."""
    central: Central = state.central
    lanes: PasswordLanes = state.passwords
    who = {"address": client_address(request), "name": spell_login(data.login)}

    def begin() -> Begun:
        with central.limits.guard(Door.LOGIN, **who, counts=(LoginRefused, LoginLocked)):
            return central.sessions.begin(data.login, data.password)

    begun = await lanes.stranger(begin, who["address"])
    return shapes.LoggedIn(token=begun.token, ends_at=begun.ends_at, user=shapes.UserShape.of(begun.member))


@post("/logout", status_code=204, sync_to_thread=True, responses=FAULTS, summary="End it", **allows_any_staff())
def logout(request: StaffRequest, state: State) -> None:
    """The token opens nothing any more."""
    central: Central = state.central
    central.sessions.end(request.user.token)


@get("/me", sync_to_thread=False, responses=FAULTS, summary="Who I am and what I may do", **allows_any_staff())
def me(request: StaffRequest) -> shapes.UserShape:
    """The caller's login and grants."""
    return shapes.UserShape.of(request.user.member)


# --- users --------------------------------------------------------------------------------------------------------

_USERS = allows(Permission.USERS_MANAGE)


@get("/users", sync_to_thread=True, responses=FAULTS, summary="Everybody with a login", **_USERS)
def users(state: State) -> list[shapes.UserShape]:
    """By login."""
    central: Central = state.central
    return [shapes.UserShape.of(member) for member in central.staff.all()]


@post("/users", status_code=201, responses=FAULTS, summary="Add somebody", **_USERS)
async def add_user(data: JSONBody[shapes.UserAdded], request: StaffRequest, state: State) -> shapes.UserShape:
    """With a first password and grants."""
    central: Central = state.central
    grants = [one.grant() for one in data.grants]
    who = request.user.member.id
    lanes: PasswordLanes = state.passwords
    added = await lanes.known(lambda: central.staff.add(data.login, data.password, grants, who=who), who)
    return shapes.UserShape.of(added)


@post("/users/grant", status_code=200, sync_to_thread=True, responses=FAULTS, summary="Give a role", **_USERS)
def grant(data: JSONBody[shapes.GrantChange], request: StaffRequest, state: State) -> shapes.UserShape:
    """Within a scope."""
    central: Central = state.central
    return shapes.UserShape.of(central.staff.grant(data.user, data.grant(), who=request.user.member.id))


@post("/users/revoke", status_code=200, sync_to_thread=True, responses=FAULTS, summary="Take a role away", **_USERS)
def revoke(data: JSONBody[shapes.GrantChange], request: StaffRequest, state: State) -> shapes.UserShape:
    """From the next request on."""
    central: Central = state.central
    return shapes.UserShape.of(central.staff.revoke(data.user, data.grant(), who=request.user.member.id))


@post("/users/password", status_code=204, responses=FAULTS, summary="A new password", **_USERS)
async def set_password(data: JSONBody[shapes.PasswordSet], request: StaffRequest, state: State) -> None:
    """Open sessions of that user end."""
    central: Central = state.central
    lanes: PasswordLanes = state.passwords
    who = request.user.member.id
    await lanes.known(lambda: central.staff.set_password(data.user, data.password, who=who), who)


@post("/users/disable", status_code=200, sync_to_thread=True, responses=FAULTS, summary="Shut a login", **_USERS)
def disable(data: JSONBody[shapes.UserNamed], request: StaffRequest, state: State) -> shapes.UserShape:
    """Open sessions end."""
    central: Central = state.central
    return shapes.UserShape.of(central.staff.disable(data.user, who=request.user.member.id))


@post("/users/enable", status_code=200, sync_to_thread=True, responses=FAULTS, summary="Open it again", **_USERS)
def enable(data: JSONBody[shapes.UserNamed], request: StaffRequest, state: State) -> shapes.UserShape:
    """With the grants it had."""
    central: Central = state.central
    return shapes.UserShape.of(central.staff.disable(data.user, who=request.user.member.id, enable=True))


@post("/users/unlock", status_code=200, sync_to_thread=True, responses=FAULTS, summary="End the pause", **_USERS)
def unlock(data: JSONBody[shapes.UserNamed], request: StaffRequest, state: State) -> shapes.UserShape:
    """After too many wrong tries."""
    central: Central = state.central
    return shapes.UserShape.of(central.staff.unlock(data.user, who=request.user.member.id))


# --- the work list ------------------------------------------------------------------------------------------------

Short = Annotated[str | None, QueryParameter(max_length=128)]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000_000)]
Count = Annotated[int, QueryParameter(ge=1, le=MOST)]


def _tasks(
    request: StaffRequest, state: State, branch: str | None, reason: Reason | None, assignee: str | None,
    include_closed: bool, order: Order, offset: int, limit: int,
) -> list[Task]:  # fmt: skip
    central: Central = state.central
    wanted = Wanted(
        within=request.user.where(Permission.CASES_SEE), branch=branch, reason=reason, assignee=assignee,
        open_only=not include_closed, order=order, offset=offset, limit=limit,
    )  # fmt: skip
    return central.worklist.find(wanted, names_within=request.user.where(Permission.NAMES_SEE))


@get("/cases", sync_to_thread=True, responses=FAULTS, summary="The work list", **allows(Permission.CASES_SEE))
def cases(
    request: StaffRequest,
    state: State,
    branch: Short = None,
    reason: FromQuery[Reason | None] = None,
    assignee: Short = None,
    include_closed: FromQuery[bool] = False,
    order: FromQuery[Order] = Order.OLDEST,
    offset: Offset = 0,
    limit: Count = 100,
    language: FromQuery[Language] = Language.ZH_TW,
) -> list[shapes.CaseShape]:
    """Of the caller's places; `assignee=` (empty) are those that nobody has taken."""
    found = _tasks(request, state, branch, reason, assignee, include_closed, order, offset, limit)
    return [shapes.CaseShape.of(task, language) for task in found]


@get(
    "/cases.csv",
    sync_to_thread=True,
    responses=FAULTS,
    media_type=CSV,
    summary="The work list for a spreadsheet",
    **allows(Permission.CASES_SEE),
)
def cases_csv(
    request: StaffRequest,
    state: State,
    branch: Short = None,
    reason: FromQuery[Reason | None] = None,
    assignee: Short = None,
    include_closed: FromQuery[bool] = False,
    order: FromQuery[Order] = Order.OLDEST,
    offset: Offset = 0,
    language: FromQuery[Language] = Language.ZH_TW,
) -> Response[str]:
    """At most 1,000 lines from `offset` on."""
    found = _tasks(request, state, branch, reason, assignee, include_closed, order, offset, MOST)
    return sheet(cases_sheet(found, language), "cases.csv")


@post(
    "/cases/assign",
    status_code=200,
    sync_to_thread=True,
    responses=FAULTS,
    summary="Take a case, hand it on, or give it back",
    **allows(Permission.CASES_WORK),
)
def assign(data: JSONBody[shapes.CaseAssigned], request: StaffRequest, state: State) -> shapes.CaseShape:
    """To whoever may work on cases there."""
    central: Central = state.central
    within = request.user.where(Permission.CASES_WORK)
    return _shape(central.worklist.assign(data.case, data.assignee, who=request.user.member.id, within=within))


@post(
    "/cases/done",
    status_code=200,
    sync_to_thread=True,
    responses=FAULTS,
    summary="Close a case",
    **allows(Permission.CASES_WORK),
)
def done(data: JSONBody[shapes.CaseDone], request: StaffRequest, state: State) -> shapes.CaseShape:
    """A closed case stays closed."""
    central: Central = state.central
    within = request.user.where(Permission.CASES_WORK)
    return _shape(central.worklist.done(data.case, data.how, who=request.user.member.id, within=within))


def _shape(task: Task) -> shapes.CaseShape:
    return shapes.CaseShape.of(task, Language.ZH_TW)


# --- fleet and audit ----------------------------------------------------------------------------------------------


@get("/fleet", sync_to_thread=True, responses=FAULTS, summary="Kiosks and alerts", **allows(Permission.FLEET_SEE))
def fleet(request: StaffRequest, state: State) -> list[shapes.KioskShape]:
    """Kiosks at the caller's places, by id, each as its last heartbeat told it."""
    central: Central = state.central
    within, now = request.user.where(Permission.FLEET_SEE), central.clock()
    return [
        shapes.KioskShape.of(kiosk, now)
        for kiosk in central.fleet.all()
        if any(scope.covers(branch_scope(kiosk.branch)) for scope in within)
    ]


_Before = Annotated[int | None, QueryParameter(ge=1, le=2**62, description="Only lines with a lower number")]
_Moment = Annotated[datetime | None, QueryParameter(description="With a zone")]


@get("/audit", sync_to_thread=True, responses=FAULTS, summary="Who changed what", **allows(Permission.AUDIT_SEE))
def audit(
    request: StaffRequest,
    state: State,
    who: Short = None,
    what: Short = None,
    subject: Short = None,
    since: _Moment = None,
    until: _Moment = None,
    before: _Before = None,
    limit: Count = 100,
) -> list[shapes.AuditShape]:
    """Newest first. The audit has no places, so it is shown only to whoever may see all of it."""
    _whole_audit(request, since, until)
    central: Central = state.central
    lines = central.audit.lines(
        who=who, what=what, subject=subject, since=since, until=until, before=before, limit=limit
    )  # fmt: skip
    return [shapes.AuditShape.of(line) for line in lines]


@get(
    "/audit.csv",
    sync_to_thread=True,
    responses=FAULTS,
    media_type=CSV,
    summary="The audit for a spreadsheet",
    **allows(Permission.AUDIT_SEE),
)
def audit_csv(
    request: StaffRequest,
    state: State,
    who: Short = None,
    what: Short = None,
    subject: Short = None,
    since: _Moment = None,
    until: _Moment = None,
    before: _Before = None,
) -> Response[str]:
    """At most 1,000 lines, newest first."""
    _whole_audit(request, since, until)
    central: Central = state.central
    lines = central.audit.lines(who=who, what=what, subject=subject, since=since, until=until, before=before)
    return sheet(audit_sheet(lines), "audit.csv")


def _whole_audit(request: StaffRequest, *moments: datetime | None) -> None:
    if EVERYWHERE not in request.user.where(Permission.AUDIT_SEE):
        raise Forbidden("the audit is shown to whoever may see all of it")
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        raise ValidationException("since, until: expected a time with its zone, such as 2026-11-24T12:00:00+08:00")


def sheet(text: str, name: str) -> Response[str]:
    """A CSV file that a browser saves under this name."""
    return Response(text, media_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def staff_router(*more: HTTPRouteHandler) -> Router:
    """All of it but the login, with handlers of other modules."""
    return Router(
        "/v1/staff",
        route_handlers=[
            logout, me, users, add_user, grant, revoke, set_password, disable, enable, unlock, cases, cases_csv,
            assign, done, fleet, audit, audit_csv, *more,
        ],
        middleware=[StaffGate()],
        security=[{"staff": []}],
    )  # fmt: skip
