"""The slips that wait for a printer's thread: taken from any thread, each answered by exactly one PrintEnded."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from drivers.escpos import PrintJob, build
from drivers.printer_profiles import Profile
from kiosk.ports import DeviceReason, Mailbox, PrintEnded, PrintOutcome
from kiosk.slip import Slip

Ended = tuple[PrintOutcome, DeviceReason | None]
"""How a job ended, and why."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A slip that waits to be printed."""

    job: str
    """As given to `Printer.print_slip`."""
    slip: Slip = field(repr=False)
    """What to print."""


class PrintOrders:
    """One printer's waiting line. `put` and `wake` from any thread, the rest from the printer's."""

    def __init__(self, name: str, mailbox: Mailbox) -> None:
        self._name = name
        self._mailbox = mailbox
        self._queue: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False

    def put(self, job: str, slip: Slip) -> None:
        """Never blocks, never raises; when the printer has been stopped, the job ends as FAILED at once."""
        with self._gate:
            if not self._closed:
                self._queue.put(Order(job, slip))
                return
        self.end(job, PrintOutcome.FAILED, DeviceReason.NOT_REACHABLE)

    def wake(self) -> None:
        """Makes `next` return."""
        self._queue.put(None)

    @contextmanager
    def open(self, stop: threading.Event) -> Iterator[None]:
        """While the printer works; if it was told to stop, every job still waiting ends as FAILED."""
        with self._gate:
            self._closed = False
        try:
            yield
        finally:
            if stop.is_set():
                self._refuse_waiting()

    def next(self, deadline_s: float) -> Order | None:
        """Blocks for the oldest one; None when woken. queue.Empty after the deadline."""
        return self._queue.get(timeout=deadline_s)

    def serve(
        self, order: Order, profile: Profile, send: Callable[[PrintJob], Ended], echo: bytes = b"0000", marks: int = 1
    ) -> None:
        """One job from its first byte to its PrintEnded; a bug of ours still ends the job before it goes up."""
        ended: Ended = (PrintOutcome.FAILED, DeviceReason.PRINTER_ERROR)
        try:
            job = build(order.slip, profile, echo=echo, marks=marks)
            if job.missing:
                log.warning("slip has characters that no font holds", device=self._name, count=len(job.missing))
            ended = send(job)
        except OSError as error:
            log.error("slip cannot be set, fonts are missing", device=self._name, error=str(error))
        finally:
            self.end(order.job, *ended)

    def end(self, job: str, outcome: PrintOutcome, reason: DeviceReason | None = None) -> None:
        """The one answer."""
        log.info("slip ended", device=self._name, outcome=outcome, reason=reason)
        self._mailbox.post(PrintEnded(job, outcome, reason))

    def _refuse_waiting(self) -> None:
        with self._gate:
            self._closed = True
        while True:
            try:
                order = self._queue.get_nowait()
            except queue.Empty:
                return
            if order is not None:
                self.end(order.job, PrintOutcome.FAILED, DeviceReason.NOT_REACHABLE)
