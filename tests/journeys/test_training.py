"""A script at the real workbench: central, pcscd and every twin are started, the script moves them, the window stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
after 0 trainer say Look at the reader.
after 0 reader lay easycard
after 0.1 reader two easycard ipass
after 0 scanner scan mobile
after 0 printer open-cover
after 0 network cut
"""


@pytest.mark.xdist_group("pcscd")
def test_a_script_moves_the_twins_of_the_workbench(tmp_path: Path) -> None:
    script = tmp_path / "day.txt"
    script.write_text(SCRIPT, encoding="utf-8")
    workbench = subprocess.Popen(
        [Path(sys.executable).with_name("shelfpoint"), "workbench", "--play", script, "--folder", tmp_path / "stage"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert workbench.stdout is not None
    told = []
    for line in workbench.stdout:
        told.append(line.rstrip("\n"))
        if line.startswith("The script has ended"):
            workbench.send_signal(signal.SIGTERM)
    _, complaints = workbench.communicate(timeout=60)
    assert told[-6:] == [
        "   2  reader lay easycard",
        "   3  reader two easycard ipass",
        "   4  scanner scan mobile",
        "   5  printer open-cover",
        "   6  network cut",
        "The script has ended; the workbench stays open.",
    ], complaints
    assert told[-7] == "Look at the reader."
    assert "could not be done" not in complaints
