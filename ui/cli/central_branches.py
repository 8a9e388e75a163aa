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
from sync.central.places import LibraryKind
from sync.central.sheets import branches_sheet
from sync.central.terms import TermKind
from sync.wire import LibraryEntry
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, say_lines, with_place, write_sheet

_CODE = click.argument("code")
_CHANGE = click.option("--change", is_flag=True, help="It is known already: make it so.")


@click.group()
def library() -> None:
    """Libraries: public ones, schools, agencies."""


@library.command("add")
@with_place
@_CODE
@click.option("--name", required=True, help="As people read it.")
@click.option("--kind", type=click.Choice(list(LibraryKind)), default=LibraryKind.PUBLIC, show_default=True)
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
        found = opened.branches.libraries()
    rows = [{"library": one.code, "name": one.name, "kind": one.kind} for one in found]
    say(as_json, rows, "\n".join(f"{one.code}  {one.kind}  {one.name}" for one in found) or "No library is known.")


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
        found = opened.branches.all()
    rows = [_row(one) for one in found]
    if csv_file is not None:
        write_sheet(csv_file, branches_sheet(found))
        say(as_json, {"rows": len(rows), "file": str(csv_file)}, f"{len(rows)} lines in {csv_file}.")
        return
    say(as_json, rows, "\n".join(_plain(row) for row in rows) or "No branch is known.")


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
    """`add` and `list` for one kind of words."""

    def add(place: CentralSettings, code: str, zh: str, en: str, change: bool, as_json: bool) -> None:
        with opened_at(place) as opened:
            lines = opened.branches.add_term(kind, code, zh=zh, en=en, who=WHO, change=change)
        say_lines(as_json, lines)

    def list_all(place: CentralSettings, as_json: bool) -> None:
        with opened_at(place) as opened:
            found = opened.branches.terms(kind)
        rows = [{"code": one.key.partition(":")[2], "zh": one.zh, "en": one.en} for one in found]
        say(as_json, rows, "\n".join(f"{row['code']}  {row['zh']}  {row['en']}" for row in rows) or "None is known.")

    zh, en = (click.option(f"--{key}", required=True, help=f"As people read it, {key}.") for key in ("zh", "en"))
    options: list[Callable[..., Any]] = [with_place, _CODE, zh, en, _CHANGE, AS_JSON]
    group = click.Group(name, help=about)
    group.command("add", help="Make CODE known.")(_decorated(add, options))
    group.command("list", help="List them.")(_decorated(list_all, [with_place, AS_JSON]))
    return group


def _decorated(command: Callable[..., None], options: list[Callable[..., Any]]) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command


category = _words_of(TermKind.CATEGORY, "category", "Patron categories that records and rules may name.")
item_type = _words_of(TermKind.ITEM_TYPE, "item-type", "Item types that records and rules may name.")


def _row(one: BranchLine) -> dict[str, Any]:
    entry, until = one.entry, known_until(one.entry)
    return {
        "branch": entry.branch,
        "name": entry.name,
        "library": entry.library,
        "address": entry.address,
        "telephone": entry.telephone,
        "hours": [hours_of(entry, weekday) for weekday in range(7)],
        "days_known_until": None if until is None else until.isoformat(),
        "closed_for_good": entry.given_up,
        "kiosks": list(one.kiosks),
    }


def _plain(row: dict[str, Any]) -> str:
    state = "closed for good" if row["closed_for_good"] else f"kiosks: {', '.join(row['kiosks']) or 'none'}"
    return f"{row['branch']}  {row['name']}  library {row['library'] or 'none'}  {state}"
