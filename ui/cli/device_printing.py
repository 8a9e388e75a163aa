"""`shelfpoint devices probe` and `test`: what a printer can do, and a page that staff compare with what it should be."""

from pathlib import Path

import click

from config import logs
from config.settings import KioskSettings, Printer, load
from kiosk.ports import DeviceChanged, DeviceState, PrintEnded, PrintOutcome
from kiosk.slip import test_page
from kiosk.words import Language, say
from ui.cli.device_ears import Heard
from ui.cli.kiosk_place import CONFIG
from ui.clock import SystemClock

NAME = click.option("--name", help="Which one, where several are configured.")
ANSWER_S = 2.0
JOB_S = 60.0


def _printer(settings: KioskSettings, name: str | None) -> Printer:
    found = [entry for entry in settings.devices.printers if name in (None, entry.name)]
    if not found:
        raise click.ClickException("No such printer is configured.")
    return found[0]


@click.group()
def probe() -> None:
    """Find out what a device can do."""


@probe.command("printer")
@CONFIG
@NAME
def probe_printer(config: Path, name: str | None) -> None:
    """Ask a printer for every answer it may give; prints the settings. Exit code 1 when it tells no state.

    Behind a print queue only the queue is asked: it never says whether a slip was printed.
    """
    from drivers.catalog import door_of
    from drivers.printer_probe import probe as ask

    entry = _printer(load(config), name)
    logs.configure()
    if entry.queue:
        _show_queue(entry.queue)
        return
    link = door_of(entry).open(ANSWER_S)
    try:
        found = ask(link, ANSWER_S)
    finally:
        link.close()
    if found.fault is not None:
        click.echo(f"{say(f'device.{found.fault.value}', Language.EN)} Then please ask again.", err=True)
    click.echo(f"# tells its state: {'yes' if found.state else 'no'}; tells changes: {'yes' if found.news else 'no'}")
    click.echo(f'confirms = "{found.confirms}"')
    if not found.state:
        raise SystemExit(1)


def _show_queue(queue: str) -> None:
    from drivers.cups import Queue

    told = Queue(queue).state()
    click.echo(f"# queue {queue}: {told.working.value}, {'takes' if told.accepting else 'refuses'} jobs")
    click.echo(f"# heard of the printer with the last job: {', '.join(told.alerts) or 'nothing wrong'}")
    click.echo('confirms = "none"')
    if told.reason is not None:
        click.echo(say(f"device.{told.reason.value}", Language.EN), err=True)


@click.group("test")
def try_out() -> None:
    """Try a device out."""


@try_out.command("printer")
@CONFIG
@NAME
def print_test_page(config: Path, name: str | None) -> None:
    """Print a page with widths, characters, barcode and QR code. Exit code 0 printed, 1 not or not confirmed."""
    from drivers.catalog import slip_printer
    from drivers.supervisor import Supervisor

    settings = load(config)
    entry = _printer(settings, name)
    logs.configure()
    heard = Heard()
    printer = slip_printer(entry, heard)
    supervisor = Supervisor([printer], heard)
    page = test_page(
        language=settings.screen.language,
        library_name=settings.library_name,
        printer=f"{entry.name} {printer.profile.name}",
        columns=printer.profile.columns,
        now=SystemClock().now(),
    )
    supervisor.start()
    try:
        printer.print_slip("test", page)
        while not isinstance(event := heard.next(JOB_S), PrintEnded | None):
            if isinstance(event, DeviceChanged) and event.status.state is not DeviceState.READY:
                click.echo(say(f"device.{event.status.reason}", Language.EN) if event.status.reason else "", err=True)
    finally:
        supervisor.stop()
    if event is None or event.outcome is PrintOutcome.FAILED:
        raise click.ClickException("The page was not printed.")
    if event.outcome is PrintOutcome.UNCONFIRMED:
        raise click.ClickException("The page was sent; the printer did not say whether it printed it.")
    if event.outcome is PrintOutcome.SPOOLED:
        raise click.ClickException("The page went through the print queue; nobody says whether it was printed.")
    click.echo("Printed.")
