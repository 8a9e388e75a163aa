"""Who of the staff is calling, and whether the handler's permission is theirs: asked before any handler runs.

Every handler behind the gate names its permission with `allows(...)`; one that names none opens to nobody, so that a
forgotten line shuts a door instead of opening one. The gate asks whether the permission is held anywhere; the
capability behind the handler asks whether it is held at the place of the thing that is looked at or changed.
"""

import asyncio
import ipaddress
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from kiosk.domain.staff import Permission, places
from kiosk.domain.staff import Scope as Place
from sync.central.http.credentials import NotAllowed
from sync.central.office import Central
from sync.central.roster import Member
from sync.central.sessions import NoSession

ANY_STAFF = "any_staff"
"""Instead of a permission: whoever is logged in (their own name, logging out)."""
MAX_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """The member of staff behind a request."""

    member: Member
    token: str

    def where(self, permission: Permission) -> frozenset[Place]:
        """At which places."""
        return places(self.member.grants, permission)


StaffRequest = Request[Caller, None, State]


class Forbidden(Exception):
    """Logged in, but without this permission here."""


def allows(permission: Permission) -> dict[str, Any]:
    """For a handler: `**allows(Permission.X)`."""
    return {"opt": {"permission": permission}}


def allows_any_staff() -> dict[str, Any]:
    """For a handler that every member of staff may use."""
    return {"opt": {"permission": ANY_STAFF}}


class StaffGate(ASGIMiddleware):
    """Lets in only a living session whose grants hold the handler's permission; the caller becomes the request's user."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Looks the session up on a worker thread."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
            raise NotAllowed("no_token", "Authorization: Bearer <token of /v1/staff/login> is missing")
        try:
            member = await asyncio.to_thread(_session, request, token)
        except NoSession as error:
            raise NotAllowed("no_session", "log in again") from error
        caller = Caller(member, token)
        wanted = scope["route_handler"].opt.get("permission")
        if wanted != ANY_STAFF and not (isinstance(wanted, Permission) and caller.where(wanted)):
            raise Forbidden("your roles do not allow this")
        scope["user"] = caller
        await next_app(scope, receive, send)


def _session(request: Request[Any, Any, Any], token: str) -> Member:
    """Whose session it is. Raises NoSession."""
    central: Central = request.app.state.central
    member = central.sessions.find(token)
    note_transport(request)
    return member


def note_transport(request: Request[Any, Any, Any]) -> None:
    """How a request came whose sender has proved who it is; on a worker thread."""
    central: Central = request.app.state.central
    peer = "" if request.client is None else request.client.host
    central.transport.note(peer, request.headers.get("x-forwarded-proto"))


def client_address(request: Request[Any, Any, Any]) -> str:
    """Of whoever is at the other end; a proxy on this machine is believed when it says X-Real-IP."""
    peer = request.client.host if request.client is not None else ""
    told = request.headers.get("x-real-ip")
    try:
        behind_proxy = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        behind_proxy = False
    return told if told is not None and behind_proxy else peer
