"""`shelfpoint devices probe printer`: its profile as settings to paste, asked of the printer and, of the rest, of a person.

What the printer answers is asked of it and prints nothing. With --page it then prints a page, and the person who stands
before it is asked what can be seen there: width, and what the printer did not tell. Every line says where it comes from;
what nobody knows stays as the profile has it. Questions go to standard error, the settings to standard output.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import logs
from config.settings import load
from kiosk.words import Language, say
from ui.cli.device_printing import NAME, chosen_printer
from ui.cli.kiosk_place import CONFIG

if TYPE_CHECKING:
    from drivers.printer_probe import Findings

ANSWER_S = 2.0
PAGE_S = 20.0
"""For a page of some kilobytes, also at 9600 baud."""
UNKNOWN = "?"
TOLD, SEEN = "told by the printer", "read off the page"


@click.group()
def probe() -> None:
    """Find out what a device can do."""


@probe.command("printer")
@CONFIG
@NAME
@click.option("--page", "page", is_flag=True, help="Print a page, and ask you what can be seen on it.")
def probe_printer(config: Path, name: str | None, page: bool) -> None:
    """Ask a printer for every answer it may give; prints the settings. Exit code 1 when it tells no state.

    Behind a print queue only the queue is asked: it never says whether a slip was printed.
    """
    from drivers.catalog import door_of
    from drivers.printer_probe import probe as ask
    from drivers.probe_page import probe_page

    entry = chosen_printer(load(config), name)
    logs.configure()
    if entry.queue:
        _show_queue(entry.queue)
        return
    link = door_of(entry).open(ANSWER_S)
    try:
        found = ask(link, ANSWER_S)
        if page:
            if found.fault is not None:
                raise click.ClickException(say(f"device.{found.fault.value}", Language.EN))
            link.write(probe_page(), PAGE_S)
            seen = _ask_person(found)
        else:
            seen = Seen()
    finally:
        link.close()
    if found.fault is not None:
        click.echo(f"{say(f'device.{found.fault.value}', Language.EN)} Then please ask again.", err=True)
    for line in settings_of(found, seen):
        click.echo(line)
    if not page:
        click.echo("What is not told can be read off a page: 'shelfpoint devices probe printer --page'.", err=True)
    if not found.state:
        raise SystemExit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a person read off the page; None: not asked, or not known."""

    width_dots: int | None = None
    """The widest bar with both ends."""
    columns: int | None = None
    """Letters in the first line of the ruler."""
    cjk: str | None = None
    """Which line could be read: big5, gb18030 or none."""
    native_qr: bool | None = None
    """A QR code stands there."""
    cutter: bool | None = None
    """The page was cut off."""
    near_end: bool | None = None
    """There is a sensor for the end of the roll."""


def settings_of(found: "Findings", seen: Seen) -> Iterator[str]:
    """Lines for the printer's table in the settings, each with its source; `confirms` comes last."""
    yield f"# tells its state: {_word(found.state)}; tells changes: {_word(found.news)}"
    yield f"# calls itself: {' '.join(filter(None, (found.maker, found.model))) or 'nothing'}"
    if found.characters:
        yield f"# characters: {found.characters}"
    if found.low:
        yield "# says that the roll is nearly at its end; with a full roll that means that it has no sensor"
    yield _line("width_dots", None, seen.width_dots)
    yield _line("columns", None, seen.columns)
    yield _line("cjk", found.cjk, seen.cjk)
    yield _line("cutter", found.cutter, seen.cutter)
    yield _line("native_qr", found.native_qr, seen.native_qr)
    yield _line("near_end", None, seen.near_end)
    yield _line("news", found.news, None)
    yield f'confirms = "{found.confirms}"'


def _line(key: str, told: object, seen: object) -> str:
    value, source = (told, TOLD) if seen is None else (seen, SEEN)
    if value is None:
        return f"# {key}: not known; as the profile says"
    text = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return f"{key} = {text}  # {source}"


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _ask_person(found: "Findings") -> Seen:
    """Only what the printer did not tell; its own word on its knife and characters is not doubted."""
    from drivers.probe_page import WIDTHS

    click.echo(f"Please take the page. Where you cannot tell, answer {UNKNOWN}.", err=True)
    width = _choose("1 The last bar with a thick end on both sides", [str(width) for width in WIDTHS])
    columns = _choose(
        "2 How many signs stand in the ruler's first line (A is the 10th, B the 20th, C the 30th, D the 40th)",
        [str(count) for count in range(16, 70)],
        shown=False,
    )
    cjk = None
    if found.cjk is None:
        cjk = _choose("3 The line whose Chinese words can be read", ["big5", "gb18030", "none"])
    return Seen(
        width_dots=None if width is None else int(width),
        columns=None if columns is None else int(columns),
        cjk=cjk,
        native_qr=None if found.native_qr else _yes("4 Is there a QR code"),
        cutter=None if found.cutter is not None else _yes("5 Was the page cut off"),
        near_end=_yes("Has the printer a sensor that warns before the roll ends (see its manual)"),
    )


def _choose(question: str, answers: list[str], *, shown: bool = True) -> str | None:
    answer: str = click.prompt(question, type=click.Choice([*answers, UNKNOWN]), show_choices=shown, err=True)
    return None if answer == UNKNOWN else answer


def _yes(question: str) -> bool | None:
    said = _choose(question, ["yes", "no"])
    return None if said is None else said == "yes"


def _show_queue(queue: str) -> None:
    from drivers.cups import Queue

    told = Queue(queue).state()
    click.echo(f"# queue {queue}: {told.working.value}, {'takes' if told.accepting else 'refuses'} jobs")
    click.echo(f"# heard of the printer with the last job: {', '.join(told.alerts) or 'nothing wrong'}")
    click.echo('confirms = "none"')
    if told.reason is not None:
        click.echo(say(f"device.{told.reason.value}", Language.EN), err=True)
