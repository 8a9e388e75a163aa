"""Taking books back: a fact at once, for the book is in the machine; then where it goes (B6, B7).

Online central says for whom it is set aside, or which branch it belongs to. Offline the kiosk does from what it knows, and the fact
carries the hold. Without central's answer nothing is promised: a book that somebody may wait for goes to the desk.
"""

from dataclasses import replace
from types import MappingProxyType

from kiosk.domain.holds import HoldState, SetAside, set_aside, shelf_note
from kiosk.domain.journal import Deed, Mode, Word
from kiosk.domain.lending import as_seen, take_back
from kiosk.domain.values import ItemId, Reason, Refused
from kiosk.ports import (
    AnswerMissing,
    Ask,
    CardArrived,
    CodeRead,
    Effect,
    Intent,
    Link,
    Phase,
    Play,
    Record,
    Row,
    RowState,
    Settle,
    Sound,
    VerdictCame,
)
from kiosk.visit.borrow import knows_enough
from kiosk.visit.state import Return, Rule, Step, Table, Visit, World
from kiosk.visit.steps import hint, item_in, named, new_act, open_done, open_start, title_of, with_row


def scan(visit: Visit, event: CodeRead, world: World) -> Step:
    item = item_in(event, world)
    if isinstance(item, Refused):
        return hint(visit, item.reason)
    done = next((row for row in visit.rows if row.item == item), None)
    if done is not None:
        return hint(visit, Reason.ALREADY_RETURNED, done.title)
    online = visit.link is Link.ONLINE
    act = new_act(visit, Deed.RETURN, item, Mode.ONLINE if online else Mode.OFFLINE, world)
    unread = world.library.unread()
    aside = None if online else _set_aside(item, world)
    note = _note(item, world, online=online) if aside is None else aside.note
    if world.library.unread() != unread and not online:
        aside, note = None, Refused(Reason.HOLD_ASK_DESK)
    act = replace(act, membership=None)
    if aside is not None:
        act = replace(act, hold=aside.hold.id, due_at=aside.until)
    row = Row(
        item=item,
        title=title_of(item, world),
        state=RowState.WORKING if online else RowState.PROVISIONAL,
        reason=None if note is None else note.reason,
        details={} if note is None else named(note.details, world),
    )
    task = _task(visit)
    effects: tuple[Effect, ...] = (Record(Word.FACT, act),)
    if online:
        task = replace(task, asking=MappingProxyType({**task.asking, act.id: item}))
        effects = (*effects, Ask(act.id))
    else:
        effects = (*effects, Play(Sound.OK))
    return Step(replace(visit, task=task, rows=with_row(visit, row), message=None), effects)


def _set_aside(item: ItemId, world: World) -> SetAside | None:
    """For whom, by what the kiosk knows; nobody where that is too old or the clock is doubtful."""
    known, policy = world.library.item(item), world.library.policy()
    if known is None or policy is None or knows_enough(world) is not None:
        return None
    return set_aside(
        item=as_seen(known, policy, world.now),
        holds=world.library.holds_on(item),
        branch=world.settings.branch,
        policy=policy,
        calendar=world.library.calendar(world.settings.branch),
        now=world.now,
    )


def _note(item: ItemId, world: World, *, online: bool) -> Refused | None:
    """What the kiosk itself can say; online only until central has answered."""
    known = world.library.item(item)
    policy = world.library.policy()
    if known is None:
        return Refused(Reason.ITEM_UNKNOWN)
    if not online and _somebody_waits(item, world):
        return Refused(Reason.HOLD_ASK_DESK)
    if policy is None:
        return None
    note = take_back(item=known, holder=world.library.holder(item), policy=policy, now=world.now).note
    home = None if online else shelf_note(as_seen(known, policy, world.now), world.settings.branch)
    if note is not None and not (note is Reason.ITEM_FOUND and home is not None):
        return Refused(note)
    return home


def _somebody_waits(item: ItemId, world: World) -> bool:
    return any(hold.state is HoldState.WAITING or hold.item == item for hold in world.library.holds_on(item))


def answered(visit: Visit, event: VerdictCame, world: World) -> Step:
    verdict = event.verdict
    item = _task(visit).asking.get(verdict.act_id)
    if item is None:
        return Step(visit, (Settle(verdict),))
    row = Row(
        item=item,
        title=title_of(item, world),
        state=RowState.DONE,
        reason=verdict.reason,
        details=named(verdict.details, world),
    )
    return Step(_answered(visit, verdict.act_id, row), (Settle(verdict), Play(Sound.OK)))


def unanswered(visit: Visit, event: AnswerMissing, world: World) -> Step:
    item = _task(visit).asking.get(event.act_id)
    if item is None:
        return Step(visit)
    old = next(row for row in visit.rows if row.item == item)
    row = replace(old, state=RowState.PROVISIONAL)
    if _somebody_waits(item, world):
        row = replace(row, reason=Reason.HOLD_ASK_DESK)
    return Step(_answered(visit, event.act_id, row), (Play(Sound.OK),))


def _answered(visit: Visit, act_id: object, row: Row) -> Visit:
    asking = {act: item for act, item in _task(visit).asking.items() if act != act_id}
    return replace(visit, task=Return(MappingProxyType(asking)), rows=with_row(visit, row))


def finish(visit: Visit, event: object, world: World) -> Step:
    """Nobody waits for an answer here: what central has not said yet is shown as not yet confirmed."""
    rows = tuple(
        replace(row, state=RowState.PROVISIONAL) if row.state is RowState.WORKING else row for row in visit.rows
    )
    return Step(open_done(replace(visit, rows=rows), Phase.RETURN, world))


def back(visit: Visit, event: object, world: World) -> Step:
    return Step(visit if visit.rows else open_start(visit, world))


def card(visit: Visit, event: CardArrived, world: World) -> Step:
    """No card is needed to return; it is not looked up."""
    return hint(visit, Reason.RETURN_NEEDS_NO_CARD)


def _task(visit: Visit) -> Return:
    assert isinstance(visit.task, Return)
    return visit.task


TABLE: Table = {
    CodeRead: Rule(scan, (Phase.RETURN,)),
    VerdictCame: Rule(answered, (Phase.RETURN,)),
    AnswerMissing: Rule(unanswered, (Phase.RETURN,)),
    CardArrived: Rule(card, (Phase.RETURN,)),
    Intent.FINISH: Rule(finish, (Phase.DONE, Phase.START)),
    Intent.BACK: Rule(back, (Phase.START, Phase.RETURN)),
}
"""RETURN: books are scanned until the patron is done."""
