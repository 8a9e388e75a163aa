"""Reading a request's body: within a time, and JSON or a refusal; and telling which connections are at work.

A middleware around every handler, and the request class of the app. Promises that a body that drips ends with 408, and that
bytes which are no JSON of ours (no UTF-8, nested without end) end with 400 whatever the handler. Lives on the event loop.
"""

import asyncio
from contextlib import ExitStack
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import ClientException, SerializationException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from sync.central.connections import Connections

BODY_S = 20.0
"""From the first wish for a part of the body to its end; a mebibyte at half a megabit a second."""


class BodyTooSlow(Exception):
    """The body was not whole in time."""


class CentralRequest(Request[Any, Any, State]):
    """A request whose body may be anything."""

    async def json(self) -> Any:
        """The body's JSON. Raises SerializationException (400) for everything that is none, or none that can be read."""
        try:
            return await super().json()
        except UnicodeDecodeError as error:
            raise SerializationException(f"the body is not UTF-8 (byte {error.start})") from error
        except RecursionError as error:
            raise SerializationException("the body is nested too deep") from error


class Reading(ASGIMiddleware):
    """Bounds the time for a body; a connection is at work once its request is whole."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, connections: Connections, body_s: float = BODY_S) -> None:
        self._connections = connections
        self._body_s = body_s

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Hands on a `receive` that raises BodyTooSlow, or ClientException when the client has gone."""
        until: float | None = None
        whole = not _has_body(scope)
        client = scope["client"]
        peer = None if client is None else (client[0], client[1])

        async def in_time() -> Any:
            nonlocal until, whole
            if whole:
                return await receive()
            loop = asyncio.get_running_loop()
            until = until or loop.time() + self._body_s
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                raise BodyTooSlow from error
            if message["type"] == "http.disconnect":
                raise ClientException("the client has gone before its request was whole")
            whole = not message.get("more_body", False)
            if whole:
                working.enter_context(self._connections.working(peer))
            return message

        with ExitStack() as working:
            if whole:
                working.enter_context(self._connections.working(peer))
            await next_app(scope, in_time, send)


def _has_body(scope: Scope) -> bool:
    return any(
        (name == b"content-length" and value.strip() != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )
