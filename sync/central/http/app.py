"""The HTTP API of `sync.wire`: enrol, acts, feed, health; the staff API; `live` for whoever supervises the process.

Handlers are thin: they name the kiosk, call one capability of `Central` on a worker thread and wrap the answer in the
envelope. Only the long poll is a coroutine, so that hundreds of waiting kiosks hold no thread.
OpenAPI is served under /schema/openapi.json.
"""

import asyncio
import random
import time
from datetime import timedelta
from typing import Annotated, Any, cast

from litestar import Litestar, Request, Response, Router, get, post
from litestar.datastructures import ResponseHeader, State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import JSONBody, QueryParameter
from litestar.types import ASGIApp, HTTPRequestEvent, Receive, Scope, Send
from msgspec import Struct

from kiosk.domain.staff import Entry, Permission, branch_scope, may, spell_login
from kiosk.domain.values import IncarnationId
from sync.central.fleet import BadPublicKey, CodeRefused, Kiosk
from sync.central.http.bodies import page_answer, plain_body
from sync.central.http.credentials import NotAllowed, verify
from sync.central.http.faults import TooManyWords, handlers
from sync.central.http.gate import client_address, note_transport
from sync.central.http.pace import Pace
from sync.central.http.rates import Call, Rates, costs
from sync.central.http.staff import login, staff_router
from sync.central.http.staff_holds import HOLD_ROUTES
from sync.central.limits import Door
from sync.central.metrics import CONTENT_TYPE, metrics
from sync.central.office import Central
from sync.central.staff import LoginLocked, LoginRefused
from sync.packed import CODING, accepts
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
    StaffAsk,
    StaffTold,
    WireVerdict,
    padded,
)

_FAULTS = {
    400: ResponseSpec(Fault, description="The request makes no sense"),
    401: ResponseSpec(Fault, description="Not let in; code tells why, now is central's clock"),
    413: ResponseSpec(Fault, description="Too large"),
    429: ResponseSpec(Fault, description="Too often; Retry-After says when"),
    503: ResponseSpec(Fault, description="Central cannot use its database now"),
}
MAX_BODY = 1024 * 1024
"""Bytes; 500 words take about 250 kB."""
RECHECK = timedelta(seconds=2)
"""How long a change made by another process may go unseen by a long poll that nobody wakes (SQLite, a broken listener)."""

KioskRequest = Request[Kiosk, None, State]


class Live(Struct, frozen=True):
    """Central runs."""

    live: bool = True


def _signer(request: Request[Any, Any, Any], header: str | None, body: bytes) -> Kiosk:
    """Who signed it. Nobody is refused on what was known a moment ago. Raises NotAllowed."""
    central: Central = request.app.state.central
    try:
        kiosk = verify(header, body, central.fleet.caller, central.clock())
    except NotAllowed:
        kiosk = verify(header, body, central.fleet.find, central.clock())
    note_transport(request)
    return kiosk


class Credential(ASGIMiddleware):
    """Lets in only what an enrolled kiosk has signed, and no more often than it may; it becomes the request's user."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Reads the body, verifies the token on a worker thread and hands on what the handler can read of the body."""
        request: Request[Any, Any, Any] = Request(cast("Scope", {**scope, "state": {}}), receive, send)
        body = await request.body()
        header = request.headers.get("authorization")
        kiosk = await asyncio.to_thread(_signer, request, header, body)
        request.app.state.rates.take(kiosk.id, scope["route_handler"].opt.get("call", Call.HEALTH))
        path, coding = request.url.path, request.headers.get("content-encoding")
        plain = await asyncio.to_thread(plain_body, path, body, coding, MAX_BODY)

        async def replay() -> HTTPRequestEvent:
            return {"type": "http.request", "body": plain, "more_body": False}

        scope["user"] = kiosk
        await next_app(scope, replay, send)


@get("/v1/live", sync_to_thread=False, summary="Central runs")
def live() -> Live:
    """For run scripts and supervisors; touches nothing."""
    return Live()


@get("/metrics", sync_to_thread=True, media_type=CONTENT_TYPE, summary="For Prometheus")
def scrape(state: State) -> bytes:
    """Figures of central and every kiosk; names no person. The proxy in front keeps it inside the house."""
    return metrics(state.central)


@post(
    "/v1/enrol",
    status_code=200,
    sync_to_thread=True,
    responses={**_FAULTS, 409: ResponseSpec(Fault, description="The machine holds another kiosk's records")},
    summary="A new kiosk introduces itself",
)
def enrol(data: JSONBody[Enrol], request: Request[None, None, State], state: State) -> Enrolled:
    """Takes a one-time code and an Ed25519 public key."""
    central: Central = state.central
    try:
        public_key, sealing_key = padded(data.public_key), padded(data.sealing_key)
    except ValueError as error:
        raise BadPublicKey("public_key or sealing_key is not base64url") from error
    with central.limits.guard(Door.ENROL, address=client_address(request), counts=(CodeRefused,)):
        kiosk = central.fleet.enrol(data.code, public_key, sealing_key or None, data.records_of)
    return central.fleet.enrolled(kiosk, central.epoch())


@post(
    "/acts",
    status_code=200,
    sync_to_thread=True,
    responses=_FAULTS,
    summary="Words of acts, each judged once",
    **costs(Call.ACTS),
)
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
        order=central.fleet.order(request.user),
        verdicts=[WireVerdict.of(verdict) for verdict in judged.verdicts],
    )


@get(
    "/feed",
    responses=_FAULTS,
    summary="What changed since the cursor; waits up to 25 seconds for something",
    **costs(Call.FEED),
)
async def feed(
    request: KioskRequest,
    state: State,
    cursor: Annotated[str | None, QueryParameter(description="From the page before; none starts anew")] = None,
    wait_s: Annotated[float, QueryParameter(ge=0, description="Cut to 25")] = 0,
    incarnation: Annotated[str | None, QueryParameter(description="For held_through")] = None,
) -> Response[FeedPage]:
    """Entries after the cursor, or an empty page when nothing happened in time."""
    central: Central = state.central
    pace: Pace = state.pace
    if request.user.farewell is not None:
        raise NotAllowed("retired", "this kiosk retires and is told nothing any more", request.user)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(wait_s, MAX_WAIT_S)
    rates: Rates = state.rates
    with rates.poll(request.user.id), pace:
        if wait_s:
            await central.bell.pause(min(pace.before_looking_s(request.user.id), deadline - loop.time()))
        while True:
            seen = central.bell.count
            page = await asyncio.to_thread(central.feed.page, cursor, request.user.index_key, request.user.branch)
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
    pack = accepts(request.headers.get("accept-encoding"))
    return await asyncio.to_thread(page_answer, page.told(central.clock(), held), pack=pack)


@post(
    "/health",
    status_code=200,
    sync_to_thread=True,
    responses=_FAULTS,
    summary="Heartbeat, and the probe back to online mode",
    **costs(Call.HEALTH),
)
def health(data: JSONBody[Health], request: KioskRequest, state: State) -> Envelope:
    """Keeps the newest state of this kiosk."""
    central: Central = state.central
    central.fleet.note_health(request.user.id, data)
    held = central.inbox.held_through(request.user.id, IncarnationId(data.incarnation))
    order = central.fleet.order(request.user)
    return Envelope(epoch=central.epoch(), now=central.clock(), held_through=held, order=order)


@post(
    "/staff-entry",
    status_code=200,
    sync_to_thread=True,
    responses=_FAULTS,
    summary="May this login open the kiosk's staff page",
    **costs(Call.STAFF_ENTRY),
)
def staff_entry(data: JSONBody[StaffAsk], request: KioskRequest, state: State) -> StaffTold:
    """Counts as a try of that login, wherever it is made."""
    central: Central = state.central
    if request.user.farewell is not None:
        raise NotAllowed("retired", "this kiosk retires and is told nothing any more", request.user)
    staff, entry = None, Entry.WRONG
    who = {"address": client_address(request), "name": spell_login(data.login)}
    try:
        with central.limits.guard(Door.LOGIN, **who, counts=(LoginRefused, LoginLocked)):
            member = central.staff.check(data.login, data.password)
        if may(member.grants, Permission.KIOSK_OPEN, branch_scope(request.user.branch)):
            staff, entry = member.id, Entry.OK
    except LoginRefused:
        pass
    except LoginLocked:
        entry = Entry.LOCKED
    return StaffTold(epoch=central.epoch(), now=central.clock(), entry=entry, staff=staff)


def make_app(central: Central) -> Litestar:
    """The ASGI application around one opened central; whoever opened it closes it."""
    return Litestar(
        route_handlers=[
            live,
            scrape,
            enrol,
            login,
            staff_router(*HOLD_ROUTES),
            Router(
                "/v1",
                route_handlers=[push, feed, health, staff_entry],
                middleware=[Credential()],
                security=[{"kiosk": []}],
                response_headers=[
                    ResponseHeader(name="Accept-Encoding", value=CODING, description="Bodies may be packed with it")
                ],
            ),
        ],
        exception_handlers=handlers(central.clock, central.fleet.order),
        state=State(
            {"central": central, "pace": Pace(time.monotonic, random.Random()), "rates": Rates(time.monotonic)}
        ),
        request_max_body_size=MAX_BODY,
        logging_config=None,  # the process says how it logs, not the framework
        openapi_config=OpenAPIConfig(
            title="Shelfpoint central",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
            components=Components(
                security_schemes={
                    "kiosk": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                    "staff": SecurityScheme(type="http", scheme="bearer", bearer_format="opaque"),
                }
            ),
        ),
    )
