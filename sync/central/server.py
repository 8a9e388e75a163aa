"""Runs central: one process, one event loop with granian inside it, worker threads for the database.

Prints one line when it answers, and writes the same address into the ready file. SIGTERM and SIGINT end it in order:
long polls are answered at once, requests under way are finished, the database is folded together; exit code 0.
`serve` blocks the main thread; `serve_until` is the same on a loop of the caller (tests, the demo).
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from sync.central.connections import Connections, places, raise_limit
from sync.central.http.app import make_app
from sync.central.http.inside import make_inside_app
from sync.central.in_use import serving
from sync.central.listener import others_heard
from sync.central.office import Central, CentralSettings
from sync.central.periodic import TICK_S

CONNECT_EVERY_S = 0.01
DRAIN_S = 5

log = structlog.get_logger(__name__)


BACKLOG = 1024
HEAD_S = 20
"""For the head of a request, and for the pause before it: a kiosk comes every five seconds, offline every fifteen. Only HTTP/1.1 is spoken:
while it still guesses at the protocol, the web server gives a connection that says nothing all the time it wants."""
THREADS = 32
"""Requests worked on at a time: those that wait for their turn are judged together, so few threads would mean many commits."""


class CannotListen(Exception):
    """The address is taken or not ours."""


def serve(settings: CentralSettings, *, announce: Callable[[str], None], shared: bool = False) -> None:
    """Serves until SIGTERM or SIGINT; `announce` gets the address once. Raises CannotListen, InUse and what `open` raises."""

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve_until(central, settings, stop, announce=announce, shared=shared)

    raise_limit()
    with contextlib.nullcontext() if settings.database is not None else serving(settings.data):
        central = Central.open(settings)
        try:
            asyncio.run(run())
        finally:
            central.close()


async def serve_until(
    central: Central, settings: CentralSettings, stop: asyncio.Event, *, announce: Callable[[str], None],
    shared: bool = False,
) -> None:  # fmt: skip
    """Serves an opened central until `stop`; leaves it open. `shared`: other processes listen on the port as well."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="central"))
    with others_heard(central.database, central.bell):
        await _serve_until(central, settings, stop, announce=announce, shared=shared)


async def _serve_until(
    central: Central, settings: CentralSettings, stop: asyncio.Event, *, announce: Callable[[str], None], shared: bool
) -> None:
    connections = Connections()
    async with contextlib.AsyncExitStack() as ending:
        if settings.metrics_port:
            inside = make_inside_app(central)
            await ending.enter_async_context(
                _listening(inside, settings.metrics_host, settings.metrics_port, shared=shared)
            )
        app = make_app(central, connections)
        running, port = await ending.enter_async_context(_listening(app, settings.host, settings.port, shared=shared))
        address = f"http://{settings.host}:{port}"
        if settings.ready_file is not None:
            write_whole(settings.ready_file, address + "\n")
        announce(address)
        log.info("Central is listening", address=address)
        if not shared:
            warn_of_key(central)
        stopping = asyncio.create_task(stop.wait())
        resting = asyncio.Event()
        tending = [
            asyncio.create_task(_tend(central, resting)),
            asyncio.create_task(connections.watch(port, resting)),
        ]
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        resting.set()
        await asyncio.gather(*tending)
        central.bell.close()
        stopping.cancel()
    if settings.ready_file is not None:
        settings.ready_file.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _listening(
    app: object, host: str, port: int, *, shared: bool
) -> AsyncIterator[tuple[asyncio.Task[None], int]]:
    """The app answers at this address; the task that serves it, and the port. Requests under way are finished at the end.

    Raises CannotListen.
    """
    with reserved(host, port, shared=shared) as port:
        server = Server(
            app,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_S * 1000),
            websockets=False,
            backlog=BACKLOG,
            backpressure=places(),
            log_enabled=False,
        )
        server.workers_kill_timeout = DRAIN_S
        running = asyncio.create_task(server.serve())
        ready = asyncio.create_task(_until_it_answers(host, port))
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        ready.cancel()
        running.result()
        raise CannotListen(f"{host}:{port}: the server ended before it answered")
    try:
        yield running, port
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await running


@contextlib.contextmanager
def reserved(host: str, port: int, *, shared: bool = False) -> Iterator[int]:
    """A port nobody else listens on, kept bound until the server has it (both with SO_REUSEPORT)."""
    try:
        if port and not shared:
            with socket.socket() as asking:  # without SO_REUSEPORT: a second central must not share the first one's
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                asking.bind((host, port))
        with socket.socket() as kept:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            kept.bind((host, port))
            yield kept.getsockname()[1]
    except OSError as error:
        raise CannotListen(f"{host}:{port}: {error.strerror}") from error


async def _tend(central: Central, resting: asyncio.Event) -> None:
    """Lets periodic work be done when it is due, until `resting`."""
    while not resting.is_set():
        await asyncio.to_thread(central.periodic.tick)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(resting.wait(), TICK_S)


def warn_of_key(central: Central) -> None:
    """At every start, until there is a recovery copy."""
    if central.key_copy.made_at() is None:
        log.warning(
            "The root key has no recovery copy: who loses it loses the database and every backup. "
            "Run shelfpoint central key copy FILE and keep FILE apart from this machine"
        )


async def _until_it_answers(host: str, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(CONNECT_EVERY_S)
        else:
            writer.close()
            return


def write_whole(path: Path, text: str) -> None:
    """So that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
