"""Every answer that is no answer, as `wire.Fault`: a constant code for programs, a sentence for people, central's clock."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from sync.central.database import DatabaseUnusable
from sync.central.fleet import BadPublicKey, CodeRefused, Kiosk
from sync.central.http.credentials import NotAllowed
from sync.central.inbox import BadPush
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
        BadPublicKey: bad_request,
        BadPush: bad_request,
        TooManyWords: too_many,
        DatabaseUnusable: unusable,
        ValidationException: invalid,
        HTTPException: http,
        Exception: unexpected,
    }
