"""How words of one act join, and how facts of one item settle, whatever order they arrive in.

`JOIN` is the table of DESIGN.md section 2; `settle` is a pure function of the *set* of an item's events, so any order
of arrival ends in the same holdings and the same open conflicts. Used by central's inbox; pure, no I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import assert_never

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, KioskId, MembershipId, Reason

_ANY_ITEM, _ANY_BRANCH = ItemId(""), BranchId("")


class Held(StrEnum):
    """What central already holds under an act's id."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"
    """A request was accepted."""
    REFUSED = "refused"
    """A request was refused."""
    CANCELLED = "cancelled"
    """It was withdrawn."""
    FACT = "fact"
    """It happened."""


class Judgement(StrEnum):
    """What is to be done with a word."""

    JUDGE_REQUEST = "judge_request"
    """By the rules; may be refused."""
    JUDGE_FACT = "judge_fact"
    """Enter it; conflicts become a note or a case."""
    SAME_VERDICT = "same_verdict"
    """Nothing changes; say what was said."""
    SAME_LOAN = "same_loan"
    """The accepted request did happen: the same loan, with the later of both due dates."""
    ENTER_WITH_CASE = "enter_with_case"
    """It happened although the request was refused: enter it, and a person looks at it."""
    KEEP_CANCELLED_ROW = "keep_cancelled_row"
    """Remember the id, so that a late request cannot revive it."""
    CANCEL = "cancel"
    """Take back only what this act did, if it is still open."""
    STAY_CANCELLED = "stay_cancelled"
    """A late request of a withdrawn act, or the withdrawal again."""
    KIOSK_FAULT = "kiosk_fault"
    """Fact after withdrawal or withdrawal after fact: changes nothing, a person looks at it."""


JOIN: Mapping[tuple[Held, Word], Judgement] = MappingProxyType(
    {
        (Held.NOTHING, Word.REQUEST): Judgement.JUDGE_REQUEST,
        (Held.NOTHING, Word.FACT): Judgement.JUDGE_FACT,
        (Held.NOTHING, Word.WITHDRAWAL): Judgement.KEEP_CANCELLED_ROW,
        (Held.ACCEPTED, Word.REQUEST): Judgement.SAME_VERDICT,
        (Held.ACCEPTED, Word.FACT): Judgement.SAME_LOAN,
        (Held.ACCEPTED, Word.WITHDRAWAL): Judgement.CANCEL,
        (Held.REFUSED, Word.REQUEST): Judgement.SAME_VERDICT,
        (Held.REFUSED, Word.FACT): Judgement.ENTER_WITH_CASE,
        (Held.REFUSED, Word.WITHDRAWAL): Judgement.KEEP_CANCELLED_ROW,
        (Held.CANCELLED, Word.REQUEST): Judgement.STAY_CANCELLED,
        (Held.CANCELLED, Word.FACT): Judgement.KIOSK_FAULT,
        (Held.CANCELLED, Word.WITHDRAWAL): Judgement.STAY_CANCELLED,
        (Held.FACT, Word.REQUEST): Judgement.SAME_VERDICT,
        (Held.FACT, Word.FACT): Judgement.SAME_VERDICT,
        (Held.FACT, Word.WITHDRAWAL): Judgement.KIOSK_FAULT,
    }
)


def held_after(held: Held, word: Word, outcome: Outcome) -> Held:
    """What is held once the word has been judged."""
    match JOIN[held, word]:
        case Judgement.JUDGE_REQUEST:
            return Held.ACCEPTED if outcome.stands else Held.REFUSED
        case Judgement.JUDGE_FACT | Judgement.SAME_LOAN | Judgement.ENTER_WITH_CASE:
            return Held.FACT
        case Judgement.KEEP_CANCELLED_ROW | Judgement.CANCEL | Judgement.STAY_CANCELLED:
            return Held.CANCELLED
        case Judgement.SAME_VERDICT | Judgement.KIOSK_FAULT:
            return held
        case _ as never:
            assert_never(never)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEvent:
    """One standing act (accepted request or fact, not cancelled) that concerns an item."""

    act_id: ActId
    """Of which act."""
    deed: Deed
    """What."""
    membership: MembershipId | None
    """Who; None for a return."""
    at: datetime
    """Corrected act time (aware UTC)."""
    kiosk: KioskId
    """Where it was recorded."""
    incarnation: IncarnationId
    """Which log there."""
    sequence: int
    """Place in that log; within one log this outranks the time."""
    due_at: datetime | None = None
    """Due date that counts for this act; of a return, until when the copy is kept ready."""
    item: ItemId = _ANY_ITEM
    """Which copy; asked where acts of several copies are looked at together."""
    branch: BranchId = _ANY_BRANCH
    """Where it happened."""
    hold: ActId | None = None
    """See `journal.Act.hold`."""
    doubtful_from: datetime | None = None
    """Of an act dated by a clock that could not be believed: it happened no earlier than this."""
    doubtful_until: datetime | None = None
    """And no later than this; both are None when its time is known."""

    def may_change_places_with(self, other: "ItemEvent") -> bool:
        """True when nobody can say which of the two came first, and it matters: one of them lends the item."""
        if (self.kiosk, self.incarnation) == (other.kiosk, other.incarnation):
            return False
        if Deed.CHECKOUT not in (self.deed, other.deed) or not (self.doubtful_until or other.doubtful_until):
            return False
        return self._earliest <= other._latest and other._earliest <= self._latest

    @property
    def _earliest(self) -> datetime:
        return self.doubtful_from or self.at

    @property
    def _latest(self) -> datetime:
        return self.doubtful_until or self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A loan with its beginning and, if it is over, its end."""

    act_id: ActId
    """The checkout."""
    membership: MembershipId | None
    """Who."""
    lent_at: datetime
    """Corrected time of the checkout."""
    due_at: datetime | None
    """The latest of the checkout's and its renewals' due dates."""
    renewals: int = 0
    """Renewals within this loan."""
    ended_by: ActId | None = None
    """The return, or the next checkout; None while open."""
    ended_at: datetime | None = None
    """Corrected time of the end."""


UNLINKED = "unlinked:"
"""Begins what stands in the place of a membership once nobody is to know any more who it was (C9)."""


def is_unlinked(membership: str | None) -> bool:
    """Nobody knows any more who this was; two such marks tell nothing about whether it was the same person."""
    return membership is not None and membership.startswith(UNLINKED)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two acts that cannot both be the whole truth; a case for a person while it lasts."""

    reason: Reason
    """LENT_TO_TWO, ORDER_UNKNOWN, and of holds ITEM_RESERVED, HOLD_COPY_STRAY."""
    earlier: ActId
    """The act that lost the item; of two whose order is unknown, the one put first; of a stray copy, the act that it came
    too late for."""
    later: ActId
    """The act that has it; of two whose order is unknown, the one put behind."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What all events of one item amount to."""

    spans: tuple[Span, ...]
    """Every loan, oldest first; at most the last one is open."""
    conflicts: frozenset[Conflict]
    """All of them."""
    came_back: frozenset[Conflict] = frozenset()
    """Those of `conflicts` that ask nothing of anybody any more: lent to two, and returned since."""

    @property
    def open_conflicts(self) -> frozenset[Conflict]:
        """Those that a person must look at."""
        return self.conflicts - self.came_back

    @property
    def holder(self) -> Span | None:
        """The open loan, if any."""
        return self.spans[-1] if self.spans and self.spans[-1].ended_by is None else None


def in_order(events: Iterable[ItemEvent]) -> list[ItemEvent]:
    """By corrected time; within one log by sequence, even if that kiosk's clock went back between two acts.

    A log that uses a sequence twice (a fault, a case elsewhere) has an order too, and it is not that of arrival.
    """
    return [event for _, event in in_order_with_times(events)]


def settle(events: Iterable[ItemEvent], lent: Span | None = None) -> Settlement:
    """Holdings and conflicts of one item from its set of standing events; `lent`: the loan that was open before all of them."""
    spans: list[Span] = [] if lent is None else [lent]
    ordered = in_order(events)
    conflicts = _of_unknown_order(ordered)
    for event in ordered:
        open_span = spans[-1] if spans and spans[-1].ended_by is None else None
        match event.deed:
            case Deed.CHECKOUT:
                if open_span is not None:
                    spans[-1] = _end(open_span, event)
                    if _differ(open_span.membership, event.membership):
                        conflicts.add(Conflict(Reason.LENT_TO_TWO, open_span.act_id, event.act_id))
                spans.append(
                    Span(act_id=event.act_id, membership=event.membership, lent_at=event.at, due_at=event.due_at)
                )
            case Deed.RETURN:
                if open_span is not None:
                    spans[-1] = _end(open_span, event)
            case Deed.RENEW:
                if open_span is not None and open_span.membership == event.membership:
                    spans[-1] = _renew(open_span, event)
            case Deed.PLACE_HOLD | Deed.CANCEL_HOLD | Deed.EXPIRE_HOLD | Deed.STAFF_ENTRY | Deed.CLOCK_CONFIRMED:
                pass  # moves no copy: `holds.settle_holds`
            case _ as never:
                assert_never(never)
    return Settlement(tuple(spans), frozenset(conflicts), _came_back(ordered, conflicts, lent))


def _came_back(ordered: Sequence[ItemEvent], conflicts: Collection[Conflict], lent: Span | None) -> frozenset[Conflict]:
    """Double lendings behind which the book was returned, whoever brought it; nothing where a time is doubtful, because
    then nobody can say what came first."""
    if not conflicts:
        return frozenset()
    sure = {event.act_id: number for number, event in enumerate(ordered) if event.doubtful_until is None}
    if lent is not None:
        sure[lent.act_id] = -1
    last = max((number for number in sure.values() if number >= 0 and ordered[number].deed is Deed.RETURN), default=-1)
    return frozenset(
        one
        for one in conflicts
        if one.reason is Reason.LENT_TO_TWO and one.earlier in sure and sure.get(one.later, last) < last
    )


def _of_unknown_order(ordered: Sequence[ItemEvent]) -> set[Conflict]:
    """Each act with a doubtful time, and every act of another log that may in truth be on its other side."""
    found: set[Conflict] = set()
    for place, event in enumerate(ordered):
        if event.doubtful_until is not None:
            before = (one for one in ordered[:place] if event.may_change_places_with(one))
            behind = (one for one in ordered[place + 1 :] if event.may_change_places_with(one))
            found.update(Conflict(Reason.ORDER_UNKNOWN, one.act_id, event.act_id) for one in before)
            found.update(Conflict(Reason.ORDER_UNKNOWN, event.act_id, one.act_id) for one in behind)
    return found


def _differ(one: MembershipId | None, other: MembershipId | None) -> bool:
    """What is unlinked is settled: nothing is in conflict with it."""
    return one != other and not is_unlinked(one) and not is_unlinked(other)


_BY_NUMBER = attrgetter("sequence", "at", "act_id")
_PLACE = itemgetter(0)


def in_order_with_times(events: Iterable[ItemEvent]) -> list[tuple[datetime, ItemEvent]]:
    """`in_order`, each event with the time it is placed at: its own, or a later one of its log before it."""
    latest: dict[tuple[KioskId, IncarnationId], datetime] = {}
    keyed = []
    for event in sorted(events, key=_BY_NUMBER):
        log = (event.kiosk, event.incarnation)
        at = latest[log] = max(event.at, latest.get(log, event.at))
        keyed.append(((at, event.kiosk, event.incarnation, event.sequence, event.act_id), event))
    return [(key[0], event) for key, event in sorted(keyed, key=_PLACE)]


def _end(span: Span, event: ItemEvent) -> Span:
    return Span(
        act_id=span.act_id,
        membership=span.membership,
        lent_at=span.lent_at,
        due_at=span.due_at,
        renewals=span.renewals,
        ended_by=event.act_id,
        ended_at=event.at,
    )


def _renew(span: Span, event: ItemEvent) -> Span:
    due = span.due_at
    if event.due_at is not None and (due is None or event.due_at > due):
        due = event.due_at
    return Span(
        act_id=span.act_id,
        membership=span.membership,
        lent_at=span.lent_at,
        due_at=due,
        renewals=span.renewals + 1,
    )
