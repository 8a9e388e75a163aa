"""`central doctor` says what a library lacks, each with what mends it, and is content when it has it (D6)."""

from datetime import date, timedelta
from typing import Any

import pytest

from kiosk.domain.staff import EVERYWHERE, Grant, Role
from sync.central.calendars import Day
from sync.central.checks import checks
from sync.central.office import Central
from sync.central.transport import EVERY
from sync.wire import CalendarEntry, LibraryEntry

LACKS = ("libraries", "branches", "opening hours", "holidays", "lending rules", "administrator", "TLS", "backup")
HOURS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "09:00-17:00")


@pytest.fixture
def empty(new_settings: Any, clock: Any) -> Any:
    central = Central.open(new_settings(), clock=clock)
    yield central
    central.close()


def bad(central: Central) -> dict[str, str]:
    """What is not well, and what mends it."""
    return {check.name: check.mend for check in checks(central) if not check.ok}


def test_an_empty_central_is_told_all_that_it_lacks_and_how_to_get_it(empty: Any) -> None:
    lacks = bad(empty)
    assert lacks.keys() == {*LACKS, "recovery copy of the key"} - {"opening hours", "holidays"}  # of no branch
    assert "central setup" in lacks["libraries"]
    assert "central policy set" in lacks["lending rules"]
    assert "central user add" in lacks["administrator"]
    assert "nginx" in lacks["TLS"]


def test_each_thing_that_is_there_is_lacked_no_more(empty: Any) -> None:
    office = empty.branches
    office.add_library(LibraryEntry(code="city", name="市立圖書館"), who="test")
    office.add_branch("main", name="總館", library="city", who="test")
    assert {"libraries", "branches"}.isdisjoint(bad(empty))
    assert "calendar set --branch main" in bad(empty)["opening hours"]
    office.set_hours(["main"], HOURS, who="test")
    assert "opening hours" not in bad(empty), "open every day, and somebody has said so"
    assert "calendar import" in bad(empty)["holidays"]
    office.set_day(["main"], Day(date(2026, 12, 25), open=False), who="test")
    assert "holidays" in bad(empty), "two months from the end of November are in the next year"
    office.set_day(["main"], Day(date(2027, 1, 1), open=False), who="test")
    assert "holidays" not in bad(empty)
    empty.staff.add("chen", "correct horse", [Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE)], who="test")
    assert "administrator" not in bad(empty)
    empty.staff.disable("chen", who="test")
    assert "administrator" in bad(empty)
    office.close_branch("main", who="test")
    assert "branches" in bad(empty)


def test_a_branch_of_no_library_is_named(empty: Any) -> None:
    with empty.registry.change("test") as change:
        change.branch(CalendarEntry(branch="old"))
    assert "branch add old --library" in bad(empty)["branches"]


def test_tls_is_believed_once_a_request_of_somebody_known_came_through_it(town: Any, caller: Any) -> None:
    assert "TLS" in bad(town.central)
    health = {"incarnation": "1", "program": "1", "queue_length": 0}
    caller.call("POST", "/v1/health", health)
    assert "TLS" in bad(town.central), "nothing says how it came"
    caller.client.post("/v1/health", headers={"X-Forwarded-Proto": "https"})
    assert "TLS" in bad(town.central), "nobody has signed that"
    assert caller.call("POST", "/v1/health", health, headers={"X-Forwarded-Proto": "https"}).status_code == 200
    assert "TLS" not in bad(town.central)
    town.clock.go(days=31)
    assert "TLS" in bad(town.central), "that was long ago"


def test_a_request_that_comes_plainly_from_another_machine_is_told_beside_those_that_come_by_tls(town: Any) -> None:
    seen = town.central.transport
    seen.note("127.0.0.1", "https")
    seen.note("127.0.0.1", None)
    assert "TLS" not in bad(town.central)
    seen.note("192.0.2.7", None)
    assert "TLS" in bad(town.central)
    town.clock.go(days=2)
    seen.note("127.0.0.1", "https")
    assert "TLS" not in bad(town.central)


def test_how_requests_come_is_written_once_an_hour(town: Any) -> None:
    seen = town.central.transport
    seen.note("127.0.0.1", "https")
    first = seen.seen().secure
    town.clock.go(minutes=30)
    seen.note("127.0.0.1", "https")
    assert seen.seen().secure == first
    town.clock.now += EVERY
    seen.note("127.0.0.1", "https")
    assert seen.seen().secure == first + timedelta(minutes=30) + EVERY
