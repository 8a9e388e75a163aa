"""`shelfpoint central setup`: a new library from a file or from questions, and again whenever the file has changed (D6).

Exit codes as ever: 2 for a file with mistakes, each of which is told. A password is asked for or read from standard input.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import click

from kiosk.domain.opening import CLOSED, EXPECTED, WEEKDAYS
from sync.central.day_lists import read_days
from sync.central.import_rows import BadFile
from sync.central.in_folder import MissingFolder, refuse_missing
from sync.central.office import CentralSettings
from sync.central.passwords import BadPassword, demand
from sync.central.places import LibraryKind
from sync.central.policies import preset, preset_words
from sync.central.setup import needs_password, prepare, set_up
from sync.central.setup_file import SetupFile, branch_code, check_setup, hours_text, library_code, load_setup, login
from ui.cli.central_place import AS_JSON, WHO, WrongUse, opened_at, say_lines, told, with_place

PRESETS = ("city", "school")
NEXT = (
    "What comes next: `shelfpoint central doctor` says what is still missing; `central import-items` and `import-patrons` take "
    "your records; `central enrol --branch CODE` makes a code for a kiosk."
)


def _example(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    """Needs no central."""
    if wanted and not ctx.resilient_parsing:
        click.echo(resources.files("config").joinpath("setup-example.toml").read_text(encoding="utf-8"), nl=False)
        ctx.exit()


@click.command()
@click.option(
    "--example", is_flag=True, is_eager=True, expose_value=False, callback=_example,
    help="Print a file with comments to start from, and end.",
)  # fmt: skip
@with_place
@click.option(
    "--from", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="TOML that says what the library consists of; without it, questions are asked.",
)  # fmt: skip
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the answers into this new file.")
@click.option("--preview", is_flag=True, help="Only say what would be done.")
@click.option(
    "--password-stdin", is_flag=True, help="The administrator's password is the first line of standard input."
)
@AS_JSON
def setup(
    place: CentralSettings, file: Path | None, save: Path | None, preview: bool, password_stdin: bool, as_json: bool
) -> None:
    """Set up a library: libraries, branches, hours, holidays, categories, item types, rules, the first administrator, the
    recovery copy of the key. Run again, it changes only what differs."""
    if file is None:
        if save is not None and save.exists():
            raise WrongUse(f"{save}: there is a file of this name already; name another one for the answers")
        file, given = Path(save or "answers.toml"), _asked()
        if save is not None:
            _write(save, given)
    elif save is not None:
        raise WrongUse("--save keeps the answers to questions; with --from there are none")
    else:
        with told():
            given = load_setup(file)
    with told():
        prepared = prepare(file, given)
    with opened_at(place) as opened:
        password = None
        if not preview and needs_password(opened, given):
            password = _password(given, from_stdin=password_stdin)
        lines = set_up(opened, place, prepared, password=password, who=WHO, preview=preview)
    weekend = {f"{each.day} {each.reason}": None for _, listed in prepared.lists for each in listed.weekend}
    notes = [f"On a Saturday or Sunday, so not closed for it: {', '.join(weekend)}"] if weekend else []
    say_lines(as_json, lines, preview=preview, notes=[*notes, *([] if preview or not lines else [NEXT])])


def _password(given: SetupFile, *, from_stdin: bool) -> str:
    login = "" if given.administrator is None else given.administrator.login
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise WrongUse(f"the administrator {login} is new: a password is needed; give it by --password-stdin")
    while True:
        typed = str(click.prompt(f"Password for {login}", hide_input=True, confirmation_prompt=True))
        try:
            return demand(typed)
        except BadPassword as error:
            click.echo(f"Error: {error}", err=True)


# --- questions --------------------------------------------------------------------------------------------------------


def _asked() -> SetupFile:
    """From answers; each is checked when it is given."""
    rules = click.prompt("Lending rules to start with", type=click.Choice(PRESETS), default=PRESETS[0])
    words = preset_words(preset(rules))
    code = click.prompt("Code of the library", default="library", value_proc=_checked(library_code))
    values: dict[str, Any] = {
        "libraries": [
            {
                "code": code,
                "name": click.prompt("Name of the library"),
                "kind": click.prompt(
                    "Kind", type=click.Choice([kind.value for kind in LibraryKind]), default=_usual(rules).value
                ),
            }
        ],
        "branches": list(_branches()),
        "policy": {"preset": rules},
    }
    for table, kind in (("categories", "category"), ("item_types", "item_type")):
        words_of_kind = [word for word in words if word.key.startswith(f"{kind}:")]
        values[table] = [{"code": word.key.partition(":")[2], "zh": word.zh, "en": word.en} for word in words_of_kind]
    holidays = click.prompt(
        "File with the government's office calendar (Enter: later)",
        default="",
        show_default=False,
        value_proc=_readable,
    )
    if holidays:
        values["holidays"] = [{"file": str(Path(holidays).absolute())}]
    values["administrator"] = {
        "login": click.prompt("Login of the first administrator", default="admin", value_proc=_checked(login))
    }
    copy = click.prompt(
        "Where the recovery copy of the key goes (Enter: later)", default="", show_default=False, value_proc=_placeable
    )
    if copy:
        values["key"] = {"copy_to": str(Path(copy).absolute())}
    with told():
        return check_setup(Path("answers"), values)


def _usual(rules: str) -> LibraryKind:
    return LibraryKind.SCHOOL if rules == "school" else LibraryKind.PUBLIC


def _branches() -> Iterator[dict[str, Any]]:
    hours: dict[str, str] | None = None
    while True:
        code = click.prompt(
            "Code of the branch", default="main" if hours is None else None, value_proc=_checked(branch_code)
        )
        name = click.prompt("Name of the branch, as patrons read it")
        if hours is None or not click.confirm("The same hours as the branch before?", default=True):
            hours = _hours()
        yield {"code": code, "name": name, "hours": dict(hours)}
        if not click.confirm("Another branch?", default=False):
            return


def _hours() -> dict[str, str]:
    click.echo(f"Opening hours, weekday by weekday: {EXPECTED}.")
    hours: dict[str, str] = {}
    usual = CLOSED
    for name in WEEKDAYS:
        usual = click.prompt(name, default=usual, value_proc=_checked(hours_text))
        hours[name] = usual
    return hours


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """For a question that is asked again until its answer will do."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise click.BadParameter(f"expected {error}; got {text!r}") from error

    return checked


def _readable(text: str) -> str:
    """Asked again while the file is none, so that a slip of the pen costs no other answer."""
    try:
        if text:
            read_days(Path(text))
    except BadFile as error:
        raise click.BadParameter(str(error)) from error
    return text


def _placeable(text: str) -> str:
    """Asked again while the stick is not there."""
    try:
        if text:
            refuse_missing(Path(text))
    except MissingFolder as error:
        raise click.BadParameter(str(error)) from error
    return text


def _write(path: Path, given: SetupFile) -> None:
    """As a file for `--from`. Raises WrongUse."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in toml(given.model_dump(mode="json", exclude_none=True)))
    except OSError as error:
        raise WrongUse(f"{path}: {error.strerror}") from error


def toml(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Tables below each other; what they hold are texts, truths, and lists of texts."""
    for key, value in values.items():
        if not isinstance(value, dict) and not _tables(value):
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in values.items():
        for table in value if _tables(value) else [value] if isinstance(value, dict) else []:
            yield ""
            yield f"[[{prefix}{key}]]" if _tables(value) else f"[{prefix}{key}]"
            yield from toml(table, f"{prefix}{key}.")


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
