"""Every answer that is no answer, as `wire.Fault`: a constant code for programs, a sentence for people, central's clock."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from kiosk.domain.staff import BadGrant
from sync.central.database import DatabaseUnusable
from sync.central.fleet import BadPublicKey, CodeRefused, Kiosk, OtherRecords
from sync.central.http.credentials import NotAllowed
from sync.central.http.gate import Forbidden
from sync.central.inbox import BadPush
from sync.central.limits import TooOften
from sync.central.passwords import BadPassword
from sync.central.places import ClosedBranch, UnknownRecord
from sync.central.staff import BadLogin, LoginLocked, LoginRefused
from sync.central.worklist import NotYours
from sync.wire import Fault, Order

_CODES = {
    400: "bad_request",
    401: "no_token",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_json",
    422: "bad_request",
}

log = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]
Handler = Callable[[AnyRequest, Any], Response[Fault]]


class TooManyWords(Exception):
    """More words in one push than `wire.MAX_WORDS`."""


def handlers(
    clock: Callable[[], datetime], order_for: Callable[[Kiosk], Order | None]
) -> dict[int | type[Exception], Handler]:
    """For Litestar: exception -> answer."""

    def answer(
        status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, order: Order | None = None
    ) -> Response[Fault]:
        fault = Fault(code=code, detail=detail, now=clock(), order=order)
        return Response(fault, status_code=status, headers=headers, media_type="application/json")

    def not_allowed(_: AnyRequest, error: NotAllowed) -> Response[Fault]:
        order = None if error.kiosk is None else order_for(error.kiosk)
        return answer(401, error.code, error.detail, {"WWW-Authenticate": "Bearer"}, order)

    def code_refused(_: AnyRequest, __: CodeRefused) -> Response[Fault]:
        return answer(401, "bad_code", "this enrolment code is unknown, used or too old", {"WWW-Authenticate": "Code"})

    def other_records(_: AnyRequest, error: OtherRecords) -> Response[Fault]:
        return answer(409, "other_records", str(error))

    def login_refused(_: AnyRequest, __: LoginRefused) -> Response[Fault]:
        return answer(401, "bad_login", "login or password is wrong", {"WWW-Authenticate": "Login"})

    def login_locked(_: AnyRequest, error: LoginLocked) -> Response[Fault]:
        wait = {"Retry-After": _seconds(error.until - clock())}
        return answer(429, "login_locked", "too many wrong tries; an administrator can end the pause", wait)

    def too_often(_: AnyRequest, error: TooOften) -> Response[Fault]:
        return answer(429, "too_often", "too many tries; wait a while", {"Retry-After": _seconds(error.after)})

    def forbidden(_: AnyRequest, error: Exception) -> Response[Fault]:
        return answer(403, "forbidden", str(error))

    def unknown(_: AnyRequest, error: UnknownRecord) -> Response[Fault]:
        return answer(404, "not_found", f"there is no {error}")

    def bad_request(_: AnyRequest, error: Exception) -> Response[Fault]:
        return answer(400, "bad_request", str(error))

    def too_many(_: AnyRequest, error: TooManyWords) -> Response[Fault]:
        return answer(413, "too_many_words", str(error))

    def unusable(request: AnyRequest, error: DatabaseUnusable) -> Response[Fault]:
        log.error("The database cannot be used", path=request.url.path, why=str(error))
        return answer(503, "database", "central cannot use its database now", {"Retry-After": "5"})

    def invalid(_: AnyRequest, error: ValidationException) -> Response[Fault]:
        extra = error.extra if isinstance(error.extra, list) else []
        detail = "; ".join(str(one.get("message", one)) if isinstance(one, dict) else str(one) for one in extra)
        return answer(400, "bad_request", detail or error.detail)

    def http(_: AnyRequest, error: HTTPException) -> Response[Fault]:
        status = error.status_code
        return answer(status, _CODES.get(status, "error"), error.detail, error.headers)

    def unexpected(request: AnyRequest, error: Exception) -> Response[Fault]:
        log.error("A request failed", path=request.url.path, exc_info=error)
        return answer(500, "internal", "a mistake of ours; it was logged")

    return {
        NotAllowed: not_allowed,
        CodeRefused: code_refused,
        OtherRecords: other_records,
        LoginRefused: login_refused,
        LoginLocked: login_locked,
        TooOften: too_often,
        Forbidden: forbidden,
        NotYours: forbidden,
        UnknownRecord: unknown,
        BadLogin: bad_request,
        BadPassword: bad_request,
        BadGrant: bad_request,
        ClosedBranch: bad_request,
        BadPublicKey: bad_request,
        BadPush: bad_request,
        TooManyWords: too_many,
        DatabaseUnusable: unusable,
        ValidationException: invalid,
        HTTPException: http,
        Exception: unexpected,
    }


def _seconds(span: timedelta) -> str:
    """For Retry-After: whole, at least one."""
    return str(max(1, math.ceil(span / timedelta(seconds=1))))
