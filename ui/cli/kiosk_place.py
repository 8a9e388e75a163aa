"""What every command about a kiosk has in common: which kiosk it is about."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config", "config", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Settings of this kiosk."
)
