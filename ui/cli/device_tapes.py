"""`shelfpoint devices suggest | record | replay`: self-help on site, and a fault that travels as a file."""

import time
from pathlib import Path

import click

from config import logs
from config.settings import load
from drivers.link import Door
from drivers.tape import BadTape, Recorder, open_tape, read_tape
from kiosk.ports import DeviceError
from ui.cli.kiosk_place import CONFIG

TURN_S = 0.5
OPEN_S = 2.0
KINDS = ("scanner", "printer")


@click.command()
def suggest() -> None:
    """Print settings for everything that is plugged in now. Exit code 1 when nothing was found."""
    from drivers.suggest import pcsc_readers, suggestions
    from drivers.usb_ports import usb_ports

    found = suggestions(pcsc_readers(), usb_ports())
    for table in found:
        click.echo(f"{table}\n")
    if not found:
        raise click.ClickException("No card reader and no serial device on USB was found.")


@click.command()
@CONFIG
@click.argument("tape", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", required=True, help="Which configured scanner or printer.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Stop after so long.")
def record(config: Path, tape: Path, name: str, seconds: float) -> None:
    """Write down what a scanner or printer says. A printer is asked how it is, again and again.

    The tape holds whatever is scanned: use test labels, and read it before you give it away.
    """
    from drivers.catalog import door_of, scanner_profile
    from drivers.escpos import ask_state
    from drivers.serial_link import SerialDoor
    from drivers.usb_ports import port_of, usb_ports

    settings = load(config)
    logs.configure()
    scanners = {entry.name: entry for entry in settings.devices.scanners}
    printers = {entry.name: entry for entry in settings.devices.printers}
    if name in scanners:
        kind = "scanner"
        door: Door = SerialDoor(
            port_of(scanners[name].path, usb_ports()), scanner_profile(scanners[name]).baud, handshake=False
        )
        questions: tuple[bytes, ...] = ()
    elif name in printers:
        kind, door = "printer", door_of(printers[name])
        questions = tuple(ask_state(number) for number in (1, 2, 3, 4))
    else:
        raise click.ClickException(f"No scanner or printer is called {name}.")
    try:
        opened = open_tape(tape, kind)
    except OSError as error:
        raise click.ClickException(f"{tape}: {error.strerror}") from error
    ends = time.monotonic() + seconds
    with opened:
        link = Recorder(door.open(OPEN_S), opened)
        click.echo("Recording; Ctrl-C ends it.", err=True)
        try:
            while (left := ends - time.monotonic()) > 0:
                for question in questions:
                    link.write(question, OPEN_S)
                    link.read(min(TURN_S, left))
                if not questions:
                    link.read(min(TURN_S, left))
        except KeyboardInterrupt:
            click.echo("Ended.", err=True)
        except DeviceError as error:
            opened.write(f"# lost: {error.reason}\n")
            raise
        finally:
            link.close()


@click.command()
@click.argument("tape", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def replay(tape: Path) -> None:
    """Show what the drivers make of a tape. Exit code 1 when it is no tape of a scanner or printer."""
    from drivers.retell import retell_printer, retell_scanner

    try:
        lines = tape.read_text(encoding="utf-8").splitlines()
        pieces = read_tape(lines)
    except (BadTape, UnicodeDecodeError) as error:
        raise click.ClickException(f"{tape}: {error}") from error
    kind = lines[0].partition(":")[2].split(",")[0].strip() if lines else ""
    if kind not in KINDS:
        raise click.ClickException(f"{tape}: line 1 names no kind of device; expected one of {', '.join(KINDS)}")
    for told in (retell_scanner if kind == "scanner" else retell_printer)(pieces):
        click.echo(told)
