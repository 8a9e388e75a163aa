"""Pushes that wait are done together: nobody waits alone, none is lost, and each gets its own answer or error."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync.central.together import Together

WAIT_S = 10


class Slow:
    """Work that stands still until it is let go on."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def __call__(self, parts: Sequence[str]) -> list[str]:
        self.groups.append(list(parts))
        self.begun.release()
        assert self.go_on.acquire(timeout=WAIT_S)
        if "bad" in parts:
            raise ValueError("bad")
        return [part.upper() for part in parts]


def waiting(together: Together[str, str], count: int) -> None:
    """Until so many parts wait for a leader."""
    end = threading.Event()
    while len(together._waiting) < count:
        end.wait(0.001)


def test_one_who_comes_alone_is_done_at_once_and_alone() -> None:
    together = Together(lambda parts: [part.upper() for part in parts], leaders=1, most=10)
    assert together("a", 1) == "A"


def test_those_who_come_meanwhile_go_together_into_the_next() -> None:
    work = Slow()
    together = Together(work, leaders=1, most=10)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together, "a", 1)
        assert work.begun.acquire(timeout=WAIT_S)
        others = []
        for count, part in enumerate("bcd", 1):
            others.append(pool.submit(together, part, 1))
            waiting(together, count)
        work.go_on.release(2)
        assert [first.result(WAIT_S), *(other.result(WAIT_S) for other in others)] == ["A", "B", "C", "D"]
    assert work.groups == [["a"], ["b", "c", "d"]]


def test_in_a_rush_the_next_group_waits_for_as_many_as_the_last_one_had() -> None:
    work = Slow()
    together = Together(work, leaders=1, most=10, gather_s=WAIT_S)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together, "a", 1)
        assert work.begun.acquire(timeout=WAIT_S)
        others = [pool.submit(together, part, 1) for part in "bc"]
        waiting(together, 2)
        work.go_on.release(3)
        for one in (first, *others):
            one.result(WAIT_S)
        again = [pool.submit(together, part, 1) for part in "de"]
        assert sorted(one.result(WAIT_S) for one in again) == ["D", "E"]
    assert [sorted(group) for group in work.groups] == [["a"], ["b", "c"], ["d", "e"]]


def test_a_group_is_no_larger_than_allowed_but_a_large_part_goes_alone() -> None:
    work = Slow()
    together = Together(work, leaders=1, most=3)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(together, "a", 1)]
        assert work.begun.acquire(timeout=WAIT_S)
        for count, (part, size) in enumerate((("b", 2), ("c", 5), ("d", 1)), 1):
            asked.append(pool.submit(together, part, size))
            waiting(together, count)
        work.go_on.release(4)
        assert [one.result(WAIT_S) for one in asked] == ["A", "B", "C", "D"]
    assert work.groups == [["a"], ["b"], ["c"], ["d"]]


def test_an_error_reaches_everyone_in_the_group_and_nobody_else() -> None:
    work = Slow()
    together = Together(work, leaders=1, most=10)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together, "a", 1)
        assert work.begun.acquire(timeout=WAIT_S)
        bad = pool.submit(together, "bad", 1)
        waiting(together, 1)
        beside = pool.submit(together, "b", 1)
        waiting(together, 2)
        work.go_on.release(2)
        assert first.result(WAIT_S) == "A"
        for one in (bad, beside):
            with pytest.raises(ValueError, match="bad"):
                one.result(WAIT_S)
    work.go_on.release()
    assert together("c", 1) == "C"


def test_two_leaders_work_side_by_side() -> None:
    work = Slow()
    together = Together(work, leaders=2, most=10)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(together, part, 1) for part in "ab"]
        assert work.begun.acquire(timeout=WAIT_S)
        assert work.begun.acquire(timeout=WAIT_S)  # the second has begun though the first is not done
        work.go_on.release(2)
        assert [one.result(WAIT_S) for one in asked] == ["A", "B"]
