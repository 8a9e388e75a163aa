"""`shelfpoint devices suggest | record | replay`: self-help on site, and a fault that travels as a file."""

import time
from functools import partial
from pathlib import Path
from typing import TextIO

import click

from config import logs
from config.settings import Reader, load
from drivers.link import Door
from drivers.tape import BadTape, Recorder, TapeMismatch, open_tape, read_tape
from kiosk.ports import CardArrived, CardTrouble, DeviceError
from ui.cli.device_ears import Heard
from ui.cli.kiosk_place import CONFIG

TURN_S = 0.5
OPEN_S = 2.0
SSI = "scanner, SSI"
"""Title of a tape of a scanner that sends packets."""
ENDS = "scanner, ends "
"""Before what ends its codes: title of a tape of a scanner of which the settings say it."""
KINDS = ("scanner", "printer", "card reader")


@click.command()
def suggest() -> None:
    """Print settings for everything that is plugged in now. Exit code 1 when nothing was found."""
    from drivers.cups import queues
    from drivers.input_nodes import keyboards
    from drivers.suggest import pcsc_readers, printer_suggestions, suggestions
    from drivers.usb_ports import usb_ports
    from drivers.usb_printers import usb_printers

    found = (*suggestions(pcsc_readers(), usb_ports(), keyboards()), *printer_suggestions(usb_printers(), queues()))
    for table in found:
        click.echo(f"{table}\n")
    if not found:
        raise click.ClickException(
            "No card reader, no serial port, printer or typing scanner on USB, and no print queue was found."
        )


@click.command()
@CONFIG
@click.argument("tape", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", required=True, help="Which configured card reader, scanner or printer.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Stop after so long.")
@click.option("--numbers", is_flag=True, help="Card reader: keep the numbers on the cards, which are persons' numbers.")
def record(config: Path, tape: Path, name: str, seconds: float, numbers: bool) -> None:
    """Write down what a scanner or printer says, or what passes between a reader and cards.

    A printer is asked how it is, again and again. The tape holds whatever is scanned: use test labels, and read it
    before you give it away. Numbers of cards are replaced, unless --numbers is said.
    """
    from drivers.catalog import door_of, scanner_profile
    from drivers.escpos import ask_state
    from drivers.frames import Decoder, Frames
    from drivers.input_scanner import FOLDER
    from drivers.serial_link import SerialDoor
    from drivers.ssi import SsiFrames
    from drivers.usb_ports import port_of, usb_ports

    settings = load(config)
    logs.configure()
    scanners = {entry.name: entry for entry in settings.devices.scanners}
    printers = {entry.name: entry for entry in settings.devices.printers}
    reader = next((entry for entry in settings.devices.readers if entry.name == name), None)
    if reader is not None:
        _record_cards(reader, tape, seconds, numbers)
        return
    decoder: Decoder = Frames()
    if name in scanners:
        profile = scanner_profile(scanners[name])
        kind, decoder = SSI if profile.decoder is SsiFrames else ENDS + scanners[name].ends, profile.decoder()
        if scanners[name].path.startswith(FOLDER):
            raise click.ClickException(f"{name} types like a keyboard; there is no line whose bytes could be recorded.")
        door: Door = SerialDoor(port_of(scanners[name].path, usb_ports()), profile.baud, handshake=False)
        questions: tuple[bytes, ...] = ()
    elif name in printers and printers[name].queue:
        raise click.ClickException(f"{name} is behind a print queue: there is no line to listen to.")
    elif name in printers:
        kind, door = "printer", door_of(printers[name])
        questions = tuple(ask_state(number) for number in (1, 2, 3, 4))
    else:
        raise click.ClickException(f"No card reader, scanner or printer is called {name}.")
    opened = _opened(tape, kind)
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
                    decoder.feed(link.read(min(TURN_S, left)))
                    if answers := decoder.answers():  # a scanner that is not answered sends again
                        link.write(answers, OPEN_S)
        except KeyboardInterrupt:
            click.echo("Ended.", err=True)
        except DeviceError as error:
            opened.write(f"# lost: {error.reason}\n")
            raise
        finally:
            link.close()


def _opened(tape: Path, title: str) -> TextIO:
    try:
        return open_tape(tape, title)
    except OSError as error:
        raise click.ClickException(f"{tape}: {error.strerror}") from error


def _record_cards(entry: Reader, tape: Path, seconds: float, numbers: bool) -> None:
    """The reader works as in the kiosk, with a tape between it and the cards."""
    from drivers.card_tape import CardRecorder, title_of
    from drivers.catalog import slots_of
    from drivers.slot_kind import SlotKind, slot_kind
    from drivers.smartcard import CardReader
    from drivers.supervisor import Supervisor

    slots, heard, ends = slots_of(entry), Heard(), time.monotonic() + seconds
    contact = (slots.kind or slot_kind(entry.pattern)) is SlotKind.CONTACT
    with _opened(tape, title_of(contact=contact, script=slots.script)) as opened:
        recorder = CardRecorder(opened, contact=contact, masked=not numbers)
        reader = CardReader(entry.name, entry.pattern, heard, slots, "none", recorder)
        supervisor = Supervisor([reader], heard)
        supervisor.start()
        click.echo("Recording: lay cards on the reader; Ctrl-C ends it.", err=True)
        try:
            while (left := ends - time.monotonic()) > 0:
                event = heard.next(min(TURN_S, left))
                if isinstance(event, CardArrived | CardTrouble):
                    reason = f": {event.reason}" if isinstance(event, CardTrouble) else ""
                    click.echo(f"A card was laid down{reason}.", err=True)
        except KeyboardInterrupt:
            click.echo("Ended.", err=True)
        finally:
            supervisor.stop()


@click.command()
@click.argument("tape", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def replay(tape: Path) -> None:
    """Show what the drivers make of a tape. Exit code 1 when it is no tape, or when they would ask other things now."""
    from drivers.card_tape import retell_cards
    from drivers.frames import Ends, Frames
    from drivers.retell import retell_printer, retell_scanner
    from drivers.ssi import SsiFrames

    try:
        lines = tape.read_text(encoding="utf-8").splitlines()
        pieces = read_tape(lines)
    except (BadTape, UnicodeDecodeError) as error:
        raise click.ClickException(f"{tape}: {error}") from error
    title = lines[0].partition(":")[2].strip() if lines else ""
    kind = title.split(",")[0].strip()
    if kind not in KINDS:
        raise click.ClickException(f"{tape}: line 1 names no kind of device; expected one of {', '.join(KINDS)}")
    try:
        match kind:
            case "scanner":
                plain = {f"{ENDS}{ends}": partial(Frames, ends) for ends in Ends}
                lines_told = retell_scanner(pieces, SsiFrames if title == SSI else plain.get(title, Frames))
            case "printer":
                lines_told = retell_printer(pieces)
            case _:
                lines_told = retell_cards(title, pieces)
        for told in lines_told:
            click.echo(told)
    except (BadTape, TapeMismatch) as error:
        raise click.ClickException(f"{tape}: {error}") from error
