"""A virtual scanner that types: a named pipe that gives what the kernel gives of a keyboard, `struct input_event` by event.

It types on a US keyboard as scanners do: shift down, key, shift up, a SYN_REPORT after each. Misbehaves on command: any
events, bytes in pieces, unplugged. Not modelled: the node's ioctls (a pipe cannot be grabbed, so the driver is given a
grab of the test's own), auto-repeat, other layouts. One thread at a time.
"""

import os
from pathlib import Path

from drivers.key_events import DOWN, EVENT, KEY, PLAIN, SHIFTED, SYN, UP

SHIFT = 42
_CODES = {char: (code, False) for code, char in sorted(PLAIN.items(), reverse=True)} | {
    char: (code, True) for code, char in SHIFTED.items() if char not in PLAIN.values()
}


def event(kind: int, code: int, value: int) -> bytes:
    """One event, at no particular time."""
    return EVENT.pack(0, 0, kind, code, value)


def typed(text: str) -> bytes:
    """The events of a scanner that types this. KeyError for a character that a US keyboard lacks."""
    events = []
    for char in text:
        code, shifted = _CODES[char]
        held = [(SHIFT, DOWN)] if shifted else []
        keys = [*held, (code, DOWN), (code, UP), *((SHIFT, UP) for _ in held)]
        events += [event(KEY, key, value) + event(SYN, 0, 0) for key, value in keys]
    return b"".join(events)


class VirtualKeyboardScanner:
    """One scanner whose node is at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pipe = -1

    def plug(self) -> None:
        """Appear; plugging twice changes nothing."""
        if self._pipe < 0:
            os.mkfifo(self.path)
            self._pipe = os.open(self.path, os.O_RDWR)

    def unplug(self) -> None:
        """Vanish: whoever reads sees the end at once."""
        if self._pipe >= 0:
            self.path.unlink()
            os.close(self._pipe)
            self._pipe = -1

    def scan(self, code: str, end: str = "\r") -> None:
        """Type a code."""
        self.noise(typed(code + end))

    def noise(self, data: bytes) -> None:
        """Any bytes."""
        while data:
            data = data[os.write(self._pipe, data) :]
