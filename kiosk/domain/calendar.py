"""Opening days of a branch, and due dates that never fall on a closed day (B2).

Days are counted in `LIBRARY_TIME`; a loan is due at the end (23:59:59) of its due date.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kiosk.domain.values import LIBRARY_TIME

_LONGEST_CLOSURE = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When a branch is open."""

    closed_weekdays: frozenset[int] = frozenset()
    """0 = Monday … 6 = Sunday."""
    closed_days: frozenset[date] = frozenset()
    """Single closed days: holidays, clearing days, typhoons."""
    open_days: frozenset[date] = frozenset()
    """Days that are open although their weekday is closed."""
    given_up: bool = False
    """The branch is closed for good: nobody can pick anything up there."""

    def is_open(self, day: date) -> bool:
        if day in self.closed_days:
            return False
        return day in self.open_days or day.weekday() not in self.closed_weekdays

    def first_open(self, day: date) -> date:
        """This day, or the next one that is open. A branch closed for over a year lends by the bare date."""
        for ahead in range(_LONGEST_CLOSURE):
            candidate = day + timedelta(days=ahead)
            if self.is_open(candidate):
                return candidate
        return day


def library_day(moment: datetime) -> date:
    """The date in the library at this moment (aware datetime)."""
    return moment.astimezone(LIBRARY_TIME).date()


def end_of_day(day: date) -> datetime:
    """23:59:59 in the library, as aware UTC."""
    return datetime.combine(day, time(23, 59, 59), LIBRARY_TIME).astimezone(UTC)


def due_at(lent_at: datetime, loan_days: int, calendar: Calendar) -> datetime:
    """When a loan of `loan_days` is due, moved on to the first open day (aware UTC)."""
    return end_of_day(calendar.first_open(library_day(lent_at) + timedelta(days=loan_days)))


def days_left(due: datetime, now: datetime) -> int:
    """Whole days until the due date; 0 = today, negative = overdue."""
    return (library_day(due) - library_day(now)).days
