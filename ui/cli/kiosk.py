"""`shelfpoint kiosk run | enrol`."""

from pathlib import Path

import click

from config.settings import load

CONFIG = click.option(
    "--config", "config", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Settings of this kiosk."
)


@click.group()
def kiosk() -> None:
    """Run this kiosk, or enrol it at central."""


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
@click.option("--url", required=True, help="Address of central, for example https://central.example.")
@click.option("--code", required=True, help="One-time code from 'shelfpoint central enrol'.")
def enrol(config: Path, url: str, code: str) -> None:
    """Introduce this kiosk to central with a one-time code."""
    from sync.central_client import enrol as enrol_at
    from ui.clock import SystemClock

    settings = load(config)
    identity = enrol_at(url, code, settings.keys, SystemClock())
    click.echo(f"This kiosk is {identity.kiosk} at branch {identity.branch}.")
    if identity.branch != settings.branch:
        click.echo(f"Note: its settings say branch {settings.branch}; loans are recorded there.", err=True)
