"""`shelfpoint workbench`: the window of virtual hardware alone, for training and for trying a kiosk by hand."""

import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where it keeps its files.")
def workbench(folder: Path | None) -> None:
    """Open virtual cards, books and a printer, with a central behind them; start the kiosk by hand beside it."""
    from drivers.virtual.pcscd import PcscdMissing
    from ui.demo.central_process import CentralFailedError
    from ui.demo.stage import Stage
    from ui.demo.table import Table
    from ui.workbench.run import run

    try:
        stage = Stage(folder or Path(tempfile.mkdtemp(prefix="shelfpoint-workbench-")), click.echo)
    except (CentralFailedError, PcscdMissing) as error:
        raise click.ClickException(str(error)) from error
    environment = " ".join(f"{name}={value}" for name, value in stage.pcscd.environment.items())
    click.echo(f"{environment} shelfpoint kiosk run --windowed --config {stage.settings_file}")
    try:
        code = run(Table(stage))
    finally:
        stage.close()
    raise SystemExit(code)
