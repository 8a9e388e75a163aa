"""Which of its answers a slip printer gives, asked once at set-up; prints nothing. Blocks the caller for some seconds.

Clones claim more than they do (reference/devices.md C6), so each is asked and only what it answers counts: the state
(DLE EOT 1 to 4), the echo of a mark (GS ( H), the status request in the queue (GS r), automatic status (GS a).
"""

import secrets
import time
from dataclasses import dataclass

from drivers.escpos import (
    MARK,
    NEWS_ON,
    Answer,
    AnswerReader,
    EchoAnswer,
    MarkAnswer,
    StateAnswer,
    StateNews,
    ask_echo,
    ask_state,
    reason_of,
)
from drivers.link import ByteLink
from drivers.printer_profiles import Confirms
from kiosk.ports import DeviceReason

NEWS_OFF = b"\x1da\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a printer answered."""

    state: bool
    """It tells its state; without that no fault is ever seen before a job."""
    fault: DeviceReason | None
    """What it complains of now: paper out or an open cover silences the other answers."""
    confirms: Confirms
    """The best confirmation that works."""
    news: bool
    """It tells changes by itself."""


def probe(link: ByteLink, answer_s: float = 2.0) -> Findings:
    """Ask for everything once. DeviceError when the line is lost."""
    heard = _Ear(link, answer_s)
    heard.listen(0.05)  # what stood in the line
    states = []
    for number in (1, 2, 3, 4):
        answers = heard.ask(ask_state(number), StateAnswer)
        states += [answer.byte for answer in answers if isinstance(answer, StateAnswer)][-1:]
        if len(states) < number:
            break
    echo = secrets.token_hex(2).encode("ascii")
    echoed = any(
        isinstance(answer, EchoAnswer) and answer.echo == echo for answer in heard.ask(ask_echo(echo), EchoAnswer)
    )
    marked = bool(heard.ask(MARK, MarkAnswer))
    news = bool(heard.ask(NEWS_ON, StateNews))
    link.write(NEWS_OFF, answer_s)
    confirms: Confirms = "gs_h" if echoed else "gs_r" if marked else "none"
    fault = reason_of(states) if len(states) == 4 else None
    return Findings(state=len(states) == 4, fault=fault, confirms=confirms, news=news)


class _Ear:
    """Asks and listens on one link."""

    def __init__(self, link: ByteLink, answer_s: float) -> None:
        self._link = link
        self._answer_s = answer_s
        self._reader = AnswerReader()

    def ask(self, question: bytes, kind: type[Answer]) -> list[Answer]:
        """What came until an answer of this kind came, or nothing of it for the deadline."""
        self._link.write(question, self._answer_s)
        ends = time.monotonic() + self._answer_s
        while (left := ends - time.monotonic()) > 0:
            found = [answer for answer in self.listen(left) if isinstance(answer, kind)]
            if found:
                return found
        return []

    def listen(self, deadline_s: float) -> list[Answer]:
        return self._reader.feed(self._link.read(deadline_s))
