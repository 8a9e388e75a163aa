"""`shelfpoint central parcel take | enrol`: kiosks that have no network, on central's side (C7)."""

from pathlib import Path

import click

from sync.central import parcels
from sync.central.fleet import CodeRefused
from sync.central.office import CentralSettings
from sync.central.parcels import Taken
from sync.sealed import BadParcel
from ui.cli.central_place import AS_JSON, opened_at, say, with_place

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
_TO = click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for the answer; default: beside FILE.",
)  # fmt: skip


@click.group()
def parcel() -> None:
    """Parcels from kiosks that have no network."""


@parcel.command()
@with_place
@_FILE
@_TO
@AS_JSON
def take(place: CentralSettings, file: Path, folder: Path | None, as_json: bool) -> None:
    """Judge what a kiosk says in FILE and write the answer. Taking it again changes nothing and answers again."""
    with opened_at(place) as opened:
        try:
            taken = parcels.take(opened, file, folder or file.parent)
        except BadParcel as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or file}: {error.strerror}; take it again") from error
    _tell(taken, as_json)


@parcel.command()
@with_place
@_FILE
@_TO
@click.option("--code", prompt=True, help="One-time code from 'shelfpoint central enrol'; asked for when not given.")
@AS_JSON
def enrol(place: CentralSettings, file: Path, folder: Path | None, code: str, as_json: bool) -> None:
    """Enrol the kiosk whose request is FILE and write its first parcel: its name, its keys, all that it must know."""
    with opened_at(place) as opened:
        try:
            taken = parcels.enrol(opened, file, code, folder or file.parent)
        except (BadParcel, CodeRefused) as error:
            raise click.ClickException(str(error) or "this code is unknown, used or too old; make a new one") from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or file}: {error.strerror}") from error
    _tell(taken, as_json)


def _tell(taken: Taken, as_json: bool) -> None:
    row = {
        "kiosk": taken.kiosk,
        "number": taken.number,
        "words": taken.words,
        "answer": None if taken.answer is None else str(taken.answer),
        "stolen": taken.stolen,
    }
    plain = f"{taken.kiosk}, parcel {taken.number}: {taken.words} acts. "
    if taken.answer is None:
        follows = "No answer is needed."
    elif taken.stolen:
        follows = f"It is stolen: if anybody comes to it, 'queue import' of {taken.answer} wipes it."
    else:
        follows = f"Bring back {taken.answer}"
    say(as_json, row, plain + follows)
