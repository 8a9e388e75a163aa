"""What a card reader itself shows: a green light and a beep when a card was taken, a red one when it was not.

A service beside the screen, best effort: whoever lays a card down looks at the reader. Two families are known, told by
the reader's PC/SC name; the settings may say otherwise. Nothing here was run on a device: the bytes are the manuals'.

* ACR122U (API 2.04, 6.2 and 6.7): pseudo-APDUs `FF 00 40 …`, units of 100 ms. They go the way of a card's command while
  a card lies there, else as an escape command. The answer comes when the blinking is over. Its own beep at each card is
  switched off (`FF 00 52 00`), which it forgets when it is unplugged: that beep would be a "yes" before anybody decided.
  This is said as soon as it appears; where escape commands are refused, after the first signal, with the card on it.
* ACR1252U and ACR1281U-C1 (API 1.09, 5.8; API 1.08, 5.3): escape commands `E0 00 00 28` (buzzer, units of 10 ms) and
  `E0 00 00 29` (light, bit 0 red, bit 1 green).

Escape commands (SCardControl) are refused by libccid and by ACS's driver unless their settings allow them; docs/devices.md
says how. Blocking calls with a PC/SC context of their own, so that the thread that waits for cards never waits for a
beep; pcscd lets one command at a time into a reader.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import structlog
from smartcard import scard

from drivers.apdu import as_bytes

log = structlog.get_logger(__name__)

ESCAPE: int = scard.SCARD_CTL_CODE(1)
"""IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE, as both drivers call it on Linux."""
_NO_CARD = frozenset(
    {
        scard.SCARD_E_NO_SMARTCARD,
        scard.SCARD_W_REMOVED_CARD,
        scard.SCARD_W_UNPOWERED_CARD,
        scard.SCARD_W_UNRESPONSIVE_CARD,
    }
)


class NoSignal(Exception):
    """The reader could not be made to show anything; says why, for the log."""


@dataclass(frozen=True, slots=True)
class Move:
    """One command, and what passes before the next."""

    command: bytes
    """As the reader's manual has it."""
    then_s: float = 0.0
    """The light stays as it is for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProfile:
    """How one family of readers shows something."""

    name: str
    """As written in the settings."""
    pattern: re.Pattern[str]
    """Finds the family in a PC/SC reader name."""
    taken: tuple[Move, ...]
    """For a card that was taken."""
    refused: tuple[Move, ...]
    """For a card that was not."""
    hush: bytes = b""
    """Ends the reader's own beep at each card, until it is unplugged."""
    as_card_command: bool
    """While a card lies there the commands are sent as if they were for the card."""
    good: re.Pattern[bytes]
    """What an answer to a command that was obeyed looks like."""


_ALL = (
    ReaderProfile(
        name="acr122u",
        pattern=re.compile(r"\bACR122U\b"),
        taken=(Move(bytes.fromhex("FF0040A00401010101")),),
        refused=(Move(bytes.fromhex("FF0040500401010201")),),
        hush=bytes.fromhex("FF00520000"),
        as_card_command=True,
        good=re.compile(rb"\x90.", re.DOTALL),
    ),
    ReaderProfile(
        name="acr1252",
        pattern=re.compile(r"\bACR12(52|81)"),
        taken=(
            Move(bytes.fromhex("E00000290102")),
            Move(bytes.fromhex("E0000028010A"), 0.2),
            Move(bytes.fromhex("E00000290100")),
        ),
        refused=(
            Move(bytes.fromhex("E00000290101")),
            Move(bytes.fromhex("E0000028011E"), 0.4),
            Move(bytes.fromhex("E00000290100")),
        ),
        as_card_command=False,
        good=re.compile(rb"\xe1\x00\x00\x00..?", re.DOTALL),
    ),
)

READER_PROFILES: Mapping[str, ReaderProfile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""By name."""


def profile_of(reader: str, chosen: str = "auto") -> ReaderProfile | None:
    """The family of a reader with this PC/SC name; None for one that is not known. `chosen` names it, or "none"."""
    if chosen != "auto":
        return READER_PROFILES.get(chosen)
    return next((profile for profile in _ALL if profile.pattern.search(reader)), None)


class Voice:
    """Lets readers show something; one thread calls `say`, another one `hush` and `forget`."""

    def __init__(self, chosen: str = "auto") -> None:
        self._chosen = chosen
        self._hushed: set[str] = set()

    def forget(self, reader: str) -> None:
        """It was unplugged, and beeps by itself when it is back."""
        self._hushed.discard(reader)

    def say(self, reader: str, *, taken: bool, stop: threading.Event) -> None:
        """Show that a card was taken, or that it was not. Blocks for up to half a second; raises NoSignal.

        Does nothing for a reader of no known family.
        """
        profile = profile_of(reader, self._chosen)
        if profile is None:
            return
        with _line(reader, profile) as line:
            for move in profile.taken if taken else profile.refused:
                line.send(move.command)
                stop.wait(move.then_s)
            self._hush(line, reader, profile)

    def hush(self, reader: str) -> None:
        """It was plugged in: end its own beep, if it has one and obeys; else `say` tries again. Blocks for some ms."""
        profile = profile_of(reader, self._chosen)
        if profile is None or not profile.hush:
            return
        try:
            with _line(reader, profile) as line:
                self._hush(line, reader, profile)
        except NoSignal as error:
            log.info("a reader keeps its own beep until its first signal", detail=str(error))

    def _hush(self, line: "_Line", reader: str, profile: ReaderProfile) -> None:
        if profile.hush and reader not in self._hushed:
            line.send(profile.hush)
            self._hushed.add(reader)


@contextmanager
def _line(reader: str, profile: ReaderProfile) -> Iterator["_Line"]:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        raise NoSignal(f"no PC/SC service: 0x{code & 0xFFFFFFFF:08X}")
    try:
        line = _Line(context, reader, profile)
        try:
            yield line
        finally:
            line.close()
    finally:
        scard.SCardReleaseContext(context)


class _Line:
    """A connection to one reader, with the card on it or without one."""

    def __init__(self, context: int, reader: str, profile: ReaderProfile) -> None:
        self._profile = profile
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, self._handle, self._protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, protocols)
        self._with_card = code == scard.SCARD_S_SUCCESS
        if code in _NO_CARD:
            code, self._handle, _ = scard.SCardConnect(context, reader, scard.SCARD_SHARE_DIRECT, 0)
        _require(code, "connect")

    def send(self, command: bytes) -> None:
        """One command; NoSignal unless it was obeyed."""
        if self._with_card and self._profile.as_card_command:
            pci = scard.SCARD_PCI_T1 if self._protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
            code, answer = scard.SCardTransmit(self._handle, pci, list(command))
            _require(code, "transmit")
        else:
            code, answer = scard.SCardControl(self._handle, ESCAPE, list(command))
            _require(code, "escape command; the driver's settings must allow it")
        self._check(command, answer)

    def close(self) -> None:
        """Hang up; the card stays as it is."""
        scard.SCardDisconnect(self._handle, scard.SCARD_LEAVE_CARD)

    def _check(self, command: bytes, answer: Sequence[int]) -> None:
        said = as_bytes(answer)
        if said is None or self._profile.good.fullmatch(said) is None:
            heard = "nonsense" if said is None else said[:8].hex(" ").upper()
            raise NoSignal(f"the reader does not obey {command.hex(' ').upper()}: {heard}")


def _require(code: int, what: str) -> None:
    if code != scard.SCARD_S_SUCCESS:
        raise NoSignal(f"{what}: 0x{code & 0xFFFFFFFF:08X}")
