"""CUPS by its own commands (lp, lpstat, cancel): hand a job over raw, follow it, take it back, and what a queue says.

The commands and not IPP by hand: they find the scheduler (CUPS_SERVER, client.conf), speak every version of it, and come
with every CUPS (Debian: cups-client). Their answers are read in the C locale. State reasons are those of RFC 8011
(5.4.12) and PWG 5100. Every call has a deadline; failures come out as DeviceError. Any thread may call.
"""

import os
import pwd
import re
import subprocess
from dataclasses import dataclass
from enum import StrEnum

from kiosk.ports import DeviceError, DeviceReason

DEADLINE_S = 3.0
"""For one command, seconds."""
_REQUEST = re.compile(r"^request id is (\S+-\d+)\b", re.MULTILINE)
_QUEUE = re.compile(r"^device for (.+?): (\S+)$", re.MULTILINE)
_SEVERITY = re.compile(r"-(error|warning|report)$")
_REASONS = (
    ("cover-open", DeviceReason.COVER_OPEN),
    ("door-open", DeviceReason.COVER_OPEN),
    ("interlock-open", DeviceReason.COVER_OPEN),
    ("media-empty", DeviceReason.PAPER_OUT),
    ("media-needed", DeviceReason.PAPER_OUT),
    ("connecting-to-device", DeviceReason.NOT_REACHABLE),
    ("offline", DeviceReason.NOT_REACHABLE),
    ("shutdown", DeviceReason.NOT_REACHABLE),
    ("timed-out", DeviceReason.NOT_REACHABLE),
    ("media-low", DeviceReason.PAPER_LOW),
)
"""What a person must mend first stands first."""


class Working(StrEnum):
    """What a queue does now."""

    IDLE = "idle"
    PRINTING = "printing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class QueueState:
    """What `lpstat -l -p Q -a Q` says of one queue."""

    working: Working
    """What it does."""
    accepting: bool
    """It takes new jobs."""
    alerts: tuple[str, ...]
    """Its printer-state-reasons, as of the last job: an idle queue asks no printer."""

    @property
    def reason(self) -> DeviceReason | None:
        """What to tell staff; the queue's own standing still comes before what it last heard of the printer."""
        if self.working is Working.STOPPED or not self.accepting:
            return DeviceReason.QUEUE_STOPPED
        return reason_of_alerts(self.alerts)


def read_queue(told: str, queue: str) -> QueueState | None:
    """The answer of `lpstat -l -p Q -a Q` in the C locale; None where it does not tell of this queue."""
    working: Working | None = None
    accepting = False
    alerts: tuple[str, ...] = ()
    for line in told.splitlines():
        if line.startswith(f"printer {queue} "):
            rest = line.removeprefix(f"printer {queue} ")
            working = _working(rest)
        elif line.startswith(f"{queue} accepting requests"):
            accepting = True
        elif line.startswith("\tAlerts:"):
            alerts = tuple(alert for alert in line.removeprefix("\tAlerts:").split() if alert != "none")
    return None if working is None else QueueState(working, accepting, alerts)


def _working(rest: str) -> Working | None:
    if rest.startswith("is idle"):
        return Working.IDLE
    if rest.startswith("now printing"):
        return Working.PRINTING
    return Working.STOPPED if rest.startswith("disabled") else None


def reason_of_alerts(alerts: tuple[str, ...]) -> DeviceReason | None:
    """The gravest of these state reasons; unknown ones count where they call themselves errors."""
    plain = {_SEVERITY.sub("", alert) for alert in alerts}
    for word, reason in _REASONS[:-1]:
        if word in plain:
            return reason
    if any(alert.endswith("-error") for alert in alerts):
        return DeviceReason.PRINTER_ERROR
    return DeviceReason.PAPER_LOW if "media-low" in plain else None


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue of the scheduler that the commands find."""

    name: str
    """As CUPS calls it."""
    deadline_s: float = DEADLINE_S
    """For one command."""

    def state(self) -> QueueState:
        """Blocks up to two deadlines. DeviceError SERVICE_DOWN without a scheduler, NOT_PLUGGED without such a queue."""
        done = _run(self.deadline_s, "lpstat", "-l", "-p", self.name, "-a", self.name)
        state = read_queue(done.stdout, self.name)
        if state is None:
            if "is running" not in _run(self.deadline_s, "lpstat", "-r").stdout:
                raise DeviceError(DeviceReason.SERVICE_DOWN, "the CUPS scheduler is not running")
            raise DeviceError(DeviceReason.NOT_PLUGGED, f"{self.name}: {_first_line(done.stderr) or 'no such queue'}")
        return state

    def hand_over(self, data: bytes, title: str) -> str:
        """Gives a job to the queue as it is, without filters; its name there. Blocks up to the deadline.

        DeviceError QUEUE_STOPPED where the queue refuses it; SILENT when `lp` did not end in time, and then the job may
        or may not have been taken.
        """
        done = _run(self.deadline_s, "lp", "-d", self.name, "-o", "raw", "-t", title, given=data)
        taken = _REQUEST.search(done.stdout)
        if done.returncode or taken is None:
            raise DeviceError(DeviceReason.QUEUE_STOPPED, f"{self.name}: {_first_line(done.stderr)}")
        return taken[1]

    def waits(self, request: str) -> bool:
        """The job has not left the queue. Blocks up to the deadline; DeviceError when CUPS does not say."""
        return any(name == request for name, _ in self._standing())

    def own_jobs(self) -> tuple[str, ...]:
        """What this account has in the queue and has not left it. Blocks up to the deadline; DeviceError as `waits`."""
        account = _account()
        return tuple(name for name, owner in self._standing() if owner == account)

    def _standing(self) -> list[tuple[str, str]]:
        """Name and owner of each job that has not left the queue."""
        done = _run(self.deadline_s, "lpstat", "-o", self.name)
        if done.returncode:
            raise DeviceError(DeviceReason.SERVICE_DOWN, _first_line(done.stderr))
        return [(parts[0], parts[1]) for line in done.stdout.splitlines() if len(parts := line.split()) > 1]

    def take_back(self, request: str) -> bool:
        """Cancels a job; False when it had left the queue already, or CUPS would not. Blocks up to the deadline."""
        return _run(self.deadline_s, "cancel", request).returncode == 0


def queues() -> tuple[tuple[str, str], ...]:
    """Name and device address of every queue; none without CUPS. Blocks up to the deadline."""
    try:
        return read_queues(_run(DEADLINE_S, "lpstat", "-v").stdout)
    except DeviceError:
        return ()


def read_queues(told: str) -> tuple[tuple[str, str], ...]:
    """The answer of `lpstat -v` in the C locale."""
    return tuple((name, address) for name, address in _QUEUE.findall(told))


def _account() -> str:
    """As CUPS calls who runs its commands."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "unknown"


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


def _run(deadline_s: float, *command: str, given: bytes | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        done = subprocess.run(
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            timeout=deadline_s,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        detail = f"the command {command[0]} is not installed (Debian: cups-client)"
        raise DeviceError(DeviceReason.SERVICE_DOWN, detail) from error
    except OSError as error:
        raise DeviceError(DeviceReason.NO_PERMISSION, f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise DeviceError(DeviceReason.SILENT, f"{command[0]} did not end within {deadline_s:g} s") from error
    told, complaint = (text.decode("utf-8", errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, told, complaint)
