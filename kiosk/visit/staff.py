"""The staff page and its door: who may see it is central's or the replica's to say, what it shows is this kiosk's health.

Reached from the start page and from "out of service", never out of a patron's visit. Each try is an act (C2); its
answer is only taken by the try that it names, so nobody is let in on another's password. On the page cards and codes
are shown as heard (which class, how many characters), never looked up: so readers and scanners are tried out.
"""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from kiosk.domain.clock import JUMP
from kiosk.domain.identity import unfit
from kiosk.domain.journal import Deed, Mode, Word
from kiosk.domain.staff import Entry
from kiosk.domain.values import ItemId, Reason, Refused
from kiosk.ports import (
    CardArrived,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceState,
    DeviceStatus,
    Heard,
    Intent,
    Knock,
    Link,
    Phase,
    Play,
    Print,
    PrintEnded,
    Record,
    SlipState,
    Sound,
    StaffAnswered,
    StaffTried,
    StaffView,
    Ticked,
    TrustClock,
)
from kiosk.slip import status_slip
from kiosk.visit.borrow import knows_enough
from kiosk.visit.facts import device_lines, facts
from kiosk.visit.idle import seconds_left
from kiosk.visit.state import OutOfService, Rule, StaffLogin, StaffPage, Step, Table, Visit, World
from kiosk.visit.steps import hint, new_act, open_start, own_branch, own_library, printed

MINUTE = timedelta(minutes=1)


def _open_door(visit: Visit, event: object, world: World) -> Step:
    resting = visit.task if isinstance(visit.task, OutOfService) else None
    return Step(replace(visit, task=StaffLogin(resting=resting), message=None, help_open=False))


def _try(visit: Visit, event: StaffTried, world: World) -> Step:
    task = _login(visit)
    if task.asking is not None or not event.login.strip() or not event.password:
        return Step(visit)
    mode = Mode.ONLINE if visit.link is Link.ONLINE else Mode.OFFLINE
    act = new_act(visit, Deed.STAFF_ENTRY, ItemId(""), mode, world)
    asking = replace(task, asking=act.id, login=event.login.strip(), refused="", until=None)
    return Step(replace(visit, task=asking, message=None), (Knock(act, event.login, event.password),))


def _answered(visit: Visit, event: StaffAnswered, world: World) -> Step:
    task = _login(visit)
    if task.asking is None or event.act_id != task.asking:
        return Step(visit)
    match event.entry:
        case Entry.OK:
            page = StaffPage(login=task.login, staff=event.staff, resting=task.resting)
            return Step(replace(visit, task=page, visits=visit.visits + 1), (Play(Sound.OK),))
        case Entry.WRONG:
            refused = "wrong"
        case Entry.LOCKED:
            refused = "locked" if event.until is not None else "locked_somewhere"
        case None:
            refused = "no_records"
        case _ as never:
            assert_never(never)
    again = replace(task, asking=None, refused=refused, until=event.until)
    return Step(replace(visit, task=again), (Play(Sound.NO),))


def _busy_here(visit: Visit, event: object, world: World) -> Step:
    return hint(visit, Reason.VISIT_IN_PROGRESS)


def _leave(visit: Visit, event: object, world: World) -> Step:
    return Step(open_start(visit, world))


def _tick(visit: Visit, event: object, world: World) -> Step:
    left = seconds_left(visit, world)
    return Step(visit if left is None or left > 0 else open_start(visit, world))


def _card(visit: Visit, event: CardArrived, world: World) -> Step:
    refused = unfit(event.card)
    if isinstance(refused, Refused):
        return _hears(visit, Heard(event.reader, trouble=refused.reason), Sound.NO)
    return _hears(visit, Heard(event.reader, card=event.card.card_class), Sound.OK)


def _code(visit: Visit, event: CodeRead, world: World) -> Step:
    return _hears(visit, Heard(event.scanner, characters=len(event.text), symbology=event.symbology), Sound.OK)


def _card_trouble(visit: Visit, event: CardTrouble, world: World) -> Step:
    return _hears(visit, Heard(event.reader, trouble=event.reason), Sound.NO)


def _code_trouble(visit: Visit, event: CodeTrouble, world: World) -> Step:
    return _hears(visit, Heard(event.scanner, trouble=event.reason), Sound.NO)


def _hears(visit: Visit, heard: Heard, sound: Sound) -> Step:
    return Step(replace(visit, task=replace(_page(visit), heard=heard)), (Play(sound),))


def _confirm_clock(visit: Visit, event: object, world: World) -> Step:
    if world.clock_trusted or _clock_behind(world):
        return Step(visit)
    mode = Mode.ONLINE if visit.link is Link.ONLINE else Mode.OFFLINE
    act = replace(new_act(visit, Deed.CLOCK_CONFIRMED, ItemId(""), mode, world), staff=_page(visit).staff)
    return Step(visit, (Record(Word.FACT, act), TrustClock(), Play(Sound.OK)))


def _clock_behind(world: World) -> bool:
    """It stands before what central said with the newest of the kiosk's knowledge."""
    heard = world.library.heard_at()
    return heard is not None and world.now < heard - JUMP


def _print(visit: Visit, event: object, world: World) -> Step:
    task = _page(visit)
    if task.slip is SlipState.PRINTING:
        return Step(visit)
    staff, language = staff_view(visit, world), visit.language
    job = f"{visit.visits}-staff-{task.prints + 1}"
    slip = status_slip(
        facts=((fact.label, fact.said) for fact in facts(staff, visit.link, language)),
        devices=((line.name, line.said) for line in device_lines(staff.devices, language)),
        language=language,
        library_name=own_library(world),
        branch_name=own_branch(world),
        now=world.now,
    )
    printing = replace(task, slip=SlipState.PRINTING, reason=None, job=job, prints=task.prints + 1)
    return Step(replace(visit, task=printing), (Print(job, slip),))


def _printed(visit: Visit, event: PrintEnded, world: World) -> Step:
    task = _page(visit)
    if event.job != task.job:
        return Step(visit)
    slip, sound = printed(event.outcome)
    return Step(replace(visit, task=replace(task, slip=slip, reason=event.reason)), (Play(sound),))


def staff_view(visit: Visit, world: World) -> StaffView:
    """What the page and its door show."""
    match visit.task:
        case StaffLogin() as door:
            return StaffView(login=door.login, asking=door.asking is not None, refused=door.refused, until=door.until)
        case StaffPage() as page:
            (waiting, oldest), age, offset = world.queue(), world.library.age(world.now), world.clock_offset
            refused = knows_enough(world)
            return StaffView(
                login=page.login,
                machine=world.settings.machine,
                devices=tuple(sorted(visit.devices.values(), key=_urgency)),
                away=visit.away,
                waiting=waiting,
                waits_for=None if oldest is None else _in_minutes(world.now - oldest),
                knowledge_age=None if age is None else _in_minutes(age),
                too_old=refused is not None and refused.reason is Reason.REPLICA_TOO_OLD,
                clock_offset=None if offset is None else timedelta(seconds=round(offset.total_seconds())),
                clock=None if world.clock_trusted else world.now.replace(second=0, microsecond=0),
                clock_behind=not world.clock_trusted and _clock_behind(world),
                heard=page.heard,
            )
        case _:
            raise AssertionError("no member of staff is here")


def _urgency(status: DeviceStatus) -> tuple[int, str, str]:
    states = (DeviceState.FAULT, DeviceState.ABSENT, DeviceState.READY)
    rank = states.index(status.state) * 2 + (status.reason is None)
    return rank, status.kind, status.device


def _in_minutes(span: timedelta) -> timedelta:
    return max(span, timedelta()) // MINUTE * MINUTE


def _login(visit: Visit) -> StaffLogin:
    assert isinstance(visit.task, StaffLogin)
    return visit.task


def _page(visit: Visit) -> StaffPage:
    assert isinstance(visit.task, StaffPage)
    return visit.task


_BACK = (Phase.START, Phase.OUT_OF_SERVICE)
_WAYS_OUT: Table = {
    Intent.BACK: Rule(_leave, _BACK),
    Intent.END: Rule(_leave, _BACK),
    Ticked: Rule(_tick, _BACK),
}
OPEN_DOOR = Rule(_open_door, (Phase.STAFF_LOGIN,))
FROM_OUT_OF_SERVICE: Table = {Intent.STAFF: OPEN_DOOR}
"""OUT_OF_SERVICE: staff may look why; the station alone brings the kiosk back."""
LOGIN: Table = {
    StaffTried: Rule(_try, ()),
    StaffAnswered: Rule(_answered, (Phase.STAFF_LOGIN, Phase.STAFF)),
    CardArrived: Rule(_busy_here, ()),
    CodeRead: Rule(_busy_here, ()),
    **_WAYS_OUT,
}
"""STAFF_LOGIN: a login and a password, or back."""
PAGE: Table = {
    CardArrived: Rule(_card, ()),
    CardTrouble: Rule(_card_trouble, ()),
    CodeRead: Rule(_code, ()),
    CodeTrouble: Rule(_code_trouble, ()),
    Intent.STAFF_PRINT: Rule(_print, ()),
    Intent.STAFF_CLOCK: Rule(_confirm_clock, ()),
    PrintEnded: Rule(_printed, ()),
    **_WAYS_OUT,
}
"""STAFF: look, try the devices, print, confirm the time, leave."""
