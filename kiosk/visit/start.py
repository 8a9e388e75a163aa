"""The start page: choose what to do, or just tap a card."""

from dataclasses import replace

from kiosk.ports import CardArrived, CodeRead, Intent, Phase
from kiosk.visit.identify import by_card, by_code
from kiosk.visit.staff import OPEN_DOOR
from kiosk.visit.state import Identify, Rule, Step, Table, Visit, World
from kiosk.visit.steps import open_return


def _identify_for(next_task: Phase) -> Rule:
    def run(visit: Visit, event: object, world: World) -> Step:
        return Step(replace(visit, task=Identify(next_task), message=None))

    return Rule(run, (Phase.IDENTIFY,))


def _return(visit: Visit, event: object, world: World) -> Step:
    return Step(open_return(visit))


TABLE: Table = {
    Intent.BORROW: _identify_for(Phase.BORROW),
    Intent.ACCOUNT: _identify_for(Phase.ACCOUNT),
    Intent.STAFF: OPEN_DOOR,
    Intent.RETURN: Rule(_return, (Phase.RETURN,)),
    CardArrived: Rule(by_card, (Phase.START, Phase.BORROW, Phase.ACCOUNT)),
    CodeRead: Rule(by_code, (Phase.START, Phase.BORROW, Phase.ACCOUNT)),
}
"""START: nobody is here."""
