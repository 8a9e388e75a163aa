"""`shelfpoint queue`: what waits to be sent to central, read from the kiosk's own log; and by stick where no line is."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from config.settings import load
from sync import acts
from sync.acts import ActsLog
from sync.central_client import load_identity
from sync.encrypted import key_file
from ui.assembly import DATABASE_KEY
from ui.cli.kiosk_place import CONFIG
from ui.cli.parcels import export, take


@click.group()
def queue() -> None:
    """What waits to be sent to central."""


@queue.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(config: Path, as_json: bool) -> None:
    """How many acts wait, since when, and which log this is."""
    settings = load(config)
    if not (settings.data / acts.FILE).exists():
        raise click.ClickException(f"{settings.data / acts.FILE}: no log here; has this kiosk ever run?")
    log = ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))
    try:
        waiting, oldest = log.queue()
        newest = log.newest()
        rescue = log.rescue()
        identity = load_identity(settings.keys)
    finally:
        log.close()
    age = None if oldest is None else datetime.now(UTC) - oldest
    if as_json:
        click.echo(
            json.dumps(
                {
                    "kiosk": None if identity is None else identity.kiosk,
                    "incarnation": log.incarnation,
                    "waiting": waiting,
                    "oldest_age_s": None if age is None else round(age.total_seconds()),
                    "newest_at": None if newest is None else newest.isoformat(),
                    "rescued_at": None if rescue is None else rescue.at.isoformat(),
                    "rescued": 0 if rescue is None else rescue.said_again,
                    "unclear": 0 if rescue is None else rescue.unclear,
                }
            )
        )
        return
    click.echo(f"Kiosk: {'not enrolled' if identity is None else identity.kiosk}")
    click.echo(f"Waiting: {waiting}" + ("" if age is None else f", the oldest for {_spoken(age.total_seconds())}"))
    click.echo(f"Newest act: {'none yet' if newest is None else format(newest.astimezone(), '%Y-%m-%d %H:%M:%S')}")
    if rescue is not None:
        when = format(rescue.at.astimezone(), "%Y-%m-%d %H:%M:%S")
        click.echo(
            f"This log began on {when} with {rescue.said_again} acts rescued from a damaged file kept beside it."
        )
        if rescue.unclear:
            click.echo(f"Of {rescue.unclear} requests it could not be read whether they happened; compare at the desk.")


queue.add_command(export)
queue.add_command(take)


def _spoken(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
