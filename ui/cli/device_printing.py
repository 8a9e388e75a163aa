"""`shelfpoint devices test printer`: a page that staff compare with what it should be, on paper or as a PDF file."""

from pathlib import Path

import click

from config import logs
from config.settings import KioskSettings, Printer, load
from kiosk.ports import DeviceChanged, DeviceState, PrintEnded, PrintOutcome
from kiosk.slip import PaperMachine, Slip, test_page
from kiosk.words import Language, say
from ui.cli.device_ears import Heard
from ui.cli.kiosk_place import CONFIG
from ui.clock import SystemClock

NAME = click.option("--name", help="Which one, where several are configured.")
JOB_S = 60.0


def chosen_printer(settings: KioskSettings, name: str | None) -> Printer:
    """The configured printer of this name, or the first one. Raises ClickException."""
    found = [entry for entry in settings.devices.printers if name in (None, entry.name)]
    if not found:
        raise click.ClickException("No such printer is configured.")
    return found[0]


@click.group("test")
def try_out() -> None:
    """Try a device out."""


@try_out.command("printer")
@CONFIG
@NAME
@click.option(
    "--pdf", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as A4 to this file instead."
)
def print_test_page(config: Path, name: str | None, file: Path | None) -> None:
    """Print a page with what the printer is taken for, widths, characters, barcode and QR code. Exit code 0 printed, 1 not or not confirmed.

    With --pdf no printer is needed: the page is set on A4 as slips are that are sent by mail or printed in an office.
    """
    settings = load(config)
    logs.configure()
    if file is not None:
        _write_pdf(settings, file)
        return
    _print(settings, chosen_printer(settings, name))


def _page(settings: KioskSettings, printer: PaperMachine) -> Slip:
    return test_page(
        language=settings.screen.language,
        library_name=settings.library_name,
        printer=printer,
        now=SystemClock().now(),
    )


def _write_pdf(settings: KioskSettings, file: Path) -> None:
    from drivers.pdf import COLUMNS, pdf

    try:
        file.write_bytes(pdf(_page(settings, PaperMachine(name="PDF A4", columns=COLUMNS)), settings.library_name))
    except OSError as error:
        raise click.ClickException(f"{file} was not written: {error.strerror or error}.") from error
    click.echo(f"Written: {file}")


def _print(settings: KioskSettings, entry: Printer) -> None:
    from drivers.catalog import slip_printer
    from drivers.supervisor import Supervisor

    heard = Heard()
    printer = slip_printer(entry, heard)
    supervisor = Supervisor([printer], heard)
    page = _page(settings, printer.profile.machine(entry.name))
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
