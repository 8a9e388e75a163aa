"""Which rows of a file may take a card from the membership that holds it, now that the whole file is known.

A row may, if the file gives the holder another card of that kind; but a holder's row that is refused itself gives nothing
up, and so whoever waits for its card is refused too, through chains of any length. Pure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiosk.domain.identity import CardKind
from sync.central.cards import Claim
from sync.central.import_rows import Line
from sync.central.registry import Patron


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that can be applied if the rest of the file frees the card that it claims."""

    row: int
    """Its staged number."""
    line: Line[Patron]
    """As it was read."""
    claim: Claim
    """What it claims."""


def refused_claimers(claims: Sequence[Claim], given: Mapping[str, Mapping[CardKind, str]]) -> set[str]:
    """Memberships whose rows cannot count. `given`: the cards that the file gives to each holder it names."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        waiting[claim.holder].append(claim.claimer)
    refused: set[str] = set()
    told = [claim.claimer for claim in claims if not _gives_up(given.get(claim.holder, {}), claim)]
    while told:
        claimer = told.pop()
        if claimer not in refused:
            refused.add(claimer)
            told += waiting[claimer]
    return refused


def _gives_up(cards: Mapping[CardKind, str], claim: Claim) -> bool:
    """The file gives the holder another card of that kind, so this number ends there."""
    return cards.get(claim.held_as, claim.number) != claim.number
