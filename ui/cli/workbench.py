"""`shelfpoint workbench`: the window of virtual hardware alone, for training and for trying a kiosk by hand.

With --play a script moves the same twins, line by line (`drivers.virtual.script`, docs/twins.md), in a thread of its own
beside the window. The script is read before anything starts: a bad one ends with 2 and names every bad line.
"""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.hand_written import Unreadable, hand_written

if TYPE_CHECKING:
    from drivers.virtual.script import Step

LONGEST_STEP_S = 15.0
"""No step takes longer: starting the card service has ten seconds."""
NOT_WITHOUT_CAMERA = "camera"
"""The device that is only there with --camera."""


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where it keeps its files.")
@click.option(
    "--play", "script", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A script for the twins."
)
@click.option("--camera", is_flag=True, help="The kiosk has a camera too.")
@click.option("--check", is_flag=True, help="Only read the script.")
def workbench(folder: Path | None, script: Path | None, camera: bool, check: bool) -> None:
    """Open virtual cards, books and a printer, with a central behind them; start the kiosk by hand beside it."""
    if check and script is None:
        raise click.UsageError("--check reads a script: name it with --play.")
    steps = [] if script is None else _read(script, camera=camera)
    if check:
        click.echo(f"{script}: {len(steps)} steps, {sum(step.after_s for step in steps):g} s")
        return
    from drivers.virtual.pcscd import PcscdMissing
    from drivers.virtual.video import CameraMissing
    from ui.demo.central_process import CentralFailedError
    from ui.demo.stage import Stage
    from ui.demo.table import Table
    from ui.demo.trainer import hands_on
    from ui.workbench.run import run

    place = folder or Path(tempfile.mkdtemp(prefix="shelfpoint-workbench-"))
    try:
        stage = Stage(place, click.echo, camera=camera)
    except (CentralFailedError, PcscdMissing, CameraMissing) as error:
        raise click.ClickException(str(error)) from error
    environment = " ".join(f"{name}={value}" for name, value in stage.environment.items())
    click.echo(f"{environment} shelfpoint kiosk run --windowed --config {stage.settings_file}")
    stop = threading.Event()
    hands = hands_on(stage, click.echo)
    player = threading.Thread(target=perform, args=(steps, hands.do, stop.wait), name="trainer", daemon=True)
    try:
        if steps:
            click.pause("Start the kiosk with this command, then press any key: the script begins.", err=True)
            player.start()
        code = run(Table(stage))
    finally:
        stop.set()
        if player.is_alive():
            player.join(LONGEST_STEP_S)  # the step under way; a daemon thread, which cannot keep the workbench open
        hands.close()
        stage.close()
    raise SystemExit(code)


def perform(steps: "list[Step]", do: "Callable[[Step], None]", wait: Callable[[float], bool]) -> None:
    """Play the script, showing each step; what a twin cannot do just now is told, and the script goes on."""
    from drivers.virtual.pcscd import PcscdMissing
    from drivers.virtual.script import play

    def shown(step: "Step") -> None:
        if step.device != "trainer":
            click.echo(f"{step.line:>4}  {step}")
        try:
            do(step)
        except (OSError, PcscdMissing) as error:
            click.echo(f"{step.line:>4}  could not be done: {error}", err=True)

    if play(steps, shown, wait):
        click.echo("The script has ended; the workbench stays open.")


def _read(script: Path, *, camera: bool) -> "list[Step]":
    """The steps; a bad script ends the command with 2."""
    from drivers.virtual.script import BadScript, read_script
    from drivers.virtual.words import WORDS
    from ui.demo.table import uids

    devices = [device for device in WORDS if camera or device != NOT_WITHOUT_CAMERA]
    try:
        return read_script(hand_written(script), str(script), uids(), devices)
    except BadScript as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(2) from error
    except Unreadable as error:
        raise click.ClickException(f"{script} cannot be read as text: {error}") from error
