"""`shelfpoint central hold`: placed, refused, listed, cancelled, and written as CSV that no spreadsheet carries out."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync.central.demo import MAIN, demo_cast
from sync.central.office import Central, CentralSettings
from sync.wire import ItemEntry
from ui.cli.central import central

CAST = demo_cast()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("central") / "data"
    assert call(folder, "load-demo").exit_code == 0
    return folder


def call(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(central, [*arguments, "--data", str(data)])


def listed(data: Path, *options: str) -> list[tuple[str, str, str | None, int | None]]:
    done = call(data, "hold", "list", "--json", *options)
    assert done.exit_code == 0, done.output
    return [(row["membership"], row["state"], row["copy"], row["place"]) for row in json.loads(done.stdout)]


def test_the_sample_library_has_one_book_ready_and_two_patrons_waiting(data: Path) -> None:
    ready, first, second = listed(data)
    assert ready == (CAST.barcode.membership, "ready", CAST.reserved, None)
    assert second == (CAST.mobile.membership, "waiting", None, 2)
    assert first[1:] == ("waiting", None, 1)
    assert listed(data, "--which", "ready") == [ready]
    assert listed(data, "--membership", CAST.mobile.membership) == [second]
    assert listed(data, "--branch", "east") == []


def test_a_hold_is_placed_listed_and_cancelled(data: Path) -> None:
    wish = ("hold", "place", "--membership", CAST.chip.membership, "--item", CAST.on_loan, "--branch", MAIN)
    done = call(data, *wish, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["reason"], told["details"]) == ("hold_placed", {"ahead": 0, "branch": MAIN})
    again = call(data, *wish)
    assert again.exit_code == 1
    assert "已經預約" in again.stdout
    assert call(data, "hold", "cancel", told["hold"]).exit_code == 0
    assert call(data, "hold", "cancel", told["hold"]).exit_code == 1
    assert listed(data, "--membership", CAST.chip.membership) == []


def test_a_hold_that_is_not_there_is_wrong_use(data: Path) -> None:
    done = call(data, "hold", "cancel", "nothing")
    assert done.exit_code == 2
    assert "there is no hold nothing" in done.output


def test_a_title_that_a_spreadsheet_would_carry_out_is_disarmed(data: Path, tmp_path: Path) -> None:
    opened = Central.open(CentralSettings(data=data))
    with opened.registry.change("test") as change:
        change.items([ItemEntry(id=CAST.reserved, title="=HYPERLINK(1)", branch=MAIN)])
    opened.close()
    file = tmp_path / "ready.csv"
    assert call(data, "hold", "list", "--which", "ready", "--csv", str(file)).exit_code == 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["copy"], row["title"], row["place"]) == (CAST.reserved, "'=HYPERLINK(1)", "")
    assert file.stat().st_mode & 0o777 == 0o600
