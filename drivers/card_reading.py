"""Reading one card that lies on a reader: connect, ask, hang up. Blocking calls of the thread that owns the PC/SC context.

Contactless: GET DATA for the UID (PC/SC part 3), asked twice because two cards on one pad answer in turn. Contact: which
card it is, and then the library's script, if there is one. Another program may hold the reader exclusively; that is no
fault of the card and is told apart (`HELD`), so that the watcher tries again. The card is left as it is
(SCARD_LEAVE_CARD): a program that shares the reader would lose its session otherwise.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smartcard import scard

from drivers.apdu import NOT_OURS, NotOurs, Script, Send, as_bytes, run_script
from drivers.card_table import SlotKind, known_by_atr, known_by_choice, slot_kind
from kiosk.domain.identity import UID_LENGTHS, CardRead, Technology
from kiosk.domain.values import Reason

GET_UID = bytes.fromhex("FFCA000000")
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


class Held:
    """Another program holds the reader."""


HELD = Held()


@dataclass(frozen=True, slots=True)
class Slots:
    """How the slots of one configured reader are used."""

    kind: SlotKind | None = None
    """What all of them are; None: told by their names, else contactless."""
    script: Script | None = None
    """For contact cards."""

    def is_contact(self, reader: str) -> bool:
        """This slot takes contact cards."""
        return (self.kind or slot_kind(reader)) is SlotKind.CONTACT


Listening = Callable[[Send], Send]
"""Stands between the driver and the card, for a tape."""


def converse(send: Send, atr: bytes, *, contact: bool, script: Script | None) -> CardRead | Reason | None:
    """Ask the card who it is; None when it does not answer as cards do. Blocks as `send` does."""
    known = known_by_atr(atr)
    if known is not None:
        return known
    return _contact(send, script) if contact else _contactless(send, atr)


def read_card(
    context: int, reader: str, atr: bytes, slots: Slots, stop: threading.Event, listening: Listening | None = None
) -> CardRead | Reason | Held:
    """Who or what lies there. Blocks for as long as the card takes, and a little for a reader that is shared."""
    known = known_by_atr(atr)
    if known is not None:
        return known  # without asking: nothing is read from such a card
    for attempt in range(SHARING_TRIES):
        code, handle, protocol = scard.SCardConnect(
            context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        if code != scard.SCARD_E_SHARING_VIOLATION or attempt == SHARING_TRIES - 1:
            break
        stop.wait(SHARING_PAUSE_S)
    if code == scard.SCARD_E_SHARING_VIOLATION:
        return HELD
    if code != scard.SCARD_S_SUCCESS:
        return _trouble(context, reader)
    try:
        send = sender(handle, protocol)
        listened = send if listening is None else listening(send)
        said = converse(listened, atr, contact=slots.is_contact(reader), script=slots.script)
    finally:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    return said if said is not None else _trouble(context, reader)


def read_uid(context: int, reader: str, listening: Listening | None = None) -> bytes | None:
    """The UID of the contactless card that lies there now, asked once; None for anything else."""
    code, handle, protocol = scard.SCardConnect(
        context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )
    if code != scard.SCARD_S_SUCCESS:
        return None
    try:
        send = sender(handle, protocol)
        return _uid(send if listening is None else listening(send))
    finally:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)


def _contactless(send: Send, atr: bytes) -> CardRead | Reason | None:
    first, second = _uid(send), _uid(send)
    if first is None or second is None:
        return None
    return CardRead(first, technology_of(atr, len(first))) if first == second else Reason.CARD_TWO


def _contact(send: Send, script: Script | None) -> CardRead | Reason | None:
    """Cards that are known to be somebody else's are told apart first: nothing is read from them."""
    known = known_by_choice(send)
    if known is not None:
        return known
    number = NOT_OURS if script is None else run_script(send, script)
    if isinstance(number, NotOurs):
        return Reason.CARD_NO_RULE
    return None if number is None else CardRead(number, Technology.CONTACT)


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


def sender(handle: int, protocol: int) -> Send:
    """One command to the card on this handle."""
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0

    def send(command: bytes) -> bytes | None:
        code, answer = scard.SCardTransmit(handle, pci, list(command))
        return as_bytes(answer) if code == scard.SCARD_S_SUCCESS else None

    return send


def _uid(send: Send) -> bytes | None:
    answer = send(GET_UID)
    return None if answer is None else uid_in(answer)


def uid_in(answer: Sequence[int]) -> bytes | None:
    """The UID in an answer to GET DATA: status 9000 and a length that UIDs have; anything else is none."""
    if len(answer) < 2 or list(answer[-2:]) != [0x90, 0x00] or len(answer) - 2 not in UID_LENGTHS:
        return None
    return bytes(answer[:-2])
