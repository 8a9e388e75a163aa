"""Every file is fit to be committed: it says what it is, runs where it should, and names no machine and no index."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["kiosk", "config", "drivers", "sync", "ui"]
MADE_HERE = {"build", "dist", "out", "__pycache__"}

# Broken up, so that this file does not find itself.
INDEX_HOSTS = "|".join(["pyp" + "i", "pythonhos" + "ted", "npm" + "js", "deb" + r"ian\.org"])
FOREIGN = re.compile(rf"https?://[A-Za-z0-9.-]*(?:{INDEX_HOSTS})|(?<![\w.-])/(?:wor" + "k|far" + "m|roo" + "t)/")


def committed_files() -> list[Path]:
    """Files that are or would be committed; without git, all but what is made here."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in MADE_HERE and (not name.startswith(".") or name == ".ci")]
        found += [Path(folder, name) for name in names]
    return found


def test_no_committed_file_names_an_index_or_one_machines_folders() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in committed_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert wrong == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for floor in FLOORS
        for path in sorted((ROOT / floor).rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def shell_scripts() -> list[Path]:
    return [
        path for path in committed_files() if path.suffix == ".sh" or path.relative_to(ROOT).as_posix() == ".ci/run"
    ]


def test_every_shell_script_parses() -> None:
    for script in shell_scripts():
        shell = "bash" if "bash" in script.read_text(encoding="utf-8").partition("\n")[0] else "sh"
        check = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
        assert check.returncode == 0, check.stderr


@pytest.mark.parametrize("command", ["run.sh", "test.sh", ".ci/run"])
def test_the_commands_can_be_started(command: str) -> None:
    assert os.access(ROOT / command, os.X_OK)
