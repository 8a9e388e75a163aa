"""The devices of a new kiosk: what is plugged in, or what the options say, as tables of the settings.

Owns the choice among what `drivers.suggest` finds: a person is asked about each find; without one only what is sure is
taken. Called by the set-up's first step; asks PC/SC, udev and CUPS, blocks for milliseconds and while a person thinks.
"""

import tomllib
from collections.abc import Iterator

import click

from config.toml_text import quoted
from drivers.printer_profiles import DEFAULT_PROFILE, all_profiles, near_names, profile_called
from ui.cli.setup_answers import Answers

_KINDS = ("readers", "scanners", "printers", "cameras")
_QUEUE = "queue:"


def devices_section(answers: Answers) -> str:
    """One table for each device that was chosen; says on standard error what was found and left."""
    tables = [table for kind in _KINDS for table in _given(answers, kind)]
    by_hand = {kind for kind in _KINDS if answers.several.get(kind[:-1])}
    for find in _found():
        kind = _kind(find)
        if kind is None or kind in by_hand:
            continue
        remark = next(line for line in find.splitlines() if line.startswith("#")).removeprefix("# ")
        tables += _chosen(answers, kind, find, remark, tables)
    if not any("[[devices.printers]]" in table for table in tables):
        address = answers.ask("printer", "Address of the slip printer on the network (empty: none)", needed=False)
        tables += [_printer(answers, address)] if address else []
    for kind, missing in (
        ("readers", "no card reader was found; any reader that is plugged in later is used"),
        ("scanners", "no scanner was found; say --scanner PATH, or plug it in and repeat this step"),
        ("printers", "no printer was found; say --printer HOST, or plug it in and repeat this step"),
    ):
        if not any(f"[[devices.{kind}]]" in table for table in tables):
            click.echo(f"Note: {missing}.", err=True)
    return "\n\n".join(tables)


def _found() -> tuple[str, ...]:
    from drivers.cups import queues
    from drivers.input_nodes import keyboards
    from drivers.suggest import pcsc_readers, printer_suggestions, suggestions
    from drivers.usb_ports import usb_ports
    from drivers.usb_printers import usb_printers

    finds = suggestions(pcsc_readers(), usb_ports(), keyboards())
    return (*finds, *printer_suggestions(usb_printers(), queues()))


def _kind(find: str) -> str | None:
    """readers, scanners or printers; None for a find that is a remark only."""
    return next(iter(tomllib.loads(find).get("devices", {})), None)


def _chosen(answers: Answers, kind: str, find: str, remark: str, chosen: list[str]) -> Iterator[str]:
    entry = tomllib.loads(find)["devices"][kind][0]
    sure = kind == "readers" or (kind == "scanners" and not remark.startswith("serial port"))
    if kind == "printers":
        first = not any("[[devices.printers]]" in table for table in chosen)
        if not first or not answers.agree(f"Found {remark}. Does it print the slips?", otherwise="path" in entry):
            return
        yield _printer(answers, entry.get("path") or f"{_QUEUE}{entry['queue']}")
    elif answers.agree(f"Found {remark}. Use it?", otherwise=sure):
        click.echo(f"Found {remark}.", err=True)
        yield find
    elif not answers.asks:
        click.echo(f"Left out: {remark}. If it is a scanner, say --scanner {entry['path']}.", err=True)


def _given(answers: Answers, kind: str) -> Iterator[str]:
    key = {"readers": "pattern", "scanners": "path", "cameras": "device"}.get(kind)
    for value in answers.several.get(kind[:-1], ()):
        if key is None:
            yield _printer(answers, value)
        else:
            yield f"[[devices.{kind}]]\n{key} = {quoted(value)}"


def _printer(answers: Answers, where: str) -> str:
    lines = ["[[devices.printers]]"]
    if where.startswith(_QUEUE):
        lines.append(f"queue = {quoted(where.removeprefix(_QUEUE))}")
    elif where.startswith(("/", "usb:")):
        lines.append(f"path = {quoted(where)}")
    else:
        host, colon, port = where.rpartition(":")
        lines += (
            [f"host = {quoted(host)}", f"port = {port}"] if colon and port.isdigit() else [f"host = {quoted(where)}"]
        )
    name = _profile(answers)
    lines += [f"profile = {quoted(name)}"] if name != DEFAULT_PROFILE.name else []
    return "\n".join(lines)


def _profile(answers: Answers) -> str:
    """A name that is known; a person is told near ones until it is. What an option says is checked with the whole file."""
    name = answers.ask("printer-profile", "Model of the printer, as on its label", DEFAULT_PROFILE.name)
    while answers.asks and profile_called(name) is None:
        near = ", ".join(near_names(name)) or ", ".join(profile.name for profile in all_profiles())
        click.echo(f"No printer is known as {name!r}. Known: {near}. An unknown one: {DEFAULT_PROFILE.name}.", err=True)
        name = click.prompt("Model of the printer", default=DEFAULT_PROFILE.name, err=True)
    return name
