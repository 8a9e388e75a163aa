"""Lists as CSV for a spreadsheet: UTF-8 with a byte order mark, so that Excel reads Chinese (RFC 4180 otherwise).

A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"): ids come from
kiosks and words from people. Not for exports that a program reads back; those are `export`. Pure.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from kiosk.domain.opening import WEEKDAYS
from kiosk.domain.values import LIBRARY_TIME
from kiosk.words import Language, say, say_reason
from sync.central.audit_log import AuditLine
from sync.central.branches import BranchLine
from sync.central.calendars import days, hours_of
from sync.central.holds import HoldLine
from sync.central.worklist import Task
from sync.wire import CalendarEntry

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CASE_COLUMNS = (
    "case", "opened", "branch", "kiosk", "reason", "why", "advice", "item", "membership", "name", "act", "other_act",
    "assignee", "closed", "closed_by", "how",
)  # fmt: skip
HOLD_COLUMNS = (
    "copy", "title", "state", "branch", "place", "ready_until", "membership", "name", "placed_at", "hold",
)  # fmt: skip
BRANCH_COLUMNS = ("branch", "name", "library", "address", "telephone", *WEEKDAYS, "closed_for_good", "kiosks")
DAY_COLUMNS = ("branch", "day", "state", "reason", "source")
AUDIT_COLUMNS = ("number", "at", "who", "what", "subject", "details")


def cases_sheet(tasks: Iterable[Task], language: Language) -> str:
    """The work list, in library time."""
    rows = [
        (
            task.id, _time(task.opened_at), task.branch, task.kiosk, task.reason.value,
            say_reason(task.reason, language, task.details), say(f"advice.{task.advice}", language), task.item,
            task.membership, task.name, task.act, task.other_act, task.assignee, _time(task.closed_at), task.closed_by,
            task.closed_how,
        )
        for task in tasks
    ]  # fmt: skip
    return _sheet(CASE_COLUMNS, rows)


def holds_sheet(lines: Iterable[HoldLine]) -> str:
    """A list of holds: place in the queue while waiting, last day while ready; in library time."""
    rows = [
        (
            line.copy, line.title, line.hold.state.value, line.hold.branch, line.place,
            None if line.last_day is None else line.last_day.isoformat(), line.hold.membership, line.name,
            _time(line.hold.placed_at), line.hold.id,
        )
        for line in lines
    ]  # fmt: skip
    return _sheet(HOLD_COLUMNS, rows)


def branches_sheet(lines: Iterable[BranchLine]) -> str:
    """Branches with their weekly hours."""
    rows: list[Sequence[str | int | None]] = [
        (
            line.entry.branch, line.entry.name, line.entry.library, line.entry.address, line.entry.telephone,
            *[hours_of(line.entry, weekday) for weekday in range(len(WEEKDAYS))], int(line.entry.given_up),
            " ".join(line.kiosks),
        )
        for line in lines
    ]  # fmt: skip
    return _sheet(BRANCH_COLUMNS, rows)


def days_sheet(entries: Iterable[CalendarEntry]) -> str:
    """Single days of branches."""
    rows = [
        (entry.branch, one.day.isoformat(), "open" if one.open else "closed", one.reason, one.source)
        for entry in entries
        for one in days(entry)
    ]
    return _sheet(DAY_COLUMNS, rows)


def audit_sheet(lines: Iterable[AuditLine]) -> str:
    """The audit, in library time."""
    rows = [
        (
            line.number, _time(line.at), line.who, line.what, line.subject,
            json.dumps(line.details, ensure_ascii=False) if line.details else "",
        )
        for line in lines
    ]  # fmt: skip
    return _sheet(AUDIT_COLUMNS, rows)


def cell(value: str | int | None) -> str | int:
    """Harmless in a spreadsheet."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _sheet(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M:%S}"
