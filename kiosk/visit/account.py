"""My account: loans with days left, holds, quota, what stops borrowing; renewing and cancelling, which need central (B1)."""

from dataclasses import replace
from datetime import datetime

from kiosk.domain.calendar import days_left
from kiosk.domain.journal import Deed, Mode, Word
from kiosk.domain.values import ItemId, Reason, Refused
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
from kiosk.visit.state import Account, Rule, Step, Table, Visit, World
from kiosk.visit.steps import account_rows, hint, new_act, open_basket, open_done, refuse, title_of, with_row


def renew(visit: Visit, event: Touched, world: World) -> Step:
    task = _task(visit)
    item = ItemId(event.argument)
    row = next((row for row in visit.rows if row.item == item and row.hold is None), None)
    if row is None or task.asking is not None:
        return Step(visit)
    if visit.link is not Link.ONLINE:
        return refuse(visit, Refused(Reason.RENEWAL_NEEDS_CENTRAL))
    act = new_act(visit, Deed.RENEW, item, Mode.ONLINE, world)
    working = replace(row, state=RowState.WORKING, can_renew=False)
    asked = replace(visit, task=Account(act), rows=with_row(visit, working), message=None)
    return Step(asked, (Record(Word.REQUEST, act), Ask(act.id)))


def cancel_hold(visit: Visit, event: Touched, world: World) -> Step:
    """The first touch asks whether it is meant: a place in the queue is lost for good."""
    task = _task(visit)
    row = next((row for row in visit.rows if row.hold is not None and row.hold == event.argument), None)
    if row is None or task.asking is not None:
        return Step(visit)
    if visit.link is not Link.ONLINE:
        return refuse(visit, Refused(Reason.HOLD_NEEDS_CENTRAL))
    if not row.confirm:
        rows = tuple(replace(other, confirm=other.hold is not None and other.hold == row.hold) for other in visit.rows)
        return Step(replace(visit, rows=rows, message=None))
    act = replace(new_act(visit, Deed.CANCEL_HOLD, row.item, Mode.ONLINE, world), hold=row.hold)
    working = tuple(
        replace(other, state=RowState.WORKING, can_cancel=False) if other.hold == row.hold else other
        for other in visit.rows
    )
    asked = replace(visit, task=Account(act), rows=working, message=None)
    return Step(asked, (Record(Word.REQUEST, act), Ask(act.id)))


def answered(visit: Visit, event: VerdictCame, world: World) -> Step:
    task, verdict = _task(visit), event.verdict
    if task.asking is None or verdict.act_id != task.asking.id:
        return Step(visit, (Settle(verdict),))
    item, hold = task.asking.item, task.asking.hold
    visit = replace(visit, task=Account(), rows=account_rows(visit, world))
    if verdict.outcome.stands and hold is not None:
        rows = tuple(row for row in visit.rows if row.hold != hold)
        message = Message(reason=Reason.HOLD_CANCELLED, stop=False, title=title_of(item, world))
        return Step(replace(visit, rows=rows, message=message), (Settle(verdict), Play(Sound.OK)))
    if not verdict.outcome.stands:
        message = Message(
            reason=verdict.reason or Reason.CANNOT_BE_JUDGED, details=verdict.details, title=title_of(item, world)
        )
        return Step(replace(visit, message=message), (Settle(verdict), Play(Sound.NO)))
    old = next((row for row in visit.rows if row.item == item), None)
    if old is not None and verdict.due_at is not None:
        visit = replace(visit, rows=with_row(visit, _renewed(old, verdict.due_at, world)))
    return Step(visit, (Settle(verdict), Play(Sound.OK)))


def _renewed(row: Row, due_at: datetime, world: World) -> Row:
    return replace(row, state=RowState.DONE, due_at=due_at, days_left=days_left(due_at, world.now), can_renew=False)


def unanswered(visit: Visit, event: AnswerMissing, world: World) -> Step:
    task = _task(visit)
    if task.asking is None or event.act_id != task.asking.id:
        return Step(visit)
    visit = replace(visit, task=Account(), rows=account_rows(visit, world))
    renewing = task.asking.deed is Deed.RENEW
    step = refuse(visit, Refused(Reason.RENEWAL_NEEDS_CENTRAL if renewing else Reason.HOLD_NEEDS_CENTRAL))
    return Step(step.visit, (Record(Word.WITHDRAWAL, task.asking), *step.effects))


def to_basket(visit: Visit, event: object, world: World) -> Step:
    return Step(visit if _task(visit).asking is not None else open_basket(visit))


def finish(visit: Visit, event: object, world: World) -> Step:
    return Step(visit if _task(visit).asking is not None else open_done(visit, Phase.ACCOUNT, world))


def scan(visit: Visit, event: CodeRead, world: World) -> Step:
    return hint(visit, Reason.CHOOSE_FIRST)


def card(visit: Visit, event: CardArrived, world: World) -> Step:
    """The card that opened this account may lie on the pad; nothing changes."""
    return Step(visit)


def _task(visit: Visit) -> Account:
    assert isinstance(visit.task, Account)
    return visit.task


TABLE: Table = {
    Intent.RENEW: Rule(renew, (Phase.ACCOUNT,)),
    Intent.CANCEL_HOLD: Rule(cancel_hold, (Phase.ACCOUNT,)),
    VerdictCame: Rule(answered, (Phase.ACCOUNT,)),
    AnswerMissing: Rule(unanswered, (Phase.ACCOUNT,)),
    Intent.BORROW: Rule(to_basket, (Phase.BORROW, Phase.ACCOUNT)),
    Intent.FINISH: Rule(finish, (Phase.DONE, Phase.START, Phase.ACCOUNT)),
    CodeRead: Rule(scan, (Phase.ACCOUNT,)),
    CardArrived: Rule(card, (Phase.ACCOUNT,)),
}
"""ACCOUNT: the identified patron's loans and holds."""
