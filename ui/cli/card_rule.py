"""`shelfpoint devices card-rule`: lay a card on the reader, type its number, get the settings that make one of the other.

Reference: reference/devices.md A4: libraries store one UID in at least six spellings. The rule is found here, once, by
a person who knows the number; the kiosk never tries several (one card's number backwards is another card's).
"""

import time
from pathlib import Path

import click

from config import logs
from config.settings import load
from kiosk.domain.identity import Base, ByteOrder, CardRead, SpellingRule, Take, rules_that_make, unfit
from kiosk.ports import CardArrived, CardTrouble
from kiosk.words import Language, say
from ui.cli.device_ears import Heard, running
from ui.cli.kiosk import CONFIG

TURN_S = 0.5


@click.command("card-rule")
@CONFIG
@click.option("--number", required=True, help="The card's number as the library system stores it.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Wait so long for it.")
def card_rule(config: Path, number: str, seconds: float) -> None:
    """Find how the library system spells a card's number. Exit code 0 when exactly one rule fits, else 1."""
    settings = load(config)
    logs.configure()
    click.echo("Please lay the card on the reader.", err=True)
    with running(settings) as heard:
        card = _card(heard, time.monotonic() + seconds)
    if card is None:
        raise click.ClickException(f"No card came within {seconds:g} seconds. 'shelfpoint devices list' tells why.")
    refused = unfit(card)
    if refused is not None:
        raise click.ClickException(say(f"reason.{refused.reason.value}", Language.EN))
    rules = rules_that_make(number.strip(), card.uid, card.technology)
    if not rules:
        raise click.ClickException(
            f"No rule makes this number from this card ({card.card_class}). Is it the chip's number? The number printed "
            "on an EasyCard cannot be computed from its chip. Is it this card, and the number without prefix?"
        )
    if len(rules) > 1:
        click.echo(f"{len(rules)} rules fit this card. Please try another card, until one is left:", err=True)
    for rule in rules:
        click.echo(pasted(card, rule))
    if len(rules) > 1:
        raise SystemExit(1)


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


def _card(heard: Heard, ends: float) -> CardRead | None:
    """The first card that can be read; what goes wrong meanwhile is said on standard error."""
    while (left := ends - time.monotonic()) > 0:
        event = heard.next(min(TURN_S, left))
        if isinstance(event, CardArrived):
            return event.card
        if isinstance(event, CardTrouble):
            click.echo(say(f"reason.{event.reason.value}", Language.EN), err=True)
    return None
