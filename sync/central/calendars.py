"""A branch's calendar as a person changes it: weekly hours, single days, lists of days of a year (D6). Pure.

Called by central's calendar commands and its set-up. Promises: what a person said of a single day is not overruled by a list,
and a list that comes again, or in a newer edition, takes away only what an earlier list of its source said.

Why. Due dates are promised when they are told and stand with the loan; nothing here touches them. A list is known by its source, so
that a typhoon day closed by hand outlives the yearly calendar, and a holiday that the government moved does not stay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from msgspec import structs

from kiosk.domain.opening import CLOSED, WEEKDAYS, parse_hours, spell_hours
from sync.wire import CalendarEntry, DayNote

BY_HAND = ""
SETUP = "setup"
OFFICE = "office"
HOURS_NOT_KNOWN = "open, hours not known"
_RANK = {BY_HAND: 2, SETUP: 1, OFFICE: 0}
"""Who is believed before whom; a source that a newer program knows counts as a person."""


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A single day that differs from the weekly hours, or is said to."""

    day: date
    """Which."""
    open: bool
    """False: closed."""
    reason: str = ""
    """Why, in a person's words."""
    source: str = BY_HAND
    """Which list said so."""


def days(entry: CalendarEntry) -> list[Day]:
    """All single days, in order."""
    listed = [*((day, False) for day in entry.closed_days), *((day, True) for day in entry.open_days)]
    notes = {day: entry.notes.get(day.isoformat(), DayNote()) for day, _ in listed}
    return sorted(Day(day, is_open, notes[day].reason, notes[day].source) for day, is_open in listed)


def with_hours(entry: CalendarEntry, hours: Mapping[str, str]) -> CalendarEntry:
    """These weekdays (mon … sun) get these hours; what is closed follows from them. Raises BadHours.

    Weekdays of which nobody has ever said hours stay closed or open as they are.
    """
    known = entry.hours or [CLOSED if number in entry.closed_weekdays else "" for number in range(7)]
    week = [spell_hours(parse_hours(hours[name])) if name in hours else known[n] for n, name in enumerate(WEEKDAYS)]
    shut = [number for number, text in enumerate(week) if text == CLOSED]
    return structs.replace(entry, hours=week, closed_weekdays=shut)


def with_day(entry: CalendarEntry, day: Day) -> CalendarEntry:
    """This day as said, whatever was said of it before."""
    return _with(entry, [*(each for each in days(entry) if each.day != day.day), day])


def without_day(entry: CalendarEntry, day: date) -> CalendarEntry:
    """This day goes by the weekly hours again."""
    return _with(entry, (each for each in days(entry) if each.day != day))


def with_list(entry: CalendarEntry, source: str, listed: Iterable[Day], first: date, last: date) -> CalendarEntry:
    """What `source` says from `first` to `last` is `listed`, and nothing else that it said of these days before.

    A list by hand only adds to what was said by hand.
    """
    replaced = source != BY_HAND
    kept = {
        each.day: each for each in days(entry) if not (replaced and each.source == source and first <= each.day <= last)
    }
    for each in listed:
        before = kept.get(each.day)
        if before is None or rank(before.source) <= rank(source):
            kept[each.day] = Day(each.day, each.open, each.reason, source)
    return _with(entry, kept.values())


def with_days(entry: CalendarEntry, listed: Iterable[Day]) -> CalendarEntry:
    """Each day as its own source says it, unless one that is believed before it has said otherwise; no day goes."""
    kept = {each.day: each for each in days(entry)}
    for each in listed:
        before = kept.get(each.day)
        if before is None or rank(before.source) <= rank(each.source):
            kept[each.day] = each
    return _with(entry, kept.values())


def rank(source: str) -> int:
    """A source of a higher one is believed before."""
    return _RANK.get(source, _RANK[BY_HAND])


def differences(before: CalendarEntry | None, after: CalendarEntry) -> Iterator[str]:
    """One line for each thing that is new or different about a branch."""
    if before is None:
        week = "; ".join(f"{name} {hours_of(after, number)}" for number, name in enumerate(WEEKDAYS))
        yield f"+ branch {after.branch} ({after.name}) of library {after.library or 'none'}: {week}"
        before = structs.replace(after, closed_days=[], open_days=[], notes={})
    for name in ("name", "library", "address", "telephone"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"~ branch {after.branch}: {name}: {was or 'none'} -> {now or 'none'}"
    if before.given_up != after.given_up:
        yield f"~ branch {after.branch}: " + ("closed for good" if after.given_up else "open again")
    for number, name in enumerate(WEEKDAYS):
        was, now = hours_of(before, number), hours_of(after, number)
        if was != now:
            yield f"~ branch {after.branch}: {name}: {was} -> {now}"
    old, new = ({each.day: each for each in days(entry)} for entry in (before, after))
    for day in sorted(old.keys() | new.keys()):
        if day not in new:
            yield f"- branch {after.branch}: {day}: as on every {WEEKDAYS[day.weekday()]}"
        elif old.get(day) != new[day]:
            yield f"{'~' if day in old else '+'} branch {after.branch}: {_spelled(new[day])}"


def hours_of(entry: CalendarEntry, weekday: int) -> str:
    """As shown: hours, closed, or open at hours that nobody has said."""
    given = entry.hours[weekday] if len(entry.hours) == len(WEEKDAYS) else ""
    return given or (CLOSED if weekday in entry.closed_weekdays else HOURS_NOT_KNOWN)


def known_until(entry: CalendarEntry) -> date | None:
    """The last day of the newest year of which anybody has said a closed day; None without any."""
    years = [day.year for day in entry.closed_days]
    return date(max(years), 12, 31) if years else None


def _spelled(single: Day) -> str:
    return f"{single.day} {'open' if single.open else CLOSED}" + (f" ({single.reason})" if single.reason else "")


def _with(entry: CalendarEntry, listed: Iterable[Day]) -> CalendarEntry:
    ordered = sorted(listed)
    notes = {
        each.day.isoformat(): DayNote(reason=each.reason, source=each.source)
        for each in ordered
        if each.reason or each.source
    }
    return structs.replace(
        entry,
        closed_days=[each.day for each in ordered if not each.open],
        open_days=[each.day for each in ordered if each.open],
        notes=notes,
    )
