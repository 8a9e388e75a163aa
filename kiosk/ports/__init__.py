"""What the heart asks of the world, what it hears from it, what it shows, and how things fail.

Errors (drivers and sync translate at their border with `raise … from`):

    KioskError
    ├── DeviceError(reason)    a device cannot do it now: absent, busy, out of paper ...
    ├── LedgerError(reason)    the acts file or the replica cannot be read or written: disk full, damaged ...
    └── CentralError(reason)   central gave no usable answer (which ends online mode)

Events come from many threads into the station's one mailbox; effects are carried out on the station's thread, in
order, before the view that follows them is shown. Protocols are small; whoever implements one does not inherit, the
type checker proves the fit in `ui/assembly.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold
from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Act, Spoken, Verdict, Word
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.ports.devices import DeviceError, DeviceKind, DeviceReason, DeviceState, DeviceStatus
from kiosk.ports.effects import Ask, Effect, Knock, Play, Print, Record, Settle, Sound, TrustClock
from kiosk.ports.events import (
    AnswerMissing,
    CardArrived,
    CardLeft,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    DeviceEvent,
    Event,
    Intent,
    Link,
    LinkChanged,
    PrintEnded,
    PrintOutcome,
    StaffAnswered,
    StaffTried,
    Started,
    Ticked,
    Touched,
    VerdictCame,
)
from kiosk.ports.failures import CentralError, CentralReason, LedgerError, LedgerReason
from kiosk.ports.views import Heard, Machine, Message, Phase, Row, RowState, SlipState, StaffView, View
from kiosk.slip import Slip

__all__ = [
    "Acts",
    "AnswerMissing",
    "Ask",
    "Asker",
    "CardArrived",
    "CardHit",
    "CardLeft",
    "CardTrouble",
    "CentralError",
    "CentralReason",
    "Clock",
    "CodeRead",
    "CodeTrouble",
    "DeviceChanged",
    "DeviceError",
    "DeviceEvent",
    "DeviceKind",
    "DeviceReason",
    "DeviceState",
    "DeviceStatus",
    "Effect",
    "Event",
    "Heard",
    "Intent",
    "Knock",
    "LedgerError",
    "LedgerReason",
    "Library",
    "Link",
    "LinkChanged",
    "Machine",
    "Mailbox",
    "Message",
    "Phase",
    "Play",
    "Print",
    "PrintEnded",
    "PrintOutcome",
    "Printer",
    "Record",
    "Row",
    "RowState",
    "Screen",
    "Settle",
    "Signals",
    "SlipState",
    "Sound",
    "StaffAnswered",
    "StaffEntrance",
    "StaffTried",
    "StaffView",
    "Started",
    "Ticked",
    "Touched",
    "TrustClock",
    "VerdictCame",
    "View",
]


@dataclass(frozen=True, slots=True)
class CardHit:
    """What the replica knows of a card number."""

    membership: MembershipId
    """Whose it is."""
    kind: CardKind
    """Which kind of card it is."""


class Library(Protocol):
    """What the kiosk knows: the replica, with its own acts on top that the feed has not passed. Never blocks long.

    Every method but `unread` may raise LedgerError. What lies on a damaged page is answered as if it were not known.
    """

    def unread(self) -> int:
        """How many answers so far stood on a page that could not be read; who decides looks whether it has grown."""

    def card(self, number: str) -> CardHit | None:
        """Who has this spelled number; None = 查無此證 (also replaced and lost cards)."""

    def membership(self, membership: MembershipId) -> Membership | None:
        """The membership, or None."""

    def item(self, item: ItemId) -> Item | None:
        """The copy, or None."""

    def holder(self, item: ItemId) -> Loan | None:
        """The open loan of this copy, or None."""

    def open_loans(self, membership: MembershipId) -> tuple[Loan, ...]:
        """All open loans, by due date."""

    def holds(self, membership: MembershipId) -> tuple[Hold, ...]:
        """All open holds, in the order of placing."""

    def holds_on(self, item: ItemId) -> tuple[Hold, ...]:
        """Open holds on the work of this copy, in the order of placing; none for an unknown copy."""

    def branch_name(self, branch: BranchId) -> str:
        """As shown; the code of a branch without a name."""

    def library_name(self, branch: BranchId) -> str:
        """Of the library that the branch belongs to; empty where nobody has said it."""

    def policy(self) -> Policy | None:
        """The newest policy, or None before the first feed."""

    def calendar(self, branch: BranchId) -> Calendar:
        """Opening days; an unknown branch is always open."""

    def age(self, now: datetime) -> timedelta | None:
        """How old this knowledge is; None before the first feed."""

    def filling(self) -> int | None:
        """How much of the first knowledge has come, in per cent; None once there is some, or while none comes."""

    def heard_at(self) -> datetime | None:
        """Central's clock when it told the newest of it; None before the first feed."""


class Acts(Protocol):
    """The kiosk's own log, which is also its outbox. Every method may raise LedgerError; then nothing was written."""

    def record(self, word: Word, act: Act) -> Spoken:
        """Write one word; on disk (fsync) when this returns."""

    def settle(self, verdict: Verdict) -> None:
        """Write what central said; on disk when this returns."""

    def open_requests(self) -> tuple[Act, ...]:
        """Requests with neither verdict nor last word: the process died while asking."""

    def newest(self) -> datetime | None:
        """Kiosk time of the newest act, for the clock check; None in an empty log."""

    def queue(self) -> tuple[int, datetime | None]:
        """How many words wait for central, and since when (kiosk time). Counts them: not for every event."""

    def check(self) -> None:
        """Prove that the log can be written (a durable write that says nothing)."""


class Asker(Protocol):
    """The way to central for acts."""

    def clock_offset(self) -> timedelta | None:
        """Central's clock minus the kiosk's, as last measured; None if never."""

    def clock_heard(self) -> float | None:
        """The monotonic clock at central's newest answer that told its time, seconds; None if never."""

    def ask(self, act_id: ActId) -> None:
        """Send this act's newest word now; never blocks; the answer comes as an event."""


class StaffEntrance(Protocol):
    """Whoever decides who may open the staff page."""

    def knock(self, knock: Knock) -> None:
        """Look at one try; never blocks; the answer comes as an event."""


class Printer(Protocol):
    """The slip printer."""

    def print_slip(self, job: str, slip: Slip) -> None:
        """Queue one job; never blocks; PrintEnded comes back."""


class Screen(Protocol):
    """Where the patron looks."""

    def show(self, view: View) -> None:
        """Replace what is shown; never blocks."""

    def play(self, sound: Sound) -> None:
        """A short sound; best effort."""


class Signals(Protocol):
    """Lights and beepers of the devices that cards and codes come from; a service beside the screen."""

    def signal(self, device: str, sound: Sound) -> None:
        """Let this device show how it went, if it can. Returns at once; a failure is nobody's but the device's."""


class Clock(Protocol):
    """Time, passed in so that tests own it."""

    def now(self) -> datetime:
        """Wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Seconds that only go forward, also while the machine sleeps."""

    def boot(self) -> str:
        """Names this run of the machine; monotonic seconds of two of them cannot be compared."""


class Mailbox(Protocol):
    """Where drivers and sync drop what they hear; thread-safe, never blocks."""

    def post(self, event: Event) -> None:
        """Put one event in."""
