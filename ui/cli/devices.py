"""`shelfpoint devices list | watch`: what is plugged in, and what it hears, through the drivers that the kiosk uses.

For setting up and for staff: hold a card to the reader and see how its number will be spelled. What is shown here is
the number itself, on standard output and because somebody asked; the log goes to standard error and never has it.
Runs without Qt and without central. The kiosk must not run at the same time: each device has one owner.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_never

import click

from config import logs
from config.settings import load
from kiosk.domain.identity import CardClass, SpellingRule, unfit
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    DeviceEvent,
    DeviceState,
    DeviceStatus,
    PrintEnded,
)
from ui.cli.card_rule import card_rule
from ui.cli.device_ears import running
from ui.cli.device_names import printers
from ui.cli.device_printing import try_out
from ui.cli.device_probing import probe
from ui.cli.device_tapes import record as record_tape
from ui.cli.device_tapes import replay, suggest
from ui.cli.device_trials import try_camera, try_reader, try_scanner
from ui.cli.kiosk_place import CONFIG

ANSWER_S = 5.0
"""How long `list` waits for every device to say how it is."""
TURN_S = 0.5
"""How often a waiting `watch` looks up, so that Ctrl-C is heard."""

Record = dict[str, str | None]
Spelling = Mapping[CardClass, SpellingRule]


@click.group()
def devices() -> None:
    """Readers, scanners, printers and cameras of this machine."""


devices.add_command(card_rule)
devices.add_command(printers)
devices.add_command(probe)
devices.add_command(record_tape)
devices.add_command(replay)
devices.add_command(suggest)
devices.add_command(try_out)
for trial in (try_reader, try_scanner, try_camera):
    try_out.add_command(trial)


@devices.command("list")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object per device.")
def list_devices(config: Path, as_json: bool) -> None:
    """How each configured device is. Exit code 0 when all are ready, 1 when not."""
    settings = load(config)
    logs.configure()
    entries = settings.devices
    named = [entry.name for kind in (entries.readers, entries.scanners, entries.printers, entries.cameras)
             for entry in kind]  # fmt: skip
    states: dict[str, DeviceStatus] = {}
    with running(settings) as heard:
        ends = time.monotonic() + ANSWER_S
        while set(states) != set(named) and (left := ends - time.monotonic()) > 0:
            event = heard.next(left)
            if isinstance(event, DeviceChanged):
                states[event.status.device] = event.status
    for name in named:
        status = states.get(name)
        if as_json:
            click.echo(json.dumps(_told(status) if status else {"device": name, "state": None}, ensure_ascii=False))
        else:
            click.echo(_line(status) if status else f"{name:<12} no answer yet")
    if not named:
        click.echo("No devices are configured.", err=True)
    if any(name not in states or states[name].state is not DeviceState.READY for name in named):
        raise SystemExit(1)


@devices.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line and event.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many events instead of at Ctrl-C.")
def watch(config: Path, as_json: bool, count: int | None) -> None:
    """Show what devices hear, as it happens: cards with their spelling, codes, devices lost and back."""
    settings = load(config)
    logs.configure()
    spelling = settings.visit().spelling
    show: Callable[[Record], str] = _as_json if as_json else _as_text
    shown = 0
    with running(settings) as heard:
        try:
            while count is None or shown < count:
                event = heard.next(TURN_S)
                if event is not None:
                    click.echo(show(record(event, spelling)))
                    shown += 1
        except KeyboardInterrupt:
            return


def record(event: DeviceEvent, spelling: Spelling) -> Record:
    """One event as flat fields; `event` says which, `device` whose."""
    match event:
        case CardArrived(reader=reader, card=card):
            rule, refused = spelling.get(card.card_class), unfit(card)
            return {
                "event": "card",
                "device": reader,
                "class": str(card.card_class),
                "uid": card.uid.hex().upper(),
                "spelling": None if rule is None or refused is not None else rule.spell(card.uid),
                "refused": None if refused is None else refused.reason.value,
            }
        case CardLeft(reader=reader):
            return {"event": "card_left", "device": reader}
        case CardTrouble(reader=reader, reason=reason):
            return {"event": "card_trouble", "device": reader, "reason": reason.value}
        case CodeRead(scanner=scanner, text=text, symbology=symbology):
            return {"event": "code", "device": scanner, "text": text, "symbology": symbology}
        case CodeTrouble(scanner=scanner, reason=reason):
            return {"event": "code_trouble", "device": scanner, "reason": reason.value}
        case DeviceChanged(status=status):
            return {"event": "device", **_told(status)}
        case PrintEnded(job=job, outcome=outcome, reason=why):
            return {
                "event": "print",
                "job": job,
                "outcome": outcome.value,
                "reason": None if why is None else why.value,
            }
        case _ as never:
            assert_never(never)


def _told(status: DeviceStatus) -> Record:
    return {
        "device": status.device,
        "kind": status.kind.value,
        "state": status.state.value,
        "reason": None if status.reason is None else status.reason.value,
        "detail": status.detail,
    }


def _line(status: DeviceStatus) -> str:
    how = status.state.value if status.reason is None else f"{status.state.value} ({status.reason.value})"
    return f"{status.device:<12} {status.kind.value:<12} {how:<24} {status.detail}".rstrip()


def _as_json(fields: Record) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _as_text(fields: Record) -> str:
    return "  ".join(value if name == "event" else f"{name}={value}" for name, value in fields.items() if value)
