"""The HTTP API of `sync.wire`: enrol, acts, feed, health, and `live` for whoever supervises the process.

Handlers are thin: they name the kiosk, call one capability of `Central` on a worker thread and wrap the answer in the
envelope. Only the long poll is a coroutine, so that hundreds of waiting kiosks hold no thread.
OpenAPI is served under /schema/openapi.json.
"""

import asyncio
import binascii
import random
import time
from base64 import b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Annotated, Any

from litestar import Litestar, Request, Router, get, post
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import JSONBody, QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from kiosk.domain.values import IncarnationId
from sync.central.fleet import BadPublicKey, Kiosk
from sync.central.http.credentials import verify
from sync.central.http.faults import TooManyWords, handlers
from sync.central.http.pace import Pace
from sync.central.metrics import CONTENT_TYPE, metrics
from sync.central.office import Central
from sync.wire import (
    MAX_WAIT_S,
    MAX_WORDS,
    Enrol,
    Enrolled,
    Envelope,
    Fault,
    FeedPage,
    Health,
    Push,
    Pushed,
    WireVerdict,
)

_FAULTS = {
    400: ResponseSpec(Fault, description="The request makes no sense"),
    401: ResponseSpec(Fault, description="Not let in; code tells why, now is central's clock"),
    413: ResponseSpec(Fault, description="Too large"),
    503: ResponseSpec(Fault, description="Central cannot use its database now"),
}
MAX_BODY = 1024 * 1024
"""Bytes; 500 words take about 250 kB."""
RECHECK = timedelta(seconds=2)
"""How long a change made by another process may go unseen by a long poll."""

KioskRequest = Request[Kiosk, None, State]


class Live(Struct, frozen=True):
    """Central runs."""

    live: bool = True


class Credential(ASGIMiddleware):
    """Lets in only what an enrolled kiosk has signed; the kiosk becomes the request's user."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Reads the body (the handler gets the same bytes) and verifies the token on a worker thread."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        central: Central = request.app.state.central
        body = await request.body()
        header = request.headers.get("authorization")
        scope["user"] = await asyncio.to_thread(verify, header, body, central.fleet.find, central.clock())
        await next_app(scope, receive, send)


@get("/v1/live", sync_to_thread=False, summary="Central runs")
def live() -> Live:
    """For run scripts and supervisors; touches nothing."""
    return Live()


@get("/metrics", sync_to_thread=True, media_type=CONTENT_TYPE, summary="For Prometheus")
def scrape(state: State) -> bytes:
    """Figures of central and every kiosk; names no person. The proxy in front keeps it inside the house."""
    return metrics(state.central)


@post("/v1/enrol", status_code=200, sync_to_thread=True, responses=_FAULTS, summary="A new kiosk introduces itself")
def enrol(data: JSONBody[Enrol], state: State) -> Enrolled:
    """Takes a one-time code and an Ed25519 public key."""
    central: Central = state.central
    try:
        public_key = b64decode(data.public_key + "=" * (-len(data.public_key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadPublicKey("public_key is not base64url") from error
    kiosk = central.fleet.enrol(data.code, public_key)
    return Enrolled(
        epoch=central.epoch(),
        now=central.clock(),
        kiosk=kiosk.id,
        branch=kiosk.branch,
        index_key=urlsafe_b64encode(kiosk.index_key).rstrip(b"=").decode(),
    )


@post("/acts", status_code=200, sync_to_thread=True, responses=_FAULTS, summary="Words of acts, each judged once")
def push(data: JSONBody[Push], request: KioskRequest, state: State) -> Pushed:
    """One verdict for each word, in the order of the push; durable when it is answered."""
    central: Central = state.central
    if len(data.words) > MAX_WORDS:
        raise TooManyWords(f"at most {MAX_WORDS} words in one push")
    judged = central.inbox.judge(request.user.id, IncarnationId(data.incarnation), data.words)
    return Pushed(
        epoch=judged.epoch,
        now=central.clock(),
        held_through=judged.held_through,
        verdicts=[WireVerdict.of(verdict) for verdict in judged.verdicts],
    )


@get("/feed", responses=_FAULTS, summary="What changed since the cursor; waits up to 25 seconds for something")
async def feed(
    request: KioskRequest,
    state: State,
    cursor: Annotated[str | None, QueryParameter(description="From the page before; none starts anew")] = None,
    wait_s: Annotated[float, QueryParameter(ge=0, description="Cut to 25")] = 0,
    incarnation: Annotated[str | None, QueryParameter(description="For held_through")] = None,
) -> FeedPage:
    """Entries after the cursor, or an empty page when nothing happened in time."""
    central: Central = state.central
    pace: Pace = state.pace
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(wait_s, MAX_WAIT_S)
    with pace:
        if wait_s:
            await central.bell.pause(min(pace.before_looking_s(request.user.id), deadline - loop.time()))
        while True:
            seen = central.bell.count
            page = await asyncio.to_thread(central.feed.page, cursor, request.user.index_key)
            left = deadline - loop.time()
            if page.entries or page.more or page.snapshot or left <= 0 or central.bell.closed:
                break
            await central.bell.wait(seen, min(left, RECHECK.total_seconds()))
            if central.bell.count != seen:
                await central.bell.pause(min(pace.after_waking_s(), deadline - loop.time()))
        if not page.more:
            pace.told(request.user.id)
    held = 0
    if incarnation is not None:
        held = await asyncio.to_thread(central.inbox.held_through, request.user.id, IncarnationId(incarnation))
    return FeedPage(
        epoch=page.epoch,
        now=central.clock(),
        held_through=held,
        cursor=page.cursor,
        position=page.position,
        more=page.more,
        snapshot=page.snapshot,
        snapshot_begins=page.snapshot_begins,
        entries=page.entries,
    )


@post(
    "/health",
    status_code=200,
    sync_to_thread=True,
    responses=_FAULTS,
    summary="Heartbeat, and the probe back to online mode",
)
def health(data: JSONBody[Health], request: KioskRequest, state: State) -> Envelope:
    """Keeps the newest state of this kiosk."""
    central: Central = state.central
    central.fleet.note_health(request.user.id, data)
    held = central.inbox.held_through(request.user.id, IncarnationId(data.incarnation))
    return Envelope(epoch=central.epoch(), now=central.clock(), held_through=held)


def make_app(central: Central) -> Litestar:
    """The ASGI application around one opened central; whoever opened it closes it."""
    return Litestar(
        route_handlers=[
            live,
            scrape,
            enrol,
            Router(
                "/v1",
                route_handlers=[push, feed, health],
                middleware=[Credential()],
                security=[{"kiosk": []}],
            ),
        ],
        exception_handlers=handlers(central.clock),
        state=State({"central": central, "pace": Pace(time.monotonic, random.Random())}),
        request_max_body_size=MAX_BODY,
        logging_config=None,  # the process says how it logs, not the framework
        openapi_config=OpenAPIConfig(
            title="Shelfpoint central",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
            components=Components(
                security_schemes={"kiosk": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
        ),
    )
