"""Reading one card that lies on a reader: connect, ask, hang up. Blocking calls of the thread that owns the PC/SC context.

Contactless: GET DATA for the UID (PC/SC part 3), asked twice because two cards on one pad answer in turn, and again
where the reader says that it failed (6300): a card that is still being laid down does not answer every time. Contact: which
card it is, and then the library's script, if there is one. Another program may hold the reader exclusively; that is no
fault of the card and is told apart (`Held`), so that the watcher tries again. The card is left as it is
(SCARD_LEAVE_CARD): a program that shares the reader would lose its session otherwise.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from smartcard import scard

from drivers.apdu import NOT_OURS, SUCCESS, Answer, NotOurs, Script, Send, as_bytes, exchange, run_script
from drivers.atr import technology_of
from drivers.card_table import known_by_atr, known_by_choice
from drivers.pcsc_service import lost
from drivers.slot_kind import SlotKind, slot_kind
from kiosk.domain.identity import UID_LENGTHS, CardRead, Technology
from kiosk.domain.values import Reason

GET_UID = bytes.fromhex("FFCA000000")
SHARING_TRIES = 3
SHARING_PAUSE_S = 0.05
GONE_MS = 700
"""A card that could not be read is looked at for this long, to tell a torn one from a mute one: pcscd looks only every
400 ms (PCSCLITE_STATUS_POLL_RATE) at a reader that does not say by itself that a card has left."""
FAILED = 0x6300
"""The card did not answer the reader."""
UID_TRIES = 3
UID_PAUSE_S = 0.05
"""Between them: so long a hand goes on moving the card into the field."""


class Held(Enum):
    """The card could not even be asked."""

    BY_OTHER = "by_other"
    """Another program holds the reader."""
    BY_POLKIT = "by_polkit"
    """Our account may use the service, and not this reader's cards."""


@dataclass(frozen=True, slots=True)
class Slots:
    """How the slots of one configured reader are used."""

    kind: SlotKind | None = None
    """What all of them are, whatever their names say; None: told by their names, else contactless."""
    script: Script | None = None
    """For contact cards."""

    def takes(self, reader: str) -> bool:
        """This slot may hold a patron's card: one that is not known for a SAM's, or that the settings name."""
        return self.kind is not None or slot_kind(reader) is not SlotKind.SAM

    def is_contact(self, reader: str) -> bool:
        """This slot takes contact cards."""
        return (self.kind or slot_kind(reader)) is SlotKind.CONTACT


Listening = Callable[[Send], Send]
"""Stands between the driver and the card, for a tape."""
Pause = Callable[[float], object]
"""Waits for so many seconds, or until the reading thread should stop."""


def at_once(seconds: float) -> None:
    """The pause of a tape, and of a look that nobody waits for."""


def converse(
    send: Send, atr: bytes, *, contact: bool, script: Script | None, pause: Pause = at_once
) -> CardRead | Reason | None:
    """Ask the card who it is; None when it does not answer as cards do. Blocks as `send` and `pause` do."""
    known = known_by_atr(atr)
    if known is not None:
        return known
    return _contact(send, script) if contact else _contactless(send, atr, pause)


def read_card(
    context: int, reader: str, atr: bytes, slots: Slots, stop: threading.Event, listening: Listening | None = None
) -> CardRead | Reason | Held | None:
    """Who or what lies there; None where the card says nothing of use, see `why_unread`.

    Blocks for as long as the card takes, and a little for a reader that is shared.
    """
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
        return Held.BY_OTHER
    if code == scard.SCARD_W_SECURITY_VIOLATION:
        _state(context, reader)  # a service that is lost looks the same
        return Held.BY_POLKIT
    if code != scard.SCARD_S_SUCCESS:
        return None
    try:
        send = sender(handle, protocol)
        listened = send if listening is None else listening(send)
        return converse(listened, atr, contact=slots.is_contact(reader), script=slots.script, pause=stop.wait)
    finally:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)


def why_unread(context: int, reader: str, atr: bytes) -> Reason:
    """Taken away early, or not to be read: the reader knows a moment later whether the card is gone.

    Blocks for up to `GONE_MS`. Raises DeviceError(SERVICE_DOWN) when the service is lost.
    """
    state = _state(context, reader)
    if state & scard.SCARD_STATE_PRESENT:
        code, states = scard.SCardGetStatusChange(context, GONE_MS, [(reader, state & ~scard.SCARD_STATE_CHANGED)])
        state = states[0][1] if code == scard.SCARD_S_SUCCESS else state
    if not state & scard.SCARD_STATE_PRESENT:
        return Reason.CARD_TAKEN_EARLY
    # As its pseudo id would be refused; the PRC's resident card has none that a reader can ask for.
    return Reason.CARD_TYPE_B if technology_of(atr) is Technology.ISO14443B else Reason.CARD_UNREADABLE


def read_uid(context: int, reader: str, listening: Listening | None = None) -> bytes | None:
    """The UID of the contactless card that lies there now, asked once; None for anything else."""
    code, handle, protocol = scard.SCardConnect(
        context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )
    if code != scard.SCARD_S_SUCCESS:
        return None
    try:
        send = sender(handle, protocol)
        return ask_uid(send if listening is None else listening(send))
    finally:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)


def _contactless(send: Send, atr: bytes, pause: Pause) -> CardRead | Reason | None:
    first = ask_uid(send, pause)
    second = None if first is None else ask_uid(send, pause)
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


def _state(context: int, reader: str) -> int:
    """The reader's state now; 0 when it is gone. Raises DeviceError(SERVICE_DOWN) when the service is lost."""
    code, states = scard.SCardGetStatusChange(context, 0, [(reader, scard.SCARD_STATE_UNAWARE)])
    if code in (scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_READER_UNAVAILABLE):
        return 0
    if code != scard.SCARD_S_SUCCESS:
        raise lost(code)
    return int(states[0][1])


def sender(handle: int, protocol: int) -> Send:
    """One command to the card on this handle."""
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0

    def send(command: bytes) -> bytes | None:
        code, answer = scard.SCardTransmit(handle, pci, list(command))
        return as_bytes(answer) if code == scard.SCARD_S_SUCCESS else None

    return send


def ask_uid(send: Send, pause: Pause = at_once) -> bytes | None:
    """The UID of a contactless card; None when it has none to tell. Blocks as `send` and `pause` do."""
    for tries_left in reversed(range(UID_TRIES)):
        answer = exchange(send, GET_UID)
        if answer is None or answer.status != FAILED:
            return None if answer is None else uid_in(answer)
        if tries_left:
            pause(UID_PAUSE_S)
    return None


def uid_in(answer: Answer) -> bytes | None:
    """The UID in an answer to GET DATA: status 9000 and a length that UIDs have; anything else is none."""
    return answer.data if answer.status == SUCCESS and len(answer.data) in UID_LENGTHS else None
