"""Due dates never fall on a closed day, and days are the library's, not the computer's."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.calendar import Calendar, days_left, due_at, end_of_day, library_day

FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)

days = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 1, 1))
calendars = st.builds(
    Calendar,
    closed_weekdays=st.frozensets(st.integers(0, 6), max_size=6),
    closed_days=st.frozensets(days, max_size=10),
    open_days=st.frozensets(days, max_size=10),
)


@pytest.mark.parametrize(
    ("calendar", "is_open"),
    [
        (Calendar(), True),
        (Calendar(closed_weekdays=frozenset({4})), False),
        (Calendar(closed_weekdays=frozenset({4}), open_days=frozenset({FRIDAY})), True),
        (Calendar(closed_days=frozenset({FRIDAY})), False),
        (Calendar(closed_days=frozenset({FRIDAY}), open_days=frozenset({FRIDAY})), False),
    ],
    ids=["always", "weekday", "opened", "closed", "closed outranks opened"],
)
def test_a_day_is_open_or_closed(calendar: Calendar, is_open: bool) -> None:
    assert calendar.is_open(FRIDAY) is is_open


def test_a_loan_is_due_at_the_end_of_its_day_in_the_library() -> None:
    assert due_at(NOON, 28, Calendar()) == datetime(2026, 12, 18, 15, 59, 59, tzinfo=UTC)


def test_a_due_date_on_closed_days_moves_on_to_the_next_open_one() -> None:
    calendar = Calendar(closed_weekdays=frozenset({0}), closed_days=frozenset({date(2026, 12, 18), date(2026, 12, 19)}))
    assert library_day(due_at(NOON, 28, calendar)) == date(2026, 12, 20)


def test_the_evening_in_utc_is_the_next_day_in_the_library() -> None:
    assert library_day(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == date(2026, 11, 21)
    assert library_day(datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)) == FRIDAY


def test_a_branch_closed_for_ever_lends_by_the_bare_date() -> None:
    assert Calendar(closed_weekdays=frozenset(range(7))).first_open(FRIDAY) == FRIDAY


@pytest.mark.parametrize(("days_ahead", "left"), [(0, 0), (1, 1), (-1, -1), (28, 28)])
def test_days_left_count_whole_days(days_ahead: int, left: int) -> None:
    assert days_left(end_of_day(FRIDAY + timedelta(days=days_ahead)), NOON) == left


def test_an_hour_after_midnight_yesterdays_loan_is_overdue() -> None:
    due = end_of_day(FRIDAY)
    assert days_left(due, due) == 0
    assert days_left(due, due + timedelta(seconds=1)) == -1


@given(calendar=calendars, day=days, second=st.integers(0, 86399), loan_days=st.integers(0, 120))
@settings(max_examples=100, deadline=None)
def test_a_due_date_is_never_on_a_closed_day_nor_before_the_loan_days_are_over(
    calendar: Calendar, day: date, second: int, loan_days: int
) -> None:
    lent = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    due = due_at(lent, loan_days, calendar)
    assert calendar.is_open(library_day(due))
    assert days_left(due, lent) >= loan_days
    between = (library_day(lent) + timedelta(days=ahead) for ahead in range(loan_days, days_left(due, lent)))
    assert not any(calendar.is_open(passed_over) for passed_over in between)
