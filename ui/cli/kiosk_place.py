"""What every command about a kiosk has in common: which kiosk it is about."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    envvar="SHELFPOINT_CONFIG",
    help="Settings of this kiosk; SHELFPOINT_CONFIG names them too.",
)
