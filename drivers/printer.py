"""The slip printer: takes slips from the station, says honestly what became of each, and watches the printer's state.

Owns the one connection to the printer; `run` works in the supervisor's thread `device:<name>`, `print_slip` and `wake`
come from other threads and only use the queue. Decisions:

* "Written" is not "printed". A job is PRINTED when the printer answers the mark that stands behind it (GS ( H with four
  characters of the job's own, so that the late echo of another job is none; or a row of GS r 1, see `Marks`; ESC/POS
  reference) and, asked once more, says that it is well; FAILED when it names a fault, UNCONFIRMED when all bytes left and
  it says neither. A clone may answer GS r with its paper bits set: hence the second question.
* An answer to DLE EOT does not say to which question it belongs, and a stray byte may look like one: then every answer
  after it is taken for the next one's. So a look at the state ends with a moment in which nothing may come, a look that was
  disturbed is no look, and a fault is believed when two looks say it. A line that is never quiet has a reason of its own.
* A slip comes out at most once: a job is sent again, once, only if not one of its bytes had left. After paper out the
  rest stands in the printer's buffer and prints when paper is put in, so that is never sent again either.
* `run` does not raise while the printer is away: it stays, so that a job gets its answer at once instead of waiting
  out the supervisor's back-off. It reports the loss and looks again every `poll_s`.
"""

import queue
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from drivers.device import Report
from drivers.escpos import (
    NEWS_ON,
    AnswerReader,
    EchoAnswer,
    InfoAnswer,
    MarkAnswer,
    Noise,
    PrintJob,
    StateAnswer,
    StateNews,
    SymbolAnswer,
    ask_state,
    reason_of,
    reason_of_news,
)
from drivers.link import ByteLink, Door
from drivers.print_marks import RUN_S, Marks
from drivers.print_orders import Ended, Order, PrintOrders
from drivers.printer_profiles import DEFAULT_PROFILE, Profile
from kiosk.ports import (
    DeviceError,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Mailbox,
    PrintOutcome,
)
from kiosk.slip import Slip

log = structlog.get_logger(__name__)

_AWAY = frozenset({DeviceReason.NOT_REACHABLE, DeviceReason.NOT_PLUGGED})
_LOOKS = 4
"""Looks at the state, until one is undisturbed, and a fault is told by two in a row."""
_REST_S = 0.02
"""Nothing may come for so long after the last answer, and as long again as the slowest took."""
_HALF_S = 0.1
"""An answer that has begun is whole after so long, or it was none."""
_ECHO_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the driver waits, in seconds; on a serial line, besides the time that it carries a job."""

    connect_s: float = 2.0
    """For a connection."""
    answer_s: float = 1.5
    """For the answers to one look at the state."""
    send_s: float = 4.0
    """For the system to take a whole job."""
    job_s: float = 8.0
    """For everything about one job, from taking it up to its end."""
    watch_s: float = 0.3
    """Between two looks at the state while the mark is awaited."""
    poll_s: float = 2.0
    """Between two looks at the state when idle."""


class _Talk:
    """One connection and what was said on it."""

    def __init__(self, link: ByteLink, answer_s: float, marks: Marks) -> None:
        self.link = link
        self._answer_s = answer_s
        self._reader = AnswerReader()
        self._marks = marks
        self._heard = False
        self._disturbed = False
        """Something came in this look at the state that no printer says."""
        self.echo: bytes | None = None
        """The one echo that ends the job; None: it is ended by a row of marks."""
        self.echoed = False
        """It came."""
        self.busy_until = 0.0
        """When the line will have carried all that was written (monotonic)."""
        self.believes_news = False
        """It was asked for automatic status."""
        self.news: DeviceReason | None = None
        """Fault from the newest automatic status."""
        self.paperless = False
        """An answer to a mark said: without paper."""

    def write(self, data: bytes, deadline_s: float) -> None:
        """Hands it to the line, which may take its time to carry it."""
        speed = self.link.bytes_per_s
        if speed is not None:
            self.busy_until = max(self.busy_until, time.monotonic()) + len(data) / speed
        self.link.write(data, deadline_s)

    def state(self) -> DeviceReason | None:
        """Asks DLE EOT 1 to 4 and blocks for the answers, again where they were disturbed or name a fault.

        DeviceError SILENT if one does not come, LINE_NOISE if the line does not come to rest.
        """
        fault: DeviceReason | None = None
        for _ in range(_LOOKS):
            answers = self._look()
            if answers is None:
                fault = None
                continue
            reason = reason_of(answers)
            if not stops(reason) or reason is fault:
                return reason
            fault = reason
        if fault is not None:
            return fault
        raise DeviceError(DeviceReason.LINE_NOISE, "its answers are mixed with bytes that no printer says")

    def _look(self) -> list[int] | None:
        """One round of four; None when more came than was asked for. DeviceError if an answer does not come."""
        while self.hear(0.0):  # what nobody asked for must not pass for an answer
            pass
        half_ends = time.monotonic() + _HALF_S
        while self._reader.half and (left := half_ends - time.monotonic()) > 0:
            self.hear(left)
        self._reader.forget()
        self._disturbed = False
        answers: list[int] = []
        slowest_s, ends = 0.0, max(time.monotonic(), self.busy_until) + self._answer_s
        for number in (1, 2, 3, 4):
            self.write(ask_state(number), _left(ends))
            asked = max(time.monotonic(), self.busy_until)
            heard: list[int] = []
            while not heard:
                left = ends - time.monotonic()
                if left <= 0 and (self._disturbed or self._reader.half):
                    return None
                if left <= 0:
                    held = "" if self._heard else ", perhaps because it serves another computer"
                    raise DeviceError(self.link.fault() or DeviceReason.SILENT, f"no answer to a state question{held}")
                heard = self.hear(left)
            answers += heard
            slowest_s = max(slowest_s, time.monotonic() - asked)
        rest_ends = time.monotonic() + _REST_S + slowest_s
        while (left := rest_ends - time.monotonic()) > 0:
            answers += self.hear(left)
        return answers if len(answers) == 4 and not self._disturbed else None

    def hear(self, deadline_s: float) -> list[int]:
        """Reads once, at most `deadline_s`; notes marks and echoes, and gives back the answers to DLE EOT."""
        states: list[int] = []
        data = self.link.read(deadline_s)
        self._heard |= bool(data)
        now_s = time.monotonic()
        for answer in self._reader.feed(data):
            match answer:
                case MarkAnswer(confirms=True):
                    self._marks.answered(now_s)
                case MarkAnswer(paper_ended=True):
                    self.paperless = True
                    self._marks.disturbed()
                case EchoAnswer(echo=echo):
                    self.echoed |= echo == self.echo
                case StateNews(data=data) if self.believes_news:
                    self.news = reason_of_news(data)
                case MarkAnswer() | Noise() | StateNews():
                    self._disturbed = True
                    self._marks.disturbed()
                case InfoAnswer() | SymbolAnswer():
                    pass
                case StateAnswer(byte=byte):
                    states.append(byte)
        return states


class SlipPrinter:
    """A slip printer; a `Device` for the supervisor and a `Printer` for the station."""

    kind = DeviceKind.PRINTER

    def __init__(
        self,
        name: str,
        door: Door,
        profile: Profile = DEFAULT_PROFILE,
        *,
        mailbox: Mailbox,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self._door = door
        self.profile = profile
        """What the printer can do."""
        self._orders = PrintOrders(name, mailbox)
        self._patience = patience or Patience()
        self._talk: _Talk | None = None
        self._marks = Marks()
        self._absent = False
        self._owes = False
        """Marks of the job under way may still be answered."""
        self._cut_short = 0
        """Length of the longest job that was lost: the printer may still wait for the rest of a picture."""

    # --- from other threads

    def print_slip(self, job: str, slip: Slip) -> None:
        """Queue one job; never blocks, never raises; exactly one PrintEnded comes for it."""
        self._orders.put(job, slip)

    def wake(self) -> None:
        """Make `run` look at `stop` now; any thread."""
        self._orders.wake()

    # --- in the device's thread

    def run(self, stop: threading.Event, report: Report) -> None:
        """Serves jobs and watches the state until `stop` is set; then every job still waiting ends as FAILED."""
        with self._orders.open(stop):
            try:
                self._look(report)
                while not stop.is_set():
                    try:
                        order = self._orders.next(self._patience.poll_s)
                    except queue.Empty:
                        self._look(report)
                        continue
                    if order is not None:
                        self._serve(order, stop, report)
            finally:
                self._drop()

    def _look(self, report: Report) -> None:
        """Asks for the state, on the held connection or a new one, and reports it."""
        try:
            fault = self._connected(self._patience.connect_s).state()
            report(self._status(fault))
        except DeviceError as error:
            self._lose(error, report)

    def _serve(self, order: Order, stop: threading.Event, report: Report) -> None:
        """One job with an echo of its own."""
        echo = "".join(secrets.choice(_ECHO_LETTERS) for _ in range(4)).encode("ascii")
        marks = self._marks.begin()
        self._owes = False
        try:
            self._orders.serve(order, self.profile, lambda job: self._print(job, echo, stop, report), echo, marks)
        finally:
            self._marks.ended(owes=self._owes)

    def _print(self, job: PrintJob, echo: bytes, stop: threading.Event, report: Report) -> Ended:
        """Sends a job; a second time, over a new connection, only if none of its bytes had left."""
        ends = time.monotonic() + self._patience.job_s
        tries = 1 if self._absent else 2
        while True:
            tries -= 1
            before = None
            try:
                talk = self._connected(min(self._patience.connect_s, _left(ends)))
                fault = talk.state()
                report(self._status(fault))
                if stops(fault):
                    return PrintOutcome.FAILED, fault
                before = talk.link.sent
                talk.news, talk.paperless = None, False
                data = bytes(self._cut_short) + job.data  # NULs end a half command and print nothing
                carried_s = 0.0 if talk.link.bytes_per_s is None else len(data) / talk.link.bytes_per_s
                self._owes = self.profile.confirms == "gs_r"
                ends += carried_s + (RUN_S if self._owes else 0.0)
                talk.write(data, min(self._patience.send_s + carried_s, _left(ends)))
            except DeviceError as error:
                sent = 0 if before is None or self._talk is None else self._talk.link.sent - before
                if sent:
                    self._leaves_open(job)
                self._lose(error, report)
                self._owes &= sent > 0
                if sent == 0 and tries > 0 and time.monotonic() < ends and not stop.is_set():
                    continue
                return PrintOutcome.FAILED, error.reason
            self._leaves_open(job)
            break
        return self._await_mark(talk, echo, lambda: _left(ends), stop, report)

    def _await_mark(
        self, talk: _Talk, echo: bytes, left: Callable[[], float], stop: threading.Event, report: Report
    ) -> Ended:
        """All bytes have left: PRINTED, FAILED with what the printer complains of, or UNCONFIRMED.

        The last word is always an answer to the state question, asked after the mark had been answered.
        """
        marked = self.profile.confirms != "none"
        talk.echo, talk.echoed = echo if self.profile.confirms == "gs_h" else None, False
        try:
            while True:
                if marked and not self._answered(talk):
                    rest_s = self._marks.rest_s(time.monotonic())
                    talk.hear(rest_s or min(self._patience.watch_s, max(left(), 0.001)))
                answered = self._answered(talk)
                fault = talk.state()
                if answered and self._answered(talk) and not stops(fault):
                    self._cut_short, self._owes = 0, False
                    return PrintOutcome.PRINTED, None
                fault = talk.news if stops(talk.news) and fault is None else fault
                if stops(fault):
                    self._owes &= not talk.paperless
                    self._cut_short = 0
                    report(self._status(fault))
                    return PrintOutcome.FAILED, fault
                if not marked:
                    self._cut_short = 0
                    return PrintOutcome.UNCONFIRMED, None
                if (left() <= 0 and not self._marks.rest_s(time.monotonic())) or stop.is_set():
                    break
        except DeviceError as error:
            self._lose(error, report)
            return PrintOutcome.UNCONFIRMED, None
        return PrintOutcome.UNCONFIRMED, None

    def _answered(self, talk: _Talk) -> bool:
        """What stands behind the job was answered."""
        return talk.echoed if talk.echo is not None else self._marks.confirm(time.monotonic())

    def _leaves_open(self, job: PrintJob) -> None:
        """Bytes of this job have left, and nobody knows how many arrived: an older picture may be open as well."""
        self._cut_short = max(self._cut_short, len(job.data))

    def _connected(self, deadline_s: float) -> _Talk:
        if self._talk is None:
            self._talk = _Talk(self._door.open(max(deadline_s, 0.001)), self._patience.answer_s, self._marks)
            self._talk.believes_news = self.profile.news
            if self.profile.news:
                self._talk.write(NEWS_ON, deadline_s)
        return self._talk

    def _drop(self, *, lost: bool = False) -> None:
        if self._talk is not None:
            self._talk.link.close(lost=lost)
            self._talk = None

    def _lose(self, error: DeviceError, report: Report) -> None:
        self._drop(lost=True)
        self._absent = error.reason in _AWAY
        state = DeviceState.ABSENT if self._absent else DeviceState.FAULT
        report(DeviceStatus(device=self.name, kind=self.kind, state=state, reason=error.reason, detail=error.detail))

    def _status(self, reason: DeviceReason | None) -> DeviceStatus:
        self._absent = False
        if reason is DeviceReason.PAPER_LOW and not self.profile.near_end:
            reason = None
        state = DeviceState.FAULT if stops(reason) else DeviceState.READY
        detail = f"{self._door.address} {self.profile.title}"
        return DeviceStatus(device=self.name, kind=self.kind, state=state, reason=reason, detail=detail)


def _left(ends: float) -> float:
    return max(0.0, ends - time.monotonic())


def stops(reason: DeviceReason | None) -> bool:
    """It cannot print."""
    return reason is not None and reason is not DeviceReason.PAPER_LOW
