"""Around every task: language and looks, messages, help, idle countdown, end, devices and link (I1, I2, C1).

`step` is the whole visit: first what is heard at any time (link, devices), then the task's own table, then this
table for what the task leaves open. Whatever happens, an answer of central reaches the acts file.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from kiosk.domain.journal import Word
from kiosk.domain.values import Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    Event,
    Intent,
    Link,
    LinkChanged,
    Message,
    Phase,
    Play,
    Record,
    RowState,
    Settle,
    Sound,
    StaffTried,
    Ticked,
    Touched,
    VerdictCame,
)
from kiosk.visit import account, borrow, done, identify, returning, staff, start
from kiosk.visit.idle import busy, seconds_left
from kiosk.visit.state import (
    Account,
    Borrow,
    Done,
    Identify,
    OutOfService,
    Return,
    Rule,
    StaffLogin,
    StaffPage,
    Start,
    Step,
    Table,
    Task,
    Visit,
    World,
)
from kiosk.visit.steps import hint, open_start
from kiosk.words import Language

TABLES: Mapping[type[Task], Table] = MappingProxyType(
    {
        Start: start.TABLE,
        Identify: identify.TABLE,
        Borrow: borrow.TABLE,
        Return: returning.TABLE,
        Account: account.TABLE,
        Done: done.TABLE,
        OutOfService: staff.FROM_OUT_OF_SERVICE,
        StaffLogin: staff.LOGIN,
        StaffPage: staff.PAGE,
    }
)

PHASES: Mapping[type[Task], Phase] = MappingProxyType(
    {
        Start: Phase.START,
        Identify: Phase.IDENTIFY,
        Borrow: Phase.BORROW,
        Return: Phase.RETURN,
        Account: Phase.ACCOUNT,
        Done: Phase.DONE,
        OutOfService: Phase.OUT_OF_SERVICE,
        StaffLogin: Phase.STAFF_LOGIN,
        StaffPage: Phase.STAFF,
    }
)

CARD_LEFT_BEHIND = Message(reason=Reason.CARD_LEFT_BEHIND, stop=False)

_NOT_DONE = (RowState.REFUSED, RowState.WORKING)
_BY_A_PERSON = (Touched, StaffTried, CardArrived, CardTrouble, CodeRead, CodeTrouble)


def step(visit: Visit, event: Event, world: World) -> Step:
    """What one event leads to."""
    if isinstance(event, _BY_A_PERSON):
        visit = replace(visit, touched_at=world.monotonic)
    if isinstance(event, CardArrived | CardTrouble):
        gone = isinstance(event, CardTrouble) and event.reason is Reason.CARD_TAKEN_EARLY
        visit = replace(visit, card_on="" if gone else event.reader)
    rule = rule_for(visit.task, event)
    outcome = Step(visit) if rule is None else rule.run(visit, event, world)
    ended = isinstance(outcome.visit.task, Start) and not isinstance(visit.task, Start)
    if not ended or outcome.visit.message is not None or not outcome.visit.card_on:
        return outcome
    return Step(remind_of_card(outcome.visit), (*outcome.effects, Play(Sound.ATTENTION)))


def remind_of_card(visit: Visit) -> Visit:
    """However a visit ended: a card that still lies on a reader is called out until it is lifted (I2)."""
    return replace(visit, message=CARD_LEFT_BEHIND) if visit.card_on else visit


def rule_for(task: Task, event: Event) -> Rule | None:
    """The task's own row, else the shell's, else None: the event changes nothing."""
    key = event.intent if isinstance(event, Touched) else type(event)
    return TABLES[type(task)].get(key) or SHELL.get(key)


def _end(visit: Visit, event: object, world: World) -> Step:
    """Nobody touches a kiosk back into service: the station does that, once the acts file can be written."""
    stays = busy(visit) or isinstance(visit.task, OutOfService)
    return Step(visit if stays else open_start(visit, world))


def _tick(visit: Visit, event: Ticked, world: World) -> Step:
    left = seconds_left(visit, world)
    if isinstance(visit.task, Start) and world.monotonic - visit.touched_at >= world.settings.idle / timedelta(
        seconds=1
    ):
        return Step(_back_to_plain(visit, world))
    if left is None or left > 0:
        return Step(visit)
    return Step(open_start(visit, world))


def _back_to_plain(visit: Visit, world: World) -> Visit:
    """The start page forgets the last patron's language, looks and message; a card left behind stays called out."""
    plain = open_start(visit, world)
    if visit.message == CARD_LEFT_BEHIND:
        plain = remind_of_card(plain)
    if replace(plain, visits=visit.visits, touched_at=visit.touched_at) == visit:
        return visit
    return plain


def _link(visit: Visit, event: LinkChanged, world: World) -> Step:
    """One visit never mixes modes without saying so (DESIGN.md one act 7)."""
    changed = replace(visit, link=event.link, away=event.reason if event.link is Link.OFFLINE else None)
    somebody = not isinstance(visit.task, Start | OutOfService | StaffLogin | StaffPage)
    if somebody and visit.link is Link.ONLINE and event.link is Link.OFFLINE and visit.message is None:
        return hint(changed, Reason.NOW_OFFLINE)
    return Step(changed)


def _device(visit: Visit, event: DeviceChanged, world: World) -> Step:
    devices = MappingProxyType({**visit.devices, event.status.device: event.status})
    return Step(replace(visit, devices=devices))


def _card_left(visit: Visit, event: CardLeft, world: World) -> Step:
    visit = replace(
        visit,
        card_on="" if visit.card_on == event.reader else visit.card_on,
        known_by="" if visit.known_by == event.reader else visit.known_by,
    )
    if visit.message == CARD_LEFT_BEHIND:
        visit = replace(visit, message=None)
    return Step(visit)


def _card_trouble(visit: Visit, event: CardTrouble, world: World) -> Step:
    """Two cards where the visit's own card lies: whose visit it is cannot be known, so it ends (A3).

    The reader tells a second card a moment after the first UID opened the visit. What central is being asked for just
    then did not happen: it is withdrawn. What was shown as done stays done, and is said to be so.
    """
    if event.reason is not Reason.CARD_TWO or visit.known_by != event.reader:
        return hint(visit, event.reason)
    asking = visit.task.asking if isinstance(visit.task, Borrow | Account) else None
    withdrawn = () if asking is None else (Record(Word.WITHDRAWAL, asking),)
    basket = isinstance(visit.task, Borrow) or (isinstance(visit.task, Done) and visit.task.of is Phase.BORROW)
    done = basket and any(row.state not in _NOT_DONE for row in visit.rows)
    said = hint(open_start(visit, world), Reason.CARD_TWO_AFTER_ACTS if done else Reason.CARD_TWO)
    return Step(said.visit, (*withdrawn, *said.effects))


def _code_trouble(visit: Visit, event: CodeTrouble, world: World) -> Step:
    wants_items = isinstance(visit.task, Borrow | Return)
    unknown = event.reason is Reason.CODE_UNKNOWN and wants_items
    return hint(visit, Reason.CODE_NOT_AN_ITEM if unknown else event.reason)


def _settle(visit: Visit, event: VerdictCame, world: World) -> Step:
    return Step(visit, (Settle(event.verdict),))


def _language(visit: Visit, event: Touched, world: World) -> Step:
    return Step(replace(visit, language=Language(event.argument) if event.argument else visit.language.other))


def _dismiss(visit: Visit, event: object, world: World) -> Step:
    return Step(replace(visit, message=None, help_open=False))


def _stay(visit: Visit, event: object, world: World) -> Step:
    return Step(visit)


def _flip(flipped: Callable[[Visit], Visit]) -> Rule:
    def run(visit: Visit, event: object, world: World) -> Step:
        return Step(flipped(visit))

    return Rule(run, ())


SHELL: Table = MappingProxyType(
    {
        Ticked: Rule(_tick, (Phase.START,)),
        LinkChanged: Rule(_link, ()),
        DeviceChanged: Rule(_device, ()),
        CardLeft: Rule(_card_left, ()),
        CardTrouble: Rule(_card_trouble, (Phase.START,)),
        CodeTrouble: Rule(_code_trouble, ()),
        VerdictCame: Rule(_settle, ()),
        Intent.LANGUAGE: Rule(_language, ()),
        Intent.DISMISS: Rule(_dismiss, ()),
        Intent.STAY: Rule(_stay, ()),
        Intent.END: Rule(_end, (Phase.START,)),
        Intent.BACK: Rule(_end, (Phase.START,)),
        Intent.HELP: _flip(lambda visit: replace(visit, help_open=not visit.help_open)),
        Intent.LARGE_TEXT: _flip(lambda visit: replace(visit, large_text=not visit.large_text)),
        Intent.HIGH_CONTRAST: _flip(lambda visit: replace(visit, high_contrast=not visit.high_contrast)),
        Intent.LOW_REACH: _flip(lambda visit: replace(visit, low_reach=not visit.low_reach)),
    }
)
"""Any phase; an empty `leads_to` means that the phase stays."""
