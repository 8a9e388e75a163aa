"""Cards over PC/SC: a blocking SCardGetStatusChange watcher in the device's own thread (A2, A3, L1).

Why not pyscard's monitors: they die with pcscd for good, poll once a second for readers, and compare cards by ATR,
which all cards of one chip type share (reference/probe.md 1.5). This one uses the low-level calls, which return codes
instead of raising; compares pcsc-lite's insert/remove counter (upper 16 bits of the event state), so a fast swap of
two cards is seen; and starts anew when the service is lost. Nothing here polls: the wait ends with the event. Its two
seconds only bound a race of pcsc-lite 1.9, which misses a reader that appears between listing and waiting.

Two cards on the pad: the UID is posted as soon as two reads agree, and read once more 150 ms later by the thread that
waits anyway; another UID then is told as CARD_TWO, and the heart ends the visit that the first one opened: so no single
card waits, and nothing is done for two. A reader that another program holds is reported: one held exclusively is tried
again; one in a transaction blocks the read inside PC/SC until the transaction ends (`drivers.call_watch`), the other
slots of the same entry meanwhile too, and the card is read then. A thread that is asked to stop in such a wait cannot:
the supervisor leaves it behind, and what it reads later is told to nobody. A service that hangs is asked whether it
answers as soon as a call is overdue, and then given up: its calls end, and `run` with SERVICE_DOWN (`pcsc_service`).
Whether a UID may be an identity is the heart's business. Source: winscard / pcsc-lite API.
"""

import re
import threading
import time
from contextlib import AbstractContextManager, nullcontext

from smartcard import scard

from drivers import pcsc_service
from drivers.call_watch import CallWatch
from drivers.card_reading import Held, Listening, Slots, read_card, read_uid, why_unread
from drivers.card_tape import CardRecorder
from drivers.device import Report
from drivers.reader_signals import Voice
from kiosk.domain.identity import CardRead
from kiosk.domain.values import Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Mailbox,
)

PNP = "\\\\?PnP?\\Notification"
WAIT_MS = 2000
SECOND_LOOK_S = 0.15
"""After this long the UID is read once more: a second card below the first one may answer only then."""
SERVICE_S = WAIT_MS / 1000 + 0.5
"""Looking for readers and waiting for an event takes no longer, unless the service hangs."""
WAKE_S = 1.0
"""Patience with the service when it should end a wait; too little only ends it in a rougher way."""
HELD_S = 0.25
"""Between two tries while another program holds the reader."""

_Change = tuple[str, int, int, bytes]
"""A reader, its state before and now, and the ATR of its card."""


class CardReader:
    """Every PC/SC reader whose name matches, but SAM slots unless the settings say what a slot is; a `Device`."""

    kind = DeviceKind.CARD_READER

    def __init__(
        self,
        name: str,
        pattern: str,
        mailbox: Mailbox,
        slots: Slots = Slots(),  # noqa: B008 -- frozen
        signals: str = "auto",
        tape: CardRecorder | None = None,
    ) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._mailbox = mailbox
        self._slots = slots
        self._voice = Voice(signals)
        self._tape = tape
        self._names: frozenset[str] = frozenset()
        """The matching readers of now; replaced as a whole, read by the thread that shows signals."""
        self._again: dict[str, tuple[float, bytes]] = {}
        """Readers whose UID is read once more: when, and what it was."""
        self._held: dict[str, bytes] = {}
        """Readers that another program holds while a card lies on them, with the card's ATR."""
        self._forbidden: set[str] = set()
        """Readers whose last card polkit did not let us have."""
        self._context: int | None = None
        self._stop = threading.Event()
        self._watched: AbstractContextManager[object] = nullcontext()
        """Around each read, while it runs."""
        self._service_watched: AbstractContextManager[object] = nullcontext()
        """Around each other call, while it runs."""

    def run(self, stop: threading.Event, report: Report) -> None:
        """Watch until stopped; raises DeviceError: SERVICE_DOWN when pcscd is away or hangs, NO_PERMISSION."""
        self._stop = stop
        service = CallWatch(f"{self.name}:service", _service_is_overdue, SERVICE_S)
        try:
            with service:
                context = pcsc_service.establish()
            self._follow(context, service, report)
        finally:
            service.close()

    def wake(self) -> None:
        context = self._context
        if context is None:
            return
        if pcsc_service.hangs(WAKE_S):
            pcsc_service.hang_up()
        else:
            scard.SCardCancel(context)

    def show(self, source: str, *, taken: bool, stop: threading.Event) -> None:
        """Let the reader named `source` show what became of its card; see `drivers.signals.Signalling`."""
        if source in self._names:
            self._voice.say(source, taken=taken, stop=stop)

    def _follow(self, context: int, service: CallWatch, report: Report) -> None:
        """Tell what happens at the readers, until stopped or the service is lost."""
        for away in self._names:  # perhaps unplugged while the service was away
            self._voice.forget(away)
        self._names = frozenset()
        for kept in (self._again, self._held, self._forbidden):
            kept.clear()
        known: dict[str, int] = {}
        pnp = 0
        reads = CallWatch(self.name, lambda: self._read_is_overdue(report))
        self._context, self._watched, self._service_watched = context, reads, service
        try:
            while not self._stop.is_set():
                with service:
                    self._list(context, known, report)
                with service:
                    changes, pnp = self._wait(context, known, pnp)
                for reader, before, now, atr in changes:
                    self._changed(context, reader, before, now, atr)
                self._look_again(context)
        finally:
            self._context = None
            self._watched = self._service_watched = nullcontext()
            reads.close()
            for reader, state in known.items():
                if state & scard.SCARD_STATE_PRESENT:
                    self._mailbox.post(CardLeft(reader))
            scard.SCardReleaseContext(context)

    def _list(self, context: int, known: dict[str, int], report: Report) -> None:
        code, names = scard.SCardListReaders(context, [])
        if code == scard.SCARD_E_NO_READERS_AVAILABLE:
            names = []
        elif code != scard.SCARD_S_SUCCESS:
            raise pcsc_service.lost(code)
        ours = [name for name in names if self._pattern.search(name) and self._slots.takes(name)]
        for gone in set(known) - set(ours):
            self._forget(gone)
            self._forbidden.discard(gone)
            if known.pop(gone) & scard.SCARD_STATE_PRESENT:
                self._mailbox.post(CardLeft(gone))
        for new in set(ours) - set(known):
            known[new] = scard.SCARD_STATE_UNAWARE
        usable = [name for name in ours if not known[name] & scard.SCARD_STATE_UNAVAILABLE]
        for away in self._names.difference(usable):
            self._voice.forget(away)
        appeared, self._names = set(usable) - self._names, frozenset(usable)
        for new in appeared:
            with self._watched:
                self._voice.hush(new)
        state, reason = DeviceState.READY, None
        if not usable:
            state, reason = DeviceState.ABSENT, DeviceReason.NOT_PLUGGED
        elif self._held:
            state, reason = DeviceState.FAULT, DeviceReason.HELD_BY_OTHER
        elif self._forbidden:
            state, reason = DeviceState.FAULT, DeviceReason.NO_PERMISSION
        detail = pcsc_service.refused("access_card") if self._forbidden else ", ".join(usable)
        report(DeviceStatus(device=self.name, kind=self.kind, state=state, reason=reason, detail=detail))

    def _wait(self, context: int, known: dict[str, int], pnp: int) -> tuple[list[_Change], int]:
        """What happened at the readers, in `known` already, and the new state of the list of readers."""
        code, states = scard.SCardGetStatusChange(context, self._patience_ms(), [*known.items(), (PNP, pnp)])
        if code in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_CANCELLED):
            return [], pnp
        if code != scard.SCARD_S_SUCCESS:
            raise pcsc_service.lost(code)
        changes: list[_Change] = []
        for reader, event, atr in states:
            if reader == PNP:
                pnp = event & ~scard.SCARD_STATE_CHANGED
                continue
            before, known[reader] = known[reader], event & ~scard.SCARD_STATE_CHANGED
            if event & scard.SCARD_STATE_CHANGED:
                changes.append((reader, before, event, bytes(atr)))
        return changes, pnp

    def _changed(self, context: int, reader: str, before: int, now: int, atr: bytes) -> None:
        was, present = before & scard.SCARD_STATE_PRESENT, now & scard.SCARD_STATE_PRESENT
        moved = before >> 16 != now >> 16
        if not present or moved:
            self._forget(reader)
        if was and (not present or moved):
            self._mailbox.post(CardLeft(reader))
        if not present and not was and moved and before != scard.SCARD_STATE_UNAWARE:
            self._mailbox.post(CardTrouble(reader, Reason.CARD_TAKEN_EARLY))  # came and went between two looks
        if not present or (was and not moved):
            return
        if now & scard.SCARD_STATE_MUTE:
            self._tell(reader, atr, self._why_unread(context, reader, atr))  # or gone before it had its power
            return
        if self._tape is not None:
            self._tape.laid(atr, contact=self._slots.is_contact(reader))
        self._tell(reader, atr, self._read(context, reader, atr))

    def _read(self, context: int, reader: str, atr: bytes) -> CardRead | Reason | Held:
        with self._watched:
            read = read_card(context, reader, atr, self._slots, self._stop, self._listening())
        return self._why_unread(context, reader, atr) if read is None else read

    def _why_unread(self, context: int, reader: str, atr: bytes) -> Reason:
        with self._service_watched:
            return why_unread(context, reader, atr)

    def _read_is_overdue(self, report: Report) -> None:
        """The service hangs, or a read waits for somebody else; on the watching thread."""
        if _service_is_overdue():
            return
        report(
            DeviceStatus(
                device=self.name,
                kind=self.kind,
                state=DeviceState.FAULT,
                reason=DeviceReason.HELD_BY_OTHER,
                detail=", ".join(sorted(self._names)),
            )
        )

    def _listening(self) -> Listening | None:
        return None if self._tape is None else self._tape.listening

    def _tell(self, reader: str, atr: bytes, read: CardRead | Reason | Held) -> None:
        if self._stop.is_set():
            return  # perhaps long ago: nobody may be there any more
        if read is Held.BY_OTHER:
            self._held[reader] = atr
            return
        self._held.pop(reader, None)
        if read is Held.BY_POLKIT:
            self._forbidden.add(reader)
            return
        self._forbidden.discard(reader)
        if isinstance(read, Reason):
            self._mailbox.post(CardTrouble(reader, read))
            return
        self._mailbox.post(CardArrived(reader, read))
        if not self._slots.is_contact(reader):
            self._again[reader] = (time.monotonic() + SECOND_LOOK_S, read.uid)

    def _look_again(self, context: int) -> None:
        """What is due: the second look at a card that was read, and another try at a reader that was held."""
        now = time.monotonic()
        for reader, (due, uid) in list(self._again.items()):
            if due <= now:
                del self._again[reader]
                with self._watched:
                    now_uid = read_uid(context, reader, self._listening())
                if now_uid not in (uid, None):
                    self._mailbox.post(CardTrouble(reader, Reason.CARD_TWO))
        for reader, atr in list(self._held.items()):
            self._tell(reader, atr, self._read(context, reader, atr))

    def _forget(self, reader: str) -> None:
        self._again.pop(reader, None)
        self._held.pop(reader, None)

    def _patience_ms(self) -> int:
        """How long nothing needs to be done unless something happens."""
        waits = [due - time.monotonic() for due, _ in self._again.values()]
        waits += [HELD_S] if self._held else []
        return min(WAIT_MS, max(0, int(min(waits) * 1000) + 1)) if waits else WAIT_MS


def _service_is_overdue() -> bool:
    """Ends the calls of a service that hangs, and says whether it does."""
    hangs = pcsc_service.hangs()
    if hangs:
        pcsc_service.hang_up()
    return hangs
