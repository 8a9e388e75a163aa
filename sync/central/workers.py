"""Several central processes on one port and one PostgreSQL: for a machine with more than one core.

Each process is a whole central (`server.serve`); they share nothing but the database, and the kernel deals out new
connections among those that listen (SO_REUSEPORT). The parent migrates, reserves the port, starts them and waits. One
that ends unasked ends all, with exit code 1, and whoever supervises the service starts it anew. A change made by one
process wakes the long polls of the others at once (`listener`).
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

import structlog

from config import logs
from sync.central.office import Central, CentralSettings
from sync.central.server import DRAIN_S, CannotListen, reserved, warn_of_key, write_whole
from sync.central.server import serve as serve_alone

log = structlog.get_logger(__name__)


class WorkerEnded(Exception):
    """A process ended that nobody had told to."""


class _Stop(BaseException):
    """SIGTERM or SIGINT."""


def serve(settings: CentralSettings, count: int, *, announce: Callable[[str], None]) -> None:
    """Serves with `count` processes until SIGTERM or SIGINT. Blocks the main thread.

    Raises CannotListen, WorkerEnded and what `Central.open` raises.
    """
    central = Central.open(settings)  # migrated once, and every mistake in the settings told once
    warn_of_key(central)
    central.close()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    spawning = multiprocessing.get_context("spawn")
    running: list[BaseProcess] = []
    with contextlib.suppress(_Stop), reserved(settings.host, settings.port) as port, _reserved_inside(settings):
        ready = []
        try:
            for _ in range(count):
                listens, says = spawning.Pipe(duplex=False)
                own = replace(settings, port=port, ready_file=None)
                process = spawning.Process(target=_work, args=(own, says.send), daemon=False)
                process.start()
                says.close()
                running.append(process)
                ready.append(listens)
            for listens in ready:
                try:
                    address = listens.recv()
                except EOFError as error:
                    raise CannotListen(f"{settings.host}:{port}: a worker ended before it answered") from error
            if settings.ready_file is not None:
                write_whole(settings.ready_file, address + "\n")
            announce(address)
            log.info("Central is listening", address=address, workers=count)
            wait([process.sentinel for process in running])
            raise WorkerEnded("a worker ended unasked")
        finally:
            _end(running)
            if settings.ready_file is not None:
                settings.ready_file.unlink(missing_ok=True)


def _reserved_inside(settings: CentralSettings) -> AbstractContextManager[object]:
    """The address of the metrics, which all processes share too; any of them tells the same."""
    if not settings.metrics_port:
        return contextlib.nullcontext()
    return reserved(settings.metrics_host, settings.metrics_port)


def _end(running: list[BaseProcess]) -> None:
    """In order: requests under way are finished; who does not end in time is killed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in running:
        process.terminate()
    for process in running:
        process.join(2 * DRAIN_S)
        if process.is_alive():
            process.kill()
            process.join()


def _work(settings: CentralSettings, announce: Callable[[str], None]) -> None:
    """One process; it does not outlive the parent, however that ended. Its log is set up anew: it was spawned."""
    logs.configure()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    serve_alone(settings, announce=announce, shared=True)
    os._exit(0)  # everything is closed; granian's own threads may outlive it, and abort an interpreter on its way out


def _follow(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop
