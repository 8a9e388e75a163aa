"""Central's disk is full, or a page of its file is damaged: it says so and keeps nothing by halves, and it heals."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient
from sqlalchemy import func, select

from kiosk.domain.journal import Deed, Outcome, Word
from sync.central import tables
from sync.central.database import FILE_NAME, DatabaseUnusable
from sync.central.http.app import make_app
from sync.central.http.inside import make_inside_app
from sync.central.office import Central, CentralSettings
from sync.wire import Fault, Push, Pushed
from ui.cli.central import central as central_command

from .conftest import Caller, Clock, Town, furnish, quick_passwords


@pytest.fixture
def kind() -> str:
    return "sqlite"  # PostgreSQL's disk is PostgreSQL's matter


def limit(town: Any, pages: int | None) -> None:
    """Of the writer's connection: SQLite then says what it says when a disk is full."""
    with town.central.database.write() as connection:
        now = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {2**31 - 2 if pages is None else now + pages}")


def rows(town: Any) -> dict[str, int]:
    with town.central.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.act, tables.word, tables.loan, tables.feed, tables.case, tables.audit)
        }


def batch(town: Any, number: int) -> Push:
    """Forty acts of ten items."""
    return Push(
        incarnation="log-1",
        words=[
            town.word(
                Word.FACT, f"{number}-{n}", deed=(Deed.CHECKOUT, Deed.RETURN)[n % 2], item=f"C{n // 4}",
                minute=number + n / 60, kiosk="main-1",
            )
            for n in range(40)
        ],
    )  # fmt: skip


def fill(town: Any, caller: Any) -> tuple[Push, list[Push]]:
    """Pushes until one is not answered: that one, and those that were."""
    answered: list[Push] = []
    for number in range(2000):
        push = batch(town, number)
        before = rows(town)
        answer = caller.call("POST", "/v1/acts", push)
        if answer.status_code == 200:
            answered.append(push)
            continue
        assert (answer.status_code, msgspec.json.decode(answer.content, type=Fault).code) == (503, "database")
        assert answer.headers["retry-after"] == "5"
        assert rows(town) == before
        return push, answered
    raise AssertionError("the disk never became full")


def heals(town: Any, caller: Any, refused: Push, answered: list[Push]) -> None:
    """What was not answered is told again and judged; what was answered is answered alike."""
    for push in (refused, answered[-1]):
        pushed = msgspec.json.decode(caller.call("POST", "/v1/acts", push).content, type=Pushed)
        assert {one.outcome for one in pushed.verdicts} <= {Outcome.ACCEPTED, Outcome.NOTED, Outcome.CASE}
    assert len(town.central.holdings.acts()) == 40 * (len(answered) + 1)
    assert town.central.inbox.held_through(caller.kiosk, "log-1") == 40 * (len(answered) + 1)


def test_a_full_database_answers_503_keeps_nothing_and_heals(town: Any, caller: Any) -> None:
    limit(town, 60)
    refused, answered = fill(town, caller)
    assert answered
    assert caller.call("GET", "/v1/feed").status_code == 200  # what is known can still be read
    assert caller.call("POST", "/v1/acts", refused).status_code == 503
    limit(town, None)
    heals(town, caller, refused, answered)
    assert {case.reason.value for case in town.central.holdings.cases()} <= {"item_unknown"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of three megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_answers_503_keeps_nothing_and_heals(small_disk: Path, clock: Clock) -> None:
    settings = CentralSettings(data=small_disk / "central", key_file=small_disk.parent / "key")
    central = Central.open(settings, clock=clock, passwords=quick_passwords())
    try:
        furnish(central)
        town = Town(central, clock, settings)
        with TestClient(make_app(central), raise_server_exceptions=False) as client:
            caller = Caller(client, clock)
            assert caller.enrol(central.fleet.make_code("main")) == 200
            free = small_disk / "ballast"
            free.write_bytes(b"x" * 300_000)
            refused, answered = fill(town, caller)
            free.unlink()
            heals(town, caller, refused, answered)
    finally:
        central.close()


def test_a_damaged_page_is_told_by_doctor_and_never_answered_as_if_it_were_whole(town: Any) -> None:
    for number in range(40):
        town.say(Word.FACT, f"a{number}", item=f"C{number}", minute=number)
    whole = town.central.feed.page(None, b"k" * 32, "").entries
    town.central.close()
    file = town.settings.data / FILE_NAME
    good = file.read_bytes()
    rng = random.Random(1)
    found, places = set(), [0, *rng.sample(range(1, len(good) // 4096), 11)]
    for page in places:
        bad = bytearray(good)
        bad[page * 4096 + 100 : page * 4096 + 140] = rng.randbytes(40)
        file.write_bytes(bad)
        doctor = CliRunner().invoke(central_command, ["doctor", "--data", str(town.settings.data)])
        assert doctor.exit_code == 1, page
        assert "damaged" in doctor.output or "database" in doctor.output
        found.add(_what_is_answered(town, whole))
    assert "503" in found
    file.write_bytes(good)
    again = Central.open(town.settings, clock=town.clock)
    assert again.feed.page(None, b"k" * 32, "").entries == whole
    again.close()


def _what_is_answered(town: Any, whole: Any) -> str:
    try:
        central = Central.open(town.settings, clock=town.clock)
    except DatabaseUnusable:
        return "not opened"
    try:
        with TestClient(make_inside_app(central), raise_server_exceptions=False) as client:
            answer = client.get("/metrics")
            assert answer.status_code in (200, 503), answer.text
            try:
                assert central.feed.page(None, b"k" * 32, "").entries == whole
            except DatabaseUnusable:
                return "503"
            return str(answer.status_code)
    finally:
        central.close()
