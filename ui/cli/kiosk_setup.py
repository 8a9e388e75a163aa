"""`shelfpoint kiosk setup`: from a machine with devices plugged in to a kiosk that may open, one question at a time.

Owns the order of the steps, the person's way through them, and the exit code: 0 all done, 1 a step was not, 2 wrong use
or settings that cannot be. Each step can be repeated alone with --step; without a person (--no-input) options answer.
"""

import os
import pwd
from pathlib import Path

import click

from config.settings import BadSettings
from sync.owner import in_use
from ui.cli.setup_answers import Answers, StepFailed, codes_in, codes_section, library_section
from ui.cli.setup_file import SettingsFile, section_of
from ui.cli.setup_steps import STEPS, Bench

_SETTINGS = Path("/etc/shelfpoint/kiosk.toml")
_ACCOUNT = "kiosk"
_DEVICES = "devices"
_AGAIN, _SKIP, _STOP = "again", "skip", "stop"


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), default=_SETTINGS, show_default=True,
    envvar="SHELFPOINT_CONFIG", help="Settings file to write; SHELFPOINT_CONFIG names it too.",
)  # fmt: skip
@click.option(
    "--step", "steps", multiple=True, type=click.Choice([_DEVICES, *STEPS]), help="Only this one; may be repeated."
)
@click.option("--no-input", is_flag=True, help="Nobody answers: options and what is found must do.")
@click.option(
    "--replace", is_flag=True, help="Replace a settings file that was not written by this command; a copy stays."
)
@click.option("--user", help="Account that the kiosk runs under; default: kiosk, when root runs this and it exists.")
@click.option("--library-name", help="As patrons read it.")
@click.option("--branch", help="Code of the branch at central.")
@click.option("--branch-name", help="As patrons read it.")
@click.option("--item-code", multiple=True, help="A book's barcode as an example, such as C0000123; may be repeated.")
@click.option("--patron-code", multiple=True, help="A patron's barcode as an example; may be repeated.")
@click.option("--data", help="Folder of the kiosk's databases.")
@click.option("--keys", help="Folder of its keys, outside the other.")
@click.option(
    "--reader", multiple=True, metavar="PATTERN", help="Card reader by its PC/SC name, instead of those found."
)
@click.option("--scanner", multiple=True, metavar="PATH", help="Scanner, instead of those found.")
@click.option("--camera", multiple=True, metavar="DEVICE", help="Camera that reads codes: /dev/v4l/by-id/….")
@click.option(
    "--printer", multiple=True, metavar="WHERE", help="HOST[:PORT], a path, usb:VENDOR:PRODUCT or queue:NAME."
)
@click.option("--printer-profile", metavar="MODEL", help="One of 'shelfpoint devices printers'.")
@click.option("--url", help="Address of central.")
@click.option("--code", help="One-time code from 'shelfpoint central enrol'.")
@click.option("--number", multiple=True, help="Number of the card that will be laid on the reader; once for each card.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, help="How long card and book are waited for.")
def setup(
    config: Path, steps: tuple[str, ...], no_input: bool, replace: bool, user: str | None, **given: object
) -> None:
    """Set this kiosk up: devices, settings, enrolment, a test slip, a card, a book, and the doctor."""
    answers = Answers(
        given={name.replace("_", "-"): str(value) for name, value in given.items() if isinstance(value, str | float)},
        several={name.replace("_", "-"): value for name, value in given.items() if isinstance(value, tuple) and value},
        asks=not no_input,
    )
    bench = Bench(SettingsFile(config), answers, _account(user), replace)
    chosen = [name for name in (_DEVICES, *STEPS) if not steps or name in steps]
    if chosen != ["doctor"]:
        _stand_alone(bench)
    undone = []
    for number, name in enumerate(chosen, 1):
        click.echo(f"\n[{number}/{len(chosen)}] {name}", err=True)
        if not _through(bench, name):
            undone.append(name)
            if name == _DEVICES or no_input:
                break
    if undone:
        again = " ".join(f"--step {name}" for name in chosen[chosen.index(undone[0]) :] if name in undone or no_input)
        raise click.ClickException(
            f"Not done: {', '.join(undone)}. Then: shelfpoint kiosk setup --config {config} {again}"
        )
    click.echo("This kiosk is set up." if not steps else "Done.")


def _through(bench: Bench, name: str) -> bool:
    """One step, again as often as the person wants; whether it was done."""
    while True:
        try:
            done = _settings(bench) if name == _DEVICES else STEPS[name](bench)
        except StepFailed as failed:
            click.echo(f"{name}: {failed}", err=True)
        except BadSettings as bad:
            if not bench.answers.asks:
                raise
            for problem in bad.problems:
                click.echo(problem, err=True)
        else:
            click.echo(f"{name}: {done}")
            return True
        if not bench.answers.asks:
            return False
        choice = click.prompt("What now", type=click.Choice([_AGAIN, _SKIP, _STOP]), default=_AGAIN, err=True)
        if choice == _STOP:
            raise click.exceptions.Abort
        if choice == _SKIP:
            return False


def _settings(bench: Bench) -> str:
    """Ask, look, and write the settings. Raises StepFailed, BadSettings."""
    from ui.cli.setup_devices import devices_section

    file, answers = bench.file, bench.answers
    foreign = file.is_foreign()
    if (
        foreign
        and not bench.replace
        and not answers.agree(f"{file.path} was not written by this command. Replace it? A copy stays.")
    ):
        raise StepFailed(
            f"{file.path} was not written by this command and stays as it is; --replace replaces it, a copy stays."
        )
    try:
        known = file.settings()
    except BadSettings:
        if not foreign:
            raise
        known = None
    rules = known.codes if known else ()
    sections = {
        "library": library_section(answers, known),
        "codes": codes_section(answers, rules, rules if foreign else codes_in(section_of(file.text(), "codes"))),
        "devices": devices_section(answers),
    }
    copy = file.write(sections, anew=foreign)
    return f"{file.path} is written" + (f"; what it was before is {copy}" if copy else "")


def _stand_alone(bench: Bench) -> None:
    """Raises ClickException while the kiosk runs: each device has one owner."""
    try:
        settings = bench.file.settings()
    except BadSettings:
        return  # a kiosk cannot run on these
    if settings is not None and in_use(settings.data):
        raise click.ClickException("The kiosk runs on this machine. Stop it first: systemctl stop shelfpoint-kiosk")


def _account(wanted: str | None) -> str | None:
    """Whose processes the steps are; None: this account's own. Raises UsageError."""
    root = os.geteuid() == 0
    try:
        account = pwd.getpwnam(wanted or _ACCOUNT)
    except KeyError as error:
        if wanted is not None:
            raise click.UsageError(
                f"There is no account {wanted}; 'deploy/install.sh kiosk' makes {_ACCOUNT}."
            ) from error
        if root:
            click.echo(f"Note: there is no account {_ACCOUNT}, so the kiosk's files will be root's.", err=True)
        return None
    if root:
        return account.pw_name
    if wanted is not None and account.pw_uid != os.geteuid():
        raise click.UsageError(f"Only root can run the steps as {wanted}.")
    return None
