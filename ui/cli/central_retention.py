"""`shelfpoint central retention run | forget`: cutting the link between people and items, and people themselves."""

import click

from sync.central.office import CentralSettings
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, with_place


@click.group()
def retention() -> None:
    """Forgetting who had what; `serve` does it every day by itself."""


@retention.command()
@with_place
@AS_JSON
def run(place: CentralSettings, as_json: bool) -> None:
    """Cut what is due now: N days after an item's return nobody knows any more who had it."""
    with opened_at(place) as opened:
        done = opened.retention.run(who=WHO)
    told = f"{done.acts} acts name nobody any more. Items with something old that must wait: {done.kept}."
    if done.silent:
        told += f"\nSilent for so long that books which were reserved wait for them: {', '.join(done.silent)}."
        told += " Let them tell what they hold, or revoke them."
    say(as_json, {"acts": done.acts, "kept": done.kept, "silent": list(done.silent)}, told)


@click.command()
@with_place
@click.argument("membership")
@click.confirmation_option(prompt="Erase name and cards of this membership for good?")
def forget(place: CentralSettings, membership: str) -> None:
    """Erase the person behind MEMBERSHIP: name and cards go, acts and audit keep an id that leads nowhere."""
    with opened_at(place) as opened:
        opened.retention.forget(membership, who=WHO)
    click.echo(f"{membership} is forgotten.")
