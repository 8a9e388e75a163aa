"""`shelfpoint devices card-rule`: lay a card on the reader, type its number, get the settings that make one of the other.

Reference: reference/devices.md A4: libraries store one UID in at least six spellings. The rule is found here, once, by
a person who knows the number; the kiosk never tries several (one card's number backwards is another card's). One card
is often not enough: a decimal number of ten digits does not tell whether shorter ones are filled up with zeros, and
23 of 100 cards have a shorter one. Then the command says what is open, and takes several cards with their numbers.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from config import logs
from config.settings import load
from kiosk.domain.identity import Base, ByteOrder, CardRead, SpellingRule, Take, unfit
from kiosk.domain.spelling_doubt import Doubt, KnownCard, doubt, rules_that_fit
from kiosk.ports import CardArrived, CardTrouble
from kiosk.words import Language, say
from ui.cli.device_ears import Heard, running
from ui.cli.kiosk_place import CONFIG

TURN_S = 0.5


@click.command("card-rule")
@CONFIG
@click.option(
    "--number",
    "numbers",
    multiple=True,
    required=True,
    help="A card's number as the library system stores it. Several cards, one after the other: once for each.",
)
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Wait so long for each."
)
def card_rule(config: Path, numbers: tuple[str, ...], seconds: float) -> None:
    """Find how the library system spells a card's number. Exit code 0 when exactly one rule fits, else 1."""
    settings = load(config)
    logs.configure()
    known = []
    with running(settings) as heard:
        for count, number in enumerate(numbers, start=1):
            which = "the card" if len(numbers) == 1 else f"the card with number {count} of {len(numbers)}"
            click.echo(f"Please lay {which} on the reader.", err=True)
            known.append(KnownCard(number.strip(), _identity(heard, seconds)))
    card = known[0].card
    if any(each.card.card_class != card.card_class for each in known):
        classes = ", ".join(str(each.card.card_class) for each in known)
        raise click.ClickException(
            f"These cards are of different classes ({classes}), and each class has a rule of its own."
        )
    rules = rules_that_fit(known)
    if not rules:
        raise click.ClickException(
            f"No rule makes this number from this card ({card.card_class}). Is it the chip's number? The number printed "
            "on an EasyCard cannot be computed from its chip. Is it this card, and the number without prefix?"
            if len(known) == 1
            else "No rule makes all of these numbers from these cards. Was each card laid down for its own number?"
        )
    is_open = doubt(rules, card.card_class)
    if is_open is not None:
        click.echo(what_is_open(rules, is_open), err=True)
    for rule in rules:
        click.echo(pasted(card, rule))
    if is_open is not None:
        raise SystemExit(1)


def what_is_open(rules: Sequence[SpellingRule], doubt: Doubt) -> str:
    """What another card would settle, and how it is tried."""
    numbers = " or ".join(doubt.numbers)
    only_zeros = len({replace(rule, pad_to=0) for rule in rules}) == 1
    which = "Best is one whose number is shorter or begins with a zero." if only_zeros else "Any other card may do."
    return (
        f"{len(rules)} rules fit, and spell {max(1, round(100 * doubt.share))} of 100 cards differently: a chip "
        f"{doubt.uid.hex().upper()} would be {numbers}. Please try another card as well, until one is left: --number for "
        f"this one and --number for the next. {which}"
    )


def pasted(card: CardRead, rule: SpellingRule) -> str:
    """A rule as it stands in the settings; what is as usual is left out."""
    lines = ["[[cards]]", f'technology = "{card.technology.value}"', f"uid_length = {len(card.uid)}"]
    if rule.base is not Base.HEX_UPPER:
        lines.append(f'base = "{rule.base.value}"')
    if rule.order is not ByteOrder.ON_AIR:
        lines.append(f'order = "{rule.order.value}"')
    if rule.take is not Take.ALL:
        lines.append(f'take = "{rule.take.value}"')
    if rule.pad_to:
        lines.append(f"pad_to = {rule.pad_to}")
    return "\n".join([*lines, ""])


def _identity(heard: Heard, seconds: float) -> CardRead:
    """The next card that can be read and may be an identity; ClickException when there is none."""
    card = _card(heard, time.monotonic() + seconds)
    if card is None:
        raise click.ClickException(f"No card came within {seconds:g} seconds. 'shelfpoint devices list' tells why.")
    refused = unfit(card)
    if refused is not None:
        raise click.ClickException(say(f"reason.{refused.reason.value}", Language.EN))
    return card


def _card(heard: Heard, ends: float) -> CardRead | None:
    """The first card that can be read; what goes wrong meanwhile is said on standard error."""
    while (left := ends - time.monotonic()) > 0:
        event = heard.next(min(TURN_S, left))
        if isinstance(event, CardArrived):
            return event.card
        if isinstance(event, CardTrouble):
            click.echo(say(f"reason.{event.reason.value}", Language.EN), err=True)
    return None
