"""An act, the words said of it, and what central says back (DESIGN.md section 2, "One act, online or offline").

An act is said in one of three words: a *request* (online; may be refused), a *fact* (it happened; never refused) or a
*withdrawal* (it did not happen). Under one id a kiosk says at most one request, then at most one last word.
Each word takes one sequence number of the kiosk's log; (kiosk, incarnation, sequence) is unique.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from kiosk.domain.clock import Reading
from kiosk.domain.staff import Entry, StaffId
from kiosk.domain.values import ActId, BranchId, CardId, Detail, ItemId, MembershipId, Reason


class Deed(StrEnum):
    """What is done."""

    CHECKOUT = "checkout"
    RETURN = "return"
    RENEW = "renew"
    PLACE_HOLD = "place_hold"
    """Wait for the work of this item; to be picked up at the act's branch."""
    CANCEL_HOLD = "cancel_hold"
    EXPIRE_HOLD = "expire_hold"
    """Said by central alone."""
    STAFF_ENTRY = "staff_entry"
    """Somebody tried to open the staff page."""
    CLOCK_CONFIRMED = "clock_confirmed"
    """Staff looked at the kiosk's date and time and said that they are right."""

    @property
    def of_the_kiosk(self) -> bool:
        """Of no item and no membership; there is nothing to judge."""
        return self in (Deed.STAFF_ENTRY, Deed.CLOCK_CONFIRMED)


class Word(StrEnum):
    """How it is said."""

    REQUEST = "request"
    FACT = "fact"
    WITHDRAWAL = "withdrawal"


class Mode(StrEnum):
    """How the kiosk stood to central when it happened."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing done at a kiosk or desk. Names a person only by an opaque id."""

    id: ActId
    """Made at the kiosk."""
    deed: Deed
    """What."""
    membership: MembershipId | None
    """Who; None for a return, which needs no card."""
    item: ItemId
    """Which copy; empty for a deed of the kiosk."""
    branch: BranchId
    """Where it happened."""
    happened_at: datetime
    """The kiosk's own clock (aware UTC)."""
    clock_offset: timedelta | None
    """Central's clock minus the kiosk's, as last measured; None if never measured."""
    mode: Mode
    """Online or offline."""
    replica_age: timedelta | None
    """Age of the knowledge used; None if there was none."""
    card: CardId | None = None
    """The card that it was opened with; None for a return, where central told no id, and for what no card opened."""
    policy_version: str | None = None
    """The rules used."""
    due_at: datetime | None = None
    """The due date promised to the patron (checkout, renew); until when a copy is kept ready (return)."""
    hold: ActId | None = None
    """Return: for which hold this copy was set aside. Cancelling, expiring: which hold. Named by the act that placed it."""
    heard_at: datetime | None = None
    """Central's clock as last heard before it: it did not happen earlier. None if central was never heard."""
    doubtful: bool = False
    """The kiosk's clock could not be believed and central had not been heard since the machine started."""
    reading: Reading | None = None
    """The kiosk's monotonic clock; stays at the kiosk, to date the act once central is heard in the same boot."""
    sealed: bytes | None = field(default=None, repr=False)
    """What it was, as only central can read it; then who, what, where and due dates are empty here."""
    staff: StaffId | None = None
    """Staff entry: who, if the login is known. Clock confirmed: by whom."""
    entry: Entry | None = None
    """Staff entry: how it ended."""

    @property
    def corrected_at(self) -> datetime:
        """When it happened by central's clock, as well as the kiosk knows."""
        at = self.happened_at + (self.clock_offset or timedelta())
        return at if self.earliest is None else max(at, self.earliest)

    @property
    def earliest(self) -> datetime | None:
        """The first moment after what the kiosk had heard."""
        return None if self.heard_at is None else self.heard_at + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One word in a kiosk's log."""

    sequence: int
    """Its place in the log of this incarnation, from 1, without gaps."""
    word: Word
    """Which word."""
    act: Act
    """Of which act."""
    request_sequence: int | None = None
    """For a last word: the place of the request it settles, which need not be sent any more."""


class Outcome(StrEnum):
    """How central judged a word."""

    ACCEPTED = "accepted"
    NOTED = "noted"
    """Accepted, with a note."""
    REFUSED = "refused"
    """Requests only."""
    CASE = "case"
    """Entered, and a person must look at it."""
    CANCELLED = "cancelled"
    """The act counts nowhere."""

    @property
    def stands(self) -> bool:
        """True when the act counts."""
        return self in (Outcome.ACCEPTED, Outcome.NOTED, Outcome.CASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What central said of one word; said once, repeated on replay."""

    act_id: ActId
    """Of which act."""
    word: Word
    """Of which word."""
    outcome: Outcome
    """How."""
    reason: Reason | None = None
    """Why refused, noted or a case."""
    details: Mapping[str, Detail] = field(default_factory=lambda: MappingProxyType({}))
    """Fills the reason's sentence."""
    due_at: datetime | None = None
    """Due date that counts (checkout, renew); until when the copy is kept ready (return)."""
    hold: ActId | None = None
    """Return: for which hold the copy is to be set aside."""
    epoch: str
    """Central's epoch when it judged."""
    position: int
    """The feed position that contains this act's effect; the kiosk counts its own act until its replica is there."""
