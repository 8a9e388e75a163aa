"""An IT person finds the name of the printer before her (A8): the installed command."""

import json
import subprocess
import sys
from pathlib import Path

SHELFPOINT = Path(sys.executable).with_name("shelfpoint")


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SHELFPOINT, "devices", "printers", *words], capture_output=True, text=True, check=False)


def test_a_word_finds_models_by_name_or_maker() -> None:
    done = call("epson", "--json")
    names = [row["name"] for row in json.loads(done.stdout)]
    assert (done.returncode, {"TM-T88V", "TM-T82III"} <= set(names), "POS-5890" in names) == (0, True, False)
    (row,) = json.loads(call("TM-T88V", "--json").stdout)[:1] or [{}]
    assert {"TM-T88V", "TM-T88VI"} <= {row["name"] for row in json.loads(call("t88v", "--json").stdout)}
    assert row["columns"] == 42


def test_a_row_says_width_columns_knife_and_chinese() -> None:
    (row,) = [line for line in call("TM-T88V").stdout.splitlines() if line.split()[0] == "TM-T88V"]
    assert row.split()[1:] == ["Epson", "512", "dots", "42", "columns", "cuts", "Chinese", "as", "dots"]
    assert "CP437" in next(r for r in json.loads(call("--json").stdout) if r["name"] == "TM-T88V")["code_pages"]


def test_an_unknown_printer_is_told_what_is_near_and_what_to_do() -> None:
    done = call("t88-v")
    assert done.returncode == 1
    assert "Near to it: TM-T88V" in done.stderr
    assert "devices probe printer --page" in done.stderr
