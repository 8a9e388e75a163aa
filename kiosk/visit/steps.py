"""Steps that every table shares: open a task, say something, put a book in a list."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import assert_never

from kiosk.domain.calendar import days_left
from kiosk.domain.holds import Hold, HoldState, others_wait, position
from kiosk.domain.identity import CodeType, type_code
from kiosk.domain.journal import Act, Deed, Mode
from kiosk.domain.lending import may_renew
from kiosk.domain.values import BranchId, Detail, ItemId, MembershipId, Reason, Refused
from kiosk.ports import CodeRead, Link, Message, Phase, Play, PrintOutcome, Row, RowState, SlipState, Sound
from kiosk.visit.state import Account, Borrow, Done, Return, StaffLogin, StaffPage, Start, Step, Visit, World


def knows_nothing(world: World) -> Refused:
    """There is no knowledge to decide by; how far it is on its way, if it is."""
    percent = world.library.filling()
    if percent is None:
        return Refused(Reason.REPLICA_EMPTY)
    return Refused(Reason.REPLICA_FILLING, {"percent": percent})


def open_start(visit: Visit, world: World) -> Visit:
    """Nobody is here: nothing of the last patron stays (I2); only link, devices and the count of unknown cards do.

    Where staff came to a kiosk that was out of service, it is so again.
    """
    resting = visit.task.resting if isinstance(visit.task, StaffLogin | StaffPage) else None
    return Visit(
        task=resting or Start(),
        language=world.settings.language,
        touched_at=world.monotonic,
        unknown_cards=visit.unknown_cards,
        unknown_until=visit.unknown_until,
        card_on=visit.card_on,
        visits=visit.visits + 1,
        link=visit.link,
        away=visit.away,
        devices=visit.devices,
    )


def open_basket(visit: Visit) -> Visit:
    """An empty basket for the identified patron."""
    return replace(visit, task=Borrow(), rows=(), message=None)


def open_return(visit: Visit) -> Visit:
    """An empty list of books taken back; no card is needed."""
    return replace(visit, task=Return(), rows=(), message=None)


def open_account(visit: Visit, world: World) -> Visit:
    """The identified patron's open loans, the most urgent first."""
    return replace(visit, task=Account(), rows=account_rows(visit, world), message=None)


def open_done(visit: Visit, of: Phase, world: World) -> Visit:
    """The last page, or the start page where nothing was done. Counted, so that its print jobs have names of their own."""
    if not any(_goes_on_a_slip(row, of) for row in visit.rows):
        return open_start(visit, world)
    return replace(visit, task=Done(of=of), message=None, visits=visit.visits + 1)


def _goes_on_a_slip(row: Row, of: Phase) -> bool:
    return row.state is not RowState.REFUSED and (row.hold is None or of is Phase.ACCOUNT)


def account_rows(visit: Visit, world: World) -> tuple[Row, ...]:
    """What is ready for the identified patron, their open loans, and what they wait for."""
    if visit.membership is None:
        return ()
    holds = [hold_row(hold, visit, world) for hold in world.library.holds(visit.membership)]
    ready = tuple(row for row in holds if row.state is RowState.HOLD_READY)
    return (*ready, *_loan_rows(visit, visit.membership, world), *(row for row in holds if row not in ready))


_HOLD_ROWS = {HoldState.READY: RowState.HOLD_READY, HoldState.ON_THE_WAY: RowState.HOLD_COMING}


def hold_row(hold: Hold, visit: Visit, world: World) -> Row:
    """One hold, with its place in the queue where the kiosk knows it."""
    state = _HOLD_ROWS.get(hold.state, RowState.HOLD_WAITING)
    waiting = state is RowState.HOLD_WAITING
    return Row(
        item=hold.asked,
        title=title_of(hold.asked, world),
        state=state,
        due_at=hold.ready_until,
        hold=hold.id,
        place=position(hold, world.library.holds_on(hold.asked)) if waiting else None,
        branch=world.library.branch_name(hold.branch),
        can_cancel=visit.link is Link.ONLINE,
    )


def _loan_rows(visit: Visit, who: MembershipId, world: World) -> tuple[Row, ...]:
    membership = world.library.membership(who)
    policy = world.library.policy()
    loans = world.library.open_loans(who)
    rows = []
    for loan in loans:
        left = days_left(loan.due_at, world.now)
        item = world.library.item(loan.item)
        renewable = (
            visit.link is Link.ONLINE
            and membership is not None
            and policy is not None
            and item is not None
            and not isinstance(
                may_renew(
                    membership=membership,
                    item=item,
                    loan=loan,
                    open_loans=loans,
                    policy=policy,
                    calendar=world.library.calendar(world.settings.branch),
                    branch=world.settings.branch,
                    now=world.now,
                    others_wait=others_wait(world.library.holds_on(item.id), who),
                ),
                Refused,
            )
        )
        state = RowState.OVERDUE if left < 0 else RowState.PROVISIONAL if loan.provisional else RowState.DONE
        rows.append(
            Row(
                item=loan.item,
                title=loan.item if item is None else item.title,
                state=state,
                due_at=loan.due_at,
                days_left=left,
                can_renew=renewable,
            )
        )
    return tuple(rows)


def refuse(visit: Visit, refused: Refused) -> Step:
    """Say why, with a sound; the task stays."""
    return Step(replace(visit, message=Message(reason=refused.reason, details=refused.details)), (Play(Sound.NO),))


def hint(visit: Visit, reason: Reason, title: str = "") -> Step:
    """Say what to do instead; nothing was refused."""
    return Step(replace(visit, message=Message(reason=reason, stop=False, title=title)), (Play(Sound.ATTENTION),))


def printed(outcome: PrintOutcome) -> tuple[SlipState, Sound]:
    """What is said of a print job that is over."""
    match outcome:
        case PrintOutcome.PRINTED:
            return SlipState.PRINTED, Sound.OK
        case PrintOutcome.UNCONFIRMED:
            return SlipState.UNCONFIRMED, Sound.ATTENTION
        case PrintOutcome.SPOOLED:
            return SlipState.SPOOLED, Sound.ATTENTION
        case PrintOutcome.FAILED:
            return SlipState.FAILED, Sound.NO
        case _ as never:
            assert_never(never)


def item_in(event: CodeRead, world: World) -> ItemId | Refused:
    """The item that a scanned code names, or what to scan instead."""
    code = type_code(event.text, event.symbology, world.settings.code_patterns)
    match code.type:
        case CodeType.ITEM:
            return ItemId(code.text)
        case CodeType.PATRON:
            return Refused(Reason.CODE_IS_PATRON)
        case CodeType.UNKNOWN:
            return Refused(Reason.CODE_NOT_AN_ITEM)
        case other:
            return Refused(NOT_FOR_KIOSKS[other])


NOT_FOR_KIOSKS = MappingProxyType(
    {
        CodeType.VOUCHER: Reason.CODE_IS_VOUCHER,
        CodeType.EVENT: Reason.CODE_IS_EVENT,
        CodeType.VIRTUAL_CARD: Reason.CODE_IS_VIRTUAL_CARD,
        CodeType.ISBN: Reason.CODE_IS_ISBN,
        CodeType.INVOICE_CARRIER: Reason.CODE_IS_INVOICE_CARRIER,
    }
)
"""Codes that open nothing on any page, and the sentence that says what they are and where they serve."""


def title_of(item: ItemId, world: World) -> str:
    """The title as shown, or the number where the replica does not know the copy."""
    known = world.library.item(item)
    return item if known is None else known.title


def own_branch(world: World) -> str:
    """As central names the branch where this kiosk stands; as its settings do until central has said it."""
    code = world.settings.branch
    name = world.library.branch_name(code)
    return world.settings.branch_name if name == code else name


def own_library(world: World) -> str:
    """The library's name, in the same way."""
    return world.library.library_name(world.settings.branch) or world.settings.library_name


def named(details: Mapping[str, Detail], world: World) -> Mapping[str, Detail]:
    """What central or the rules say of a branch by its code, with the branch's name."""
    branch = details.get("branch")
    return details if branch is None else {**details, "branch": world.library.branch_name(BranchId(str(branch)))}


def with_row(visit: Visit, row: Row) -> tuple[Row, ...]:
    """The rows with this one in its old place, or on top."""
    if any(old.item == row.item for old in visit.rows):
        return tuple(row if old.item == row.item else old for old in visit.rows)
    return (row, *visit.rows)


def new_act(visit: Visit, deed: Deed, item: ItemId, mode: Mode, world: World) -> Act:
    """An act that happens now."""
    return Act(
        id=world.new_act_id(),
        deed=deed,
        membership=visit.membership,
        item=item,
        branch=world.settings.branch,
        happened_at=world.now,
        clock_offset=world.clock_offset,
        mode=mode,
        replica_age=world.library.age(world.now),
        heard_at=world.library.heard_at(),
        doubtful=not world.clock_trusted and world.clock_offset is None,
        reading=world.reading,
    )
