"""A virtual serial scanner: the far end of a pty behind a stable symlink, as /dev/serial/by-id has.

Misbehaves on command: noise, codes of any length, no terminator, slow bytes, unplugged cable. Not modelled: baud rate
and parity (a pty ignores both), trigger and beep commands (kept, see `heard`, but not
obeyed), optics.
"""

import contextlib
import errno
import os
import pty
import select
import termios
import time
import tty
from pathlib import Path

LABEL_S = 0.05
"""No scanner reads two labels in less."""
TAKEN_S = 1.0
"""Nobody reads a line that takes no byte for so long."""


class VirtualScanner:
    """One scanner at `link`. One thread at a time."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master = -1
        self._slave = -1
        self._read_s = 0.0

    @property
    def plugged(self) -> bool:
        """The cable is in."""
        return self._master >= 0

    def plug(self) -> None:
        """Appear at the link; plugging twice changes nothing."""
        if self.plugged:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        draft = self.link.with_name(self.link.name + ".new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.ttyname(self._slave))
        draft.replace(self.link)

    def unplug(self) -> None:
        """Vanish: readers of the port see an error at once."""
        if not self.plugged:
            return
        self.link.unlink(missing_ok=True)
        for end in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(end)
        self._master = self._slave = -1

    def scan(self, code: str, end: str = "\r") -> None:
        """Read a code aloud, a label's time after the one before. Raises OSError while unplugged."""
        time.sleep(max(0.0, self._read_s + LABEL_S - time.monotonic()))
        self.noise((code + end).encode())
        self._read_s = time.monotonic()

    def heard(self, deadline_s: float = 2.0) -> bytes:
        """What was sent to it (trigger, beep) since the last call; waits for the first byte, at most so long."""
        if not select.select([self._master], [], [], deadline_s)[0]:
            return b""
        return os.read(self._master, 4096)

    def noise(self, data: bytes) -> None:
        """Any bytes. Raises OSError while unplugged, and when nobody takes them: then what waits is lost, as on a line."""
        while data:
            if self.plugged and not select.select([], [self._master], [], TAKEN_S)[1]:
                termios.tcflush(self._slave, termios.TCIFLUSH)
                raise OSError(errno.ETIMEDOUT, "nobody reads the scanner's line")
            data = data[os.write(self._master, data) :]
