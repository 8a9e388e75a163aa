"""What central says of one word, by the rules of `kiosk.domain` and nothing else. Pure: no database, no clock.

A request is judged like at the kiosk and may be refused. A fact is entered whatever the rules say of it; the same rules
only tell whether it is plain, deserves a note, or needs a person. Which of the two depends on the reason alone, and
every reason that needs a person follows from the records (membership, item) or from the settled events of the item,
never from what happened to arrive first: any order of arrival opens the same cases. Notes may differ; they are history.

An accepted request is newer than every event of its item that central knows, because central let it happen now; if a
kiosk's clock says otherwise by a few seconds, the event is moved up behind the newest. A fact keeps its own time, within
what is possible: not before the moment at which its kiosk had last heard central's clock, not after it is heard of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from kiosk.domain.calendar import due_at, end_of_day, library_day
from kiosk.domain.cards import misused
from kiosk.domain.holds import HOLD_DEEDS, others_wait
from kiosk.domain.journal import Act, Deed, Outcome, Spoken, Word
from kiosk.domain.lending import (
    ANY,
    ItemState,
    Lent,
    Loan,
    Renewed,
    Standing,
    as_seen,
    may_borrow_at_all,
    may_lend,
    may_renew,
    take_back,
)
from kiosk.domain.promises import promised_too_long
from kiosk.domain.reconcile import (
    JOIN,
    Held,
    ItemEvent,
    Judgement,
    Settlement,
    Span,
    held_after,
    settle,
)
from kiosk.domain.values import ActId, Detail, MembershipId, Reason, Refused
from sync.central.judge_holds import CENTRAL, asked, routed, with_holds, without_hold
from sync.central.ruling import NEEDS_PERSON, SHOWS_ITEM, Known, Ruling, Unjudgeable

_TICK = timedelta(microseconds=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a kiosk that had never heard of central."""


def judge(spoken: Spoken, known: Known) -> Ruling:
    """The ruling on one word that was never judged before. Raises Unjudgeable."""
    ruling = _judge(spoken, known)
    return ruling if spoken.act.deed.of_the_kiosk else with_holds(spoken.act, _seen(spoken.act, known), ruling)


def _judge(spoken: Spoken, known: Known) -> Ruling:
    act, word = spoken.act, spoken.word
    if act.deed.of_the_kiosk:
        return _of_the_kiosk(spoken)
    if act.deed not in (Deed.RETURN, Deed.EXPIRE_HOLD) and act.membership is None:
        raise Unjudgeable(f"a {act.deed} without a membership")
    if act.deed is Deed.EXPIRE_HOLD and known.kiosk != CENTRAL:
        raise Unjudgeable("only central says that a hold has expired")
    if word is Word.WITHDRAWAL and act.deed is Deed.RETURN:
        return _fault(known, Reason.WITHDRAWAL_AFTER_FACT)  # the book is in the machine
    judgement = JOIN[known.held, word]
    match judgement:
        case Judgement.JUDGE_REQUEST:
            return _request(spoken, known)
        case Judgement.JUDGE_FACT:
            return _fact(spoken, known)
        case Judgement.ENTER_WITH_CASE:
            before = known.last.reason if known.last is not None and known.last.reason is not None else "refused"
            return _fact(spoken, known, Refused(Reason.ENTERED_AFTER_REFUSAL, {"reason": str(before)}))
        case Judgement.SAME_LOAN:
            return _same_loan(act, known)
        case Judgement.SAME_VERDICT:
            return _same_verdict(known)
        case Judgement.CANCEL | Judgement.KEEP_CANCELLED_ROW | Judgement.STAY_CANCELLED:
            return _cancel(spoken, known)
        case Judgement.KIOSK_FAULT:
            return _fault(known, Reason.FACT_AFTER_WITHDRAWAL if word is Word.FACT else Reason.WITHDRAWAL_AFTER_FACT)
        case _ as never:
            assert_never(never)


# --- words that change little -------------------------------------------------------------------------------------


def _of_the_kiosk(spoken: Spoken) -> Ruling:
    """It happened at the kiosk, and there is nothing to judge: the ledger writes it into the audit."""
    said = spoken.act.entry if spoken.act.deed is Deed.STAFF_ENTRY else spoken.act.staff
    if spoken.word is not Word.FACT or said is None:
        raise Unjudgeable(f"{spoken.act.deed} is a fact that says how it ended, or who did it")
    return Ruling(outcome=Outcome.ACCEPTED, held=Held.FACT)


def _fault(known: Known, reason: Reason) -> Ruling:
    return Ruling(
        outcome=Outcome.CASE, reason=reason, held=known.held, event=known.standing_event, cases=(Refused(reason),)
    )


def _same_verdict(known: Known) -> Ruling:
    if known.last is None:
        raise Unjudgeable("held, but no word of it was ever judged")
    last = known.last
    return Ruling(
        outcome=last.outcome,
        reason=last.reason,
        details=last.details,
        due_at=last.due_at,
        held=known.held,
        event=known.standing_event,
        like=last.position,
        hold=last.hold,
    )


def _same_loan(act: Act, known: Known) -> Ruling:
    """The later of both due dates; the event keeps its place."""
    event = known.standing_event
    if event is None:
        raise Unjudgeable("accepted, but it does not count")
    settlement = None
    if act.due_at is not None and (event.due_at is None or act.due_at > event.due_at):
        event = replace(event, due_at=act.due_at)
        settlement = settle({**known.events, act.id: event}.values(), known.lent)
    spoken_of = settlement or settle(known.events.values(), known.lent)
    conflict, promise = _in_conflict(act.id, spoken_of), _promise(act, known)
    reason = conflict or (None if promise is None else promise.reason)
    return Ruling(
        outcome=Outcome.ACCEPTED if reason is None else Outcome.CASE,
        reason=reason,
        details=promise.details if promise is not None and conflict is None else {},
        due_at=event.due_at,
        held=Held.FACT,
        event=event,
        settlement=settlement,
        cases=() if promise is None else (promise,),
    )


def _cancel(spoken: Spoken, known: Known) -> Ruling:
    """Takes only this act's event away; what others did since stays as it is."""
    settlement = None
    if known.standing_event is not None:
        others = [event for id_, event in known.events.items() if id_ != spoken.act.id]
        settlement = settle(others, known.lent)
    return Ruling(
        outcome=Outcome.CANCELLED,
        reason=Reason.CANCELLED if spoken.word is Word.REQUEST else None,
        held=held_after(known.held, spoken.word, Outcome.CANCELLED),
        settlement=settlement,
    )


# --- requests -----------------------------------------------------------------------------------------------------


def _request(spoken: Spoken, known: Known) -> Ruling:
    act = spoken.act
    newest = max((event.at for event in known.events.values()), default=None)
    placed = known.placed(act)
    at = placed if newest is None else max(placed, newest + _TICK)
    holder = next((_loan(span, act) for span in known.spans if span.ended_by is None), None)
    answer: Lent | Renewed | Refused | None
    if _card(act, known, known.now) is not None:
        return Ruling(outcome=Outcome.REFUSED, reason=Reason.CARD_NOT_FOUND, held=Held.REFUSED)
    match act.deed:
        case Deed.PLACE_HOLD | Deed.CANCEL_HOLD | Deed.EXPIRE_HOLD:
            answer = asked(act, known)
        case Deed.STAFF_ENTRY | Deed.CLOCK_CONFIRMED:
            raise Unjudgeable(f"{act.deed} is no request")
        case Deed.RETURN:
            return _entered(spoken, known, _event(spoken, known, at, None), _objections(act, known)[0])
        case Deed.CHECKOUT:
            if known.membership is None:
                answer = Refused(Reason.MEMBERSHIP_UNKNOWN)
            elif known.item is None:
                answer = Refused(Reason.ITEM_UNKNOWN)
            else:
                answer = may_lend(
                    membership=known.membership,
                    item=known.item,
                    holder=holder,
                    open_loans=known.open_loans,
                    policy=known.policy,
                    calendar=known.calendar,
                    branch=act.branch,
                    now=placed,
                )
        case Deed.RENEW:
            if known.membership is None:
                answer = Refused(Reason.MEMBERSHIP_UNKNOWN)
            elif known.item is None:
                answer = Refused(Reason.ITEM_UNKNOWN)
            elif holder is None:
                answer = Refused(Reason.ITEM_NOT_ON_LOAN)
            elif holder.membership != known.membership.id:
                answer = Refused(Reason.ITEM_ON_LOAN)
            else:
                answer = may_renew(
                    membership=known.membership,
                    item=known.item,
                    loan=holder,
                    open_loans=known.open_loans,
                    policy=known.policy,
                    calendar=known.calendar,
                    branch=act.branch,
                    now=placed,
                    others_wait=known.work is not None and others_wait(known.work.holds.holds, known.membership.id),
                )
    if isinstance(answer, Refused):
        return Ruling(outcome=Outcome.REFUSED, reason=answer.reason, details=answer.details, held=Held.REFUSED)
    due = None if answer is None else answer.due_at
    event = _event(spoken, known, at, due)
    return Ruling(
        outcome=Outcome.ACCEPTED,
        due_at=due,
        held=Held.ACCEPTED,
        event=event,
        settlement=settle({**known.events, act.id: event}.values(), known.lent),
    )


# --- facts --------------------------------------------------------------------------------------------------------


def _fact(spoken: Spoken, known: Known, first: Refused | None = None) -> Ruling:
    """Enters what happened; `first` is a case that is known already. The promised date is never shortened."""
    act = spoken.act
    objections, computed = _objections(act, known)
    dates = [due for due in (act.due_at, computed) if due is not None]
    due = max(dates) if dates else None
    if act.deed is Deed.CHECKOUT and due is None:
        due = _due_by_bare_rule(act, known)
    said = objections if first is None else [first, *objections]
    return _entered(spoken, known, _event(spoken, known, known.placed(act), due), said)


def _entered(spoken: Spoken, known: Known, event: ItemEvent, objections: Sequence[Refused]) -> Ruling:
    """The ruling for an event that goes in whatever is said of it: every fact, and every return."""
    act = spoken.act
    settlement = settle({**known.events, act.id: event}.values(), known.lent)
    event = routed(event, act, _seen(act, known), settlement)
    cases = tuple(one for one in objections if one.reason in NEEDS_PERSON)
    said = [*objections, *_effects(act, known, event, settlement)]
    conflict = _in_conflict(act.id, settlement)
    spoken_of: Refused | None
    if conflict is not None:
        outcome, spoken_of = Outcome.CASE, Refused(conflict)
    elif cases:
        outcome, spoken_of = Outcome.CASE, cases[0]
    elif said:
        outcome, spoken_of = Outcome.NOTED, said[0]
    else:
        outcome, spoken_of = Outcome.ACCEPTED, None
    return Ruling(
        outcome=outcome,
        reason=None if spoken_of is None else spoken_of.reason,
        details={} if spoken_of is None else _repeatable(spoken_of),
        due_at=event.due_at,
        held=held_after(known.held, spoken.word, outcome),
        event=event,
        settlement=settlement,
        cases=cases,
    )


def _objections(act: Act, known: Known) -> tuple[list[Refused], datetime | None]:
    """What the rules have against it, each floor asked apart so that a lesser reason hides no greater one.

    Also the due date by today's rules, where they give one.
    """
    said: list[Refused] = []
    computed: datetime | None = None
    used_at = known.now if act.doubtful else known.placed(act)
    if (misuse := _card(act, known, used_at)) is not None:
        said.append(misuse)
    if (promise := _promise(act, known)) is not None:
        said.append(promise)
    if known.item is None:
        said.append(Refused(Reason.ITEM_UNKNOWN))
    if act.deed in (Deed.RETURN, Deed.EXPIRE_HOLD):
        return said, None
    if known.membership is None:
        said.insert(0, Refused(Reason.MEMBERSHIP_UNKNOWN))
        return said, None
    if act.deed in HOLD_DEEDS:
        return said, None
    item = without_hold(known)
    at, policy, membership = known.placed(act), known.policy, known.membership
    clean = replace(membership, standing=Standing.ACTIVE, expires_on=None, suspended_until=None, owed=0)
    others = [loan for loan in known.open_loans if loan.act_id != act.id]
    by_record = may_borrow_at_all(membership=membership, open_loans=(), policy=policy, now=at)
    by_loans = None
    if act.deed is Deed.CHECKOUT and by_record is None:
        by_loans = may_borrow_at_all(membership=clean, open_loans=others, policy=policy, now=at)
    by_item: Lent | Renewed | Refused | None = None
    if item is not None and act.deed is Deed.CHECKOUT:
        by_item = may_lend(
            membership=clean, item=item, holder=None, open_loans=(),
            policy=policy, calendar=known.calendar, branch=act.branch, now=at,
        )  # fmt: skip
    by_hold: Refused | None = None
    if item is not None and act.deed is Deed.RENEW:
        own = _span_at(known.spans, at)
        fresh = Loan(act_id=act.id, membership=membership.id, item=act.item, lent_at=at, due_at=at)
        plain, asked = (
            may_renew(
                membership=clean, item=item, loan=loan, open_loans=(),
                policy=policy, calendar=known.calendar, branch=act.branch, now=at,
            )
            for loan in (fresh, fresh if own is None else _loan(own, act))
        )  # fmt: skip
        if isinstance(plain, Refused) and plain.reason in NEEDS_PERSON:
            by_hold = plain  # whether or not the loan has been heard of, and whatever else is wrong with it
        if own is not None and own.membership == membership.id:
            by_item = asked
    for answer in (by_record, by_hold, by_item, by_loans):
        if isinstance(answer, Refused) and answer not in said:
            said.append(answer)
        elif isinstance(answer, Lent | Renewed):
            computed = answer.due_at
    return said, computed


def _card(act: Act, known: Known, at: datetime) -> Refused | None:
    """What is wrong with the card that the act was opened with."""
    if act.card is None or act.membership is None:
        return None
    return misused(act.card, act.membership, at, known.bindings)


def _promise(act: Act, known: Known) -> Refused | None:
    """What is wrong with the due date that the act promised."""
    if act.due_at is None or act.deed not in (Deed.CHECKOUT, Deed.RENEW):
        return None
    return promised_too_long(act.due_at, known.placed(act), known.longest_loan, known.calendar)


def _repeatable(said: Refused) -> Mapping[str, Detail]:
    """What the verdict says of it: kept for ever and told to the kiosk, so another membership is named in the case alone."""
    return {} if said.reason is Reason.CARD_MEANT_ANOTHER else said.details


def _effects(act: Act, known: Known, event: ItemEvent, settlement: Settlement) -> list[Refused]:
    """Notes, never cases: they depend on what had arrived when this was judged."""
    said: list[Refused] = []
    holder = settlement.holder
    if holder is not None and holder.act_id != act.id and holder.lent_at > event.at:
        said.append(Refused(Reason.OLDER_THAN_HOLDER))
    match act.deed:
        case Deed.CHECKOUT:
            before = next((span for span in settlement.spans if span.ended_by == act.id), None)
            if before is not None and before.membership == act.membership:
                said.append(Refused(Reason.ITEM_ON_LOAN_TO_YOU))
        case Deed.RETURN:
            closed = next((span for span in settlement.spans if span.ended_by == act.id), None)
            item = without_hold(known)
            missing = item is not None and item.state is ItemState.MISSING  # its last loan has mostly ended long ago
            if closed is None and not missing and (settlement.spans or known.lent_before):
                said.append(Refused(Reason.ALREADY_RETURNED))
            elif item is not None:
                taken = take_back(
                    item=item,
                    holder=None if closed is None else _loan(closed, act),
                    policy=known.policy,
                    now=event.at,
                )
                if taken.note is not None:
                    said.append(Refused(taken.note))
        case Deed.RENEW:
            was, now = (sum(span.renewals for span in spans) for spans in (known.spans, settlement.spans))
            if now == was and not said:
                said.append(Refused(Reason.ITEM_NOT_ON_LOAN if holder is None else Reason.ITEM_ON_LOAN))
    return said


def _due_by_bare_rule(act: Act, known: Known) -> datetime:
    """A date for a loan that promised none and whose patron or item nobody knows: by the rule for everybody."""
    item_type = ANY if known.item is None else known.item.item_type
    rule = known.policy.loan_rule(ANY, item_type, act.branch)
    if rule is None:
        return end_of_day(library_day(known.placed(act)))
    return due_at(known.placed(act), rule.loan_days, known.calendar)


# --- small things -------------------------------------------------------------------------------------------------


def _seen(act: Act, known: Known) -> Known:
    """With the item as it is once it was scanned: a missing one may be in service again, and then somebody waits for it."""
    if known.item is None or act.deed not in SHOWS_ITEM:
        return known
    return replace(known, item=as_seen(known.item, known.policy, known.placed(act)))


def _event(spoken: Spoken, known: Known, at: datetime, due: datetime | None) -> ItemEvent:
    """A last word takes the place of the request it settles, so that both orders of arrival give the same event."""
    doubtful = spoken.act.doubtful and spoken.word is Word.FACT
    return ItemEvent(
        act_id=spoken.act.id,
        deed=spoken.act.deed,
        membership=spoken.act.membership,
        at=at,
        kiosk=known.kiosk,
        incarnation=known.incarnation,
        sequence=spoken.request_sequence or spoken.sequence,
        due_at=due,
        item=spoken.act.item,
        branch=spoken.act.branch,
        hold=spoken.act.hold,
        doubtful_from=(spoken.act.earliest or _LONG_AGO) if doubtful else None,
        doubtful_until=known.now if doubtful else None,
    )


def _in_conflict(act: ActId, settlement: Settlement) -> Reason | None:
    return min((one.reason for one in settlement.open_conflicts if act in (one.earlier, one.later)), default=None)


def _span_at(spans: Sequence[Span], at: datetime) -> Span | None:
    """The loan that was open at this moment."""
    return next((one for one in spans if one.lent_at <= at and (one.ended_at is None or one.ended_at >= at)), None)


def _loan(span: Span, act: Act) -> Loan:
    return Loan(
        act_id=span.act_id,
        membership=MembershipId(span.membership or ""),
        item=act.item,
        lent_at=span.lent_at,
        due_at=span.due_at or span.lent_at,
        renewals=span.renewals,
    )
