"""A slip printer behind a CUPS queue: the fallback for printers that cannot be reached themselves.

The slip goes through the queue raw, as the same ESC/POS bytes. What comes back is the queue's word, never the printer's:
a job that left the queue is SPOOLED, which is not PRINTED. Decisions:

* A slip must not come out of the machine when its reader has gone: a job that stands in the queue for `wait_s` is taken
  back and FAILED, with what the queue says of the printer. CUPS may be asked in vain meanwhile (it restarts, it hangs):
  that says nothing of the job, which is asked for again and at the end taken back all the same. Where even that is
  not heard, or `lp` never said what became of the job, the slip is UNCONFIRMED, and what this account has in the queue
  is cancelled as soon as CUPS answers.
* An idle queue asks no printer: what it says of paper and cover is as old as the last job. So such a reason is told to
  staff, but does not stop the next job; a stopped queue, or one that refuses jobs, does.
* CUPS keeps printed files for a day unless told otherwise (cupsd.conf: PreserveJobFiles No); the job's title names
  nobody.

`run` works in the supervisor's thread `device:<name>`, `print_slip` and `wake` come from other threads. Raw queues are
announced to end with CUPS 3.
"""

import queue
import threading
import time
from dataclasses import dataclass, replace

import structlog

from drivers.cups import DEADLINE_S, Queue
from drivers.device import Report
from drivers.escpos import PrintJob
from drivers.print_orders import Ended, PrintOrders
from drivers.printer_profiles import DEFAULT_PROFILE, Profile
from kiosk.ports import DeviceError, DeviceKind, DeviceReason, DeviceState, DeviceStatus, Mailbox, PrintOutcome
from kiosk.slip import Slip

log = structlog.get_logger(__name__)

TITLE = "slip"
"""What the job list shows."""
_ABSENT = frozenset({DeviceReason.NOT_PLUGGED, DeviceReason.SERVICE_DOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePatience:
    """How long the driver waits, in seconds."""

    wait_s: float = 10.0
    """For a job to leave the queue."""
    watch_s: float = 0.25
    """Between two looks at a job that waits."""
    poll_s: float = 5.0
    """Between two looks at the queue when idle."""
    command_s: float = DEADLINE_S
    """For one command of CUPS."""


class QueuePrinter:
    """A printer behind a queue; a `Device` for the supervisor and a `Printer` for the station."""

    kind = DeviceKind.PRINTER

    def __init__(
        self,
        name: str,
        queue_name: str,
        profile: Profile = DEFAULT_PROFILE,
        *,
        mailbox: Mailbox,
        patience: QueuePatience | None = None,
    ) -> None:
        self.name = name
        self.profile = replace(profile, confirms="none", news=False)
        """What the printer can do; nobody would hear its answers."""
        self._patience = patience or QueuePatience()
        self._queue = Queue(queue_name, self._patience.command_s)
        self._orders = PrintOrders(name, mailbox)
        self._strays = False
        """A slip that has ended may still stand in the queue."""

    # --- from other threads

    def print_slip(self, job: str, slip: Slip) -> None:
        """Queue one job; never blocks, never raises; exactly one PrintEnded comes for it."""
        self._orders.put(job, slip)

    def wake(self) -> None:
        """Make `run` look at `stop` now; any thread."""
        self._orders.wake()

    # --- in the device's thread

    def run(self, stop: threading.Event, report: Report) -> None:
        """Serves jobs and watches the queue until `stop` is set; then every job still waiting ends as FAILED."""
        with self._orders.open(stop):
            self._look(report)
            while not stop.is_set():
                try:
                    order = self._orders.next(self._patience.poll_s)
                except queue.Empty:
                    self._look(report)
                    continue
                if order is not None:
                    self._orders.serve(order, self.profile, lambda job: self._print(job, stop, report))

    def _look(self, report: Report) -> DeviceReason | None:
        """Asks for the queue's state and reports it; the reason why nothing can be printed, if there is one."""
        try:
            told = self._queue.state()
            if self._strays:
                self._sweep()
        except DeviceError as error:
            self._lose(error, report)
            return error.reason
        stopped = told.reason is DeviceReason.QUEUE_STOPPED
        report(
            self._status(DeviceState.FAULT if stopped else DeviceState.READY, told.reason, f"queue {self._queue.name}")
        )
        return told.reason if stopped else None

    def _print(self, job: PrintJob, stop: threading.Event, report: Report) -> Ended:
        """Hands the job over and follows it until it has left the queue, or takes it back."""
        why = self._look(report)
        if why is not None:
            return PrintOutcome.FAILED, why
        try:
            request = self._queue.hand_over(job.data, TITLE)
        except DeviceError as error:
            self._lose(error, report)
            return (
                self._perhaps_taken(report)
                if error.reason is DeviceReason.SILENT
                else (PrintOutcome.FAILED, error.reason)
            )
        ends = time.monotonic() + self._patience.wait_s
        while True:
            try:
                if not self._queue.waits(request):
                    self._look(report)
                    return PrintOutcome.SPOOLED, None
            except DeviceError as error:
                self._lose(error, report)
            if time.monotonic() >= ends or stop.wait(self._patience.watch_s):
                return self._take_back(request, report)

    def _perhaps_taken(self, report: Report) -> Ended:
        """`lp` did not end in time: FAILED where the job was found in the queue and cancelled, else UNCONFIRMED."""
        try:
            if self._sweep():
                return PrintOutcome.FAILED, DeviceReason.SILENT
        except DeviceError as error:
            self._lose(error, report)
        self._strays = True  # CUPS may take it up a moment later
        return PrintOutcome.UNCONFIRMED, None

    def _take_back(self, request: str, report: Report) -> Ended:
        """Cancels a job that waited too long, whatever the queue says of itself."""
        try:
            reason = self._queue.state().reason or DeviceReason.SILENT
        except DeviceError as error:
            reason = error.reason
        try:
            if self._queue.take_back(request):
                log.warning("slip waited too long in the queue and was taken back", device=self.name)
                self._lose(DeviceError(reason, f"queue {self._queue.name}"), report)
                return PrintOutcome.FAILED, reason
            if not self._queue.waits(request):  # it left at the last moment
                self._look(report)
                return PrintOutcome.SPOOLED, None
            reason = DeviceReason.NO_PERMISSION
        except DeviceError as error:
            reason = error.reason
        self._strays = True
        log.warning("slip waited too long in the queue and could not be taken back", device=self.name)
        self._lose(DeviceError(reason, f"queue {self._queue.name}: a slip stands in it"), report)
        return PrintOutcome.UNCONFIRMED, None

    def _sweep(self) -> bool:
        """Cancels what this account has left in the queue, and says whether it found something and all of it went.

        The next look sees whether it is gone. DeviceError when CUPS does not say.
        """
        left = self._queue.own_jobs()
        gone = [self._queue.take_back(request) for request in left]
        self._strays = bool(left)
        if left:
            log.warning("slips of before stood in the queue and were cancelled", device=self.name, number=len(left))
        return bool(left) and all(gone)

    def _lose(self, error: DeviceError, report: Report) -> None:
        state = DeviceState.ABSENT if error.reason in _ABSENT else DeviceState.FAULT
        report(self._status(state, error.reason, error.detail))

    def _status(self, state: DeviceState, reason: DeviceReason | None, detail: str) -> DeviceStatus:
        return DeviceStatus(device=self.name, kind=self.kind, state=state, reason=reason, detail=detail)
