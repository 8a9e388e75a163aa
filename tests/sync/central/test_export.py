"""An export is whole or not there, and no copy of patrons' data lies about; nothing is written over what central works with."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sync.central.export import ExportFailed, export
from ui.cli.central import central as central_command

KILLED = """
import os, signal, sys
from pathlib import Path
from sync.central.export import export
from sync.central.office import Central, CentralSettings
central = Central.open(CentralSettings(data=Path(sys.argv[1]), database=sys.argv[3] or None))
export(central.database, Path(sys.argv[2]), lambda table, rows: os.kill(os.getpid(), signal.SIGKILL))
"""


def quiet(table: str, rows: int) -> None:
    pass


class Broken(Exception):
    """Whatever ends an export half-way."""


def test_what_a_killed_export_left_is_cleared_away_by_the_next(town: Any, tmp_path: Path) -> None:
    out, part = tmp_path / "out", tmp_path / "out.part"
    database = town.settings.database or ""
    command = [sys.executable, "-c", KILLED, str(town.settings.data), str(out), database]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert (any(part.iterdir()), out.exists()) == (True, False)
    export(town.central.database, out, quiet)
    assert ((out / "person.csv").exists(), part.exists()) == (True, False)


def test_an_export_that_fails_leaves_nothing(town: Any, tmp_path: Path) -> None:
    def fail(table: str, rows: int) -> None:
        if table == "person":
            raise Broken

    with pytest.raises(Broken):
        export(town.central.database, tmp_path / "out", fail)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []


def test_two_exports_into_one_folder_do_not_take_each_others_files(town: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused: list[str] = []

    def beside(table: str, rows: int) -> None:
        with pytest.raises(ExportFailed) as error:
            export(town.central.database, out, quiet)
        refused.append(str(error.value))

    counts = export(town.central.database, out, beside)
    assert refused[0] == f"{out}.part: another export writes into it; wait until that has ended"
    assert len(list(out.iterdir())) == len(counts)
    with pytest.raises(ExportFailed, match="expected a folder that does not exist yet"):
        export(town.central.database, out, quiet)


def test_a_folder_of_somebody_elses_is_named_and_left_alone(town: Any, tmp_path: Path) -> None:
    part = tmp_path / "out.part"
    part.mkdir()
    for name in ("person.csv", "thesis.doc"):
        (part / name).write_text("mine")
    with pytest.raises(
        ExportFailed, match=r"out\.part: expected nothing or what an export left there, got thesis\.doc"
    ):
        export(town.central.database, tmp_path / "out", quiet)
    assert sorted(path.name for path in part.iterdir()) == ["person.csv", "thesis.doc"]
    (tmp_path / "other.part").write_text("mine")
    with pytest.raises(ExportFailed, match=r"other\.part: File exists"):
        export(town.central.database, tmp_path / "other", quiet)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_nothing_is_copied_over_what_central_works_with(town: Any, tmp_path: Path) -> None:
    data = town.settings.data
    key = town.settings.root_key_file()
    town.central.key_copy.write(tmp_path / "safe.key", data, key_file=key, who="test")
    (tmp_path / "link").symlink_to(data)
    kept = key.read_bytes()
    inode = (data / "central.sqlite").stat().st_ino
    for target in (data / "central.sqlite", data / "copy.sqlite", tmp_path / "link" / "copy.sqlite", key):
        told = CliRunner().invoke(central_command, ["backup", "--data", str(data), str(target)])
        assert (told.exit_code, str(target) in told.output) == (2, True)
    told = CliRunner().invoke(central_command, ["export", "--data", str(data), str(data / "out")])
    assert (told.exit_code, "in central's data folder" in told.output) == (2, True)
    assert (key.read_bytes(), (data / "central.sqlite").stat().st_ino) == (kept, inode)
    assert sorted(path.name for path in data.iterdir() if path.suffix not in (".sqlite-wal", ".sqlite-shm")) == [
        "central.sqlite", "used.lock",
    ]  # fmt: skip
    told = CliRunner().invoke(central_command, ["backup", "--data", str(data), str(tmp_path / "copy.sqlite")])
    assert told.exit_code == 0


def test_a_lock_that_somebody_else_holds_ends_with_its_process(town: Any, tmp_path: Path) -> None:
    part = tmp_path / "out.part"
    part.mkdir()
    handle = os.open(part, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(ExportFailed, match="another export writes into it"):
        export(town.central.database, tmp_path / "out", quiet)
    os.close(handle)
    assert export(town.central.database, tmp_path / "out", quiet)["person"] == 4
