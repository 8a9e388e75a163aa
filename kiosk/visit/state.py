"""What is true during a visit: one frozen `Visit` that holds one frozen task; and the world that a rule may look at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from kiosk.domain.clock import Reading
from kiosk.domain.identity import CardClass, CodePattern, SpellingRule
from kiosk.domain.journal import Act
from kiosk.domain.staff import StaffId
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.ports import (
    CentralReason,
    DeviceReason,
    DeviceStatus,
    Effect,
    Heard,
    Intent,
    Library,
    Link,
    Machine,
    Message,
    Phase,
    Row,
    RowState,
    SlipState,
)
from kiosk.words import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSettings:
    """How this kiosk treats its patrons; from configuration."""

    branch: BranchId
    """Where it stands."""
    branch_name: str
    """As shown and printed until central has said its name."""
    library_name: str
    """Of the library, in the same way."""
    code_patterns: Sequence[CodePattern]
    """Shapes of this library's barcodes."""
    spelling: Mapping[CardClass, SpellingRule]
    """How its system spells the UIDs of each card class."""
    language: Language = Language.ZH_TW
    """Of the start page."""
    idle: timedelta = timedelta(seconds=60)
    """A visit without a touch, card or scan ends after this long."""
    done_idle: timedelta = timedelta(seconds=20)
    """The same, on the last page."""
    staff_idle: timedelta = timedelta(minutes=5)
    """The same, on the staff page."""
    warn: timedelta = timedelta(seconds=20)
    """The countdown is shown for the last part."""
    machine: Machine | None = None
    """Which kiosk this is; shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a rule may look at; made anew for each event."""

    now: datetime
    """Wall clock (aware UTC)."""
    monotonic: float
    """Seconds."""
    library: Library
    """What the kiosk knows."""
    settings: VisitSettings
    """Configuration."""
    new_act_id: Callable[[], ActId]
    """UUIDv7."""
    clock_trusted: bool
    """False: no lending offline until central or staff confirm the time."""
    clock_offset: timedelta | None
    """Central's clock minus ours, by its last answer since the machine started; None if there was none."""
    reading: Reading
    """The monotonic clock, to date what happens now."""
    queue: Callable[[], tuple[int, datetime | None]]
    """How many words wait for central, and since when; as counted some seconds ago."""


@dataclass(frozen=True, slots=True)
class Start:
    """Nobody is here."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Waiting for a card."""

    next_task: Phase
    """What happens afterwards: BORROW or ACCOUNT."""


@dataclass(frozen=True, slots=True)
class Borrow:
    """A basket of loans."""

    asking: Act | None = None
    """The request that central has not answered yet."""
    waiting: tuple[ItemId, ...] = ()
    """Scanned meanwhile, in order."""


@dataclass(frozen=True, slots=True)
class Return:
    """Taking books back."""

    asking: Mapping[ActId, ItemId] = field(default_factory=lambda: MappingProxyType({}))
    """Recorded facts whose routing central has not answered yet."""


@dataclass(frozen=True, slots=True)
class Account:
    """My account."""

    asking: Act | None = None
    """A renewal or a cancelled hold that central has not answered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Finished; which slip?"""

    of: Phase
    """BORROW, RETURN or ACCOUNT."""
    slip: SlipState = SlipState.CHOOSE
    """What became of it."""
    reason: DeviceReason | None = None
    """Why printing failed."""
    job: str = ""
    """The print job awaited."""
    prints: int = 0
    """Print jobs so far; a second one is marked 補印."""


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Nothing can be done here now."""

    key: str
    """Sentence `out.<key>`."""
    since: float
    """Monotonic time, for the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLogin:
    """Somebody wants the staff page."""

    asking: ActId | None = None
    """The try that is being looked at."""
    login: str = ""
    """As typed in it."""
    refused: str = ""
    """Why the last one failed: sentence `staff.<value>`."""
    until: datetime | None = None
    """Locked until then."""
    resting: OutOfService | None = None
    """Out of service before, and afterwards again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """A member of staff looks after this kiosk."""

    login: str
    """Who, as typed."""
    staff: StaffId | None = None
    """Who."""
    heard: Heard | None = None
    """The newest card or code."""
    slip: SlipState = SlipState.CHOOSE
    """What became of the page on paper."""
    reason: DeviceReason | None = None
    """Why printing failed."""
    job: str = ""
    """The print job awaited."""
    prints: int = 0
    """Print jobs so far."""
    resting: OutOfService | None = None
    """Out of service before, and afterwards again."""


Task = Start | Identify | Borrow | Return | Account | Done | OutOfService | StaffLogin | StaffPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Everything between a first touch and the end of a visit, and what outlives it (link, devices)."""

    task: Task = Start()
    """What is being done."""
    language: Language = Language.ZH_TW
    """Chosen by the patron."""
    large_text: bool = False
    """大字."""
    high_contrast: bool = False
    """高對比."""
    low_reach: bool = False
    """Low reach."""
    help_open: bool = False
    """The help page is open."""
    membership: MembershipId | None = None
    """Who is here."""
    name: str = ""
    """Their masked name."""
    rows: tuple[Row, ...] = ()
    """Books of this task, newest first."""
    message: Message | None = None
    """Said over the stage."""
    touched_at: float = 0.0
    """Monotonic time of the last touch, card or scan."""
    unknown_cards: int = 0
    """Unknown cards in a row, over all visits."""
    unknown_until: float = 0.0
    """No card is looked up before this monotonic time."""
    card_on: str = ""
    """Reader on which a card still lies."""
    known_by: str = ""
    """Reader on which the card that opened this visit still lies; empty after a scanned code, or once it was lifted."""
    visits: int = 0
    """Counts visits and last pages since start; names print jobs."""
    link: Link = Link.STARTING
    """How the kiosk stands to central."""
    away: CentralReason | None = None
    """Why it is offline."""
    devices: Mapping[str, DeviceStatus] = field(default_factory=lambda: MappingProxyType({}))
    """Newest state of each device."""

    @property
    def provisional(self) -> bool:
        """True when a book of this task waits for central's confirmation."""
        return any(row.state is RowState.PROVISIONAL for row in self.rows)


@dataclass(frozen=True, slots=True)
class Step:
    """What an event led to."""

    visit: Visit
    """The visit afterwards."""
    effects: tuple[Effect, ...] = ()
    """Carried out in order before the view is shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a table."""

    run: Callable[..., Step]
    """(visit, event, world) -> Step."""
    leads_to: tuple[Phase, ...]
    """Phases it may lead to; held by the station and drawn in docs/states.md."""


Key = type | Intent
"""What a table is looked up by: the event's type, or the intent of a touch."""

Table = Mapping[Key, Rule]
"""Rules of one task, or of the shell."""
