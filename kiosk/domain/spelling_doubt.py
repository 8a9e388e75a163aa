"""What is still open while several spelling rules fit the cards that were tried; for `devices card-rule`. Pure.

A rule that fits one card is not yet the library's: two that fit may spell the next card differently, and that card
would then never be looked up under its number. How many cards that are is shown, with one of them as an example.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256

from kiosk.domain.identity import Base, CardClass, CardRead, SpellingRule, rules_that_make, unfit

_TRIED = 1000
"""Made-up UIDs; a difference that shows in fewer than one of so many is not seen."""


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card whose number in the library system is known."""

    number: str = field(repr=False)
    """As the system stores it."""
    card: CardRead
    """As the reader saw it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Rules that fit, and are not one."""

    share: float
    """Part of all cards of the class that they spell differently, 0 to 1."""
    uid: bytes
    """One of those: an example, nobody's card in particular."""
    numbers: tuple[str, ...]
    """What each rule makes of it."""


def rules_that_fit(known: Sequence[KnownCard]) -> tuple[SpellingRule, ...]:
    """Every plain rule that spells each of these cards, which are of one class, as its number."""
    rules = (rule for each in known for rule in rules_that_make(each.number, each.card.uid, each.card.technology))
    return tuple(rule for rule in dict.fromkeys(rules) if all(_fits(rule, each) for each in known))


def doubt(rules: Sequence[SpellingRule], card_class: CardClass) -> Doubt | None:
    """What these rules spell differently, or None if they are one for every card that was tried."""
    uids = _uids(card_class)
    spelled = [(uid, tuple(rule.spell(uid) for rule in rules)) for uid in uids]
    apart = [(uid, numbers) for uid, numbers in spelled if len(set(numbers)) > 1]
    return Doubt(len(apart) / len(uids), *apart[0]) if apart else None


def _fits(rule: SpellingRule, known: KnownCard) -> bool:
    """A number with letters is no binary-coded decimal, even where it would be written alike."""
    return rule.spell(known.card.uid) == known.number and (rule.base is not Base.BCD or known.number.isdigit())


@cache
def _uids(card_class: CardClass) -> tuple[bytes, ...]:
    """UIDs of this class that may be identities, evenly spread."""
    uids = (sha256(count.to_bytes(2, "big")).digest()[: card_class.uid_length] for count in range(_TRIED))
    return tuple(uid for uid in uids if unfit(CardRead(uid, card_class.technology)) is None)
