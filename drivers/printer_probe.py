"""What a slip printer answers to every question, asked once at set-up; prints nothing. Blocks the caller for some seconds.

Clones claim more than they do (reference/devices.md C6), so each is asked and only what it answers counts: the state
(DLE EOT 1 to 4), the echo of a mark (GS ( H), the status request in the queue (GS r), automatic status (GS a), what is
built in (GS I 2), who made it and which characters it holds (GS I 66, 67, 69), and the size of a QR code (GS ( k fn 82).
How wide it prints and whether there is a sensor for the end of the roll no command asks: that is read off a page
(`drivers.probe_page`). Questions that go through the buffer stay unanswered while it has a fault.
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
    InfoAnswer,
    MarkAnswer,
    StateAnswer,
    StateNews,
    SymbolAnswer,
    ask_echo,
    ask_info,
    ask_state,
    ask_symbol,
    reason_of,
)
from drivers.link import ByteLink
from drivers.printer_profiles import CodePage, Confirms
from kiosk.ports import DeviceReason

NEWS_OFF = b"\x1da\x00"
_HAS_KNIFE = 0x02
_NEAR_END = 0x0C


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
    maker: str = ""
    """As it calls itself; clones borrow names."""
    model: str = ""
    """The same."""
    characters: str = ""
    """Which characters it says it holds; empty: it does not say."""
    cutter: bool | None = None
    """It says that a knife is built in; None: it does not say."""
    native_qr: bool | None = None
    """True when it told the size of a QR code; None: it did not, which proves nothing."""
    low: bool = False
    """It says that the roll is nearly at its end: true of one that has no sensor and says so always."""

    @property
    def cjk(self) -> CodePage | None:
        """Its Chinese characters, where it says so."""
        told = "".join(self.characters.upper().split("-"))
        return "big5" if "BIG5" in told else "gb18030" if "GB18030" in told or "GB2312" in told else None


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
    marked = any(
        isinstance(answer, MarkAnswer) and (answer.confirms or answer.paper_ended)
        for answer in heard.ask(MARK, MarkAnswer)
    )
    news = bool(heard.ask(NEWS_ON, StateNews))
    link.write(NEWS_OFF, answer_s)
    type_id = next((told for told in heard.ask(ask_info(2), MarkAnswer) if isinstance(told, MarkAnswer)), None)
    maker, model, characters = (heard.words(number) for number in (66, 67, 69))
    symbol = bool(heard.ask(ask_symbol(b"SHELFPOINT"), SymbolAnswer))
    confirms: Confirms = "gs_h" if echoed else "gs_r" if marked else "none"
    fault = reason_of(states) if len(states) == 4 else None
    return Findings(
        state=len(states) == 4,
        fault=fault,
        confirms=confirms,
        news=news,
        maker=maker,
        model=model,
        characters=characters,
        cutter=None if type_id is None else bool(type_id.byte & _HAS_KNIFE),
        native_qr=symbol or None,
        low=len(states) == 4 and bool(states[3] & _NEAR_END),
    )


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

    def words(self, number: int) -> str:
        """The answer to GS I `number`, or nothing."""
        told = (answer for answer in self.ask(ask_info(number), InfoAnswer) if isinstance(answer, InfoAnswer))
        return next((answer.text.strip() for answer in told if answer.text.isprintable()), "")

    def listen(self, deadline_s: float) -> list[Answer]:
        return self._reader.feed(self._link.read(deadline_s))
