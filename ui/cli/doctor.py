"""`shelfpoint doctor`: looks at this machine and says, one line each, what is well and what to do about the rest."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from kiosk.ports import DeviceError
from ui.cli.doctor_machine import Finding, card_service, doubled_readers, grabbers, may_open, seal, way_to_central

if TYPE_CHECKING:
    from config.settings import CodeRule
    from drivers.usb_ports import UsbPort


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="SHELFPOINT_CONFIG",
    help="Settings of this kiosk.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def doctor(config: Path | None, as_json: bool) -> None:
    """Look for what is wrong with this machine. Exit code 1 when something is."""
    findings = list(_look(config))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.well else 'BAD'} {finding.what}: {finding.detail}")
    if not all(finding.well for finding in findings):
        raise SystemExit(1)


def _look(config: Path | None) -> Iterator[Finding]:
    yield _sqlite()
    yield _font()
    yield card_service()
    yield from grabbers()
    yield seal()
    if config is not None:
        yield from _configured(config)


def _sqlite() -> Finding:
    from sqlcipher3 import dbapi2 as sqlcipher

    from sync.encrypted import OLDEST_SQLITE

    well = sqlcipher.sqlite_version_info >= OLDEST_SQLITE
    return Finding("SQLite", well, f"{sqlcipher.sqlite_version}, 3.51.3 or newer is needed")


def _font() -> Finding:
    if shutil.which("fc-match") is None:
        return Finding("Chinese font", False, "fc-match is missing; install fontconfig")
    found = subprocess.run(
        ["fc-match", "-f", "%{family}", "Noto Sans CJK TC"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    well = "Noto Sans CJK TC" in found
    return Finding("Chinese font", well, "Noto Sans CJK TC" if well else f"found {found}; install fonts-noto-cjk")


def _secret(what: str, path: Path) -> Iterator[Finding]:
    """How one secret is kept; where it is nowhere to be seen, the lines on enrolment and log say so."""
    from sync.encrypted import Kept, kept

    match kept(path):
        case Kept.SEALED:
            yield Finding(what, True, "sealed")
        case Kept.FILE:
            yield Finding(
                what, True, f"not sealed: {path} is a plain file; seal it (deploy/README.md) or encrypt the disk"
            )
        case Kept.BOTH:
            yield Finding(
                what, False, f"sealed, but {path} lies beside it in plain; seal it anew if it is newer, then remove it"
            )
        case Kept.NOWHERE:
            return
        case _ as never:
            assert_never(never)


def _configured(config: Path) -> Iterator[Finding]:
    from config.settings import BadSettings, load
    from kiosk.domain.values import KioskError
    from sync import acts, wipe
    from sync.acts import ActsLog
    from sync.central_client import IDENTITY, load_identity
    from sync.encrypted import key_file
    from ui.assembly import DATABASE_KEY

    try:
        settings = load(config)
    except BadSettings as error:
        yield from (Finding("settings", False, problem) for problem in error.problems)
        return
    yield Finding("settings", True, str(config))
    yield from loose_codes(settings.codes)
    identity = load_identity(settings.keys)
    advice = f"run 'shelfpoint kiosk enrol'; or, if {IDENTITY} is sealed, run this with the credential"
    yield Finding("enrolment", identity is not None, advice if identity is None else identity.kiosk)
    if identity is not None:
        yield way_to_central(identity.url)
    yield from _secret("database key", settings.keys / DATABASE_KEY)
    yield from _secret("identity", settings.keys / IDENTITY)
    yield _try("data folder", lambda: f"{shutil.disk_usage(settings.data).free // 2**20} MiB free")
    for rest in wipe.left_behind(settings.data):
        yield Finding("left behind", False, f"{rest}: acts sealed for central; run 'central parcel take' on it there")
    if (settings.data / acts.FILE).exists():
        try:
            log = ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))
            waiting, _ = log.queue()
            log.close()
        except KioskError as error:
            yield Finding("log", False, str(error))
        else:
            yield Finding("log", True, f"{waiting} acts wait for central")
    yield from may_open(settings)
    if len(settings.devices.readers) > 1:
        from drivers.suggest import pcsc_readers

        yield from doubled_readers(settings.devices.readers, pcsc_readers())
    if settings.devices.scanners:
        from drivers.usb_ports import usb_ports

        ports = usb_ports()
        for scanner in settings.devices.scanners:
            yield scanner_at(scanner.name, scanner.path, ports)


def loose_codes(rules: "Sequence[CodeRule]") -> Iterator[Finding]:
    """Shapes of which a label that is read in part may make another number (A8)."""
    from kiosk.domain.identity import CUT_SHORT, SYMBOLOGIES, fixes_length

    for place, rule in enumerate(rules):
        kinds = (rule.symbologies or SYMBOLOGIES) & CUT_SHORT
        if kinds and not fixes_length(rule.pattern):
            yield Finding(
                f"codes.{place} ({rule.type})",
                False,
                f"{rule.pattern} fits codes of several lengths; a label in {', '.join(sorted(kinds))} that is read in part gives a"
                " shorter code: write one pattern for each length, or name other symbologies",
            )


def scanner_at(name: str, path: str, ports: "Iterable[UsbPort]") -> Finding:
    """Whether a scanner is where the settings say; a USB name is looked for as the driver does, among `ports`."""
    from drivers.usb_ports import port_of

    what, advice = f"scanner {name}", "'shelfpoint devices suggest' names what is plugged in"
    try:
        port = port_of(path, ports)
    except DeviceError as error:
        return Finding(what, False, f"not found: {error.detail}; {advice}")
    if not Path(port).exists():
        return Finding(what, False, f"not found: {path}; {advice}")
    return Finding(what, True, path if port == path else f"{path} at {port}")


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except OSError as error:
        return Finding(what, False, f"{error}")
