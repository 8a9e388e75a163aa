"""`shelfpoint demo`: everything at once on this machine, with virtual hardware on the real driver paths."""

import os
import tempfile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ui.demo.stage import Stage

FAST = {
    "idle_s": 5,
    "warn_s": 3,
    "done_s": 15,
    "central.probe_s": 0.3,
    "central.longest_probe_s": 1.0,
    "central.heartbeat_s": 1.0,
}
"""Patience of the scripted demo; a person at the demo gets the ordinary values."""


@click.command()
@click.option("--headless", is_flag=True, help="Play scripted visits without a screen and leave pictures and a report.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where the demo keeps its files.")
def demo(headless: bool, out: Path, folder: Path | None) -> None:
    """Kiosk, central and virtual hardware together. Nothing leaves this machine."""
    from drivers.virtual.pcscd import PcscdMissing
    from ui.demo.central_process import CentralFailedError
    from ui.demo.stage import Stage

    folder = folder or Path(tempfile.mkdtemp(prefix="shelfpoint-demo-"))
    begun = monotonic()
    try:
        stage = Stage(folder, click.echo, FAST if headless else None)
    except (CentralFailedError, PcscdMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        if headless:
            _play(stage, out, begun)
        else:
            _open(stage)
    finally:
        stage.close()


def _play(stage: "Stage", out: Path, begun: float) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    from sync.central.demo import demo_cast
    from ui.demo import report
    from ui.demo.play import Play
    from ui.patron.app import run_kiosk

    out.mkdir(parents=True, exist_ok=True)
    play = Play(stage, demo_cast(), out)
    click.echo("playing")
    run_kiosk(stage.settings, full_screen=False, moving=False, at_work=play.begin)
    path = report.write(out, play.scenes, monotonic() - begun)
    for scene in play.scenes:
        click.echo(f"{'FAILED' if scene.failure else 'ok    '} {scene.title}  {scene.failure}")
    click.echo(f"report: {path}")
    if any(scene.failure for scene in play.scenes) or not play.scenes:
        raise SystemExit(1)


def _open(stage: "Stage") -> None:
    from ui.demo.table import Table
    from ui.workbench.run import run

    kiosk = stage.run_kiosk()
    try:
        run(Table(stage))
    finally:
        kiosk.terminate()
        kiosk.wait(10)
