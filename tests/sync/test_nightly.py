"""Every page of the replica is read once a night, and soon after a start where nobody lets it run at night."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.nightly import SETTLED_S, due

NIGHT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)  # half past two in the library
DAY = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "age", "expected"),
    [
        (NIGHT, timedelta(hours=24), True),
        (NIGHT, timedelta(hours=1), False),
        (DAY, timedelta(hours=24), False),
        (DAY, timedelta(hours=47), False),
        (DAY, timedelta(hours=49), True),
        (DAY, -timedelta(hours=1), True),
        (DAY, None, True),
        (NIGHT + timedelta(hours=3), timedelta(hours=24), False),
    ],
    ids=["at night", "again the same night", "by day", "still", "never off", "clock put back", "never read", "morning"],
)
def test_when_it_is_due(now: datetime, age: timedelta | None, expected: bool) -> None:
    checked = None if age is None else now - age
    assert due(checked, now, SETTLED_S) is expected
    assert not due(checked, now, SETTLED_S - 1)
