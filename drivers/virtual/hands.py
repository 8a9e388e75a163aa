"""Hands for a script: each step done on the twins, and on nothing else. One thread; every step returns within a moment."""

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.virtual.card import Fault, VirtualReader, card_with
from drivers.virtual.network import VirtualNetwork
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.script import Step, uid_in
from drivers.virtual.video import Fault as CameraFault
from drivers.virtual.video import VirtualCamera

Deed = Callable[..., None]


@dataclass(slots=True, kw_only=True)
class Hands:
    """The twins of one kiosk."""

    reader: VirtualReader
    pcscd: VirtualPcscd
    scanner: VirtualScanner
    printer: VirtualPrinter
    network: VirtualNetwork
    camera: VirtualCamera | None = None
    """None: this kiosk has none."""
    cards: Mapping[str, bytes]
    """UIDs by the names of cards that are laid down."""
    codes: Mapping[str, str]
    """Numbers by the names of cards that are scanned."""
    say: Callable[[str], None]
    """Shows a trainer's sentence."""
    _other: socket.socket | None = field(default=None, init=False)
    """The other computer's connection to the printer."""

    def do(self, step: Step) -> None:
        """One step. Raises OSError where a twin cannot do it just now, for example while it is unplugged."""
        self._deeds(step.device)[step.word](*step.arguments)

    def close(self) -> None:
        """Let go of what a script may have left in hand."""
        self._release()

    def _deeds(self, device: str) -> Mapping[str, Deed]:
        match device:
            case "reader":
                return self._reader()
            case "pcscd":
                twin = self.pcscd
                return {"kill": twin.kill, "start": twin.start, "freeze": twin.freeze, "thaw": twin.thaw}
            case "scanner":
                return self._scanner()
            case "printer":
                return self._printer()
            case "network":
                return {"cut": self.network.cut, "swallow": self.network.swallow, "restore": self.network.restore}
            case "camera" if self.camera is not None:
                return _camera(self.camera)
            case "trainer":
                return {"say": self.say}
            case _:
                raise OSError(f"no {device} is on this bench")

    def _reader(self) -> Mapping[str, Deed]:
        return {
            "lay": self._lay,
            "lift": self.reader.take,
            "tear": self._tear,
            "mute": lambda card: self._lay(card, Fault.MUTE),
            "dead": lambda card: self._lay(card, Fault.DEAD),
            "nonsense": lambda card: self._lay(card, Fault.NONSENSE),
            "two": lambda upper, lower: self._lay_two(upper, lower, alone_for=1),
            "late-two": lambda upper, lower: self._lay_two(upper, lower, alone_for=2),
            "lock": self.pcscd.lock,
            "unlock": self.pcscd.unlock,
            "unplug": self._unplug_reader,
            "plug": self.pcscd.plug,
        }

    def _scanner(self) -> Mapping[str, Deed]:
        twin = self.scanner
        return {
            "scan": lambda code: twin.scan(self.codes.get(code, code)),
            "bare": lambda code: twin.scan(self.codes.get(code, code), end=""),
            "bytes": lambda data: twin.noise(bytes.fromhex(data)),
            "long": lambda count: twin.scan("9" * int(count)),
            "unplug": twin.unplug,
            "plug": twin.plug,
        }

    def _printer(self) -> Mapping[str, Deed]:
        twin = self.printer
        return {
            "paper-out": lambda lines="0": twin.paper_out_after(int(lines)),
            "load": lambda lines=None: twin.load_paper(None if lines is None else int(lines)),
            "near-end": lambda: twin.near_end(True),
            "full": lambda: twin.near_end(False),
            "open-cover": lambda lines="0": twin.open_cover(int(lines)),
            "close-cover": twin.close_cover,
            "jam": twin.jam_cutter,
            "free": lambda: twin.jam_cutter(False),
            "hot": twin.overheat,
            "cool": lambda: twin.overheat(False),
            "silent": lambda lines="0": twin.go_silent(int(lines)),
            "speak": twin.speak,
            "ignore-marks": twin.ignore_marks,
            "heed-marks": lambda: twin.ignore_marks(False),
            "run-dry": twin.run_dry,
            "stop-dry": lambda: twin.run_dry(False),
            "noise": lambda data: twin.noise(bytes.fromhex(data)),
            "keep-to-itself": twin.keep_to_itself,
            "tell-all": lambda: twin.keep_to_itself(False),
            "late": lambda seconds: twin.answer_late(float(seconds)),
            "late-mark": twin.mark_late,
            "late-echo": lambda echo: twin.echo_late(echo.encode("ascii")),
            "drop": lambda count="0": twin.drop_connection(int(count)),
            "buffer": lambda size: twin.set_buffer(int(size)),
            "no-buffer": lambda: twin.set_buffer(None),
            "slow-line": lambda baud: twin.set_line(int(baud)),
            "fast-line": lambda: twin.set_line(None),
            "swallow": twin.swallow,
            "restore": lambda: twin.swallow(False),
            "hold": self._hold,
            "release": self._release,
            "turn-away": twin.turn_away,
            "let-wait": lambda: twin.turn_away(False),
            "power-cycle": twin.power_cycle,
            "unplug": twin.unplug,
            "plug": twin.plug,
        }

    def _uid(self, card: str) -> bytes:
        return self.cards.get(card) or uid_in(card) or b""

    def _lay(self, card: str, fault: Fault = Fault.NONE) -> None:
        self.reader.lay(card_with(self._uid(card), fault=fault))

    def _lay_two(self, upper: str, lower: str, alone_for: int) -> None:
        self.reader.lay(card_with(self._uid(upper), alternating=self._uid(lower), alone_for=alone_for))

    def _tear(self, card: str) -> None:
        self._lay(card, Fault.TORN)
        self.reader.take()

    def _unplug_reader(self) -> None:
        self.reader.take()
        self.pcscd.unplug()

    def _hold(self) -> None:
        """The kiosk's connection is dropped, and before it comes back there is another one."""
        self._release()
        self.printer.drop_connection()
        self._other = socket.create_connection(("127.0.0.1", self.printer.port), timeout=2.0)

    def _release(self) -> None:
        other, self._other = self._other, None
        if other is not None:
            with contextlib.suppress(OSError):
                other.shutdown(socket.SHUT_RDWR)
            other.close()


def _camera(twin: VirtualCamera) -> Mapping[str, Deed]:
    return {
        "show": twin.show_code,
        "nothing": twin.show_nothing,
        "bytes": lambda data: twin.send_bytes(bytes.fromhex(data)),
        "stall": twin.stall,
        "go-on": lambda: twin.stall(False),
        "denied": lambda: twin.suffer(CameraFault.DENIED),
        "locked": lambda: twin.suffer(CameraFault.LOCKED),
        "busy": lambda: twin.suffer(CameraFault.BUSY),
        "data": lambda: twin.suffer(CameraFault.DATA),
        "well": lambda: twin.suffer(None),
        "unplug": twin.unplug,
        "plug": twin.plug,
    }
