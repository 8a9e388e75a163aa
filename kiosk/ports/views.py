"""What the patron's screen shows: one frozen `View`, replaced as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from kiosk.domain.identity import CardClass
from kiosk.domain.values import ActId, ItemId, Reason
from kiosk.ports.devices import DeviceReason, DeviceStatus
from kiosk.ports.events import Link
from kiosk.ports.failures import CentralReason
from kiosk.words import Language


class Phase(StrEnum):
    """Which screen is shown; one QML file each."""

    START = "start"
    IDENTIFY = "identify"
    BORROW = "borrow"
    RETURN = "return"
    ACCOUNT = "account"
    DONE = "done"
    OUT_OF_SERVICE = "out_of_service"
    STAFF_LOGIN = "staff_login"
    STAFF = "staff"


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
    reserve: ItemId | None = None
    """One touch, and the patron waits for this book."""


class RowState(StrEnum):
    """What a row in a list says."""

    WORKING = "working"
    DONE = "done"
    PROVISIONAL = "provisional"
    """Done, not yet confirmed by central (amber, 尚待確認)."""
    REFUSED = "refused"
    OVERDUE = "overdue"
    HOLD_READY = "hold_ready"
    """Not a loan: a book that waits for the patron."""
    HOLD_COMING = "hold_coming"
    """A book on its way to the branch where it is to be picked up."""
    HOLD_WAITING = "hold_waiting"
    """A book that the patron waits for."""


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
    """Due date, if it has one; of a hold that is ready, until when."""
    days_left: int | None = None
    """Days until then; negative = overdue."""
    reason: Reason | None = None
    """Why refused, or a note."""
    details: Mapping[str, str | int] = field(default_factory=dict)
    """Fills the reason's sentence."""
    can_renew: bool = False
    """A renew button makes sense."""
    hold: ActId | None = None
    """The hold, where this is one."""
    place: int | None = None
    """Its place in the queue, while waiting."""
    branch: str = ""
    """Where it is to be picked up, by name."""
    can_cancel: bool = False
    """A cancel button makes sense."""
    confirm: bool = False
    """The cancel button was touched once and asks whether it is meant."""


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader or scanner just read, on the staff page: enough to see that it works, never what was read."""

    device: str
    """Its name."""
    card: CardClass | None = None
    """A card of this class."""
    characters: int = 0
    """A code of this length."""
    symbology: str | None = None
    """Which kind of code, if the scanner says."""
    trouble: Reason | None = None
    """Nothing usable: why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this kiosk is; the same for its whole life."""

    kiosk: str
    """Its id at central."""
    program: str
    """Version of Shelfpoint."""
    key_sealed: bool
    """The key of its files is kept by a TPM; False: it is a file."""
    identity_sealed: bool = False
    """So is what it proves itself to central with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """What the staff page and its door show. Spans in whole minutes, so that nothing is repainted each second."""

    login: str = ""
    """Who was let in."""
    asking: bool = False
    """A try is being looked at."""
    refused: str = ""
    """Why nobody was let in: key of the sentence (`staff.<value>`)."""
    until: datetime | None = None
    """Locked until then."""
    machine: Machine | None = None
    """Which kiosk this is."""
    devices: tuple[DeviceStatus, ...] = ()
    """All of them, the ones that need somebody first."""
    away: CentralReason | None = None
    """Why offline."""
    waiting: int = 0
    """Words that central has not judged."""
    waits_for: timedelta | None = None
    """How long the oldest of them has waited."""
    knowledge_age: timedelta | None = None
    """How old the replica is; None before the first feed."""
    too_old: bool = False
    """Older than the policy lets it be for lending offline."""
    clock_offset: timedelta | None = None
    """Central's clock minus ours; None if central was not heard since the machine started."""
    clock: datetime | None = None
    """What the kiosk's clock says, in full minutes, since it jumped and nobody has confirmed it; None while it is trusted."""
    clock_behind: bool = False
    """It stands before what central said last: it is wrong, and nobody can confirm it."""
    heard: Heard | None = None
    """The newest card or code."""


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
    library_name: str = ""
    """As central says; empty while nobody can be asked."""
    branch_name: str = ""
    """Of the branch where it stands, as central says; empty while nobody can be asked."""
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
    holds_blocked: Message | None = None
    """Account: from when reserving is possible again."""
    unready: Message | None = None
    """Start, identify: why no card can be served yet, before anybody lays one down."""
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
    staff: StaffView | None = None
    """Staff page and its door; `slip` and `slip_reason` tell of its paper."""
