"""`shelfpoint kiosk run | enrol | setup`."""

from pathlib import Path

import click

from config.settings import load
from ui.cli.kiosk_place import CONFIG
from ui.cli.kiosk_setup import setup


@click.group()
def kiosk() -> None:
    """Set this kiosk up, run it, or enrol it at central."""


kiosk.add_command(setup)


@kiosk.command()
@CONFIG
@click.option("--windowed", is_flag=True, help="In a window instead of the full screen.")
def run(config: Path, windowed: bool) -> None:
    """Open the patron's screen and serve patrons until the window is closed."""
    settings = load(config)
    from ui.patron.app import run_kiosk

    raise SystemExit(run_kiosk(settings, full_screen=settings.screen.full_screen and not windowed))


@kiosk.command()
@CONFIG
@click.option("--url", help="Address of central, for example https://central.example.")
@click.option(
    "--plain-http", is_flag=True, help="Allow an http:// address of another machine: nobody can listen on that line."
)
@click.option("--code", help="One-time code from 'shelfpoint central enrol'.")
@click.option(
    "--request",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Without a network: write the request into this folder on a stick; needs --code.",
)
@click.option(
    "--answer",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Without a network: take central's answer from this file.",
)
def enrol(
    config: Path, url: str | None, plain_http: bool, code: str | None, request: Path | None, answer: Path | None
) -> None:
    """Introduce this kiosk to central with a one-time code: over the network (--url), or by stick."""
    from sync.encrypted import first_key
    from sync.enrolment import check_address, over_network
    from sync.owner import owned
    from ui.assembly import DATABASE_KEY
    from ui.cli import parcels
    from ui.clock import SystemClock

    settings = load(config)
    if answer is not None and code is None and url is None and request is None:
        identity = parcels.finish_enrolment(settings, answer)
    elif code is not None and request is not None and url is None and answer is None:
        parcels.request_enrolment(settings, request, code)
        return
    elif code is not None and url is not None and request is None and answer is None:
        check_address(url, plain_http=plain_http)
        with owned(settings.data):
            first_key(settings.keys / DATABASE_KEY, settings.data)  # before the code is used up
            identity = over_network(url, code, settings.data, settings.keys, DATABASE_KEY, SystemClock())
    else:
        raise click.UsageError("one of: --url with --code; --request with --code; --answer")
    click.echo(f"This kiosk is {identity.kiosk} at branch {identity.branch}.")
    if identity.branch != settings.branch:
        click.echo(f"Note: its settings say branch {settings.branch}; loans are recorded there.", err=True)
