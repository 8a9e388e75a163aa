"""Hours as people write them are read, spelled in one way, and refused where they make no sense (D6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.opening import BadHours, Part, parse_hours, spell_hours


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("closed", "closed"),
        (" Closed ", "closed"),
        ("休館", "closed"),
        ("08:30-21:00", "08:30-21:00"),
        ("8:30 - 21:00", "08:30-21:00"),
        ("08:30～12:00、13:30～17:00", "08:30-12:00, 13:30-17:00"),
        ("09:00-24:00", "09:00-24:00"),
        ("09:00-12:00,12:00-13:00", "09:00-12:00, 12:00-13:00"),
    ],
)
def test_hours_are_read_and_spelled_in_one_way(text: str, spelled: str) -> None:
    assert spell_hours(parse_hours(text)) == spelled


@pytest.mark.parametrize(
    "text",
    ["", "open", "9-17", "09:00", "17:00-09:00", "09:00-09:00", "09:60-10:00", "09:00-24:30", "25:00-26:00",
     "09:00-12:00, 11:00-13:00", "13:00-14:00, 09:00-12:00", "09:00-12:00,"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(BadHours, match="08:30-21:00"):
        parse_hours(text)


@given(st.lists(st.integers(0, 1440), min_size=2, max_size=8, unique=True).filter(lambda cuts: len(cuts) % 2 == 0))
def test_what_is_spelled_is_read_again_as_it_was(cuts: list[int]) -> None:
    ordered = sorted(cuts)
    parts = tuple(Part(*pair) for pair in zip(ordered[::2], ordered[1::2], strict=True))
    assert parse_hours(spell_hours(parts)) == parts
