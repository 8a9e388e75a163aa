"""The other side of a network slip printer: takes ESC/POS over TCP, has faults on command, and shows its paper.

Owns a server socket on the loopback and one daemon thread; `press` obeys. DLE EOT is answered at once, GS r and GS ( H
in their turn and not at paper end, as the Epson and Citizen manuals say; automatic status (GS a) follows every change
that it was asked for. Its twins on a serial line and on USB are `drivers.virtual.serial_printer` and `usb_printer`.

As made, it prints at once and takes everything. `buffer_bytes` gives it a receive buffer of that size: what does not
fit stays on the line, and real-time questions in it stay unheard, as on USB and LAN. `dots_per_s` gives its paper a
speed; then nothing is obeyed but what `pass_time` allows for, so a test stops it in the middle of any line.

Not modelled: a head that is broken or heats up by printing, a motor that starts slowly, lines held back until the buffer holds several, printers that
hear DLE EOT with a full buffer, or that leave it out of the buffer; what `press` says of itself.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

from drivers.printer_profiles import DEFAULT_PROFILE, Profile
from drivers.virtual.press import LONGEST_START, PaperSlip, Press, command_length
from drivers.virtual.printer_client import Client, TcpClient
from drivers.virtual.printer_condition import Condition
from drivers.virtual.printer_voice import Voice

_DLE_EOT = b"\x10\x04"
_TICK_S = 0.02
"""A slow line carries bytes in pieces of this length."""
_ASK_ECHO = b"\x1d(H\x06\x0000"


class VirtualPrinter:
    """A printer on 127.0.0.1; use it as a context manager, or call `close`. All methods from any thread."""

    def __init__(
        self,
        port: int = 0,
        profile: Profile = DEFAULT_PROFILE,
        *,
        buffer_bytes: int | None = None,
        dots_per_s: float | None = None,
        turns_away: bool = False,
    ) -> None:
        self.port = port
        """Where it listens; chosen by the system when 0 was given, and kept over unplug and plug."""
        self._profile = profile
        self._buffer_bytes = buffer_bytes
        self._dots_per_s = dots_per_s
        self._dots_left = 0.0
        """How far the motor may still go, in the time that has passed."""
        self._turns_away = turns_away
        """A second client is turned away; otherwise it waits until the first one has gone."""
        self._line_baud: int | None = None
        """How fast bytes reach it; None: at once."""
        self._changed = threading.Condition(threading.RLock())
        self._press = Press(profile)
        self._buffer = bytearray()
        self._realtime = b""
        self._server: socket.socket | None = None
        self._client: Client | None = None
        self._paper = True
        self._lines_left: int | None = None
        self._silent_in: int | None = None
        self._drop_in: int | None = None
        self._cover_in: int | None = None
        self._near_end = False
        self._cutter_stuck = False
        self._hot = False
        self._deaf_to_marks = False
        self._tells_about_itself = True
        self._late_echo: bytes | None = None
        self._late_mark = False
        self._ignored_marks = 0
        """Since the newest answer that came late."""
        self._cable_out = False
        self._voice = Voice(self._changed, lambda: self._client)
        self._runs_dry = False
        self._news_wanted = False
        self._news = b""
        self.plug()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what came out

    def slips(self) -> list[PaperSlip]:
        """Finished slips, oldest first."""
        with self._changed:
            return list(self._press.finished)

    def wait_for_slip(self, number: int = 1, timeout_s: float = 5.0) -> PaperSlip:
        """Blocks until `number` slips have fallen and returns that one (1 = the first); TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._press.finished) >= number, timeout_s):
                raise TimeoutError(f"slip {number} did not come within {timeout_s} s")
            return self._press.finished[number - 1]

    def strange(self) -> list[str]:
        """Commands it did not know, as hex digits."""
        with self._changed:
            return list(self._press.strange)

    def waiting(self) -> bytes:
        """Bytes received and not printed."""
        with self._changed:
            return bytes(self._buffer)

    @property
    def serves(self) -> bool:
        """Somebody is connected."""
        with self._changed:
            return self._client is not None

    @property
    def tells_news(self) -> bool:
        """It was asked for automatic status on this connection."""
        with self._changed:
            return self._news_wanted

    def wait_until(self, claim: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Blocks until this is true of it, asked whenever bytes have come or gone; TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(claim, timeout_s):
                raise TimeoutError(f"not within {timeout_s} s, with {len(self._buffer)} bytes in the buffer")

    # --- time

    def pass_time(self, seconds: float) -> None:
        """Lets its paper run for so long; what an idle motor did not use is lost. Only where paper has a speed."""
        if self._dots_per_s is None:
            raise ValueError("this twin's paper has no speed")
        with self._changed:
            self._dots_left += seconds * self._dots_per_s
            self._work()
            self._dots_left = min(self._dots_left, 0.0)

    # --- faults

    def paper_out_now(self) -> None:
        """The roll is at its end."""
        self.paper_out_after(0)

    def paper_out_after(self, lines: int) -> None:
        """The roll ends after so many more lines."""
        with self._altering():
            self._lines_left = lines
            self._paper = lines > 0

    def load_paper(self, lines: int | None = None) -> None:
        """A new roll (of so many lines); what stayed in the buffer prints now, as real printers do."""
        with self._altering():
            self._paper, self._lines_left, self._near_end = True, lines, False
            self._work()

    def near_end(self, low: bool) -> None:
        """The roll is nearly at its end, or not."""
        with self._altering():
            self._near_end = low

    def open_cover(self, after_lines: int = 0) -> None:
        """Stops printing (after so many more lines); data is still taken."""
        with self._altering():
            self._cover_in = after_lines

    def close_cover(self) -> None:
        """Goes on."""
        with self._altering():
            self._cover_in = None
            self._work()

    def go_silent(self, after_lines: int = 0) -> None:
        """Takes data and prints, but answers nothing any more (from so many lines on)."""
        with self._altering():
            self._silent_in = after_lines

    def speak(self) -> None:
        """Answers again."""
        with self._altering():
            self._silent_in = None

    def jam_cutter(self, stuck: bool = True) -> None:
        """The knife is stuck (or free again): nothing prints."""
        with self._altering():
            self._cutter_stuck = stuck
            self._work()

    def overheat(self, hot: bool = True) -> None:
        """Its head is too hot and it rests, or it has cooled down and goes on by itself."""
        with self._altering():
            self._hot = hot
            self._work()

    def ignore_marks(self, ignore: bool = True) -> None:
        """Answers neither GS r nor GS ( H any more, as cheap clones do."""
        with self._changed:
            self._deaf_to_marks = ignore

    def run_dry(self, run: bool = True) -> None:
        """At paper end it takes the rest of its buffer for printed, and its answers to GS r say so by their paper bits,
        as some clones do; or it waits for paper."""
        with self._changed:
            self._runs_dry = run
            self._work()

    def noise(self, data: bytes) -> None:
        """Says these bytes, which nobody asked for."""
        with self._changed:
            self._say(data)

    def keep_to_itself(self, keep: bool = True) -> None:
        """Answers no question about what it can do (GS I, the size of a QR code), as cheap clones do."""
        with self._changed:
            self._tells_about_itself = not keep

    def echo_late(self, echo: bytes) -> None:
        """Says this echo of an older job before the next one's own."""
        with self._changed:
            self._late_echo = echo

    def mark_late(self) -> None:
        """Says the answers to GS r that it has not said so far, before the next one."""
        with self._changed:
            self._late_mark = True

    def answer_late(self, seconds: float) -> None:
        """Everything it says comes so much later; 0: at once again, and what was late comes now."""
        with self._changed:
            self._voice.be_late(seconds)

    def swallow(self, swallow: bool = True) -> None:
        """Its network cable is pulled, or back: lines stay open and new ones open, but nothing comes through. What was
        sent to it meanwhile comes when the cable is back, as TCP would send it again; what it said meanwhile does not."""
        with self._changed:
            self._cable_out = swallow
            self._changed.notify_all()

    def drop_connection(self, after_bytes: int = 0) -> None:
        """Resets the connection now, or when so many more bytes have come."""
        with self._changed:
            self._drop_in = after_bytes
            if after_bytes == 0:
                self._hang_up()

    def set_buffer(self, size: int | None) -> None:
        """It is another printer now, with a receive buffer of so many bytes, or None: one that takes everything."""
        with self._changed:
            self.unplug()
            self._buffer_bytes = size
            self.plug()

    def set_line(self, baud: int | None) -> None:
        """Bytes reach it as on a serial line behind a network adapter; None: at once."""
        with self._changed:
            self._line_baud = baud

    def turn_away(self, turn: bool = True) -> None:
        """A second client is turned away from now on, or waits; whoever is connected stays."""
        with self._changed:
            self._turns_away = turn

    def power_cycle(self) -> None:
        """Off and on again: the buffer, the modes and whatever was promised in them are lost."""
        self.unplug()
        self.plug()

    def unplug(self) -> None:
        """Off: nobody listens, and the buffer is lost."""
        with self._changed:
            self._hang_up()
            self._forget()
            if self._server is not None:
                with contextlib.suppress(OSError):
                    self._server.shutdown(socket.SHUT_RDWR)
                self._server.close()
                self._server = None

    def plug(self) -> None:
        """On again, at the same port."""
        with self._changed:
            if self._server is not None:
                return
            self._server = socket.create_server(("127.0.0.1", self.port), backlog=8)
            if self._buffer_bytes is not None:
                self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer_bytes)
            self.port = self._server.getsockname()[1]
            threading.Thread(
                target=self._serve, args=(self._server,), name=f"virtual-printer:{self.port}", daemon=True
            ).start()

    def close(self) -> None:
        """Off for good."""
        self.unplug()

    # --- inside

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            client = TcpClient(connection)
            if self._turns_away and self._client is not None:
                connection.close()
            elif not self._welcome(client, server):
                connection.close()
                return
            elif self._turns_away:
                threading.Thread(target=self._attend, args=(client, connection), daemon=True).start()
            else:
                self._attend(client, connection)

    def _attend(self, client: Client, connection: socket.socket) -> None:
        """One client from its first byte to its last."""
        with contextlib.suppress(OSError):
            while (room := self._room(client)) and (data := connection.recv(self._piece(room))):
                self._line_carries(client, len(data))
                self._receive(client, data)
        self._goodbye(client)
        connection.close()

    def _piece(self, room: int) -> int:
        baud = self._line_baud
        return room if baud is None else min(room, max(1, int(baud / 10 * _TICK_S)))

    def _line_carries(self, client: Client, count: int) -> None:
        """Blocks for as long as a slow line needs; no longer once the client was hung up on."""
        baud = self._line_baud
        if baud is not None:
            with self._changed:
                self._changed.wait_for(lambda: self._client is not client, count * 10 / baud)

    def _room(self, client: Client) -> int:
        """How much may be taken from the line; blocks while that is nothing. 0 when the client was hung up on."""
        with self._changed:
            self._changed.wait_for(lambda: self._client is not client or self._space() > 0)
            return self._space() if self._client is client else 0

    def _space(self) -> int:
        if self._cable_out:
            return 0
        return 65536 if self._buffer_bytes is None else max(0, self._buffer_bytes - len(self._buffer))

    def _forget(self) -> None:
        """The power is gone."""
        self._buffer.clear()
        self._realtime, self._news_wanted, self._dots_left = b"", False, 0.0
        self._press.switch_off()
        self._voice.forget()
        self._changed.notify_all()

    def _welcome(self, client: Client, server: socket.socket | None) -> bool:
        """A client begins to send; False when the printer was switched off meanwhile."""
        with self._changed:
            if self._server is not server:
                return False
            self._client, self._realtime, self._news_wanted = client, b"", False
            self._changed.notify_all()
            return True

    def _goodbye(self, client: Client) -> None:
        with self._changed:
            if self._client is client:
                self._client = None
                self._changed.notify_all()

    def _hang_up(self) -> None:
        self._drop_in = None
        client, self._client = self._client, None
        if client is not None:
            client.hang_up()
            self._changed.notify_all()

    def _receive(self, client: Client, data: bytes) -> None:
        with self._changed:
            if self._client is not client:
                return
            dropped = self._drop_in is not None and len(data) >= self._drop_in
            if self._drop_in is not None:
                data, self._drop_in = data[: self._drop_in], max(0, self._drop_in - len(data))
            for byte in data:
                self._realtime = (self._realtime + bytes([byte]))[-3:]
                if self._realtime[:-1] == _DLE_EOT and byte in (1, 2, 3, 4):
                    self._say(bytes([self._condition().answer(byte)]))
            self._buffer += data
            self._work()
            if dropped:
                self._hang_up()

    def _work(self) -> None:
        """Obeys what stands in the buffer until it is empty or the printer must stop."""
        while self._buffer and not self._halted():
            if self._dots_per_s is not None and self._dots_left <= 0:
                break
            length = command_length(bytes(self._buffer[:LONGEST_START]), self._press.chinese)
            if not 0 < length <= len(self._buffer):
                break
            command = bytes(self._buffer[:length])
            del self._buffer[:length]
            if not self._paper:
                self._answer(command)
                continue
            before = self._press.fed_dots
            lines = self._press.obey(command)
            self._dots_left -= self._press.fed_dots - before
            if self._silent_in is not None:
                self._silent_in = max(0, self._silent_in - lines)
            if self._cover_in is not None:
                self._cover_in = max(0, self._cover_in - lines)
            if self._lines_left is not None:
                self._lines_left = max(0, self._lines_left - lines)
                self._paper = self._lines_left > 0
            self._answer(command)
            self._tell_news()
        self._changed.notify_all()

    def _answer(self, command: bytes) -> None:
        """What the command itself makes it say."""
        if command[:2] == b"\x1da":
            self._news_wanted, self._news = command[2] != 0, b""
        elif command[:2] == b"\x1dr":
            answers = (self._ignored_marks if self._late_mark else 0) + (not self._deaf_to_marks)
            if self._late_mark:
                self._late_mark, self._ignored_marks = False, 0
            self._ignored_marks += self._deaf_to_marks
            answer = bytes([(0x03 if self._near_end else 0) | (0 if self._paper else 0x0C)])
            self._say(answer * answers)
        elif command.startswith(_ASK_ECHO):
            late, self._late_echo = self._late_echo, None
            for echo in filter(None, (late, None if self._deaf_to_marks else command[7:11])):
                self._say(b"\x37\x22" + echo + b"\x00")
        elif self._tells_about_itself:
            self._say(self._press.about(command))
        marked = command[:2] == b"\x1dr" or command.startswith(_ASK_ECHO)
        if marked and not self._profile.cutter and self._press.begun:
            self._press.cut()

    @contextmanager
    def _altering(self) -> Iterator[None]:
        """Something about the printer changes; whoever asked for automatic status hears of it."""
        with self._changed:
            yield
            self._tell_news()

    def _tell_news(self) -> None:
        news = self._condition().news()
        if self._news_wanted and news != self._news:
            self._news = news
            self._say(news)

    def _condition(self) -> Condition:
        return Condition(self._paper, self._cover_in == 0, self._cutter_stuck, self._near_end, self._hot)

    def _halted(self) -> bool:
        """It obeys nothing now."""
        condition = self._condition()
        return (replace(condition, paper=True) if self._runs_dry else condition).stopped

    def _say(self, data: bytes) -> None:
        if data and self._silent_in != 0 and not self._cable_out:
            self._voice.say(data)
