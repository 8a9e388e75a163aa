"""`shelfpoint bench`: measures this machine against floors of the same run and says which goals are met."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from ui.benchmarks.measure import Figure

ROWS = ("cards", "lending", "online", "start")
ON_WISH = ("devices", "cameras", "sync", "central", "faults", "ui")
"""Long work that is measured only when it is named; "devices" holds "cards"."""
WORKERS = (1, 2, 4)
CAMERA_SCENES = 20_000
HISTORY_RUNS = 200
RUSH_S = 20.0
STORM_S = 60.0
FOUR_TIMES_MS = 1000.0
"""An act's p99 at four times the rush hour."""
RUSH_THINK_S = 12.0
"""From one verdict to the kiosk's next act at rush hour: a visit a minute, five books."""


@click.command()
@click.argument("rows", nargs=-1, type=click.Choice((*ROWS, *ON_WISH)))
@click.option("--memberships", default=500_000, show_default=True, help="In the replica, and in a snapshot at central.")
@click.option("--items", default=1_000_000, show_default=True, help="In the replica, and in a snapshot at central.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="devices: camera samples of each of 132 sorts (default 5); cameras: scenes (default 20000).",
)
@click.option(
    "--symbologies",
    multiple=True,
    type=click.Choice(("code39", "code128", "codabar", "qr", "ean13", "itf")),
    help="cameras: shown and looked for; default: the four that a camera looks for by default.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="cameras: kept now and then; a run that was broken off goes on from it.",
)
@click.option("--runs", default=500, show_default=True, help="Samples per figure (a tenth of them for processes).")
@click.option(
    "--kept",
    multiple=True,
    type=int,
    default=(1_000, 100_000, 1_000_000),
    show_default=True,
    help="sync: acts kept, and acts waiting.",
)
@click.option("--backlog", default=100_000, show_default=True, help="central: acts of one branch told at once.")
@click.option("--kiosks", default=220, show_default=True, help="central: at rush hour.")
@click.option(
    "--postgresql",
    multiple=True,
    metavar="ADDRESS",
    help="central: empty databases, four for backlog, single acts and long histories, two for each number of processes; "
    "without them SQLite only.",
)
@click.option("--visits", default=10_000, show_default=True, help="ui: how many people come, one after the other.")
@click.option("--schedules", default=1000, show_default=True, help="faults: how many schedules are played.")
@click.option(
    "--seed", default=0, show_default=True, help="faults: seed of the first schedule; cameras: of the scenes."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def bench(
    rows: tuple[str, ...],
    memberships: int,
    items: int,
    samples: int | None,
    symbologies: tuple[str, ...],
    checkpoint: Path | None,
    runs: int,
    kept: tuple[int, ...],
    backlog: int,
    kiosks: int,
    postgresql: tuple[str, ...],
    visits: int,
    schedules: int,
    seed: int,
    as_json: bool,
) -> None:
    """Measure ROWS (default: cards, lending, online, start). Exit code 1 when a goal is not met or a promise was broken."""
    from ui.benchmarks import measure

    if "faults" in rows:
        if len(rows) > 1:
            raise click.UsageError("faults stands alone")
        _faults(range(seed, seed + schedules), as_json)
        return
    if "cameras" in rows:
        if len(rows) > 1:
            raise click.UsageError("cameras stands alone")
        _cameras(samples or CAMERA_SCENES, seed, symbologies, checkpoint, as_json)
        return
    wanted = rows or ROWS
    console = Console(stderr=as_json)
    figures: list[measure.Figure] = []
    with tempfile.TemporaryDirectory(prefix="shelfpoint-bench-") as name:
        folder = Path(name)
        with Progress(console=console, transient=True) as progress:
            for row in wanted:
                task = progress.add_task(row, total=None)
                if row == "central":
                    figures += _central(folder / row, backlog, kiosks, items, memberships, list(postgresql), progress)
                    continue
                if row == "ui":
                    from ui.benchmarks.visits import memory_over_visits

                    figures.append(memory_over_visits(folder / row, visits, progress))
                    continue
                figures += _measure(row, folder / row, memberships, items, samples or 5, runs, kept, progress, console)
                progress.remove_task(task)
    if as_json:
        click.echo(json.dumps(measure.as_json(figures), ensure_ascii=False))
    else:
        measure.show(figures, console)
    if any(figure.met is False for figure in figures):
        raise SystemExit(1)


def _faults(seeds: range, as_json: bool) -> None:
    from ui.benchmarks.faults import campaign

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("schedules", total=len(seeds))
        result = campaign(seeds, advance=lambda: progress.advance(task))
    if as_json:
        cells = {f"{held} + {word}": count for (held, word), count in sorted(result.cells.items())}
        told = {"schedules": result.played, "seconds": round(result.seconds), "words": cells}
        click.echo(json.dumps({**told, "violations": dict(result.violations)}, ensure_ascii=False))
    else:
        click.echo(f"{result.played} schedules in {result.seconds:.0f} s, {len(result.violations)} violations")
        for (held, word), count in sorted(result.cells.items()):
            click.echo(f"  {held:10} heard {word:11} {count}")
        for seed, broken in result.violations:
            click.echo(f"seed {seed}: {broken}", err=True)
    if result.violations:
        raise SystemExit(1)


def _cameras(samples: int, seed: int, symbologies: tuple[str, ...], checkpoint: Path | None, as_json: bool) -> None:
    from ui.benchmarks.camera_campaign import DEFAULT_SYMBOLOGIES, ForeignCheckpoint, campaign

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("camera scenes", total=samples)
        try:
            result = campaign(
                samples,
                seed,
                symbologies or DEFAULT_SYMBOLOGIES,
                checkpoint,
                advance=lambda count: progress.advance(task, count),
            )
        except ForeignCheckpoint as fault:
            raise click.UsageError(str(fault)) from fault
    if as_json:
        click.echo(json.dumps(result.as_json(), ensure_ascii=False))
    else:
        click.echo(f"{result.samples} scenes, {result.read['all']} read, {len(result.wrong)} wrong values")
        for sort, count in sorted(result.total.items()):
            click.echo(f"  {sort:16} {result.read[sort]:6} of {count:6}")
        for line in result.wrong:
            click.echo(line, err=True)
    if result.wrong:
        raise SystemExit(1)


def _central(
    folder: Path, backlog: int, kiosks: int, items: int, memberships: int, empty: list[str], progress: Progress
) -> "list[Figure]":
    from ui.benchmarks.backlog import drain
    from ui.benchmarks.histories import one_word
    from ui.benchmarks.rush import rush_hour, single_acts, snapshot_storm

    folder.mkdir()
    figures = drain(folder / "sqlite", None, None, backlog, progress)
    figures.append(single_acts(folder / "sqlite-single", None, RUSH_S, progress))
    figures += one_word(folder / "sqlite-histories", None, HISTORY_RUNS, progress)
    for think_s, goal_ms in ((RUSH_THINK_S, None), (RUSH_THINK_S / 4, FOUR_TIMES_MS), (0.0, None)):
        name = f"sqlite-{think_s:g}"
        figures.append(rush_hour(folder / name, None, 1, kiosks, RUSH_S, think_s, progress, goal_ms))
    storm = (kiosks, items, memberships, STORM_S, RUSH_THINK_S)
    figures.append(snapshot_storm(folder / "sqlite-storm", None, *storm, progress))
    if not empty:
        return figures
    if len(empty) < 4 + 2 * len(WORKERS):
        raise click.UsageError(f"--postgresql is needed {4 + 2 * len(WORKERS)} times, each with an empty database")
    figures += drain(folder / "postgresql", empty.pop(), empty.pop(), backlog, progress)
    figures.append(single_acts(folder / "postgresql-single", empty.pop(), RUSH_S, progress))
    figures += one_word(folder / "postgresql-histories", empty.pop(), HISTORY_RUNS, progress)
    for workers in WORKERS:
        for think_s in (RUSH_THINK_S, 0.0):
            name = f"postgresql-{workers}-{think_s:g}"
            figures.append(rush_hour(folder / name, empty.pop(), workers, kiosks, RUSH_S, think_s, progress))
    return figures


def _measure(
    row: str,
    folder: Path,
    memberships: int,
    items: int,
    samples: int,
    runs: int,
    kept: tuple[int, ...],
    progress: Progress,
    console: Console,
) -> "list[Figure]":
    folder.mkdir()
    if row == "cards":
        from ui.benchmarks.cards import apdu_round_trip, card_to_uid

        return [card_to_uid(folder, runs), apdu_round_trip(folder, runs)]
    if row == "devices":
        from ui.benchmarks.cameras import code_reading
        from ui.benchmarks.cards import apdu_round_trip, card_to_uid
        from ui.benchmarks.idle import idle_devices
        from ui.benchmarks.scanners import byte_to_event
        from ui.benchmarks.slips import slip_seconds

        return [
            card_to_uid(folder, runs),
            apdu_round_trip(folder, runs),
            byte_to_event(folder, runs),
            *code_reading(samples, console, progress),
            *slip_seconds(runs),
            idle_devices(folder),
        ]
    if row == "lending":
        from ui.benchmarks import lending
        from ui.benchmarks.painted import barcode_to_painted

        city = lending.City(memberships, items)
        lending.fill(folder, city, progress)
        settings = lending.settings_of(folder)
        return [
            lending.card_to_patron(folder, settings, city, runs),
            lending.barcode_to_fact(folder, settings, city, runs),
            barcode_to_painted(folder, city, runs),
        ]
    if row == "sync":
        from ui.benchmarks import sync
        from ui.benchmarks.lending import City, settings_of

        city = City(memberships, items)
        (folder / "fill").mkdir()
        return [
            *sync.loans_at_length(folder, settings_of(folder), city, kept, runs, progress),
            *sync.first_fill(folder / "fill", city),
        ]
    if row == "online":
        from ui.benchmarks.lending import settings_of
        from ui.benchmarks.online import checkout_online

        return [checkout_online(folder, settings_of(folder), max(runs // 2, 20))]
    from ui.benchmarks.startup import start_up

    return start_up(folder, max(runs // 50, 3))
