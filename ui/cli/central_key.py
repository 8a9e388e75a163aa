"""`shelfpoint central key copy`: the recovery copy of the root key."""

from pathlib import Path

import click

from sync.central.office import CentralSettings
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, with_place


@click.group()
def key() -> None:
    """The root key, without which the database and its backups open no more."""


@key.command()
@with_place
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@AS_JSON
def copy(place: CentralSettings, file: Path, as_json: bool) -> None:
    """Write the recovery copy into FILE, open to its owner only, and note that there is one."""
    with opened_at(place) as opened:
        fingerprint = opened.key_copy.write(file, place.data, key_file=place.root_key_file(), who=WHO)
    plain = (
        f"{file}: copy of the root key {fingerprint}. Carry it to another place; whoever has it and a backup reads all."
    )
    say(as_json, {"file": str(file), "fingerprint": fingerprint}, plain)
