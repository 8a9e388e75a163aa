"""What the station hears: from devices, from central, from fingers, and its own ticks."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kiosk.domain.identity import CardRead
from kiosk.domain.journal import Verdict
from kiosk.domain.staff import Entry, StaffId
from kiosk.domain.values import ActId, Reason
from kiosk.ports.devices import DeviceReason, DeviceStatus
from kiosk.ports.failures import CentralReason, LedgerReason


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
    """CODE_TOO_LONG, CODE_UNREADABLE, or CODE_UNKNOWN for several lines on one label."""


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
    RESERVE = "reserve"
    """Wait for a lent book. Argument: item id."""
    CANCEL_HOLD = "cancel_hold"
    """Touched twice: the first time it asks. Argument: id of the hold."""
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
    STAFF = "staff"
    """Staff want their page: a long press on the header, or Ctrl+Shift+S."""
    STAFF_CLOCK = "staff_clock"
    """The date and time that the staff page shows are right."""
    STAFF_PRINT = "staff_print"
    """The staff page on paper: a record, and a test of the printer."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A finger, a key or a switch asked for something."""

    intent: Intent
    """What."""
    argument: str = ""
    """See `Intent`."""


@dataclass(frozen=True, slots=True)
class StaffTried:
    """Somebody typed a login and a password to open the staff page."""

    login: str = field(repr=False)
    """As typed."""
    password: str = field(repr=False)
    """As typed; kept nowhere."""


@dataclass(frozen=True, slots=True)
class StaffAnswered:
    """What came of a `Knock`."""

    act_id: ActId
    """Of which one."""
    entry: Entry | None
    """How the try ended; None: it could not be looked at or written down, so nobody was let in."""
    until: datetime | None = None
    """Locked here: end of the pause, by the kiosk's clock."""
    trouble: LedgerReason | None = None
    """Why not."""
    staff: StaffId | None = None
    """Who it was, if the login is known."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """A quarter of a second passed; drives countdowns. The station makes these itself."""


@dataclass(frozen=True, slots=True)
class Started:
    """First event of a life of the station."""


DeviceEvent = CardArrived | CardLeft | CardTrouble | CodeRead | CodeTrouble | DeviceChanged | PrintEnded
Event = (
    DeviceEvent | VerdictCame | AnswerMissing | LinkChanged | Touched | StaffTried | StaffAnswered | Ticked | Started
)
