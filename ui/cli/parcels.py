"""`shelfpoint queue export | import` and the halves of enrolment by stick: a kiosk that has no network (C7)."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from config.settings import KioskSettings, load
from kiosk.ports import LedgerError
from sync import acts, parcel, replica, wipe, wire
from sync.acts import ActsLog
from sync.central_client import Identity
from sync.encrypted import first_key, key_file
from sync.enrolment import check_records, whose_records
from sync.owner import owned
from sync.replica import UNREADABLE, ReplicaCare, ReplicaWriter
from sync.sealed import BadParcel
from ui.assembly import DATABASE_KEY, require_identity
from ui.cli.kiosk_place import CONFIG


@click.command("export")
@CONFIG
@click.option(
    "--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder on the stick.",
)  # fmt: skip
def export(config: Path, folder: Path) -> None:
    """Write what waits for central into a sealed parcel. The kiosk may go on running."""
    settings = load(config)
    with told(), _log(settings) as (log, key, identity), shown() as advance:
        cursor, fresh = _knowledge(settings, key)
        path, words = parcel.export(
            folder, log, cursor, identity, _health(log, fresh), datetime.now(UTC), advance=advance
        )
    click.echo(f"{path}: {words} acts. At central: shelfpoint central parcel take {path.name}")


@click.command("import")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def take(config: Path, file: Path) -> None:
    """Take in central's answer from FILE: verdicts and what is new. The kiosk must not run meanwhile."""
    settings = load(config)
    with told(), owned(settings.data):
        with _log(settings) as (log, key, identity), shown() as advance:
            care = ReplicaCare(settings.data, key, identity.index_key_bytes())
            care.prepare()  # as at a start: one that cannot be read is put aside, and this answer or the next fills the new one
            keep = timedelta(days=settings.central.keep_acts_days)
            with closing(ReplicaWriter(settings.data, key, version("shelfpoint"))) as writer:
                now = datetime.now(UTC)
                done = parcel.take(file, settings.data, log, writer, identity, advance, keep=keep, now=now)
            left, _ = log.queue()
        click.echo(f"{done.words} verdicts and {done.pages} pages taken; {left} acts wait for central.")
        if done.farewell is wire.Farewell.STOLEN or (done.farewell is wire.Farewell.RETIRE and not left):
            _leave(settings, done.farewell)
    if not done.feed_fits:
        click.echo(
            "The news in it do not go on where this kiosk is. Export again, and take the answer to that.", err=True
        )
    if datetime.now(UTC) < done.told_at:
        click.echo(f"This machine's clock is behind: at central it was {done.told_at:%Y-%m-%d %H:%M} UTC.", err=True)


def _leave(settings: KioskSettings, farewell: wire.Farewell) -> None:
    wipe.begin(settings.keys, farewell)
    rest = wipe.finish(settings.data, settings.keys, DATABASE_KEY, datetime.now(UTC), farewell)
    why = "has retired this kiosk" if farewell is wire.Farewell.RETIRE else "was told that this kiosk is stolen"
    click.echo(f"Central {why}: its records and keys are wiped.")
    if rest is not None:
        click.echo(f"{rest}: what it had not told, sealed. At central: shelfpoint central parcel take {rest.name}")


def request_enrolment(settings: KioskSettings, folder: Path, code: str) -> None:
    """First half: the request for central."""
    with told():
        records_of = whose_records(settings.data, settings.keys, DATABASE_KEY)
        path = parcel.request_enrolment(folder, settings.keys, code, records_of)
    click.echo(f"{path}: at central run 'shelfpoint central parcel enrol {path.name}' with the same code.")


def finish_enrolment(settings: KioskSettings, file: Path) -> Identity:
    """Second half: central's answer, and the first feed."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with told(), owned(settings.data):
        if not (settings.keys / parcel.PENDING).exists():
            identity = require_identity(settings)  # the power was cut after the identity, before the feed
        else:
            records_of = whose_records(settings.data, settings.keys, DATABASE_KEY)
            identity = parcel.finish_enrolment(file, settings.data, settings.keys, records_of)
        key = first_key(settings.keys / DATABASE_KEY, settings.data)
        replica.prepare(settings.data, key)
        writer = ReplicaWriter(settings.data, key, version("shelfpoint"))
        try:
            with shown() as advance:
                parcel.first_feed(file, settings.data, writer, identity, advance)
        finally:
            writer.close()
    return identity


@contextmanager
def told() -> Iterator[None]:
    """What can go wrong with a stick becomes a message and exit code 1."""
    try:
        yield
    except BadParcel as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or 'the stick'}: {error.strerror}; nothing was lost, try again"
        ) from error


@contextmanager
def shown() -> Iterator[Callable[[str, int], None]]:
    """Counters on the terminal's error stream; nothing where there is no terminal."""
    console = Console(stderr=True)
    with Progress("{task.description}", "{task.completed}", console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, done: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.update(tasks[what], completed=done)

        yield advance


@contextmanager
def _log(settings: KioskSettings) -> Iterator[tuple[ActsLog, bytes, Identity]]:
    """This kiosk's log, the key of both files, and who it is."""
    identity = require_identity(settings)
    key = key_file(settings.keys / DATABASE_KEY)
    acts.prepare(settings.data, key)
    with closing(ActsLog(settings.data, key)) as log:
        check_records(log, settings.data, identity.kiosk)
        yield log, key, identity


def _knowledge(settings: KioskSettings, key: bytes) -> tuple[str, datetime | None]:
    """Where the replica's feed goes on, and how fresh it is. One that cannot be read keeps no act from going out."""
    try:
        replica.prepare(settings.data, key)
        with closing(ReplicaWriter(settings.data, key, version("shelfpoint"))) as writer:
            return writer.cursor(), writer.place().fresh_at
    except LedgerError as error:
        if error.reason not in UNREADABLE:
            raise
        click.echo(f"The replica cannot be read ({error.detail}); the answer will bring everything anew.", err=True)
        return "", None


def _health(log: ActsLog, fresh: datetime | None) -> wire.Health:
    now = datetime.now(UTC)
    waiting, oldest = log.queue()
    return wire.Health(
        incarnation=log.incarnation,
        program=version("shelfpoint"),
        queue_length=waiting,
        queue_age_ms=None if oldest is None else int((now - oldest).total_seconds() * 1000),
        replica_age_ms=None if fresh is None else int((now - fresh).total_seconds() * 1000),
    )
