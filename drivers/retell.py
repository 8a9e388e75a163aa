"""What a tape says: the recorded answers through the decoders of the drivers, as lines for a person or a test; pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

from drivers.escpos import (
    AnswerReader,
    EchoAnswer,
    InfoAnswer,
    MarkAnswer,
    Noise,
    StateAnswer,
    StateNews,
    SymbolAnswer,
    reason_of,
    reason_of_news,
)
from drivers.frames import Decoder, Frames, Scanned
from drivers.tape import Piece, Way


def retell_scanner(pieces: Iterable[Piece], decoder: Callable[[], Decoder] = Frames) -> Iterator[str]:
    """Codes and complaints, in order."""
    frames, last_s = decoder(), 0.0
    for piece in pieces:
        if piece.way is not Way.HEARD:
            continue
        quiet_s = piece.at_s - last_s
        while frames.pending and quiet_s >= (patience_s := frames.patience_s):
            yield from map(_code, frames.pause())
            quiet_s -= patience_s
        last_s = piece.at_s
        yield from map(_code, frames.feed(piece.data))
    while frames.pending:
        yield from map(_code, frames.pause())


def _code(heard: object) -> str:
    if isinstance(heard, Scanned):
        return f"code {heard.text}" + (f" ({heard.symbology})" if heard.symbology else "")
    return f"trouble {heard}"


def retell_printer(pieces: Iterable[Piece]) -> Iterator[str]:
    """The printer's states as they change, and its confirmations; the states are asked in rounds of four."""
    reader, states = AnswerReader(), list[int]()
    last: str | None = None
    for piece in pieces:
        if piece.way is Way.SENT:
            if piece.data.startswith(b"\x10\x04\x01"):
                states.clear()
            continue
        for answer in reader.feed(piece.data):
            match answer:
                case MarkAnswer(confirms=True):
                    yield "marked"
                    continue
                case MarkAnswer(paper_ended=True):
                    yield "marked, without paper"
                    continue
                case MarkAnswer(byte=byte):
                    yield f"a byte that confirms nothing, {byte:02X}"
                    continue
                case EchoAnswer(echo=echo):
                    yield f"echo {_plain(echo.decode('ascii', 'replace'))}"
                    continue
                case InfoAnswer(text=text):
                    yield f"about itself {_plain(text)}"
                    continue
                case SymbolAnswer():
                    yield "has drawn a QR code"
                    continue
                case Noise(byte=byte):
                    yield f"noise, {byte:02X}"
                    continue
                case StateNews(data=data):
                    said = reason_of_news(data)
                case StateAnswer(byte=byte):
                    states.append(byte)
                    if len(states) < 4:
                        continue
                    said = reason_of(states[:4])
                    states.clear()
                case _ as never:
                    assert_never(never)
            told = f"state {said or 'ready'}"
            if told != last:
                yield told
            last = told


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
