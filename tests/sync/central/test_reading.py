"""A request's body is read within a time, and a connection counts as at work from when its request is whole."""

import asyncio
from typing import Any

from litestar import Litestar, post
from litestar.params import JSONBody

from sync.central.connections import Connections
from sync.central.http.faults import handlers
from sync.central.http.reading import CentralRequest, Reading

from .conftest import Clock

PEER = ("192.0.2.1", 4711)


def scope(**headers: str) -> dict[str, Any]:
    told = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/said", "raw_path": b"/said", "query_string": b"", "root_path": "", "client": PEER, "server": ("central", 80),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }  # fmt: skip


def app_with(connections: Connections, body_s: float, busy: list[bool]) -> Litestar:
    @post("/said")
    async def said(data: JSONBody[list[int]]) -> list[int]:
        busy.append(connections.at_work(PEER))
        return data

    return Litestar(
        [said],
        middleware=[Reading(connections, body_s)],
        request_class=CentralRequest,
        exception_handlers=handlers(Clock(), lambda _: None),
        logging_config=None,
        openapi_config=None,
    )


def ask(app: Litestar, messages: list[dict[str, Any]], **headers: str) -> list[dict[str, Any]]:
    """What it sends; after `messages` nothing more ever comes."""
    sent: list[Any] = []
    coming = iter(messages)

    async def receive() -> Any:
        for message in coming:
            return message
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope(**headers), receive, send))  # type: ignore[arg-type]
    return sent


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_that_never_ends_is_answered_408_and_the_connection_is_closed() -> None:
    busy: list[bool] = []
    connections = Connections()
    sent = ask(app_with(connections, 0.01, busy), [part(b"[1", more=True)], content_length="100")
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert (busy, connections.at_work(PEER)) == ([], False)


def test_a_connection_is_at_work_once_its_request_is_whole_and_until_it_is_answered() -> None:
    busy: list[bool] = []
    connections = Connections()
    parts = [part(b"[1,", more=True), part(b"2]", more=False)]
    sent = ask(app_with(connections, 30, busy), parts, content_length="5")
    assert sent[0]["status"] == 201
    assert (busy, connections.at_work(PEER)) == ([True], False)


def test_a_client_that_goes_away_half_way_is_no_mistake_of_ours() -> None:
    busy: list[bool] = []
    sent = ask(
        app_with(Connections(), 30, busy),
        [part(b"[1,", more=True), {"type": "http.disconnect"}],
        transfer_encoding="chunked",
    )
    assert (sent[0]["status"], busy) == (400, [])
