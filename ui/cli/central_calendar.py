"""`shelfpoint central calendar set | import | close-day | open-day | clear-day | list`: when branches are open (D6, B2).

Whatever changes, dates that were promised stand: new loans are due by the new calendar.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kiosk.domain.opening import EXPECTED, WEEKDAYS
from sync.central.calendars import Day, days, hours_of
from sync.central.day_lists import ENCODINGS, read_days
from sync.central.office import CentralSettings
from sync.central.places import ALL
from sync.central.sheets import days_sheet
from sync.wire import CalendarEntry
from ui.cli.central_place import AS_JSON, WHO, WrongUse, opened_at, say, say_lines, told, with_place, write_sheet

_PREVIEW = click.option("--preview", is_flag=True, help="Only say what would change.")
_WHICH = f"Which branch; may be given several times. {ALL}: every one."
_BRANCHES = click.option("--branch", "branches", required=True, multiple=True, metavar="CODE", help=_WHICH)
_OR_ALL = click.option(
    "--branch", "branches", default=[ALL], show_default=ALL, multiple=True, metavar="CODE", help=_WHICH
)


class _Date(click.ParamType[date]):
    """A day of the library."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Raises UsageError."""
        try:
            return value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"expected a day like 2026-12-31, got {value!r}", param, ctx)


_DAY = click.argument("day", type=_Date())


@click.group()
def calendar() -> None:
    """Opening hours, holidays, and days that are closed or open otherwise."""


def _hours(command: Any) -> Any:
    for name in reversed(WEEKDAYS):
        command = click.option(f"--{name}", metavar="HOURS", help="" if name != "mon" else EXPECTED)(command)
    return command


@calendar.command("set")
@with_place
@_BRANCHES
@_hours
@_PREVIEW
@AS_JSON
def set_hours(
    place: CentralSettings, branches: tuple[str, ...], preview: bool, as_json: bool, **hours: str | None
) -> None:
    """Set weekly hours; weekdays that are not named stay as they are."""
    given = {name: text for name, text in hours.items() if text is not None}
    if not given:
        raise WrongUse("name at least one weekday, for example --mon closed --tue 08:30-21:00")
    with opened_at(place) as opened:
        lines = opened.branches.set_hours(branches, given, who=WHO, preview=preview)
    say_lines(as_json, lines, preview=preview)


@calendar.command("import")
@with_place
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_BRANCHES
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Needed where nothing in FILE proves it.")
@_PREVIEW
@AS_JSON
def import_days(
    place: CentralSettings, file: Path, branches: tuple[str, ...], encoding: str | None, preview: bool, as_json: bool
) -> None:
    """Take days from FILE: the government's office calendar (政府行政機關辦公日曆表, also its edition for Google), or a CSV
    day,state,reason.

    Of the office calendar holidays from Monday to Friday become closed days and make-up work days open ones; a newer edition of
    a year replaces the older.
    """
    with told():
        listed = read_days(file, encoding)
    with opened_at(place) as opened:
        lines = opened.branches.take_list(branches, listed, who=WHO, preview=preview)
    notes = [f"{file} was read as {listed.encoding}, from {listed.first} to {listed.last}."]
    if listed.weekend:
        named = ", ".join(f"{each.day} {each.reason}" for each in listed.weekend)
        notes.append(f"On a Saturday or Sunday, so nothing changes; if you close, `calendar close-day`: {named}")
    say_lines(as_json, lines, preview=preview, notes=notes)


@calendar.command("close-day")
@with_place
@_DAY
@click.option("--reason", required=True, help="For example 颱風.")
@_OR_ALL
@_PREVIEW
@AS_JSON
def close_day(
    place: CentralSettings, day: date, reason: str, branches: tuple[str, ...], preview: bool, as_json: bool
) -> None:
    """Close on DAY, at all branches or at some: nothing new falls due then. Dates that were promised stand."""
    _set_day(place, Day(day, open=False, reason=reason), branches, preview=preview, as_json=as_json)


@calendar.command("open-day")
@with_place
@_DAY
@click.option("--reason", default="", help="For example 補行上班.")
@_OR_ALL
@_PREVIEW
@AS_JSON
def open_day(
    place: CentralSettings, day: date, reason: str, branches: tuple[str, ...], preview: bool, as_json: bool
) -> None:
    """Open on DAY although its weekday is closed."""
    _set_day(place, Day(day, open=True, reason=reason), branches, preview=preview, as_json=as_json)


@calendar.command("clear-day")
@with_place
@_DAY
@_OR_ALL
@_PREVIEW
@AS_JSON
def clear_day(place: CentralSettings, day: date, branches: tuple[str, ...], preview: bool, as_json: bool) -> None:
    """Let DAY go by the weekly hours again."""
    with opened_at(place) as opened:
        lines = opened.branches.clear_day(branches, day, who=WHO, preview=preview)
    say_lines(as_json, lines, preview=preview)


@calendar.command("list")
@with_place
@click.option("--branch", help="Only of this branch.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the days there instead."
)
@AS_JSON
def list_calendar(place: CentralSettings, branch: str | None, csv_file: Path | None, as_json: bool) -> None:
    """List weekly hours and single days."""
    with opened_at(place) as opened:
        matches = [each.entry for each in opened.branches.all()]
        if branch is not None:
            matches = [opened.branches.named(branch)]
    if csv_file is not None:
        write_sheet(csv_file, days_sheet(matches))
        say(as_json, {"file": str(csv_file)}, f"The days are in {csv_file}.")
        return
    lines = [line for entry in matches for line in _plain(entry)]
    say(as_json, [_row(entry) for entry in matches], "\n".join(lines) or "No branch is known.")


def _set_day(place: CentralSettings, day: Day, branches: tuple[str, ...], *, preview: bool, as_json: bool) -> None:
    with opened_at(place) as opened:
        lines = opened.branches.set_day(branches, day, who=WHO, preview=preview)
    say_lines(as_json, lines, preview=preview)


def _row(entry: CalendarEntry) -> dict[str, Any]:
    return {
        "branch": entry.branch,
        "hours": {name: hours_of(entry, number) for number, name in enumerate(WEEKDAYS)},
        "days": [
            {"day": each.day.isoformat(), "open": each.open, "reason": each.reason, "source": each.source}
            for each in days(entry)
        ],
    }


def _plain(entry: CalendarEntry) -> list[str]:
    week = "  ".join(f"{name} {hours_of(entry, number)}" for number, name in enumerate(WEEKDAYS))
    single = [f"  {each.day}  {'open' if each.open else 'closed'}  {each.reason}" for each in days(entry)]
    return [f"{entry.branch}  {week}", *single]
