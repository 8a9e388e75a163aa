"""`shelfpoint central import-items | import-patrons | export | doctor`: files in and out, and whether all is well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from config.encodings import ENCODINGS
from sync.central.checks import checks
from sync.central.export import export
from sync.central.import_marc import MarcPlaces
from sync.central.import_report import Report, RowReport
from sync.central.import_rows import Mistake
from sync.central.import_sources import read_items, read_patrons
from sync.central.imports import digest_of
from sync.central.marc_text import MARC_8
from sync.central.office import CentralSettings
from ui.cli.central_place import AS_JSON, opened_at, say, told, with_place

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))


def _import_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--encoding", type=click.Choice((*ENCODINGS, MARC_8)),
            help="Of FILE; default: utf-8, of MARC 21 what each record's leader says.",
        ),
        click.option("--preview", is_flag=True, help="Only check; change nothing."),
        click.option("--skip-bad", is_flag=True, help="Apply the good rows of a file that has bad ones."),
        click.option(
            "--report", type=click.Path(path_type=Path, dir_okay=False),
            help="Row by row, as CSV; default: FILE.report.csv. It may quote patrons.",
        ),
        AS_JSON,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("import-items")
@with_place
@_FILE
@click.option(
    "--branch",
    default="",
    help="For rows that name none; a known item stays where it is if the file has no such column.",
)
@click.option("--barcode", default="952p", show_default=True, help="MARC field and subfield of a copy's barcode.")
@click.option("--branch-field", default="952b", show_default=True, help="MARC field and subfield of a copy's branch.")
@click.option("--type-field", default="952y", show_default=True, help="MARC field and subfield of a copy's item type.")
@_import_options
def import_items(
    place: CentralSettings, file: Path, branch: str, barcode: str, branch_field: str, type_field: str,
    encoding: str | None, preview: bool, skip_bad: bool, report: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Take items from FILE: CSV, MARC 21 (.mrc) or MARCXML (.xml)."""
    places = MarcPlaces(barcode=barcode, branch=branch_field, item_type=type_field)
    with opened_at(place) as opened, _shown() as progress, _reporting(file, report) as rows:
        done = opened.imports.items(
            digest_of(file, "items", branch, barcode, branch_field, type_field, encoding or ""),
            read_items(file, places, branch, encoding),
            rows,
            progress,
            preview=preview,
            skip_bad=skip_bad,
        )
    _tell(done, file, report, preview=preview, as_json=as_json)


@click.command("import-patrons")
@with_place
@_FILE
@_import_options
def import_patrons(
    place: CentralSettings, file: Path, encoding: str | None, preview: bool, skip_bad: bool, report: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take patrons and their cards from the CSV file FILE."""
    with opened_at(place) as opened, _shown() as progress, _reporting(file, report) as rows:
        digest = digest_of(file, "patrons", encoding or "")
        lines = read_patrons(file, encoding)
        done = opened.imports.patrons(digest, lines, rows, progress, preview=preview, skip_bad=skip_bad)
    _tell(done, file, report, preview=preview, as_json=as_json)


@click.command("export")
@with_place
@click.argument("folder", type=click.Path(path_type=Path))
@AS_JSON
def export_all(place: CentralSettings, folder: Path, as_json: bool) -> None:
    """Write everything central holds into the new FOLDER, one CSV file for each table."""
    with opened_at(place) as opened, _shown() as progress:
        counts = export(opened.database, place.outside(folder), lambda table, rows: progress(table, rows, None))
    say(as_json, dict(counts), "\n".join(f"{rows:>10}  {table}" for table, rows in counts.items()))


@click.command()
@with_place
@AS_JSON
def doctor(place: CentralSettings, as_json: bool) -> None:
    """Say whether central is well and what the library still lacks, each with what mends it; exit code 1 if anything."""
    with opened_at(place) as opened:
        found = checks(opened)
    rows = [{"check": one.name, "ok": one.ok, "found": one.found, "mend": one.mend} for one in found]
    plain = [
        f"{'ok ' if one.ok else 'BAD'}  {one.name}: {one.found}" + (f"\n     -> {one.mend}" if one.mend else "")
        for one in found
    ]
    say(as_json, rows, "\n".join(plain))
    if not all(one.ok for one in found):
        raise click.exceptions.Exit(1)


@contextmanager
def _reporting(file: Path, report: Path | None) -> Iterator[RowReport]:
    with told():
        path = _report_of(file, report)
        try:
            rows = RowReport(path)
        except OSError as error:
            raise click.ClickException(
                f"{path}: the report cannot be written ({error.strerror}); say --report FILE"
            ) from error
        try:
            yield rows
        finally:
            rows.close()


def _report_of(file: Path, report: Path | None) -> Path:
    return file.with_name(file.name + ".report.csv") if report is None else report


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on the terminal's error stream; nothing where there is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not Console(stderr=True).is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def show(phase: str, done: int, total: int | None) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            bar.update(tasks[phase], completed=done, total=total)

        yield show


def _what(one: Mistake) -> str:
    """What is wrong, for a screen: of a cell that may name a patron only what was expected."""
    return f"expected {one.expected}" + (f", got {one.got}" if one.field in ("(record)", "(row)") else "")


def _tell(done: Report, file: Path, report: Path | None, *, preview: bool, as_json: bool) -> None:
    row: dict[str, Any] = {
        "digest": done.digest,
        "good": done.good,
        "bad": done.bad,
        "noted": done.noted,
        "changed": done.changed,
        "applied": done.applied,
        "applied_before": done.before,
        "waiting": done.waiting,
        "cases": done.cases,
        "first_mistakes": [{"line": one.line, "field": one.field, "what": _what(one)} for one in done.first],
    }
    if done.before:
        plain = "This file was applied before; nothing was changed."
    elif done.waiting:
        plain = (
            f"An earlier run of this file stopped half-way: {done.waiting} of {done.good} rows are still to be applied. "
            "Nothing was changed now; run it again without --preview to apply them."
        )
    elif done.applied:
        plain = f"{done.good} rows applied, {done.changed} records changed, {done.bad} bad rows left out."
    else:
        plain = f"{done.good} good rows, {done.bad} bad rows; nothing was changed."
    if done.noted:
        plain += f" {done.noted} rows are kept otherwise than they are written (lines `note` of the report)."
    if done.cases:
        plain += f" {done.cases} cards open another membership: see `central cases list`."
    if not (done.before or done.waiting):
        plain += f" Row by row: {_report_of(file, report)}"
    plain += "".join(f"\n  line {one.line}, {one.field}: {_what(one)}" for one in done.first)
    say(as_json, row, plain)
    if not done.applied and not (preview and not done.bad):
        raise click.exceptions.Exit(1)
