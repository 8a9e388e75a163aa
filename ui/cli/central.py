"""`shelfpoint central`: serve, enrol and look after the central server, on the machine that holds its data.

Exit codes: 0 done, 1 it failed, 2 wrong use or wrong configuration. The commands may run while `serve` does, all but
`restore` and `renew-epoch`: they open the same database, and a waiting kiosk hears of a change at once (PostgreSQL) or within two seconds.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from kiosk.domain.identity import CardKind
from kiosk.domain.lending import Standing
from sync.central.backup import back_up, note_made, restore_from
from sync.central.demo import demo_cast, load_demo
from sync.central.fleet import CODE_LIFE
from sync.central.in_use import InUse, serving
from sync.central.office import CentralSettings, system_clock
from sync.central.policies import changed_rules, load_policy
from sync.wire import Farewell
from ui.cli.central_branches import branch, category, item_type, library
from ui.cli.central_calendar import calendar
from ui.cli.central_cases import audit, cases
from ui.cli.central_fleet import fleet
from ui.cli.central_holds import hold
from ui.cli.central_key import key
from ui.cli.central_parcel import parcel
from ui.cli.central_place import AS_JSON, WrongUse, opened_at, say, told, with_place
from ui.cli.central_records import doctor, export_all, import_items, import_patrons
from ui.cli.central_retention import forget, retention
from ui.cli.central_setup import setup
from ui.cli.central_staff import user


@click.group()
def central() -> None:
    """The central server."""


@central.command()
@with_place
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8470, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--ready-file", type=click.Path(path_type=Path, dir_okay=False), help="Gets the address once it answers.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes; PostgreSQL only.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address for /metrics and /schema.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Its port; 0: nothing listens there. Default: the one after --port (none where that is 0).",
)
def serve(
    place: CentralSettings, host: str, port: int, ready_file: Path | None, workers: int, metrics_host: str,
    metrics_port: int | None,
) -> None:  # fmt: skip
    """Serve until SIGTERM or Ctrl-C."""
    if workers > 1 and place.database is None:
        raise WrongUse("--workers needs PostgreSQL (--database): SQLite has one writer, and one process serves it best")
    if metrics_port is None:
        metrics_port = port + 1 if 0 < port < 65535 else 0
    settings = replace(
        place, host=host, port=port, ready_file=ready_file, metrics_host=metrics_host, metrics_port=metrics_port
    )
    from sync.central import server  # the web framework takes a second to load
    from sync.central import workers as several

    def announce(address: str) -> None:
        click.echo(f"shelfpoint central listening on {address}")

    try:
        with told():
            if workers > 1:
                several.serve(settings, workers, announce=announce)
            else:
                server.serve(settings, announce=announce)
    except (server.CannotListen, several.WorkerEnded) as error:
        raise click.ClickException(str(error)) from error
    # Everything is closed. granian's own threads may outlive `stop` for a moment; one that meets an interpreter on its
    # way out aborts the process (granian 2.8.7, seen under load), so there is no such way out.
    sys.stdout.flush()
    os._exit(0)


@central.command()
@with_place
@click.option("--branch", required=True, help="Where the kiosk will stand.")
@click.option("--again", metavar="KIOSK", help="Enrol this kiosk anew instead of a new one.")
@click.option("--days", type=click.IntRange(1, 90), help="Let it live longer, for a kiosk that is enrolled by stick.")
@AS_JSON
def enrol(place: CentralSettings, branch: str, again: str | None, days: int | None, as_json: bool) -> None:
    """Make a one-time code for a new kiosk; it lives an hour."""
    with opened_at(place) as opened:
        life = CODE_LIFE if days is None else timedelta(days=days)
        code = opened.fleet.make_code(branch, again=again, life=life)
    say(as_json, {"code": code, "branch": branch}, code)


@central.command()
@with_place
@click.argument("kiosk")
@click.option(
    "--retire",
    "farewell",
    flag_value="retire",
    help="It tells what it has not told yet, then wipes itself (the default).",
)
@click.option("--stolen", "farewell", flag_value="stolen", help="At its next contact it wipes itself at once.")
def revoke(place: CentralSettings, kiosk: str, farewell: str | None) -> None:
    """End a kiosk's credential, from its next request on, and let it forget everything: replica, log and keys."""
    with opened_at(place) as opened:
        held = opened.fleet.revoke(kiosk, farewell=Farewell(farewell or Farewell.RETIRE))
    match held:
        case Farewell.RETIRE:
            follows = "It tells what it has not told yet, then wipes itself. If it may be in strange hands: --stolen."
        case Farewell.STOLEN:
            follows = "At its next contact it wipes itself."
    click.echo(f"{kiosk} is revoked. {follows}")


@central.command()
@with_place
@AS_JSON
def kiosks(place: CentralSettings, as_json: bool) -> None:
    """List the kiosks and their last sign of life."""
    with opened_at(place) as opened:
        rows = [
            {
                "kiosk": kiosk.id,
                "branch": kiosk.branch,
                "enrolled_at": kiosk.enrolled_at.isoformat(),
                "revoked_at": None if kiosk.revoked_at is None else kiosk.revoked_at.isoformat(),
                "farewell": kiosk.farewell,
                "health_at": None if kiosk.health_at is None else kiosk.health_at.isoformat(),
                "queue_length": None if kiosk.health is None else kiosk.health.queue_length,
            }
            for kiosk in opened.fleet.all()
        ]
    plain = [f"{row['kiosk']}  {row['branch']}  {'revoked' if row['revoked_at'] else 'enrolled'}" for row in rows]
    say(as_json, rows, "\n".join(plain) or "No kiosk is enrolled.")


@central.command()
@with_place
@click.option("--membership", help="Only of this membership.")
@click.option("--item", help="Only of this item.")
@AS_JSON
def loans(place: CentralSettings, membership: str | None, item: str | None, as_json: bool) -> None:
    """List open loans."""
    with opened_at(place) as opened:
        found = opened.holdings.open_loans(membership=membership, item=item)
    rows = [
        {
            "act": loan.act_id,
            "membership": loan.membership,
            "item": loan.item,
            "lent_at": loan.lent_at.isoformat(),
            "due_at": loan.due_at.isoformat(),
            "renewals": loan.renewals,
        }
        for loan in found
    ]
    plain = [f"{loan.item}  {loan.membership}  until {loan.due_at.astimezone():%Y-%m-%d}" for loan in found]
    say(as_json, rows, "\n".join(plain) or "Nothing is lent.")


_ELSEWHERE = (
    import_items,
    import_patrons,
    export_all,
    doctor,
    fleet,
    setup,
    library,
    branch,
    calendar,
    category,
    item_type,
    hold,
    parcel,
    user,
    cases,
    audit,
    retention,
    forget,
    key,
)
for _command in _ELSEWHERE:
    central.add_command(_command)


@central.command("load-demo")
@with_place
@AS_JSON
def load_sample(place: CentralSettings, as_json: bool) -> None:
    """Load the sample library."""
    with opened_at(place) as opened:
        load_demo(opened)
    cast = demo_cast()
    say(as_json, {"lendable": list(cast.lendable), "on_loan": cast.on_loan}, "The sample library is loaded.")


@central.group()
def policy() -> None:
    """Lending rules."""


@policy.command("set")
@with_place
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--preview", is_flag=True, help="Only say what would change.")
def policy_set(place: CentralSettings, file: Path, preview: bool) -> None:
    """Let the rules of FILE hold from now on."""
    with told():
        entry = load_policy(file)
    if preview:
        with opened_at(place) as opened:
            lines = list(changed_rules(opened.registry.policy(), entry))
        click.echo("\n".join(lines) or "Nothing would change.")
        return
    with opened_at(place) as opened, opened.registry.change("command line") as change:
        change.policy(entry)
    click.echo(f"The rules {entry.policy_version} hold now.")


@central.command()
@with_place
@click.argument("membership")
@click.option("--unblock", is_flag=True, help="Let it borrow again.")
def block(place: CentralSettings, membership: str, unblock: bool) -> None:
    """Block a membership, or unblock it."""
    with opened_at(place) as opened, opened.registry.change("command line") as change:
        change.stand(membership, Standing.ACTIVE if unblock else Standing.BLOCKED)


@central.command("bind-card")
@with_place
@click.argument("membership")
@click.argument("kind", type=click.Choice([kind.value for kind in CardKind]))
@click.option("--number", prompt=True, hide_input=True, help="As the library spells it; asked for when not given.")
@click.option("--take", is_flag=True, help="It opens another membership; a person has looked, and it ends there.")
def bind_card(place: CentralSettings, membership: str, kind: str, number: str, take: bool) -> None:
    """Let a card open a membership; its older card of that kind ends. A card of another membership becomes a case."""
    with opened_at(place) as opened, opened.registry.change("command line") as change:
        refused = change.bind_card(membership, CardKind(kind), number, take=take)
    if refused:
        raise click.ClickException(
            f"this card opens {refused[0].holder}; nothing was changed, and it is a case now (`central cases list`). "
            "When it is clear whose card it is: --take"
        )


@central.command()
@with_place
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--by-pg-dump", is_flag=True, help="PostgreSQL: no FILE, only note that its own tools have made a copy.")
def backup(place: CentralSettings, file: Path | None, by_pg_dump: bool) -> None:
    """Copy the database, encrypted with the same key, while it is in use. Needs a recovery copy of the key first."""
    if (file is None) != by_pg_dump or (by_pg_dump and place.database is None):
        raise WrongUse(
            "FILE copies SQLite; with --database there is no FILE but --by-pg-dump, once pg_dump has made a copy"
        )
    if file is None:
        with opened_at(place) as opened:
            note_made(opened.database, opened.clock())
        click.echo("It is noted that a copy was made.")
        return
    with told():
        back_up(place, file, system_clock())
    click.echo(f"{file}: complete. It is worth nothing without the root key, whose copy belongs in yet another place.")


@central.command()
@with_place
def migrate(place: CentralSettings) -> None:
    """Bring the database to this program's schema; `serve` does the same at its start."""
    with opened_at(place) as opened:
        version = opened.database.version()
    click.echo(f"The schema is {version}.")


def nobody_serves(place: CentralSettings) -> AbstractContextManager[None]:
    """While the block runs (SQLite; PostgreSQL lists its connections). Raises InUse."""
    return nullcontext() if place.database is not None else serving(place.data)


@central.command("renew-epoch")
@with_place
@click.confirmation_option(prompt="Has PostgreSQL just been restored from a copy, and is central not running?")
def renew_epoch(place: CentralSettings) -> None:
    """After PostgreSQL's own restore: kiosks tell again what the copy may have lost."""
    with told(), nobody_serves(place), opened_at(place) as opened:
        if place.database is not None and (others := opened.database.others()):
            raise InUse(f"{others} other connections of central are open; stop every `serve` and command first")
        epoch = opened.renew_epoch()
    click.echo(f"The new epoch is {epoch}.")


@central.command()
@with_place
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.confirmation_option(prompt="Central must not be running. Replace its database by this copy?")
def restore(place: CentralSettings, file: Path) -> None:
    """Put a copy back and renew the epoch: kiosks tell again what it may have lost. The replaced database is kept."""
    with told():
        restored = restore_from(place, file)
    click.echo(f"Restored; the new epoch is {restored.epoch}.")
    if restored.kept is not None:
        click.echo(f"The database before it is {restored.kept}; remove it when all is well: it holds patrons' records.")
