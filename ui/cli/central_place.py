"""What every command of `shelfpoint central` has in common: which central it is about, and how mistakes are told."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kiosk.domain.opening import BadHours
from kiosk.domain.staff import BadGrant
from sync.central.backup import BackupFailed
from sync.central.branches import BadPlace, Differs, StillServed
from sync.central.database import DatabaseUnusable
from sync.central.export import ExportFailed
from sync.central.import_rows import BadFile
from sync.central.import_runs import ImportUnderWay
from sync.central.in_folder import MissingFolder
from sync.central.in_use import InUse
from sync.central.key_copy import ADVICE
from sync.central.keys import KeyFileUnusable
from sync.central.office import Central, CentralSettings, OwnFiles
from sync.central.passwords import BadPassword
from sync.central.places import ClosedBranch, UnknownRecord
from sync.central.policies import BadPolicy
from sync.central.retention import StillOpen
from sync.central.setup_file import BadSetup
from sync.central.staff import BadLogin
from sync.central.worklist import NotYours

_DATA = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), required=True, envvar="SHELFPOINT_CENTRAL_DATA",
    help="Folder of central's database.",
)  # fmt: skip
_KEY = click.option(
    "--key", type=click.Path(path_type=Path, dir_okay=False), envvar="SHELFPOINT_CENTRAL_KEY",
    help="Root key file; default: beside the data folder, with the same name and .key.",
)  # fmt: skip
_DATABASE = click.option(
    "--database", metavar="ADDRESS", envvar="SHELFPOINT_CENTRAL_DATABASE",
    help="postgresql://user@host/name; default: encrypted SQLite in the data folder. A password belongs into ~/.pgpass.",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


WHO = "command line"
"""In the audit: whoever may read the root key on this machine."""


class WrongUse(click.ClickException):
    """Exit code 2."""

    exit_code = 2


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Gives the command `place`: which central it is about."""

    @wraps(command)
    def placed(data: Path, key: Path | None, database: str | None, **rest: Any) -> None:
        command(place=CentralSettings(data=data, key_file=key, database=database), **rest)

    return _DATA(_KEY(_DATABASE(placed)))


_WRONG_USE = (
    KeyFileUnusable, BadPolicy, BadFile, BadLogin, BadPassword, BadGrant, BadHours, BadPlace, BadSetup, ClosedBranch, MissingFolder, NotYours, OwnFiles,
)  # fmt: skip
_FAILED = (
    DatabaseUnusable, BackupFailed, Differs, ExportFailed, StillOpen, StillServed, InUse, ImportUnderWay,
)  # fmt: skip


@contextmanager
def told() -> Iterator[None]:
    """What we know can go wrong becomes a message and an exit code."""
    try:
        yield
    except _WRONG_USE as error:
        raise WrongUse(str(error)) from error
    except UnknownRecord as error:
        raise WrongUse(f"there is no {error}") from error
    except _FAILED as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def opened_at(place: CentralSettings) -> Iterator[Central]:
    """Central, closed when the block ends."""
    with told():
        first = not place.root_key_file().exists()
        central = Central.open(place)
        if first:
            click.echo(
                f"A root key was made: {place.root_key_file()}. Without it the data opens no more; {ADVICE}.", err=True
            )
        try:
            yield central
        finally:
            central.close()


def say_lines(as_json: bool, lines: list[str], *, preview: bool = False, notes: Sequence[str] = ()) -> None:
    """What a change did, or would do: + new, ~ different, - gone."""
    done = "would change" if preview else "changed"
    told = lines or [f"Nothing {done}: it is so already."]
    say(as_json, {"changes": lines, "preview": preview, "notes": list(notes)}, "\n".join([*told, *notes]))


def write_sheet(path: Path, sheet: str) -> None:
    """Open to its owner only: such lists may say who waits for what. Raises WrongUse."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(sheet)
        except OSError:
            if path.is_file():
                path.unlink()  # half a list would be taken for a whole one
            raise
    except OSError as error:
        raise WrongUse(f"{path}: {error.strerror}") from error


def say(as_json: bool, value: dict[str, Any] | list[dict[str, Any]], plain: str) -> None:
    """For programs or for people."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else plain)
