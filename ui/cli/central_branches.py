"""`shelfpoint central library | branch | category | item-type`: what a library consists of, and its words (D6).

Said twice, an `add` changes nothing; said otherwise, it says what differs and waits for `--change`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sync.central.branches import BranchLine
from sync.central.calendars import hours_of, known_until
from sync.central.office import CentralSettings
from sync.central.place_lists import read_branches, read_terms
from sync.central.places import LibraryKind
from sync.central.sheets import branches_sheet
from sync.central.terms import TermKind
from sync.wire import LibraryEntry
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, say_lines, told, with_place, write_sheet

_CODE = click.argument("code")
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
_PREVIEW = click.option("--preview", is_flag=True, help="Only say what would change.")
_CHANGE = click.option("--change", is_flag=True, help="It is known already: make it so.")


@click.group()
def library() -> None:
    """Libraries: public ones, schools, agencies."""


@library.command("add")
@with_place
@_CODE
@click.option("--name", required=True, help="As people read it.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in LibraryKind]),
    default=LibraryKind.PUBLIC.value,
    show_default=True,
)
@_CHANGE
@AS_JSON
def add_library(place: CentralSettings, code: str, name: str, kind: str, change: bool, as_json: bool) -> None:
    """Make the library CODE known; its branches follow by `branch add`."""
    with opened_at(place) as opened:
        lines = opened.branches.add_library(LibraryEntry(code=code, name=name, kind=kind), who=WHO, change=change)
    say_lines(as_json, lines)


@library.command("list")
@with_place
@AS_JSON
def list_libraries(place: CentralSettings, as_json: bool) -> None:
    """List libraries."""
    with opened_at(place) as opened:
        matches = opened.branches.libraries()
    rows = [{"library": each.code, "name": each.name, "kind": each.kind} for each in matches]
    say(
        as_json, rows, "\n".join(f"{each.code}  {each.kind}  {each.name}" for each in matches) or "No library is known."
    )


@click.group()
def branch() -> None:
    """Branches: where kiosks stand, books belong and holds are picked up."""


@branch.command("add")
@with_place
@_CODE
@click.option("--name", default="", help="As patrons read it.")
@click.option("--library", "of", default="", help="Code of its library.")
@click.option("--address", help="Where it is.")
@click.option("--telephone", help="Of its desk.")
@click.option("--reopen", is_flag=True, help="It was closed for good, and opens again.")
@_CHANGE
@AS_JSON
def add_branch(
    place: CentralSettings, code: str, name: str, of: str, address: str | None, telephone: str | None, reopen: bool,
    change: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make the branch CODE known; its opening hours follow by `calendar set`."""
    with opened_at(place) as opened:
        lines = opened.branches.add_branch(
            code, name=name, library=of, address=address, telephone=telephone, who=WHO, change=change, reopen=reopen
        )
    say_lines(as_json, lines)


@branch.command("list")
@with_place
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead.")
@AS_JSON
def list_branches(place: CentralSettings, csv_file: Path | None, as_json: bool) -> None:
    """List branches with their hours and kiosks."""
    with opened_at(place) as opened:
        matches = opened.branches.all()
    rows = [_row(each) for each in matches]
    if csv_file is not None:
        write_sheet(csv_file, branches_sheet(matches))
        say(as_json, {"rows": len(rows), "file": str(csv_file)}, f"{len(rows)} lines in {csv_file}.")
        return
    say(as_json, rows, "\n".join(_plain(row) for row in rows) or "No branch is known.")


@branch.command("import")
@with_place
@_FILE
@_PREVIEW
@AS_JSON
def import_branches(place: CentralSettings, file: Path, preview: bool, as_json: bool) -> None:
    """Take branches from the CSV file FILE: branch,name and, if wanted, library,address,telephone,mon,…,sun."""
    with told():
        rows = read_branches(file)
    with opened_at(place) as opened:
        lines = opened.branches.take_branches(rows, who=WHO, preview=preview)
    say_lines(as_json, lines, preview=preview)


@branch.command("close")
@with_place
@_CODE
@AS_JSON
def close_branch(place: CentralSettings, code: str, as_json: bool) -> None:
    """Close the branch CODE for good: no kiosk, no hold to be picked up any more; loans stay. Its kiosks are revoked before."""
    with opened_at(place) as opened:
        lines = opened.branches.close_branch(code, who=WHO)
    say_lines(as_json, lines)


def _words_of(kind: TermKind, name: str, about: str) -> click.Group:
    """`add`, `import` and `list` for one kind of words."""

    def add(place: CentralSettings, code: str, zh: str, en: str, change: bool, as_json: bool) -> None:
        with opened_at(place) as opened:
            lines = opened.branches.add_term(kind, code, zh=zh, en=en, who=WHO, change=change)
        say_lines(as_json, lines)

    def list_all(place: CentralSettings, as_json: bool) -> None:
        with opened_at(place) as opened:
            matches = opened.branches.terms(kind)
        rows = [{"code": each.key.partition(":")[2], "zh": each.zh, "en": each.en} for each in matches]
        say(as_json, rows, "\n".join(f"{row['code']}  {row['zh']}  {row['en']}" for row in rows) or "None is known.")

    def take(place: CentralSettings, file: Path, preview: bool, as_json: bool) -> None:
        with told():
            rows = read_terms(file)
        with opened_at(place) as opened:
            lines = opened.branches.take_terms(kind, rows, who=WHO, preview=preview)
        say_lines(as_json, lines, preview=preview)

    zh, en = (click.option(f"--{key}", required=True, help=f"As people read it, {key}.") for key in ("zh", "en"))
    options: list[Callable[..., Any]] = [with_place, _CODE, zh, en, _CHANGE, AS_JSON]
    group = click.Group(name, help=about)
    group.command("add", help="Make CODE known.")(_decorated(add, options))
    group.command("import", help="Take them from the CSV file FILE: code,zh,en.")(
        _decorated(take, [with_place, _FILE, _PREVIEW, AS_JSON])
    )
    group.command("list", help="List them.")(_decorated(list_all, [with_place, AS_JSON]))
    return group


def _decorated(command: Callable[..., None], options: list[Callable[..., Any]]) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command


category = _words_of(TermKind.CATEGORY, "category", "Patron categories that records and rules may name.")
item_type = _words_of(TermKind.ITEM_TYPE, "item-type", "Item types that records and rules may name.")


def _row(line: BranchLine) -> dict[str, Any]:
    entry, until = line.entry, known_until(line.entry)
    return {
        "branch": entry.branch,
        "name": entry.name,
        "library": entry.library,
        "address": entry.address,
        "telephone": entry.telephone,
        "hours": [hours_of(entry, weekday) for weekday in range(7)],
        "days_known_until": None if until is None else until.isoformat(),
        "closed_for_good": entry.given_up,
        "kiosks": list(line.kiosks),
    }


def _plain(row: dict[str, Any]) -> str:
    state = "closed for good" if row["closed_for_good"] else f"kiosks: {', '.join(row['kiosks']) or 'none'}"
    return f"{row['branch']}  {row['name']}  library {row['library'] or 'none'}  {state}"
