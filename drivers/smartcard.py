"""Contactless cards over PC/SC: a blocking SCardGetStatusChange watcher in the device's own thread (A2, A3, L1).

Why not pyscard's monitors: they die with pcscd for good, poll once a second for readers, and compare cards by ATR,
which all cards of one chip type share (reference/probe.md 1.5). This one uses the low-level calls, which return codes
instead of raising; compares pcsc-lite's insert/remove counter (upper 16 bits of the event state), so a fast swap of
two cards is seen; and starts anew when the service is lost. Nothing here polls: the wait ends with the event. Its two
seconds only bound a race of pcsc-lite 1.9, which misses a reader that appears between listing and waiting.

Cards are only read: GET DATA for the UID, nothing else is sent. Whether a UID may be an identity is the heart's business.
Sources: PC/SC part 3 (ATR of storage cards, GET DATA), ISO/IEC 7816-4 (SW1-SW2), winscard / pcsc-lite API.
"""

import re
import threading
from collections.abc import Sequence

from smartcard import scard

from drivers.device import Report
from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.values import Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    DeviceError,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Mailbox,
)

PNP = "\\\\?PnP?\\Notification"
WAIT_MS = 2000
GET_UID = [0xFF, 0xCA, 0x00, 0x00, 0x00]
UID_LENGTHS = frozenset({4, 7, 8, 10})
SHARING_TRIES = 3
SHARING_PAUSE_S = 0.05
GONE_MS = 150
"""A card that could not be read is looked at for this long, to tell a torn one from a mute one."""

_STORAGE = bytes.fromhex("804F0CA000000306")
_STANDARDS = {
    **dict.fromkeys((0x01, 0x02, 0x03), Technology.ISO14443A),
    **dict.fromkeys((0x05, 0x06, 0x07), Technology.ISO14443B),
    **dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C), Technology.ISO15693),
    0x11: Technology.FELICA,
}


def technology_of(atr: bytes, uid_length: int) -> Technology:
    """How a card speaks, from its ATR; UNKNOWN for bytes that are no ATR. The ATR never tells the issuer."""
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        return Technology.UNKNOWN
    if atr[0] != 0x3B or atr[1] & 0xF0 != 0x80 or atr[2:4] != b"\x80\x01":
        return Technology.CONTACT
    historical = atr[4 : 4 + (atr[1] & 0x0F)]
    if historical.startswith(_STORAGE):
        standard = historical[len(_STORAGE)] if len(historical) > len(_STORAGE) else None
        return _STANDARDS.get(standard, Technology.UNKNOWN) if standard is not None else Technology.UNKNOWN
    if uid_length == 4 and _is_atqb(historical):
        return Technology.ISO14443B
    return Technology.ISO14443A


def _is_atqb(historical: bytes) -> bool:
    """Type B puts 8 bytes of its ATQB there: protocol type 14443-4, frame size 0 to 8, FWI 1 to 14, MBLI in the high half.

    A type A card with 8 historical bytes that end in a status word (9000) does not fit and is not refused as type B.
    """
    if len(historical) != 8:
        return False
    frame_and_type, waiting, buffer = historical[5:]
    return frame_and_type & 0x0F == 1 and frame_and_type >> 4 <= 8 and 1 <= waiting >> 4 <= 14 and buffer & 0x0F == 0


class CardReader:
    """Every PC/SC reader whose name matches, but SAM slots; a `Device`."""

    kind = DeviceKind.CARD_READER

    def __init__(self, name: str, pattern: str, mailbox: Mailbox) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._mailbox = mailbox
        self._context: int | None = None
        self._stop = threading.Event()

    def run(self, stop: threading.Event, report: Report) -> None:
        """Watch until stopped; raises DeviceError(SERVICE_DOWN) when pcscd is away."""
        self._stop = stop
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code != scard.SCARD_S_SUCCESS:
            raise DeviceError(DeviceReason.SERVICE_DOWN, _name(code))
        self._context = context
        known: dict[str, int] = {}
        pnp = 0
        try:
            while not stop.is_set():
                self._list(context, known, report)
                pnp = self._wait(context, known, pnp)
        finally:
            self._context = None
            for reader, state in known.items():
                if state & scard.SCARD_STATE_PRESENT:
                    self._mailbox.post(CardLeft(reader))
            scard.SCardReleaseContext(context)

    def wake(self) -> None:
        context = self._context
        if context is not None:
            scard.SCardCancel(context)

    def _list(self, context: int, known: dict[str, int], report: Report) -> None:
        code, names = scard.SCardListReaders(context, [])
        if code == scard.SCARD_E_NO_READERS_AVAILABLE:
            names = []
        elif code != scard.SCARD_S_SUCCESS:
            raise DeviceError(DeviceReason.SERVICE_DOWN, _name(code))
        ours = [name for name in names if self._pattern.search(name) and "SAM" not in name]
        for gone in set(known) - set(ours):
            if known.pop(gone) & scard.SCARD_STATE_PRESENT:
                self._mailbox.post(CardLeft(gone))
        for new in set(ours) - set(known):
            known[new] = scard.SCARD_STATE_UNAWARE
        usable = [name for name in ours if not known[name] & scard.SCARD_STATE_UNAVAILABLE]
        ready = DeviceState.READY if usable else DeviceState.ABSENT
        report(
            DeviceStatus(
                device=self.name,
                kind=self.kind,
                state=ready,
                reason=None if usable else DeviceReason.NOT_PLUGGED,
                detail=", ".join(usable),
            )
        )

    def _wait(self, context: int, known: dict[str, int], pnp: int) -> int:
        code, states = scard.SCardGetStatusChange(context, WAIT_MS, [*known.items(), (PNP, pnp)])
        if code in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_CANCELLED):
            return pnp
        if code != scard.SCARD_S_SUCCESS:
            raise DeviceError(DeviceReason.SERVICE_DOWN, _name(code))
        for reader, event, atr in states:
            if reader == PNP:
                pnp = event & ~scard.SCARD_STATE_CHANGED
                continue
            before, known[reader] = known[reader], event & ~scard.SCARD_STATE_CHANGED
            if event & scard.SCARD_STATE_CHANGED:
                self._changed(context, reader, before, event, bytes(atr))
        return pnp

    def _changed(self, context: int, reader: str, before: int, now: int, atr: bytes) -> None:
        was, present = before & scard.SCARD_STATE_PRESENT, now & scard.SCARD_STATE_PRESENT
        moved = before >> 16 != now >> 16
        if was and (not present or moved):
            self._mailbox.post(CardLeft(reader))
        if not present and not was and moved and before != scard.SCARD_STATE_UNAWARE:
            self._mailbox.post(CardTrouble(reader, Reason.CARD_TAKEN_EARLY))  # came and went between two looks
        if not present or (was and not moved):
            return
        if now & scard.SCARD_STATE_MUTE:
            self._mailbox.post(CardTrouble(reader, Reason.CARD_UNREADABLE))
            return
        read = self._read(context, reader, atr)
        self._mailbox.post(CardTrouble(reader, read) if isinstance(read, Reason) else CardArrived(reader, read))

    def _read(self, context: int, reader: str, atr: bytes) -> CardRead | Reason:
        """The UID, asked for twice: two cards on one pad answer in turn."""
        for attempt in range(SHARING_TRIES):
            code, handle, protocol = scard.SCardConnect(
                context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
            )
            if code != scard.SCARD_E_SHARING_VIOLATION or attempt == SHARING_TRIES - 1:
                break
            self._stop.wait(SHARING_PAUSE_S)
        if code != scard.SCARD_S_SUCCESS:
            return self._trouble(context, reader)
        try:
            first, second = _uid(handle, protocol), _uid(handle, protocol)
        finally:
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
        if first is None or second is None:
            return self._trouble(context, reader)
        if first != second:
            return Reason.CARD_TWO
        return CardRead(first, technology_of(atr, len(first)))

    @staticmethod
    def _trouble(context: int, reader: str) -> Reason:
        """Taken away early, or not to be read: the reader knows a moment later whether the card is gone."""
        code, states = scard.SCardGetStatusChange(context, 0, [(reader, scard.SCARD_STATE_UNAWARE)])
        if code != scard.SCARD_S_SUCCESS:
            return Reason.CARD_TAKEN_EARLY
        state = states[0][1]
        if state & scard.SCARD_STATE_PRESENT and not state & scard.SCARD_STATE_MUTE:
            code, states = scard.SCardGetStatusChange(context, GONE_MS, [(reader, state & ~scard.SCARD_STATE_CHANGED)])
            state = states[0][1] if code == scard.SCARD_S_SUCCESS else state
        return Reason.CARD_UNREADABLE if state & scard.SCARD_STATE_PRESENT else Reason.CARD_TAKEN_EARLY


def _uid(handle: int, protocol: int) -> bytes | None:
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
    code, answer = scard.SCardTransmit(handle, pci, GET_UID)
    return uid_in(answer) if code == scard.SCARD_S_SUCCESS else None


def uid_in(answer: Sequence[int]) -> bytes | None:
    """The UID in an answer to GET DATA: status 9000 and a length that UIDs have; anything else is none."""
    if len(answer) < 2 or list(answer[-2:]) != [0x90, 0x00] or len(answer) - 2 not in UID_LENGTHS:
        return None
    return bytes(answer[:-2])


def _name(code: int) -> str:
    return f"0x{code & 0xFFFFFFFF:08X}"
