"""What time it is at central: by the sharpest of its answers, and by the monotonic clock since."""

from datetime import timedelta

import pytest
from fakes import FakeClock

from kiosk.domain.clock import Reading
from sync.clock_offset import DRIFT, ClockOffset


class Line:
    """Central's clock, so far ahead of the kiosk's, over a line whose way there may take longer than the way back."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.offset = ClockOffset(self.clock)
        self.ahead = timedelta(hours=1)

    def call(self, there_s: float, back_s: float) -> None:
        asked = self.clock.monotonic()
        self.clock.pass_time(there_s)
        told = self.clock.now() + self.ahead
        self.clock.pass_time(back_s)
        self.offset.hear(told, asked, self.clock.monotonic())

    def wrong_by(self) -> float:
        assert self.offset.value is not None
        return abs((self.offset.value - self.ahead).total_seconds())


@pytest.fixture
def line() -> Line:
    return Line()


def test_nothing_is_known_before_the_first_answer(line: Line) -> None:
    assert (line.offset.value, line.offset.heard_at) == (None, None)


def test_an_answer_dates_centrals_clock_to_half_a_round_trip(line: Line) -> None:
    line.call(0.1, 0.9)
    assert line.wrong_by() == pytest.approx(0.4)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_the_shortest_round_trip_counts_whatever_came_after_it(line: Line, order: tuple[int, int, int]) -> None:
    calls = [(0.0, 30.0), (0.01, 0.03), (2.0, 0.0)]
    for number in order:
        line.call(*calls[number])
        line.clock.pass_time(5.0)
    assert line.wrong_by() == pytest.approx(0.01)


def test_a_slow_answer_is_news_all_the_same(line: Line) -> None:
    line.call(0.01, 0.01)
    line.clock.pass_time(60.0)
    line.call(0.0, 8.0)
    assert line.offset.heard_at == pytest.approx(line.clock.monotonic() - 4.0)


def test_a_sharp_answer_grows_old(line: Line) -> None:
    line.call(0.0, 0.02)
    line.clock.pass_time(0.2 / DRIFT)
    line.call(0.1, 0.1)
    assert line.wrong_by() == pytest.approx(0.0)


def test_a_clock_of_central_that_was_set_is_heard_at_once(line: Line) -> None:
    line.call(0.01, 0.01)
    line.clock.pass_time(10.0)
    line.ahead += timedelta(minutes=3)
    line.call(0.5, 0.5)
    assert line.wrong_by() == pytest.approx(0.0)


def test_a_moment_of_another_boot_cannot_be_dated(line: Line) -> None:
    line.call(0.01, 0.01)
    assert line.offset.at(Reading("another boot", 5.0)) is None
