"""The last page: print a slip, show a QR, or none (B5). A failed print never undoes or repeats a loan."""

from dataclasses import replace

from kiosk.ports import (
    DeviceKind,
    DeviceState,
    Intent,
    Phase,
    Play,
    Print,
    PrintEnded,
    Row,
    RowState,
    SlipState,
)
from kiosk.slip import Entry, Slip, SlipKind, Wish, book_slip
from kiosk.visit.state import Done, Rule, Step, Table, Visit, World
from kiosk.visit.steps import open_account, open_basket, open_return, open_start, own_branch, own_library, printed
from kiosk.words import Language, say, say_date, say_reason

_KINDS = {Phase.BORROW: SlipKind.LOAN, Phase.RETURN: SlipKind.RETURN, Phase.ACCOUNT: SlipKind.ACCOUNT}


def slip_of(visit: Visit, world: World) -> Slip:
    """The slip of the task just done, oldest book first; a second print is marked 補印."""
    task = _task(visit)
    entries = tuple(
        Entry(
            title=row.title,
            item=row.item,
            due_at=row.due_at,
            provisional=row.state in (RowState.PROVISIONAL, RowState.WORKING),
            note="" if row.reason is None else say_reason(row.reason, visit.language, row.details),
        )
        for row in reversed(visit.rows)
        if row.state is not RowState.REFUSED and row.hold is None
    )
    return book_slip(
        _KINDS[task.of],
        entries=entries,
        language=visit.language,
        library_name=own_library(world),
        branch_name=own_branch(world),
        name=visit.name,
        now=world.now,
        reprint=task.prints > 0,
        holds=tuple(_wish(row, visit.language) for row in visit.rows if row.hold is not None)
        if task.of is Phase.ACCOUNT
        else (),
    )


def _wish(row: Row, language: Language) -> Wish:
    return Wish(title=row.title, note=say_hold(row, language))


def say_hold(row: Row, language: Language) -> str:
    """How a hold stands: where and until when it is ready, that it is on its way, or its place in the queue."""
    if row.state is RowState.HOLD_READY and row.due_at is not None:
        return say("screen.hold_ready_until", language, branch=row.branch, date=say_date(row.due_at, language))
    if row.state is RowState.HOLD_COMING:
        return say("screen.hold_coming_to", language, branch=row.branch)
    return say("screen.hold_place", language, place=row.place or 1, branch=row.branch)


def print_it(visit: Visit, event: object, world: World) -> Step:
    task = _task(visit)
    if task.slip is SlipState.PRINTING:
        return Step(visit)
    job = f"{visit.visits}-{task.prints + 1}"
    slip = slip_of(visit, world)
    printing = replace(task, slip=SlipState.PRINTING, reason=None, job=job, prints=task.prints + 1)
    return Step(replace(visit, task=printing), (Print(job, slip),))


def ended(visit: Visit, event: PrintEnded, world: World) -> Step:
    task = _task(visit)
    if event.job != task.job:
        return Step(visit)
    slip, sound = printed(event.outcome)
    return Step(replace(visit, task=replace(task, slip=slip, reason=event.reason)), (Play(sound),))


def show_qr(visit: Visit, event: object, world: World) -> Step:
    return _choose(visit, SlipState.QR)


def no_slip(visit: Visit, event: object, world: World) -> Step:
    if _task(visit).slip is SlipState.PRINTING:
        return Step(visit)
    return Step(open_start(visit, world))


def _choose(visit: Visit, slip: SlipState) -> Step:
    task = _task(visit)
    if task.slip is SlipState.PRINTING:
        return Step(visit)
    return Step(replace(visit, task=replace(task, slip=slip)))


def borrow_more(visit: Visit, event: object, world: World) -> Step:
    return Step(visit if visit.membership is None else open_basket(visit))


def see_account(visit: Visit, event: object, world: World) -> Step:
    return Step(visit if visit.membership is None else open_account(visit, world))


def return_more(visit: Visit, event: object, world: World) -> Step:
    return Step(open_return(visit))


def printer_ready(visit: Visit) -> bool:
    """True when a printer can print now."""
    return any(
        status.kind is DeviceKind.PRINTER and status.state is DeviceState.READY for status in visit.devices.values()
    )


def _task(visit: Visit) -> Done:
    assert isinstance(visit.task, Done)
    return visit.task


TABLE: Table = {
    Intent.SLIP_PRINT: Rule(print_it, (Phase.DONE,)),
    Intent.PRINT_AGAIN: Rule(print_it, (Phase.DONE,)),
    Intent.SLIP_QR: Rule(show_qr, (Phase.DONE,)),
    Intent.SLIP_NONE: Rule(no_slip, (Phase.START, Phase.DONE)),
    PrintEnded: Rule(ended, (Phase.DONE,)),
    Intent.BORROW: Rule(borrow_more, (Phase.BORROW, Phase.DONE)),
    Intent.ACCOUNT: Rule(see_account, (Phase.ACCOUNT, Phase.DONE)),
    Intent.RETURN: Rule(return_more, (Phase.RETURN,)),
}
"""DONE: the slip, then the end."""
