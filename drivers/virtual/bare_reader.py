"""The least that reads a UID: the floor that `shelfpoint bench` compares the card driver with. Not a driver."""

import threading
from time import perf_counter

from smartcard import scard

from drivers.apdu import exchange
from drivers.card_reading import sender

GET_UID = [0xFF, 0xCA, 0x00, 0x00, 0x00]


def first_uid(waiting: threading.Event, heard: threading.Event) -> None:
    """Wait for the next card on the first reader, read its UID, say so. Sets `waiting` before it blocks."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, readers = scard.SCardListReaders(context, [])
    _, states = scard.SCardGetStatusChange(context, 0, [(readers[0], scard.SCARD_STATE_UNAWARE)])
    state = states[0][1] & ~scard.SCARD_STATE_CHANGED
    waiting.set()
    while not state & scard.SCARD_STATE_PRESENT:
        _, states = scard.SCardGetStatusChange(context, 10_000, [(readers[0], state)])
        state = states[0][1] & ~scard.SCARD_STATE_CHANGED
    _, handle, protocol = scard.SCardConnect(
        context, readers[0], scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
    scard.SCardTransmit(handle, pci, GET_UID)
    heard.set()
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)


def round_trips(runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds of GET DATA to the card on the first reader and back: by the driver's way, and bare; taking turns."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, readers = scard.SCardListReaders(context, [])
    _, handle, protocol = scard.SCardConnect(
        context, readers[0], scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
    send, ours, bare = sender(handle, protocol), [], []
    for _ in range(runs):
        begun = perf_counter()
        answer = exchange(send, bytes(GET_UID))
        between = perf_counter()
        scard.SCardTransmit(handle, pci, GET_UID)
        bare.append((perf_counter() - between) * 1000)
        ours.append((between - begun) * 1000)
        if answer is None:
            raise AssertionError("the card said nothing")
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    return ours, bare
