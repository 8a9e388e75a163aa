"""When a visit ends by itself (I2)."""

from datetime import timedelta

from kiosk.ports import SlipState
from kiosk.visit.state import (
    Account,
    Borrow,
    Done,
    OutOfService,
    Return,
    StaffLogin,
    StaffPage,
    Start,
    Visit,
    World,
)


def seconds_left(visit: Visit, world: World) -> float | None:
    """Until the visit ends by itself; None while nobody is here or while a book or a slip is being worked on."""
    task = visit.task
    if isinstance(task, Start | OutOfService) or busy(visit):
        return None
    settings = world.settings
    limit = settings.idle
    if isinstance(task, Done) and task.slip is not SlipState.QR:
        limit = settings.done_idle
    elif isinstance(task, StaffPage):
        limit = settings.staff_idle
    return limit / timedelta(seconds=1) - (world.monotonic - visit.touched_at)


def busy(visit: Visit) -> bool:
    """True while an answer or a print is awaited; the visit does not end meanwhile (each has its own deadline)."""
    match visit.task:
        case Borrow(asking=act) | Account(asking=act):
            return act is not None
        case Return(asking=acts):
            return bool(acts)
        case StaffLogin(asking=act_id):
            return act_id is not None
        case Done(slip=slip) | StaffPage(slip=slip):
            return slip is SlipState.PRINTING
    return False
