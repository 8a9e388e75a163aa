"""`shelfpoint devices test reader | scanner | camera`: a person lays, scans or shows something and is told what came of it.

One device at a time, over the drivers that the kiosk uses, with a deadline. What was read is shown on standard output
because somebody asked for it; what to do and what goes wrong meanwhile is said on standard error. Exit codes: 0 it
read something, 1 it is ready but nothing readable came in time, 3 it is not ready (2 is for bad settings).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from config import logs
from config.settings import Devices, KioskSettings, load
from kiosk.domain.identity import type_code, unfit
from kiosk.ports import (
    CardArrived,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    DeviceState,
    DeviceStatus,
)
from kiosk.words import Language, say
from ui.cli.device_ears import Heard
from ui.cli.kiosk import CONFIG

if TYPE_CHECKING:
    from drivers.device import Device
    from drivers.viewfinder import Viewfinder

TURN_S = 0.5
NOTHING, NOT_READY = 1, 3

NAME = click.option("--name", help="Which one, where several are configured.")
SECONDS = click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Wait so long for it."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)
Fields = Mapping[str, str | bool | None]


@dataclass(slots=True)
class _Trial:
    """What was heard of one device until something was read or the time was up."""

    read: CardArrived | CodeRead | None = None
    status: DeviceStatus | None = None
    """How it was last."""
    troubles: list[str] = field(default_factory=list)
    """What could not be read, oldest first."""


@click.command("reader")
@CONFIG
@NAME
@SECONDS
@AS_JSON
def try_reader(config: Path, name: str | None, seconds: float, as_json: bool) -> None:
    """Lay a card on the reader: its number, and whether the reader's own light and beeper obey."""
    from drivers.reader_signals import NoSignal, profile_of
    from drivers.smartcard import CardReader

    settings = load(config)
    entry = _entry(settings.devices.readers, name, "card reader")
    with _at_work(settings, readers=(entry,)) as (heard, device):
        trial = _listen(heard, seconds, "Please lay a card on the reader.")
        signals = "none"
        if isinstance(trial.read, CardArrived) and isinstance(device, CardReader):
            profile = profile_of(trial.read.reader, entry.signals)
            if profile is not None:
                try:
                    device.show(trial.read.reader, taken=unfit(trial.read.card) is None, stop=Flag())
                    signals = profile.name
                except NoSignal as why:
                    signals = f"{profile.name} does not obey: {why}"
    told: dict[str, str | bool | None] = {}
    if isinstance(trial.read, CardArrived):
        card = trial.read.card
        refused, rule = unfit(card), settings.visit().spelling.get(card.card_class)
        told = {
            "reader": trial.read.reader,
            "class": str(card.card_class),
            "uid": card.uid.hex().upper(),
            "spelling": None if rule is None or refused is not None else rule.spell(card.uid),
            "refused": None if refused is None else refused.reason.value,
            "signals": signals,
        }
    _conclude(entry.name, "card_reader", trial, told, as_json)


@click.command("scanner")
@CONFIG
@NAME
@SECONDS
@AS_JSON
@click.option("--trigger", is_flag=True, help="Let the kiosk pull the trigger, and send both of its beeps.")
def try_scanner(config: Path, name: str | None, seconds: float, as_json: bool, trigger: bool) -> None:
    """Scan a label: what was read, and which of the library's barcodes that is."""
    from drivers.catalog import scanner_profile
    from drivers.input_scanner import FOLDER
    from drivers.scanner import SerialScanner

    settings = load(config)
    entry = _entry(settings.devices.scanners, name, "scanner")
    profile = scanner_profile(entry)
    if trigger and entry.path.startswith(FOLDER):
        raise click.ClickException(f"{entry.name} types like a keyboard: nothing can be sent to it.")
    if trigger and not profile.trigger_on:
        raise click.ClickException(
            f"Profile {profile.name} knows no trigger command: set trigger_on, in hexadecimal digits, for {entry.name}."
        )
    with _at_work(settings, scanners=(entry,)) as (heard, device):

        def send(*commands: bytes) -> None:
            for command in commands:
                if command and isinstance(device, SerialScanner):
                    device.send(command)

        start = (lambda: send(profile.trigger_on)) if trigger else None
        trial = _listen(heard, seconds, "Please scan the label of a book.", start)
        if trigger and trial.status is not None and trial.status.state is DeviceState.READY:
            send(profile.trigger_off, profile.beep, profile.beep_refused)
    _conclude(entry.name, "scanner", trial, _code(trial, settings), as_json)


@click.command("camera")
@CONFIG
@NAME
@SECONDS
@AS_JSON
def try_camera(config: Path, name: str | None, seconds: float, as_json: bool) -> None:
    """Hold a code before the camera: what was read, or whether pictures come at all."""
    from drivers.camera import Camera
    from drivers.viewfinder import Viewfinder

    settings = load(config)
    entry = _entry(settings.devices.cameras, name, "camera")
    viewfinder = Viewfinder()
    with _at_work(settings, viewfinder=viewfinder, cameras=(entry,)) as (heard, device):
        if isinstance(device, Camera):
            device.wanted(True)
        trial = _listen(heard, seconds, "Please hold a code before the camera.")
        pictures = viewfinder.newest() is not None
    _conclude(entry.name, "camera", trial, _code(trial, settings) | {"pictures": pictures}, as_json)


def _entry(entries: tuple[Entry, ...], name: str | None, what: str) -> Entry:
    found = [entry for entry in entries if name in (None, entry.name)]
    if not found:
        known = ", ".join(entry.name for entry in entries)
        raise click.ClickException(f"No such {what} is configured; there is {known or 'none'}.")
    if len(found) > 1:
        raise click.ClickException(f"Several are configured: say --name, one of {', '.join(e.name for e in found)}.")
    return found[0]


@contextmanager
def _at_work(
    settings: KioskSettings, viewfinder: "Viewfinder | None" = None, **only: object
) -> "Iterator[tuple[Heard, Device]]":
    """The one device that `only` holds, at work."""
    from drivers.catalog import build_devices

    nothing: dict[str, object] = {"readers": (), "scanners": (), "printers": (), "cameras": ()}
    devices: Devices = settings.devices.model_copy(update=nothing | only)
    logs.configure()
    heard = Heard()
    supervisor = build_devices(devices, heard, viewfinder).supervisor
    supervisor.start()
    try:
        yield heard, supervisor.devices[0]
    finally:
        supervisor.stop()


def _listen(heard: Heard, seconds: float, please: str, start: Callable[[], None] | None = None) -> _Trial:
    """Ask the person once the device is ready, and wait for what it reads."""
    trial, ends, asked = _Trial(), time.monotonic() + seconds, False
    while (left := ends - time.monotonic()) > 0 and trial.read is None:
        match heard.next(min(TURN_S, left)):
            case CardArrived() | CodeRead() as read:
                trial.read = read
            case CardTrouble(reason=reason) | CodeTrouble(reason=reason):
                trial.troubles.append(reason.value)
                click.echo(say(f"reason.{reason.value}", Language.EN), err=True)
            case DeviceChanged(status=status):
                trial.status = status
                if status.reason is not None:
                    click.echo(say(f"device.{status.reason.value}", Language.EN), err=True)
                if status.state is DeviceState.READY and not asked:
                    asked = True
                    click.echo(please, err=True)
                    if start is not None:
                        start()
            case _:
                continue
    return trial


def _code(trial: _Trial, settings: KioskSettings) -> dict[str, str | bool | None]:
    if not isinstance(trial.read, CodeRead):
        return {}
    kind = type_code(trial.read.text, trial.read.symbology, settings.visit().code_patterns)
    return {"text": trial.read.text, "symbology": trial.read.symbology, "type": kind.type.value}


def _conclude(device: str, kind: str, trial: _Trial, told: Fields, as_json: bool) -> None:
    """Say what came of it, and end with the exit code that means it."""
    status = trial.status
    ready = status is not None and status.state is DeviceState.READY
    outcome = "read" if trial.read is not None else "nothing" if ready else "not_ready"
    reason = status.reason.value if status is not None and status.reason is not None else None
    fields: dict[str, object] = {"device": device, "kind": kind, "outcome": outcome, "reason": reason, **told}
    fields["troubles"] = trial.troubles
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
    elif outcome == "read":
        click.echo("  ".join(f"{name}={value}" for name, value in told.items() if value not in (None, "")))
    elif outcome == "nothing":
        unread = f"; not readable: {', '.join(trial.troubles)}" if trial.troubles else ""
        pictures = {None: "", True: "; pictures come from it", False: "; no picture came from it"}[
            _flag(told, "pictures")
        ]
        click.echo(f"{device} is ready, but nothing was read in time{unread}{pictures}.")
    else:
        click.echo(
            f"{device} is not ready: {reason or 'it did not answer'}. 'shelfpoint devices list' shows all devices."
        )
    if outcome != "read":
        raise SystemExit(NOTHING if outcome == "nothing" else NOT_READY)


def _flag(told: Fields, name: str) -> bool | None:
    value = told.get(name)
    return value if isinstance(value, bool) else None
