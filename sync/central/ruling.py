"""What a judge is told of one act, and what a ruling says. Pure values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from kiosk.domain.calendar import Calendar
from kiosk.domain.cards import Binding
from kiosk.domain.holds import Copy, HoldSettlement, WorkState
from kiosk.domain.journal import Act, Deed, Outcome, Verdict
from kiosk.domain.lending import Item, Loan, Membership, Policy
from kiosk.domain.reconcile import Held, ItemEvent, Settlement, Span
from kiosk.domain.values import ActId, Detail, IncarnationId, KioskId, Reason, Refused

NEEDS_PERSON = frozenset(
    {
        Reason.MEMBERSHIP_UNKNOWN,
        Reason.MEMBERSHIP_BLOCKED,
        Reason.MEMBERSHIP_EXPIRED,
        Reason.MEMBERSHIP_SUSPENDED,
        Reason.SUSPENDED_WITHOUT_END,
        Reason.MEMBERSHIP_PENDING,
        Reason.CARD_NOT_FOUND,  # a closed membership
        Reason.CARD_MEANT_ANOTHER,
        Reason.CARD_WAS_VOID,
        Reason.PROMISED_TOO_LONG,
        Reason.ITEM_UNKNOWN,
        Reason.ITEM_RESERVED,
        Reason.ITEM_WITHDRAWN,
        Reason.ITEM_MISSING,
        Reason.LENT_TO_TWO,
        Reason.HOLD_COPY_STRAY,
        Reason.ORDER_UNKNOWN,
        Reason.ENTERED_AFTER_REFUSAL,
        Reason.FACT_AFTER_WITHDRAWAL,
        Reason.WITHDRAWAL_AFTER_FACT,
        Reason.CANNOT_BE_JUDGED,
    }
)
"""A fact with one of these becomes a case; with any other reason it gets a note."""


SHOWS_ITEM = frozenset({Deed.CHECKOUT, Deed.RETURN})
"""Whoever did this had the copy at hand."""


class Unjudgeable(Exception):
    """The word makes no sense (a checkout without a patron, an act told with other contents). It becomes a case."""


def placed(act: Act, now: datetime) -> datetime:
    """When it happened, as well as central knows: not before its kiosk had last heard of central, not later than now.

    So whatever a kiosk had been told of stays before what it did then, however wrong its clock was.
    """
    return min(act.corrected_at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWork:
    """The work of the item, where somebody waits for it or asks to."""

    events: Mapping[ActId, ItemEvent]
    """All standing events of all copies; where `before` is given, those after it."""
    holds: HoldSettlement
    """What they amount to."""
    copies: Sequence[Copy]
    """All copies and who has them."""
    open_holds: int
    """How many works the membership waits for, all in all."""
    before: WorkState | None = None
    """How the holds stood before all of `events`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows around one act."""

    kiosk: KioskId
    """Who speaks."""
    incarnation: IncarnationId
    """From which log."""
    held: Held
    """Under this act's id."""
    standing_event: ItemEvent | None
    """This act's event, if it counts."""
    last: Verdict | None
    """The newest verdict of this act, for a word that changes nothing."""
    membership: Membership | None
    """None if unknown or not named."""
    item: Item | None
    """None if unknown."""
    events: Mapping[ActId, ItemEvent]
    """All standing events of the item, of a long history those that this act can concern."""
    spans: Sequence[Span]
    """What they amount to, oldest first."""
    open_loans: Sequence[Loan]
    """Of the membership."""
    policy: Policy
    """The current one."""
    calendar: Calendar
    """Of the act's branch."""
    now: datetime
    """Central's clock: nothing that was told can have happened later."""
    work: KnownWork | None = None
    """None where nobody ever waited."""
    bindings: Sequence[Binding] = ()
    """All that the number of the act's card was ever bound to; empty where nobody knows the card."""
    longest_loan: int | None = None
    """The most days that any rule gives, of this policy or one before it; None without rules."""
    lent_before: bool = False
    """The item was lent before all of `events`."""
    lent: Span | None = None
    """The loan that was open before all of `events`."""

    def placed(self, act: Act) -> datetime:
        """See `placed`."""
        return placed(act, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one word leads to."""

    outcome: Outcome
    """For the verdict."""
    reason: Reason | None = None
    """For the verdict."""
    details: Mapping[str, Detail] = field(default_factory=lambda: MappingProxyType({}))
    """For the verdict."""
    due_at: datetime | None = None
    """For the verdict."""
    held: Held
    """Under the act's id from now on."""
    event: ItemEvent | None = None
    """The act's standing event from now on."""
    settlement: Settlement | None = None
    """Of the item, if its events changed."""
    cases: tuple[Refused, ...] = ()
    """Cases of this act alone; conflicts of two acts follow from the settlement."""
    like: int | None = None
    """Feed position to repeat, if nothing changed."""
    holds: HoldSettlement | None = None
    """Of the work, if its events changed."""
    hold: ActId | None = None
    """For the verdict: for which hold a returned copy is set aside."""
