"""From a card or a patron's barcode to a membership (A2-A4, A8).

The number of a refused UID is neither looked up nor kept. A contactless card answers only to kinds that live on a
chip, a scanned code only to kinds that are read by a scanner: a UID printed as a barcode opens nothing.
"""

from dataclasses import replace

from kiosk.domain.identity import CardKind, CardRead, CodeType, type_code, unfit
from kiosk.domain.lending import may_borrow_at_all
from kiosk.domain.values import Reason, Refused
from kiosk.ports import CardArrived, CodeRead, Intent, Phase, Play, Sound
from kiosk.visit.state import Identify, Rule, Start, Step, Table, Visit, World
from kiosk.visit.steps import (
    NOT_FOR_KIOSKS,
    hint,
    knows_nothing,
    open_account,
    open_basket,
    open_start,
    refuse,
)

TAPPED = frozenset({CardKind.EASYCARD, CardKind.IPASS, CardKind.CHIP})
SCANNED = frozenset({CardKind.BARCODE, CardKind.MOBILE})

UNKNOWN_LIMIT = 5
"""Unknown cards in a row before look-ups pause: a programmable card could try numbers (devices.md A9)."""
UNKNOWN_PAUSE_S = 30.0


def by_card(visit: Visit, event: CardArrived, world: World) -> Step:
    number = _spelled(event.card, world)
    if isinstance(number, Refused):
        return refuse(visit, number)
    step = by_number(visit, number, TAPPED, world)
    return step if step.visit.membership is None else replace(step, visit=replace(step.visit, known_by=event.reader))


def by_code(visit: Visit, event: CodeRead, world: World) -> Step:
    code = type_code(event.text, event.symbology, world.settings.code_patterns)
    match code.type:
        case CodeType.PATRON:
            return by_number(visit, code.text, SCANNED, world)
        case CodeType.ITEM:
            if isinstance(visit.task, Start):
                return hint(visit, Reason.CHOOSE_FIRST)
            return hint(visit, Reason.CODE_IS_ITEM)
        case CodeType.UNKNOWN:
            return hint(visit, Reason.CODE_UNKNOWN)
        case other:
            return hint(visit, NOT_FOR_KIOSKS[other])


def by_number(visit: Visit, number: str, kinds: frozenset[CardKind], world: World) -> Step:
    """Look a spelled number up and go on to the task that was chosen."""
    if world.monotonic < visit.unknown_until:
        return refuse(visit, Refused(Reason.CARD_REPEATED_UNKNOWN))
    unread = world.library.unread()
    hit = world.library.card(number)
    membership = None if hit is None or hit.kind not in kinds else world.library.membership(hit.membership)
    if membership is None and world.library.unread() != unread:
        return refuse(visit, Refused(Reason.REPLICA_DAMAGED))
    if membership is None:
        unknown = visit.unknown_cards + 1
        if world.library.age(world.wall) is None:
            return refuse(visit, knows_nothing(world))
        if unknown >= UNKNOWN_LIMIT:
            pause = replace(visit, unknown_cards=0, unknown_until=world.monotonic + UNKNOWN_PAUSE_S)
            return refuse(pause, Refused(Reason.CARD_REPEATED_UNKNOWN))
        return refuse(replace(visit, unknown_cards=unknown), Refused(Reason.CARD_NOT_FOUND))
    policy = world.library.policy()
    if policy is None:
        return refuse(visit, Refused(Reason.NO_POLICY))
    wanted = visit.task.next_task if isinstance(visit.task, Identify) else Phase.BORROW
    visit = replace(
        visit,
        membership=membership.id,
        card=None if hit is None else hit.id,
        name=membership.display_name,
        unknown_cards=0,
        message=None,
        rows=(),
    )
    loans = world.library.open_loans(membership.id)
    blocked = may_borrow_at_all(membership=membership, open_loans=loans, policy=policy, now=world.now)
    if wanted is Phase.ACCOUNT or blocked is not None:
        opened = open_account(visit, world)
        if blocked is None and world.library.unread() != unread:
            return refuse(opened, Refused(Reason.REPLICA_DAMAGED))
        if wanted is Phase.ACCOUNT or blocked is None:
            return Step(opened, (Play(Sound.OK),))
        return refuse(opened, blocked)
    return Step(open_basket(visit), (Play(Sound.OK),))


def _spelled(card: CardRead, world: World) -> str | Refused:
    refused = unfit(card)
    if refused is not None:
        return refused
    rule = world.settings.spelling.get(card.card_class)
    if rule is None:
        return Refused(Reason.CARD_NO_RULE)
    return rule.spell(card.uid)


def _back(visit: Visit, event: object, world: World) -> Step:
    return Step(open_start(visit, world))


AFTER_A_CARD = (Phase.IDENTIFY, Phase.BORROW, Phase.ACCOUNT)

TABLE: Table = {
    CardArrived: Rule(by_card, AFTER_A_CARD),
    CodeRead: Rule(by_code, AFTER_A_CARD),
    Intent.BACK: Rule(_back, (Phase.START,)),
}
"""IDENTIFY: a card or a patron's barcode, or back."""
