"""Two imports stay out of each other's way, a killed one is taken over, and the file that came last counts."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from kiosk.domain.lending import Standing
from sync.central import tables
from sync.central.checks import checks
from sync.central.import_marc import MarcPlaces
from sync.central.import_report import Report, RowReport
from sync.central.import_runs import LEASE, ImportRuns, ImportUnderWay
from sync.central.import_sources import read_items, read_patrons
from sync.central.imports import APPLY, STAGE
from sync.central.records import microseconds
from ui.cli.central import central as central_command

ROWS = 2 * STAGE + 7


@pytest.fixture
def take(town: Any, tmp_path: Path) -> Callable[..., Report]:
    """Imports so many new items of a file that is known by its name."""

    def take(name: str = "a", progress: Any = lambda *_: None, *, rows: int = ROWS, **how: bool) -> Report:
        file = tmp_path / f"{name}.csv"
        lines = "".join(f"N{number},書 {name},main\n" for number in range(rows))
        file.write_text("id,title,branch\n" + lines, encoding="utf-8")
        with closing(RowReport(tmp_path / f"{name}.report")) as report:
            return town.central.imports.items(name, read_items(file, MarcPlaces(), ""), report, progress, **how)

    return take


def titles(town: Any) -> dict[str, int]:
    item = tables.item.c
    with town.central.database.read() as connection:
        query = select(item.title, func.count()).where(item.id.like("N%")).group_by(item.title)
        return {row[0]: row[1] for row in connection.execute(query)}


def left(town: Any) -> dict[str, int]:
    """Rows of the tables that hold what is under way."""
    with town.central.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.import_row, tables.import_key)
        }


class Killed(Exception):
    """Stands for a process that dies between two transactions."""


def killed_at(phase: str, done: int) -> Any:
    """A progress that ends the run there."""

    def die(now: str, at: int, total: int | None) -> None:
        if (now, at) == (phase, done):
            raise Killed

    return die


def as_killed(town: Any) -> None:
    """The newest run did not give its turn up."""
    with town.central.database.write() as connection:
        newest = select(func.max(tables.import_run.c.id)).scalar_subquery()
        until = microseconds(town.clock() + LEASE)
        own = update(tables.import_run).where(tables.import_run.c.id == newest)
        connection.execute(own.values(leased_until=until, token="gone"))


@pytest.mark.parametrize("preview", [False, True], ids=["import", "preview"])
@pytest.mark.parametrize("phase", ["checking", "applying"])
def test_a_second_run_of_a_file_is_refused_and_the_first_ends_whole(
    town: Any, take: Callable[..., Report], phase: str, preview: bool
) -> None:
    refusals: list[str] = []

    def beside(now: str, done: int, total: int | None) -> None:
        if now == phase:
            with pytest.raises(ImportUnderWay) as refused:
                take(preview=preview)
            refusals.append(str(refused.value))

    done = take(progress=beside)
    assert (done.good, done.changed, done.applied, titles(town)) == (ROWS, ROWS, True, {"書 a": ROWS})
    assert len(refusals) >= 3
    assert refusals[0].startswith("this file is being imported since 2026-11-24 04:00:00 UTC by process ")
    assert set(left(town).values()) == {0}


def test_another_file_of_the_kind_waits_but_its_preview_and_patrons_do_not(
    town: Any, take: Callable[..., Report], tmp_path: Path
) -> None:
    seen: list[Report] = []
    people = tmp_path / "patrons.csv"
    people.write_text("id,name,category\nzoe,新人,adult\n")

    def beside(phase: str, done: int, total: int | None) -> None:
        if done == STAGE:
            with pytest.raises(ImportUnderWay, match="another file of items is being imported since"):
                take("b")
            seen.append(take("b", preview=True))
            with closing(RowReport(tmp_path / "people.report")) as report:
                read = read_patrons(people)
                seen.append(town.central.imports.patrons(f"people {phase}", read, report, lambda *_: None))

    done = take(progress=beside)
    assert (done.changed, titles(town)) == (ROWS, {"書 a": ROWS})
    assert [(one.good, one.bad, one.applied) for one in seen] == [(ROWS, 0, False), (1, 0, True)] * 2
    assert set(left(town).values()) == {0}


@pytest.mark.parametrize("died", [("checking", STAGE), ("applying", APPLY)])
@pytest.mark.parametrize("later", [LEASE, timedelta(days=-400)], ids=["in time", "the clock had been ahead"])
def test_a_killed_import_is_taken_over_when_its_lease_is_over(
    town: Any, take: Callable[..., Report], died: tuple[str, int], later: timedelta
) -> None:
    with pytest.raises(Killed):
        take(progress=killed_at(*died))
    if died[0] == "checking":  # it could not sweep either
        runs = ImportRuns(town.central.database, town.clock)
        runs.begin("items", "a", preview=False)
    as_killed(town)
    with pytest.raises(ImportUnderWay, match=r"If that process is gone, try again after 2026-11-24 04:02:00 UTC"):
        take()
    town.clock.now += later
    seen: list[str] = []
    done = take(progress=lambda phase, *_: seen.append(phase))
    assert (done.changed, done.applied, titles(town)) == (ROWS, True, {"書 a": ROWS})
    assert ("checking" in seen) == (died[0] == "checking")
    assert set(left(town).values()) == {0}


@pytest.mark.parametrize("slept", ["checking", "applying"])
def test_a_run_that_slept_while_another_took_its_turn_changes_nothing_more(
    town: Any, take: Callable[..., Report], slept: str
) -> None:
    heads: list[int] = []

    def sleep(phase: str, done: int, total: int | None) -> None:
        if phase == slept and not heads:
            town.clock.now += LEASE
            assert take().applied
            heads.append(town.central.feed.head())

    with pytest.raises(ImportUnderWay, match="its turn is over"):
        take(progress=sleep)
    assert (titles(town), town.central.feed.head()) == ({"書 a": ROWS}, heads[0])
    assert take().before
    assert set(left(town).values()) == {0}


def test_a_killed_preview_leaves_nothing_behind_when_somebody_imports_again(
    town: Any, take: Callable[..., Report]
) -> None:
    runs = ImportRuns(town.central.database, town.clock)
    turn = runs.begin("items", "a", preview=True)
    with town.central.database.write() as connection:
        runs.renew(connection, turn)
        connection.execute(tables.import_row.insert().values(run=turn.id, number=1, body="{}"))
        connection.execute(tables.import_key.insert().values(run=turn.id, key="N1"))
    assert take("b", rows=3).applied  # a preview is in nobody's way
    assert set(left(town).values()) == {1}
    town.clock.now += LEASE
    assert take("b", rows=3).before
    assert set(left(town).values()) == {0}


def test_a_file_that_says_what_an_earlier_one_said_is_applied_again(town: Any, tmp_path: Path) -> None:
    def run(standing: str) -> tuple[bool, bool, str]:
        file = tmp_path / "patrons.csv"
        file.write_text(f"id,name,category,standing\nzoe,王大同,adult,{standing}\n")
        with closing(RowReport(tmp_path / "report")) as report:
            done = town.central.imports.patrons(standing, read_patrons(file), report, lambda *_: None)
        with town.central.database.read() as connection:
            now = select(tables.membership.c.standing).where(tables.membership.c.id == "zoe")
            return done.applied, done.before, connection.execute(now).scalar_one()

    active, blocked = Standing.ACTIVE.value, Standing.BLOCKED.value
    assert [run(one) for one in (active, blocked, active, active)] == [
        (True, False, active), (True, False, blocked), (True, False, active), (True, True, active),
    ]  # fmt: skip
    assert [line.what for line in town.central.audit.lines(what="patrons imported")] == ["patrons imported"] * 3


def test_a_file_of_the_other_kind_between_makes_no_file_new(
    town: Any, take: Callable[..., Report], tmp_path: Path
) -> None:
    assert not take(rows=3).before
    (tmp_path / "patrons.csv").write_text("id,name,category\nzoe,新人,adult\n")
    with closing(RowReport(tmp_path / "report")) as report:
        read = read_patrons(tmp_path / "patrons.csv")
        assert town.central.imports.patrons("people", read, report, lambda *_: None).applied
    assert take(rows=3).before


def test_an_import_that_died_does_not_go_on_with_its_rest_when_another_file_came_between(
    town: Any, take: Callable[..., Report]
) -> None:
    with pytest.raises(Killed):
        take("a", killed_at("applying", APPLY))
    assert take("b").changed == ROWS
    assert set(left(town).values()) == {0}
    done = take("a")
    assert (done.good, done.changed, titles(town)) == (ROWS, ROWS, {"書 a": ROWS})


def test_the_doctor_counts_only_imports_that_nobody_is_at(town: Any, take: Callable[..., Report]) -> None:
    def unfinished() -> str:
        return next(check.found for check in checks(town.central) if check.name == "imports")

    told: list[str] = []
    with pytest.raises(Killed):
        take(progress=lambda *now: (told.append(unfinished()), killed_at("applying", APPLY)(*now)))
    as_killed(town)
    told.append(unfinished())
    assert set(told) == {"none unfinished"}
    town.clock.now += LEASE
    assert unfinished() == "1 unfinished"
    assert take("b").applied
    assert unfinished() == "none unfinished"


def test_the_command_line_says_who_is_importing(town: Any, tmp_path: Path) -> None:
    place = ["--data", str(town.settings.data)]
    if town.settings.database is not None:
        place += ["--database", town.settings.database]
    runs = ImportRuns(town.central.database, lambda: datetime.now(UTC))
    turn = runs.begin("items", "another", preview=False)
    (tmp_path / "items.csv").write_text("id,title,branch\nN1,書,main\n")
    command = ["import-items", *place, str(tmp_path / "items.csv")]
    told = CliRunner().invoke(central_command, command)
    assert (told.exit_code, "another file of items is being imported since" in told.output) == (1, True)
    runs.end(turn)
    assert CliRunner().invoke(central_command, command).exit_code == 0
