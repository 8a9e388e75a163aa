"""The command `shelfpoint`. Groups are loaded by name when called, so that `central` needs no Qt and `devices` no server.

Exit codes: 0 done, 1 it failed (the message says what and where), 2 wrong use or wrong configuration.
"""

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

from config import logs
from config.settings import BadSettings
from kiosk.domain.values import KioskError

COMMANDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "kiosk": ("ui.cli.kiosk", "kiosk", "Set this kiosk up, run it, or enrol it at central."),
        "central": ("ui.cli.central", "central", "The central server."),
        "devices": ("ui.cli.devices", "devices", "Readers, scanners and printers of this machine."),
        "queue": ("ui.cli.queue", "queue", "What waits to be sent to central."),
        "demo": ("ui.cli.demo", "demo", "Everything at once on this machine, with virtual hardware."),
        "workbench": ("ui.cli.workbench", "workbench", "The window of virtual hardware."),
        "bench": ("ui.cli.bench", "bench", "Measure against floors in the same run."),
        "doctor": ("ui.cli.doctor", "doctor", "Look for what is wrong with this machine."),
    }
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help that imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shelfpoint")
def shelfpoint() -> None:
    """Self-service library kiosk and circulation-desk controller."""


def main() -> None:
    """Console script; turns the errors we know into a message and an exit code. The log goes to standard error.

    Commands return nothing: a number that comes back is the exit code of click's `Exit`, which is no exception here.
    """
    logs.configure()
    try:
        code = shelfpoint(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BadSettings as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in ("kiosk", "config", "drivers", "sync", "ui"):
            raise
        click.echo(f"This part of Shelfpoint is not installed here: {error.name} is missing.", err=True)
        sys.exit(1)
    except KioskError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if isinstance(code, int):
        sys.exit(code)
