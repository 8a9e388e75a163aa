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

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from kiosk.domain.calendar import Calendar
from kiosk.domain.identity import CardKind, CardRead
from kiosk.domain.journal import Act, Spoken, Verdict, Word
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.values import ActId, BranchId, ItemId, KioskError, MembershipId, Reason
from kiosk.slip import Slip
from kiosk.words import Language

# --- devices -----------------------------------------------------------------------------------------------------


class DeviceKind(StrEnum):
    """What a device is."""

    CARD_READER = "card_reader"
    SCANNER = "scanner"
    PRINTER = "printer"
    CAMERA = "camera"


class DeviceState(StrEnum):
    """What a device can do now."""

    READY = "ready"
    ABSENT = "absent"
    """Unplugged, switched off, or its service is down; the supervisor keeps looking."""
    FAULT = "fault"
    """There, but cannot work: see the reason."""


class DeviceReason(StrEnum):
    """Why a device is not ready, in words a person can act on."""

    NOT_PLUGGED = "not_plugged"
    SERVICE_DOWN = "service_down"
    HELD_BY_OTHER = "held_by_other"
    NO_PERMISSION = "no_permission"
    NOT_REACHABLE = "not_reachable"
    SILENT = "silent"
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    HOT_HEAD = "hot_head"
    QUEUE_STOPPED = "queue_stopped"
    PRINTER_ERROR = "printer_error"
    LINE_NOISE = "line_noise"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """One device's state, as shown to staff and in health reports."""

    device: str
    """Its name in the configuration."""
    kind: DeviceKind
    """What it is."""
    state: DeviceState
    """What it can do."""
    reason: DeviceReason | None = None
    """Why not; also set as a warning while READY (paper low)."""
    detail: str = ""
    """For staff: path, address, firmware; never personal data."""


class DeviceError(KioskError):
    """A device cannot do it now."""

    def __init__(self, reason: DeviceReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class LedgerReason(StrEnum):
    """Why a database cannot be used."""

    DISK_FULL = "disk_full"
    LOCKED = "locked"
    DAMAGED = "damaged"
    WRONG_KEY = "wrong_key"
    NEWER_SCHEMA = "newer_schema"
    NOT_WRITABLE = "not_writable"


class LedgerError(KioskError):
    """A database cannot be read or written; nothing was half done."""

    def __init__(self, reason: LedgerReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class CentralReason(StrEnum):
    """Why there is no usable answer from central."""

    NOT_ENROLLED = "not_enrolled"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    NOT_CENTRAL = "not_central"
    """Something answered, but not central: a captive portal, a proxy, HTML."""
    CREDENTIAL_REVOKED = "credential_revoked"
    CLOCK_WRONG = "clock_wrong"
    BUSY = "busy"
    STARTING = "starting"


class CentralError(KioskError):
    """No usable answer."""

    def __init__(self, reason: CentralReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


# --- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardArrived:
    """A card lies on a reader and its UID was read."""

    reader: str
    """The PC/SC reader on which it lies; one configured device may be several readers."""
    card: CardRead
    """What was read; not yet checked by `identity.unfit`."""


@dataclass(frozen=True, slots=True)
class CardLeft:
    """The card was taken away."""

    reader: str
    """Device name."""


@dataclass(frozen=True, slots=True)
class CardTrouble:
    """Something was held to the reader, but no identity came of it."""

    reader: str
    """Device name."""
    reason: Reason
    """CARD_TAKEN_EARLY, CARD_UNREADABLE, CARD_TWO, CARD_NO_RULE, or which card it is that no library uses."""


@dataclass(frozen=True, slots=True)
class CodeRead:
    """A scanner read a code."""

    scanner: str
    """Device name."""
    text: str = field(repr=False)
    """Its characters, without terminator; printable."""
    symbology: str | None = None
    """code39, code128, codabar, ean13, qr ...; None when the scanner does not say."""


@dataclass(frozen=True, slots=True)
class CodeTrouble:
    """A scanner sent something that is no code."""

    scanner: str
    """Device name."""
    reason: Reason
    """CODE_TOO_LONG, CODE_UNREADABLE."""


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device appeared, vanished, fell ill or recovered."""

    status: DeviceStatus
    """How it is now."""


class PrintOutcome(StrEnum):
    """What became of a print job."""

    PRINTED = "printed"
    """The printer confirmed it."""
    UNCONFIRMED = "unconfirmed"
    """All bytes were sent; the printer did not say."""
    SPOOLED = "spooled"
    """A print queue took it and sent it on; no printer was ever heard."""
    FAILED = "failed"
    """Not printed, or only in part: see the reason."""


@dataclass(frozen=True, slots=True)
class PrintEnded:
    """A print job is over."""

    job: str
    """As given to `Printer.print_slip`."""
    outcome: PrintOutcome
    """How it ended."""
    reason: DeviceReason | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class VerdictCame:
    """Central answered an `Ask`; not yet on disk."""

    verdict: Verdict
    """What it said."""


@dataclass(frozen=True, slots=True)
class AnswerMissing:
    """Central did not answer an `Ask` within the deadline, or answered nonsense."""

    act_id: ActId
    """Of which act."""
    reason: CentralReason
    """Why."""


class Link(StrEnum):
    """How the kiosk stands to central."""

    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Online mode began or ended."""

    link: Link
    """Now."""
    reason: CentralReason | None = None
    """Why offline."""


class Intent(StrEnum):
    """What a finger may ask for; one slot each in the screen."""

    BORROW = "borrow"
    RETURN = "return"
    ACCOUNT = "account"
    RENEW = "renew"
    """Argument: item id of the loan."""
    FINISH = "finish"
    """Done with this task."""
    SLIP_PRINT = "slip_print"
    SLIP_QR = "slip_qr"
    SLIP_NONE = "slip_none"
    PRINT_AGAIN = "print_again"
    BACK = "back"
    END = "end"
    """End the visit now."""
    STAY = "stay"
    """Touched anywhere: the idle countdown starts again."""
    LANGUAGE = "language"
    """Argument: zh_TW or en."""
    DISMISS = "dismiss"
    """Close a message."""
    LARGE_TEXT = "large_text"
    HIGH_CONTRAST = "high_contrast"
    LOW_REACH = "low_reach"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Touched:
    """A finger, a key or a switch asked for something."""

    intent: Intent
    """What."""
    argument: str = ""
    """See `Intent`."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """A quarter of a second passed; drives countdowns. The station makes these itself."""


@dataclass(frozen=True, slots=True)
class Started:
    """First event of a life of the station."""


DeviceEvent = CardArrived | CardLeft | CardTrouble | CodeRead | CodeTrouble | DeviceChanged | PrintEnded
Event = DeviceEvent | VerdictCame | AnswerMissing | LinkChanged | Touched | Ticked | Started

# --- effects -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """Write one word to the acts file; durable before the next effect."""

    word: Word
    """Which word."""
    act: Act
    """Of which act."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this act's newest word to central now; exactly one VerdictCame or AnswerMissing comes back."""

    act_id: ActId
    """Of which act."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Write a verdict to the acts file; durable before the next effect."""

    verdict: Verdict
    """What central said."""


@dataclass(frozen=True, slots=True)
class Print:
    """Hand a slip to the printer; PrintEnded comes back."""

    job: str
    """Name of the job."""
    slip: Slip
    """What it says."""


class Sound(StrEnum):
    """Short sounds that agree with the screen."""

    OK = "ok"
    NO = "no"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Play:
    """A short sound."""

    sound: Sound
    """Which."""


Effect = Record | Ask | Settle | Print | Play

# --- views -------------------------------------------------------------------------------------------------------


class Phase(StrEnum):
    """Which screen is shown; one QML file each."""

    START = "start"
    IDENTIFY = "identify"
    BORROW = "borrow"
    RETURN = "return"
    ACCOUNT = "account"
    DONE = "done"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said to the patron, over the stage, until dismissed or replaced."""

    reason: Reason
    """Which sentence."""
    details: Mapping[str, str | int] = field(default_factory=dict)
    """Fills it."""
    stop: bool = True
    """True: a refusal (red stop sign); False: a hint (amber)."""
    title: str = ""
    """The book it is about, if any."""


class RowState(StrEnum):
    """What a row in a list says."""

    WORKING = "working"
    DONE = "done"
    PROVISIONAL = "provisional"
    """Done, not yet confirmed by central (amber, 尚待確認)."""
    REFUSED = "refused"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One book in a list."""

    item: ItemId
    """Which copy."""
    title: str
    """As shown; the item number where the title is not known."""
    state: RowState
    """What is said of it."""
    due_at: datetime | None = None
    """Due date, if it has one."""
    days_left: int | None = None
    """Days until then; negative = overdue."""
    reason: Reason | None = None
    """Why refused, or a note."""
    details: Mapping[str, str | int] = field(default_factory=dict)
    """Fills the reason's sentence."""
    can_renew: bool = False
    """A renew button makes sense."""


class SlipState(StrEnum):
    """What became of the slip on the done screen."""

    CHOOSE = "choose"
    PRINTING = "printing"
    PRINTED = "printed"
    UNCONFIRMED = "unconfirmed"
    SPOOLED = "spooled"
    FAILED = "failed"
    QR = "qr"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the patron's screen shows; frozen, replaced as a whole."""

    phase: Phase
    """Which screen."""
    language: Language = Language.ZH_TW
    """In which language."""
    link: Link = Link.STARTING
    """Connection state for the header."""
    now: datetime | None = None
    """For the clock in the header."""
    countdown_s: int | None = None
    """Seconds until the visit ends by itself; shown when not None."""
    message: Message | None = None
    """Over the stage."""
    name: str = ""
    """Masked name of the identified patron."""
    rows: tuple[Row, ...] = ()
    """Books on this screen, newest first (borrow, return) or by due date (account)."""
    quota_left: int | None = None
    """How many more may be borrowed."""
    blocked: Message | None = None
    """Account: why nothing can be borrowed (suspended, owed ...)."""
    next_task: Phase | None = None
    """Identify: what happens after the card."""
    card_reader_ready: bool = False
    """A card reader works."""
    scanner_ready: bool = False
    """A scanner works, or a camera that reads codes."""
    camera_ready: bool = False
    """A camera works: the screen shows what it sees."""
    printer_ready: bool = False
    """A printer works."""
    slip: SlipState = SlipState.CHOOSE
    """Done: what became of the slip."""
    slip_reason: DeviceReason | None = None
    """Done: why printing failed."""
    slip_text: str = ""
    """Done: text of the slip, for the QR and for reading on the screen."""
    provisional: bool = False
    """Done: something here still waits for central's confirmation."""
    out_of_service: str = ""
    """Out of service: key of the sentence (`out.<value>`)."""
    large_text: bool = False
    """大字."""
    high_contrast: bool = False
    """Contrast ≥ 7:1 in black and white."""
    low_reach: bool = False
    """Everything touchable in the lower half."""
    help_open: bool = False
    """The help page of this screen is open."""


# --- ports -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardHit:
    """What the replica knows of a card number."""

    membership: MembershipId
    """Whose it is."""
    kind: CardKind
    """Which kind of card it is."""


class Library(Protocol):
    """What the kiosk knows: the replica, with its own acts on top that the feed has not passed. Never blocks long.

    Every method may raise LedgerError.
    """

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

    def policy(self) -> Policy | None:
        """The newest policy, or None before the first feed."""

    def calendar(self, branch: BranchId) -> Calendar:
        """Opening days; an unknown branch is always open."""

    def age(self, now: datetime) -> timedelta | None:
        """How old this knowledge is; None before the first feed."""


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

    def check(self) -> None:
        """Prove that the log can be written (a durable write that says nothing)."""


class Asker(Protocol):
    """The way to central for acts."""

    def clock_offset(self) -> timedelta | None:
        """Central's clock minus the kiosk's, as last measured; None if never."""

    def ask(self, act_id: ActId) -> None:
        """Send this act's newest word now; never blocks; the answer comes as an event."""


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
        """Seconds that only go forward."""


class Mailbox(Protocol):
    """Where drivers and sync drop what they hear; thread-safe, never blocks."""

    def post(self, event: Event) -> None:
        """Put one event in."""
