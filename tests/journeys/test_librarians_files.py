"""D4, C4, C9: a library's own files come in as they are, a double lending is worked and ends, and central forgets whose it was.

The commands are those that are installed; only the kiosks' words are said to the database directly.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from kiosk.domain.journal import Deed, Mode, Word
from kiosk.domain.values import IncarnationId, KioskId
from sync.central.office import Central, CentralSettings
from sync.wire import CalendarEntry, WireWord

PROGRAM = str(Path(sys.executable).with_name("shelfpoint"))
POLICY = """policy_version = "city"
[[patron_rules]]
category = "adult"
quota = 10
[[loan_rules]]
item_type = "book"
loan_days = 28
"""
LONG_AGO = datetime.now(UTC) - timedelta(days=120)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`shelfpoint central …` on a new library with one branch."""
    data = tmp_path / "central"
    central = Central.open(CentralSettings(data=data))
    with central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="main", name="斗六總館"))
    central.close()

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "central", *map(str, arguments), "--data", str(data)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    (tmp_path / "policy.toml").write_text("\ufeff" + POLICY, encoding="utf-8")
    assert run("category", "add", "adult", "--zh", "成人", "--en", "Adult").returncode == 0
    assert run("policy", "set", tmp_path / "policy.toml").returncode == 0
    return run


def say(data: Path, *words: tuple[str, Deed, str | None, int]) -> None:
    """Facts of two kiosks: id, deed, membership, minute."""
    central = Central.open(CentralSettings(data=data))
    for number, (act, deed, membership, minute) in enumerate(words, start=1):
        word = WireWord(
            sequence=1, word=Word.FACT, act=act, deed=deed, membership=membership, item="C0000001", branch="main",
            happened_at=LONG_AGO + timedelta(minutes=minute), mode=Mode.OFFLINE,
        )  # fmt: skip
        central.inbox.judge(KioskId(f"main-{act}"), IncarnationId(f"log-{number}"), [word])
    central.close()


def test_files_come_in_a_double_lending_is_worked_and_is_forgotten(command: Command, tmp_path: Path) -> None:
    people, books = tmp_path / "patrons.csv", tmp_path / "items.csv"
    people.write_bytes(
        b"id,name,category,expires_on,owed,easycard\r\n"
        + 'm1,林　小華,adult,民國120年12月31日,"1,200",04A22F91\r\n'.encode("cp950")
        + b"m2,\xfa\x40"
        + "美玲,adult,120/12/31,,04:B2:2F:91\r\n".encode("cp950")
        + "m3,王明,audlt,,,\r\n\r\n".encode("cp950")
    )
    refused = command("import-patrons", people, "--preview")
    assert (refused.returncode, "say --encoding cp950" in refused.stderr) == (2, True)
    preview = command("import-patrons", people, "--preview", "--encoding", "cp950")
    assert "1 good rows, 2 bad rows; nothing was changed." in preview.stdout
    assert "line 3, easycard: expected the number without marks between its bytes" in preview.stdout
    assert (
        "line 4, category: expected a known one; known are adult; add one: shelfpoint central category add"
        in preview.stdout
    )
    people.write_bytes(people.read_bytes().replace(b"04:B2:2F:91", b"04B22F91").replace(b"audlt", b"adult"))
    done = command("import-patrons", people, "--encoding", "cp950", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["good"], told["noted"], told["applied"]) == (3, 2, True)
    with people.with_name("patrons.csv.report.csv").open(encoding="utf-8", newline="") as file:
        notes = [(row["line"], row["field"]) for row in csv.DictReader(file) if row["result"] == "note"]
    assert notes == [("2", "name"), ("2", "expires_on"), ("2", "owed"), ("3", "expires_on")]

    books.write_text("id\ttitle\n\nC0000001\t圖解　資料庫系統\n", encoding="utf-16")
    assert command("import-items", books, "--branch", "main", "--encoding", "utf-16").returncode == 0
    say(tmp_path / "central", ("1", Deed.CHECKOUT, "m1", 0), ("2", Deed.CHECKOUT, "m2", 5))

    listed = command("cases", "list").stdout
    for part in ("斗六總館", "圖解 資料庫系統", "林○", "m1", "\ue000○", "m2", "中間沒有還書紀錄", "請先查明書在誰手上"):
        assert part in listed
    assert max(map(cell_len, listed.splitlines())) <= 100
    assert "no return lies between" in command("cases", "list", "--language", "en").stdout

    say(tmp_path / "central", ("3", Deed.RETURN, None, 60))
    assert command("cases", "list").stdout.strip() == "沒有待處理的事。"
    (case,) = json.loads(command("cases", "list", "--all", "--json").stdout)
    assert (case["closed_by"], case["closed_how"], [one["membership"] for one in case["readers"]]) == (
        "central", "book came back", ["m1", "m2"],
    )  # fmt: skip
    assert command("retention", "run").returncode == 0
    (case,) = json.loads(command("cases", "list", "--all", "--json").stdout)
    assert (case["closed_how"], case["readers"], case["membership"]) == ("book came back", [], None)


def test_a_stick_that_is_not_there_gets_nothing(command: Command, tmp_path: Path) -> None:
    stick = tmp_path / "media" / "stick"
    assert command("key", "copy", tmp_path / "safe.key").returncode == 0
    for arguments in (("backup", stick / "copy.sqlite"), ("export", stick / "out")):
        ended = command(*arguments)
        assert (ended.returncode, f"there is no folder {stick}" in ended.stderr) == (2, True)
    assert not stick.parent.exists()
    stick.mkdir(parents=True)
    for arguments in (("backup", stick / "copy.sqlite"), ("export", stick / "out")):
        assert command(*arguments).returncode == 0
