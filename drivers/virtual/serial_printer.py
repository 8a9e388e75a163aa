"""The virtual slip printer on a serial line: the far end of a pty behind a stable symlink, as slow as its baud rate.

Everything but the line is `drivers.virtual.printer`. A pty knows no speed, so the twin takes bytes at the pace of the
line (10 bits each) and obeys them when they would have come; a host that writes faster fills the pty's buffer, as it
would fill the UART's. `drop_connection` pulls the cable for good: `plug` puts it back.

A pty knows no break and no framing error either: what the system would make of one, by the flags that the host has set
on the port, the twin works out itself (`fall_to_break`, `garble`).

Not modelled: parity, marked errors (PARMRK), the handshake wires (RTS/CTS, DTR/DSR): a full receive buffer shows as a pty that takes no more,
after some kilobytes of the system's own.
"""

import contextlib
import os
import pty
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from drivers.printer_profiles import DEFAULT_PROFILE, Profile
from drivers.virtual.printer import VirtualPrinter

_TICK_S = 0.02
"""Bytes are taken in pieces of this length."""


class _Line:
    """Both ends of the pty."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.cut = threading.Event()

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self.master, data)

    def hang_up(self) -> None:
        self.cut.set()


class VirtualSerialPrinter(VirtualPrinter):
    """A printer at `link`; `baud` None = as fast as the pty."""

    def __init__(
        self,
        link: Path,
        baud: int | None = None,
        profile: Profile = DEFAULT_PROFILE,
        *,
        buffer_bytes: int | None = None,
        dots_per_s: float | None = None,
    ) -> None:
        self.link = link
        self._baud = baud
        self._line: _Line | None = None
        super().__init__(profile=profile, buffer_bytes=buffer_bytes, dots_per_s=dots_per_s)

    def plug(self) -> None:
        """On, at the same link; twice changes nothing."""
        with self._changed:
            if self._line is not None and not self._line.cut.is_set():
                return
            line = self._line = _Line()
            draft = self.link.with_name(self.link.name + ".new")
            draft.unlink(missing_ok=True)
            draft.symlink_to(os.ttyname(line.slave))
            draft.replace(self.link)
            self._welcome(line, None)
            threading.Thread(target=self._take, args=(line,), name="virtual-serial-printer", daemon=True).start()

    def unplug(self) -> None:
        """Off or cable out: the port vanishes, and the buffer is lost."""
        with self._changed:
            self._hang_up()
            self.link.unlink(missing_ok=True)
            self._forget()

    def power_cycle(self) -> None:
        """Off and on again: the port stays, its line falls to break."""
        with self._changed:
            self._forget()
            self.fall_to_break()

    def fall_to_break(self) -> None:
        """The line is held low, as by a printer without power: one byte 00, unless the host ignores breaks."""
        self._damage(lambda flags: b"" if flags & termios.IGNBRK else b"\x00")

    def garble(self, byte: int) -> None:
        """A character comes with a framing error: as it is, or where the host looks at errors as 00 or not at all."""

        def made_of_it(flags: int) -> bytes:
            if not flags & termios.INPCK:
                return bytes([byte])
            return b"" if flags & termios.IGNPAR else b"\x00"

        self._damage(made_of_it)

    def _damage(self, made_of_it: Callable[[int], bytes]) -> None:
        """Something comes that is no character; what is made of it depends on the host's input flags (termios(3))."""
        with self._changed:
            if self._line is not None and self.serves:
                self._line.say(made_of_it(termios.tcgetattr(self._line.slave)[0]))

    def _take(self, line: _Line) -> None:
        piece = 65536 if self._baud is None else max(1, int(self._baud / 10 * _TICK_S))
        while not line.cut.is_set():
            if not select.select([line.master], [], [], _TICK_S)[0]:
                continue
            try:
                data = os.read(line.master, min(piece, self._room(line)))
            except OSError:
                break
            if self._baud is not None:
                line.cut.wait(len(data) * 10 / self._baud)
            self._receive(line, data)
        self._goodbye(line)
        for end in (line.slave, line.master):
            with contextlib.suppress(OSError):
                os.close(end)
