"""`shelfpoint central cases | audit`: the work list and the audit, as lists and as CSV files for a spreadsheet."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kiosk.domain.staff import EVERYWHERE
from kiosk.domain.values import LIBRARY_TIME, Reason
from kiosk.words import Language, say_reason
from kiosk.words import say as sentence
from sync.central.office import CentralSettings
from sync.central.sheets import audit_sheet, cases_sheet
from sync.central.worklist import MOST, Order, Task, Wanted
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, with_place

_ALL = frozenset({EVERYWHERE})
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--branch", help="Only of this branch."),
        click.option("--reason", type=click.Choice([reason.value for reason in Reason]), help="Only with this reason."),
        click.option("--assignee", metavar="LOGIN", help="Only of this member of staff; - for those nobody has taken."),
        click.option("--all", "include_closed", is_flag=True, help="Closed ones too."),
        click.option(
            "--order", type=click.Choice([order.value for order in Order]), default="oldest", show_default=True,
            help="How they are sorted.",
        ),
        click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Leave out so many."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def cases() -> None:
    """The work list: what waits for a person."""


def _found(place: CentralSettings, chosen: dict[str, Any]) -> list[Task]:
    with opened_at(place) as opened:
        who = chosen["assignee"]
        if chosen["branch"] is not None:
            opened.branches.named(chosen["branch"])
        wanted = Wanted(
            within=_ALL,
            branch=chosen["branch"],
            reason=None if chosen["reason"] is None else Reason(chosen["reason"]),
            assignee=None if who is None else "" if who == "-" else opened.staff.find(who).id,
            open_only=not chosen["include_closed"],
            order=Order(chosen["order"]),
            offset=chosen["offset"],
        )
        return opened.worklist.find(wanted, names_within=_ALL)


@cases.command("list")
@with_place
@_filters
@AS_JSON
def list_cases(place: CentralSettings, as_json: bool, **chosen: Any) -> None:
    """List cases, at most 1,000 at a time."""
    found = _found(place, chosen)
    rows = [
        {
            "case": task.id,
            "reason": task.reason.value,
            "advice": task.advice.value,
            "branch": task.branch,
            "act": task.act,
            "other_act": task.other_act,
            "item": task.item,
            "membership": task.membership,
            "kiosk": task.kiosk,
            "details": task.details,
            "opened_at": task.opened_at.isoformat(),
            "assignee": task.assignee,
            "closed_at": None if task.closed_at is None else task.closed_at.isoformat(),
            "closed_by": task.closed_by,
            "closed_how": task.closed_how,
        }
        for task in found
    ]
    plain = [
        f"{task.opened_at.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}  {task.branch or '-'}  {task.item or '-'}  "
        f"{task.name or task.membership or '-'}  {say_reason(task.reason, Language.ZH_TW, task.details)}"
        f"{sentence(f'advice.{task.advice}', Language.ZH_TW)}  [{task.id}]"
        for task in found
    ]
    say(as_json, rows, "\n".join(plain) or "Nothing waits.")


@cases.command()
@with_place
@click.argument("case")
@click.argument("login", required=False)
def assign(place: CentralSettings, case: str, login: str | None) -> None:
    """Hand CASE to LOGIN; without a login nobody has it any more."""
    with opened_at(place) as opened:
        assignee = None if login is None else opened.staff.find(login).id
        opened.worklist.assign(case, assignee, who=WHO, within=_ALL)


@cases.command()
@with_place
@click.argument("case")
@click.option("--how", default="", help="In a few words, how it was settled.")
def done(place: CentralSettings, case: str, how: str) -> None:
    """Close CASE; it stays closed."""
    with opened_at(place) as opened:
        opened.worklist.done(case, how, who=WHO, within=_ALL)


@cases.command("export")
@with_place
@_FILE
@_filters
@click.option("--language", type=click.Choice([one.value for one in Language]), default="zh_TW", show_default=True)
def export_cases(place: CentralSettings, file: Path, language: str, **chosen: Any) -> None:
    """Write the list into the new CSV FILE, at most 1,000 lines; it shows masked names."""
    found = _found(place, chosen)
    _write(file, cases_sheet(found, Language(language)))
    click.echo(f"{len(found)} cases" + (f"; for the next ones use --offset {MOST}" if len(found) == MOST else ""))


# --- audit --------------------------------------------------------------------------------------------------------


def _audit_filters(command: Callable[..., None]) -> Callable[..., None]:
    moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"])
    for option in (
        click.option("--who", help="Staff id, kiosk, or `command line`."),
        click.option("--what", help="The constant words, for example `grant given`."),
        click.option("--subject", help="Id of what was changed."),
        click.option("--since", type=moment, help="In library time."),
        click.option("--until", type=moment, help="In library time; lines before it."),
        click.option("--before", type=click.IntRange(1), help="Only lines with a lower number."),
    ):
        command = option(command)
    return command


@click.group()
def audit() -> None:
    """Who changed what; nobody can change these lines."""


def _zoned(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=LIBRARY_TIME)


@audit.command("list")
@with_place
@_audit_filters
@AS_JSON
def list_audit(
    place: CentralSettings, since: datetime | None, until: datetime | None, as_json: bool, **chosen: Any
) -> None:
    """Newest first, at most 1,000 lines at a time."""
    with opened_at(place) as opened:
        found = opened.audit.lines(since=_zoned(since), until=_zoned(until), **chosen)
    rows = [
        {
            "number": line.number,
            "at": line.at.isoformat(),
            "who": line.who,
            "what": line.what,
            "subject": line.subject,
            "details": line.details,
        }
        for line in found
    ]
    plain = [
        f"{line.number}  {line.at.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M:%S}  {line.who}  {line.what}  {line.subject}  "
        + " ".join(f"{key}={value}" for key, value in line.details.items())
        for line in found
    ]
    say(as_json, rows, "\n".join(plain) or "Nothing was changed.")


@audit.command("export")
@with_place
@_FILE
@_audit_filters
def export_audit(
    place: CentralSettings, file: Path, since: datetime | None, until: datetime | None, **chosen: Any
) -> None:
    """Write the lines into the new CSV FILE, at most 1,000."""
    with opened_at(place) as opened:
        found = opened.audit.lines(since=_zoned(since), until=_zoned(until), **chosen)
    _write(file, audit_sheet(found))
    click.echo(f"{len(found)} lines")


def _write(file: Path, text: str) -> None:
    """Only for its owner; a file that exists is left alone."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
        out.write(text)
