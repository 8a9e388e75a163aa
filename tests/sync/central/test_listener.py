"""Several central processes on one PostgreSQL wake each other's waiting kiosks."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from kiosk.domain.lending import Standing
from sync.central.bell import Bell
from sync.central.listener import others_heard
from sync.central.office import Central

from .test_processes import serving

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]
LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


@pytest.fixture
def kind() -> str:
    return "postgresql"


@pytest.fixture
def other(town: Any) -> Iterator[Central]:
    """Another process's central, as it serves."""
    with contextlib.closing(Central.open(town.settings)) as other, others_heard(other.database, other.bell):
        until(lambda: other.bell.count > 0)  # it listens
        yield other


def until(true: Any) -> None:
    """The commit and its notice travel through PostgreSQL; nothing here looks by itself."""
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("never heard")


def block(central: Central, membership: str = "ben") -> None:
    with central.registry.change("test") as change:
        change.stand(membership, Standing.BLOCKED)


def test_a_change_of_another_process_rings_the_bell_and_ones_own_only_once(town: Any, other: Central) -> None:
    before = other.bell.count
    block(other)
    assert other.bell.count == before + 1
    block(town.central)
    until(lambda: other.bell.count > before + 1)
    assert other.bell.count == before + 2


def test_what_changes_nothing_in_the_feed_wakes_nobody_elsewhere(town: Any, other: Central) -> None:
    before = other.bell.count
    town.central.fleet.make_code("main")
    block(town.central)
    until(lambda: other.bell.count > before)
    assert other.bell.count == before + 1


def test_a_broken_connection_is_made_anew_and_the_bell_is_rung_for_what_was_missed(town: Any, other: Central) -> None:
    before = other.bell.count
    with capture_logs() as logs:
        with town.central.database.write() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            connection.execute(text(ended))
        until(lambda: other.bell.count > before)
        again = other.bell.count
        block(town.central)
        until(lambda: other.bell.count > again)
    assert [entry["event"] for entry in logs] == [
        "Other processes cannot be heard; long polls look by themselves",
        "Other processes are heard again",
    ]


def test_a_process_that_serves_listens_with_one_connection_and_lets_it_go(town: Any) -> None:
    def listeners() -> int:
        with town.central.database.read() as connection:
            return int(connection.execute(text(LISTENERS)).scalar_one())

    assert listeners() == 0
    with serving(town.settings, 2):
        until(lambda: listeners() == 2)
    assert listeners() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_on_sqlite_there_is_nobody_to_hear(town: Any, kind: str) -> None:
    bell = Bell()
    with others_heard(town.central.database, bell):
        block(town.central)
    assert bell.count == 0
