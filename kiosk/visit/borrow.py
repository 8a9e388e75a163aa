"""Borrowing: scan, record, ask, show (DESIGN.md "One act"; B1, B3, B4).

Online the request is on disk before it is sent, and the verdict before it is shown. Without an answer the replica
decides: allowed makes it a fact (尚待確認), refused a withdrawal. Offline the fact is one commit.
"""

from dataclasses import replace
from datetime import timedelta

from kiosk.domain.calendar import days_left, end_of_day, library_day
from kiosk.domain.clock import JUMP
from kiosk.domain.holds import suspended_from_holds
from kiosk.domain.journal import Act, Deed, Mode, Verdict, Word
from kiosk.domain.lending import Lent, Loan, may_lend
from kiosk.domain.values import ActId, ItemId, MembershipId, Reason, Refused
from kiosk.ports import (
    AnswerMissing,
    Ask,
    CardArrived,
    CodeRead,
    Intent,
    Link,
    Message,
    Phase,
    Play,
    Record,
    Row,
    RowState,
    Settle,
    Sound,
    Touched,
    VerdictCame,
)
from kiosk.visit.state import Borrow, Rule, Step, Table, Visit, World
from kiosk.visit.steps import (
    hint,
    item_in,
    knows_nothing,
    named,
    new_act,
    open_account,
    open_done,
    refuse,
    title_of,
    with_row,
)

WAITING_LIMIT = 20
"""Scans kept while central is being asked; more than a basket holds is a stuck scanner."""


def scan(visit: Visit, event: CodeRead, world: World) -> Step:
    task = _task(visit)
    item = item_in(event, world)
    if isinstance(item, Refused):
        return hint(visit, item.reason)
    done = next((row for row in visit.rows if row.item == item and row.state is not RowState.REFUSED), None)
    if done is not None:
        if done.state is RowState.WORKING:
            return Step(visit)
        return hint(visit, Reason.ITEM_ON_LOAN_TO_YOU if done.hold is None else Reason.HOLD_ALREADY, done.title)
    if task.asking is not None:
        if len(task.waiting) >= WAITING_LIMIT:
            return Step(visit, (Play(Sound.NO),))
        row = Row(item=item, title=title_of(item, world), state=RowState.WORKING)
        return Step(replace(visit, task=replace(task, waiting=(*task.waiting, item)), rows=with_row(visit, row)))
    return _lend(replace(visit, message=None), item, world)


def knows_enough(world: World) -> Refused | None:
    """Why the replica may not decide alone (C2, DESIGN.md one act 7), or None."""
    policy = world.library.policy()
    age = world.library.age(world.wall)
    if policy is None or age is None:
        return knows_nothing(world)
    if age < -JUMP:
        age = _age_at_central(world)
    if not world.clock_trusted or age is None or age < -JUMP:
        return Refused(Reason.CLOCK_DOUBTFUL)
    if age > policy.replica_max_age:
        return Refused(Reason.REPLICA_TOO_OLD, {"days": age.days})
    return None


def _age_at_central(world: World) -> timedelta | None:
    """Of knowledge that came while the kiosk's clock was ahead; None if it never came from central."""
    told = world.library.heard_at()
    return None if told is None else world.now - told


def _judge(visit: Visit, item: ItemId, world: World) -> Lent | Refused:
    """What the kiosk decides by itself; never on knowledge of which a part cannot be read."""
    unread = world.library.unread()
    decision = _decided(visit, item, world)
    return decision if world.library.unread() == unread else Refused(Reason.REPLICA_DAMAGED)


def _decided(visit: Visit, item: ItemId, world: World) -> Lent | Refused:
    policy = world.library.policy()
    if policy is None:
        return knows_nothing(world)
    known = world.library.item(item)
    if known is None:
        return Refused(Reason.ITEM_UNKNOWN)
    membership = None if visit.membership is None else world.library.membership(visit.membership)
    if membership is None:
        return Refused(Reason.MEMBERSHIP_UNKNOWN)
    return may_lend(
        membership=membership,
        item=known,
        holder=world.library.holder(item),
        open_loans=(*world.library.open_loans(membership.id), *_not_yet_written(visit, membership.id, world)),
        policy=policy,
        calendar=world.library.calendar(world.settings.branch),
        branch=world.settings.branch,
        now=world.now,
    )


def _not_yet_written(visit: Visit, membership: MembershipId, world: World) -> tuple[Loan, ...]:
    """Books of this basket that the acts file does not show yet: decided in the same step as the one judged now."""
    known = {loan.item for loan in world.library.open_loans(membership)}
    return tuple(
        Loan(
            act_id=ActId(""),
            membership=membership,
            item=row.item,
            lent_at=world.now,
            due_at=row.due_at or end_of_day(library_day(world.now)),
        )
        for row in visit.rows
        if row.state in (RowState.DONE, RowState.PROVISIONAL) and row.item not in known
    )


def _lend(visit: Visit, item: ItemId, world: World) -> Step:
    decision = _judge(visit, item, world)
    if visit.link is Link.ONLINE:
        act = _promising(new_act(visit, Deed.CHECKOUT, item, Mode.ONLINE, world), decision)
        row = Row(item=item, title=title_of(item, world), state=RowState.WORKING)
        asking = replace(visit, task=replace(_task(visit), asking=act), rows=with_row(visit, row))
        return Step(asking, (Record(Word.REQUEST, act), Ask(act.id)))
    decision = knows_enough(world) or decision
    if isinstance(decision, Refused):
        return _refused(visit, item, decision, world)
    act = _promising(new_act(visit, Deed.CHECKOUT, item, Mode.OFFLINE, world), decision)
    return _stands(visit, act, world, Record(Word.FACT, act))


def _promising(act: Act, decision: Lent | Refused) -> Act:
    if isinstance(decision, Refused):
        return act
    return replace(act, due_at=decision.due_at, policy_version=decision.policy_version)


def _stands(visit: Visit, act: Act, world: World, record: Record) -> Step:
    row = Row(
        item=act.item,
        title=title_of(act.item, world),
        state=RowState.PROVISIONAL,
        due_at=act.due_at,
        days_left=None if act.due_at is None else days_left(act.due_at, world.now),
        reason=desensitise_note(act.item, world),
    )
    return Step(replace(visit, rows=with_row(visit, row)), (record, Play(Sound.OK)))


def desensitise_note(item: ItemId, world: World) -> Reason | None:
    """The note of an item that must be desensitised at the desk (B6)."""
    known = world.library.item(item)
    return Reason.DESENSITISE_AT_DESK if known is not None and known.desensitise else None


def _refused(visit: Visit, item: ItemId, refused: Refused, world: World) -> Step:
    title = title_of(item, world)
    row = Row(item=item, title=title, state=RowState.REFUSED, reason=refused.reason, details=refused.details)
    offer = item if refused.reason is Reason.ITEM_ON_LOAN and _may_wait(visit, item, world) else None
    message = Message(reason=refused.reason, details=refused.details, title=title, reserve=offer)
    return Step(replace(visit, rows=with_row(visit, row), message=message), (Play(Sound.NO),))


def _may_wait(visit: Visit, item: ItemId, world: World) -> bool:
    """True when it makes sense to offer a hold; central decides."""
    policy = world.library.policy()
    membership = None if visit.membership is None else world.library.membership(visit.membership)
    if policy is None or membership is None or visit.link is not Link.ONLINE:
        return False
    rule = policy.patron_rule(membership.category)
    return (
        rule is not None
        and len(world.library.holds(membership.id)) < rule.holds
        and suspended_from_holds(membership, world.now) is None
        and not any(hold.membership == membership.id for hold in world.library.holds_on(item))
    )


def reserve(visit: Visit, event: Touched, world: World) -> Step:
    """Wait for a lent book; a request, for only central knows the queue."""
    task, item = _task(visit), ItemId(event.argument)
    if task.asking is not None or visit.message is None or visit.message.reserve != item:
        return Step(visit)
    if visit.link is not Link.ONLINE:
        return refuse(visit, Refused(Reason.HOLD_NEEDS_CENTRAL))
    act = new_act(visit, Deed.PLACE_HOLD, item, Mode.ONLINE, world)
    row = Row(item=item, title=title_of(item, world), state=RowState.WORKING)
    asking = replace(visit, task=replace(task, asking=act), rows=with_row(visit, row), message=None)
    return Step(asking, (Record(Word.REQUEST, act), Ask(act.id)))


def _reserved(visit: Visit, act: Act, verdict: Verdict, world: World) -> Step:
    title = title_of(act.item, world)
    details = named(verdict.details, world)
    if not verdict.outcome.stands:
        return _refused(visit, act.item, Refused(verdict.reason or Reason.CANNOT_BE_JUDGED, details), world)
    row = Row(item=act.item, title=title, state=RowState.HOLD_WAITING, hold=act.id)
    message = Message(reason=verdict.reason or Reason.HOLD_PLACED, details=details, stop=False, title=title)
    return Step(replace(visit, rows=with_row(visit, row), message=message), (Play(Sound.OK),))


def answered(visit: Visit, event: VerdictCame, world: World) -> Step:
    task, verdict = _task(visit), event.verdict
    if task.asking is None or verdict.act_id != task.asking.id:
        return Step(visit, (Settle(verdict),))
    item = task.asking.item
    if task.asking.deed is Deed.PLACE_HOLD:
        step = _reserved(visit, task.asking, verdict, world)
    elif verdict.outcome.stands:
        row = Row(
            item=item,
            title=title_of(item, world),
            state=RowState.DONE,
            due_at=verdict.due_at,
            days_left=None if verdict.due_at is None else days_left(verdict.due_at, world.now),
            reason=verdict.reason or desensitise_note(item, world),
            details=verdict.details,
        )
        step = Step(replace(visit, rows=with_row(visit, row)), (Play(Sound.OK),))
    else:
        step = _refused(visit, item, Refused(verdict.reason or Reason.CANNOT_BE_JUDGED, verdict.details), world)
    return _next(Step(step.visit, (Settle(verdict), *step.effects)), world)


def unanswered(visit: Visit, event: AnswerMissing, world: World) -> Step:
    task = _task(visit)
    if task.asking is None or event.act_id != task.asking.id:
        return Step(visit)
    act = task.asking
    if act.deed is Deed.PLACE_HOLD:
        step = _refused(visit, act.item, Refused(Reason.HOLD_NEEDS_CENTRAL), world)
        return _next(Step(step.visit, (Record(Word.WITHDRAWAL, act), *step.effects)), world)
    decision = knows_enough(world) or _judge(visit, act.item, world)
    if isinstance(decision, Refused):
        step = _refused(visit, act.item, decision, world)
        step = Step(step.visit, (Record(Word.WITHDRAWAL, act), *step.effects))
    else:
        fact = _promising(replace(act, mode=Mode.OFFLINE), decision)
        step = _stands(visit, fact, world, Record(Word.FACT, fact))
    return _next(step, world)


def _next(step: Step, world: World) -> Step:
    """Go on with what was scanned meanwhile."""
    task = _task(step.visit)
    visit = replace(step.visit, task=replace(task, asking=None, waiting=task.waiting[1:]))
    if not task.waiting:
        return Step(visit, step.effects)
    then = _lend(visit, task.waiting[0], world)
    if visit.link is not Link.ONLINE:
        then = _next(then, world)
    return Step(then.visit, (*step.effects, *then.effects))


def finish(visit: Visit, event: object, world: World) -> Step:
    if _task(visit).asking is not None:
        return Step(visit)
    return Step(open_done(visit, Phase.BORROW, world))


def to_account(visit: Visit, event: object, world: World) -> Step:
    if _task(visit).asking is not None:
        return Step(visit)
    return Step(open_account(visit, world))


def other_card(visit: Visit, event: CardArrived, world: World) -> Step:
    """A second card during a visit changes nothing; the same card lying on the pad is no news."""
    return Step(visit)


def _task(visit: Visit) -> Borrow:
    assert isinstance(visit.task, Borrow)
    return visit.task


TABLE: Table = {
    CodeRead: Rule(scan, (Phase.BORROW,)),
    VerdictCame: Rule(answered, (Phase.BORROW,)),
    AnswerMissing: Rule(unanswered, (Phase.BORROW,)),
    CardArrived: Rule(other_card, (Phase.BORROW,)),
    Intent.RESERVE: Rule(reserve, (Phase.BORROW,)),
    Intent.FINISH: Rule(finish, (Phase.DONE, Phase.START, Phase.BORROW)),
    Intent.ACCOUNT: Rule(to_account, (Phase.ACCOUNT, Phase.BORROW)),
}
"""BORROW: books are scanned until the patron is done."""
