"""When the kiosk's own clock may be believed."""

from datetime import UTC, datetime, timedelta

import pytest

from kiosk.domain.clock import JUMP, ClockWatch

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
WATCH = ClockWatch(wall=NOON, monotonic=100.0)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "jumped"),
    [(10, 10, False), (70, 10, False), (71, 10, True), (-50, 10, False), (-51, 10, True), (86400, 86400, False)],
)
def test_a_jump_of_more_than_a_minute_against_the_monotonic_clock_is_seen(
    wall_s: int, monotonic_s: int, jumped: bool
) -> None:
    assert WATCH.look(NOON + wall_s * SECOND, 100.0 + monotonic_s, None).jumped is jumped


@pytest.mark.parametrize(
    ("newest", "jumped"), [(None, False), (NOON, False), (NOON + JUMP, False), (NOON + JUMP + SECOND, True)]
)
def test_a_clock_before_what_is_written_is_not_believed(newest: datetime | None, jumped: bool) -> None:
    assert WATCH.look(NOON, 100.0, newest).jumped is jumped


def test_a_jump_is_remembered_until_central_has_answered_after_it() -> None:
    jumped = WATCH.look(NOON + timedelta(hours=1), 101.0, None)
    later = jumped.look(NOON + timedelta(hours=1, seconds=5), 106.0, None)
    for before in (None, 99.0, 101.0):
        assert later.answered(before).jumped
    confirmed = later.answered(101.5)
    assert not confirmed.jumped
    assert not confirmed.look(NOON + timedelta(hours=1, seconds=6), 107.0, None).jumped


def test_a_second_jump_after_an_answer_needs_another_answer() -> None:
    once = WATCH.look(NOON + timedelta(hours=1), 101.0, None).answered(102.0)
    twice = once.look(NOON, 103.0, None)
    assert twice.answered(102.0).jumped
    assert not twice.answered(104.0).jumped


def test_a_jump_seen_again_before_an_answer_counts_from_the_newer_one() -> None:
    twice = WATCH.look(NOON + timedelta(hours=1), 101.0, None).look(NOON, 103.0, None)
    assert twice.answered(102.0).jumped


def test_a_slow_drift_is_no_jump() -> None:
    watch = WATCH
    for minute in range(1, 200):
        watch = watch.look(NOON + minute * timedelta(seconds=61), 100.0 + minute * 60, None)
    assert not watch.jumped
