"""Periodic work: one chore that fails holds up no other, is told, and is tried again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from config.logs import redact
from sync.central import server
from sync.central.checks import checks
from sync.central.database import DatabaseUnusable
from sync.central.metrics import metrics
from sync.central.periodic import LEASE, Chore, Failure, Periodic


class Broken:
    """Fails with what it is given, until it is mended."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        if self.error is not None:
            raise self.error


class Counted:
    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1


@pytest.mark.parametrize("error", [KeyError("王小明"), DatabaseUnusable("the disk is full")])
def test_a_chore_that_fails_holds_up_no_other_is_told_and_is_tried_again(town: Any, error: Exception) -> None:
    broken, good = Broken(error), Counted()
    every = timedelta(minutes=15)
    periodic = Periodic(town.central.database, town.clock, [Chore("bad", every, broken), Chore("good", every, good)])
    town.central.periodic = periodic
    with capture_logs() as logs:
        assert periodic.tick() == ["good"]
    assert [redact(None, "", entry)["chore"] for entry in logs] == ["bad"]
    assert periodic.failures() == [Failure("bad", town.clock.now, type(error).__name__)]
    check = next(check for check in checks(town.central) if check.name == "periodic work")
    assert (check.ok, "bad failed at" in check.found, "王小明" in check.found) == (False, True, False)
    said = metrics(town.central).decode()
    assert 'shelfpoint_chore_failed{chore="bad"} 1.0' in said
    assert 'shelfpoint_chore_failed{chore="good"} 0.0' in said
    broken.error = None
    town.clock.now += LEASE
    assert periodic.tick() == ["bad"]
    assert periodic.failures() == []
    assert next(check for check in checks(town.central) if check.name == "periodic work").ok


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_clock_that_was_ahead_and_is_right_again_stops_no_chore(town: Any) -> None:
    good = Counted()
    periodic = Periodic(town.central.database, town.clock, [Chore("good", timedelta(minutes=15), good)])
    town.clock.go(days=400)
    assert periodic.tick() == ["good"]
    town.clock.go(days=-400)
    assert periodic.tick() == ["good"]
    assert periodic.tick() == []


def test_two_processes_whose_clocks_differ_a_little_do_a_chore_once(town: Any) -> None:
    runs: list[str] = []
    every = timedelta(minutes=15)

    def ahead() -> datetime:
        return town.clock.now + timedelta(seconds=1)

    second = Periodic(town.central.database, town.clock, [Chore("chore", every, lambda: runs.append("second"))])

    def work() -> None:
        runs.append("first")
        assert second.tick() == []  # it is being done

    first = Periodic(town.central.database, ahead, [Chore("chore", every, work)])
    assert first.tick() == ["chore"]
    assert second.tick() == []  # it has just been done
    assert runs == ["first"]


def test_a_serving_central_goes_on_ticking_after_a_chore_that_failed(town: Any) -> None:
    resting = asyncio.Event()

    class LastOne:
        def __call__(self) -> None:
            loop.call_soon_threadsafe(resting.set)

    chores = [Chore("bad", timedelta(), Broken(KeyError("a bug"))), Chore("last", timedelta(), LastOne())]
    town.central.periodic = Periodic(town.central.database, town.clock, chores)

    async def run() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        await server._tend(town.central, resting)

    loop: asyncio.AbstractEventLoop
    asyncio.run(run())
    assert [failure.chore for failure in town.central.periodic.failures()] == ["bad"]
