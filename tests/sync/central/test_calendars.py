"""A branch's calendar: what people say of a day outlives every list, and a newer list replaces only its own days (D6)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.opening import BadHours
from sync.central.calendars import (
    BY_HAND,
    OFFICE,
    SETUP,
    Day,
    days,
    differences,
    known_until,
    with_day,
    with_hours,
    with_list,
    without_day,
)
from sync.wire import CalendarEntry

MAIN = CalendarEntry(branch="main", name="總館", closed_weekdays=[0])
NEW_YEAR, TYPHOON, MOVED = date(2027, 1, 1), date(2027, 7, 5), date(2027, 2, 8)
YEAR = (date(2027, 1, 1), date(2027, 12, 31))


def office(*listed: date) -> list[Day]:
    return [Day(day, open=False, reason="放假") for day in listed]


def test_closed_weekdays_follow_from_the_hours_and_others_stay_as_they_are() -> None:
    entry = with_hours(MAIN, {"tue": "08:30-21:00", "sun": "closed"})
    assert entry.closed_weekdays == [0, 6]
    assert entry.hours == ["closed", "08:30-21:00", "", "", "", "", "closed"]
    assert with_hours(entry, {"mon": "9:00-17:00"}).closed_weekdays == [6]
    with pytest.raises(BadHours):
        with_hours(entry, {"mon": "nine to five"})


def test_a_newer_edition_takes_away_what_the_older_one_said_and_nothing_else() -> None:
    entry = with_list(MAIN, OFFICE, office(NEW_YEAR, MOVED), *YEAR)
    entry = with_day(entry, Day(TYPHOON, open=False, reason="颱風"))
    newer = with_list(entry, OFFICE, office(NEW_YEAR), *YEAR)
    assert [one.day for one in days(newer)] == [NEW_YEAR, TYPHOON]
    assert with_list(newer, OFFICE, office(NEW_YEAR), *YEAR) == newer
    next_year = with_list(newer, OFFICE, office(date(2028, 1, 1)), date(2028, 1, 1), date(2028, 12, 31))
    assert {NEW_YEAR, TYPHOON} < set(next_year.closed_days)


def test_a_list_does_not_overrule_what_a_person_said_of_a_day() -> None:
    entry = with_day(MAIN, Day(NEW_YEAR, open=True, reason="開館"))
    assert with_list(entry, OFFICE, office(NEW_YEAR), *YEAR) == entry
    by_setup = with_list(MAIN, SETUP, [Day(NEW_YEAR, open=True)], *YEAR)
    assert with_list(by_setup, OFFICE, office(NEW_YEAR), *YEAR) == by_setup
    assert with_day(by_setup, Day(NEW_YEAR, open=False)).open_days == []


def test_a_list_by_hand_takes_nothing_away() -> None:
    entry = with_day(MAIN, Day(TYPHOON, open=False, reason="颱風"))
    both = with_list(entry, BY_HAND, [Day(NEW_YEAR, open=False), Day(date(2027, 8, 8), open=True)], *YEAR)
    assert {one.day for one in days(both)} == {NEW_YEAR, TYPHOON, date(2027, 8, 8)}


def test_a_day_that_is_cleared_goes_by_its_weekday_again() -> None:
    entry = with_day(MAIN, Day(TYPHOON, open=False, reason="颱風"))
    assert not entry.calendar().is_open(TYPHOON)
    assert without_day(entry, TYPHOON) == MAIN
    assert list(differences(entry, MAIN)) == [f"- branch main: {TYPHOON}: as on every mon"]


def test_days_of_an_older_program_have_no_notes_and_count_as_said_by_hand() -> None:
    old = CalendarEntry(branch="main", closed_days=[NEW_YEAR])
    assert days(old) == [Day(NEW_YEAR, open=False, source=BY_HAND)]
    assert with_list(old, OFFICE, [], *YEAR).closed_days == [NEW_YEAR]
    assert known_until(old) == date(2027, 12, 31)
    assert known_until(CalendarEntry(branch="main")) is None


@given(st.lists(st.tuples(st.dates(*YEAR), st.booleans(), st.sampled_from([BY_HAND, SETUP, OFFICE])), max_size=20))
def test_no_day_is_both_closed_and_open_whatever_is_said(said: list[tuple[date, bool, str]]) -> None:
    entry = MAIN
    for day, is_open, source in said:
        one = Day(day, is_open, source=source)
        entry = with_day(entry, one) if source == BY_HAND else with_list(entry, source, [one], day, day)
    assert not set(entry.closed_days) & set(entry.open_days)
    by_hand = {day: is_open for day, is_open, source in said if source == BY_HAND}
    told = {one.day: one.open for one in days(entry)}
    assert by_hand.items() <= told.items()
