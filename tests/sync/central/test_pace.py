"""Long polls take turns, the longer the more of them are open."""

import random

import pytest

from sync.central.http.pace import EACH_S, LONGEST_S, Pace


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_kiosk_that_was_told_everything_waits_its_turn() -> None:
    hands = Hands()
    pace = Pace(hands, random.Random(1))
    with pace, pace:
        assert pace.before_looking_s("k1") == 0.0
        pace.told("k1")
        assert pace.before_looking_s("k1") == pytest.approx(2 * EACH_S)
        assert pace.before_looking_s("k2") == 0.0
        hands.now += EACH_S
        assert pace.before_looking_s("k1") == pytest.approx(EACH_S)
        hands.now += 5
        assert pace.before_looking_s("k1") == 0.0
    assert pace.interval_s == 0.0


def test_those_whom_one_commit_wakes_are_dealt_out_over_the_interval() -> None:
    pace = Pace(Hands(), random.Random(1))
    for _ in range(100):
        pace.__enter__()
    times = [pace.after_waking_s() for _ in range(200)]
    assert 0 <= min(times) < 0.1 * pace.interval_s
    assert 0.9 * pace.interval_s < max(times) <= pace.interval_s


def test_nobody_waits_longer_than_a_void_card_may_take() -> None:
    pace = Pace(Hands(), random.Random(1))
    for _ in range(100_000):
        pace.__enter__()
    assert pace.interval_s == LONGEST_S
