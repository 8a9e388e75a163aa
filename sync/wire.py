"""The messages between kiosk and central, version 1: msgspec structs, JSON, tolerant readers.

Unknown fields are ignored, so that a newer side can talk to an older one; fields are only ever added, with defaults. Values
of enums and types of entries may be added too: `tolerant` reads what it does not know so that the rest still counts.
Old messages are kept as files in `tests/sync/messages` and decoded for ever. Every answer carries an `Envelope`: the
epoch (renewed by `central restore`), central's clock, and `held_through`, the sequence up to which central holds this
incarnation's log without a gap. Times are aware UTC (RFC 3339), durations are whole milliseconds, ids are text.

    POST /v1/enrol    Enrol   -> Enrolled        no credential; one-time code
    POST /v1/acts     Push    -> Pushed          one word (an ask) or a batch, in sequence order
    GET  /v1/feed     ?cursor=&wait_s=&incarnation=  -> FeedPage     long poll, at most 25 s
    POST /v1/health   Health  -> Envelope        heartbeat, also the probe that leads back to online mode
    POST /v1/staff-entry  StaffAsk -> StaffTold  may this login open the kiosk's staff page

Credential: `Authorization: Bearer <JWT>`, EdDSA (Ed25519), claims iss = kiosk id, iat, exp (≤ 5 minutes), jti, and
bh = base64url(SHA-256(body)). A 401 with code `token_time` carries central's clock; the client retries once.
Any other answer than a well-formed one that names the act's id is no verdict.
"""

import base64
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold, HoldState
from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Verdict, Word
from kiosk.domain.lending import (
    HoldQueue,
    Item,
    ItemState,
    Loan,
    LoanRule,
    Membership,
    MissingItem,
    PatronRule,
    Policy,
    Standing,
)
from kiosk.domain.staff import Entry, StaffId
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId, Reason, WorkId

VERSION = 1
MAX_WORDS = 500
"""Words in one push."""
MAX_ENTRIES = 2000
"""Entries in one feed page."""
MAX_WAIT_S = 25


class Farewell(StrEnum):
    """How a kiosk takes leave of central."""

    RETIRE = "retire"
    """It tells what it has not told yet, then forgets everything."""
    STOLEN = "stolen"
    """It forgets everything at once; what it had not told stays in a file that only central can open."""


class Order(Struct, frozen=True, kw_only=True):
    """Central tells a kiosk to take leave; only with its signature, so that nobody on the way can wipe a kiosk."""

    farewell: Farewell
    signature: str
    """Ed25519 by central's signing key over `farewell_said`, base64url without padding."""


def farewell_said(kiosk: str, public_key: str, farewell: Farewell) -> bytes:
    """What the order's signature is of. The kiosk's own key stands in it: an order ends one enrolment, not the next."""
    return "\n".join(("shelfpoint farewell 1", kiosk, public_key, farewell)).encode()


class Envelope(Struct, frozen=True, kw_only=True):
    """In every answer of central."""

    version: int = VERSION
    epoch: str
    now: datetime
    held_through: int = 0
    order: Order | None = None


class Fault(Struct, frozen=True, kw_only=True):
    """An answer that is no answer: HTTP status ≥ 400. `code` is constant, `detail` is for people."""

    code: str
    detail: str = ""
    now: datetime | None = None
    order: Order | None = None


class Enrol(Struct, frozen=True, kw_only=True):
    """A new kiosk introduces itself."""

    version: int = VERSION
    code: str
    public_key: str
    """Ed25519, raw 32 bytes, base64url without padding."""
    sealing_key: str = ""
    """X25519, raw 32 bytes, base64url without padding: what is sealed to this kiosk."""
    records_of: str = ""
    """The kiosk whose records lie on this machine, if any: under another name they would not be told rightly."""


class Enrolled(Struct, frozen=True, kw_only=True):
    """Central knows the kiosk."""

    version: int = VERSION
    epoch: str
    now: datetime
    kiosk: str
    branch: str
    index_key: str
    """32 bytes, base64url without padding; never stored in a database at the kiosk."""
    signing_key: str = ""
    """Central's Ed25519 public key, raw, base64url without padding: signs parcels and orders to wipe."""
    sealing_key: str = ""
    """Central's X25519 public key, raw, base64url without padding: what only central may read is sealed to it."""


class WireWord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One word of one act."""

    sequence: int
    word: Word
    act: str
    deed: Deed
    membership: str | None = None
    item: str
    branch: str
    happened_at: datetime
    clock_offset_ms: int | None = None
    mode: Mode
    replica_age_ms: int | None = None
    policy_version: str | None = None
    due_at: datetime | None = None
    request_sequence: int | None = None
    hold: str | None = None
    """Return: for which hold the copy was set aside. Cancelling: which hold."""
    heard_at: datetime | None = None
    """Central's clock as the kiosk had last heard it before the act."""
    doubtful: bool = False
    """The kiosk's clock could not be believed, and still cannot be corrected."""
    staff: str | None = None
    """Staff entry: who, by opaque id."""
    entry: Entry | None = None
    """Staff entry: how it ended."""
    strange: str = ""
    """What of it the reader did not know; put in by the reader (`tolerant`), never sent."""

    @classmethod
    def of(cls, spoken: Spoken) -> "WireWord":
        act = spoken.act
        return cls(
            sequence=spoken.sequence,
            word=spoken.word,
            act=act.id,
            deed=act.deed,
            membership=act.membership,
            item=act.item,
            branch=act.branch,
            happened_at=act.happened_at,
            clock_offset_ms=_ms(act.clock_offset),
            mode=act.mode,
            replica_age_ms=_ms(act.replica_age),
            policy_version=act.policy_version,
            due_at=act.due_at,
            request_sequence=spoken.request_sequence,
            hold=act.hold,
            heard_at=act.heard_at,
            doubtful=act.doubtful,
            staff=act.staff,
            entry=act.entry,
        )

    def spoken(self) -> Spoken:
        return Spoken(
            sequence=self.sequence,
            word=self.word,
            request_sequence=self.request_sequence,
            act=Act(
                id=ActId(self.act),
                deed=self.deed,
                membership=None if self.membership is None else MembershipId(self.membership),
                item=ItemId(self.item),
                branch=BranchId(self.branch),
                happened_at=self.happened_at,
                clock_offset=_span(self.clock_offset_ms),
                mode=self.mode,
                replica_age=_span(self.replica_age_ms),
                policy_version=self.policy_version,
                due_at=self.due_at,
                hold=None if self.hold is None else ActId(self.hold),
                heard_at=self.heard_at,
                doubtful=self.doubtful,
                staff=None if self.staff is None else StaffId(self.staff),
                entry=self.entry,
            ),
        )


class Push(Struct, frozen=True, kw_only=True):
    """Words of one incarnation, in sequence order."""

    version: int = VERSION
    incarnation: str
    words: list[WireWord]


class StaffAsk(Struct, frozen=True, kw_only=True):
    """Staff want to open this kiosk's staff page; central looks at the password itself."""

    version: int = VERSION
    login: Annotated[str, Meta(max_length=64)]
    password: Annotated[str, Meta(max_length=128)]


class StaffTold(Envelope, frozen=True, kw_only=True):
    """How it ended. The try reaches the audit as an act of the kiosk, not by this call."""

    entry: Entry
    staff: str | None = None
    """Who, if let in."""


class WireVerdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What central said of one word."""

    act: str
    word: Word
    outcome: Outcome
    reason: Reason | None = None
    details: dict[str, str | int] = field(default_factory=dict)
    due_at: datetime | None = None
    epoch: str
    position: int
    hold: str | None = None
    """Return: for which hold the copy is to be set aside."""

    @classmethod
    def of(cls, verdict: Verdict) -> "WireVerdict":
        return cls(
            act=verdict.act_id,
            word=verdict.word,
            outcome=verdict.outcome,
            reason=verdict.reason,
            details=dict(verdict.details),
            due_at=verdict.due_at,
            epoch=verdict.epoch,
            position=verdict.position,
            hold=verdict.hold,
        )

    def verdict(self) -> Verdict:
        return Verdict(
            act_id=ActId(self.act),
            word=self.word,
            outcome=self.outcome,
            reason=self.reason,
            details=MappingProxyType(dict(self.details)),
            due_at=self.due_at,
            epoch=self.epoch,
            position=self.position,
            hold=None if self.hold is None else ActId(self.hold),
        )


class Pushed(Envelope, frozen=True, kw_only=True):
    """One verdict for each word of the push."""

    verdicts: list[WireVerdict]

    def said(self) -> list[Verdict]:
        """What central said. A verdict repeated from an older epoch was held before this one began: any feed has it."""
        return [
            verdict if verdict.epoch == self.epoch else replace(verdict, epoch=self.epoch, position=0)
            for verdict in (one.verdict() for one in self.verdicts)
        ]


class Health(Struct, frozen=True, kw_only=True):
    """How a kiosk is."""

    version: int = VERSION
    incarnation: str
    program: str
    queue_length: int
    queue_age_ms: int | None = None
    replica_age_ms: int | None = None
    clock_offset_ms: int | None = None
    devices: dict[str, str] = field(default_factory=dict)
    disk_free_mb: int | None = None
    """Room left where its records lie."""
    trouble: str = ""
    """Why it serves nobody now (disk_full, damaged ...); empty while it serves."""
    filling_percent: int | None = None
    """How much of a snapshot of the feed it has; None while it is not taking one."""


# --- feed: state per key; `gone` entries are tombstones -----------------------------------------------------------


class MembershipEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="membership"):
    id: str
    category: str
    standing: Standing = Standing.ACTIVE
    display_name: str = ""
    expires_on: date | None = None
    suspended_until: date | None = None
    owed: int = 0
    holds_suspended_until: date | None = None

    def membership(self) -> Membership:
        return Membership(
            id=MembershipId(self.id),
            category=self.category,
            standing=self.standing,
            display_name=self.display_name,
            expires_on=self.expires_on,
            suspended_until=self.suspended_until,
            owed=self.owed,
            holds_suspended_until=self.holds_suspended_until,
        )


class CardEntry(Struct, frozen=True, kw_only=True, tag_field="type", tag="card"):
    """A card number as this kiosk's keyed hash: HMAC-SHA256(index key, spelled number in UTF-8), hex."""

    index: str
    membership: str
    kind: CardKind


class ItemEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="item"):
    id: str
    title: str
    author: str = ""
    item_type: str = "book"
    branch: str
    state: ItemState = ItemState.IN_SERVICE
    desk_only: bool = False
    reserved_for: str | None = None
    desensitise: bool = False
    work: str = ""
    """What its copies share; empty: a work of its own."""

    def item(self) -> Item:
        return Item(
            id=ItemId(self.id),
            title=self.title,
            author=self.author,
            item_type=self.item_type,
            branch=BranchId(self.branch),
            state=self.state,
            desk_only=self.desk_only,
            reserved_for=None if self.reserved_for is None else MembershipId(self.reserved_for),
            desensitise=self.desensitise,
            work=WorkId(self.work or self.id),
        )


class LoanEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="loan"):
    """An open loan, keyed by the act that made it."""

    act: str
    membership: str
    item: str
    lent_at: datetime
    due_at: datetime
    renewals: int = 0

    def loan(self) -> Loan:
        return Loan(
            act_id=ActId(self.act),
            membership=MembershipId(self.membership),
            item=ItemId(self.item),
            lent_at=self.lent_at,
            due_at=self.due_at,
            renewals=self.renewals,
        )


class HoldEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="hold"):
    """An open hold, keyed by the act that placed it; places in the queue are counted where they are shown."""

    id: str
    membership: str
    work: str
    asked: str
    branch: str
    placed_at: datetime
    state: HoldState = HoldState.WAITING
    item: str | None = None
    ready_until: datetime | None = None

    def hold(self) -> Hold:
        return Hold(
            id=ActId(self.id),
            membership=MembershipId(self.membership),
            asked=ItemId(self.asked),
            branch=BranchId(self.branch),
            placed_at=self.placed_at,
            state=self.state,
            item=None if self.item is None else ItemId(self.item),
            ready_until=self.ready_until,
        )


class DayNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a single day is closed or open, and which list said so."""

    reason: str = ""
    """In a person's words."""
    source: str = ""
    """`office` (the government's yearly calendar), `setup` (the library's own file); empty: by hand."""


class CalendarEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="calendar"):
    """A branch: its name, where it is, and when it is open."""

    branch: str
    name: str = ""
    closed_weekdays: list[int] = field(default_factory=list)
    """What counts for due dates; follows from `hours` where those are known."""
    closed_days: list[date] = field(default_factory=list)
    open_days: list[date] = field(default_factory=list)
    library: str = ""
    """Code of the library it belongs to; empty where nobody has said so yet."""
    address: str = ""
    telephone: str = ""
    hours: list[str] = field(default_factory=list)
    """From Monday to Sunday as `kiosk.domain.opening` spells them; empty where they are not known."""
    notes: dict[str, DayNote] = field(default_factory=dict)
    """Of single days, by ISO date."""
    given_up: bool = False
    """Closed for good."""

    def calendar(self) -> Calendar:
        return Calendar(
            closed_weekdays=frozenset(self.closed_weekdays),
            closed_days=frozenset(self.closed_days),
            open_days=frozenset(self.open_days),
            given_up=self.given_up,
        )


class LibraryEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="library"):
    """A library that branches belong to."""

    code: str
    name: str
    kind: str = "public"
    """`public`, `school` or `agency`; as text, so that a kiosk passes over nothing for a kind that it does not know."""


class TermEntry(Struct, frozen=True, kw_only=True, tag_field="type", tag="term"):
    """A word of the library: a patron category or an item type, as policies and records name it and as people read it."""

    key: str
    """`category:CODE` or `item_type:CODE`."""
    zh: str
    en: str


class WirePatronRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    category: str
    quota: int
    overdue_blocks: bool = True
    owed_limit: int = 0
    holds: int = 0


class WireLoanRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    category: str = "*"
    item_type: str = "*"
    branch: str = "*"
    loan_days: int
    renewals: int = 0
    desk_only: bool = False
    for_loan: bool = True


class PolicyEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="policy"):
    """One version of the rules; the same shape as a file in `config/presets`."""

    policy_version: str
    patron_rules: list[WirePatronRule]
    loan_rules: list[WireLoanRule]
    renew_within: int | None = None
    missing_item: MissingItem = MissingItem.TO_DESK
    replica_max_age_hours: int = 168
    hold_days: int = 7
    hold_queue: HoldQueue = HoldQueue.STRICT
    hold_on_shelf: bool = False
    staff_max_age_hours: int = 168
    """A kiosk lets staff in by knowledge no older than this while central is away."""
    unlink_after_days: int = 90
    """Central forgets who had an item so many days after its return."""

    def policy(self) -> Policy:
        return Policy(
            version=self.policy_version,
            patron_rules=tuple(
                PatronRule(
                    category=rule.category,
                    quota=rule.quota,
                    overdue_blocks=rule.overdue_blocks,
                    owed_limit=rule.owed_limit,
                    holds=rule.holds,
                )
                for rule in self.patron_rules
            ),
            loan_rules=tuple(
                LoanRule(
                    category=rule.category,
                    item_type=rule.item_type,
                    branch=rule.branch,
                    loan_days=rule.loan_days,
                    renewals=rule.renewals,
                    desk_only=rule.desk_only,
                    for_loan=rule.for_loan,
                )
                for rule in self.loan_rules
            ),
            renew_within=self.renew_within,
            missing_item=self.missing_item,
            replica_max_age=timedelta(hours=self.replica_max_age_hours),
            hold_days=self.hold_days,
            hold_queue=self.hold_queue,
            hold_on_shelf=self.hold_on_shelf,
            staff_max_age=timedelta(hours=self.staff_max_age_hours),
        )


class WireGrant(Struct, frozen=True, kw_only=True):
    """A role within a scope (`all`, `branch:CODE`); both as text, so that a kiosk passes over a role it does not know."""

    role: str
    scope: str


class StaffEntry(Struct, frozen=True, kw_only=True, tag_field="type", tag="staff"):
    """A member of staff whose grants reach this kiosk's branch, to be known while central is away."""

    id: str
    """Opaque."""
    index: str
    """Of the login, like a card's: HMAC-SHA256(index key, "staff " + login), hex."""
    verifier: str
    """Of the password: argon2id, PHC string."""
    grants: list[WireGrant]
    """Those that reach this branch."""


class GoneEntry(Struct, frozen=True, kw_only=True, tag_field="type", tag="gone"):
    """A tombstone: this key is no more."""

    kind: Literal["membership", "card", "item", "loan", "calendar", "policy", "hold", "staff", "library", "term"]
    key: str
    """Membership id, card index, item id, act id, branch, policy version, hold or staff id, library, or a term's key."""


StateEntry = (
    MembershipEntry
    | CardEntry
    | ItemEntry
    | LoanEntry
    | HoldEntry
    | CalendarEntry
    | PolicyEntry
    | StaffEntry
    | LibraryEntry
    | TermEntry
)
FeedEntry = StateEntry | GoneEntry


class FeedPage(Envelope, frozen=True, kw_only=True):
    """Entries after the cursor, oldest change first; a key appears with its newest state only."""

    cursor: str
    """Opaque; send it with the next request."""
    position: int
    """The replica is here once this page is applied."""
    more: bool
    """More is ready now."""
    snapshot: bool = False
    """This page is part of a fresh snapshot (first fill, new epoch, or a cursor that is too old)."""
    snapshot_begins: bool = False
    """First page of it: what was known before and is not named by the snapshot is no more."""
    entries: list[FeedEntry]
    read: int = 0
    """Of the way to `goal`, both as feed positions: so much is behind the kiosk once this page is applied."""
    goal: int = 0
    """Where the snapshot ends, or the head of the feed; 0 from a central that does not tell."""
    passed_over: int = 0
    """Entries that could not be read as they were told; counted by the reader (`tolerant`), never sent."""


def unpadded(raw: bytes) -> str:
    """As the wire writes bytes: base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    """And back. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _ms(span: timedelta | None) -> int | None:
    return None if span is None else round(span / timedelta(milliseconds=1))


def _span(ms: int | None) -> timedelta | None:
    return None if ms is None else timedelta(milliseconds=ms)
