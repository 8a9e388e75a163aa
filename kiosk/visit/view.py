"""What the screen shows of a visit: a function of the visit and the world, nothing else."""

import math
from datetime import timedelta

from kiosk.domain.holds import suspended_from_holds
from kiosk.domain.lending import may_borrow_at_all, quota_left
from kiosk.domain.values import Refused
from kiosk.ports import DeviceKind, DeviceState, Message, SlipState, View
from kiosk.visit.done import printer_ready, slip_of
from kiosk.visit.idle import seconds_left
from kiosk.visit.shell import PHASES
from kiosk.visit.staff import staff_view
from kiosk.visit.state import Account, Borrow, Done, Identify, OutOfService, StaffLogin, StaffPage, Start, Visit, World
from kiosk.visit.steps import knows_nothing, own_branch, own_library


def view_of(visit: Visit, world: World) -> View:
    """All that is shown; the clock in full minutes, so that nothing is repainted each second."""
    task = visit.task
    left = seconds_left(visit, world)
    warn_s = world.settings.warn / timedelta(seconds=1)
    quota, blocked = _quota(visit, world)
    holds_blocked = _holds_blocked(visit, world)
    return View(
        phase=PHASES[type(task)],
        language=visit.language,
        link=visit.link,
        now=world.now.replace(second=0, microsecond=0),
        countdown_s=math.ceil(max(left, 0)) if left is not None and left <= warn_s else None,
        message=visit.message,
        name=visit.name,
        rows=visit.rows,
        quota_left=quota,
        blocked=blocked,
        holds_blocked=None if holds_blocked == blocked else holds_blocked,
        unready=_unready(world) if isinstance(task, Start | Identify) else None,
        next_task=task.next_task if isinstance(task, Identify) else None,
        card_reader_ready=_ready(visit, DeviceKind.CARD_READER),
        scanner_ready=_ready(visit, DeviceKind.SCANNER) or _ready(visit, DeviceKind.CAMERA),
        camera_ready=_ready(visit, DeviceKind.CAMERA),
        printer_ready=printer_ready(visit),
        slip=task.slip if isinstance(task, Done | StaffPage) else SlipState.CHOOSE,
        slip_reason=task.reason if isinstance(task, Done | StaffPage) else None,
        slip_text=slip_of(visit, world).plain_text() if isinstance(task, Done) else "",
        provisional=visit.provisional,
        out_of_service=task.key if isinstance(task, OutOfService) else "",
        large_text=visit.large_text,
        high_contrast=visit.high_contrast,
        low_reach=visit.low_reach,
        help_open=visit.help_open,
        library_name="" if isinstance(task, OutOfService) else own_library(world),
        branch_name="" if isinstance(task, OutOfService) else own_branch(world),
        staff=staff_view(visit, world) if isinstance(task, StaffLogin | StaffPage) else None,
    )


def _ready(visit: Visit, kind: DeviceKind) -> bool:
    return any(status.kind is kind and status.state is DeviceState.READY for status in visit.devices.values())


def _said(refused: Refused | None) -> Message | None:
    return None if refused is None else Message(reason=refused.reason, details=refused.details)


def _unready(world: World) -> Message | None:
    return _said(knows_nothing(world)) if world.library.age(world.now) is None else None


def _holds_blocked(visit: Visit, world: World) -> Message | None:
    """Reserving has a first day of its own (B1); nothing is said where reserving is not offered."""
    policy = world.library.policy()
    if visit.membership is None or policy is None or not isinstance(visit.task, Account):
        return None
    membership = world.library.membership(visit.membership)
    rule = None if membership is None else policy.patron_rule(membership.category)
    if membership is None or rule is None or rule.holds == 0:
        return None
    return _said(suspended_from_holds(membership, world.now))


def _quota(visit: Visit, world: World) -> tuple[int | None, Message | None]:
    """How many more may be borrowed, and on the account page what stops borrowing."""
    if visit.membership is None or not isinstance(visit.task, Borrow | Account):
        return None, None
    membership = world.library.membership(visit.membership)
    policy = world.library.policy()
    if membership is None or policy is None:
        return None, None
    loans = world.library.open_loans(visit.membership)
    refused = may_borrow_at_all(membership=membership, open_loans=loans, policy=policy, now=world.now)
    return quota_left(membership, loans, policy), _said(refused) if isinstance(visit.task, Account) else None
