"""Talking to a chip: one command, its whole answer, whatever the protocol makes of it; pure but for the `send` it is given.

ISO/IEC 7816-4: a T=0 card answers `61xx` when xx bytes wait (fetched with GET RESPONSE) and `6Cxx` when Le should have
been xx (the command is sent again with it). Both may come in a row, and a broken card may say so for ever: the number of
rounds and of bytes is limited. Readers answer their own commands (class FF, PC/SC part 3) in the same way; some take
GET RESPONSE in that class only, others as the card's.

`run_script` does what a library's contact card needs: commands in order, of which the last one's answer holds the
number. Every one must succeed: a card that refuses the library's application and still answers a read is somebody
else's, and what it says from its own first file would be taken for a patron's number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.settings import SELECT

Send = Callable[[bytes], bytes | None]
"""Sends one command, gives back the answer with its status word, or None when the card is gone."""

MOST_ROUNDS = 8
"""Follow-up commands for one command; a real answer needs two or three."""
LONGEST_ANSWER = 1024
"""Bytes; no number of a card is longer."""
SUCCESS = 0x9000
READERS_CLASS = 0xFF
"""Of commands that the reader obeys itself."""
_READERS_GET_RESPONSE = bytes([READERS_CLASS, 0xC0])
_NOT_KNOWN = (b"\x6d\x00", b"\x6e\x00")
"""Answers to an instruction or a class that is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card said to one command."""

    data: bytes = field(repr=False)
    """Without the status word."""
    status: int
    """SW1 SW2 as one number; 9000 is success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How the number of a contact card is read."""

    commands: tuple[bytes, ...]
    """Sent in order until one fails; the last one's answer holds the number."""
    start: int = 0
    """Place of the number's first byte in that answer."""
    length: int = 4
    """Its bytes, at most `kiosk.domain.identity.LONGEST_CONTACT`."""


def exchange(send: Send, command: bytes) -> Answer | None:
    """One command to its end; None when the card is gone, answers nonsense, or never comes to an end."""
    data = b""
    for _ in range(MOST_ROUNDS):
        answer = send(command)
        if answer is not None and command[:2] == _READERS_GET_RESPONSE and answer in _NOT_KNOWN:
            command = bytes([0x00, *command[1:]])
            answer = send(command)
        if answer is None or len(answer) < 2 or len(data) + len(answer) > LONGEST_ANSWER:
            return None
        data += answer[:-2]
        first, second = answer[-2], answer[-1]
        if first == 0x61:
            command = bytes([_class_of_get_response(command[0]), 0xC0, 0x00, 0x00, second])
        elif first == 0x6C and len(command) >= 4:
            command = _without_le(command) + bytes([second])
        else:
            return Answer(data, first << 8 | second)
    return None


def _class_of_get_response(command_class: int) -> int:
    """That of the command's logical channel; the reader's own stays."""
    return command_class if command_class == READERS_CLASS else command_class & 0x03


def _without_le(command: bytes) -> bytes:
    """A short command up to its data: header alone, or header, Lc and Lc bytes (ISO/IEC 7816-3, 12.1.3)."""
    return command[:4] if len(command) <= 5 else command[: 5 + command[4]]


class NotOurs:
    """The card is well and has not what the script chooses."""


NOT_OURS = NotOurs()


def run_script(send: Send, script: Script) -> bytes | NotOurs | None:
    """The number on a contact card; None when a command fails or the last one's answer is too short. Blocks as `send` does."""
    data = b""
    for command in script.commands:
        answer = exchange(send, command)
        if answer is None:
            return None
        if answer.status != SUCCESS:
            return NOT_OURS if command[1] == SELECT else None
        data = answer.data
    number = data[script.start : script.start + script.length]
    return number if len(number) == script.length else None


def as_bytes(answer: Sequence[int]) -> bytes | None:
    """An answer as pyscard gives it; None for what are no bytes."""
    try:
        return bytes(answer)
    except (ValueError, TypeError):
        return None
